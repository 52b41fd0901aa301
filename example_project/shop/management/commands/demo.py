import os
import socket
from typing import Any

from django.contrib.staticfiles.management.commands.runserver import Command as RunServer
from django.core.management import call_command
from django.core.management.base import CommandParser

HOST = "127.0.0.1"
FIRST_PORT = 8000

WELCOME = """
  Marginalia, the example shop, is open.

    Shop     http://{host}:{port}/
    Admin    http://{host}:{port}/admin/

    Log in   admin / admin     superuser
             olivia / olivia   operator, may change flags
             rosa / rosa       release manager: shares, stages, going back
             sam / sam         support: on and off, and nothing else
             vera / vera       may look at everything
             ada / ada         a customer; also bo, chen, dora

  Release new_checkout in admin, and watch the bar at the foot of the shop.
  Stop with Ctrl-C.
"""


class Command(RunServer):
    help = "Migrate, seed and serve the shop on the first free port from 8000 up."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--port", type=int, default=FIRST_PORT, help="The first port to try.")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        os.environ.setdefault("DJANGO_RUNSERVER_HIDE_WARNING", "true")
        call_command("migrate", verbosity=0)
        call_command("seed", verbosity=0)
        address = f"{HOST}:{free_port(port)}"
        super().handle(**{**options, "addrport": address, "use_reloader": False})

    def on_bind(self, server_port: int) -> None:
        """Say where the shop is, once it listens."""
        self.stdout.write(WELCOME.format(host=HOST, port=server_port))
        self.stdout.flush()


def free_port(first: int) -> int:
    """Find the first port from here up that nothing listens on."""
    return next(port for port in range(first, 65536) if is_free(port))


def is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from shop.seeds import customers, flags, history, keys, people, products, usage


class Command(BaseCommand):
    help = "Fill the shop: products, people, flags, a history. What is there already stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-flags", action="store_true", help="Leave flags and segments to you."
        )

    def handle(self, *args: Any, no_flags: bool, **options: Any) -> None:
        products.seed()
        people.seed()
        customers.seed()
        if not no_flags:
            keys.seed()
            seeded = flags.seed()
            history.seed(seeded)
            usage.seed(revision.key for revision in seeded)
        if options["verbosity"]:
            self.stdout.write("The shop is seeded.")

"""A proxy in front of a database server, which fails in its place."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Proxy:
    """Passes bytes on, unless told to cut, to stall or to be slow."""

    def __init__(self, host: str, port: int) -> None:
        self.delay = 0.0  # seconds before each piece is passed on
        self.stalled = 0  # pieces that are held back now
        self._server = (host, port)
        self._is_cut = False
        self._open = threading.Event()
        self._open.set()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def cut(self) -> None:
        """Break all connections, and accept no more."""
        self._is_cut = True
        self._break()

    def stall(self) -> None:
        """Accept connections and whatever they say, and let nothing through."""
        self._open.clear()

    def heal(self) -> None:
        """Pass everything on again, at once; what was held back, too."""
        self._is_cut, self.delay = False, 0.0
        self._open.set()

    def close(self) -> None:
        """End all threads."""
        self.cut()
        self._open.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
        for each in self._sockets:
            each.close()

    def _break(self) -> None:
        for each in list(self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
                continue
            server = socket.create_connection(self._server)
            self._sockets += [client, server]
            self._start(self._pass_on, client, server)
            self._start(self._pass_on, server, client)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                time.sleep(self.delay)
                self.stalled += 1
                self._open.wait()
                self.stalled -= 1
                target.sendall(piece)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

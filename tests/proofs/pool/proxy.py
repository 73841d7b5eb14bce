"""A proxy of TCP between players and pool that faults can be committed on."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class FaultyProxy:
    """A proxy of TCP between players and pool that a fault can be committed on.

    Attributes:
        delay: seconds by which each chunk to the player is late.
        silent: connections are accepted, and nothing passes.
        closed: connections are refused.
        garbled: answers are turned around.
    """

    def __init__(self, target: int, host: str = "127.0.0.1") -> None:
        self.delay, self.silent, self.closed, self.garbled = 0.0, False, False, False
        self._target = host, target
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            player, _ = self._listener.accept()
            if self.closed:
                player.close()
                continue
            try:
                pool = socket.create_connection(self._target)
            except OSError:
                player.close()
                continue
            self._open |= {player, pool}
            threading.Thread(target=self._pass, args=(player, pool, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(pool, player, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, to_player: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                while self.silent:
                    time.sleep(0.05)
                if to_player:
                    time.sleep(self.delay)
                    data = data.replace(b'"notes":[[', b'"notes":[["x",') if self.garbled else data
                target.sendall(data)
        for one in (source, target):
            self._open.discard(one)
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

# pyright: strict
"""What systemd is told: sd_notify(3), a datagram to the socket that NOTIFY_SOCKET names."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """Tells a service manager how we are; where there is none, nobody. Never waits and never raises.

    Args:
        environment: where it says which socket (`NOTIFY_SOCKET`), and how often it wants to hear (`WATCHDOG_USEC`).
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        # Of an abstract socket the first character stands for a null byte.
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self._socket: socket.socket | None = None
        if name:
            with suppress(OSError):
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
                self._socket.setblocking(False)
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        micros = environment.get("WATCHDOG_USEC", "")
        self.watchdog = int(micros) / 1e6 if ours and micros.isdecimal() and int(micros) else None
        """Seconds within which it wants a sign of life; None: it does not ask."""

    def tell(self, *assignments: str) -> None:
        """Tell some assignments, such as `READY=1`, in one message."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto("\n".join(assignments).encode(), self._address)

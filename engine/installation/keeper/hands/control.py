# pyright: strict
"""A small local control: a UNIX socket in the state folder. A line goes in, a line comes back."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import PerpetuumError

log = logging.getLogger(__name__)

NAME = "control"
LONGEST = 256
"""Bytes of a line that is asked."""

LONGEST_ANSWER = 1 << 16

PATIENCE = 1.0
"""Seconds that whoever asks may take to say what."""


class ControlSocket:
    """Answers whoever may write to the socket: the user that runs the installation, and root.

    Args:
        folder: where the socket lies.
        answer: gives the answer to a line; raises a `PerpetuumError` that says what is wrong with it.
    """

    def __init__(self, folder: Path, answer: Callable[[str], str]) -> None:
        self._folder = folder
        self._answer = answer
        self._socket: socket.socket | None = None

    def __enter__(self) -> ControlSocket:
        """Begin to answer; where no socket can be made, that is said, and nobody can ask."""
        try:
            with _place(self._folder) as place:
                with suppress(FileNotFoundError):
                    (self._folder / NAME).unlink()  # of a keeper that was killed; we have the lock
                listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
                before = os.umask(0o177)
                try:
                    listening.bind(place)
                finally:
                    os.umask(before)
                listening.listen(8)
        except OSError as error:
            log.warning("there is no control socket in %s (%s); signals are still heard", self._folder, error.strerror)
            return self
        self._socket = listening
        threading.Thread(target=self._run, args=(listening,), name="control", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            with suppress(OSError):
                (self._folder / NAME).unlink()

    def _run(self, listening: socket.socket) -> None:
        while True:
            try:
                asking, _ = listening.accept()
            except OSError:
                return
            # One after the other: the asks are few, and none takes longer than its patience.
            with asking, suppress(OSError):
                asking.settimeout(PATIENCE)
                asking.sendall((self._reply(_line(asking)) + "\n").encode())

    def _reply(self, line: str) -> str:
        try:
            return self._answer(line)
        except PerpetuumError as error:
            return f"error: {error}"
        except Exception as error:  # whoever asks must not end whoever answers
            log.exception("the control failed at %r", line)
            return f"error: {error!r}"


def ask(folder: Path, line: str) -> str:
    """Ask a running installation; its answer.

    Raises:
        PerpetuumError: none runs there, or it does not answer, or refuses.
    """
    asking = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    with asking:
        asking.settimeout(3 * PATIENCE)
        try:
            with _place(folder) as place:
                asking.connect(place)
            asking.sendall(line.encode() + b"\n")
            answer = _line(asking, LONGEST_ANSWER)
        except (FileNotFoundError, ConnectionRefusedError):
            raise PerpetuumError(f"no installation runs with the state folder {folder}", "start it") from None
        except OSError as error:
            raise PerpetuumError(f"the installation with the state folder {folder} does not answer: {error}") from None
    if answer.startswith("error: "):
        raise PerpetuumError(answer.removeprefix("error: "))
    return answer


@contextmanager
def _place(folder: Path) -> Generator[str]:
    """The socket's path by way of a descriptor: the names of sockets end at 107 bytes."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


def _line(stream: socket.socket, longest: int = LONGEST) -> str:
    data = b""
    while b"\n" not in data and len(data) < longest:
        piece = stream.recv(longest)
        if not piece:
            break
        data += piece
    return data.partition(b"\n")[0][:longest].decode("utf-8", "replace")

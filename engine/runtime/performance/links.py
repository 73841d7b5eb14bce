# pyright: strict
"""The way between the two halves of a performance: queues in one process, a socket between two."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Generic, Protocol, TypeVar

from engine.codec import Codec, CodecError
from engine.runtime.performance.messages import FromStage, ToStage

S = TypeVar("S")
R = TypeVar("R")
S_contra = TypeVar("S_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

LARGEST = 16 << 20
"""Bytes of a message."""


class LinkEnd(Protocol[S_contra, R_co]):
    """One end: what is sent here arrives there in its order. Sending never waits and never raises."""

    def send(self, message: S_contra) -> None:
        """Hand a message over."""
        ...

    def receive(self, timeout: float) -> Sequence[R_co]:
        """Messages that have come; waits up to `timeout` seconds for the first."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the other end is gone, and all that it sent has been received."""
        ...

    def close(self) -> None:
        """Nothing more will be sent or received here."""
        ...


class QueueLink(Generic[S, R]):
    """An end of a link within one process; `pair_of_links` makes both."""

    def __init__(self, outbox: queue.Queue[S | None], inbox: queue.Queue[R | None]) -> None:
        self._outbox = outbox
        self._inbox = inbox
        self._closed = False

    def send(self, message: S) -> None:
        """Hand a message over."""
        self._outbox.put(message)

    def receive(self, timeout: float) -> list[R]:
        """Messages that have come."""
        found: list[R] = []
        with suppress(queue.Empty):
            message = self._inbox.get(timeout=timeout) if timeout > 0 else self._inbox.get_nowait()
            while True:
                if message is None:
                    self._closed = True
                else:
                    found.append(message)
                message = self._inbox.get_nowait()
        return found

    @property
    def closed(self) -> bool:
        """Whether the other end was closed."""
        return self._closed

    def close(self) -> None:
        """Tell the other end that nothing more comes, after all that was sent."""
        self._outbox.put(None)


def pair_of_links() -> tuple[QueueLink[ToStage, FromStage], QueueLink[FromStage, ToStage]]:
    """Both ends of a link within one process: the mind's, and the stage's."""
    to_stage: queue.Queue[ToStage | None] = queue.Queue()
    to_mind: queue.Queue[FromStage | None] = queue.Queue()
    return QueueLink(to_stage, to_mind), QueueLink(to_mind, to_stage)


class SocketLink(QueueLink[S, R]):
    """An end of a link to another process: two threads move messages between the queues and a socket.

    Args:
        connection: to the other process; owned from now on.
        outgoing: writes what is sent.
        incoming: reads what comes. Whatever it cannot read ends the link, as if the other side were gone.
    """

    def __init__(self, connection: Connection, outgoing: Codec[S], incoming: Codec[R]) -> None:
        super().__init__(queue.Queue(), queue.Queue())
        self.problem = ""
        self._connection = connection
        self._outgoing = outgoing
        self._incoming = incoming
        for name, target in (("link reader", self._read), ("link writer", self._write)):
            threading.Thread(target=target, name=name, daemon=True).start()

    def _read(self) -> None:
        try:
            while True:
                self._inbox.put(self._incoming.decode(self._connection.recv_bytes(LARGEST)))
        except CodecError as error:
            self.problem = str(error)
        except (EOFError, OSError) as error:
            self.problem = self.problem or str(error)
        self._inbox.put(None)

    def _write(self) -> None:
        with suppress(OSError):
            while (message := self._outbox.get()) is not None:
                try:
                    data = self._outgoing.encode(message)
                except CodecError as error:
                    self.problem = str(error)
                    break
                self._connection.send_bytes(data)
        self._connection.close()

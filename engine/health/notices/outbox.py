# pyright: strict
"""Messages that wait to leave, kept on the disk: a cut network delays them, and no restart loses one."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.errors import PerpetuumError
from engine.files import read_bytes
from engine.health.notices.notice import Notice
from engine.health.notices.senders import LifeSign, Sender, UndeliveredError
from engine.output_file import output_folder, write_bytes
from engine.processes.backoff import Backoff

log = logging.getLogger(__name__)

MOST = 100
"""Messages that wait for one sender; the oldest go first, and who was away so long reads the newest."""

LARGEST = 1 << 20
"""Bytes of a message."""

FIRST_RETRY, LONGEST_RETRY = 5.0, 120.0
"""Seconds between two attempts: a network that is back shall not wait for long, and the next attempt costs little."""


class Outbox:
    """Messages for one sender, in their order, each until it has left.

    Args:
        folder: where they lie; made if it is not there.
        sender: lets them leave.
    """

    def __init__(self, folder: Path, sender: Sender) -> None:
        digest = hashlib.sha256(sender.key.encode()).hexdigest()[:12]
        self._folder = folder / digest
        self._sender = sender
        self._backoff = Backoff(FIRST_RETRY, LONGEST_RETRY)
        self._lock = threading.Lock()
        self._unwritten: list[Notice] = []  # where the disk takes nothing, memory has to do
        self._done: set[str] = set()  # names of what has left, and cannot be deleted

    def put(self, notice: Notice) -> None:
        """Keep a message until it has left. Never raises."""
        try:
            self._keep(notice)
        except (OSError, PerpetuumError) as error:
            log.warning("a message cannot be kept on the disk (%s); it is sent if it can be now", error)
            with self._lock:
                self._unwritten = [*self._unwritten, notice][-MOST:]
        for surplus in self._files()[:-MOST]:
            self._drop(surplus)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._files()) + len(self._unwritten)

    def send(self) -> float | None:
        """Let leave what can. Never raises.

        Returns:
            seconds to wait before the next attempt; None if nothing waits.
        """
        try:
            with self._alone() as alone:
                if not alone:
                    return FIRST_RETRY
                self._send()
        except UndeliveredError as error:
            if not self._backoff.failures:
                log.warning("%s; it is tried again", error)
            return self._backoff.next_delay()
        except Exception:
            log.exception("%s: a message could not be sent; it is tried again", self._sender.name)
            return self._backoff.next_delay()
        if self._backoff.failures:
            log.warning("%s: what waited has been sent", self._sender.name)
        self._backoff.reset()
        return None

    def _send(self) -> None:
        for notice in self._unwritten:  # a disk that has room again keeps them through the next power cut
            try:
                self._keep(notice)
            except (OSError, PerpetuumError):
                break
            self._forget(notice)
        for file in self._files():
            notice = _read(file)
            if notice is not None:
                self._sender.send(notice)
            self._drop(file)
        for notice in self._unwritten:
            self._sender.send(notice)
            self._forget(notice)

    def _forget(self, notice: Notice) -> None:
        with self._lock:
            self._unwritten = [one for one in self._unwritten if one is not notice]

    def _keep(self, notice: Notice) -> None:
        output_folder(self._folder.parent)
        output_folder(self._folder)
        write_bytes(self._folder / f"{time.time_ns():020d}.json", msgspec.json.encode(notice))

    @contextmanager
    def _alone(self) -> Generator[bool]:
        """Whether nobody else sends what lies here: one that was told to stop may still be at it after a reload."""
        try:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:  # nothing lies there
            yield True
            return
        try:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            except OSError:  # a file system without locks
                yield True
            else:
                yield True
        finally:
            os.close(folder)

    def _files(self) -> list[Path]:
        try:
            return sorted(file for file in self._folder.glob("*.json") if file.name not in self._done)
        except OSError:
            return []

    def _drop(self, file: Path) -> None:
        """Be done with a file; one that cannot be deleted is not sent again while we live."""
        try:
            file.unlink(missing_ok=True)
        except OSError:
            self._done.add(file.name)


def _read(file: Path) -> Notice | None:
    """A message; None for what is none, which a power cut may have left."""
    try:
        return msgspec.json.decode(read_bytes(file, LARGEST), type=Notice)
    except (OSError, msgspec.MsgspecError, ValueError):
        log.warning("%s is no message; it is left out", file)
        return None


class Postman:
    """Sends what waits, and signs of life, each way from a thread of its own: a server that hangs delays its own alone.

    Args:
        outboxes: of all senders.
        ping: sign of life; None without.
        every: seconds between two of them.
        alive: whether a sign of life is true now.
    """

    def __init__(
        self,
        outboxes: Sequence[Outbox],
        ping: LifeSign | None = None,
        every: float = 60.0,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self._ways = [(outbox, threading.Event()) for outbox in outboxes]
        self._every = every
        self._alive = alive
        self._over = threading.Event()
        self._reached = True
        self._threads = [
            threading.Thread(target=self._deliver, args=way, name=f"postman {number}", daemon=True)
            for number, way in enumerate(self._ways, 1)
        ]
        if ping is not None:
            self._threads.append(threading.Thread(target=self._live, args=(ping,), name="sign of life", daemon=True))
        for thread in self._threads:
            thread.start()

    def post(self, notice: Notice) -> None:
        """Let a message leave by all ways. Returns when it is kept."""
        for outbox, _ in self._ways:
            outbox.put(notice)
        self._wake()

    def close(self, timeout: float = 2.0) -> None:
        """Send nothing more; what waits, waits for the next start."""
        self._over.set()
        self._wake()
        until = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _wake(self) -> None:
        for _, woken in self._ways:
            woken.set()

    def _deliver(self, outbox: Outbox, woken: threading.Event) -> None:
        while not self._over.is_set():
            woken.clear()
            woken.wait(outbox.send())

    def _live(self, ping: LifeSign) -> None:
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due = time.monotonic() + self._every
            self._give_sign(ping)

    def _give_sign(self, ping: LifeSign) -> None:
        if not self._alive():
            return  # its absence tells
        try:
            ping.send()
        except UndeliveredError as error:
            if self._reached:
                log.warning("%s; whoever waits for signs of life will notice", error)
            self._reached = False
        except Exception:
            log.exception("the sign of life failed")
        else:
            if not self._reached:
                log.warning("the sign of life gets through again")
                self._wake()  # the network is back, and messages need not wait for their next attempt
            self._reached = True

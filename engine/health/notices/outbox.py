# pyright: strict
"""Messages that wait to leave, kept on the disk: a cut network delays them, and no restart loses one."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
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

FIRST_RETRY, LONGEST_RETRY = 5.0, 600.0
"""Seconds between two attempts."""


class Outbox:
    """Messages for one sender, in their order, each until it has left.

    Args:
        folder: where they lie; made if it is not there.
        sender: lets them leave.
    """

    def __init__(self, folder: Path, sender: Sender) -> None:
        digest = hashlib.sha256(sender.name.encode()).hexdigest()[:12]
        self._folder = folder / digest
        self._sender = sender
        self._backoff = Backoff(FIRST_RETRY, LONGEST_RETRY)
        self._unwritten: list[Notice] = []  # where the disk takes nothing, memory has to do
        self._done: set[str] = set()  # names of what has left, and cannot be deleted

    def put(self, notice: Notice) -> None:
        """Keep a message until it has left. Never raises."""
        name = f"{time.time_ns():020d}.json"
        try:
            output_folder(self._folder.parent)
            output_folder(self._folder)
            write_bytes(self._folder / name, msgspec.json.encode(notice))
        except (OSError, PerpetuumError) as error:
            log.warning("a message cannot be kept on the disk (%s); it is sent if it can be now", error)
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
            for file in self._files():
                notice = _read(file)
                if notice is not None:
                    self._sender.send(notice)
                self._drop(file)
            while self._unwritten:
                self._sender.send(self._unwritten[0])
                del self._unwritten[0]
        except UndeliveredError as error:
            if not self._backoff.failures:
                log.warning("%s; it is tried again", error)
            return self._backoff.next_delay()
        except Exception:
            log.exception("a message could not be sent; it is tried again")
            return self._backoff.next_delay()
        if self._backoff.failures:
            log.warning("%s: what waited has been sent", self._sender.name)
        self._backoff.reset()
        return None

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
    """Sends what waits, and signs of life, from a thread of its own.

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
        self._outboxes = outboxes
        self._ping = ping
        self._every = every
        self._alive = alive
        self._woken = threading.Event()
        self._stopped = False
        self._reached = True
        self._thread = threading.Thread(target=self._run, name="postman", daemon=True)
        self._thread.start()

    def post(self, notice: Notice) -> None:
        """Let a message leave by all ways. Returns when it is kept."""
        for outbox in self._outboxes:
            outbox.put(notice)
        self._woken.set()

    def close(self, timeout: float = 2.0) -> None:
        """Send nothing more; what waits, waits for the next start."""
        self._stopped = True
        self._woken.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        due = [0.0] * len(self._outboxes)
        ping_at = 0.0
        while not self._stopped:
            now = time.monotonic()
            woken = self._woken.is_set()
            self._woken.clear()
            for place, outbox in enumerate(self._outboxes):
                if woken or now >= due[place]:
                    wait = outbox.send()
                    due[place] = time.monotonic() + wait if wait is not None else float("inf")
            if self._ping is not None and now >= ping_at:
                ping_at = now + self._every
                self._give_sign(self._ping)
            until = min([*due, ping_at if self._ping is not None else float("inf")])
            self._woken.wait(max(0.05, min(until - time.monotonic(), 3600.0)))

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
            self._reached = True

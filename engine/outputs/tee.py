# pyright: strict
"""One output that keeps the pace, and others that follow it without costing it anything."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from engine.events import OutputFailed
from engine.fallibility import check_chain
from engine.outputs.chain import Report, unheard
from engine.outputs.contract import InfallibleOutput, Output
from engine.outputs.follower import RING_SECONDS, Follower
from engine.sound.format import AudioFormat

log = logging.getLogger(__name__)

OPENING = 3.0
"""Seconds for all followers to open; the music does not wait for those that take longer."""

GOODBYE = 5.0
"""Seconds for all followers to take what they have, at the end."""

REPORT_EVERY = 1.0
"""Seconds between two reports of what was dropped."""


class Tee(InfallibleOutput):
    """Gives all sound to a master and to its followers. The master paces; a follower never does.

    Args:
        master: keeps real time.
        followers: recordings, streams.
        report: told what each follower dropped, at most once a second, in a thread of its own.
        seconds: of sound that a follower may be behind.
        opening: seconds for all followers to open.
        goodbye: seconds for all followers to take what they have, at the end.

    Raises:
        TypeError: the master is not infallible, or a follower is.
    """

    def __init__(
        self,
        master: InfallibleOutput,
        followers: Sequence[Output] = (),
        report: Report = unheard,
        seconds: float = RING_SECONDS,
        opening: float = OPENING,
        goodbye: float = GOODBYE,
    ) -> None:
        check_chain("a tee", followers, master)
        self.master = master
        self.followers: tuple[Follower, ...] = ()
        self._outputs = tuple(followers)
        self._report = report
        self._seconds = seconds
        self._opening = opening
        self._goodbye = goodbye
        self._reported: dict[Follower, int] = {}
        self._dropped = threading.Event()
        self._over = threading.Event()
        self._reporter: threading.Thread | None = None

    @property
    def description(self) -> str:
        """Where the sound goes now."""
        return "; ".join([self.master.description, *(output.description for output in self._outputs)])

    @property
    def lost(self) -> str:
        """Of the master."""
        return self.master.lost

    @property
    def complaint(self) -> str:
        """What is wrong with what was made; known at the end."""
        complaints = [self.master.complaint]
        for follower in self.followers:
            complaints.append(follower.output.complaint)
            if follower.lost:
                seconds = follower.lost / AudioFormat().rate
                what = f"{follower.output.description}: {seconds:.1f} s of the music are missing"
                complaints.append(f"{what}: {follower.reason}")
        return "; ".join(filter(None, complaints))

    def open(self, format: AudioFormat) -> None:
        """Open the master and the followers.

        Raises:
            PerpetuumError: one of them will never work; then all are closed again.
        """
        self.followers = tuple(Follower(output, format, self._seconds) for output in self._outputs)
        until = time.monotonic() + self._opening
        try:
            self.master.open(format)
            for follower in self.followers:
                follower.start()
            for follower in self.followers:
                if not follower.opened(max(0.0, until - time.monotonic())):
                    log.warning("an output that follows does not open; the music does not wait for it")
        except BaseException:
            self.close()
            raise
        if self.followers:
            self._reporter = threading.Thread(target=self._tell, name="tee reports", daemon=True)
            self._reporter.start()

    def write(self, chunk: bytes) -> None:
        """Put a chunk into every follower's ring, then let the master have it."""
        for follower in self.followers:
            if not follower.offer(chunk):
                self._dropped.set()
        self.master.write(chunk)

    def close(self) -> None:
        """Close the master, while the followers take what they have for a few seconds; those that hang are left."""
        until = time.monotonic() + self._goodbye
        for follower in self.followers:
            follower.end(until)
        self.master.close()
        for follower in self.followers:
            if not follower.join(until + 0.1):
                log.warning("an output that follows does not answer; it is left alone: %s", follower.problem)
        self._over.set()
        self._dropped.set()
        if self._reporter is not None:
            self._reporter.join(REPORT_EVERY)

    def silence(self) -> None:
        """Silence the master; what follows has nobody who hears it at once."""
        self.master.silence()

    def resume(self) -> None:
        """Sound may be heard again."""
        self.master.resume()

    def _tell(self) -> None:
        while not self._over.is_set():
            # A follower that fails counts in its own thread and wakes nobody, so there is a look now and then, too.
            self._dropped.wait(REPORT_EVERY)
            self._dropped.clear()
            self._tell_each()
            self._over.wait(REPORT_EVERY)
        self._tell_each()

    def _tell_each(self) -> None:
        for follower in self.followers:
            dropped = follower.dropped
            new = dropped - self._reported.get(follower, 0)
            if new:
                self._reported[follower] = dropped
                with suppress(Exception):
                    self._report(OutputFailed(follower.output.description, follower.reason, new))

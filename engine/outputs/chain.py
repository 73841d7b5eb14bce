# pyright: strict
"""Outputs one below the other: the first that works is heard, and the last never fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from engine.events import OutputFailed
from engine.fallibility import check_chain
from engine.outputs.attempt import OpeningAttempt
from engine.outputs.continuity import Continuity
from engine.outputs.contract import InfallibleOutput, Output, OutputLostError
from engine.processes.backoff import Backoff
from engine.processes.restarts import Exceeded, RestartIntensity, Restarts
from engine.sound.format import AudioFormat

log = logging.getLogger(__name__)

SETTLED = 5.0
"""Seconds after which an output counts as working."""

LOSSES = 8
"""Losses of an output that has worked each time, after which it is opened again only after pauses that grow ..."""

PERIOD = 60.0
"""... where they lie within so many seconds."""

FIRST_PATIENCE = 8.0
"""Seconds that an output may take to open before the music begins ..."""

PATIENCE = 0.5
"""... and while it plays; meanwhile the next output of the chain plays, and time goes on."""

Report = Callable[[OutputFailed], None]
"""Told what an output missed, in a thread that it must not hold up."""


def unheard(event: OutputFailed) -> None:
    """Tells nobody."""


def new_backoff() -> Backoff:
    """Between attempts to open an output again; one that is back is to be heard within five seconds."""
    return Backoff(first=0.25, longest=3.0)


class ChainedOutput:
    """An output of a chain, and how it gets on.

    Attributes:
        output: the output.
        is_open: whether it takes sound.
        fresh: whether it has been opened and has taken none yet.
        problem: why it does not; empty before the first attempt.
        retry_at: when it is opened again, in seconds of the clock.
        opened_at: when it was opened last.
        opening: the attempt that is under way.
    """

    def __init__(self, output: Output, restarts: Restarts) -> None:
        self.output = output
        self.restarts = restarts
        self.is_open = False
        self.fresh = False
        self.problem = ""
        self.retry_at = 0.0
        self.opened_at = 0.0
        self.opening: OpeningAttempt | None = None

    def end(self) -> None:
        """Close the output, and let no attempt open it any more."""
        self.close()
        if self.opening is not None:
            self.opening.abandon()
            self.opening = None

    def close(self) -> None:
        """Close the output if it is open, whatever it may raise."""
        if self.is_open:
            self.is_open = False
            with suppress(Exception):
                self.output.close()


class Chain(InfallibleOutput):
    """Plays on the first output that works; one that failed is opened again and again.

    One that has worked for a while and is lost was killed or restarted, so it is opened again at once.

    Args:
        outputs: from the best one down.
        floor: where sound goes when none of them works.
        report: told of each loss.
        backoffs: gives each output its delays.
        clock: gives seconds; for tests.
        patience: seconds that an output may take to open while the music plays.

    Raises:
        TypeError: an output is not fallible, or the floor is.
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        floor: InfallibleOutput,
        report: Report = unheard,
        backoffs: Callable[[], Backoff] = new_backoff,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        check_chain("a chain of outputs", outputs, floor)
        self._rungs = [
            ChainedOutput(output, Restarts(RestartIntensity(LOSSES, PERIOD, clock), Exceeded.SLOW_DOWN, backoffs()))
            for output in outputs
        ]
        self._floor = floor
        self._on_floor = True
        self._report = report
        self._clock = clock
        self._patience = patience
        self._format = AudioFormat()
        self._is_open = False
        self._silenced = False
        self._continuity = Continuity(clock)

    @property
    def description(self) -> str:
        """Where the sound goes now, and if nowhere, why."""
        for rung in self._rungs:
            if rung.is_open:
                return rung.output.description
        problems = "; ".join(rung.problem for rung in self._rungs if rung.problem)
        if self._silenced or not problems:
            return self._floor.description
        return f"nowhere, in real time: {problems}; a player is looked for again and again"

    @property
    def lost(self) -> str:
        """Why none of its outputs works."""
        if self._silenced or not self._rungs or any(rung.is_open for rung in self._rungs):
            return ""
        return "; ".join(rung.problem for rung in self._rungs if rung.problem) or "it is being opened"

    @property
    def complaint(self) -> str:
        """Of its outputs."""
        return "; ".join(rung.output.complaint for rung in self._rungs if rung.output.complaint)

    def open(self, format: AudioFormat) -> None:
        """Open the first output that works.

        Raises:
            PerpetuumError: one of them will never work.
        """
        self._format = format
        self._continuity.begin(format)
        self._floor.open(format)
        for rung in self._rungs:
            if self._opened(rung):
                break
        self._is_open = True

    def write(self, chunk: bytes) -> None:
        """Let the first output that works have a chunk, or the floor."""
        if not self._silenced:
            for place, rung in enumerate(self._rungs):
                if self._written(rung, chunk):
                    self._continuity.took(chunk)
                    self._on_floor = False
                    for lower in self._rungs[place + 1 :]:
                        lower.close()
                    return
        if self._silenced:
            self._continuity.forget()
        if not self._on_floor:
            self._on_floor = True
            self._continuity.on_floor()
            self._floor.open(self._format)  # it counts time from now on
        if not self._continuity.behind:
            self._floor.write(chunk)
        self._continuity.took(chunk)

    def close(self) -> None:
        """Close what is open."""
        for rung in self._rungs:
            rung.end()
        self._floor.close()

    def silence(self) -> None:
        """See `Sink.silence`; it stays so until `resume`."""
        self._silenced = True
        self._continuity.forget()
        for rung in self._rungs:
            rung.output.silence()

    def resume(self) -> None:
        """Sound may be heard again, as soon as an output is open."""
        for rung in self._rungs:
            rung.retry_at = 0.0
        self._silenced = False

    def _written(self, rung: ChainedOutput, chunk: bytes) -> bool:
        """Write to an output; one that is lost is opened again at once, if it had worked for a while."""
        for _ in range(2):
            if not rung.is_open and not (self._clock() >= rung.retry_at and self._opened(rung)):
                return False
            try:
                if rung.fresh:
                    rung.fresh = False
                    if held := self._continuity.opened(rung.output):
                        rung.output.write(held)
                rung.output.write(chunk)
            except Exception as error:
                rung.close()
                if self._silenced:
                    return False
                self._lost(rung, error)
                continue
            if rung.restarts.failures and self._clock() > rung.opened_at + SETTLED:
                rung.restarts.works()
            return True
        return False

    def _opened(self, rung: ChainedOutput) -> bool:
        """Whether an output is open now; one that takes its time is looked at again with the next chunk."""
        patience = 0.0
        if rung.opening is None:
            rung.opening = OpeningAttempt(rung.output, self._format)
            patience = self._patience if self._is_open else max(self._patience, FIRST_PATIENCE)
        try:
            if not rung.opening.finished(patience):
                if patience:
                    rung.problem = f"an output did not open within {patience:g} s, and may still"
                    log.warning("%s; the music goes on", rung.problem)
                return False
        except Exception as error:
            rung.opening = None
            if not self._is_open and not isinstance(error, OutputLostError):
                raise
            self._wait(rung, str(error) or repr(error), rung.restarts.unavailable())
            return False
        rung.opening = None
        rung.is_open = rung.fresh = True
        rung.opened_at = self._clock()
        if rung.problem:
            log.warning("the sound is back: %s", rung.output.description)
            rung.problem = ""
        if self._silenced:  # meanwhile
            rung.output.silence()
            rung.close()
            return False
        return True

    def _lost(self, rung: ChainedOutput, error: Exception) -> None:
        reason = str(error) or repr(error)
        settled = self._clock() > rung.opened_at + SETTLED
        if settled:
            rung.restarts.works()
        delay = rung.restarts.lost(worked=settled)
        rung.retry_at = self._clock() + (float("inf") if delay is None else delay)
        rung.problem = reason if delay else ""
        with suppress(Exception):
            self._report(OutputFailed(rung.output.description, reason, 0))

    def _wait(self, rung: ChainedOutput, problem: str, delay: float) -> None:
        rung.retry_at = self._clock() + delay
        if problem != rung.problem and self._is_open:  # before that `description` tells it
            log.warning("%s; the music goes on unheard, next attempt in %.1f s", problem, delay)
        rung.problem = problem

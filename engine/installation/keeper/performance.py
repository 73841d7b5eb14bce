# pyright: strict
"""A performance whose mind is another process: audio processes, the mind, outputs. A list that is stopped in reverse."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

from engine.events.vocabulary import BarSealed, Event, SteppedDown, SteppedUp
from engine.installation.keeper.last_bars import LastBars
from engine.installation.keeper.messages import EVENTS, TO_STAGE, CannotPlay, Decided, Play
from engine.installation.keeper.mind_slot import LIMITS, MindSlot
from engine.outputs.opening import OutputChoice, open_outputs
from engine.processes.child import Child
from engine.processes.supervision import Supervision
from engine.runtime.audio import Audio
from engine.runtime.performance.commands import MindCommand, StageCommand, Stop
from engine.runtime.performance.links import QueueLink, pair_of_links
from engine.runtime.performance.messages import Begin, FromStage, GraphRefused, SoundProgress, ToStage
from engine.runtime.performance.reporting import reporter
from engine.runtime.performance.stage import Stage
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Forget, Notes, Release, Setup

log = logging.getLogger(__name__)

MARGIN = SAMPLE_RATE
"""Frames before the end of what is sealed at which the last bars are sealed once more. What was made is 2.7 s ahead of
what is heard; the audio process wants to know a little before it makes it."""

PATIENCE = 1.0
"""Seconds that the end of a fade is waited for; an output that hangs holds nobody."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the music is.

    Attributes:
        sealed: frame until which it is known what sounds.
        made: frames of sound that were made.
        taken: frames that went to the output.
        repeating: whether the last bars sound once more.
        mind: process id of the mind; None while there is none.
    """

    sealed: int
    made: int
    taken: int
    repeating: bool
    mind: int | None


class KeptPerformance:
    """Lets an installation sound, and goes on whatever happens to the mind.

    One thread calls all of it but `act`.

    Args:
        play: what to play; the state in it may be one of an earlier performance.
        outputs: where the sound goes.
        publish: told of all that happens; never raises.
    """

    def __init__(
        self, play: Play, outputs: Sequence[tuple[OutputChoice, float | None]], publish: Callable[[Event], None]
    ) -> None:
        self.play = play
        self.bars = LastBars()
        self.refusals: list[CannotPlay] = []
        self._outputs = outputs
        self._publish = publish
        self._stack = ExitStack()
        self._arrivals: queue.SimpleQueue[tuple[Child, object]] = queue.SimpleQueue()
        self._progress = SoundProgress(0, 0, over=False)
        self._setup: Setup | None = None
        self._bar = 0
        self._begun = False
        report = reporter(publish)
        self.audio = Audio(report=report)
        self.slot = MindSlot(
            Supervision("mind", LIMITS, report),
            self._order,
            lambda child, message: self._arrivals.put((child, message)),
            self._take_decided,
            self.refusals.append,
        )
        self._mind_end: QueueLink[ToStage, FromStage]
        self._mind_end, self._stage_end = pair_of_links()
        self._stage: Stage | None = None

    def start(self, first: Sequence[StageCommand] = ()) -> str:
        """Start all of it; says where the sound goes.

        Args:
            first: what counts before the first sample.

        Raises:
            PerpetuumError: an output will never work.
            OSError: no process can be started.
        """
        self._stack.callback(self.audio.close)
        self.audio.start()
        self._stack.callback(self.slot.close)
        self.slot.start()
        keep = next((hours for _, hours in self._outputs if hours is not None), None)
        choices = [choice for choice, _ in self._outputs]
        sink = self._stack.enter_context(open_outputs(choices, keep, report=self._publish))
        self._stage = Stage(self.audio, sink, self._stage_end)
        for command in first:
            self._stage.act(command)
        self._stack.enter_context(self._stage)
        return sink.description

    def stop(self, seconds: float) -> None:
        """Fade out, then stop what was started, in reverse."""
        if self._stage is not None and seconds > 0:
            self._stage.act(Stop(seconds))
            self._stage.join(seconds + PATIENCE)
        self._stack.close()

    def act(self, command: StageCommand) -> None:
        """Do at once what a hand asks of the sound. From any thread."""
        if self._stage is not None:
            self._stage.act(command)

    def tell(self, command: MindCommand) -> None:
        """Ask the mind for something."""
        self.slot.send(command)

    @property
    def standing(self) -> Standing:
        """How far the music is."""
        taken = self._stage.frames if self._stage is not None else 0
        return Standing(self.bars.until, self._progress.made, taken, self.bars.repeating, self.slot.pid)

    def look(self, timeout: float) -> None:
        """Take in what has come, for `timeout` seconds at most, and see to it that the music goes on."""
        with suppress(queue.Empty):
            child, message = self._arrivals.get(timeout=timeout)
            while True:
                self.slot.take(child, message)
                child, message = self._arrivals.get_nowait()
        for told in self._mind_end.receive(0.0):
            match told:
                case SoundProgress():
                    self._progress = told
                    self.slot.send(told)
                case GraphRefused():
                    self.slot.send(told)
                case _:
                    self._publish(told)
        self.slot.look()
        if self._begun and self.bars.until - self._progress.made < MARGIN:
            self._repeat()

    def _order(self) -> Play:
        return replace(self.play, frame=self.bars.until)

    # The mind decides

    def _take_decided(self, decided: Decided) -> None:
        events = [EVENTS.decode(data) for data in decided.events]
        messages = [TO_STAGE.decode(data) for data in decided.messages]
        sealed = {event.end: event for event in events if isinstance(event, BarSealed)}
        unheard: set[int] = set()
        notes: list[Notes] = []
        for message in messages:
            match message:
                case Notes():
                    notes.append(message)
                case Release(frame=end) if (bar := sealed.get(end)) is not None:
                    if not self._seal(bar, notes):
                        unheard.add(bar.bar)
                    notes = []
                    self._mind_end.send(message)
                case _:
                    self._pass_on(message)
        if decided.state:
            self.play = replace(self.play, state=decided.state)
        for event in events:
            if not (isinstance(event, BarSealed) and event.bar in unheard):
                self._publish(event)

    def _seal(self, bar: BarSealed, notes: Sequence[Notes]) -> bool:
        """Let a bar sound, unless a repetition sounds there already."""
        was_repeating, gap = self.bars.repeating, self.bars.gap_before(bar.start)
        if not self.bars.seal(bar.start, bar.end, notes):
            return False
        for piece in (*gap, *notes):
            self._mind_end.send(piece)
        self._bar = bar.bar
        if was_repeating:
            self._publish(SteppedUp("", bar.bar, "mind"))
        return True

    def _pass_on(self, message: ToStage) -> None:
        match message:
            case Setup():
                if message == self._setup and not self._begun:
                    return  # of a mind that was lost before it had decided anything
                self._setup = message
            case Forget(frame=frame):
                parts = {part.name for part in self._setup.parts} if self._setup is not None else set[str]()
                self.bars.forget(frame, parts)
            case Begin():
                self._begun = True
            case _:
                pass
        self._mind_end.send(message)

    # Nobody decides

    def _repeat(self) -> None:
        was_repeating = self.bars.repeating
        for piece in self.bars.repeat(self._progress.made + MARGIN):
            self._mind_end.send(piece)
        if self.bars.repeating and not was_repeating:
            reason = "there is no mind" if self.slot.pid is None else "the mind has decided nothing more"
            self._publish(SteppedDown("", self._bar + 1, "mind", f"{reason}; the last bars sound once more"))

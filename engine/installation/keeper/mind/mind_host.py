# pyright: strict
"""Has a mind decide what sounds, and goes on whatever becomes of it. Knows nothing of outputs and audio processes."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from engine.events.vocabulary import BarSealed, Event, SectionBegan, SteppedDown, SteppedUp
from engine.installation.keeper.mind.last_bars import LastBars
from engine.installation.keeper.mind.messages import EVENTS, TO_STAGE, CannotPlay, Decided, FromMind, Play, ToMind
from engine.installation.keeper.mind.mind_slot import LIMITS, MindChild, MindSlot
from engine.installation.keeper.mind.thinning import thinned
from engine.installation.keeper.mind.warm import WarmMind
from engine.journal.entries import HAPPENINGS, Decision, Entry, Happened, LastBarsRepeated
from engine.processes.child import Gone
from engine.processes.reports import Reporter
from engine.processes.supervision import Limits, Supervision
from engine.runtime.performance.commands import MindCommand
from engine.runtime.performance.messages import Begin, FromStage, GraphRefused, SoundProgress, ToStage
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Forget, Notes, Release, Setup

MARGIN = SAMPLE_RATE
"""Frames before the end of what is sealed at which the last bars are sealed once more. What was made is 2.7 s ahead of
what is heard; the audio process wants to know a little before it makes it."""

KEPT_PATIENCE = 1.0
"""Seconds for which the sound waits at its beginning until the journal has what it begins with. Later what is decided
lies seconds ahead of what is heard."""


def unrecorded(entry: Entry) -> None:
    """Where no journal is kept."""


def kept_at_once() -> Callable[[], bool]:
    """Where nothing has to be waited for."""
    return lambda: True


class MindHost:
    """Keeps a mind deciding. What it has decided is kept here, so that it can be lost.

    One thread calls all of it.

    Args:
        play: what to play; the state in it may be one of an earlier performance.
        send: takes what the stage is told.
        publish: told of all that happens but for what the mind decides; never raises.
        publish_decided: told of that; None: as `publish`.
        record: takes what a journal keeps of what is decided; never raises, and returns at once.
        kept: gives what says whether all is kept that was recorded until now.
        report: told what is found out about the mind's process.
        command: what a mind runs; for tests.
        clock: gives seconds.
        limits: what a mind may do.
        warm: the first mind, started already.

    Attributes:
        play: what another mind would be told.
        bars: that are sealed.
        density: share of the notes that stay in bars that are sealed from now on; less than 1 in quiet mode.
        refusals: why minds could not play what they were told, the latest last.
    """

    def __init__(
        self,
        play: Play,
        send: Callable[[ToStage], None],
        publish: Callable[[Event], None],
        report: Reporter,
        publish_decided: Callable[[Event], None] | None = None,
        record: Callable[[Entry], None] = unrecorded,
        kept: Callable[[], Callable[[], bool]] = kept_at_once,
        command: Sequence[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        limits: Limits = LIMITS,
        warm: WarmMind | None = None,
    ) -> None:
        self.play = play
        self._section_begins = False
        self.bars = LastBars(play.frame)
        self.density = 1.0
        self.refusals: list[CannotPlay] = []
        self._send_now = send
        self._publish = publish
        self._publish_decided = publish_decided or publish
        self._record = record
        self._kept = kept
        self._clock = clock
        self._beginning: tuple[Callable[[], bool], float] | None = None
        self._sent: list[ToStage] = []
        self._arrivals: queue.Queue[tuple[MindChild, FromMind | Gone]] = queue.Queue()
        self._progress = SoundProgress(0, 0, over=False)
        self._setup: Setup | None = None
        self._bar = -1
        self._begun = False
        self._slot = MindSlot(
            Supervision("mind", limits, report, clock),
            self._orders,
            lambda child, message: self._arrivals.put((child, message)),
            self._take_decided,
            self.refusals.append,
            command,
            clock,
            warm,
        )

    @property
    def pid(self) -> int | None:
        """Process id of the mind; None while there is none."""
        return self._slot.pid

    @property
    def works(self) -> bool:
        """Whether there is a mind that has decided something."""
        return self._slot.works

    @property
    def next_bar(self) -> int:
        """The bar that is sealed next."""
        return self._bar + 1

    @property
    def begun(self) -> bool:
        """Whether the sound has begun."""
        return self._begun

    @property
    def progress(self) -> SoundProgress:
        """How far the sound is."""
        return self._progress

    def start(self) -> None:
        """Start a mind."""
        self._slot.start()

    def close(self) -> None:
        """End it."""
        self._slot.close()

    def tell(self, command: MindCommand) -> None:
        """Ask the mind for something."""
        self._slot.send(command)

    def hear(self, told: FromStage) -> None:
        """Take what the stage tells."""
        match told:
            case SoundProgress():
                self._progress = told
                self._slot.send(told)
            case GraphRefused():
                self._slot.send(told)
            case _:
                self._publish(told)

    def look(self, timeout: float) -> None:
        """Take in what has come, for `timeout` seconds at most, and see to it that somebody decides."""
        with suppress(queue.Empty):
            child, message = self._arrivals.get(timeout=timeout)
            while True:
                self._slot.take(child, message)
                child, message = self._arrivals.get_nowait()
        self._slot.look()
        self._look_at_beginning()
        if self._section_begins:
            self._section_begins = False
            self._slot.at_section()
        if self._begun and self.bars.until - self._progress.made < MARGIN:
            self._repeat()

    def _orders(self) -> list[ToMind]:
        """What a new mind is told: how far the sound is may not change for a while."""
        return [replace(self.play, frame=self.bars.until, sounding=self._begun), self._progress]

    def _pass_all(self) -> None:
        """Tell the stage what was gathered and recorded."""
        for message in self._sent:
            if isinstance(message, Begin):
                self._beginning = self._kept(), self._clock() + KEPT_PATIENCE
            else:
                self._send_now(message)
        self._look_at_beginning()

    def _look_at_beginning(self) -> None:
        """Nothing sounds before the journal has it: whoever loses power then would hear what nobody knows of."""
        if self._beginning is not None:
            kept, until = self._beginning
            if kept() or self._clock() >= until:
                self._beginning = None
                self._send_now(Begin())

    # The mind decides

    def _take_decided(self, decided: Decided) -> None:
        events = [EVENTS.decode(data) for data in decided.events]
        messages = [TO_STAGE.decode(data) for data in decided.messages]
        self._sent.clear()
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
                    self._sent.append(message)
                case Setup():
                    for piece in thinned(notes, self.density):  # of the graph before
                        self._sent.append(piece)
                    notes = []
                    self._pass_on(message)
                case _:
                    self._pass_on(message)
        for piece in notes:  # of no bar: what rings on where another performance stood
            self._sent.append(piece)
        if decided.state:
            self.play = replace(self.play, scene=decided.scene, seed=decided.seed, state=decided.state)
        heard = [event for event in events if not (isinstance(event, BarSealed) and event.bar in unheard)]
        sent = tuple(map(TO_STAGE.encode, self._sent))
        told = decided.events if len(heard) == len(events) else tuple(map(EVENTS.encode, heard))
        self._record(Decision(sent, told, decided.state, decided.scene, decided.seed))
        self._pass_all()
        for event in heard:
            self._section_begins = self._section_begins or (self._begun and isinstance(event, SectionBegan))
            self._publish_decided(event)

    def _seal(self, bar: BarSealed, notes: Sequence[Notes]) -> bool:
        """Let a bar sound, unless a repetition sounds there already."""
        notes = thinned(notes, self.density)
        was_repeating, gap = self.bars.repeating, self.bars.gap_before(bar.start)
        if not self.bars.seal(bar.start, bar.end, notes):
            return False
        for piece in (*gap, *notes):
            self._sent.append(piece)
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
        self._sent.append(message)

    # Nobody decides

    def _repeat(self) -> None:
        was_repeating, start = self.bars.repeating, self.bars.until
        self._sent.clear()
        for piece in self.bars.repeat(self._progress.made + MARGIN):
            self._sent.append(piece)
        if self.bars.until > start:
            repeated = LastBarsRepeated(start, self.bars.until, tuple(map(TO_STAGE.encode, self._sent)))
            self._record(Happened(HAPPENINGS.encode(repeated)))
        self._pass_all()
        if self.bars.repeating and not was_repeating:
            reason = "there is no mind" if self._slot.pid is None else "the mind has decided nothing more"
            self._publish(SteppedDown("", self._bar + 1, "mind", f"{reason}; the last bars sound once more"))

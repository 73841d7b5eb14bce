# pyright: strict
"""A performance whose mind is another process: audio processes, mind and outputs, a list that is stopped in reverse."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from engine.events.hearing import SoundMeasured
from engine.events.vocabulary import Event
from engine.installation.keeper.mind.messages import Play
from engine.installation.keeper.mind.mind_host import MindHost, kept_at_once
from engine.installation.keeper.sound.ahead import Ahead
from engine.installation.keeper.sound.rungs import AUDIO, OUTPUT
from engine.journal.entries import HAPPENINGS, Entry, Happened
from engine.outputs.contract import InfallibleOutput, Output
from engine.outputs.meter import LevelMeter
from engine.outputs.opening import OutputChoice, open_outputs
from engine.runtime.audio import Audio
from engine.runtime.audio.states import AudioState
from engine.runtime.performance.commands import Alarm, Command, Mute, SetGain, SetLowCut, SetTrim, StageCommand, Stop
from engine.runtime.performance.links import QueueLink, pair_of_links
from engine.runtime.performance.messages import FromStage, SoundProgress, ToStage
from engine.runtime.performance.reporting import reporter
from engine.runtime.performance.stage import Stage
from engine.runtime.substitute import Source, Substitute

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that the end of a fade is waited for; an output that hangs holds nobody."""


@dataclass(frozen=True, slots=True)
class StationFrames:
    """How far the music is.

    Attributes:
        sealed: frame until which it is known what sounds.
        made: frames of sound that were made.
        taken: frames that went to the output.
        repeating: whether the last bars sound once more.
    """

    sealed: int
    made: int
    taken: int
    repeating: bool


def nothing(frames: int) -> None:
    """Where there is no bank."""


class KeptPerformance:
    """Lets an installation sound, and goes on whatever happens to its processes.

    One thread calls all of it but `act`.

    Args:
        play: what to play; the state in it may be one of an earlier performance.
        outputs: where the sound goes, and hours of recordings to keep.
        publish: told of all that happens but for what the mind decides; never raises.
        publish_decided: told of that.
        record: takes what a journal keeps; never raises, and returns at once.
        kept: gives what says whether all is kept that was recorded until now.
        bank: raw sound that plays where none can be made.
        mono: every channel is the mean of all.
        others: that follow the outputs.
        ahead: processes that were started already; None: none were.
        measured: told how each second measures that leaves for the output, in a thread of its own.

    Attributes:
        audio: processes that make the sound.
        mind: what decides.
    """

    def __init__(
        self,
        play: Play,
        outputs: Sequence[tuple[OutputChoice, float | None]],
        publish: Callable[[Event], None],
        publish_decided: Callable[[Event], None],
        record: Callable[[Entry], None],
        kept: Callable[[], Callable[[], bool]] = kept_at_once,
        bank: Source = nothing,
        mono: bool = False,
        others: Sequence[Output] = (),
        ahead: Ahead | None = None,
        measured: Callable[[SoundMeasured], None] | None = None,
    ) -> None:
        self._outputs = outputs
        self._mono = mono
        self._others = others
        self._measured = measured
        self._bank = bank
        self._publish = publish
        self._stack = ExitStack()
        self._link: QueueLink[ToStage, FromStage]
        self._link, self._stage_end = pair_of_links()
        self._stage: Stage | None = None
        self._sink: InfallibleOutput | None = None
        report = reporter(publish)
        self.audio, warm = ahead.take(report) if ahead is not None else (Audio(report=report), None)
        self._record = record
        self.mind = MindHost(play, self._link.send, publish, report, publish_decided, record, kept, warm=warm)

    def start(self, first: Sequence[StageCommand] = ()) -> None:
        """Start all of it.

        Args:
            first: what counts before the first sample.

        Raises:
            PerpetuumError: an output will never work.
            OSError: no process can be started.
        """
        self._stack.callback(self.audio.close)
        self.audio.start()
        self._stack.callback(self.mind.close)
        self.mind.start()
        keep = next((hours for _, hours in self._outputs if hours is not None), None)
        choices = [choice for choice, _ in self._outputs]
        sink = self._stack.enter_context(open_outputs(choices, keep, report=self._publish, others=self._others))
        substitute = Substitute(self._bank, self.audio.pipe.format, self.mind.bars.line_after)
        self._stage = Stage(self.audio, sink, self._stage_end, substitute, self._mono, self._measured)
        for command in first:
            self.act(command)
        self._stack.enter_context(self._stage)
        self._sink = sink

    def stop(self, seconds: float) -> None:
        """Fade out, then stop what was started, in reverse."""
        if self._stage is not None and seconds > 0:
            self.act(Stop(seconds))
            self._stage.join(seconds + PATIENCE)
        self._stack.close()

    def act(self, command: StageCommand) -> None:
        """Do at once what a hand asks of the sound. From any thread."""
        if self._stage is not None:
            self._stage.act(command)
            self._record(Happened(HAPPENINGS.encode(command)))

    def do(self, command: Command) -> None:
        """Do what whoever listens in the recorder asks; what only hands may is left undone."""
        match command:
            case SetGain() | SetTrim() | SetLowCut():
                self.act(command)
            case Mute() | Alarm() | Stop():
                log.warning("the recorder asked for %s, which is for hands alone", type(command).__name__)
            case _:
                self.mind.tell(command)

    @property
    def output(self) -> str:
        """Where the sound goes, for people."""
        return self._sink.description if self._sink is not None else "nowhere"

    @property
    def lost(self) -> dict[str, str]:
        """The rungs that do not work now, and why."""
        found: dict[str, str] = {}
        if self.substituted:
            found[AUDIO] = "no sound can be made; the bank sounds"
        if self._sink is not None and self._sink.lost:
            found[OUTPUT] = f"{self._sink.lost}; the music goes on unheard"
        return found

    @property
    def substituted(self) -> bool:
        """Whether the bank sounds in place of the music."""
        return self._stage is not None and self._stage.substituted

    @property
    def unheard(self) -> str:
        """Why the output takes nothing; empty where it does."""
        return self.lost.get(OUTPUT, "")

    @property
    def meter(self) -> LevelMeter | None:
        """Measures what leaves for the output; None before there is one."""
        return self._stage.meter if self._stage is not None else None

    @property
    def processes(self) -> tuple[tuple[str, int], ...]:
        """Names and numbers of the child processes that run; those of a mind are its own."""
        pids = (("mind", self.mind.pid), ("audio", self.audio.pid), ("spare", self.audio.spare_pid))
        return tuple((name, pid) for name, pid in pids if pid is not None)

    @property
    def standing(self) -> StationFrames:
        """How far the music is."""
        taken = self._stage.frames if self._stage is not None else 0
        bars = self.mind.bars
        return StationFrames(bars.until, self.mind.progress.made, taken, bars.repeating)

    def show_stacks(self) -> None:
        """Have the child processes print the stacks of their threads; one that still starts would die of the signal."""
        mind = self.mind.pid if self.mind.works else None
        audio = self.audio.pid if self.audio.state is AudioState.PLAYING else None
        for pid in (mind, audio, self.audio.spare_pid):
            if pid is not None:
                with suppress(OSError):
                    os.kill(pid, signal.SIGUSR1)

    def look(self, timeout: float) -> None:
        """Take in what has come, for `timeout` seconds at most, and see to it that the music goes on."""
        told = self._link.receive(0.0)
        last = next((one for one in reversed(told) if isinstance(one, SoundProgress)), None)
        for one in told:
            if one is last or not isinstance(one, SoundProgress):  # of several, the last one says it all
                self.mind.hear(one)
        self.mind.look(timeout)

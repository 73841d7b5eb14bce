# pyright: strict
"""The stage: what sounds. Audio processes, the pipe, the gain behind it and the output, told by messages alone."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from engine.events.hearing import SoundMeasured
from engine.events.processes import NotesLate
from engine.events.vocabulary import Event
from engine.outputs.contract import InfallibleOutput
from engine.outputs.meter import LevelMeter
from engine.runtime.audio import Audio, Refused
from engine.runtime.offline import OfflineReader
from engine.runtime.performance.commands import Alarm, Mute, SetGain, SetLowCut, SetTrim, StageCommand, Stop
from engine.runtime.performance.links import LinkEnd
from engine.runtime.performance.messages import Begin, FromStage, GraphRefused, SoundProgress, ToStage
from engine.runtime.pump import Pump
from engine.runtime.substitute import Substitute
from engine.runtime.threads import SteadyThread
from engine.sound.messages import (
    ChangeInstrument,
    Fade,
    Forget,
    LevelReading,
    Notes,
    Ramps,
    Ready,
    Release,
    Setup,
    Trouble,
)

log = logging.getLogger(__name__)

LOOK = 0.05
"""Seconds between two reports of how far the sound is. Bars are sealed seconds ahead, so that none needs it sooner."""

OFFLINE_LOOK = 0.02
"""The same of a render, which goes on only as it is told: nobody shall wait."""


class StageThread(ABC):
    """What a stage lives by: a thread takes its messages in their order and reports how far the sound is.

    Args:
        audio: started.
        link: to the mind.
        look: seconds between two reports.
    """

    def __init__(self, audio: Audio, link: LinkEnd[FromStage, ToStage], look: float = LOOK) -> None:
        self._audio = audio
        self._link = link
        self._look = look
        self._stop = threading.Event()
        self._thread = SteadyThread(self._run, "stage")

    def start(self) -> None:
        """Begin to take messages."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more."""
        self._stop.set()
        self._thread.join()

    @abstractmethod
    def _command(self, command: Begin | StageCommand) -> None:
        """Do what is not for the graph."""

    @abstractmethod
    def _progress(self) -> SoundProgress:
        """How far the sound is now."""

    def _run(self) -> None:
        told, report_at = None, time.monotonic()
        while not self._stop.is_set():
            try:
                for message in self._link.receive(self._look):
                    self._take(message)
                now = time.monotonic()
                if now < report_at:
                    continue
                report_at = now + self._look
                progress = self._progress()
                if progress != told:
                    told = progress
                    self._link.send(progress)
            except Exception:  # the sound goes on, whatever it is
                log.exception("the stage failed at a message and goes on")
                time.sleep(self._look)

    def _take(self, message: ToStage) -> None:
        match message:
            case Setup() | Notes() | Ramps() | ChangeInstrument() | Forget() | Release() | Fade():
                self._audio.send(message)
            case _:
                self._command(message)


class Stage(StageThread):
    """Hosts the sound of a performance in real time.

    Args:
        audio: started.
        output: opened; where the sound goes.
        link: to the mind.
        substitute: sounds while no music comes.
        mono: every channel is the mean of all.
        measured: told how each second measures that leaves for the output; see `Pump`.
    """

    def __init__(
        self,
        audio: Audio,
        output: InfallibleOutput,
        link: LinkEnd[FromStage, ToStage],
        substitute: Substitute | None = None,
        mono: bool = False,
        measured: Callable[[SoundMeasured], None] | None = None,
    ) -> None:
        super().__init__(audio, link)
        self._pump = Pump(audio, output, self._tell, substitute, mono, measured)
        self._late_notes = 0

    def __enter__(self) -> Stage:
        self._pump.__enter__()  # nothing comes through the pipe before `Begin`
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._pump.__exit__(None, None, None)
        self._link.close()

    @property
    def frames(self) -> int:
        """How many have gone to the output."""
        return self._pump.frames

    @property
    def meter(self) -> LevelMeter:
        """Measures what leaves for the output."""
        return self._pump.meter

    @property
    def finished(self) -> bool:
        """Whether all sound has gone to the output."""
        return self._pump.finished

    @property
    def substituted(self) -> bool:
        """Whether something else sounds in place of the music."""
        return self._pump.substituted

    def join(self, timeout: float) -> bool:
        """Wait for the end of the sound; False if `timeout` seconds passed before."""
        return self._pump.join(timeout)

    def act(self, command: StageCommand) -> None:
        """Do at once what a hand asks, whatever else waits. From any thread, before it is entered, too."""
        self._command(command)

    def _command(self, command: Begin | StageCommand) -> None:
        match command:
            case Begin():
                self._audio.begin()
            case Stop(seconds=seconds):
                self._pump.gain.fade_out(seconds)
            case Mute(muted=muted):
                if muted:
                    self._pump.gain.mute()
                else:
                    self._pump.gain.unmute()
            case Alarm(silent=silent):
                if silent:
                    self._pump.silence()
                else:
                    self._pump.resume()
            case SetGain(decibels=decibels, seconds=seconds):
                self._pump.gain.set_decibels(decibels, seconds)
            case SetTrim(decibels=decibels, seconds=seconds):
                self._pump.gain.set_trim(decibels, seconds)
            case SetLowCut(hertz=hertz, seconds=seconds):
                self._pump.gain.set_low_cut(hertz, seconds)

    def _progress(self) -> SoundProgress:
        for message in self._audio.poll():
            match message:
                case Refused(setup=setup, reason=reason):
                    self._link.send(GraphRefused(setup, reason))
                case LevelReading(late_notes=late_notes):
                    if late_notes > self._late_notes:
                        self._tell(NotesLate(late_notes - self._late_notes))
                    # A new process counts anew.
                    self._late_notes = late_notes
                case Trouble() | Ready():
                    pass  # supervision reports it
        return SoundProgress(self._audio.frame, self._audio.heard, self._pump.finished)

    def _tell(self, event: Event) -> None:
        self._link.send(event)


class OfflineStage(StageThread):
    """Hosts the sound of a render: it goes to a file as fast as it is made.

    Args:
        audio: started, not live.
        frames: length of the render.
        sink: takes arrays [n, channels] of float32, in order.
        link: to the mind.
    """

    def __init__(
        self, audio: Audio, frames: int, sink: Callable[[np.ndarray], object], link: LinkEnd[FromStage, ToStage]
    ) -> None:
        super().__init__(audio, link, OFFLINE_LOOK)
        self._reader = OfflineReader(audio, frames, sink)

    def __enter__(self) -> OfflineStage:
        self._reader.__enter__()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._reader.__exit__(None, None, None)
        self._link.close()

    @property
    def frames(self) -> int:
        """How many have come."""
        return self._reader.frames

    @property
    def peak(self) -> float:
        """The largest sample, linear."""
        return self._reader.peak

    def finish(self) -> None:
        """Wait until all frames have come.

        Raises:
            PerpetuumError: the audio process failed or ended early, or the sink failed.
        """
        while not self._reader.finish(0.1):
            pass

    def _command(self, command: Begin | StageCommand) -> None:
        """Nobody listens to a render."""

    def _progress(self) -> SoundProgress:
        return SoundProgress(self._audio.frame, self._reader.frames, self._reader.over)

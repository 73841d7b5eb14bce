# pyright: strict
"""The stage: what sounds. Audio processes, the pipe, the gain behind it and the output, told by messages alone."""

from __future__ import annotations

import logging
import threading
import time

from engine.events.vocabulary import Event, NotesLate
from engine.outputs.contract import InfallibleOutput
from engine.runtime.audio import Audio, Refused
from engine.runtime.performance.commands import Alarm, Mute, SetGain, Stop
from engine.runtime.performance.links import LinkEnd
from engine.runtime.performance.messages import Begin, FromStage, GraphRefused, SoundProgress, ToStage
from engine.runtime.pump import Pump
from engine.sound.messages import Fade, Forget, LevelReading, Notes, Ramps, Ready, Release, Setup, Trouble

log = logging.getLogger(__name__)

LOOK = 0.02
"""Seconds between two reports of how far the sound is."""


class Stage:
    """Hosts the sound of a performance.

    It lives by its messages: a thread takes them in their order and reports how far the sound is.

    Args:
        audio: started.
        output: opened; where the sound goes.
        link: to the mind.
    """

    def __init__(self, audio: Audio, output: InfallibleOutput, link: LinkEnd[FromStage, ToStage]) -> None:
        self._audio = audio
        self._link = link
        self._pump = Pump(audio, output, self._tell)
        self._late_notes = 0
        self._told = SoundProgress(-1, -1, False)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stage", daemon=True)

    def __enter__(self) -> Stage:
        self._pump.__enter__()  # nothing comes through the pipe before `Begin`
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._pump.__exit__(None, None, None)
        self._link.close()

    def _run(self) -> None:
        report_at = time.monotonic()
        while not self._stop.is_set():
            try:
                for message in self._link.receive(LOOK):
                    self._take(message)
                now = time.monotonic()
                if now >= report_at:
                    report_at = now + LOOK
                    self._report()
            except Exception:  # the sound goes on, whatever it is
                log.exception("the stage failed at a message and goes on")
                time.sleep(LOOK)

    def _take(self, message: ToStage) -> None:
        match message:
            case Setup() | Notes() | Ramps() | Forget() | Release() | Fade():
                self._audio.send(message)
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

    def _report(self) -> None:
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
        progress = SoundProgress(self._audio.frame, self._audio.heard, self._pump.finished)
        if progress != self._told:
            self._told = progress
            self._link.send(progress)

    def _tell(self, event: Event) -> None:
        self._link.send(event)

# pyright: strict
"""The stage of a render: the same messages, and the sound goes to a file as fast as it is made."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import numpy as np

from engine.runtime.audio import Audio
from engine.runtime.offline import OfflineReader
from engine.runtime.performance.commands import Alarm, Mute, SetGain, Stop
from engine.runtime.performance.links import LinkEnd
from engine.runtime.performance.messages import Begin, FromStage, SoundProgress, ToStage
from engine.sound.messages import Fade, Forget, Notes, Ramps, Release, Setup

log = logging.getLogger(__name__)

LOOK = 0.02
"""Seconds between two reports of how far the sound is."""


class OfflineStage:
    """Hosts the sound of a render.

    Args:
        audio: started, not live.
        frames: length of the render.
        sink: takes arrays [n, channels] of float32, in order.
        link: to the mind.
        set_up: whether the audio process knows its graph already, so that it is built meanwhile.
    """

    def __init__(
        self,
        audio: Audio,
        frames: int,
        sink: Callable[[np.ndarray], object],
        link: LinkEnd[FromStage, ToStage],
        set_up: bool = False,
    ) -> None:
        self._audio = audio
        self._set_up = set_up
        self._link = link
        self._reader = OfflineReader(audio, frames, sink)
        self._told = SoundProgress(-1, -1, over=False)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stage", daemon=True)

    def __enter__(self) -> OfflineStage:
        self._reader.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
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

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                for message in self._link.receive(LOOK):
                    self._take(message)
                progress = SoundProgress(self._audio.frame, self._reader.frames, self._reader.over)
                if progress != self._told:
                    self._told = progress
                    self._link.send(progress)
            except Exception:
                log.exception("the stage failed at a message and goes on")

    def _take(self, message: ToStage) -> None:
        match message:
            case Setup():
                if not self._set_up:  # else whoever hosts both halves has done it, so that the graph is built meanwhile
                    self._audio.send(message)
            case Notes() | Ramps() | Forget() | Release() | Fade():
                self._audio.send(message)
            case Begin() | Stop() | Mute() | Alarm() | SetGain():
                pass  # nobody listens to a render

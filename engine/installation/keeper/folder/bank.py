# pyright: strict
"""Raw sound that an installation renders at its first healthy start, for the day on which none can be made."""

from __future__ import annotations

import logging
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.processes.child import OomScore, environment, python_module, start_bound
from engine.sound.format import DEFAULT_CHANNELS, SAMPLE_BYTES

log = logging.getLogger(__name__)

NAME = "fallback.f32"
"""Interleaved float32 frames that can be played over and over."""

HEALTHY = 60.0
"""Seconds of music after which a start counts as healthy, and the bank is rendered."""

NICENESS = 19


class Bank:
    """Raw sound in a file, played over and over.

    Args:
        folder: where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._sound: NDArray[np.float32] | None = None
        self._place = 0
        self._rendering: subprocess.Popen[bytes] | None = None
        self._tried = False

    @property
    def exists(self) -> bool:
        """Whether it has been rendered."""
        return self._path.exists()

    def take(self, frames: int) -> NDArray[np.float32] | None:
        """The next frames, array [n, channels]; None: there is no bank."""
        sound = self._sound if self._sound is not None else self._open()
        if sound is None:
            return None
        places = np.arange(self._place, self._place + frames) % len(sound)
        self._place = (self._place + frames) % len(sound)
        return sound[places]

    def look(self, played: float, scene: str, seed: int, seconds: float) -> None:
        """Render it if there is none and all is well.

        Args:
            played: seconds of music since the start.
            scene: that is rendered.
            seed: with which.
            seconds: of sound.
        """
        if self._rendering is not None:
            if self._rendering.poll() is not None:
                if self._rendering.returncode:
                    log.warning("the fallback bank cannot be rendered; it is tried again at the next start")
                self._rendering = None
        elif not self._tried and seconds > 0 and played > HEALTHY and not self.exists:
            self._tried = True
            command = [*python_module("engine.installation.bank"), scene, str(seed), str(seconds), str(self._path)]
            with suppress(OSError):
                self._rendering = start_bound(
                    command,
                    OomScore.BACKGROUND,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment(),
                    start_new_session=True,
                )
                os.setpriority(os.PRIO_PROCESS, self._rendering.pid, NICENESS)

    def close(self) -> None:
        """End what renders."""
        if self._rendering is not None:
            self._rendering.kill()
            self._rendering.wait()
            self._rendering = None

    def _open(self) -> NDArray[np.float32] | None:
        with suppress(OSError, ValueError):
            frames = self._path.stat().st_size // (SAMPLE_BYTES * DEFAULT_CHANNELS)
            if frames:
                shape = (frames, DEFAULT_CHANNELS)
                self._sound = np.memmap(self._path, np.float32, "r", shape=shape)
        return self._sound

# pyright: strict
"""Rendering: takes sound from the pipe as fast as it comes, for as many frames as were asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from engine.errors import PerpetuumError
from engine.runtime.audio import Audio, AudioState
from engine.runtime.threads import SteadyThread
from engine.sound.messages import BLOCK, Release

CHUNK = 64 << 10
"""Bytes taken at a time."""

GATHER = 0.005
"""Seconds that are waited for more after a small read; the pipe holds several times as much, however fast it fills."""


class OfflineReader:
    """Reads in a thread while the conductor goes ahead, and gives each chunk to a sink.

    Args:
        audio: not live.
        frames: length of the render.
        sink: called in the reader's thread with arrays [n, channels] of float32, in order, such as
            `SoundFileOutput.write`.
    """

    def __init__(self, audio: Audio, frames: int, sink: Callable[[np.ndarray], object]) -> None:
        self.frames = 0
        self.peak = 0.0
        self._audio = audio
        self._wanted = frames
        self._sink = sink
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = SteadyThread(self._run, "offline reader")

    def __enter__(self) -> OfflineReader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def over(self) -> bool:
        """Whether all frames have come, or nothing more will."""
        return not self._thread.is_alive()

    @property
    def failed(self) -> bool:
        """Whether nothing more will come because the audio process or the sink failed; `finish` says why."""
        return self._error is not None

    def finish(self, timeout: float | None = None) -> bool:
        """All has been sent: wait until all frames have come; False if `timeout` seconds passed before (call again).

        Raises:
            PerpetuumError: the audio process failed or ended early, or the sink failed.
        """
        # Only whole blocks are rendered, so the last one is released to its end.
        self._audio.send(Release(-(-self._wanted // BLOCK) * BLOCK))
        self._thread.join(timeout)
        if isinstance(self._error, PerpetuumError):
            raise self._error
        if self._error is not None:
            raise PerpetuumError(f"the render cannot be written: {self._error}") from self._error
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while self.frames < self._wanted and not self._stop.is_set():
                over = self._audio.over  # asked before reading: what was written before the end is still read
                data = self._audio.pipe.read(CHUNK, 0.1)
                if data:
                    self._take(data)
                    if len(data) < CHUNK:
                        # Whoever reads block by block wakes up thousands of times a second, and so does the writer.
                        self._stop.wait(GATHER)
                elif over:
                    raise PerpetuumError(_ending(self._audio, self.frames, self._wanted))
        except Exception as error:
            self._error = error

    def _take(self, data: bytes) -> None:
        channels = self._audio.pipe.format.channels
        chunk = np.frombuffer(data, np.float32).reshape(-1, channels)[: self._wanted - self.frames]
        self.peak = max(self.peak, float(np.abs(chunk).max()))
        self.frames += len(chunk)
        self._sink(chunk)


def _ending(audio: Audio, frames: int, wanted: int) -> str:
    if audio.state is AudioState.FAILED:
        return audio.problem
    return f"the sound ended after {frames} of {wanted} frames"

"""The thread that takes sound from the pipe to the output, and fades it out at once when asked to."""

from __future__ import annotations

import logging
import threading
from collections import Counter

import numpy as np

from engine.outputs.contract import Output
from engine.outputs.pacing import Pacer
from engine.processes.pipe import FRAME_BYTES
from engine.runtime.audio import Audio
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import CHANNELS

log = logging.getLogger(__name__)

CHUNK = 16 << 10
"""Bytes moved at a time (43 ms): 23 small steps a second, which cost next to nothing."""

STARVED = 0.1
"""Seconds without sound in the pipe that count as one starvation."""

PATIENCE = 1.0
"""Seconds that an output may take over the sound of `CHUNK` when it is to end; one that hangs holds nobody."""


class Pump:
    """Moves sound until the stream ends or is faded out.

    The fade happens here and not in the audio process, because here it is heard at once; what the audio process fades
    has the whole pipe before it.

    Args:
        audio: where sound comes from.
        output: where it goes.
    """

    def __init__(self, audio: Audio, output: Output) -> None:
        self.frames = 0
        self.counters: Counter[str] = Counter()
        self._audio = audio
        self._output = output
        self._pacer = Pacer()
        self._stop = threading.Event()
        self._fade_frames = 0
        self._faded = 0
        self._fading = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def __enter__(self) -> Pump:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            log.warning("the output does not answer; it is left alone")

    @property
    def finished(self) -> bool:
        """Whether all sound has gone to the output."""
        return not self._thread.is_alive()

    def fade_out(self, seconds: float) -> None:
        """Fade out from what is taken from the pipe next, and return when it is over."""
        self._fade_frames = max(1, round(seconds * SAMPLE_RATE))
        self._fading.set()
        self.join(seconds + PATIENCE)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the stream; False if `timeout` seconds passed before."""
        self._thread.join(timeout)
        return self.finished

    def _run(self) -> None:
        silence = 0.0
        while not self._stop.is_set():
            over = self._audio.over  # asked before reading: what was written before the end is still played
            data = self._audio.pipe.read(CHUNK, STARVED)
            if not data:
                if over or self._fading.is_set():
                    return
                if self.frames and self._audio.live:
                    self.counters["starvations"] += 1
                    if not silence:
                        log.warning("no sound comes")
                    silence += STARVED
                continue
            if silence:
                log.warning("there is sound again, after %.1f s without", silence)
                silence = 0.0
            if self._fading.is_set():
                data = self._faded_chunk(data)
            if data:
                if self.frames == 0:
                    log.info("first sound")
                self._write(data)
                self.frames += len(data) // FRAME_BYTES
            if self._fading.is_set() and self._faded >= self._fade_frames:
                return

    def _write(self, data: bytes) -> None:
        """Give sound to the output; one that fails costs no music, which goes on unheard in real time."""
        try:
            self._output.write(data)
        except Exception:
            if not self.counters["failures"]:
                log.exception("the output failed; the music goes on")
            self.counters["failures"] += 1
            self._pacer.pace(len(data) // FRAME_BYTES)

    def _faded_chunk(self, data: bytes) -> bytes:
        frames = np.frombuffer(data, np.float32).reshape(-1, CHANNELS)[: self._fade_frames - self._faded]
        position = (self._faded + np.arange(len(frames), dtype=np.float32)) / self._fade_frames
        self._faded += len(frames)
        gain = np.cos(position * (np.pi / 2), dtype=np.float32) ** 2
        return (frames * gain[:, None]).tobytes()

# pyright: strict
"""A tap behind the gain: what leaves for the output, measured second by second in a thread that no sound waits for."""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections.abc import Callable

import numpy as np

from engine.events import SoundMeasured
from engine.outputs.gain import Gain
from engine.outputs.measuring.second import SecondMeter
from engine.sound.format import AudioFormat

log = logging.getLogger(__name__)

SPARE = 2
"""Seconds that may wait to be measured; what comes while all of them do is left out."""


class _Second:
    """A second of sound, and how the gain stood."""

    def __init__(self, format: AudioFormat) -> None:
        self.samples = np.zeros((format.rate, format.channels), np.float32)
        self.frame = 0
        self.gain: float | None = None
        self.trim = 1.0


class SoundTap:
    """Hands seconds of sound to a thread that measures them.

    `take` belongs to the thread of the sound: it copies, and neither allocates what grows with the chunk nor waits.

    Args:
        format: of the sound.
        gain: that it has passed.
        publish: told of each second, in the thread that measures; never raises.
        patient: nobody hears the sound: `take` waits for the measuring, and no second is left out.

    Attributes:
        missed: seconds that were left out.
    """

    def __init__(
        self, format: AudioFormat, gain: Gain, publish: Callable[[SoundMeasured], None], patient: bool = False
    ) -> None:
        self.missed = 0
        self._format = format
        self._gain = gain
        self._publish = publish
        self._patient = patient
        self._filled = 0
        self._filling = _Second(format)
        self._free: queue.SimpleQueue[_Second] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[_Second | None] = queue.SimpleQueue()
        for _ in range(SPARE):
            self._free.put(_Second(format))
        self._thread = threading.Thread(target=self._run, name="measuring", daemon=True)
        self._thread.start()

    def take(self, chunk: bytes, frame: int) -> None:
        """Take interleaved float32 frames.

        Args:
            chunk: as they leave, right after the gain was applied.
            frame: of the pipe, the first after them.
        """
        frames = np.frombuffer(chunk, np.float32).reshape(-1, self._format.channels)
        place = 0
        while place < len(frames):
            second = self._filling
            count = min(len(frames) - place, self._format.rate - self._filled)
            second.samples[self._filled : self._filled + count] = frames[place : place + count]
            steady = self._gain.steady
            second.gain = steady if self._filled == 0 or steady == second.gain else None
            self._filled += count
            place += count
            if self._filled == self._format.rate:
                self._pass_on(second, frame - (len(frames) - place))

    def close(self) -> None:
        """Measure no more; where it is patient, all that was taken is measured first."""
        self._full.put(None)
        if self._patient:
            self._thread.join()

    def _pass_on(self, second: _Second, frame: int) -> None:
        self._filled = 0
        try:
            self._filling = self._free.get(block=self._patient)
        except queue.Empty:
            self.missed += 1  # the same one is filled again
            return
        second.frame, second.trim = frame, self._gain.trim
        self._full.put(second)

    def _run(self) -> None:
        meter = SecondMeter(self._format)
        failed = False
        while (second := self._full.get()) is not None:
            try:
                self._publish(self._measured(meter, second))
            except Exception:  # nobody hears the difference
                if not failed:
                    log.exception("a second of sound could not be measured")
                failed = True

    def _measured(self, meter: SecondMeter, second: _Second) -> SoundMeasured:
        try:
            gain = _decibels(second.gain) if second.gain else None
            return SoundMeasured(second.frame, *meter(second.samples), gain, _decibels(second.trim))
        finally:
            self._free.put(second)  # one that was kept back would be missing for ever


def _decibels(gain: float) -> float:
    return 20 * math.log10(gain) if gain > 0 else -math.inf

# pyright: strict
"""The gain behind the pipe once more: from the signal as it left the pipe to what the output was given."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.events.sounding import GainMoved
from engine.outputs.gain import Gain
from engine.runtime.replay.sounding import Sink
from engine.sound.format import AudioFormat


class AsHeard:
    """Applies the gain that was recorded, to the frame.

    Args:
        moves: all that the gain did in the performance up to the end of what is wanted, in order.
        frame: of the pipe, that the sound begins with.
        sink: takes the sound with its gain. Behind the last fade nothing comes any more.
        format: of the sound.
        mono: every channel was the mean of all.
    """

    def __init__(
        self, moves: Iterable[GainMoved], frame: int, sink: Sink, format: AudioFormat | None = None, mono: bool = False
    ) -> None:
        self._format = format or AudioFormat()
        self._gain = Gain(self._format, mono)
        self._sink = sink
        self._frame = 0
        self._waiting = list(moves)
        while self._waiting and self._waiting[0].frame <= frame:
            move = self._waiting.pop(0)
            self._gain.pass_over(max(0, move.frame - self._frame))
            self._frame = max(move.frame, self._frame)
            self._gain.move(move.gain, move.target, move.frames)
            self._gain.pass_over(0)  # of two moves at one frame, the second goes on from the first
        self._gain.pass_over(frame - self._frame)
        self._frame = frame

    def take(self, chunk: NDArray[np.float32]) -> None:
        """Take the next frames, array [n, channels]."""
        while len(chunk):
            while self._waiting and self._waiting[0].frame <= self._frame:
                move = self._waiting.pop(0)
                self._gain.move(move.gain, move.target, move.frames)
            end = self._waiting[0].frame - self._frame if self._waiting else len(chunk)
            piece, chunk = chunk[:end], chunk[end:]
            self._frame += len(piece)
            data = self._gain.apply(np.ascontiguousarray(piece, np.float32).tobytes())
            if data:
                self._sink(np.frombuffer(data, np.float32).reshape(-1, self._format.channels))

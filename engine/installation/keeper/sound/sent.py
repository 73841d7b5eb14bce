# pyright: strict
"""What leaves for the output, passed on to whoever compares it with a microphone: one channel, 8 kHz."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.health.room.likeness import RATE, Samples
from engine.outputs.contract import Output
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat

FACTOR = SAMPLE_RATE // RATE

PIECE = RATE // 4
"""Frames that are passed on at once."""

_TAPS = 16 * FACTOR + 1


def _low_pass() -> Samples:
    """A windowed sinc that ends at 3.5 kHz."""
    times = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(2 * 3500 / SAMPLE_RATE * times) * np.hamming(_TAPS)
    return (taps / taps.sum()).astype(np.float32)


class SentSound(Output):
    """Follows an output. It costs the sound nothing: a tee drops what a follower does not take.

    Args:
        send: takes 16-bit frames; returns at once.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._taps = _low_pass()
        self._channels = 2
        self._rest = np.zeros(_TAPS - 1, np.float32)
        self._made = np.zeros(0, np.float32)

    @property
    def description(self) -> str:
        """For people."""
        return "the room is listened to"

    def open(self, format: AudioFormat) -> None:
        """Begin anew."""
        self._channels = format.channels
        self._rest = np.zeros(_TAPS - 1, np.float32)
        self._made = np.zeros(0, np.float32)

    def write(self, chunk: bytes) -> None:
        """Pass on what was gathered, if that is enough."""
        mono = np.frombuffer(chunk, np.float32).reshape(-1, self._channels).mean(axis=1)
        gathered = np.concatenate((self._rest, mono))
        count = (len(gathered) - _TAPS + FACTOR) // FACTOR
        if count > 0:
            windows = np.lib.stride_tricks.sliding_window_view(gathered, _TAPS)[::FACTOR][:count]
            self._made = np.concatenate((self._made, windows @ self._taps))
            gathered = gathered[count * FACTOR :]
        self._rest = gathered
        while len(self._made) >= PIECE:
            piece, self._made = self._made[:PIECE], self._made[PIECE:]
            self._send((np.clip(np.nan_to_num(piece), -1.0, 1.0) * 32767.0).astype("<i2").tobytes())

    def close(self) -> None:
        """What is left is too little to matter."""

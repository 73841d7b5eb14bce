# pyright: strict
"""How the commands of timbres write what they made: sound files at 48 kHz, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soxr  # pyright: ignore[reportMissingTypeStubs]

from engine.outputs.files.sound_file import SoundFileOutput
from engine.score.time import SAMPLE_RATE

_CHUNK = 1 << 20


def write_sound(path: Path, wave: np.ndarray, rate: int) -> float:
    """Write a mono wave; gives its peak at 48 kHz. What is beyond full scale is clipped.

    Args:
        path: its ending says which kind of file it is.
        wave: [frames], float32.
        rate: in Hz.

    Raises:
        PerpetuumError: it cannot be written.
    """
    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="VHQ")
    peak = 0.0
    with SoundFileOutput(path, len(wave) * SAMPLE_RATE // rate, channels=1) as output:
        for start in range(0, max(len(wave), 1), _CHUNK):
            last = start + _CHUNK >= len(wave)
            part = stream.resample_chunk(np.ascontiguousarray(wave[start : start + _CHUNK], np.float32), last=last)
            peak = max(peak, float(np.abs(part).max(initial=0.0)))
            output.write(part.reshape(-1, 1))
    return peak

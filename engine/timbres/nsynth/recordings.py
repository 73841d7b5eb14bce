# pyright: strict
"""Sound files as NSynth takes and gives them: one channel at 16 kHz."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.output_file import write_bytes
from engine.sound.instruments.samples import read_raw_sample
from engine.timbres.nsynth.layout import HOP, RATE

Array = NDArray[np.float32]

ENDING = ".wav"


def read_wave(path: Path) -> Array:
    """A recording as NSynth hears it, [samples] at 16 kHz: the mean of its channels, resampled where it must be.

    A file at 16 kHz is taken as it is. The original loads with another resampler, so that others differ a little.

    Raises:
        SampleError: the file cannot be read, or is too short, too long or too loud.
    """
    sound, rate = read_raw_sample(path)
    wave = sound.mean(axis=1, dtype=np.float32)
    if rate != RATE:
        # Imported when needed, as all that costs time.
        import soxr  # pyright: ignore[reportMissingTypeStubs]

        wave = soxr.resample(wave, rate, RATE, quality="VHQ")
    return np.ascontiguousarray(wave, np.float32)


def write_wave(path: Path, wave: Array) -> None:
    """Write sound at 16 kHz as the original does: float32, no louder and no softer than it is.

    Raises:
        PerpetuumError: it cannot be written.
    """
    import soundfile  # pyright: ignore[reportMissingTypeStubs]

    file = io.BytesIO()
    soundfile.write(file, wave, RATE, format="WAV", subtype="FLOAT")  # pyright: ignore[reportUnknownMemberType]
    data = bytearray(file.getvalue())
    # The time of day stands in the chunk of the peak; the same sound is to be the same bytes.
    if (peak := data.find(b"PEAK", 0, 128)) >= 0:
        data[peak + 12 : peak + 16] = bytes(4)
    write_bytes(path, bytes(data), (ENDING,))


def padded(wave: Array) -> Array:
    """A wave with silence behind it, up to a whole frame."""
    return np.pad(wave, (0, -len(wave) % HOP))

"""Sound files for the samplers, in memory, at the engine's rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from engine.errors import PerpetuumError
from engine.score.time import SAMPLE_RATE


def read_sample(path: Path, semitones: float = 0.0) -> np.ndarray:
    """A sound file as array [frames, 2] of float32, at 48 kHz.

    A file of another rate is resampled, and so is one that is to be transposed; files at 48 kHz load fastest.

    Args:
        path: of a file that libsndfile reads.
        semitones: transposition.

    Raises:
        PerpetuumError: the file cannot be read, is empty or contains something that is not a number.
    """
    try:
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise PerpetuumError(f"cannot read the sample {path}: {error}") from error
    mean = sound.mean(axis=0) if len(sound) >= 16 else np.array(np.nan)
    if not np.isfinite(mean).all():
        raise PerpetuumError(f"the sample {path} holds no usable sound")
    # An offset is where the recording begins; the mean of a low drum is none, and taking it away would leave a step.
    sound = sound - np.where(np.abs(sound[0] - mean) < np.abs(sound[0]), mean, 0.0).astype(np.float32)
    sound = sound[:, :2] if sound.shape[1] >= 2 else np.repeat(sound, 2, axis=1)
    target = SAMPLE_RATE / 2.0 ** (semitones / 12.0)
    if abs(target - rate) > 1e-6:
        # Imported when needed: shipped samples are at 48 kHz already, and starting must be fast.
        import soxr

        sound = soxr.resample(sound, rate, target, quality="VHQ")
    return np.ascontiguousarray(sound, dtype=np.float32)

"""Sound files for the samplers, in memory, at the engine's rate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError
from engine.files import open_regular, reason
from engine.score.time import SAMPLE_RATE

LONGEST = 300.0
"""Seconds of the longest sample at 48 kHz: a stereo file of that length takes 350 MB in an instrument."""

MOST_SECONDS = 600
"""Length of all samples of an instrument, at 48 kHz, stereo: some 350 MB while they are built."""

RATES = (4_000, 384_000)
"""Hz: lowest and highest sample rate that is believed."""

MOST_CHANNELS = 8
"""Channels of a file; the first two are heard."""

LOUDEST = 16.0
"""Largest sample that is believed, 24 dB above full scale; beyond lie files of another scale, or broken ones."""

FAINTEST = 1e-5
"""A file that stays within this of its mean, 100 dB below full scale, is silent."""

_FEWEST = 16
_CHUNK = 1 << 18


class SampleError(PerpetuumError):
    """A sound file that cannot be played; `message` says why, and goes on behind the file's name."""


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """What a sound file turned out to be.

    Attributes:
        frames: at its own rate.
        rate: in Hz.
        silent: nothing is to be heard in it.
    """

    frames: int
    rate: int
    silent: bool

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.frames / self.rate

    def resampled(self, semitones: float = 0.0) -> int:
        """Frames at 48 kHz, transposed."""
        return round(self.seconds * SAMPLE_RATE * 2.0 ** (-semitones / 12.0))


def examine_sample(path: Path, semitones: float = 0.0) -> SampleFacts:
    """Decode a sound file to its end and say what it is; whatever passes here, `read_sample` reads.

    Args:
        path: of a file that libsndfile reads.
        semitones: transposition.

    Raises:
        SampleError: it cannot be played.
    """
    return _examined(*_decoded(path), semitones)


def read_sample(path: Path, semitones: float = 0.0) -> np.ndarray:
    """A sound file as array [frames, 2] of float32, at 48 kHz, without the offset that it begins at.

    A file of another rate is resampled, and so is one that is to be transposed; files at 48 kHz load fastest.

    Args:
        path: of a file that libsndfile reads.
        semitones: transposition.

    Raises:
        SampleError: the file cannot be read, or is out of bounds: too short, too long, too loud, not a number.
    """
    try:
        sound, rate = _decoded(path)
        _examined(sound, rate, semitones)
    except SampleError as error:
        raise SampleError(f"the sample {path}: {error.message}", error.hint) from error
    mean = sound.mean(axis=0)
    # An offset is where the recording begins; the mean of a low drum is none, and taking it away would leave a step.
    sound -= np.where(np.abs(sound[0] - mean) < np.abs(sound[0]), mean, 0.0).astype(np.float32)
    sound = sound if sound.shape[1] == 2 else np.repeat(sound, 2, axis=1)
    target = SAMPLE_RATE / 2.0 ** (semitones / 12.0)
    return np.ascontiguousarray(resampled(sound, rate, target), dtype=np.float32)


def resampled(sound: np.ndarray, rate: float, target: float = SAMPLE_RATE) -> np.ndarray:
    """A sound at another rate: array [frames] or [frames, channels] of the same type.

    Args:
        sound: array [frames] or [frames, channels].
        rate: its own, in Hz.
        target: in Hz.
    """
    if abs(target - rate) <= 1e-6:
        return sound
    # Imported when needed: shipped samples are at 48 kHz already, and starting must be fast.
    import soxr

    return soxr.resample(sound, rate, target, quality="VHQ")


def read_raw_sample(path: Path) -> tuple[np.ndarray, int]:
    """A sound file as it lies there: (array [frames, 1 or 2] of float32, rate in Hz).

    Args:
        path: of a file that libsndfile reads.

    Raises:
        SampleError: as `read_sample`.
    """
    try:
        sound, rate = _decoded(path)
        _examined(sound, rate, 0.0)
    except SampleError as error:
        raise SampleError(f"{path}: {error.message}", error.hint) from error
    return sound, rate


def _decoded(path: Path) -> tuple[np.ndarray, int]:
    """(array [frames, 1 or 2] of float32, rate). No more is read than the bounds allow, whatever a header says."""
    # Scenes without samples need not wait for it.
    import soundfile

    try:
        with (
            open_regular(path) as opened,
            soundfile.SoundFile(opened.fileno(), closefd=False) as file,
        ):
            _check_header(file.samplerate, file.channels, file.frames, file.format)
            parts, frames = [], 0
            while frames <= LONGEST * SAMPLE_RATE:
                part = file.read(_CHUNK, dtype="float32", always_2d=True)
                if not len(part):
                    break
                frames += len(part)
                parts.append(part[:, :2])
            # What an MP3 says of its length is an estimate.
            if frames < file.frames and file.format not in ("MP3", "OGG"):
                raise SampleError(f"it is cut off: {frames} of {file.frames} frames are there", "copy it again")
            rate: int = file.samplerate
    except (OSError, ValueError) as error:
        raise SampleError(reason(error), "name a sound file that can be read") from error
    except soundfile.SoundFileError as error:
        raise SampleError("it is no sound file that can be read", "WAV, FLAC, AIFF, Ogg and MP3 can") from error
    return (np.concatenate(parts) if parts else np.zeros((0, 2), np.float32)), rate


def _check_header(rate: int, channels: int, frames: int, form: str) -> None:
    low, high = RATES
    if not low <= rate <= high:
        raise SampleError(f"its sample rate is {rate} Hz", f"{low} Hz to {high} Hz, best 48000 Hz")
    if not 1 <= channels <= MOST_CHANNELS:
        raise SampleError(f"it has {channels} channels", f"1 to {MOST_CHANNELS}; the first two are heard")
    if form not in ("MP3", "OGG") and frames > LONGEST * SAMPLE_RATE:
        raise _too_long(frames / rate)


def _too_long(seconds: float) -> SampleError:
    return SampleError(f"it is too long: {seconds:.4g} s", f"{LONGEST:g} s at 48 kHz at most, since it lies in memory")


def _examined(sound: np.ndarray, rate: int, semitones: float) -> SampleFacts:
    if not len(sound):
        raise SampleError("there is no sound in it", "record it again, or name another one")
    lows, highs = sound.min(axis=0), sound.max(axis=0)
    if not (np.isfinite(lows).all() and np.isfinite(highs).all()):
        raise SampleError("it has samples that are not numbers", "save it again without NaN and infinities")
    peak = max(float(highs.max()), -float(lows.min()))
    if peak > LOUDEST:
        raise SampleError(f"its loudest sample is {peak:.3g}", f"full scale is 1, and {LOUDEST:g} the most")
    facts = SampleFacts(len(sound), rate, bool((highs - lows <= 2 * FAINTEST).all()))
    if max(facts.frames, facts.resampled(semitones)) > LONGEST * SAMPLE_RATE:
        raise _too_long(facts.resampled(semitones) / SAMPLE_RATE)
    if min(facts.frames, facts.resampled(semitones)) < _FEWEST:
        raise SampleError(f"it is too short: {facts.frames} frames", f"{_FEWEST} at least")
    return facts

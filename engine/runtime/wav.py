"""A WAV file that is valid at any time while it grows, and that appears under its name when it is complete."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile

from engine.errors import PerpetuumError
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import CHANNELS

SUBTYPE = "PCM_24"


class WavWriter:
    """Writes stereo at 48 kHz, 24 bit, to `NAME.part`; `close` gives it its name in one step.

    Args:
        path: of the finished file; an older one of that name is replaced at the end.
        checkpoint: seconds of sound after which the header is brought up to date, so that the file can be read up to
            there even after a power cut; None: only at the end.

    Raises:
        PerpetuumError: it cannot be written there.
    """

    def __init__(self, path: Path, checkpoint: float | None = None) -> None:
        self.path = path
        self.part = path.with_name(path.name + ".part")
        self.frames = 0
        self.peak = 0.0
        self._checkpoint = None if checkpoint is None else int(checkpoint * SAMPLE_RATE)
        self._unsaved = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = soundfile.SoundFile(self.part, "w", SAMPLE_RATE, CHANNELS, SUBTYPE, format="WAV")
        except (OSError, soundfile.SoundFileError) as error:
            raise PerpetuumError(f"cannot write {path}: {error}", "choose another path with --output or -o") from error

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def write(self, frames: np.ndarray) -> None:
        """Append frames, array [n, 2] of float32 within -1..1.

        Raises:
            OSError, soundfile.SoundFileError: the disk is full or gone.
        """
        if len(frames) == 0:
            return
        self.peak = max(self.peak, float(np.abs(frames).max()))
        self._file.write(np.clip(frames, -1.0, 1.0))
        self.frames += len(frames)
        self._unsaved += len(frames)
        if self._checkpoint is not None and self._unsaved >= self._checkpoint:
            self._unsaved = 0
            # libsndfile writes the header when it closes a file, so it is closed and gone on with.
            self._file.close()
            self._file = soundfile.SoundFile(self.part, "r+")
            self._file.seek(0, soundfile.SEEK_END)

    def close(self) -> None:
        """Complete the file and give it its name."""
        if not self._file.closed:
            self._file.close()
            self.part.replace(self.path)

    def abandon(self) -> None:
        """Leave no file."""
        if not self._file.closed:
            self._file.close()
        with suppress(OSError):
            self.part.unlink()

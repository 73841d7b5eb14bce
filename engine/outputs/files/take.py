# pyright: strict
"""One WAV file of a recording: it grows as NAME.part and gets its name at the end."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import PerpetuumError
from engine.output_file import Target
from engine.outputs.files.sound_file import SoundWriter
from engine.score.time import SAMPLE_RATE

CHECKPOINT = 1.0
"""Seconds after which the header is brought up to date: what a kill may cost."""

SYNC = 10.0
"""Seconds after which what was recorded is brought to the disk: what a power cut may cost."""

ENDING = ".wav"
PART = ".part"


class Take:
    """One file of a recording; until it is complete it is called NAME.part, and can be played up to the last second.

    Args:
        path: of the file.
        channels: of a frame.

    Raises:
        PerpetuumError: it can never be written there.
        OSError: it cannot be written there now.
    """

    def __init__(self, path: Path, channels: int) -> None:
        self.target = Target(path, (ENDING,))
        if self.target.place is None:
            raise PerpetuumError(
                f"cannot record into {path}: it is a device or a FIFO",
                "name a file that ends in .wav, or a folder; `--output null` plays to nobody",
            )
        self.part, self._raw = self.target.grow(PART)
        self.frames = 0
        self._channels = channels
        self._unsaved = self._unsynced = 0
        try:
            self._writer = SoundWriter(self._raw, ENDING, channels=channels)
        except BaseException:
            self.give_up()
            raise

    def write(self, frames: NDArray[np.float32]) -> None:
        """Append frames.

        Raises:
            OSError: the disk is full or gone.
        """
        self._writer.write(frames)
        self.frames += len(frames)
        self._unsaved += len(frames)
        self._unsynced += len(frames)
        if self._unsaved >= CHECKPOINT * SAMPLE_RATE:
            self._unsaved = 0
            # libsndfile writes the header when it closes a file, so it is closed and gone on with.
            self._writer.close()
            self._writer = SoundWriter(self._raw, ENDING, resumed=True, channels=self._channels)
        if self._unsynced >= SYNC * SAMPLE_RATE:
            self._unsynced = 0
            os.fdatasync(self._raw.fileno())

    def complete(self) -> Path:
        """Give the file its name; a file of that name that somebody else has made meanwhile is let be.

        Raises:
            OSError: it cannot be completed.
        """
        self._writer.close()
        target = self.target
        assert target.place is not None
        with suppress(FileNotFoundError):
            now = target.place.lstat()
            if (now.st_dev, now.st_ino) != target.there:
                target = Target(free_path(target.place))
        target.take_place(self.part, self._raw)
        self._raw.close()
        assert target.place is not None
        return target.place

    def give_up(self) -> bool:
        """Leave what there is under NAME.part, its header true; whether there is anything."""
        with suppress(Exception):  # the disk is full; the header needs no more room
            self._writer.close()
        with suppress(OSError):
            self._raw.close()
        if not self.frames:
            with suppress(OSError):
                self.part.unlink()
        return self.frames > 0


def free_path(path: Path) -> Path:
    """The next name that is free: "take-2.wav" for "take.wav"."""
    number = 2
    while True:
        other = path.with_name(f"{path.stem}-{number}{ENDING}")
        if not other.exists() and not other.is_symlink() and not other.with_name(other.name + PART).exists():
            return other
        number += 1

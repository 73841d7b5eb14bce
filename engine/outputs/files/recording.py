# pyright: strict
"""The output into WAV files: a recording that neither ends the music nor is ended by its own length."""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import PerpetuumError
from engine.output_file import cannot_write, check_ending, output_folder, reason_of
from engine.outputs.contract import Output, OutputKind, RecordingOutput
from engine.outputs.files.sound_file import largest_wav, wav_frame_bytes
from engine.outputs.files.take import ENDING, Take, free_path
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat

log = logging.getLogger(__name__)

HOUR = 3600 * SAMPLE_RATE
"""Frames of each file in a folder."""

ROOM = 60.0
"""Seconds of sound for which a disk must have room again before the recording is taken up."""

RETRY = 5.0
"""Seconds between two looks at a disk that is full or gone."""

_NAME = "perpetuum-{:%Y-%m-%d_%H-%M-%S}"
_OURS = re.compile(r"perpetuum-\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(-\d+)?\.wav(\.part\d*)?")


class WavOutput(RecordingOutput):
    """Records sound as fast as it comes. A disk that is full or gone interrupts the recording, not the music.

    Into a file: `take.wav`, and from 4 GB on, the most that a WAV file can hold, `take-2.wav` and so on without a gap.
    Into a folder, which is made if need be: files of an hour, named by date and time. After an interruption the
    recording goes on in a new file as soon as there is room.

    Args:
        path: of the file, or of a folder.
        keep: hours of recordings that are kept in a folder; the oldest are deleted. None: all.
        folder: whether it is to be a folder, there or not; None: if it is there.
        longest: frames of the longest file; an hour in a folder, what WAV can hold elsewhere.
        room: seconds of sound for which a disk must have room before the recording is taken up again.
        clock: gives seconds; for tests.
    """

    def __init__(
        self,
        path: Path,
        keep: float | None = None,
        folder: bool | None = None,
        longest: int | None = None,
        room: float = ROOM,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self.keep = keep
        self.problem = ""
        self.missing = 0
        self._in_folder = path.is_dir() if folder is None else folder
        self._wanted_longest = longest
        self._longest = longest or HOUR
        self._format = AudioFormat()
        self._room = room
        self._clock = clock
        self._take: Take | None = None
        self._retry_at = 0.0
        self._is_first = True

    @property
    def description(self) -> str:
        """Where the sound goes now."""
        kept = f", where the last {self.keep:g} hours are kept and older recordings deleted" if self.keep else ""
        return f"recording to {self.path}{kept}" + (
            f", which failed: {self.problem}" if self.problem and self._take is None else ""
        )

    @property
    def complaint(self) -> str:
        """What is wrong with what was recorded; empty if nothing is."""
        if not self.problem:
            return ""
        gap = f"{self.missing / SAMPLE_RATE:.1f} s of the music are missing" if self.missing else "it is not complete"
        return f"the recording to {self.path}: {gap}: {self.problem}"

    @property
    def piles_up(self) -> bool:
        """Whether it records into a folder."""
        return self._in_folder

    def open(self, format: AudioFormat) -> None:
        """Create the file.

        Raises:
            PerpetuumError: it cannot be written.
        """
        if self.keep is not None and not self._in_folder:
            raise PerpetuumError(
                f"--keep {self.keep:g} is for recordings into a folder, and {self.path} is none", "name a folder"
            )
        self._format = format
        self._longest = self._wanted_longest or (HOUR if self._in_folder else largest_wav(format.channels))
        if self._in_folder:
            output_folder(self.path)
        try:
            self._begin()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def write(self, chunk: bytes) -> None:
        """Record a chunk."""
        frames = np.frombuffer(chunk, np.float32).reshape(-1, self._format.channels)
        while len(frames):
            frames = frames[self._record(frames) :]

    def close(self) -> None:
        """Complete the file; one without sound in it is not made."""
        if self._take is None:
            return
        if self._take.frames:
            self._complete()
            return
        take, self._take = self._take, None
        take.give_up()

    def _record(self, frames: NDArray[np.float32]) -> int:
        """Record at most as many frames as fit into the file; how many are dealt with, recorded or missed."""
        if self._take is None and not self._is_taken_up():
            self.missing += len(frames)
            return len(frames)
        assert self._take is not None
        frames = frames[: self._longest - self._take.frames]
        try:
            self._take.write(frames)
        except Exception as error:  # of the system or of libsndfile; the music goes on
            self._break_off(error)
            self.missing += len(frames)
            return len(frames)
        if self._take.frames >= self._longest:
            self._complete()
            self._next()
        return len(frames)

    def _begin(self) -> None:
        stem = self.path / _NAME.format(datetime.now()) if self._in_folder else self.path.with_suffix("")
        path = stem.with_name(stem.name + ENDING)
        if not self._in_folder and self._is_first:
            path = self.path
        elif path.exists() or not self._in_folder:
            path = free_path(path)
        self._take = Take(path, self._format.channels)
        self._is_first = False
        self._delete_old()

    def _next(self) -> None:
        """Go on in a new file."""
        try:
            self._begin()
        except Exception as error:  # see `_record`
            self._wait(error)

    def _is_taken_up(self) -> bool:
        if self._clock() < self._retry_at:
            return False
        self._retry_at = self._clock() + RETRY
        try:
            folder = self.path if self._in_folder else self.path.parent
            if shutil.disk_usage(folder).free < self._room * SAMPLE_RATE * wav_frame_bytes(self._format.channels):
                return False
            self._begin()
        except (OSError, PerpetuumError):
            return False
        assert self._take is not None
        log.warning(
            "the recording goes on in %s; %.1f s are missing so far", self._take.target.path, self.missing / SAMPLE_RATE
        )
        return True

    def _break_off(self, error: Exception) -> None:
        assert self._take is not None
        take, self._take = self._take, None
        self._wait(error, f"; what was recorded is in {take.part}" if take.give_up() else "")

    def _wait(self, error: Exception, kept: str = "") -> None:
        self.problem = error.message if isinstance(error, PerpetuumError) else reason_of(error)
        self._retry_at = self._clock() + RETRY
        log.error(
            "the recording to %s is interrupted, the music goes on: %s%s; it is taken up again when there is room",
            self.path,
            self.problem,
            kept,
        )

    def _complete(self) -> None:
        assert self._take is not None
        take, self._take = self._take, None
        try:
            made = take.complete()
        except Exception as error:  # see `_record`
            take.give_up()
            self.problem = error.message if isinstance(error, PerpetuumError) else reason_of(error)
            log.error("%s is not complete: %s; what was recorded is in %s", take.target.path, self.problem, take.part)
            return
        if made != take.target.place:
            log.warning("somebody else has written %s meanwhile; the recording is %s", take.target.path, made)

    def _delete_old(self) -> None:
        """Keep the latest hours of a folder, and of what is in it touch nothing but recordings."""
        if self.keep is None or self._take is None:
            return
        left = self.keep * 3600 * SAMPLE_RATE * wav_frame_bytes(self._format.channels)
        for path in sorted(_recordings(self.path), key=lambda path: path.name, reverse=True):
            if path == self._take.part:
                continue
            with suppress(OSError):
                left -= path.stat().st_size
                if left < 0:
                    path.unlink()
                    log.info("deleted %s, the recordings of the last %g hours are kept", path, self.keep)


def _recordings(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from (
            path for path in folder.iterdir() if _OURS.fullmatch(path.name) and path.is_file() and not path.is_symlink()
        )


def _examine(argument: str) -> None:
    path = Path(argument)
    if not argument.endswith("/") and (path.is_file() or not path.exists()):  # devices may be called anything
        check_ending(path, (ENDING,))


def _wav(argument: str | None) -> Output:
    assert argument is not None
    return WavOutput(Path(argument), folder=True if argument.endswith("/") else None)


WAV = OutputKind(
    "wav",
    "WAV files in real time: one, or one an hour in a folder",
    _wav,
    argument="PATH",
    needs_argument=True,
    examine=_examine,
)

# pyright: strict
"""Sound files: their kinds, and how one is written while its sound comes, through libsndfile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import soundfile  # pyright: ignore[reportMissingTypeStubs]

from engine.errors import PerpetuumError
from engine.output_file import OutputFile, RawFile, cannot_write
from engine.score.time import SAMPLE_RATE
from engine.sound.format import DEFAULT_CHANNELS

ENDINGS: dict[str, tuple[str, str]] = {
    ".wav": ("WAV", "PCM_24"),
    ".flac": ("FLAC", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
"""Format and subtype of libsndfile by the ending of a file's name."""


def wav_frame_bytes(channels: int) -> int:
    """Bytes of one frame in a WAV file: 24 bits a channel."""
    return 3 * channels


def largest_wav(channels: int) -> int:
    """Frames of the longest WAV file, 4 h 8 min of stereo: its header counts bytes in 32 bits.

    A longer render is RF64 (EBU 3306).
    """
    return (2**32 - 2**20) // wav_frame_bytes(channels)


_Result = TypeVar("_Result")


class _Quiet:
    """A file as libsndfile may call it: nothing may be raised through C, so errors are kept by `RawFile`.

    It is called once more when a file that could not be opened is thrown away, and `RawFile` is closed already.
    """

    def __init__(self, raw: RawFile) -> None:
        self._raw = raw
        self.read, self.readinto = raw.read, raw.readinto

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0 if self._raw.closed else self._raw.seek(offset, whence)

    def tell(self) -> int:
        return 0 if self._raw.closed else self._raw.tell()

    def write(self, data: bytes) -> int:
        try:
            return 0 if self._raw.closed else self._raw.write(data)
        except OSError:
            return 0


class SoundWriter:
    """Writes sound at 48 kHz into an open file.

    Args:
        raw: to write to; new, or what another `SoundWriter` wrote and `resumed` goes on with.
        ending: of the file's name, a key of `ENDINGS`.
        frames: length if it is known before: a WAV file that would be too long becomes RF64.
        resumed: go on behind what is there.
        channels: of a frame.
    """

    def __init__(
        self,
        raw: RawFile,
        ending: str,
        frames: int = 0,
        resumed: bool = False,
        channels: int = DEFAULT_CHANNELS,
    ) -> None:
        self.raw = raw
        self.frames = 0
        kind, subtype = ENDINGS[ending]
        if kind == "WAV" and frames > largest_wav(channels):
            kind = "RF64"
        file: Any = _Quiet(raw)  # more than soundfile's types say may be one
        if resumed:
            raw.seek(0)
            self._file = self._try(lambda: soundfile.SoundFile(file, "r+"))
            self._file.seek(0, soundfile.SEEK_END)
        else:
            self._file = self._try(lambda: soundfile.SoundFile(file, "w", SAMPLE_RATE, channels, subtype, format=kind))

    def write(self, frames: np.ndarray) -> None:
        """Append frames, array [n, channels] of float32; what is beyond -1..1 is clipped.

        Raises:
            OSError: the disk is full or gone.
        """
        if len(frames):
            self._try(lambda: self._file.write(np.clip(frames, -1.0, 1.0)))
            self.frames += len(frames)

    def close(self) -> None:
        """Write what is left, and the true length into the header; the file stays open.

        Raises:
            OSError: the disk is full or gone.
        """
        if not self._file.closed:
            self._try(self._file.close)

    def _try(self, action: Callable[[], _Result]) -> _Result:
        """Do it, and raise what the system said where libsndfile says "System error."."""
        self.raw.error = None
        try:
            result = action()
        except (soundfile.SoundFileError, AssertionError) as error:  # soundfile asserts that all was written
            raise self.raw.error or OSError(str(error)) from error
        if self.raw.error is not None:
            raise self.raw.error
        return result


class SoundFileOutput:
    """A sound file that is there at the end, whole, or not at all; a context manager.

    Args:
        path: of the file; its ending says which kind it is (`ENDINGS`). A device or FIFO gets WAV.
        frames: length of what will be written.
        channels: of a frame.

    Raises:
        PerpetuumError: it can never be written there, or not in this kind.
    """

    def __init__(self, path: Path, frames: int = 0, channels: int = DEFAULT_CHANNELS) -> None:
        self.path = path
        self._output = OutputFile(path, tuple(ENDINGS))
        ending = path.suffix.lower() if self._output.target.place is not None else ".wav"
        try:
            self._writer = SoundWriter(self._output.raw, ending, frames, channels=channels)
        except OSError as error:
            self._output.__exit__(type(error), error, None)
            raise cannot_write(path, error) from error

    def __enter__(self) -> SoundFileOutput:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        try:
            self._writer.close()
        except OSError as reason:
            if kind is None:
                kind, error = type(reason), reason
        self._output.__exit__(kind, error, trace)
        if isinstance(error, OSError) and not isinstance(error, PerpetuumError):
            raise cannot_write(self.path, error) from error

    def write(self, frames: np.ndarray) -> None:
        """Append frames; see `SoundWriter.write`.

        Raises:
            PerpetuumError: the disk is full or gone.
        """
        try:
            self._writer.write(frames)
        except OSError as error:
            raise cannot_write(self.path, error) from error

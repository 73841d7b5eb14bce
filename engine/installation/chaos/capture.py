# pyright: strict
"""What was heard, and what it shows: silences, and stretches that came twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.score.time import SAMPLE_RATE

FRAME = 8
"""Bytes of a frame: two channels of float32."""

SILENT = 1e-6
"""A frame whose samples are below this is silent."""

ANCHOR = SAMPLE_RATE // 10
"""Frames between two places that are looked for earlier in the recording."""

BEFORE = 20 * SAMPLE_RATE
"""Frames back in which they are looked for."""

Frames = NDArray[np.float32]


class Capture:
    """Raw sound that another process writes to a file.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def frames(self) -> int:
        """How many there are."""
        return self._path.stat().st_size // FRAME

    def since(self, frame: int, until: int | None = None) -> Frames:
        """Frames from one on, [n, 2]."""
        frame = max(frame, 0)
        with self._path.open("rb") as file:
            file.seek(frame * FRAME)
            data = file.read(-1 if until is None else max(0, until - frame) * FRAME)
        return np.frombuffer(data[: len(data) // FRAME * FRAME], np.float32).reshape(-1, 2)


def longest_silence(sound: Frames) -> float:
    """Seconds of the longest silence."""
    silent = np.abs(sound).max(axis=1, initial=0.0) < SILENT
    edges = np.flatnonzero(np.diff(np.concatenate([[0], silent.astype(np.int8), [0]])))
    runs = edges[1::2] - edges[::2]
    return float(runs.max()) / SAMPLE_RATE if len(runs) else 0.0


def first_sound(sound: Frames) -> float | None:
    """Seconds until the first frame that is not silent; None: all are."""
    found = np.flatnonzero(np.abs(sound).max(axis=1, initial=0.0) >= SILENT)
    return float(found[0]) / SAMPLE_RATE if len(found) else None


def longest_repeat(sound: Frames, begin: int) -> float:
    """Seconds of the longest stretch from a frame on that had come before, sample for sample.

    Args:
        sound: [n, 2].
        begin: frame from which repeats are looked for; what is before it may be what is repeated.
    """
    words = np.ascontiguousarray(sound).view(np.int64).ravel()
    loud = np.abs(sound).max(axis=1, initial=0.0) >= SILENT
    longest, place = 0, begin
    while place < len(words):
        length = 0
        if loud[place]:
            start = max(0, place - BEFORE)
            for earlier in (np.flatnonzero(words[start:place] == words[place]) + start)[-50:]:
                length = max(length, _agreement(words, int(earlier), place))
        longest = max(longest, length)
        place += max(ANCHOR, length)
    return longest / SAMPLE_RATE


def _agreement(words: NDArray[np.int64], earlier: int, later: int) -> int:
    """Frames over which two places are equal; a constant stretch is no music that comes again."""
    count = min(len(words) - later, BEFORE)
    differs = np.flatnonzero(words[earlier : earlier + count] != words[later : later + count])
    length = int(differs[0]) if len(differs) else count
    stretch = words[later : later + length]
    return length if len(stretch) > 1 and np.any(stretch[1:] != stretch[:-1]) else 0

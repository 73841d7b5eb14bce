# pyright: strict
"""Encodings: how they lie in files, and what can be done with them before they sound again.

A file is numpy's `.npy` with [frames, 16] real numbers, one note in each, as the original writes them, under a name and
in a length of its own, as the original does not. Nothing in such a file is run, and no more memory is taken than it has
bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from engine.errors import PerpetuumError
from engine.files import read_bytes, reason
from engine.output_file import write_bytes
from engine.timbres.nsynth.layout import CHANNELS, HOP, RATE

Array = NDArray[np.float32]

ENDING = ".npy"
LONGEST = 20_000
"""Frames of an encoding at most: ten minutes of sound, which take hours to play."""
LARGEST = 1e4
"""Numbers of encodings are seldom beyond 10; far beyond lie files of another kind."""
_MOST_BYTES = LONGEST * CHANNELS * 8 + 65_536
_LONGEST_HEADER = 10_000
_WHAT_FITS = "An encoding is [frames, 16] real numbers, one note a file, such as `perpetuum nsynth encode` writes."


def seconds_of(encoding: Array) -> float:
    """How long an encoding sounds."""
    return len(encoding) * HOP / RATE


def save_encoding(path: Path, encoding: Array) -> None:
    """Write an encoding [frames, 16] to a `.npy` file.

    Raises:
        PerpetuumError: it cannot be written.
    """
    data = io.BytesIO()
    npy.write_array(data, np.ascontiguousarray(encoding, np.float32), allow_pickle=False)
    write_bytes(path, data.getvalue(), (ENDING,))


def load_encoding(path: Path) -> Array:
    """Read an encoding [frames, 16], float32; a single one in a batch, [1, frames, 16], is taken, too.

    Raises:
        PerpetuumError: it cannot be read, or it is none.
    """
    try:
        data = read_bytes(path, _MOST_BYTES, pipes=True)
    except (OSError, ValueError) as error:
        raise PerpetuumError(f"{path}: cannot be read ({reason(error)})") from error
    try:
        if len(data) > _MOST_BYTES:
            raise ValueError(f"it has more than the {LONGEST} frames that are the most")
        return _parsed(data)
    except ValueError as error:
        raise PerpetuumError(f"{path}: not an encoding: {error}", _WHAT_FITS) from error


def _parsed(data: bytes) -> Array:
    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        reading = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if reading is None:
            raise ValueError(f"it is in version {version[0]}.{version[1]} of the format")
        shape, columns_first, dtype = reading(file, max_header_size=_LONGEST_HEADER)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, TokenError) as error:
        what = "" if data.startswith(npy.MAGIC_PREFIX) else "it is no .npy file"
        raise ValueError(what or f"its header cannot be read ({_one_line(error)})") from error
    if dtype.hasobject:
        raise ValueError("it has Python objects in it, which are never loaded")
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise ValueError(f"it has numbers of the kind {_one_line(dtype)}, not real ones")
    if len(shape) == 3:
        if shape[0] != 1:
            raise ValueError(f"it has {shape[0]} encodings in one file, of shape {list(shape)}: keep each by itself")
        shape = shape[1:]
    if len(shape) != 2 or shape[1] != CHANNELS:
        raise ValueError(f"its shape is {list(shape)[:8]}, not [frames, {CHANNELS}]")
    if not 1 <= shape[0] <= LONGEST:
        raise ValueError(f"it has {shape[0]} frames, and 1 to {LONGEST} can be")
    content = data[file.tell() :]
    if len(content) != shape[0] * CHANNELS * dtype.itemsize:
        raise ValueError(f"{len(content)} bytes are no {shape[0]} frames of {CHANNELS} numbers; perhaps it was cut off")
    numbers = np.frombuffer(content, dtype).reshape(shape, order="F" if columns_first else "C")
    with np.errstate(over="ignore", invalid="ignore"):
        encoding = numbers.astype(np.float32, order="C")
    if not np.isfinite(encoding).all():
        raise ValueError("it has what is no finite number")
    if (largest := float(np.abs(encoding).max())) > LARGEST:
        raise ValueError(f"its largest number is {largest:.3g}, and {LARGEST:g} the most")
    return encoding


def _one_line(what: object) -> str:
    text = " ".join(str(what).split())
    return "".join(letter for letter in text if letter.isprintable())[:120]


def mix(encodings: Sequence[Array], weights: Sequence[float]) -> Array:
    """The weighted sum of encodings, as long as the shortest: a timbre between theirs.

    Args:
        encodings: [frames, 16] each.
        weights: of each; a mean where they add up to 1, which they need not.

    Raises:
        ValueError: there are none, or not as many weights.
    """
    if not encodings or len(encodings) != len(weights):
        raise ValueError(f"{len(weights)} weights for {len(encodings)} encodings")
    frames = min(len(encoding) for encoding in encodings)
    mixed = np.zeros((frames, CHANNELS), np.float32)
    for encoding, weight in zip(encodings, weights, strict=True):
        mixed += np.float32(weight) * encoding[:frames]
    return mixed


def stretch(encoding: Array, factor: float) -> Array:
    """An encoding in more or fewer frames, whose numbers lie on straight lines between those of the given ones: slower
    or faster without another pitch.

    Args:
        encoding: [frames, 16].
        factor: of its length.

    Raises:
        ValueError: nothing, or too much, would be left.
    """
    frames = int(len(encoding) * factor)
    if not 1 <= frames <= LONGEST:
        raise ValueError(f"{factor:g} times {len(encoding)} frames are {frames}, and 1 to {LONGEST} can be")
    places = np.clip((np.arange(frames) + 0.5) * len(encoding) / frames - 0.5, 0, len(encoding) - 1)
    known = np.arange(len(encoding))
    columns = [np.interp(places, known, encoding[:, channel]) for channel in range(CHANNELS)]
    return np.stack(columns, axis=1).astype(np.float32)


def crossfade(first: Array, second: Array, frames: int | None = None) -> Array:
    """One encoding that fades into another, along half a period of a cosine.

    Args:
        first, second: [frames, 16].
        frames: that both share; without it as many as the shorter one has.

    Raises:
        ValueError: one of them is too short.
    """
    shortest = min(len(first), len(second))
    shared = shortest if frames is None else frames
    if not 0 <= shared <= shortest:
        raise ValueError(f"they cannot share {shared} frames: one of them has {shortest}")
    rising = (0.5 - 0.5 * np.cos(np.pi * np.arange(shared) / max(shared, 1)))[:, None]
    between = first[len(first) - shared :] * (1 - rising) + second[:shared] * rising
    return np.concatenate([first[: len(first) - shared], between.astype(np.float32), second[shared:]])

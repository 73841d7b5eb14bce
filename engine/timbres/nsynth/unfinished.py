# pyright: strict
"""A synthesis that is not finished, in a file: whoever is killed goes on there, to the very same samples.

The file is a line of JSON and then bare numbers, little-endian: the samples so far, what the player remembers, and a
checksum. It says which job it belongs to, and is not taken for another. Chance needs no place in it: each note draws
512 numbers a frame from a generator that can be moved on.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import PerpetuumError
from engine.files import open_regular, reason
from engine.output_file import OutputFile
from engine.timbres.nsynth.layout import HOP, TAPS, WaveNetLayout
from engine.timbres.nsynth.synthesis import SavedSynthesis

ENDING = ".unfinished"
_FORMAT = "perpetuum-nsynth-1"
_LONGEST_LINE = 1 << 20
_START_OVER = "Delete it, or say --afresh, to begin anew."


def job_digest(weights: str, encodings: Sequence[NDArray[np.float32]], settings: Sequence[object]) -> str:
    """What tells one synthesis from another: a hash of all that decides what it plays.

    Args:
        weights: digest of the checkpoint.
        encodings: that are played.
        settings: seeds and the like.
    """
    digest = hashlib.sha256(repr((_FORMAT, weights, *settings)).encode())
    for encoding in encodings:
        digest.update(repr(encoding.shape).encode() + np.ascontiguousarray(encoding).tobytes())
    return digest.hexdigest()


def write_unfinished(path: Path, job: str, saved: SavedSynthesis) -> None:
    """Put a synthesis aside; the file is there whole, or the one before is.

    Raises:
        PerpetuumError: it cannot be written.
    """
    line = {"format": _FORMAT, "job": job, "time": saved.time, "playing": saved.playing}
    check = 0
    with OutputFile(path) as output:
        output.file.write(json.dumps(line).encode() + b"\n")
        for array, kind in ((saved.values, "<i2"), *((array, "<f4") for array in saved.arrays)):
            data = np.ascontiguousarray(array, kind).data.cast("B")
            check = zlib.crc32(data, check)
            output.file.write(data)
        output.file.write(check.to_bytes(4, "little"))


def read_unfinished(path: Path, job: str, layout: WaveNetLayout, frames: Sequence[int]) -> SavedSynthesis | None:
    """Take up a synthesis that was put aside; None where there is none, or it is of another job.

    Args:
        path: of the file.
        job: `job_digest` of what is to be played.
        layout: of the network.
        frames: of each note.

    Raises:
        PerpetuumError: the file is damaged, or cannot be read.
    """
    try:
        with open_regular(path) as file:
            line = b""
            while not line.endswith(b"\n") and len(line) < _LONGEST_LINE and (more := file.readline(_LONGEST_LINE)):
                line += more
            head = _head(line)
            if head.get("format") != _FORMAT or head.get("job") != job:
                return None
            time, playing = head.get("time"), head.get("playing")
            rows = [number for number, count in enumerate(frames) if isinstance(time, int) and count * HOP > time]
            if not isinstance(time, int) or time < 1 or playing != rows:
                raise ValueError("it does not fit the notes")
            shapes: list[tuple[int, ...]] = [(len(frames), time)]
            if rows:
                shapes.append((len(rows), TAPS))
                shapes += [(2 * layout.dilation(layer), len(rows), layout.width) for layer in range(layout.layers)]
            check, arrays = 0, list[NDArray[Any]]()
            for shape in shapes:
                array = np.empty(shape, "<f4" if arrays else "<i2")
                view = array.data.cast("B")
                if _filled(file, view) != len(view):
                    raise ValueError("it is cut off")
                check = zlib.crc32(view, check)
                arrays.append(array)
            if file.read(5) != check.to_bytes(4, "little"):
                raise ValueError("its checksum does not fit")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PerpetuumError(
            f"{path}: this unfinished work cannot be gone on with: {reason(error)}", _START_OVER
        ) from error
    values, *remembered = arrays
    return SavedSynthesis(
        time, rows, values.astype(np.int16, copy=False), [array.astype(np.float32) for array in remembered]
    )


def _head(line: bytes) -> dict[str, object]:
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", head) if isinstance(head, dict) else {}


def _filled(file: Any, view: memoryview) -> int:
    done = 0
    while done < len(view) and (count := file.readinto(view[done:])):
        done += count
    return done

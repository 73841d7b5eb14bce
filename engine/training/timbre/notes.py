# pyright: strict
"""The notes that the timbre network learns from: rendered, taken apart, and kept, a file a program."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import PerpetuumError
from engine.networks.threads import one_thread
from engine.output_file import output_folder, write_bytes
from engine.timbres.neural.analysis import analyse
from engine.timbres.neural.layout import HIGHEST, LOWEST, SIZE, Array, as_vector
from engine.training.timbre.soundfont import groups, read_programs, render_notes

PROGRAMS = range(120)
"""What is learnt from: General MIDI without its last eight, which are noises."""

PITCHES = list(range(LOWEST, HIGHEST + 1, 2))

HELD_OUT = (5, 11, 16, 19, 32, 41, 46, 53, 56, 68, 73, 82, 104, 114)
"""Programs that stand for the groups that training never hears: of each family of General MIDI one or two."""

VALIDATED = (2, 12, 24, 40, 58, 70, 77, 105)
"""Those by which training chooses when to stop."""


@dataclass(frozen=True, slots=True)
class AnalysedNotes:
    """Notes taken apart.

    Attributes:
        vectors: [notes, SIZE], float32.
        pitches: [notes], MIDI.
        programs: [notes].
        group_of: the group of each program.
    """

    vectors: Array
    pitches: NDArray[np.int64]
    programs: NDArray[np.int64]
    group_of: dict[int, int]

    def of(self, programs: tuple[int, ...]) -> NDArray[np.bool_]:
        """[notes]: which are of the groups of these programs."""
        wanted = {self.group_of[one] for one in programs if one in self.group_of}
        return np.array([self.group_of[int(one)] in wanted for one in self.programs])


def prepare_notes(font: Path, folder: Path, told: Callable[[int, int], None] = lambda done, of: None) -> AnalysedNotes:
    """Render and take apart what is not there yet; what is there is read.

    Args:
        font: FluidR3_GM.sf2.
        folder: a file a program is kept here.
        told: how many programs are done, of how many.

    Raises:
        PerpetuumError: no such font, no FluidSynth, or a file that is there cannot be read.
    """
    group_of = {program: number for number, group in enumerate(groups(read_programs(font))) for program in group}
    output_folder(folder)
    parts: list[tuple[int, dict[str, Array]]] = []
    wanted = [program for program in PROGRAMS if program in group_of]
    for done, program in enumerate(wanted):
        told(done, len(wanted))
        path = folder / f"program_{program:03d}.npz"
        if not path.exists():
            write_bytes(path, _taken_apart(font, program))
        parts.append((program, _read(path)))
    told(len(wanted), len(wanted))
    return AnalysedNotes(
        np.concatenate([part["vectors"].astype(np.float32) for _, part in parts]),
        np.concatenate([part["pitches"].astype(np.int64) for _, part in parts]),
        np.concatenate([np.full(len(part["pitches"]), program, np.int64) for program, part in parts]),
        group_of,
    )


def _taken_apart(font: Path, program: int) -> bytes:
    vectors: list[Array] = []
    kept: list[int] = []
    with one_thread():
        for pitch, sound in zip(PITCHES, render_notes(font, program, PITCHES), strict=True):
            if float(np.abs(sound).max()) < 1e-4:  # the font has nothing there
                continue
            vectors.append(as_vector(analyse(sound, pitch).envelopes))
            kept.append(pitch)
    file = io.BytesIO()
    np.savez(
        file,
        vectors=np.array(vectors, np.float16).reshape(-1, SIZE),
        pitches=np.array(kept, np.int16),
    )
    return file.getvalue()


def _read(path: Path) -> dict[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = {name: stored[name] for name in ("vectors", "pitches")}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise PerpetuumError(f"{path}: cannot be read", "Delete it; it is made again.") from error
    if found["vectors"].shape != (len(found["pitches"]), SIZE):
        raise PerpetuumError(f"{path}: it is of another version", "Delete the folder; it is made again.")
    return found

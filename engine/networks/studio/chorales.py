# pyright: strict
"""Chorales to order: from nothing, or around a melody that is given to one voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.chorale.encoding import HIGHEST, LOWEST, RANGES, VOICES
from engine.networks.chorale.network import ChoraleNetwork
from engine.networks.chorale.notes import line_of
from engine.networks.chorale.writing import FREE, Writing, Written, write
from engine.score.harmony.counterpoint import Faults, found
from engine.score.harmony.key_finding import find_key
from engine.score.harmony.keys import Key

MOST_STEPS = 4096
"""Sixteenths of a chorale, at most: 256 bars."""


@dataclass(frozen=True, slots=True)
class Chorale:
    """A chorale that was made.

    Attributes:
        piece: [T, 4] pitches, -1 for silence.
        given: [T, 4] whether a note was given.
        log_likelihood: nats of all notes at temperature 1.
        faults: what the judge of counterpoint underlines.
        ended: whether the network ended it itself.
        shift: semitones by which a given melody was moved into its voice's range, and which were undone.
    """

    piece: np.ndarray
    given: np.ndarray
    log_likelihood: float
    faults: Faults
    ended: bool
    shift: int = 0


def compose(
    network: ChoraleNetwork, steps: int, temperature: float, candidates: int, rng: np.random.Generator
) -> Chorale:
    """A chorale from nothing, which ends where the network ends it, or after so many sixteenths.

    Args:
        network: that sings.
        steps: sixteenths, at most.
        temperature: > 0.
        candidates: of which the judge of counterpoint takes one.
        rng: source of chance.
    """
    made = write(network, Writing(steps, temperature=temperature, particles=candidates, may_end=True), rng)
    best = _least_doubtful(made)
    return Chorale(
        best.piece,
        np.zeros(best.piece.shape, bool),
        best.log_likelihood,
        found(best.piece, key_of(best.piece)),
        best.ended,
    )


def harmonise(
    network: ChoraleNetwork,
    melody: np.ndarray,
    voice: int,
    temperature: float,
    candidates: int,
    passes: int,
    rng: np.random.Generator,
) -> Chorale:
    """A chorale around a melody, which one voice sings as it is.

    Args:
        network: that sings the other voices.
        melody: array of `NOTE` in beats; what is off the grid moves to the nearest sixteenth.
        voice: 0 for soprano to 3 for bass.
        temperature: > 0.
        candidates: ways to write it that grow side by side.
        passes: how often the other voices are drawn.
        rng: source of chance.

    Raises:
        PerpetuumError: there is no note in the melody, it is too long, or too wide for the network.
    """
    steps = int(np.ceil(float(melody["end"].max()) * 4 - 1e-6)) if len(melody) else 0
    if not steps:
        raise PerpetuumError("there is no note to harmonise", "Give a file with a melody, or another --track.")
    if steps > MOST_STEPS:
        raise PerpetuumError(
            f"the melody has {steps} sixteenths, and {MOST_STEPS} at most are harmonised at once", "Cut it."
        )
    line = line_of(melody, steps)
    shift = into_range(line, voice)
    moved = np.where(line >= 0, line + shift, line)
    given = np.full((steps, VOICES), FREE, np.int64)
    given[:, voice] = moved
    writing = Writing(
        steps, given, temperature=temperature, particles=candidates, passes=passes, rests=False, closes=True
    )
    best = _least_doubtful(write(network, writing, rng)[: max(1, candidates // 4)])
    piece = np.where(best.piece >= 0, best.piece - shift, best.piece)
    told = np.zeros(piece.shape, bool)
    told[:, voice] = True
    return Chorale(piece, told, best.log_likelihood, found(piece, key_of(piece)), True, shift)


def key_of(piece: np.ndarray) -> Key | None:
    """The key that the notes of a piece speak for; None where they speak for none."""
    sounding = piece[piece >= 0]
    return find_key(sounding, np.ones(len(sounding)))


def _least_doubtful(made: list[Written]) -> Written:
    """The one that the judge likes best; of equal ones the first."""
    doubts = [round(found(one.piece, key_of(one.piece)).doubt, 3) for one in made]
    return made[int(np.argmin(doubts))]


def into_range(line: np.ndarray, voice: int, octaves_only: bool = False) -> int:
    """Semitones that bring a line into what a voice sings: whole octaves where they do.

    Args:
        line: pitches, below 0 for silence; some sound.
        voice: 0 for soprano to 3 for bass.
        octaves_only: the key has to stay.

    Raises:
        PerpetuumError: the line is wider than what the network knows.
    """
    low, high = RANGES[voice]
    sung = line[line >= 0]
    if int(np.ptp(sung)) > HIGHEST - LOWEST:
        raise PerpetuumError(
            f"the melody spans {int(np.ptp(sung))} semitones, and the network knows {HIGHEST - LOWEST}",
            "Name the --track of one voice.",
        )

    def cost(shift: int) -> tuple[int, int]:
        outside = int(((sung + shift < low) | (sung + shift > high)).sum())
        unknown = int(((sung + shift < LOWEST) | (sung + shift > HIGHEST)).sum())
        return 10 * unknown + outside, abs(shift)

    octaves = min((12 * k for k in range(-6, 7)), key=cost)
    return octaves if octaves_only or not cost(octaves)[0] else min(range(octaves - 6, octaves + 7), key=cost)

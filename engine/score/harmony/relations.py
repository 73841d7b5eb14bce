# pyright: strict
"""Keys by their relation to another key, and music that is taken from one key into another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.score.harmony.keys import MODES, Key

_MAJOR_OF = {"minor pentatonic": "major pentatonic"}
_MINOR_OF = {"major pentatonic": "minor pentatonic"}
_STEPS_OF_MAJOR = MODES["major"]


def is_minor(key: Key) -> bool:
    """Whether a key has a minor third and no major one."""
    return (key.tonic + 3) % 12 in key and (key.tonic + 4) % 12 not in key


def parallel(key: Key) -> Key:
    """The key on the same tonic with the other third: D minor of D major, D major of D dorian."""
    if is_minor(key):
        return Key(key.tonic, _MAJOR_OF.get(key.mode, "major"))
    return Key(key.tonic, _MINOR_OF.get(key.mode, "minor"))


def relative(key: Key) -> Key:
    """The key of the other third with the same notes: A minor of C major, C major of D dorian.

    Scales that are none of the church modes count as the minor or major that they lean on.
    """
    if key.mode in (*_MAJOR_OF, *_MINOR_OF):
        tonic = key.tonic + (3 if is_minor(key) else 9)
        return Key(tonic % 12, _MAJOR_OF.get(key.mode) or _MINOR_OF[key.mode])
    of_major = _major_of(key)
    return Key(of_major, "major") if is_minor(key) else Key((of_major + 9) % 12, "minor")


def _major_of(key: Key) -> int:
    """Tonic of the major key with the notes of a key."""
    for tonic in range(12):
        if {(tonic + step) % 12 for step in _STEPS_OF_MAJOR} == set(key.scale):
            return tonic
    return (key.tonic + 3) % 12 if is_minor(key) else key.tonic


def _moved(semitones: int) -> Callable[[Key], Key]:
    return lambda key: Key((key.tonic + semitones) % 12, key.mode)


RELATIONS: dict[str, Callable[[Key], Key]] = {
    "fifth up": _moved(7),
    "fifth down": _moved(-7),
    "major third up": _moved(4),
    "minor third up": _moved(3),
    "major third down": _moved(-4),
    "minor third down": _moved(-3),
    "step up": _moved(2),
    "step down": _moved(-2),
    "relative": relative,
    "parallel": parallel,
}
"""Keys that can be named by how they stand to another one."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A key that is known by another one.

    Attributes:
        name: one of `RELATIONS`.
    """

    name: str

    def of(self, key: Key) -> Key:
        """The key that stands so to a key."""
        return RELATIONS[self.name](key)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class KeySpan:
    """A key that holds from start to end (beats)."""

    start: float
    end: float
    key: Key


def taken_into(pitches: np.ndarray, old: Key, new: Key) -> np.ndarray:
    """Pitches [n] of one key in another: each on the same degree of its scale, moved by half an octave at most.

    What lies between two degrees stays between them; between keys of different sizes all move by the same interval.
    """
    up = (new.tonic - old.tonic + 5) % 12 - 5
    pitches = np.asarray(pitches, int)
    steps, others = MODES[old.mode], MODES[new.mode]
    if old.mode == new.mode or len(steps) != len(others):
        return _inside(pitches + up)
    table = np.zeros(12, int)
    for above in range(12):
        degree = max(place for place, step in enumerate(steps) if step <= above)
        table[above] = others[degree] + above - steps[degree]
    above = (pitches - old.tonic) % 12
    return _inside(pitches - above + table[above] + up)


def _inside(pitches: np.ndarray) -> np.ndarray:
    """Pitches [n] within MIDI's range, by octaves."""
    low = np.where(pitches < 0, pitches % 12, pitches)
    return np.where(low > 127, 116 + (low - 116) % 12, low)

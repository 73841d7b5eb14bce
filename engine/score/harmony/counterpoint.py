# pyright: strict
"""What a teacher of part-writing would underline: parallels, wide spacing, crossing, a leading note gone astray.

Source: rules as in any textbook of four-part writing, such as Aldwell & Schachter, "Harmony and Voice Leading". Bach
himself breaks each of them now and then: `found` counts, and `doubt` weighs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from engine.score.harmony.keys import Key

_WEIGHTS = {"fifths": 3.0, "octaves": 4.0, "spacing": 0.5, "crossing": 1.0, "leading": 2.0}


@dataclass(frozen=True, slots=True)
class Faults:
    """How often rules are broken.

    Attributes:
        changes: from one sonority to another in which at least one voice moves.
        fifths, octaves: changes with two voices that go the same way from a perfect fifth (an octave, a unison) to
            another; compound ones count.
        spacing: sonorities whose soprano and alto, or alto and tenor, are more than an octave apart.
        crossing: sonorities in which a voice is above the one over it.
        leading: leading notes of a key that are there twice, or whose voice goes elsewhere than to the tonic where a
            dominant becomes a tonic chord.
    """

    changes: int
    fifths: int
    octaves: int
    spacing: int
    crossing: int
    leading: int

    @property
    def doubt(self) -> float:
        """Weighted faults per change; 0 is blameless."""
        return sum(weight * getattr(self, name) for name, weight in _WEIGHTS.items()) / max(1, self.changes)


def found(piece: np.ndarray, key: Key | None = None) -> Faults:
    """The faults of some voices.

    Args:
        piece: [T, voices] pitches, the highest voice first, below 0 for silence.
        key: whose leading note is looked at; None for none.
    """
    piece = np.asarray(piece)
    if not len(piece):
        return Faults(0, 0, 0, 0, 0, 0)
    moves = np.flatnonzero((piece[1:] != piece[:-1]).any(axis=1)) + 1
    chords = piece[np.concatenate([[0], moves])]
    before, after = chords[:-1], chords[1:]
    fifths, octaves = np.zeros(len(before), bool), np.zeros(len(before), bool)
    for upper, lower in combinations(range(piece.shape[1]), 2):
        sounding = (before[:, [upper, lower]] >= 0).all(axis=1) & (after[:, [upper, lower]] >= 0).all(axis=1)
        up, down = after[:, upper] - before[:, upper], after[:, lower] - before[:, lower]
        same = sounding & (up * down > 0)
        then, now = (before[:, upper] - before[:, lower]) % 12, (after[:, upper] - after[:, lower]) % 12
        fifths |= same & (then == now) & (now == 7)
        octaves |= same & (then == now) & (now == 0)
    gaps = chords[:, :-1] - chords[:, 1:]
    both = (chords[:, :-1] >= 0) & (chords[:, 1:] >= 0)
    wide = (both & (gaps > 12))[:, :-1].any(axis=1)
    crossed = (both & (gaps < 0)).any(axis=1)
    return Faults(
        len(before),
        int(fifths.sum()),
        int(octaves.sum()),
        int(wide.sum()),
        int(crossed.sum()),
        _leading(chords, key) if key is not None else 0,
    )


def _leading(chords: np.ndarray, key: Key) -> int:
    leading = (key.tonic - 1) % 12
    if leading not in leading_notes(key):
        return 0
    classes = np.where(chords >= 0, chords % 12, -1)
    doubled = int(((classes == leading).sum(axis=1) > 1).sum())
    dominant = ((classes == leading).any(axis=1) & (classes == (key.tonic + 7) % 12).any(axis=1))[:-1]
    tonic = classes[1:, -1] == key.tonic
    astray = 0
    for place in np.flatnonzero(dominant & tonic).tolist():
        voice = int(np.argmax(classes[place] == leading))
        astray += int(chords[place + 1, voice] != chords[place, voice] + 1)
    return doubled + astray


def leading_notes(key: Key) -> tuple[int, ...]:
    """The pitch class a semitone under the tonic, where music in the key leads by it: its own, or raised in minor."""
    leading = (key.tonic - 1) % 12
    minor_third = (key.tonic + 3) % 12 in key and (key.tonic + 4) % 12 not in key
    return (leading,) if leading in key or minor_third else ()

# pyright: strict
"""The key that some notes are in, by how long each pitch class sounds."""

from __future__ import annotations

import numpy as np

from engine.score.harmony.keys import Key

_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
"""How well listeners find that each pitch class fits, from the tonic upwards (Krumhansl, "Cognitive Foundations of
Musical Pitch", 1990, chapter 2)."""


def find_key(pitches: np.ndarray, weights: np.ndarray) -> Key | None:
    """The major or minor key whose profile correlates best with the notes (Krumhansl and Schmuckler's method).

    Args:
        pitches: MIDI pitches [n].
        weights: how much each counts (sounding beats) [n].

    Returns:
        None for no notes, and for notes that tell nothing, such as all twelve alike.
    """
    heard = np.bincount(np.asarray(pitches, np.int64) % 12, weights=weights, minlength=12)
    if not len(pitches) or np.ptp(heard) < 1e-9:
        return None
    keys = [Key(tonic, mode) for mode in _PROFILES for tonic in range(12)]
    fits = [np.corrcoef(np.roll(_PROFILES[key.mode], key.tonic), heard)[0, 1] for key in keys]
    return keys[int(np.argmax(fits))]

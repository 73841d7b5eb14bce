# pyright: strict
"""What a network made for a request, and which of it was taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class PhraseCandidate:
    """One phrase that a network made.

    Attributes:
        notes: as they would be played: array [n] of `NOTE`.
        made: what of that is the network's own, in range and key, before it was moved to another part's rhythm; in the
            same beats.
        snapped: notes of it that were moved into the key.
        nats: per note, of what the network made, at temperature 1; None where nobody counted.
        faults: what a judge of counterpoint says of it, 0 for nothing; None where it is not asked.
    """

    notes: np.ndarray
    made: np.ndarray
    snapped: int = 0
    nats: float | None = None
    faults: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The candidate that was taken.

    Attributes:
        candidate: which one.
        place: of it among those that were made with it, in the order in which they were made.
        scores: of each of these, 0..1 to a thousandth; 0 where one cannot be played. Empty where there was no choice.
        qualities: of the one that was taken: by name, 0..1 to a thousandth.
    """

    candidate: PhraseCandidate
    place: int = 0
    scores: tuple[float, ...] = ()
    qualities: tuple[tuple[str, float], ...] = ()

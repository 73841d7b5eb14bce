# pyright: strict
"""How notes fit together: into one collection of seven pitch classes, and beside the chords that sound."""

from __future__ import annotations

from collections import deque
from collections.abc import Container

MAJOR = (0, 2, 4, 5, 7, 9, 11)
"""Every diatonic mode is a rotation of it."""

NOTES = 64
"""Notes over which it is judged."""

SECONDS = 60.0
"""How far back these may lie."""

FEWEST = 32
"""Notes below which nothing is said."""


class Fitting:
    """The last notes of a part: do they belong to a key, and do they rub against the chords?"""

    def __init__(self) -> None:
        self._notes: deque[tuple[float, int, bool | None]] = deque(maxlen=NOTES)

    def hear(self, seconds: float, pitch: int, chord: Container[int] | None) -> None:
        """Take in a note.

        Args:
            seconds: at which it begins.
            pitch: MIDI pitch.
            chord: pitch classes of the chord that holds there; None where nobody means one.
        """
        tone = pitch % 12
        clashes = (
            None if chord is None else tone not in chord and ((tone + 1) % 12 in chord or (tone - 1) % 12 in chord)
        )
        self._notes.append((seconds, tone, clashes))

    def forget_before(self, seconds: float) -> None:
        """Drop notes that are too old."""
        while self._notes and self._notes[0][0] < seconds - SECONDS:
            self._notes.popleft()

    def begin_anew(self) -> None:
        """Forget all notes."""
        self._notes.clear()

    @property
    def fit(self) -> float | None:
        """Share of the notes in the collection that holds most of them, 7/12 by mere chance and more; None: too few."""
        if len(self._notes) < FEWEST:
            return None
        counts = [0] * 12
        for _, tone, _ in self._notes:
            counts[tone] += 1
        return max(sum(counts[(step + root) % 12] for step in MAJOR) for root in range(12)) / len(self._notes)

    @property
    def clash(self) -> float | None:
        """Share of the notes that are no tone of the chord, and a semitone beside one; None where too few are known."""
        known = [clashes for _, _, clashes in self._notes if clashes is not None]
        return sum(known) / len(known) if len(known) >= FEWEST else None

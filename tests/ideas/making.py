"""Ideas for tests."""

import numpy as np

from engine.ideas.idea import Idea, IdeaKind
from engine.score.harmony.keys import Key
from engine.score.phrase import Origin, Phrase, Provenance

MADE = Provenance("made", Origin.RULES)


def idea(pitches=(60, 62, 64, 67), theme="A", part="lead", first_bar=0, key="C major", step=1.0, bars=1) -> Idea:
    notes = [(place * step, (place + 1) * step, pitch, 80) for place, pitch in enumerate(pitches)]
    phrase = Phrase.of([note for note in notes if note[0] < bars * 4.0], bars * 4.0, MADE)
    return Idea(IdeaKind.MOTIF, theme, part, first_bar, Key.parse(key), 4.0, phrase)


def intervals(notes: np.ndarray) -> list[int]:
    return np.diff(notes["pitch"].astype(int)).tolist()

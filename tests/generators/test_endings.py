"""Endings of phrases."""

from __future__ import annotations

import numpy as np

from engine.generators import endings, harmony
from engine.score.phrase import NOTE
from engine.units import PitchRange
from tests.generators.asking import request


def test_of_notes_that_begin_at_once_the_highest_stays_so_that_none_is_left_without_a_length():
    """A theme that was found in a doubled part has such notes."""
    asked = request("melody_rules")
    notes = np.array([(0, 1, 60, 80), (0, 1, 72, 80), (3, 4, 62, 80), (3, 3.5, 59, 80), (5, 6, 64, 80)], NOTE)
    closed = endings.close(notes, asked, harmony.chords_under(asked), PitchRange(48, 84))
    assert closed["start"].tolist() == [0, 3, 5]
    assert closed["pitch"][:2].tolist() == [72, 62]
    assert (closed["end"] > closed["start"]).all()

"""The judge of part-writing."""

from __future__ import annotations

import numpy as np
import pytest

from engine.score.harmony.counterpoint import found, leading_notes
from engine.score.harmony.keys import Key

C, A_MINOR = Key.parse("C major"), Key.parse("A minor")


def held(*chords: tuple[int, int, int, int]) -> np.ndarray:
    return np.repeat(np.array(chords), 4, axis=0)


def test_a_textbook_cadence_is_blameless():
    """I-IV-V-I in C, after which no teacher asks."""
    faults = found(held((64, 60, 55, 48), (65, 60, 57, 53), (62, 59, 55, 43), (64, 60, 55, 48)), C)
    assert faults.doubt == 0
    assert faults.changes == 3


def test_parallel_fifths_and_octaves_are_counted_once_a_change():
    faults = found(held((67, 60, 55, 48), (69, 62, 57, 50)), C)
    assert (faults.fifths, faults.octaves) == (1, 1)


def test_a_fifth_that_stays_or_that_is_reached_by_contrary_motion_is_none():
    assert found(held((67, 64, 60, 48), (67, 65, 60, 48))).fifths == 0
    assert found(held((67, 64, 60, 60), (62, 64, 60, 67))).fifths == 0


def test_wide_spacing_counts_between_the_upper_voices_alone():
    assert found(held((76, 62, 55, 48))).spacing == 1
    assert found(held((67, 64, 60, 40))).spacing == 0


def test_crossing_is_counted():
    assert found(held((64, 65, 55, 48))).crossing == 1


@pytest.mark.parametrize(("last", "astray"), [((64, 60, 55, 48), 0), ((64, 55, 60, 48), 1)])
def test_the_leading_note_goes_to_the_tonic(last, astray):
    assert found(held((62, 59, 55, 43), last), C).leading == astray


def test_a_doubled_leading_note_is_counted():
    assert found(held((71, 62, 59, 43)), C).leading == 1


def test_minor_leads_by_its_raised_seventh_and_modes_without_a_leading_note_by_none():
    assert leading_notes(A_MINOR) == (8,)
    assert leading_notes(C) == (11,)
    assert leading_notes(Key.parse("G mixolydian")) == ()


def test_silence_and_nothing_break_no_rule():
    assert found(np.zeros((0, 4), int)).doubt == 0
    assert found(held((-1, -1, -1, -1), (64, -1, -1, 48))).doubt == 0


def test_chorales_of_bach_break_few_rules():
    """The first eight beats of the training split, as the data set has it."""
    bars = [(74, 70, 65, 58), (75, 70, 58, 55), (75, 70, 60, 55), (77, 69, 62, 50), (77, 70, 62, 55), (77, 69, 62, 55)]
    faults = found(held(*bars), Key.parse("Bb major"))
    assert faults.fifths == faults.octaves == faults.crossing == 0

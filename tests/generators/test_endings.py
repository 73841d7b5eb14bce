"""Endings of phrases."""

from __future__ import annotations

import numpy as np

from engine.generators import endings, harmony
from engine.score.harmony.chords import Chord
from engine.score.phrase import NOTE, ChordSpan
from engine.units import PitchRange
from tests.generators.asking import phrase, request


def test_of_notes_that_begin_at_once_the_highest_stays_so_that_none_is_left_without_a_length():
    """A theme that was found in a doubled part has such notes."""
    asked = request("melody_rules")
    notes = np.array([(0, 1, 60, 80), (0, 1, 72, 80), (3, 4, 62, 80), (3, 3.5, 59, 80), (5, 6, 64, 80)], NOTE)
    closed = endings.close(notes, asked, harmony.chords_under(asked), PitchRange(48, 84))
    assert closed["start"].tolist() == [0, 3, 5]
    assert closed["pitch"][:2].tolist() == [72, 62]
    assert (closed["end"] > closed["start"]).all()


def test_several_voices_come_home_together_where_a_section_ends_and_nowhere_else():
    chords = phrase((), chords=(ChordSpan(0.0, 16.0, Chord(2, "m")),))
    notes = np.array([(11, 16, 53, 70), (12, 14.5, 64, 70), (13.9, 16, 72, 70), (15, 15.5, 79, 80)], NOTE)
    ending, going_on = request("polyphony_rnn", bar=12, chords=chords), request("polyphony_rnn", chords=chords)
    span = PitchRange(48, 84)
    closed = endings.close_voices(notes, ending, harmony.chords_under(ending), span)
    assert closed["pitch"].tolist() == [50, 65, 74]
    assert closed["end"].tolist() == [16, 16, 16]
    assert endings.close_voices(notes, going_on, harmony.chords_under(going_on), span) is notes


def test_voices_that_meet_at_an_ending_are_one_and_silence_stays():
    ending = request("polyphony_rnn", bar=12)
    notes = np.array([(12, 16, 52, 70), (12, 16, 49, 70), (13, 16, 51, 70)], NOTE)
    spans, span = harmony.chords_under(ending), PitchRange(48, 84)
    assert endings.close_voices(notes, ending, spans, span)["pitch"].tolist() == [53, 50]
    early = np.array([(0, 2, 60, 70)], NOTE)
    assert endings.close_voices(early, ending, spans, span).tolist() == early.tolist()

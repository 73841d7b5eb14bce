"""Arpeggios: their patterns, their pulse, and how they change."""

import numpy as np
import pytest

from engine.score.harmony.chords import Chord
from engine.score.phrase import ChordSpan
from tests.generators.asking import made, phrase, pitches, starts_in_steps

MINOR = phrase([], chords=[ChordSpan(0, 16, Chord(2, "m"))])
STEADY = {"evolve": "0 %", "density": "100 %", "notes": 4}


def arpeggio(pattern, **how):
    settings = {**STEADY, "pattern": pattern, **how.pop("settings", {})}
    return made("arpeggio", chords=MINOR, settings=settings, **how)


def test_up_climbs_and_down_falls_through_the_chord():
    up, down = pitches(arpeggio("up")), pitches(arpeggio("down"))
    assert all(pitch in Chord(2, "m") for pitch in up + down)
    assert up[:4] == sorted(set(up))
    assert down[:4] == up[:4][::-1]
    assert up == up[:4] * 8


def test_updown_turns_at_both_ends():
    assert np.sign(np.diff(pitches(arpeggio("updown"))[:7])).tolist() == [1, 1, 1, -1, -1, -1]


@pytest.mark.parametrize("pattern", ["walk", "euclid", "updown"])
def test_a_pattern_uses_several_notes(pattern):
    assert len(set(pitches(arpeggio(pattern, settings={"notes": 6})))) >= 3


def test_the_rate_is_the_distance_of_the_notes_and_runs_through_bars_and_phrases():
    first, second = (arpeggio("up", bar=bar, settings={"rate": "3 steps"}) for bar in (0, 4))
    assert starts_in_steps(first) == set(range(0, 64, 3))
    assert starts_in_steps(second) == {step - 64 for step in range(64, 128) if step % 3 == 0}


def test_a_cycle_goes_on_where_the_phrase_before_left_off():
    both = arpeggio("up", bars=2, settings={"notes": 5})
    halves = [arpeggio("up", bars=1, bar=bar, settings={"notes": 5}) for bar in (0, 1)]
    assert pitches(both) == pitches(halves[0]) + pitches(halves[1])


def test_density_leaves_out_notes_but_not_the_strong_beats():
    sparse = starts_in_steps(arpeggio("up", settings={"density": "20 %"}))
    assert len(sparse) < 24
    assert {0, 8, 16, 24} <= sparse


def test_evolving_changes_the_cycle_from_phrase_to_phrase():
    still = {tuple(pitches(arpeggio("up", bar=bar, seed=bar, section_bars=64))) for bar in range(0, 32, 4)}
    moving = {
        tuple(pitches(arpeggio("up", bar=bar, seed=bar, section_bars=64, settings={"evolve": "100 %"})))
        for bar in range(0, 32, 4)
    }
    assert len(still) == 1
    assert len(moving) >= 5


def test_gate_is_the_share_of_the_step_that_sounds():
    notes = arpeggio("up", settings={"gate": "40 %"}).notes
    assert (notes["end"] - notes["start"]).tolist() == pytest.approx([0.2] * len(notes))

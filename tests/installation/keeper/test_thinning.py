"""Quiet mode's density: which notes of a bar stay."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.installation.keeper.mind.thinning import thinned
from engine.sound.messages import NOTE_EVENT, Notes

NOTE = st.tuples(st.integers(0, 10_000), st.integers(1, 10_000), st.integers(30, 90), st.integers(1, 127))


def bar(notes) -> Notes:
    return Notes("a", np.array([(on, on + length, pitch, vel) for on, length, pitch, vel in notes], NOTE_EVENT))


@given(st.lists(NOTE, max_size=40, unique=True), st.floats(0.0, 1.0))
def test_as_many_stay_as_was_asked_for_in_their_order_and_never_none(notes, density):
    before = bar(notes)
    (after,) = thinned([before], density)
    assert len(after.notes) == min(len(notes), max(1, int(np.ceil(len(notes) * density - 1e-9))))
    places = [int(np.flatnonzero(before.notes == note)[0]) for note in after.notes]
    assert places == sorted(places)


def test_what_carries_the_music_stays():
    ghost, long, strong, short = (0, 100, 60, 20), (0, 4800, 50, 80), (10, 400, 62, 120), (20, 400, 64, 40)
    (kept,) = thinned([bar([ghost, long, strong, short])], 0.5)
    assert [int(note["pitch"]) for note in kept.notes] == [50, 62]
    (same,) = thinned([bar([(200, 100, 60, 90), (100, 100, 64, 90), (100, 100, 60, 90)])], 0.3)
    assert [(int(note["on"]), int(note["pitch"])) for note in same.notes] == [(100, 60)]


def test_without_quiet_mode_nothing_is_looked_at():
    notes = [bar([(0, 1, 60, 1)])]
    assert thinned(notes, 1.0)[0] is notes[0]

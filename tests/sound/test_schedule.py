import random

import numpy as np
import pytest

from engine.sound.messages import NOTE_EVENT, Control, Ramp
from engine.sound.schedule import Schedule
from tests.sound.rendering import notes


def test_the_order_of_notes_does_not_depend_on_the_order_of_messages():
    events = [(frame, frame + 10, pitch, 80) for frame in (5, 5, 300, 300, 900) for pitch in (60, 64, 67)]
    one, many = Schedule(("a", "b")), Schedule(("a", "b"))
    for name in ("a", "b"):
        one.add_notes(name, notes(*events))
    singles = [(name, event) for name in ("a", "b") for event in events]
    random.Random(3).shuffle(singles)
    for name, event in singles:
        many.add_notes(name, notes(event))
    assert one.notes_before(1000) == many.notes_before(1000)


def test_notes_come_out_once_and_only_before_the_frame():
    schedule = Schedule(("a",))
    schedule.add_notes("a", notes((255, 300, 60, 80), (256, 300, 60, 80)))
    assert [note[0] for note in schedule.notes_before(256)] == [255]
    assert [note[0] for note in schedule.notes_before(512)] == [256]
    assert schedule.notes_before(10**12) == []


def test_forgetting_drops_what_begins_at_the_frame_or_later():
    schedule = Schedule(("a",))
    schedule.add_notes("a", notes((99, 300, 60, 80), (100, 300, 60, 80)))
    for start in (99, 100):
        schedule.add_ramp(Ramp("a", Control.LEVEL, 0.0, start, 200))
    schedule.forget_from(100)
    assert [note[0] for note in schedule.notes_before(1000)] == [99]
    assert [ramp[0] for ramp in schedule.ramps_before(1000)] == [99]


def test_a_part_that_is_not_there_is_told():
    assert not Schedule(("a",)).add_notes("b", notes((0, 1, 60, 80)))


def test_something_else_than_notes_is_refused():
    with pytest.raises(ValueError, match="NOTE_EVENT"):
        Schedule(("a",)).add_notes("a", np.zeros(3))


def test_a_note_of_velocity_0_is_no_note():
    schedule = Schedule(("a",))
    schedule.add_notes("a", np.array([(0, 10, 60, 0)], NOTE_EVENT))
    assert schedule.notes_before(100) == []

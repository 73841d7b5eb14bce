"""Facts about the event encodings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.networks import NO_EVENT, NOTE_OFF
from engine.networks.encodings import DrumKitEncoding, KeyMelodyEncoding, encode

melodies = st.lists(st.one_of(st.sampled_from([NO_EVENT, NOTE_OFF]), st.integers(0, 127)), min_size=1, max_size=80)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.sampled_from([NO_EVENT, NOTE_OFF]), st.integers(48, 83)), max_size=80))
def test_a_melodys_labels_decode_to_the_melody(events):
    encoding = KeyMelodyEncoding()
    _, labels = encode(encoding, events)
    stream = encoding.stream()
    for event, label in zip(events, labels, strict=True):
        assert 0 <= label < encoding.num_classes
        assert stream.decode(int(label)) == event
        stream.push(event)


@settings(max_examples=50, deadline=None)
@given(melodies)
@example([0, 126])
def test_squash_brings_every_pitch_into_the_range_and_keeps_pitch_classes_apart(events):
    encoding = KeyMelodyEncoding()
    squashed, shift = encoding.squash(events)
    assert [event < 0 for event in squashed] == [event < 0 for event in events]
    for before, after in zip(events, squashed, strict=True):
        if before >= 0:
            assert encoding.min_note <= after < encoding.max_note
            assert (before + shift - after) % 12 == 0


def test_squash_moves_a_melody_to_c_major_in_the_middle_of_the_range():
    d_major = [74, NO_EVENT, 76, 78, 79, 81, 83, 85, 86]
    squashed, shift = KeyMelodyEncoding().squash(d_major)
    assert {event % 12 for event in squashed if event >= 0} == {0, 2, 4, 5, 7, 9, 11}
    assert shift == -14


def test_restore_keeps_pitches_in_midis_range():
    restored = KeyMelodyEncoding().restore([NO_EVENT, NOTE_OFF, 48, 83], 60)
    assert restored[:2] == [NO_EVENT, NOTE_OFF]
    assert all(
        0 <= event < 128 and event % 12 == before % 12 for before, event in zip((48, 83), restored[2:], strict=True)
    )


def test_sizes_are_those_of_magentas_configs():
    assert (DrumKitEncoding().input_size, DrumKitEncoding().num_classes) == (518, 512)
    assert (KeyMelodyEncoding().input_size, KeyMelodyEncoding().num_classes) == (74, 40)


def test_the_start_announces_the_first_step_of_a_bar():
    encoding = KeyMelodyEncoding()
    inputs, labels = encode(encoding, [60, NO_EVENT], from_start=True)
    assert len(inputs) == len(labels) + 1
    sixteen_later, _ = encode(encoding, [NO_EVENT] * 16)
    assert inputs[0][49] == sixteen_later[15][49] == 1.0
    drums = DrumKitEncoding()
    np.testing.assert_array_equal(drums.stream().start()[512:], encode(drums, [0] * 64)[0][63][512:])


def test_an_event_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="512 is not a drum event"):
        DrumKitEncoding().validate([0, 512])
    with pytest.raises(ValueError, match="128 is not a melody event"):
        KeyMelodyEncoding().validate([60, 128])

"""Facts about the event encodings of drums, melody and improvisation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.networks import CONFIGS
from engine.networks.encodings.drums import DrumKitEncoding, OneDrumEncoding
from engine.networks.encodings.improv import chord_pitches, triad_chord
from engine.networks.encodings.melody import NO_EVENT, NOTE_OFF, KeyMelodyEncoding, from_notes, to_notes
from engine.networks.encodings.whole import encode
from engine.score.harmony.chords import Chord, parse_chord
from engine.score.phrase import NOTE

MELODIES = ("basic_rnn", "mono_rnn", "lookback_rnn", "attention_rnn", "attention_improv")
melodies = st.lists(st.one_of(st.sampled_from([NO_EVENT, NOTE_OFF]), st.integers(0, 127)), min_size=1, max_size=80)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.sampled_from([NO_EVENT, NOTE_OFF]), st.integers(48, 83)), max_size=80))
def test_a_melodys_labels_decode_to_the_melody(events):
    for name in MELODIES:
        encoding = CONFIGS[name].make_encoding()
        _, labels = encode(encoding, events)
        stream = encoding.stream()
        for event, label in zip(events, labels, strict=True):
            assert 0 <= label < encoding.num_classes
            assert stream.decode(int(label)) == event
            stream.push(event)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(48, 83), min_size=2, max_size=40), st.integers(1, 40))
def test_a_copied_stream_goes_on_by_itself(events, cut):
    for name in MELODIES:
        encoding = CONFIGS[name].make_encoding()
        expected, _ = encode(encoding, events)
        stream = encoding.stream()
        for event in events[:cut]:
            stream.push(event)
        other = stream.copy()
        for event in (50, NO_EVENT, 51):
            other.push(event)
        assert stream.events == events[:cut]
        for place, event in enumerate(events[cut:], start=cut):
            np.testing.assert_array_equal(stream.push(event), expected[place])


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


def test_improvisations_and_mono_rnn_leave_the_key_alone():
    d_major = [74, NO_EVENT, 76, 78, 79, 81, 83, 85, 86]
    for name in ("mono_rnn", "basic_improv", "attention_improv", "chord_pitches_improv"):
        squashed, shift = CONFIGS[name].make_encoding().squash(d_major)
        assert shift == 0
        assert {event % 12 for event in squashed} == {event % 12 for event in d_major}


def test_restore_keeps_pitches_in_midis_range():
    restored = KeyMelodyEncoding().restore([NO_EVENT, NOTE_OFF, 48, 83], 60)
    assert restored[:2] == [NO_EVENT, NOTE_OFF]
    assert all(
        0 <= event < 128 and event % 12 == before % 12 for before, event in zip((48, 83), restored[2:], strict=True)
    )


def test_the_start_announces_the_first_step_of_a_bar():
    encoding = KeyMelodyEncoding()
    inputs, labels = encode(encoding, [60, NO_EVENT], from_start=True)
    assert len(inputs) == len(labels) + 1
    sixteen_later, _ = encode(encoding, [NO_EVENT] * 16)
    assert inputs[0][49] == sixteen_later[15][49] == 1.0
    drums = DrumKitEncoding()
    np.testing.assert_array_equal(drums.stream().start()[512:], encode(drums, [0] * 64)[0][63][512:])


@pytest.mark.parametrize("bar", [12, 18, 14])
@pytest.mark.parametrize("name", ["drum_kit", "lookback_rnn", "attention_rnn"])
def test_every_bar_of_another_meter_begins_where_one_of_sixteen_does(name, bar):
    counter = slice(*{"drum_kit": (512, 518), "lookback_rnn": (114, 119), "attention_rnn": (42, 49)}[name])
    usual, other = (CONFIGS[name].make_encoding(steps) for steps in (16, bar))
    event = usual.default_event
    expected = [usual.stream().start(), *encode(usual, [event] * 47)[0]]
    found = [other.stream().start(), *encode(other, [event] * (3 * bar - 1))[0]]
    for place in range(3):
        np.testing.assert_array_equal(found[place * bar][counter], expected[place * 16][counter])
        np.testing.assert_array_equal(found[place * bar + 7][counter], expected[place * 16 + 7][counter])


def test_bars_that_divide_sixteen_are_counted_through():
    for name in ("drum_kit", "lookback_rnn"):
        halves, usual = (
            encode(CONFIGS[name].make_encoding(steps), [0 if name == "drum_kit" else 60] * 70) for steps in (8, 16)
        )
        np.testing.assert_array_equal(halves[0], usual[0])


def test_an_event_of_another_kind_is_refused():
    with pytest.raises(ValueError, match=r"512 is not a drum event: a bit mask 0..511 of 9 classes"):
        DrumKitEncoding().validate([0, 512])
    with pytest.raises(ValueError, match="2 is not a drum event"):
        OneDrumEncoding().validate([2])
    with pytest.raises(ValueError, match="128 is not a melody event"):
        KeyMelodyEncoding().validate([60, 128])


def test_melodies_on_the_grid_come_back_from_their_notes():
    notes = np.array([(0, 0.5, 60, 80), (0.5, 0.75, 62, 80), (1, 2, 64, 80)], NOTE)
    events = from_notes(notes, 2.0)
    assert events == [60, NO_EVENT, 62, NOTE_OFF, 64, NO_EVENT, NO_EVENT, NO_EVENT]
    np.testing.assert_array_equal(to_notes(events), notes)
    assert from_notes(notes, 2.0, 2) == [60, 62, 64, NO_EVENT]


def test_notes_between_two_steps_go_to_the_later_one():
    """As Magenta quantises: thirty-seconds fall on steps 0, 1, 1, 2, not on 0, 0, 1, 2 as rounding to even has it."""
    notes = np.array([(k / 8, k / 8 + 0.125, 60 + k, 80) for k in range(4)], NOTE)
    assert from_notes(notes, 1.0) == [60, 62, 63, NOTE_OFF]
    drums = np.array([(1 / 8, 0.25, 36, 80), (5 / 8, 0.75, 38, 80)], NOTE)
    assert DrumKitEncoding().from_notes(drums, 1.0, 4) == [0, 1, 0, 2]


def test_of_notes_that_begin_together_the_highest_is_the_melody():
    notes = np.array([(0, 1, 60, 80), (0, 0.5, 67, 80), (0.75, 1, 62, 80)], NOTE)
    assert from_notes(notes, 1.0) == [67, NO_EVENT, NOTE_OFF, 62]


def test_all_drums_are_one_to_one_drum():
    notes = np.array([(0, 0.25, 36, 80), (0, 0.25, 49, 80), (0.5, 0.75, 75, 80)], NOTE)
    encoding = OneDrumEncoding()
    assert encoding.from_notes(notes, 1.0, 2) == [1, 1]
    assert encoding.to_notes([1, 0], 2)["pitch"].tolist() == [39]
    assert DrumKitEncoding().from_notes(notes, 1.0, 4) == [1 + 128, 0, 2, 0]


def test_the_chord_before_an_event_is_the_one_under_it():
    encoding = CONFIGS["chord_pitches_improv"].make_encoding()
    stream = encoding.stream([Chord(0), Chord(7), None])
    seen = [stream.start(), stream.push(60), stream.push(62), stream.push(64), stream.push(64)]
    roots = [row[:13].nonzero()[0].tolist() for row in seen]
    assert roots == [[1], [8], [0], [0], [0]]


def test_chords_are_vectors():
    assert triad_chord(None).nonzero()[0].tolist() == [0]
    places = [
        int(triad_chord(parse_chord(figure)).argmax()) for figure in ("C#7", "Dm", "E+", "F#m7b5", "Gsus4", "Am7#5")
    ]
    assert places == [2, 15, 29, 43, 8, 22]
    assert chord_pitches(Chord(0, "7", 4)).nonzero()[0].tolist() == [1, 13, 17, 20, 23, 29]

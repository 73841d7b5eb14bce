"""Every transform: what it does, and that it never makes notes that cannot be played."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.generators.chain import transformed
from engine.generators.chance import stream
from engine.generators.contract import TRANSFORMS, Role
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import Key
from engine.score.phrase import NOTE, ChordSpan, Phrase
from tests.generators.asking import GIVEN, changed, made, phrase, pitches, request, same_notes

NAMES = sorted(TRANSFORMS.kinds())
TUNE = phrase(
    [(0, 1, 60, 80), (1, 1.5, 61, 70), (1.75, 2, 66, 60), (4, 6, 69, 90), (8.5, 9, 72, 50), (12, 16, 62, 100)]
)


def applied(name, source=TUNE, seed=1, asked=None, **how) -> Phrase:
    described = TRANSFORMS.get(name)
    asked = asked or request("melody_rules", key="C major", seed=seed)
    # Of those that need a network: what plays in its place.
    return described.apply(source, described.settings(**how), asked, stream(seed, name))


@st.composite
def phrases(draw):
    rows = draw(
        st.lists(
            st.tuples(st.floats(0, 15.99), st.floats(0.01, 20), st.integers(0, 127), st.integers(1, 127)),
            max_size=30,
        )
    )
    return phrase([(start, start + length, pitch, velocity) for start, length, pitch, velocity in rows])


@pytest.mark.parametrize("name", NAMES)
@given(source=phrases(), seed=st.integers(0, 2**40))
@settings(max_examples=25, deadline=None)
def test_any_phrase_stays_playable_and_keeps_its_length(name, source, seed):
    described = TRANSFORMS.get(name)
    if described.network:
        found = applied(name, source, seed, changed(request("drum_rules"), role=Role.DRUMS))
    else:
        found = transformed(source, request("melody_rules", seed=seed, transforms=((name, described.settings()),)), {})
    assert found.length == source.length


@pytest.mark.parametrize("name", NAMES)
def test_the_source_is_left_alone_and_the_same_chance_gives_the_same(name):
    before = TUNE.notes.copy()
    assert same_notes(applied(name, seed=3), applied(name, seed=3))
    assert np.array_equal(TUNE.notes, before)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_phrase_stays_empty(name):
    assert not len(applied(name, source=Phrase.empty(16.0, GIVEN)).notes)


@pytest.mark.parametrize("name", NAMES)
def test_the_shorthand_is_one_of_the_settings(name):
    described = TRANSFORMS.get(name)
    assert described.shorthand in described.settings.model_fields


@pytest.mark.parametrize("name", ["transpose", "fit_to_key", "fit_to_chords", "double", "octave_range"])
def test_drums_keep_their_pitches(name):
    drums = made("drum_rules")
    assert same_notes(applied(name, source=drums, asked=changed(request("drum_rules"), role=Role.DRUMS)), drums)


def test_transpose_moves_notes_and_chords():
    source = phrase([(0, 1, 60, 80)], chords=[ChordSpan(0, 16, Chord(11, "m7"))])
    found = applied("transpose", source, by="2 semitones")
    assert pitches(found) == [62]
    assert found.chords[0].chord == Chord(1, "m7")


def test_transpose_keeps_notes_within_midi_by_octaves():
    source = phrase([(0, 1, 120, 80), (1, 2, 5, 80)])
    assert pitches(applied("transpose", source, by="1 octave")) == [120, 17]
    assert pitches(applied("transpose", source, by="-1 octave")) == [108, 5]


def test_fit_to_key_moves_foreign_notes_by_a_semitone_and_leaves_the_rest():
    found = pitches(applied("fit_to_key"))
    assert all(pitch in Key() for pitch in found)
    assert [abs(a - b) for a, b in zip(found, pitches(TUNE), strict=True)] == [0, 1, 1, 0, 0, 0]


def test_fit_to_chords_moves_strong_notes_onto_the_chord():
    chords = phrase([(0, 16, 62, 80)], chords=[ChordSpan(0, 16, Chord(2, "m"))])
    found = applied("fit_to_chords", asked=request("melody_rules", chords=chords))
    strong = [0, 1, 3, 5]
    assert all(pitches(found)[place] in Chord(2, "m") for place in strong)
    assert pitches(found)[2] == 66


@pytest.mark.parametrize("share", [0, 25, 50, 75, 100])
def test_thin_leaves_out_its_share_and_the_weakest_first(share):
    source = phrase([(step / 4, step / 4 + 0.25, 60, 80) for step in range(64)])
    found = applied("thin", source, share=f"{share} %")
    assert len(found.notes) == round(64 * (1 - share / 100))
    if share == 75:
        assert set(found.notes["start"].tolist()) == set(np.arange(16.0))


def test_double_adds_softer_octaves():
    found = applied("double", phrase([(0, 1, 60, 80), (1, 2, 64, 70)]), at="octave", softer=10)
    assert pitches(found) == [60, 72, 64, 76]
    assert found.notes["velocity"].tolist() == [80, 70, 70, 60]


def test_doubled_thirds_are_those_of_the_key():
    found = applied("double", phrase([(0, 1, 60, 80), (1, 2, 62, 70)]), at="third")
    assert pitches(found) == [60, 64, 62, 65]


def test_humanize_moves_starts_by_little_and_never_before_the_phrase():
    source = phrase([(step / 4, step / 4 + 0.2, 60, 80) for step in range(64)])
    found = applied("humanize", source, timing="20 ms", velocity=5)
    off = found.notes["start"] - source.notes["start"]
    # 90 quarter notes per minute: 20 ms are 0.03 beats, cut at two deviations.
    assert found.notes["start"].min() >= 0
    assert 0.01 < np.std(off) < 0.04
    assert np.abs(off).max() <= 0.03 * 2.3 + 1e-9
    assert 2 < np.std(found.notes["velocity"].astype(float)) < 7


def test_humanize_moves_the_notes_of_a_chord_nearly_together():
    source = phrase([(beat, beat + 1, pitch, 80) for beat in range(1, 15) for pitch in (60, 64, 67)])
    found = applied("humanize", source, timing="20 ms")
    starts = np.array([np.sort(found.notes["start"][found.notes["pitch"] == pitch]) for pitch in (60, 64, 67)])
    assert np.std(starts - starts.mean(axis=0)) < 0.5 * np.std(starts.mean(axis=0) - np.arange(1, 15))


def test_velocity_scales_shapes_and_accents():
    even = phrase([(beat, beat + 1, 60, 100) for beat in range(16)])
    assert set(applied("velocity", even, scale="50 %").notes["velocity"].tolist()) == {50}
    rising = applied("velocity", even, shape="rise", depth="50 %").notes["velocity"].astype(int)
    assert rising[0] == 50
    assert np.all(np.diff(rising) >= 0)
    swell = applied("velocity", even, shape="swell", depth="50 %").notes["velocity"].astype(int)
    assert swell[8] > max(swell[0], swell[15])
    accented = applied("velocity", even, accent=20).notes["velocity"].astype(int)
    assert accented[0] > accented[1]


def test_octave_range_moves_a_line_together_where_it_fits():
    found = applied("octave_range", phrase([(0, 1, 40, 80), (1, 2, 45, 80), (2, 3, 43, 80)]), range="C4..C6")
    assert np.diff(pitches(found)).tolist() == [5, -2]
    assert all(60 <= pitch <= 84 for pitch in pitches(found))


def test_octave_range_folds_what_sticks_out_and_keeps_pitch_classes():
    wide = phrase([(beat, beat + 1, 30 + 5 * beat, 80) for beat in range(15)])
    found = applied("octave_range", wide, range="C4..C5")
    assert all(60 <= pitch <= 72 for pitch in pitches(found))
    assert [pitch % 12 for pitch in pitches(found)] == [pitch % 12 for pitch in pitches(wide)]


def test_legato_fills_gaps_and_staccato_shortens():
    source = phrase([(0, 0.5, 60, 80), (2, 2.5, 62, 80)])
    assert applied("legato", source).notes["end"].tolist() == [2, 16]
    assert applied("staccato", source, length="50 %").notes["end"].tolist() == [0.25, 2.25]


def test_rest_leaves_whole_bars_empty_and_cuts_what_sounds_into_them():
    source = phrase([(0, 16, 48, 80)] + [(beat, beat + 1, 60, 80) for beat in range(16)])
    found = applied("rest", source, share="50 %")
    bars = {int(start // 4) for start in found.notes["start"]}
    assert len(bars) == 2
    for bar in set(range(4)) - bars:
        sounding = (found.notes["start"] < bar * 4 + 4) & (found.notes["end"] > bar * 4 + 1e-6)
        assert not (sounding & (found.notes["start"] >= bar * 4)).any()
        assert found.notes["end"][found.notes["start"] < bar * 4].max(initial=0) <= bar * 4


def test_rest_every_counts_bars_from_the_start_of_the_section():
    source = phrase([(beat, beat + 1, 60, 80) for beat in range(16)])
    found = applied("rest", source, every="3 bars", asked=request("melody_rules", bar=4))
    # Bars 4..7 of the section: bar 5 is the sixth, the last of its three.
    assert {int(start // 4) for start in found.notes["start"]} == {0, 2, 3}


def test_full_swing_makes_triplets_and_leaves_beats_alone():
    source = phrase([(0, 0.5, 60, 80), (0.5, 1, 62, 80), (1, 1.5, 64, 80)])
    found = applied("swing", source, amount="100 %")
    assert found.notes["start"].tolist() == pytest.approx([0, 2 / 3, 1])


def test_quantize_moves_starts_onto_the_grid_and_keeps_lengths():
    source = phrase([(0.1, 0.6, 60, 80), (1.9, 2.2, 62, 80), (15.95, 16.3, 64, 80)])
    found = applied("quantize", source)
    assert found.notes["start"].tolist() == pytest.approx([0, 2, 15.75])
    assert (found.notes["end"] - found.notes["start"]).tolist() == pytest.approx([0.5, 0.3, 0.35])
    half = applied("quantize", source, strength="50 %")
    assert half.notes["start"][0] == pytest.approx(0.05)


def test_notes_that_fall_together_become_one():
    notes = np.array([(0, 1, 60, 70), (0, 2, 61, 80)], NOTE)
    found = applied("fit_to_key", phrase(notes), asked=request("melody_rules", key="F major pentatonic"))
    assert len(found.notes) == len(set(pitches(found)))


def test_octave_range_brings_a_line_from_far_away_whole():
    found = applied("octave_range", phrase([(0, 1, 12, 80), (1, 2, 17, 80), (2, 3, 21, 80)]), range="C4..C6")
    assert np.diff(pitches(found)).tolist() == [5, 4]


def test_octave_range_does_not_move_a_line_for_the_sake_of_one_note():
    line = [62, 65, 69, 67, 57, 64, 65, 69, 72]
    found = applied(
        "octave_range", phrase([(beat, beat + 1, pitch, 80) for beat, pitch in enumerate(line)]), range="C4..C6"
    )
    assert pitches(found) == [pitch if pitch >= 60 else pitch + 12 for pitch in line]


def test_a_melody_that_rests_early_ends_on_its_chord():
    chords = [ChordSpan(0, 8, Chord(9, "m")), ChordSpan(8, 16, Chord(5))]
    source = phrase([(beat / 2, beat / 2 + 0.5, 60 + (beat * 5) % 12, 80) for beat in range(32)], chords=chords)
    for seed in range(20):
        found = applied("rest", source, share="25 %", seed=seed)
        (silent,) = set(range(4)) - {int(start // 4) for start in found.notes["start"]}
        if silent:
            last = found.notes[found.notes["start"] < silent * 4][-1]
            assert int(last["pitch"]) in chords[(silent * 4 - 1) // 8].chord


def test_rests_spare_the_ending_of_a_section():
    source = phrase([(beat, beat + 1, 60, 80) for beat in range(16)])
    for seed in range(20):
        found = applied("rest", source, share="60 %", seed=seed, asked=request("melody_rules", bar=12, section_bars=16))
        assert found.notes["start"][-1] == 15


def test_every_drum_is_thinned_by_itself():
    hats = [(beat + 0.5, beat + 0.75, 42, 80) for beat in range(16)]
    kicks = [(beat, beat + 0.25, 36, 100) for beat in range(16)]
    found = applied("thin", phrase(hats + kicks), share="50 %", asked=request("drum_rules"))
    counts = np.bincount(found.notes["pitch"], minlength=50)
    assert (counts[42], counts[36]) == (8, 8)


@pytest.mark.parametrize("qpm", [60.0, 120.0])
def test_microtiming_is_a_time_whatever_the_tempo(qpm):
    source = phrase([(0, 0.5, 38, 100), (1, 1.5, 36, 100), (2, 2.5, 38, 100)])
    asked = changed(request("drum_rules"), qpm=qpm)
    late = applied("microtiming", source, asked=asked, offset="10 ms").notes
    np.testing.assert_allclose(late["start"], source.notes["start"] + 0.01 * qpm / 60)
    early = applied("microtiming", source, asked=asked, offset="-10 ms").notes
    np.testing.assert_allclose(early["start"], np.maximum(source.notes["start"] - 0.01 * qpm / 60, 0))
    np.testing.assert_allclose(early["end"] - early["start"], 0.5)

"""Progressions by rules: cadences where they are due, chords from outside the key, rhythms that change."""

from dataclasses import replace

import numpy as np
import pytest

from engine.generators.chain import make_phrase, stand_in
from engine.generators.contract import Cadence, Place
from engine.score.dynamics import LEVELS
from engine.score.harmony.keys import Key
from tests.generators.asking import pitches, request

DIATONIC = ("C major", "D dorian", "A minor", "G mixolydian", "F lydian", "A harmonic minor")


def asked(kind="chord_walk", cadence=Cadence.AUTHENTIC, key="C major", seed=1, at=8, pass_index=0, **settings):
    """Eight bars, at whose end a cadence is due."""
    place = Place("a", pass_index, at - 8, 24, at - 8, cadences=((8, cadence),))
    return replace(request(kind, bars=8, key=key, seed=seed, settings=settings), place=place)


def chords(how):
    return [span.chord for span in make_phrase("chord_walk", how, {})[0].chords]


@pytest.mark.parametrize("key", DIATONIC)
@pytest.mark.parametrize("recall", ["0 %", "100 %"])
def test_a_period_closes_with_the_cadence_that_is_due(key, recall):
    tonic = Key.parse(key).tonic
    for seed in range(12):
        before, last = chords(asked(key=key, seed=seed, recall=recall))[-2:]
        assert ((before.root - tonic) % 12, (last.root - tonic) % 12) == (7, 0)
        before, last = chords(asked(cadence=Cadence.HALF, key=key, seed=seed, recall=recall))[-2:]
        assert (last.root - tonic) % 12 == 7
        assert before.root != last.root
        before, last = chords(asked(cadence=Cadence.PLAGAL, key=key, seed=seed, recall=recall))[-2:]
        assert (before.root, last.root) == (Key.parse(key).scale[3], tonic)


def test_a_cadence_in_the_middle_of_a_phrase_is_one_too():
    place = Place("a", 0, 0, 32, 0, cadences=((8, Cadence.HALF), (16, Cadence.AUTHENTIC)))
    how = replace(request("chord_walk", bars=16, key="C major", settings={"recall": "0 %"}), place=place)
    found = chords(how)
    assert found[7].root == 7
    assert [chord.root for chord in found[14:]] == [7, 0]


def test_nothing_is_borrowed_without_a_word_and_more_with_more():
    key = Key.parse("D dorian")

    def foreign(borrow):
        asking = [asked(key="D dorian", seed=seed, borrow=borrow, recall="0 %") for seed in range(25)]
        found = [chord for how in asking for chord in chords(how)]
        return np.mean([any(tone not in key for tone in chord.pitch_classes) for chord in found])

    shares = [foreign(borrow) for borrow in ("0 %", "15 %", "60 %")]
    assert shares[0] == 0.0
    assert 0.1 < shares[1] < shares[2] < 0.6


def test_a_borrowed_dominant_goes_where_it_leads_and_melodies_sing_its_tones():
    found = 0
    for seed in range(30):
        made = make_phrase("chord_walk", asked(seed=seed, borrow="50 %", recall="0 %"), {})[0]
        key = Key.parse("C major")
        for one, after in zip(made.chords, made.chords[1:], strict=False):
            outside = [tone for tone in one.chord.pitch_classes if tone not in key]
            assert one.written == bool(outside)
            if outside and one.chord.quality == "7":
                found += 1
                assert (one.chord.root - after.chord.root) % 12 == 7
                over = request("melody_rules", bars=8, key="C major", chords=made, seed=seed, section_bars=24)
                sung = make_phrase("melody_rules", over, {})[0].notes
                inside = (sung["start"] >= one.start) & (sung["start"] < one.end) & (sung["start"] % 2 == 0)
                assert np.all(np.isin(sung["pitch"][inside] % 12, one.chord.pitch_classes)), "on strong beats"
    assert found > 10


def test_a_section_has_its_own_progression_in_every_pass_whatever_was_played_before():
    first = chords(asked(seed=3, recall="100 %"))
    past = make_phrase("chord_walk", asked(seed=5), {})[0]
    again = chords(replace(asked(seed=99, recall="100 %", pass_index=7), history=past))
    assert first == again


def test_comping_changes_its_rhythm_and_stands_still_where_a_period_closes():
    rhythms = set()
    for seed in range(8):
        made = make_phrase("chord_walk", asked(seed=seed, style="comped", pass_index=seed * 6), {})[0]
        for bar in range(8):
            inside = (made.notes["start"] >= bar * 4) & (made.notes["start"] < bar * 4 + 4)
            rhythm = tuple(sorted({float(start) - bar * 4 for start in made.notes["start"][inside]}))
            assert rhythm
            if bar == 7:
                assert rhythm == (0.0,)
                assert made.notes["end"][inside].min() >= 31.5
            rhythms.add(rhythm)
    assert len(rhythms) >= 12


@pytest.mark.parametrize("style", ["held", "root_fifth", "walking", "pulse"])
def test_a_bass_rests_on_the_tonic_to_the_end_of_its_section(style):
    for seed in range(6):
        over = make_phrase("chord_walk", replace(asked(seed=seed), place=Place("a", 0, 16, 24, 16)), {})[0]
        how = request("bass_line", bars=8, key="C major", seed=seed, chords=over, settings={"style": style})
        made = make_phrase("bass_line", replace(how, place=Place("a", 0, 16, 24, 16)), {})[0]
        last = made.notes[-1]
        assert last["pitch"] % 12 == 0
        assert last["end"] >= 31.5


@pytest.mark.parametrize("kind", ["chord_walk", "melody_rules", "drum_rules", "bass_line"])
def test_what_is_played_follows_the_level_of_playing(kind):
    plain = request(kind, bars=8)
    loud, soft, mf = (make_phrase(kind, replace(plain, dynamics=(level,) * 9), {}) for level in (1.0, -2.0, 0.0))
    assert loud[0].notes["velocity"].tolist() == soft[0].notes["velocity"].tolist(), "the past stays"
    mean = [float(one[1].notes["velocity"].mean()) for one in (soft, mf, loud)]
    assert mean[0] + 10 < mean[1] < mean[2] - 4
    rising = make_phrase(kind, replace(plain, dynamics=(LEVELS["pp"], LEVELS["ff"])), {})[1].notes
    half = rising["start"] < 16
    assert rising["velocity"][~half].mean() > rising["velocity"][half].mean() + 12
    assert stand_in(replace(plain, dynamics=(-2.0, -2.0)), "")[1].notes["velocity"].max() < 110


def test_pitches_do_not_depend_on_the_level():
    plain = request("melody_rules", bars=8)
    assert pitches(make_phrase("melody_rules", plain, {})[1]) == pitches(
        make_phrase("melody_rules", replace(plain, dynamics=(-3.0, 2.0)), {})[1]
    )

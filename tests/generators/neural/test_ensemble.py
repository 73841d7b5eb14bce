"""The ensemble network as a generator, with the weights that are shipped."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from engine.errors import PerpetuumError
from engine.generators.chain import make_phrase
from engine.generators.contract import GENERATORS, Link, Role
from engine.ideas.idea import TakenUp, Variation
from engine.runtime.rules import StandIns
from engine.score.drums import CLASSES, PITCHES
from engine.score.harmony.chords import Chord
from engine.score.phrase import ChordSpan, Origin
from tests.generators.asking import changed, phrase, pitches, request, same_notes, starts_in_steps
from tests.generators.test_taken_up import tune

CHORDS = ((0, "A", "minor"), (4, "F", "major"), (8, "C", "major"), (12, "G", "major"))
ROOTS = {"C": 0, "F": 5, "G": 7, "A": 9}


def pad(beats=16.0):
    """Four chords of a bar each, comped in quarters."""
    spans = [ChordSpan(start, start + 4.0, Chord(ROOTS[root], quality)) for start, root, quality in CHORDS]
    notes = [
        (beat, beat + 1, 60 + tone, 70)
        for span in spans
        for beat in np.arange(span.start, span.end)
        for tone in span.chord.pitch_classes
    ]
    return phrase(notes, beats, tuple(spans))


def beat(kicks):
    """Four bars of drums with kicks on these sixteenths."""
    kick, snare, hat = (PITCHES[CLASSES.index(name)] for name in ("kick", "snare", "closed_hat"))
    bar = [(step / 4, step / 4 + 0.25, kick, 90) for step in kicks]
    bar += [(one, one + 0.25, snare, 90) for one in (1.0, 3.0)]
    bar += [(one / 2, one / 2 + 0.25, hat, 70) for one in range(8)]
    return phrase([(start + 4 * k, end + 4 * k, p, v) for k in range(4) for start, end, p, v in bar])


@pytest.fixture(scope="module")
def cache():
    return {}


def asked(**how):
    given = {"chords": pad(), "rhythm": beat((0, 8)), "key": "A minor", "settings": how.pop("settings", {})}
    return request("ensemble", **{**given, **how})


def played(cache, **how):
    return make_phrase("ensemble", asked(**how), cache)[0]


def test_the_same_request_gives_the_same_phrase_whatever_was_made_before(cache):
    assert not same_notes(played(cache, seed=2), played(cache, seed=1))
    assert same_notes(played(cache, seed=1), played({}, seed=1))


def test_it_hears_drums_other_kicks_give_other_onsets(cache):
    """Share of the onsets where the busier drums have their kicks, over seeds: one phrase says little."""
    few, many = (
        [
            step % 16 in (3, 6, 10, 14)
            for seed in range(12)
            for step in starts_in_steps(played(cache, seed=seed, rhythm=beat(kicks), settings={"temperature": 0.7}))
        ]
        for kicks in ((0, 8), (0, 3, 6, 10, 12, 14))
    )
    assert sum(many) / len(many) > 1.5 * sum(few) / len(few)


def test_it_hears_the_chords_and_keeps_to_them_on_felt_beats(cache):
    for seed in range(3):
        made_phrase = played(cache, seed=seed)
        assert made_phrase.provenance.origin is Origin.NETWORK
        for start, _, pitch, _ in made_phrase.notes.tolist():
            assert start % 1.0 or pitch in next(s.chord for s in pad().chords if s.start <= start < s.end)
    spans = tuple(ChordSpan(s.start, s.end, s.chord.transposed(2)) for s in pad().chords)
    other = phrase(pad().notes, 16.0, spans)
    assert pitches(played(cache, seed=1, chords=other)) != pitches(played(cache, seed=1))


@pytest.mark.parametrize("span", ["E1..E2", "A3..A4", "C0..C1", "G8..G9"])
def test_it_stays_in_its_range_wherever_that_lies(cache, span):
    settings = asked(settings={"range": span}).settings
    found = pitches(played(cache, settings={"range": span}))
    assert found
    assert all(settings.range.low <= pitch <= settings.range.high for pitch in found)


def test_without_chromatic_notes_all_is_in_the_key(cache):
    made_phrase = played(cache, settings={"chromatic": "0 %", "temperature": 1.5}, key="A minor")
    assert all(pitch in request("ensemble", key="A minor").key for pitch in pitches(made_phrase))


def test_it_goes_on_from_its_past_one_of_silence_included(cache):
    fast = phrase([(k / 2, k / 2 + 0.4, 45, 80) for k in range(32)], 16.0, pad().chords)
    later = played(cache, bar=4, history=fast)
    assert not same_notes(later, played(cache, bar=4))
    assert same_notes(played(cache, bar=4, history=phrase([], 16.0)), played(cache, bar=4))


def test_a_primer_opens_a_section_and_is_left_behind_after_it(cache):
    primer = phrase([(k / 2, k / 2 + 0.4, 45, 80) for k in range(8)], 4.0)
    assert len(played(cache, primer=primer).notes) > len(played(cache).notes)
    past = phrase([(0, 4, 45, 80), (4, 8, 41, 80)], 8.0)
    assert same_notes(played(cache, primer=primer, bar=8, history=past), played(cache, bar=8, history=past))


def test_the_denser_the_more_notes(cache):
    counts = [
        sum(len(played(cache, seed=seed, settings={"density": share, "candidates": 1}).notes) for seed in range(4))
        for share in ("20 %", "50 %", "100 %")
    ]
    assert counts[0] < counts[1] < counts[2]


def test_an_idea_is_stated_and_gone_on_from(cache):
    idea = TakenUp(tune(), Variation.EXACT)
    made_phrase = played(cache, taken=idea)
    assert made_phrase.provenance.variation == "exact"


def test_with_nothing_to_hear_but_silence_it_plays_in_the_key(cache):
    silent = phrase([], 16.0)
    made_phrase = played(cache, chords=silent, rhythm=silent)
    assert len(made_phrase.notes)
    assert made_phrase.length == 16.0


def test_where_a_section_ends_the_bass_comes_home(cache):
    home = phrase([(12, 16, 57, 70), (12, 16, 60, 70), (12, 16, 64, 70)], 16.0)
    for seed in range(3):
        made_phrase = played(cache, chords=home, section_bars=4, seed=seed)
        last = made_phrase.notes[-1]
        assert int(last["pitch"]) % 12 == 9 or last["end"] <= 14.0


def test_more_candidates_score_no_worse_and_are_told(cache):
    one, many = (played(cache, seed=5, settings={"candidates": count}).provenance for count in (1, 12))
    assert one.scores == ()
    assert len(many.scores) == 12
    assert many.scores[many.chosen] == max(many.scores)


def test_in_another_meter_it_says_that_it_cannot(cache):
    with pytest.raises(PerpetuumError, match=r"bars of four quarters, not of 12/16"):
        played(cache, meter="3/4")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("temperature", 0), ("temperature", float("nan")), ("top_p", 0), ("candidates", 65), ("x", 1)],
)
def test_hostile_settings_are_refused(setting, value):
    with pytest.raises(ValidationError, match=setting):
        GENERATORS.get("ensemble").settings(**{setting: value})


def test_extreme_settings_play(cache):
    wild = {"density": "100 %", "temperature": 3.0}
    for settings in ({"temperature": 0.1}, wild, {"density": "0 %"}, {"top_p": "1 %"}, {"history": "16 bars"}):
        assert len(played(cache, settings=settings).notes)


def test_weights_that_are_missing_or_of_another_network_are_told(tmp_path):
    with pytest.raises(PerpetuumError, match="no weights 'nowhere' for ensemble"):
        played({}, settings={"weights": "nowhere"})
    with pytest.raises(PerpetuumError, match="lookback_rnn"):
        played({}, settings={"weights": "lookback_rnn"})
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    with pytest.raises(PerpetuumError, match="broken"):
        played({}, settings={"weights": str(broken)})


def test_where_it_fails_a_bass_by_rules_stands_in():
    made_phrase = StandIns().make(asked(settings={"weights": "nowhere"}), "no weights").phrase
    assert made_phrase.provenance.generator == "bass_line"
    assert asked().role is Role.BASS


def test_it_hears_chords_and_rhythm_whatever_the_part_is_called(cache):
    assert GENERATORS.get("ensemble").takes == {Link.CHORDS, Link.RHYTHM, Link.PRIMER}
    assert same_notes(played(cache), make_phrase("ensemble", changed(asked(), part="other"), cache)[0])

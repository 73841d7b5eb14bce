"""The chain: generate, judge, transform; and the stand-in that never fails."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.generators import chain
from engine.generators.chain import make_phrase, stand_in
from engine.generators.contract import GENERATORS, TRANSFORMS, GeneratorKind, Link, Role, Settings, TransformKind
from engine.generators.neural.settings import MelodyRnnSettings
from engine.generators.playable import MOST_NOTES_PER_BEAT
from engine.generators.rules.kinds import BUILT_IN_RULES, rules_for
from engine.score.drums import PITCHES
from engine.score.harmony.keys import Key
from engine.score.phrase import NOTE, Origin, Phrase
from tests.generators.asking import GIVEN, METERS, changed, made, phrase, pitches, request, same_notes


def raw_phrase(rows, length=16.0):
    """A phrase past the checks of `Phrase.of`, as a careless plug-in could build it."""
    notes = np.zeros(len(rows), NOTE)
    for place, row in enumerate(rows):
        notes[place] = row
    return Phrase(notes, length, GIVEN)


BAD = {
    "nan": raw_phrase([(np.nan, 1, 60, 80)]),
    "infinite": raw_phrase([(0, np.inf, 60, 80)]),
    "backwards": raw_phrase([(2, 1, 60, 80)]),
    "before the start": raw_phrase([(-1, 1, 60, 80)]),
    "after the end": raw_phrase([(16, 17, 60, 80)]),
    "no pitch": raw_phrase([(0, 1, 200, 80)]),
    "no velocity": raw_phrase([(0, 1, 60, 0)]),
    "babble": raw_phrase([(0, 1, 60, 80)] * (MOST_NOTES_PER_BEAT * 16 + 1)),
    "rings for ever": raw_phrase([(0, 1e6, 60, 80)]),
    "too short": raw_phrase([(0, 1, 60, 80)], length=15.0),
    "no length": raw_phrase([], length=float("nan")),
    "other notes": Phrase(np.zeros(3), 16.0, GIVEN),
    "nothing": None,
    "a list": [(0, 1, 60, 80)],
}


class Careless:
    def __init__(self, settings):
        self.settings = settings

    def generate(self, asked):
        return BAD["nan"]


def explode(*_):
    raise ZeroDivisionError("at the wrong moment")


def spoil(*_):
    return BAD["backwards"]


CARELESS = GENERATORS.having(GeneratorKind("careless", "", Settings, (Role.MELODY,), Careless))
FAILING = TRANSFORMS.having(
    TransformKind("explode", "", Settings, None, explode), TransformKind("spoil", "", Settings, None, spoil)
)


@pytest.mark.parametrize("problem", list(BAD))
def test_what_cannot_be_played_is_refused_with_part_and_kind(problem):
    with pytest.raises(PerpetuumError, match=r"'melody_rules'.*careless made a phrase that"):
        chain.validated(BAD[problem], request("melody_rules"), "careless")


def test_a_good_phrase_passes_unchanged():
    good = made("melody_rules")
    assert same_notes(chain.validated(good, request("melody_rules"), "melody_rules"), good)


def test_a_careless_generator_fails_and_its_stand_in_plays():
    asked = changed(request("melody_rules"), settings=Settings())
    with pytest.raises(PerpetuumError):
        make_phrase("careless", asked, {}, CARELESS)
    raw, heard = stand_in(asked, "it babbled")
    assert len(heard.notes)
    assert raw.provenance.origin is Origin.FALLBACK
    assert raw.provenance.reason == "it babbled"


@pytest.mark.parametrize("name", ["explode", "spoil"])
def test_a_failing_transform_fails_the_chain_but_not_the_stand_in(name):
    asked = request("melody_rules", transforms=((name, Settings()),))
    with pytest.raises(PerpetuumError, match=name):
        make_phrase("melody_rules", asked, {}, transforms=FAILING)
    assert len(stand_in(asked, "", FAILING)[1].notes)


def test_unknown_kinds_and_foreign_settings_are_refused():
    with pytest.raises(PerpetuumError, match="nosuch"):
        make_phrase("nosuch", request("melody_rules"), {})
    with pytest.raises(PerpetuumError, match="MelodyRulesSettings"):
        make_phrase("bass_line", request("melody_rules"), {})


def test_raw_is_before_and_phrase_after_the_transforms():
    settings = TRANSFORMS.get("transpose").settings(by="1 octave")
    asked = request("melody_rules", transforms=(("transpose", settings),))
    raw, heard = make_phrase("melody_rules", asked, {})
    assert [pitch + 12 for pitch in pitches(raw)] == pitches(heard)
    assert heard.provenance == raw.provenance
    assert raw.provenance.generator == "melody_rules"


def test_the_stand_in_goes_through_the_transforms():
    settings = TRANSFORMS.get("octave_range").settings(range="C6..C7")
    asked = request("melody_rules", transforms=(("octave_range", settings),))
    assert min(pitches(stand_in(asked, "late")[1])) >= 84


def test_equal_transforms_in_one_chain_have_chances_of_their_own():
    humanize = TRANSFORMS.get("humanize").settings(timing="20 ms", velocity=0)
    source = phrase([(beat, beat + 1, 60, 80) for beat in range(1, 15)])
    once = chain.transformed(source, request("melody_rules", transforms=(("humanize", humanize),)), {})
    twice = chain.transformed(source, request("melody_rules", transforms=(("humanize", humanize),) * 2), {})
    first, second = once.notes["start"] - source.notes["start"], twice.notes["start"] - once.notes["start"]
    assert not np.allclose(first, second)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("name", ["melody_rnn", "drums_rnn", "chord_walk"])
def test_the_stand_in_plays_for_every_role_with_settings_of_another_kind(role, meter, name):
    for bars in (1, 4):
        raw, heard = stand_in(changed(request(name, meter=meter, bars=bars), role=role), "late")
        assert len(heard.notes)
        assert heard.length == raw.length == request(name, meter=meter, bars=bars).beats


def test_the_stand_in_keeps_key_chords_and_range():
    chords = made("chord_walk", key="Eb minor")
    settings = {"range": "C5..C6"}
    for seed in range(30):
        asked = request("melody_rnn", key="Eb minor", chords=chords, seed=seed, settings=settings, section_bars=4)
        heard = stand_in(asked, "late")[1]
        assert all(pitch in Key.parse("Eb minor") and 72 <= pitch <= 84 for pitch in pitches(heard))
        assert pitches(heard)[-1] in chords.chords[-1].chord


def test_the_stand_in_of_a_bass_stays_on_the_kick():
    kick = phrase([(beat, beat + 0.25, 36, 90) for beat in (0, 2.5, 4, 7, 8, 12)])
    heard = stand_in(request("bass_line", rhythm=kick), "late")[1]
    assert set(heard.notes["start"].tolist()) <= set(kick.notes["start"].tolist())


@pytest.mark.parametrize("role", list(Role))
def test_when_the_rules_fail_too_the_plainest_thing_plays(role, monkeypatch):
    broken = [replace(kind, factory=explode) for kind in BUILT_IN_RULES]
    monkeypatch.setattr(chain, "BUILT_IN_RULES", broken)
    monkeypatch.setattr(chain, "rules_for", lambda role: replace(rules_for(role), factory=explode))
    asked = changed(request("melody_rnn", meter="7/8", key="Bb minor"), role=role)
    raw, heard = stand_in(asked, "late")
    assert len(heard.notes) == 4
    expected = PITCHES[0] if role is Role.DRUMS else None
    assert all(pitch == expected if expected else pitch % 12 == 10 for pitch in pitches(heard))
    assert "at the wrong moment" in raw.provenance.reason


def test_the_stand_in_survives_any_history_and_sources():
    for bad in (BAD["nan"], BAD["no pitch"], BAD["other notes"], BAD["no length"]):
        for role in Role:
            asked = changed(request("melody_rnn"), role=role, history=bad, primer=bad, sources=dict.fromkeys(Link, bad))
            assert len(stand_in(asked, "late")[1].notes)


def test_settings_of_the_same_name_and_type_are_kept_by_the_stand_in():
    settings = chain.settings_for(GENERATORS.get("melody_rules"), MelodyRnnSettings(range="C5..C6"))
    assert tuple(settings.range) == (72, 84)
    assert settings.density == GENERATORS.get("melody_rules").settings().density


def test_generators_are_built_once_per_kind_and_part():
    cache = {}
    for seed in range(3):
        make_phrase("melody_rules", request("melody_rules", seed=seed), cache)
    assert len(cache) == 1


def test_three_links_in_a_chain_of_parts_hold_together():
    """Drums give the bass its rhythm, the pad its chords, and the melody follows both."""
    drums, pad = made("drum_rules"), made("chord_walk")
    bass = made("bass_line", chords=pad, rhythm=drums)
    melody = made("melody_rules", chords=pad, rhythm=bass)
    assert set(melody.notes["start"].tolist()) <= set(bass.notes["start"].tolist())
    assert all(pitch in Key.parse("D dorian") for found in (pad, bass, melody) for pitch in pitches(found))

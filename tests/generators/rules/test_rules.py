"""What holds for every rule-based generator."""

import subprocess
import sys

import numpy as np
import pytest

from engine.generators.contract import GENERATORS, TRANSFORMS, Role
from engine.generators.rules.kinds import rules_for
from engine.score.harmony.keys import Key, parse_pitch
from tests.generators.asking import (
    KEYS,
    MELODIC_RULES,
    METERS,
    RULES,
    changed,
    made,
    phrase,
    pitches,
    request,
    same_notes,
)

KICKS = phrase([(beat, beat + 0.25, 36, 100) for beat in (0, 1.5, 2.75, 4, 5.5, 8, 9.25, 12, 15.5)])


@pytest.mark.parametrize("name", MELODIC_RULES)
def test_all_notes_are_in_the_key_over_two_hundred_seeds(name):
    for seed in range(200):
        key = KEYS[seed % len(KEYS)]
        found = made(name, key=key, seed=seed, section_bars=4 if seed % 3 == 0 else 16)
        assert len(found.notes)
        assert all(pitch in Key.parse(key) for pitch in pitches(found)), (key, seed)


@pytest.mark.parametrize("name", ["melody_rules", "bass_line", "arpeggio"])
def test_all_notes_are_in_the_key_over_chords_that_are_not(name):
    borrowed = made("chord_walk", key="Eb minor", settings={"colour": "100 %"})
    for seed in range(20):
        found = made(name, key="D dorian", seed=seed, chords=borrowed)
        assert all(pitch in Key.parse("D dorian") for pitch in pitches(found))


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("meter", [*METERS, "2/4", "12/8", "5/8", "3/8", "2/2", "1/16"])
def test_every_meter_and_length_gives_a_phrase_of_exactly_these_bars(name, meter):
    for bars in (1, 2, 3, 4, 7, 16):
        chords = made("chord_walk", meter=meter, bars=bars)
        for section_bars in (bars, 32):
            found = made(name, meter=meter, bars=bars, section_bars=section_bars, chords=chords)
            assert found.length == bars * chords.length / bars
            assert len(found.notes)


@pytest.mark.parametrize("name", RULES)
def test_notes_lie_on_the_grid_of_sixteenths(name):
    for seed in range(10):
        steps = made(name, seed=seed, meter=METERS[seed % 5]).notes["start"] * 4
        assert np.array_equal(steps, np.rint(steps))


@pytest.mark.parametrize("name", RULES)
def test_the_same_request_gives_the_same_notes_and_another_seed_others(name):
    assert same_notes(made(name, seed=5), made(name, seed=5))
    assert not same_notes(made(name, seed=5), made(name, seed=6))


@pytest.mark.parametrize("name", RULES)
def test_a_section_that_returns_is_not_the_same_again(name):
    """Seeds differ from pass to pass, so with a theme of its own a section is varied, not copied."""
    phrases = [made(name, seed=100 + number, pass_index=number, theme=9) for number in range(6)]
    assert len({found.notes.tobytes() for found in phrases}) >= 5


def test_another_process_makes_the_same_notes():
    program = (
        "from tests.generators.asking import made, RULES\n"
        "import hashlib\n"
        "print(hashlib.sha256(b''.join(made(n, seed=77, key='F# minor').notes.tobytes() for n in RULES)).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout != ""


@pytest.mark.parametrize("name", MELODIC_RULES)
def test_pitches_stay_in_the_range_of_the_settings(name):
    for seed, (low, high) in enumerate([("C3", "C4"), ("E2", "E4"), ("G4", "G6"), ("A1", "A2")] * 5):
        found = pitches(made(name, seed=seed, settings={"range": f"{low}..{high}"}, section_bars=4 if seed % 2 else 16))
        assert min(found) >= parse_pitch(low)
        assert max(found) <= parse_pitch(high)


@pytest.mark.parametrize("name", RULES)
def test_every_value_of_every_word_and_the_ends_of_every_share_can_be_played(name):
    fields = GENERATORS.get(name).settings.model_json_schema()["properties"]
    for field, schema in fields.items():
        values = schema.get("enum") or (["0 %", "100 %"] if "%" in schema.get("pattern", "") else [])
        for value in values:
            for meter in METERS:
                assert made(name, meter=meter, settings={field: value}).length > 0


@pytest.mark.parametrize("name", ["bass_line", "melody_rules", "arpeggio", "chord_walk"])
def test_a_rhythm_that_is_followed_gives_the_onsets(name):
    for seed in range(20):
        found = made(name, seed=seed, rhythm=KICKS, settings={"chord_length": "4 bars"} if name == "chord_walk" else {})
        assert set(found.notes["start"].tolist()) <= set(KICKS.notes["start"].tolist())
        assert len(found.notes) >= 3


@pytest.mark.parametrize("name", RULES)
def test_a_silent_rhythm_or_silent_chords_silence_nobody(name):
    silence = phrase([])
    assert len(made(name, rhythm=silence, chords=silence).notes)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_rules_that_need_no_network(role):
    described = rules_for(role)
    assert role in described.roles
    assert not described.network
    assert GENERATORS.get(described.name) is described


def test_every_kind_has_settings_with_defaults_and_described_fields():
    for registry in (GENERATORS, TRANSFORMS):
        for name, described in registry.kinds().items():
            assert described.name == name
            described.settings()
            for field in described.settings.model_fields.values():
                assert field.description


def test_every_phrase_is_made_from_what_the_request_says_alone():
    """A generator that was used before makes the same as a new one."""
    for name in RULES:
        asked = request(name, seed=3)
        used = GENERATORS.get(name).factory(asked.settings)
        for seed in range(5):
            used.generate(changed(asked, seed=seed))
        assert same_notes(used.generate(asked), made(name, seed=3))


@pytest.mark.parametrize("name", ["bass_line", "arpeggio"])
def test_a_primer_gives_its_rhythm_again_and_again(name):
    """Three onsets in a bar of the primer are the onsets of every bar."""
    primer = phrase([(0.0, 0.5, 60, 80), (0.75, 1.0, 62, 80), (2.5, 3.0, 64, 80)], beats=4.0)
    played = made(name, primer=primer, settings={"density": "100 %"}, bars=4)
    in_bar = {round(float(start) % 4.0, 3) for start in played.notes["start"]}
    assert in_bar == {0.0, 0.75, 2.5}

"""`check` tells where an instrument is too slow for what its part plays."""

from __future__ import annotations

import numpy as np
import pytest

from engine import assets
from engine.scenes import load
from engine.scenes.reading.parts.note_lengths import median_lengths
from engine.sound.instruments.articulation import Articulation, articulation
from engine.sound.instruments.instrument_file import load_instrument
from tests.scenes.writing import load_text

SCENE = """\
perpetuum: 1
title: One part
tempo: {qpm} qpm
key: C major
parts:
  tune:
    generator: {generator}
    transforms: {transforms}
    instrument: {instrument}
sections:
  all: {{bars: 8 bars, parts: [tune]}}
"""
EIGHTHS = "{kind: pattern, notes: 'C4:1/2 D4:1/2 E4:1/2 F4:1/2'}"
CHORALE = "{kind: polyphony_rnn, primer: '[C4 E4 G4]:1 [D4 F4 A4]:1 [E4 G4 C5]:1/2 [D4 G4 B4]:1/2 [C4 G4 C5]:1'}"
CHORDS = "{kind: chord_walk, chord_length: 2 bars}"


def warnings(folder, generator=EIGHTHS, instrument="soft_lead", qpm=60, transforms="[]"):
    text = SCENE.format(qpm=qpm, generator=generator, instrument=instrument, transforms=transforms)
    scene, found = load_text(folder, text)
    assert scene is not None, [one.text() for one in found]
    return text, found


def test_a_chorale_on_slow_strings_is_told_at_the_instrument_with_what_to_do(tmp_path):
    text, (long, slow) = warnings(tmp_path, CHORALE, "soft_strings")
    at = text.splitlines()[slow.line - 1]
    assert at[slow.column - 1 : slow.end_column - 1] == "soft_strings"
    assert (slow.severity, long.severity) == ("warning", "warning")
    assert slow.message == "`soft_strings` takes 450 ms to begin, and half of the notes of part `tune` last 1 s or less"
    assert long.message == "`soft_strings` rings on for 1.4 s, and half of the notes of part `tune` last 1 s or less"
    assert slow.hint.startswith("take one with an attack of 250 ms at most, a quarter of that")
    assert long.hint.startswith("take one with a release of 1 s at most")


@pytest.mark.parametrize(
    ("generator", "instrument", "qpm", "transforms"),
    [
        (CHORALE, "chapel_choir", 60, "[]"),
        (CHORDS, "warm_pad", 60, "[]"),
        (CHORDS, "soft_strings", 120, "[]"),
        (EIGHTHS, "soft_lead", 60, "[]"),
        (EIGHTHS, "grand_piano", 240, "[]"),
        (EIGHTHS, "glass_bell", 240, "[]"),
        (EIGHTHS, "plucked_string", 240, "[]"),
        ("{kind: melody_rnn}", "soft_lead", 90, "[]"),
        ("{kind: pattern, notes: 'bd: x.x.x.x.'}", "studio_kit", 240, "[]"),
        (EIGHTHS, "soft_strings", 60, "[thin: 100 %]"),
    ],
)
def test_no_word_of_what_speaks_in_time_of_pads_of_what_dies_away_of_drums_and_of_silence(
    tmp_path, generator, instrument, qpm, transforms
):
    assert warnings(tmp_path, generator, instrument, qpm, transforms)[1] == []


@pytest.mark.parametrize(("transforms", "told"), [("[]", 0), ("[staccato: 50 %]", 1), ("[staccato: 20 %]", 2)])
def test_the_notes_are_those_after_the_transforms(tmp_path, transforms, told):
    assert len(warnings(tmp_path, EIGHTHS, "soft_lead", 60, transforms)[1]) == told


def test_a_networks_notes_are_taken_to_be_as_long_as_its_primers_or_eighths(tmp_path):
    assert len(warnings(tmp_path, "{kind: melody_rnn}", "soft_strings")[1]) == 2
    assert warnings(tmp_path, "{kind: melody_rnn, primer: 'C4:4 E4:4'}", "soft_strings")[1] == []


def test_the_lengths_are_those_of_the_music(tmp_path):
    scene, _ = load_text(tmp_path, SCENE.format(qpm=90, generator=EIGHTHS, instrument="soft_lead", transforms="[]"))
    assert median_lengths(scene, ["tune"]) == {"tune": pytest.approx(60 / 90 / 2)}


@pytest.mark.parametrize("name", sorted(assets.names("scenes")))
def test_no_shipped_scene_is_warned_of(name):
    scene, found = load(assets.scene(name))
    assert scene is not None
    assert found == []


@pytest.mark.parametrize("name", sorted(assets.names("instruments")))
def test_what_is_taken_for_the_articulation_of_a_shipped_instrument_is_its_own(name):
    kind, settings = load_instrument(assets.find("instruments", name))
    found = articulation(settings)
    assert (found is None) == kind.drums
    if found is not None:
        assert np.isfinite([found.attack, found.release]).all()
        # What sustains by its settings is what organs, strings, voices and basses do.
        swells = {"chapel_choir", "mellow_keys", "night_drone", "round_bass", "soft_lead", "soft_strings", "sub_bass"}
        assert found.sustains == (name in swells | {"warm_pad", "low_voice", "rubbed_glass"})


def test_a_pad_is_what_plays_notes_of_two_seconds_or_more():
    slow = Articulation(attack=1.0, release=3.0, sustains=True)
    assert slow.too_slow(1.9)
    assert slow.too_long(1.9)
    assert not slow.too_slow(2.0)
    assert not slow.too_long(2.0)

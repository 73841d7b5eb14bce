"""The chorale network as a generator, with a small network of made-up weights."""

from __future__ import annotations

import numpy as np
import pytest

from engine.generators.chain import make_phrase
from engine.generators.contract import Link
from engine.generators.neural.chorale import ChoraleGenerator
from engine.generators.neural.settings import ChoraleSettings
from engine.networks.card import WeightsCard, write_weights
from engine.networks.chorale.encoding import LABELS, WIDE
from engine.networks.chorale.layout import ChoraleLayout
from engine.networks.chorale.notes import voices_of
from engine.score.harmony.keys import Key
from engine.score.phrase import Origin
from tests.generators.asking import changed, phrase, pitches, request, same_notes

LAYOUT = ChoraleLayout((10, 8), embedding=12, attention=8, heads=2, window=40, dense=10)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights that hold most notes, as all chorales do."""
    rng = np.random.default_rng(0)
    numbers = {name: rng.normal(0, 0.1, shape).astype(np.float32) for name, shape in LAYOUT.shapes().items()}
    numbers["output/bias"][LABELS + WIDE] = 4.0
    path = tmp_path_factory.mktemp("weights") / "choir.safetensors"
    write_weights(path, WeightsCard("choir", "chorale", "chorale", LAYOUT.sizes(), "none"), numbers)
    return str(path)


def sung(weights, cache=None, **how):
    settings = {"weights": weights, "candidates": 3, **how.pop("settings", {})}
    asked = request("chorale", settings=settings, **{"bars": 2, **how})
    return make_phrase("chorale", asked, {} if cache is None else cache)[0]


def lines(weights, **how):
    """The four voices themselves, which may cross, so that a phrase's notes do not tell them apart."""
    settings = {"weights": weights, "candidates": 3, **how.pop("settings", {})}
    sources = how.pop("sources", {})
    asked = changed(request("chorale", settings=settings, **{"bars": 2, **how}), sources=sources)
    assert isinstance(asked.settings, ChoraleSettings)
    return ChoraleGenerator(asked.settings).pieces(asked.with_settings(asked.settings))[0].piece


def test_the_same_request_gives_the_same_phrase_whatever_was_made_before(weights):
    cache = {}
    assert not same_notes(sung(weights, cache, seed=2), sung(weights, cache, seed=1))
    assert same_notes(sung(weights, cache, seed=1), sung(weights, seed=1))


@pytest.mark.parametrize("key", ["A minor", "Eb major", "G mixolydian"])
def test_periods_end_at_a_stop_on_tonic_or_dominant_with_its_root_in_the_bass(weights, key):
    tonic, sung_lines = Key.parse(key).tonic, lines(weights, key=key, bars=4, section_bars=4)
    for end in (32, 64):
        assert (sung_lines[end - 8 : end] == sung_lines[end - 8]).all()
        allowed = {tonic} if end == 64 else {tonic, (tonic + 7) % 12}
        assert int(sung_lines[end - 1, 3]) % 12 in allowed


def test_a_close_in_minor_is_led_to_by_the_raised_leading_note(weights):
    before = lines(weights, key="A minor", section_bars=2)[20:24]
    assert (before[:, 3] % 12 == 4).all()
    assert (before[:, :3] % 12 == 8).any()


def test_without_periods_and_chromatic_notes_nearly_all_is_in_key(weights):
    made = sung(weights, key="D major", settings={"period": "0 bars", "chromatic": "0 %"})
    outside = [pitch for pitch in pitches(made) if pitch not in Key.parse("D major")]
    assert len(outside) <= 0.1 * len(made.notes)


@pytest.mark.parametrize("voice", ["soprano", "bass"])
def test_a_melody_of_another_part_is_sung_as_it_is_but_for_octaves(weights, voice):
    tune = phrase([(0, 2, 72, 90), (2, 3, 74, 90), (3, 8, 76, 90)], 8.0)
    settings = {"sings": voice, "period": "0 bars"}
    sung_lines = lines(weights, settings=settings, sources={Link.PRIMER: tune}, key="C major")
    heard = sung_lines[:, 0 if voice == "soprano" else 3]
    assert [int(heard[step]) % 12 for step in (0, 8, 12, 31)] == [0, 2, 4, 4]


def test_it_goes_on_from_its_past_within_a_section_and_answers_the_primer_where_one_begins(weights):
    cache, tune = {}, phrase([(0, 4, 72, 90), (4, 8, 67, 90)], 8.0)
    fresh = sung(weights, cache, bars=1)
    later = sung(weights, cache, bars=1, bar=2, history=tune)
    assert not same_notes(later, fresh)
    assert same_notes(
        sung(weights, cache, bars=1, primer=tune, settings={"period": "0 bars"}),
        sung(weights, cache, bars=1, bar=2, history=tune, settings={"period": "0 bars"}),
    )


@pytest.mark.parametrize("meter", ["4/4", "3/4", "2/4"])
def test_phrases_fill_their_bars_in_the_meters_that_it_knows(weights, meter):
    made = sung(weights, meter=meter, bars=3)
    assert made.length == 3 * int(meter[0])
    assert made.provenance.origin is Origin.NETWORK
    assert (voices_of(made.notes, round(4 * made.length)) >= 0).all()

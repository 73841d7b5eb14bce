"""GrooVAE as a transform, with small networks of made-up weights; and what plays in its place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.generators import chain
from engine.generators.chain import make_phrase, stand_in
from engine.generators.contract import GENERATORS, TRANSFORMS, Role
from engine.generators.expression import DRUM_LEVELS
from engine.generators.neural.vae import groove
from engine.networks.card import read_weights, write_weights
from engine.runtime.workers.worker import rehearsal
from engine.score.drums import CLASS_OF_PITCH, SYMBOLS
from engine.score.phrase import Origin
from engine.score.time import STEPS_PER_BEAT
from tests.cli.weights import made_up
from tests.generators.asking import METERS, changed, made, phrase, request, same_notes

STYLES = {
    "humanize": "groovae_2bar_humanize",
    "humanize_tempo": "groovae_2bar_humanize_tempo",
    "hits_control": "groovae_2bar_hits_control_tfds",
    "replay": "groovae_4bar",
    "tap": "groovae_2bar_tap_fixed_velocity",
    "add_closed_hh": "groovae_2bar_add_closed_hh",
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return {style: str(made_up(folder, config)) for style, config in STYLES.items()}


def grooving(weights, style="humanize", **how):
    settings = TRANSFORMS.get("groove").settings(style=style, weights=weights[style], **how)
    return (("groove", settings),)


def played(weights, style="humanize", cache=None, *, meter="4/4", seed=1, bars=4, **how):
    asked = request("drum_rules", meter=meter, seed=seed, bars=bars, transforms=grooving(weights, style, **how))
    return make_phrase("drum_rules", asked, {} if cache is None else cache)


def strokes(heard):
    """(step, pitch) of each stroke, if it is not more than half a step off."""
    return sorted(zip(np.rint(heard.notes["start"] * STEPS_PER_BEAT), heard.notes["pitch"].tolist(), strict=True))


@pytest.mark.parametrize("style", ["humanize", "humanize_tempo", "hits_control", "replay"])
@pytest.mark.parametrize("meter", METERS)
def test_the_same_strokes_are_played_otherwise(weights, meter, style):
    raw, heard = played(weights, style, meter=meter, bars=3)
    assert len(heard.notes) == len(raw.notes)
    assert sorted(heard.notes["pitch"].tolist()) == sorted(raw.notes["pitch"].tolist())
    assert not np.array_equal(heard.notes["velocity"], raw.notes["velocity"])
    off = heard.notes["start"] * STEPS_PER_BEAT % 1
    assert np.any((off > 1e-6) & (off < 1 - 1e-6))
    assert np.abs(np.sort(heard.notes["start"]) - np.sort(raw.notes["start"])).max() <= 0.5


@pytest.mark.parametrize(("answer", "problem"), [(-9.0, "silence"), (9.0, "noise")])
def test_silence_or_noise_out_of_a_rhythm_is_refused_so_that_rules_play(tmp_path, answer, problem):
    path = made_up(tmp_path, STYLES["tap"])
    card, numbers = read_weights(path)
    for name in numbers:
        if name.endswith("output_projection/bias"):
            numbers[name][:9] = answer
        elif name.endswith("output_projection/kernel"):
            numbers[name][:] = 0.0
    write_weights(path, card, numbers)
    asked = request("drum_rules", transforms=grooving({"tap": str(path)}, "tap"))
    with pytest.raises(PerpetuumError, match=problem):
        make_phrase("drum_rules", asked, {})
    assert len(stand_in(asked, problem)[1].notes)


def test_it_is_the_same_again_in_another_process_cache(weights):
    assert same_notes(played(weights)[1], played(weights)[1])
    assert not same_notes(played(weights, seed=1)[1], played(weights, seed=2)[1])


def test_the_amount_lies_between_what_is_written_and_what_is_played(weights):
    raw, none = played(weights, amount="0 %")
    assert np.allclose(np.sort(none.notes["start"]), np.sort(raw.notes["start"]))
    assert sorted(none.notes["velocity"].tolist()) == sorted(raw.notes["velocity"].tolist())
    _, half = played(weights, amount="50 %")
    _, whole = played(weights)
    assert not same_notes(half, whole)
    assert not same_notes(half, none)


def test_more_than_the_whole_is_wider_than_what_the_network_plays_by_half_a_step_at_most(weights):
    raw, whole = played(weights)
    _, twice = played(weights, amount="200 %")
    late = [np.sort(one.notes["start"]) - np.sort(raw.notes["start"]) for one in (whole, twice)]
    inside = (np.abs(late[0]) < 0.5 / STEPS_PER_BEAT / 2) & (raw.notes["start"] > 0)
    assert inside.any()
    np.testing.assert_allclose(late[1][inside], 2 * late[0][inside], atol=1e-6)
    assert np.abs(late[1]).max() <= 0.5 / STEPS_PER_BEAT + 1e-6


@pytest.mark.parametrize("style", STYLES)
def test_a_part_stays_as_loud_as_it_was_written(weights, style):
    """Even where untrained networks whisper; but for strokes that would be louder than any can be."""
    raw, heard = played(weights, style, temperature=1.0)
    assert heard.notes["velocity"].mean() == pytest.approx(raw.notes["velocity"].mean(), abs=6)


def test_what_is_usual_at_an_electronic_kit_is_a_full_stroke_of_each_drum_in_a_scene():
    """Its kicks are recorded softer than its snares."""
    pitches = [36, 38, 42, 46, 43, 47, 50, 49, 51]
    scene = phrase([(k / 4, k / 4 + 0.1, pitch, int(DRUM_LEVELS[k])) for k, pitch in enumerate(pitches)], beats=4).notes
    pads = groove._on_pads(scene)
    assert pads["velocity"][0] < pads["velocity"][1] < pads["velocity"][4]
    np.testing.assert_allclose(groove._from_pads(scene, pads)["velocity"].astype(int), DRUM_LEVELS, atol=2)


def test_a_tapped_rhythm_becomes_another_groove(weights):
    raw, heard = played(weights, "tap", temperature=1.0)
    assert heard.length == raw.length
    assert strokes(heard) != strokes(raw)


def test_other_drums_than_the_closed_hat_stay_when_the_network_plays_it(weights):
    raw, heard = played(weights, "add_closed_hh", temperature=1.0)
    others = [sorted(one.notes["pitch"][one.notes["pitch"] != 42].tolist()) for one in (raw, heard)]
    assert others[0] == others[1]
    assert (heard.notes["pitch"] == 42).sum() != (raw.notes["pitch"] == 42).sum()


@pytest.mark.parametrize("amount", ["60 %", "100 %", "130 %"])
def test_rolls_in_a_scene_keep_their_distances(weights, amount):
    roll = phrase([(2 + step / 8, 2 + step / 8 + 0.1, 38, 90) for step in range(32)], beats=8)
    asked = request("drum_rules", bars=2, transforms=grooving(weights, amount=amount, temperature=1.0))
    heard = chain.transformed(roll, asked, {}).notes
    # The last one may be pulled into the phrase.
    np.testing.assert_allclose(np.diff(heard["start"])[:-1], 1 / 8, atol=1e-9)


@pytest.mark.parametrize("style", STYLES)
@given(
    rows=st.lists(st.tuples(st.floats(0, 5.99), st.integers(0, 127), st.integers(1, 127)), max_size=20),
    amount=st.sampled_from(["0 %", "40 %", "100 %", "200 %"]),
)
@settings(max_examples=15, deadline=None)
def test_any_strokes_stay_playable(weights, style, rows, amount):
    source = phrase([(start, start + 0.25, pitch, velocity) for start, pitch, velocity in rows], beats=6)
    asked = request("drum_rules", bars=2, meter="3/4", transforms=grooving(weights, style, amount=amount))
    # An untrained network may answer a tap or two with nothing, and is refused; so may one that plays all closed hats
    # as it likes, where nothing else is written.
    hats = all(CLASS_OF_PITCH.get(pitch) == SYMBOLS.index("hh") for _, pitch, _ in rows)
    free = style == "tap" or (style == "add_closed_hh" and hats)
    refused = pytest.raises(PerpetuumError, match="made silence") if free else None
    try:
        heard = chain.transformed(source, asked, {})
    except PerpetuumError:
        assert refused is not None
        with refused:
            chain.transformed(source, asked, {})
    else:
        assert heard.length == 6


@pytest.mark.parametrize("style", ["humanize", "replay"])
def test_a_last_stroke_that_is_played_late_stays_in_its_phrase(weights, style):
    for place in (5.5, 5.75, 5.875, 5.99):
        source = phrase([(place, place + 0.25, 36, 90)], beats=6)
        asked = request("drum_rules", bars=2, meter="3/4", transforms=grooving(weights, style))
        heard = chain.transformed(source, asked, {})
        assert len(heard.notes) == 1
        assert heard.notes["start"][0] < 6


def test_parts_that_are_no_drums_and_rests_go_through_as_they_are(weights):
    tune = request("melody_rules", transforms=grooving(weights))
    raw, heard = make_phrase("melody_rules", tune, {})
    assert heard is raw or same_notes(heard, raw)
    silent = chain.transformed(phrase([]), request("drum_rules", transforms=grooving(weights)), {})
    assert not len(silent.notes)


def test_the_network_is_built_once_for_its_weights(weights, monkeypatch):
    built = []
    real = groove.vae_of
    monkeypatch.setattr(groove, "vae_of", lambda *how: built.append(how) or real(*how))
    cache = {}
    for seed in (1, 2):
        played(weights, cache=cache, seed=seed)
    played(weights, "tap", cache=cache)
    assert len(built) == 2


def test_where_the_network_fails_the_parts_own_rules_play_with_feel_by_rules(weights, monkeypatch):
    """No network is loaded for it: what stands in must not be able to fail."""
    monkeypatch.setattr(groove, "vae_of", lambda *how: pytest.fail("a network was asked for"))
    asked = request("drum_rules", settings={"style": "four_on_floor"}, transforms=grooving(weights))
    raw, heard = stand_in(asked, "late")
    assert same_notes(raw, made("drum_rules", settings={"style": "four_on_floor"}))
    assert not np.array_equal(heard.notes["start"], raw.notes["start"])
    assert sorted(heard.notes["pitch"].tolist()) == sorted(raw.notes["pitch"].tolist())
    still = stand_in(changed(asked, transforms=grooving(weights, amount="0 %")), "late")[1]
    assert np.allclose(still.notes["start"], raw.notes["start"])


def test_what_stands_in_leaves_melodies_alone(weights):
    raw, heard = stand_in(changed(request("melody_rules", transforms=grooving(weights)), role=Role.MELODY), "late")
    assert same_notes(raw, heard)


def test_a_worker_rehearses_it_with_a_bar_of_drums(weights):
    rules = GENERATORS.get("drum_rules")
    cache = {}
    asked = rehearsal(rules, rules.settings(), grooving(weights))
    assert len(make_phrase("drum_rules", asked, cache)[1].notes)
    assert ("transform", "groove", weights["humanize"]) in cache


def test_what_rules_wrote_and_a_network_played_counts_as_the_networks(weights):
    raw, heard = played(weights)
    assert (raw.provenance.origin, heard.provenance.origin) == (Origin.RULES, Origin.NETWORK)
    assert stand_in(request("drum_rules", transforms=grooving(weights)), "late")[1].provenance.origin is Origin.FALLBACK

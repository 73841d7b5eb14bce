"""MusicVAE as a generator: ways through the latent space, with small networks of made-up weights."""

import itertools
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.generators.chain import make_phrase
from engine.generators.contract import Link, Place, Role
from engine.generators.neural.curating.curator import ATTEMPTS
from engine.generators.neural.curating.judging import judged_drums_of_a_way
from engine.generators.neural.settings import MusicVaeSettings
from engine.generators.neural.vae.latent_way import latent_at, numbered_point
from engine.generators.neural.vae.music_vae import MusicVaeGenerator
from engine.ideas.idea import Idea, IdeaKind, TakenUp, Variation
from engine.networks import CONFIGS
from engine.networks.card import WeightsCard, read_weights, write_weights
from engine.score.harmony.keys import Key
from engine.score.midi.writing import write_piece
from engine.score.phrase import NOTE, Origin, moved
from engine.score.piece import Piece, Track
from tests.cli.weights import made_up
from tests.generators.asking import changed, made, phrase, pitches, request, same_notes

ROLES = {
    "cat-mel_2bar_small": Role.MELODY,
    "cat-mel_2bar_med_chords": Role.MELODY,
    "cat-drums_2bar_small": Role.DRUMS,
    "nade-drums_2bar_full": Role.DRUMS,
    "hierdec-mel_16bar": Role.MELODY,
    "hierdec-trio_16bar": Role.BASS,
}
SIZE = 8
PUBLISHED = Path(os.environ.get("PERPETUUM_REFERENCE", "/nonexistent")) / "golden" / "mel_2bar_small_decoder.npz"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return {config: str(calmed(made_up(folder, config))) for config in ROLES}


def on_its_way(generator, asked, spans):
    """What a network without points plays at a place on its way."""
    return generator._cut(
        asked, asked.settings, lambda begin: generator._way(asked, asked.settings, [], begin), spans, [0]
    )[0]


def calmed(path):
    """Weights whose decoder mostly says that nothing new happens; untrained ones babble."""
    card, numbers = read_weights(path)
    for name, bias in numbers.items():
        if name.endswith("output_projection/bias") and "nade" in card.config:
            bias[-61:] -= 4
        elif name.endswith("output_projection/bias"):
            bias[0] += np.log(2.5 * len(bias))
    write_weights(path, card, numbers)
    return path


def asked_of(weights, config, role=None, settings=None, **how):
    settings = {"config": config, "weights": weights[config], "temperature": 1.0, **(settings or {})}
    return changed(request("music_vae", settings=settings, theme=5, **how), role=role or ROLES[config])


def played(weights, config, cache=None, **how):
    return make_phrase("music_vae", asked_of(weights, config, **how), {} if cache is None else cache)[0]


@pytest.mark.parametrize("config", ROLES)
@pytest.mark.parametrize("mode", ["sample", "interpolate", "walk"])
def test_phrases_are_fitted_and_the_same_again(weights, config, mode):
    cache = {}
    for bar in (0, 4, 8):
        how = {"bar": bar, "settings": {"mode": mode, "way": 3}}
        one, again = played(weights, config, cache, **how), played(weights, config, **how)
        assert len(one.notes)
        assert same_notes(one, again)
        if ROLES[config] is not Role.DRUMS:
            low, high = (28, 50) if ROLES[config] is Role.BASS else (57, 83)
            assert all(low <= pitch <= high and pitch in Key.parse("D dorian") for pitch in pitches(one))


def network(weights, config):
    return MusicVaeGenerator(asked_of(weights, config).settings)


def notes_at(generator, asked):
    """What lies at the request's place before it is fitted."""
    return on_its_way(generator, asked, ())


@pytest.mark.parametrize("config", ["cat-drums_2bar_small", "hierdec-trio_16bar"])
@pytest.mark.parametrize("mode", ["interpolate", "walk"])
def test_music_does_not_depend_on_how_it_is_cut_into_phrases(weights, config, mode):
    def heard(bars):
        generator, found = network(weights, config), []
        for bar in range(0, 12, bars):
            how = {"bar": bar, "bars": bars, "section_bars": 16, "settings": {"mode": mode}, "role": Role.DRUMS}
            asked = asked_of(weights, config, **how)
            notes = on_its_way(generator, asked, _spans(asked))
            notes["start"] += bar * 4
            found.append(np.stack([notes["start"], notes["pitch"]], axis=1))
        return np.concatenate(found)

    assert np.array_equal(heard(12), heard(3))
    assert np.array_equal(heard(12), heard(4))


def test_drums_on_a_walk_turn_around_in_the_last_bar_where_a_period_closes(weights):
    """One phrase lies at a place; only its last bar is chosen, and only where something ends."""

    def bars(candidates, bar):
        raw = played(weights, "cat-drums_2bar_small", bar=bar, settings={"candidates": candidates})
        return raw.slice(0, 12), raw.slice(12, 16)

    (plain, last), (same, turned) = bars(1, 12), bars(8, 12)
    assert same_notes(plain, same)
    assert not same_notes(last, turned)
    assert all(map(same_notes, bars(1, 4), bars(8, 4)))


def test_of_a_trio_the_drums_alone_turn_around(weights):
    """One last bar of several is taken for them; the others play what lies at the place."""

    def chosen_of(role, bar):
        made = played(weights, "hierdec-trio_16bar", role=role, bar=bar, settings={"candidates": 4})
        return len(made.provenance.scores)

    assert chosen_of(Role.DRUMS, 12) > 1
    assert chosen_of(Role.DRUMS, 4) <= 1
    assert chosen_of(Role.BASS, 12) <= 1


def test_what_cannot_be_played_at_its_place_of_a_walk_is_played_further_along(weights, monkeypatch):
    config, how = "cat-drums_2bar_small", {"mode": "walk", "way": 4}
    generator = network(weights, config)
    asked = asked_of(weights, config, settings=how, bars=2)
    pace = int(asked.settings.pace)
    silent = generator._way(asked, asked.settings, [], 0)
    decode = generator.network.decode

    def with_a_silent_place(z, *more):
        return np.zeros_like(decode(z, *more)) if np.allclose(z[0], silent) else decode(z, *more)

    monkeypatch.setattr(generator.network, "decode", with_a_silent_place)
    made = generator.generate(asked)
    assert not len(on_its_way(generator, asked, _spans(asked)))
    assert made.provenance.origin is Origin.NETWORK
    first = generator._way(asked, asked.settings, [], pace)
    there = generator._cut(asked, asked.settings, lambda _: first, _spans(asked), [ATTEMPTS])[0]
    assert np.array_equal(made.notes["pitch"], there["pitch"])


def test_drums_that_stop_after_a_bar_are_no_place_of_a_way_to_stay_at():
    asked = request("drum_rules", bars=4)
    bar = asked.meter.beats_per_bar

    def said(*bars):
        strokes = phrase([(bar * k + beat, bar * k + beat + 0.25, 36, 100) for k in bars for beat in (0, 2)]).notes
        return judged_drums_of_a_way(strokes, asked)[0]

    assert said(0) == "strokes in 1 of 4 bars"
    assert said(0, 2) == "strokes in 2 of 4 bars"
    assert said(0, 2, 3) == ""
    assert said() == "silence"


def _spans(asked):
    from engine.generators.harmony import chords_under

    return chords_under(asked)


def test_the_parts_of_a_trio_are_of_one_piece_and_decode_it_once(weights, monkeypatch):
    config = "hierdec-trio_16bar"
    generator = network(weights, config)
    decoded = []
    real = generator.network.decode
    monkeypatch.setattr(generator.network, "decode", lambda *how: decoded.append(how) or real(*how))
    tracks = []
    for role in (Role.MELODY, Role.BASS, Role.DRUMS):
        asked = replace(asked_of(weights, config, role=role), part=str(role))
        tracks.append(on_its_way(generator, asked, _spans(asked)))
    assert len(decoded) == 1
    assert len({track["pitch"].tobytes() for track in tracks}) == 3


def test_a_trio_comes_back_to_a_place_of_its_way_and_plays_the_same_there_in_the_key_of_now(weights):
    config, how = "hierdec-trio_16bar", {"mode": "walk", "way": 3}

    def heard(role, first_bar, key="D dorian", taken=None):
        asked = asked_of(weights, config, role=role, settings=how, key=key)
        asked = replace(asked, place=replace(asked.place, first_bar=first_bar, bar=0), taken=taken)
        return make_phrase("music_vae", asked, {})[0]

    def point(bar):
        silence = phrase((), beats=16.0)
        return Idea(IdeaKind.POINT, "A", "tune", bar, Key.parse("D dorian"), 4.0, silence)

    for role in (Role.MELODY, Role.DRUMS):
        then, elsewhere = heard(role, 40), heard(role, 400)
        back = heard(role, 400, taken=TakenUp(point(40)))
        assert same_notes(then, back)
        assert not same_notes(then, elsewhere)
        assert (back.provenance.theme, back.provenance.variation) == ("A", "exact")
        near = heard(role, 400, taken=TakenUp(point(40), Variation.TOWARDS, 1.0, point(800)))
        assert not same_notes(then, near)
    higher = heard(Role.MELODY, 400, "E dorian", TakenUp(point(40)))
    assert [pitch % 12 for pitch in pitches(higher)] == [(pitch + 2) % 12 for pitch in pitches(heard(Role.MELODY, 40))]


def test_a_bass_comes_home_where_a_section_ends(weights):
    home = [played(weights, "hierdec-trio_16bar", bar=12, pass_index=number).notes[-1] for number in range(4)]
    assert {(int(note["pitch"]) % 12, float(note["end"])) for note in home} == {(Key.parse("D dorian").tonic, 16.0)}


def settings(**how):
    return MusicVaeSettings.model_validate(how)


def at(bar, *, bars=2, first=0, section_bars=16, points=(), pass_index=0, seed=(1,), **how):
    place = Place("a", pass_index, 0, section_bars, first)
    return latent_at(settings(**how), place, bar, bars, points, SIZE, seed)


def test_a_walk_is_continuous_and_goes_on_through_sections():
    steps = [at(bar, mode="walk", pace="8 bars") for bar in range(64)]
    strides = [np.linalg.norm(b - a) for a, b in itertools.pairwise(steps)]
    anchors = np.linalg.norm(steps[8] - steps[0])
    assert max(strides) < 0.6 * anchors
    assert np.array_equal(at(4, first=16, mode="walk"), at(20, mode="walk"))


def test_a_slower_walk_takes_smaller_steps():
    def stride(pace):
        return np.linalg.norm(at(1, mode="walk", pace=pace) - at(0, mode="walk", pace=pace))

    assert stride("64 bars") < 0.3 * stride("8 bars")


def test_a_walk_through_points_passes_them_all_and_comes_round_again():
    points = [numbered_point(number, SIZE) for number in (1, 2, 3)]
    way = [at(bar, mode="walk", pace="64 bars", points=points) for bar in range(3 * 64 + 1)]
    assert np.allclose(way[0], points[0], atol=1e-5)
    assert np.allclose(way[-1], points[0], atol=1e-5)
    for point in points:
        assert min(np.linalg.norm(here - point) for here in way) < 0.05 * np.linalg.norm(point)


def test_a_walk_from_one_point_comes_home_by_another_way_each_time():
    home = numbered_point(1, SIZE)
    for bar in (0, 16, 32):
        assert np.allclose(at(bar, mode="walk", pace="8 bars", points=[home]), home, atol=1e-5)
    assert not np.allclose(at(8, mode="walk", points=[home]), at(24, mode="walk", points=[home]))


@pytest.mark.parametrize(("bars", "section_bars"), [(2, 16), (2, 15), (1, 7)])
def test_an_interpolation_leads_from_the_first_point_to_the_last_over_the_section(bars, section_bars):
    points = [numbered_point(number, SIZE) for number in (1, 2)]
    how = {"mode": "interpolate", "points": points, "bars": bars, "section_bars": section_bars}
    way = [at(bar, **how) for bar in range(0, section_bars, bars)]
    assert np.allclose(way[0], points[0], atol=1e-5)
    assert np.allclose(way[-1], points[1], atol=1e-5)
    distances = [np.linalg.norm(z - points[1]) for z in way]
    assert all(later < earlier for earlier, later in itertools.pairwise(distances))


def test_a_section_of_one_window_stays_at_the_first_point():
    points = [numbered_point(number, SIZE) for number in (1, 2)]
    assert np.allclose(at(0, mode="interpolate", points=points, bars=16), points[0], atol=1e-5)


def test_samples_have_nothing_to_do_with_each_other():
    drawn = [at(bar, mode="sample", pass_index=number) for bar in (0, 2) for number in (0, 1)]
    assert len({z.tobytes() for z in drawn}) == 4
    assert np.array_equal(at(2, mode="sample"), drawn[2])


def test_a_way_with_a_number_is_the_same_in_all_sections(weights):
    generator = network(weights, "cat-drums_2bar_small")

    def heard(theme, **way):
        asked = asked_of(weights, "cat-drums_2bar_small", settings=way)
        return on_its_way(generator, replace(asked, theme=theme), _spans(asked))

    assert np.array_equal(heard(1, way=4), heard(2, way=4))
    assert not np.array_equal(heard(1), heard(2))
    assert not np.array_equal(heard(1, way=4), heard(1, way=5))


def song(offset):
    return np.array([(beat, beat + 1, 60 + (beat * offset) % 12, 80) for beat in range(8)], NOTE)


def test_the_way_leads_from_the_primer_to_a_midi_file(weights, tmp_path):
    config = "cat-mel_2bar_small"
    write_piece(tmp_path / "there.mid", Piece((Track(song(5), "tune"),)))
    generator = network(weights, config)
    asked = asked_of(weights, config, settings={"mode": "interpolate", "points": [str(tmp_path / "there.mid"), 7]})
    asked = replace(asked, sources={Link.PRIMER: phrase(song(2), beats=8)})
    points = generator._points(asked, asked.settings)
    converter = generator.network.config.make_converter()
    for point, notes in zip(points, (song(2), song(5)), strict=False):
        mu, _ = generator.network.encode(converter.window(Piece((Track(notes),))).inputs[None])
        assert np.allclose(point, mu[0], atol=1e-5)
    assert np.array_equal(points[2], numbered_point(7, generator.network.latent_size))


def test_a_primer_that_is_shorter_than_the_window_is_heard_again_and_again(weights):
    config = "cat-drums_2bar_small"
    generator = network(weights, config)
    bar = np.array([(0, 1, 36, 90), (2, 3, 38, 90)], NOTE)
    asked = replace(asked_of(weights, config), primer=phrase(bar, beats=4))
    found = generator._points(asked, asked.settings)[0]
    both = Track(np.concatenate([bar, moved(bar, 4.0)]), is_drum=True)
    converter = generator.network.config.make_converter()
    mu, _ = generator.network.encode(converter.window(Piece((both,)), 0.0, 32).inputs[None])
    assert np.allclose(found, mu[0], atol=1e-5)


def test_a_network_over_chords_is_told_those_of_its_bars(weights, monkeypatch):
    config = "cat-mel_2bar_med_chords"
    generator = network(weights, config)
    told = []
    real = generator.network.decode
    monkeypatch.setattr(
        generator.network,
        "decode",
        lambda z, steps, controls, *how: told.append(controls) or real(z, steps, controls, *how),
    )
    chords = made("chord_walk", seed=4)
    asked = replace(asked_of(weights, config), sources={Link.CHORDS: chords})
    on_its_way(generator, asked, _spans(asked))
    expected = generator.network.config.make_converter().controls(64, chords.chords)
    assert np.array_equal(np.concatenate(told), expected)


@pytest.mark.parametrize(("meter", "window"), [("3/4", 24), ("7/8", 28), ("5/4", 20)])
def test_other_meters_are_played_in_whole_bars(weights, meter, window, monkeypatch):
    config = "cat-drums_2bar_small"
    generator = network(weights, config)
    lengths = []
    real = generator.network.decode
    monkeypatch.setattr(
        generator.network, "decode", lambda z, steps, *how: lengths.append(steps) or real(z, steps, *how)
    )
    asked = asked_of(weights, config, meter=meter)
    assert isinstance(on_its_way(generator, asked, _spans(asked)), np.ndarray)
    assert set(lengths) == {window}


def test_a_meter_that_the_network_does_not_know_is_refused(weights):
    with pytest.raises(PerpetuumError, match="16 bars of 16/16, and no others"):
        played(weights, "hierdec-mel_16bar", meter="3/4")


def test_a_melody_follows_the_rhythm_and_drums_the_bass(weights):
    rhythm = phrase([(beat, beat + 0.5, 40, 90) for beat in (0, 1.5, 4, 6, 8, 9.5, 12, 14)])
    raw = played(weights, "cat-drums_2bar_small", rhythm=rhythm)
    kicks = raw.notes["start"][raw.notes["pitch"] == 36]
    assert set(kicks.tolist()) <= set(rhythm.notes["start"].tolist())
    sung = played(weights, "cat-mel_2bar_small", rhythm=rhythm)
    assert set(sung.notes["start"].tolist()) <= set(rhythm.notes["start"].tolist())


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="PERPETUUM_REFERENCE names no folder with the published decoder")
def test_along_a_slow_walk_of_a_trained_network_neighbours_sound_alike_and_samples_do_not(tmp_path):
    """How much of two bars is in the next two bars, on average."""
    numbers = np.load(PUBLISHED)
    tensors = {name: numbers[name] for name in numbers.files if name.startswith("decoder/")}
    config = "cat-mel_2bar_small"
    sizes = CONFIGS[config].sizes({name: value.shape for name, value in tensors.items()})
    path = tmp_path / "published.safetensors"
    write_weights(path, WeightsCard(config, "music_vae", config, sizes, "Apache-2.0"), tensors, np.float32)

    def likeness(**way):
        settings = {"temperature": 0.5, **way}
        asked = asked_of({config: str(path)}, config, bars=64, section_bars=64, settings=settings)
        notes = on_its_way(generator, asked, _spans(asked))
        window = notes["start"] // 8
        sung = [set(zip(notes["start"][window == k] % 8, notes["pitch"][window == k], strict=True)) for k in range(32)]
        return np.mean([len(a & b) / max(1, len(a), len(b)) for a, b in itertools.pairwise(sung)])

    generator = MusicVaeGenerator(asked_of({config: str(path)}, config).settings)
    assert likeness(mode="walk", pace="64 bars") > 0.5
    assert likeness(mode="sample") < 0.2
    assert likeness(mode="interpolate", points=[1, 2]) > 0.5

"""Polyphony RNN, Performance RNN and Pianoroll RNN-NADE as generators, with small networks of made-up weights."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.generators.chain import make_phrase
from engine.generators.contract import Link, Role
from engine.generators.neural import polyphonic
from engine.generators.neural.fitting import fitted_voices
from engine.networks.card import read_weights, write_weights
from engine.networks.contract import Extension
from engine.score.harmony.keys import Key
from engine.score.phrase import NOTE, Origin
from engine.units import PitchRange
from tests.cli.weights import made_up
from tests.generators.asking import changed, made, phrase, pitches, request, same_notes

CONFIGS = {
    "polyphony": "polyphony_rnn",
    "performance": "performance_rnn",
    "performance_with_dynamics": "performance_rnn",
    "multiconditioned_performance_with_dynamics": "performance_rnn",
    "rnn-nade": "pianoroll_rnn_nade",
    "rnn-nade_attn": "pianoroll_rnn_nade",
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return {config: str(calmed(made_up(folder, config))) for config in CONFIGS}


def calmed(path):
    """Weights of which few keys are likely; untrained ones press half of the keyboard down."""
    card, numbers = read_weights(path)
    if "decoder/dense/bias" in numbers:
        numbers["decoder/dense/bias"][-88:] -= 3
    write_weights(path, card, numbers)
    return path


def played(weights, config, cache=None, **how):
    name = CONFIGS[config]
    settings = {"config": config, "weights": weights[config], **how.pop("settings", {})}
    asked = request(name, settings=settings, **{"bars": 2, **how})
    return make_phrase(name, asked, {} if cache is None else cache)[0]


@pytest.mark.parametrize("config", CONFIGS)
def test_what_is_played_lies_in_key_range_and_voices_and_is_the_same_again(weights, config):
    cache = {}
    for seed in range(3):
        one = played(weights, config, cache, seed=seed, settings={"range": "C3..C5", "voices": 3})
        again = played(weights, config, seed=seed, settings={"range": "C3..C5", "voices": 3})
        assert same_notes(one, again)
        assert all(48 <= pitch <= 72 and (pitch in Key.parse("D dorian") or pitch % 12 == 1) for pitch in pitches(one))
        assert most_at_once(one.notes) <= 3
        assert one.provenance.origin is Origin.NETWORK


def most_at_once(notes):
    return max(int(((notes["start"] <= start) & (notes["end"] > start + 1e-9)).sum()) for start in notes["start"])


@pytest.mark.parametrize("config", ["polyphony", "performance_with_dynamics", "rnn-nade"])
@pytest.mark.parametrize("meter", ["3/4", "7/8"])
def test_other_meters_and_roles_are_filled(weights, config, meter):
    for role in (Role.CHORDS, Role.MELODY):
        asked = request(CONFIGS[config], bars=2, meter=meter, settings={"config": config, "weights": weights[config]})
        assert make_phrase(CONFIGS[config], changed(asked, role=role), {})[0].length == asked.beats


class Parrot:
    """A network that plays given notes and remembers what it was asked."""

    def __init__(self, *notes):
        self.config = SimpleNamespace(name="parrot")
        self.notes = np.array(list(notes), NOTE)
        self.asked = []

    def extend(self, passage, beats, conditions, sampling, rng, count):
        self.asked.append(SimpleNamespace(passage=passage, beats=beats, conditions=conditions, sampling=sampling))
        return [Extension(self.notes.copy(), 0.0)] * count


@pytest.fixture
def parrot(monkeypatch):
    def install(*notes):
        bird = Parrot(*notes)
        monkeypatch.setattr(polyphonic, "rnn_of", lambda *how: bird)
        return bird

    return install


PLAYED = [(0.013, 0.9, 50, 71), (0.021, 1.2, 57, 64), (1.48, 2.1, 62, 90), (5.02, 9.5, 65, 101), (9.9, 11.0, 62, 55)]


def test_a_performers_timing_and_velocities_are_kept(parrot):
    parrot(*PLAYED)
    raw = made("performance_rnn")
    assert raw.notes["start"].tolist() == [start for start, *_ in PLAYED]
    assert raw.notes["velocity"].tolist() == [velocity for *_, velocity in PLAYED]


def test_a_network_without_velocities_is_played_with_some(parrot):
    parrot(*((start, end, pitch, 80) for start, end, pitch, _ in PLAYED))
    assert len(set(made("performance_rnn").notes["velocity"].tolist())) > 2


def test_voices_that_stand_still_are_tried_again(parrot):
    bird = parrot((0.0, 16.0, 60, 80), (0.0, 16.0, 64, 80))
    made("polyphony_rnn")
    assert len(bird.asked) == 3
    moving = parrot(*((beat, beat + 4.0, 60 + beat % 5, 80) for beat in range(0, 16, 4)))
    made("polyphony_rnn")
    assert len(moving.asked) == 1


def test_density_and_pitches_are_asked_for(parrot):
    bird = parrot(*PLAYED)
    chords = made("chord_walk", seed=4)
    history = made("chord_walk", seed=5)
    how = {"bar": 4, "history": history, "chords": chords}
    made("performance_rnn", settings={"notes_per_second": 7.5, "pitch_classes": "chords"}, **how)
    made("performance_rnn", settings={"pitch_classes": "key"}, **how)
    made("performance_rnn", settings={"pitch_classes": "free"}, **how)
    over_chords, in_key, free = (asked.conditions for asked in bird.asked)
    assert over_chords.notes_per_second == 7.5
    assert len(over_chords.pitch_classes) == 2 * 32
    first = {pitch for pitch, weight in enumerate(over_chords.pitch_classes[32]) if weight == 1}
    last = {pitch for pitch, weight in enumerate(over_chords.pitch_classes[-1]) if weight == 1}
    assert (first, last) == tuple(set(chords.chords[place].chord.pitch_classes) for place in (0, -1))
    assert {pitch for pitch, weight in enumerate(in_key.pitch_classes[0]) if weight == 1} == {0, 2, 4, 5, 7, 9, 11}
    assert free.pitch_classes is None
    assert free.notes_per_second is None


def test_the_past_is_what_is_continued_and_the_tempo_is_told(parrot):
    bird = parrot(*PLAYED)
    history = made("chord_walk", bars=8, seed=5)
    made("polyphony_rnn", bar=8, history=history, settings={"history": "2 bars"})
    asked = bird.asked[0]
    assert np.array_equal(asked.passage.notes, history.slice(24, 32).notes)
    assert (asked.passage.length, asked.passage.qpm, asked.passage.steps_per_bar) == (8.0, 90.0, 16)
    assert asked.conditions.condition_on_primer
    assert not asked.conditions.inject_primer


def test_an_injected_primer_sounds_from_the_phrases_beginning_again_and_again(parrot):
    bird = parrot(*PLAYED)
    tune = phrase([(0, 1, 62, 80), (1, 4, 65, 80)], beats=4)
    asked = request("polyphony_rnn", bar=4, history=made("chord_walk"), settings={"inject_primer": True})
    make_phrase("polyphony_rnn", changed(asked, sources={Link.PRIMER: tune}), {})
    heard = bird.asked[0]
    assert heard.conditions.inject_primer
    assert not heard.conditions.condition_on_primer
    assert heard.passage.notes["start"].tolist() == [0, 1, 4, 5, 8, 9, 12, 13]


def test_a_cluster_of_one_pitch_without_end_is_refused(parrot):
    parrot(*((step / 4, step / 4 + 0.25, 60, 80) for step in range(64)))
    with pytest.raises(PerpetuumError, match="one note"):
        made("pianoroll_rnn_nade")


def test_too_many_voices_lose_the_inner_ones_and_no_pitch_sounds_twice():
    asked = request("polyphony_rnn", key="C major")
    rows = [(0, 4, 48, 80), (0, 4, 55, 80), (0, 4, 60, 80), (0, 4, 64, 80), (2, 6, 64, 80)]
    kept = fitted_voices(np.array(rows, NOTE), asked, PitchRange(36, 84), 3, in_key=True).notes
    assert kept["pitch"].tolist() == [48, 60, 64, 64] or kept["pitch"].tolist() == [48, 55, 64, 64]
    assert kept["end"][kept["pitch"] == 64].tolist() == [2, 6]
    alone = fitted_voices(np.array(rows[:4], NOTE), asked, PitchRange(36, 84), 1, in_key=True).notes
    assert alone["pitch"].tolist() == [64]


def test_a_real_network_sings_the_primer_that_is_injected(weights):
    """Its own notes come on top; those of the primer are all there."""
    tune = phrase([(beat, beat + 1, pitch, 80) for beat, pitch in enumerate((62, 65, 69, 67, 65, 64, 62, 62))], beats=8)
    settings = {"config": "polyphony", "weights": weights["polyphony"], "inject_primer": True, "voices": 16}
    asked = changed(request("polyphony_rnn", bars=2, settings=settings), sources={Link.PRIMER: tune})
    heard = make_phrase("polyphony_rnn", asked, {})[0].notes
    played = set(zip(heard["start"].tolist(), (heard["pitch"] % 12).tolist(), strict=True))
    assert {(float(start), int(pitch) % 12) for start, _, pitch, _ in tune.notes.tolist()} <= played


@pytest.mark.parametrize("count", [1, 5])
def test_several_candidates_are_made_by_every_family(weights, count):
    for config in ("polyphony", "performance_with_dynamics", "rnn-nade"):
        assert len(played(weights, config, settings={"candidates": count}).notes)

"""Facts about excerpts: what networks are trained and judged on."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks import CONFIGS
from engine.networks.encodings import polyphony
from engine.networks.encodings.performance import performance
from engine.networks.rnn.configs import RnnConfig
from engine.score.harmony.chords import parse_chord
from engine.score.phrase import NOTE
from engine.training.datasets.pieces import DatasetPiece
from engine.training.material import Material, OneDrumMaterial, known_chord, material_of
from engine.training.tasks.batches import encoded


def material(name: str, steps: int) -> Material:
    config = CONFIGS[name]
    assert isinstance(config, RnnConfig)
    return material_of(config, steps)


def chorale() -> DatasetPiece:
    """Four voices in quarters, eight bars."""
    rows = [(k, k + 1, pitch + k % 3, 100) for k in range(32) for pitch in (48, 60, 64, 72)]
    return DatasetPiece("c", "s", "train", np.array(rows, NOTE))


def lead_sheet() -> DatasetPiece:
    events = np.full(128, -2, np.int16)
    events[::4] = [60 + k % 7 for k in range(32)]
    return DatasetPiece("l", "s", "train", events, np.repeat(["C", "Am7/G", "", "F#dim"], 32).astype("U16"))


def played() -> DatasetPiece:
    """A note every fifth of a second, louder and louder."""
    rows = [(k / 5, k / 5 + 0.15, 60 + k % 12, 20 + k % 100) for k in range(200)]
    return DatasetPiece("p", "s", "train", np.array(rows, NOTE))


PIECES = {
    "one_drum": DatasetPiece("d", "s", "train", np.random.default_rng(0).integers(0, 512, 128)),
    "drum_kit": DatasetPiece("d", "s", "train", np.random.default_rng(0).integers(0, 512, 128)),
    "basic_rnn": lead_sheet(),
    "lookback_rnn": lead_sheet(),
    "attention_rnn": lead_sheet(),
    "attention_improv": lead_sheet(),
    "chord_pitches_improv": lead_sheet(),
    "polyphony": chorale(),
    "performance": played(),
    "performance_with_dynamics_and_modulo_encoding": played(),
    "multiconditioned_performance_with_dynamics": played(),
    "optional_multiconditioned_performance_with_dynamics": played(),
}


@pytest.mark.parametrize("name", PIECES)
def test_excerpts_of_every_family_are_what_its_encoding_takes(name):
    config, made = CONFIGS[name], material(name, 64)
    assert isinstance(config, RnnConfig)
    encoding, rng = config.make_encoding(), np.random.default_rng(1)
    excerpts = [made.draw(PIECES[name], rng) for _ in range(8)] + made.cut(PIECES[name])
    assert len(excerpts) > 8
    for excerpt in excerpts:
        encoding.validate(excerpt.events.tolist())
        inputs, labels = encoded(encoding, excerpt)
        assert len(inputs) == len(labels) == len(excerpt.events) - (not excerpt.from_start)
        assert len(excerpt.events) <= made.longest
        assert labels.min() >= 0
        assert labels.max() < config.default_layout().output_size
        assert made.notes(excerpt) > 0


def test_one_drum_hears_strokes_at_the_nearest_eighth():
    events = np.zeros(32, np.int16)
    events[[0, 3, 8, 15]] = 1, 2, 256, 4
    heard = OneDrumMaterial(32).heard(events)
    assert np.flatnonzero(heard).tolist() == [0, 2, 4, 8]
    assert len(heard) == 16
    assert len(OneDrumMaterial(33).heard(np.zeros(33, np.int16))) == OneDrumMaterial(33).longest


def test_chords_are_transposed_with_the_melody():
    rng = np.random.default_rng(5)
    made = material("chord_pitches_improv", 64)
    keys = set()
    for _ in range(20):
        excerpt = made.draw(lead_sheet(), rng)
        first = excerpt.conditions[0]
        if first is not None and first.quality == "" and excerpt.events[0] >= 0:
            keys.add(first.root)
            assert (excerpt.events[0] - first.root) % 12 in range(7)
    assert len(keys) > 3


def test_a_figure_that_nobody_understands_is_no_chord():
    assert known_chord("Am7/G") == parse_chord("Am7/G")
    assert known_chord("") is None
    assert known_chord("H??") is None


def test_polyphony_begins_with_start_and_sounding_notes_begin_there():
    made = material("polyphony", 400)
    (whole, *_) = made.cut(chorale())
    assert whole.events[0] == polyphony.START
    assert whole.events[:6].tolist() == [0, *(polyphony.NEW + pitch for pitch in (72, 64, 60, 48)), polyphony.STEP_END]
    assert made.notes(whole) < len(whole.events)
    last = made.draw(DatasetPiece("x", "s", "train", np.array([(0, 40, 60, 100)], NOTE)), np.random.default_rng(0))
    assert last.events[1] >= polyphony.NEW
    assert last.events[1] < polyphony.CONTINUED
    assert last.events[-1] == polyphony.END


def test_controls_are_measured_in_the_music():
    made = material("multiconditioned_performance_with_dynamics", 128)
    excerpt = made.cut(played())[0]
    inputs, _ = encoded(CONFIGS["multiconditioned_performance_with_dynamics"].make_encoding(), excerpt)
    assert inputs[:5, :8].argmax(axis=1).tolist() == [3] * 5, "five notes a second are in [4, 8)"
    np.testing.assert_allclose(inputs[:5, 8:20].sum(axis=1), 1.0, rtol=1e-5)


def test_performances_in_training_are_a_little_faster_and_slower():
    made = material("performance_with_dynamics", 300)
    rng = np.random.default_rng(0)
    lengths = {performance.steps_of(made.draw(played(), rng).events.tolist()) for _ in range(6)}
    assert len(lengths) > 3


def test_what_cannot_be_trained_says_so():
    with pytest.raises(PerpetuumError, match="rnn-nade"):
        material("rnn-nade", 64)

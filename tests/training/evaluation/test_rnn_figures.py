"""Facts about the held-out figures of RNNs and the baselines beside them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks import CONFIGS
from engine.training.evaluation import evaluate
from engine.training.evaluation.held_out.baselines import baselines
from engine.training.evaluation.held_out.rnn import evaluate_rnn, event_losses
from engine.training.material import TrainingExcerpt, material_of
from engine.training.tasks.batches import encoded
from tests.training.evaluation.pieces import beats, chorales, lead_sheets, melodies, performances, small_rnn


def losses_one_by_one(network, excerpt):
    """As `event_losses`, class by class through the stream itself."""
    inputs, _ = encoded(network.encoding, excerpt)
    logits = network.run(inputs)[0].astype(float)
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    stream, given = network.encoding.stream(excerpt.conditions), 0 if excerpt.from_start else 1
    losses, hits = [], []
    for t, event in enumerate(excerpt.events.tolist()):
        if t >= given:
            mass: dict[int, float] = {}
            for index, share in enumerate(shares[t - given].tolist()):
                meant = stream.decode(index)
                mass[meant] = mass.get(meant, 0.0) + share
            losses.append(-np.log(mass[event]))
            hits.append(max(mass, key=lambda one: mass[one]) == event)
        stream.push(event)
    return np.array(losses), np.array(hits)


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("drum_kit", beats),
        ("one_drum", beats),
        ("basic_rnn", melodies),
        ("lookback_rnn", melodies),
        ("attention_rnn", melodies),
        ("chord_pitches_improv", lead_sheets),
        ("polyphony", chorales),
        ("multiconditioned_performance_with_dynamics", performances),
    ],
)
def test_the_losses_of_a_batch_are_those_of_its_sequences(name, pieces):
    network = small_rnn(name)
    material = material_of(network.config, 64)
    excerpts = [excerpt for piece in pieces()[:2] for excerpt in material.cut(piece)]
    excerpts.append(replace(excerpts[0], events=excerpts[0].events[:40]))
    told = []
    found = event_losses(network, excerpts, told.append)
    assert told[-1] == 1.0
    for excerpt, (losses, hits) in zip(excerpts, found, strict=True):
        expected, right = losses_one_by_one(network, excerpt)
        np.testing.assert_allclose(losses, expected, atol=1e-4)
        assert (hits == right).mean() > 0.98, "but for ties"


def test_an_event_that_repeats_a_bar_has_the_probability_of_both_its_classes():
    network = small_rnn("attention_rnn")
    events = np.array([60] * 40)
    (losses, _), _ = event_losses(network, [TrainingExcerpt(events), TrainingExcerpt(events[:8])])
    inputs, _ = encoded(network.encoding, TrainingExcerpt(events))
    logits = network.run(inputs)[0][-1].astype(float)
    shares = np.exp(logits) / np.exp(logits).sum()
    low, repeats = network.encoding.min_note, network.encoding.note_range + 2
    assert losses[-1] == pytest.approx(-np.log(shares[60 - low] + shares[repeats] + shares[repeats + 1]), abs=1e-4)


def test_baselines_know_what_they_can_know():
    rng = np.random.default_rng(0)
    noise = [TrainingExcerpt(rng.integers(0, 512, 512)) for _ in range(6)]
    bars = [TrainingExcerpt(np.tile(rng.integers(0, 512, 16), 32)) for _ in range(6)]
    pairs = [TrainingExcerpt(np.array([1, 2] * 128)) for _ in range(6)]
    random, repeated, alternating = (baselines(part[:4], part[4:], 512, 16) for part in (noise, bars, pairs))
    assert random["unigram"] == pytest.approx(np.log(512), abs=0.3)
    assert repeated["copy_bar"] < 0.6 < repeated["unigram"]
    assert alternating["bigram"] < 0.1 < alternating["unigram"]


def test_nats_per_event_note_and_bar_are_the_same_nats():
    figures = evaluate_rnn(small_rnn("basic_rnn"), melodies())
    assert figures["events"] == 3 * 160
    assert figures["per_note"] * figures["notes"] == pytest.approx(figures["network"] * figures["events"])
    assert figures["per_bar"] == pytest.approx(16 * figures["network"])
    assert figures["under_bigram"] == pytest.approx(100 * (1 - figures["network"] / figures["bigram"]))
    assert figures["under_bigram"] < 0, "a network of chance is worse than the bigram"


def test_an_eighth_is_the_step_of_one_drum():
    figures = evaluate_rnn(small_rnn("one_drum"), beats())
    assert figures["events"] == 2 * 80
    assert figures["per_bar"] == pytest.approx(8 * figures["network"])


def test_baselines_of_performances_do_not_wait_for_controls(monkeypatch):
    name = "multiconditioned_performance_with_dynamics"
    measured = []
    from engine.training import material

    real = material.Measured
    monkeypatch.setattr(material, "Measured", lambda *args: measured.append(args) or real(*args))
    figures = evaluate_rnn(small_rnn(name), performances())
    assert len(measured) == 1, "the one held-out performance, none of the training"
    assert figures["per_note"] > figures["network"]
    assert "per_bar" not in figures


def test_what_cannot_be_judged_is_refused_with_the_reason():
    held = [piece for piece in beats(4) if piece.split != "test"]
    with pytest.raises(PerpetuumError, match="0 of 3 pieces are in the test split"):
        evaluate(small_rnn("drum_kit"), held)
    with pytest.raises(PerpetuumError, match="rnn-nade: nobody knows how to judge"):
        evaluate(SimpleNamespace(config=CONFIGS["rnn-nade"]), held)

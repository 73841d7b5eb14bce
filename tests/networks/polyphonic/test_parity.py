"""The polyphonic networks give the same numbers as the original Magenta 2.1.4, and with its seeds the same notes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine.networks import build_network
from engine.networks.contract import Conditions, Sampling
from engine.networks.encodings import polyphony
from engine.networks.encodings.performance import notes as performance_notes
from engine.networks.encodings.performance import performance
from engine.networks.encodings.performance.controls import DEFAULT_DENSITY, Controls
from engine.networks.polyphonic.configs import POLYPHONIC_CONFIGS, NadeConfig, nade_shapes
from engine.networks.polyphonic.performance_rnn import perform
from engine.networks.polyphonic.polyphony_rnn import compose
from engine.networks.sampling import probabilities
from tests.networks.polyphonic.golden import (
    CONTROLLED,
    PERFORMANCES,
    PIANOROLLS,
    WHOLE_NOTES,
    Golden,
    in_order,
    weights_of,
)

CONFIGS = {config.name: config for config in POLYPHONIC_CONFIGS}
SOFTMAXES = ("polyphony", *PERFORMANCES, WHOLE_NOTES)


@cache
def network_of(name: str):
    """The network of the reference run, with its small layers."""
    config, golden = CONFIGS[name], Golden(name)
    if isinstance(config, NadeConfig):
        layout = replace(config, default_hidden=14).default_layout(golden.layers)
        return build_network(config, weights_of(layout.shapes() | nade_shapes(14)))
    return build_network(config, weights_of(config.default_layout(golden.layers).shapes()))


def inputs_of(network, golden: Golden, primer: str) -> np.ndarray:
    """The reference inputs; the compact config's classes as the one-hots that its graph makes of them."""
    inputs = golden[f"{primer}_inputs"]
    return (
        np.eye(network.encoding.input_size, dtype=np.float32)[inputs[:, 0].astype(int)]
        if inputs.shape[1] == 1
        else inputs
    )


def test_every_config_is_compared():
    assert set(CONFIGS) == {*SOFTMAXES, *PIANOROLLS}


@pytest.mark.parametrize("name", SOFTMAXES)
def test_logits_softmaxes_and_final_states_agree_within_1e_4(name):
    golden, network = Golden(name), network_of(name)
    for primer in golden.primers:
        logits, states = network.run(inputs_of(network, golden, primer))
        np.testing.assert_allclose(logits[::3], golden[f"{primer}_logits"], atol=1e-4)
        assert len(states) == sum(f"{primer}_final_state" in key for key in golden.arrays.files)
        for k, state in enumerate(states):
            np.testing.assert_allclose(state, golden[f"{primer}_final_state_{k}"], atol=1e-4)
        for temperature in (1.0, 0.6):
            if f"{primer}_softmax_t{temperature}" in golden.arrays.files:
                softmax = probabilities(logits[::12], temperature)
                np.testing.assert_allclose(softmax, golden[f"{primer}_softmax_t{temperature}"], atol=1e-4)


def controls_of(network, golden: Golden, primer: str):
    """The constant controls of a primer's reference inputs; None for a network without."""
    encoding = network.encoding
    if golden.name not in CONTROLLED:
        return None
    asked = golden.info[f"{primer}_control_event"]
    asked = asked[1] if encoding.optional else asked
    curves = [control.rows(value) for control, value in zip(encoding.controls, asked, strict=True)]
    return Controls(curves, disabled=(False,) if encoding.optional else None)


@pytest.mark.parametrize("name", ["polyphony", *PERFORMANCES])
def test_log_likelihoods_agree(name):
    golden, network = Golden(name), network_of(name)
    for primer in golden.primers:
        events = golden[f"{primer}_labels"].tolist()  # an event is its class
        made = network.log_likelihood(events, conditions=controls_of(network, golden, primer))
        # The reference sums float32 logarithms of float32 probabilities.
        assert made == pytest.approx(golden.info[f"{primer}_loglik"], abs=1e-4, rel=1e-6)


def test_whole_notes_are_as_likely_as_their_six_softmaxes_say():
    golden, network = Golden(WHOLE_NOTES), network_of(WHOLE_NOTES)
    for primer in golden.primers:
        logits, _ = network.run(golden[f"{primer}_inputs"])
        parts = np.split(logits, np.cumsum(performance_notes.CLASSES)[:-1], axis=1)
        for k, part in enumerate(parts):
            for temperature in (1.0, 0.6):
                expected = golden[f"{primer}_softmax{k}_t{temperature}"]
                np.testing.assert_allclose(probabilities(part[::12], temperature), expected, atol=1e-4)
        stream = network.encoding.stream()
        labels = golden[f"{primer}_labels"]
        events = [stream.decode(tuple(label)) for label in labels.tolist()]
        rows = np.arange(len(labels) - 1)
        expected = sum(np.log(probabilities(part[:-1], 1.0)[rows, labels[1:, k]]).sum() for k, part in enumerate(parts))
        assert network.log_likelihood(events) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", PIANOROLLS)
def test_pianoroll_biases_and_states_agree_within_1e_4(name):
    golden, network = Golden(name), network_of(name)
    hidden = network.head.nade.num_hidden
    for primer in golden.primers:
        outputs, states = network.run(golden[f"{primer}_inputs"])
        np.testing.assert_allclose(outputs[:, :hidden], golden[f"{primer}_b_enc"], atol=1e-4)
        np.testing.assert_allclose(outputs[:, hidden:], golden[f"{primer}_b_dec"], atol=1e-4)
        for k, state in enumerate(states):
            np.testing.assert_allclose(state, golden[f"{primer}_final_state_{k + 2}"][0], atol=1e-4)
        assert len(states) == sum(f"{primer}_final_state" in key for key in golden.arrays.files) - 2


@pytest.mark.parametrize("name", PIANOROLLS)
def test_pianoroll_frames_are_as_likely_as_magentas(name):
    golden, network = Golden(name), network_of(name)
    nade = network.head.nade
    for primer in golden.primers:
        frames = golden[f"{primer}_inputs"]
        before = np.concatenate([np.zeros_like(frames[:1]), frames[:-1]])
        outputs, _ = network.run(before)
        for t, (biases, frame) in enumerate(zip(outputs, frames, strict=True)):
            biases = biases[: nade.num_hidden], biases[nade.num_hidden :]
            made = 1 / (1 + np.exp(-nade.conditionals(*biases, frame)))
            np.testing.assert_allclose(made, golden[f"{primer}_nade_cond_prob"][t], atol=1e-4)
            expected = golden[f"{primer}_nade_log_prob"][t]
            assert nade.log_probability(*biases, frame) == pytest.approx(expected, abs=1e-4)


def sampling_of(run: dict) -> Sampling:
    return Sampling(
        temperature=run.get("temperature", 1.0),
        beam_size=run.get("beam", 1),
        branch_factor=run.get("branch", 1),
        steps_per_iteration=run.get("spi", 1),
    )


POLYPHONY_RUNS = [run["label"] for run in Golden("polyphony").generations()]


@pytest.mark.parametrize("label", POLYPHONY_RUNS)
def test_polyphony_with_magentas_seed_is_magentas(label):
    golden, network = Golden("polyphony"), network_of("polyphony")
    run = next(run for run in golden.generations() if run["label"] == label)
    extra = run["extra"] or {}
    conditions = Conditions(
        inject_primer=not extra.get("no_inject_primer_during_generation", False),
        condition_on_primer=extra.get("condition_on_primer", False),
    )
    start, end = golden.section(run, 4)
    passage = golden.passage(f"p{run['primer']}", start / 4)
    primer = polyphony.from_notes(passage.notes, start)
    rng = np.random.RandomState(run["seed"])
    events = compose(network, primer, end - start, conditions, sampling_of(run), rng)[0].stream.events
    if conditions.condition_on_primer:
        notes = polyphony.to_notes(events, end)
        rest = np.zeros(0, notes.dtype)
    else:  # Magenta puts what was made after the primer's own notes
        notes, rest = polyphony.to_notes(events, end - start), passage.notes.copy()
        notes["start"] += start / 4
        notes["end"] += start / 4
    made = np.concatenate([notes, rest])
    seconds = 60 / passage.qpm
    made = np.stack([made["start"] * seconds, made["end"] * seconds, made["pitch"], made["velocity"]], axis=1)
    assert in_order(made) == golden.played(run)


PERFORMANCE_RUNS = [(name, run["label"]) for name in PERFORMANCES for run in Golden(name).generations()]


@pytest.mark.parametrize(("name", "label"), PERFORMANCE_RUNS)
def test_performances_with_magentas_seed_are_magentas(name, label):
    golden, network = Golden(name), network_of(name)
    run = next(run for run in golden.generations() if run["label"] == label)
    passage = golden.passage(f"p{run['primer']}", 0)
    start, end = golden.section(run, performance.steps_per_beat(passage.qpm))
    asked, controls = golden.controls(run), None
    density = np.mean(asked.get("notes_per_second", DEFAULT_DENSITY))
    if name in CONTROLLED:
        curves = [control.rows(asked[control.value]) for control in network.encoding.controls]
        controls = Controls(curves, end, asked.get("disable_conditioning"))
    dynamics = network.encoding.dynamics
    primer = performance.fit(performance.from_notes(passage.notes, passage.qpm, dynamics), start)
    rng = np.random.RandomState(run["seed"])
    sampling = sampling_of(run)
    events = perform(network, primer, end, sampling, rng, controls, density, fill=False)[0].stream.events
    made = performance.to_notes(performance.fit(events, end), passage.qpm)
    seconds = 60 / passage.qpm
    made = np.stack([made["start"] * seconds, made["end"] * seconds, made["pitch"], made["velocity"]], axis=1)
    assert in_order(made) == golden.played(run)


@pytest.mark.parametrize("run", Golden(WHOLE_NOTES).generations(), ids=lambda run: run["label"])
def test_whole_notes_with_magentas_seed_are_magentas(run):
    golden, network = Golden(WHOLE_NOTES), network_of(WHOLE_NOTES)
    passage = golden.passage(f"p{run['primer']}", 0)
    primer = performance_notes.from_notes(passage.notes, passage.qpm)
    expected = [
        (shift, pitch, velocity - 1, length) for (_, shift), (_, pitch), (_, velocity), (_, length) in run["events"]
    ]
    rng = np.random.RandomState(run["seed"])
    made = network.generate(primer, len(expected) - len(primer), run["temperature"], rng)
    assert primer + made == expected

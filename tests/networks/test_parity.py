"""The same numbers as the original Magenta 2.1.4."""

from __future__ import annotations

import numpy as np
import pytest

from engine.networks import NO_EVENT, NOTE_OFF, EventSequenceRnn
from engine.networks.encodings import encode
from engine.score.drums import CLASS_OF_PITCH
from tests.networks.golden import Golden

NAMES = ("drum_kit", "attention_rnn")
BACKENDS = ("numpy", pytest.param("tensorflow", marks=pytest.mark.models))


@pytest.fixture(scope="module", params=NAMES)
def golden(request):
    return Golden(request.param)


def test_inputs_and_labels_equal_magentas(golden):
    encoding = golden.config.make_encoding()
    for primer in golden.primers:
        inputs, labels = encode(encoding, encoding.squash(golden.events(primer))[0])
        np.testing.assert_array_equal(inputs, golden[f"{primer}_inputs"])
        np.testing.assert_array_equal(labels, golden[f"{primer}_labels"])


def test_melodies_are_squashed_and_restored_as_magenta_does():
    golden = Golden("attention_rnn")
    encoding = golden.config.make_encoding()
    for primer in golden.primers:
        events, transposition = encoding.squash(golden.events(primer))
        assert events == golden.info[f"{primer}_events"]
        assert transposition == golden.info[f"{primer}_transpose"]
        assert encoding.restore(events, transposition) == golden.events(primer)


@pytest.mark.parametrize("backend", BACKENDS)
def test_logits_and_final_states_agree_within_1e_4(golden, backend):
    network = EventSequenceRnn(golden.config, golden.weights, backend)
    for primer in golden.primers:
        logits, states = network.run(golden[f"{primer}_inputs"])
        np.testing.assert_allclose(logits, golden[f"{primer}_logits"], atol=1e-4)
        assert len(states) == sum(f"{primer}_final_state" in key for key in golden.arrays.files)
        for k, state in enumerate(states):
            np.testing.assert_allclose(state, golden[f"{primer}_final_state_{k}"], atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_log_likelihoods_agree(golden, backend):
    network = EventSequenceRnn(golden.config, golden.weights, backend)
    for primer in golden.primers:
        expected = golden.info[f"{primer}_loglik"]
        assert network.log_likelihood(golden.events(primer)) == pytest.approx(expected, abs=1e-4)


def test_drums_with_magentas_seed_are_magentas_drums():
    golden = Golden("drum_kit")
    network = EventSequenceRnn(golden.config, golden.weights)
    for run in golden.info["generations"]:
        if "beam" in run:
            continue
        notes = golden[f"gen_{run['label']}_notes"]
        step = float(np.diff(np.unique(notes[:, 2])).min())
        start, end = golden.section(run["label"], step)
        primer = golden.events(f"p{run['primer']}")
        primer += [0] * (start - len(primer))
        rng = np.random.RandomState(run["seed"])
        made = network.generate(primer, end - start, run.get("temperature", 1.0), rng)
        expected = [0] * end
        for pitch, when in notes[:, [0, 2]]:
            expected[round(when / step)] |= 1 << CLASS_OF_PITCH[int(pitch)]
        assert made == expected[start:]


def test_melodies_with_magentas_seed_are_magentas_melodies():
    golden = Golden("attention_rnn")
    network = EventSequenceRnn(golden.config, golden.weights)
    for run in golden.info["generations"]:
        if "beam" in run:
            continue
        notes = golden[f"gen_{run['label']}_notes"]
        step = 15 / (120 if run["primer"] == 0 else 100)
        start, end = golden.section(run["label"], step)
        primer = golden.events(f"p{run['primer']}")
        primer = [*primer, NOTE_OFF, *[NO_EVENT] * (start - len(primer))][:start]
        rng = np.random.RandomState(run["seed"])
        made = network.generate(primer, end - start, run.get("temperature", 1.0), rng)
        expected = [NO_EVENT] * (end + 1)
        for pitch, on, off in notes[:, [0, 2, 3]]:
            expected[round(off / step)] = NOTE_OFF
            expected[round(on / step)] = int(pitch)
        heard = NO_EVENT
        for t in range(start, end):  # a note-off in silence leaves no trace in notes
            if made[t - start] != NO_EVENT and not (made[t - start] == NOTE_OFF and heard == NOTE_OFF):
                assert made[t - start] == expected[t], (run["label"], t)
            elif made[t - start] == NO_EVENT:
                assert expected[t] == NO_EVENT, (run["label"], t)
            heard = made[t - start] if made[t - start] != NO_EVENT else heard

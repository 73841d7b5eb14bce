"""The same numbers as the original Magenta 2.1.4: drums, melody, improvisation."""

from __future__ import annotations

import numpy as np
import pytest

from engine.networks import CONFIGS, build_network
from engine.networks.encodings.melody import NO_EVENT, NOTE_OFF
from engine.networks.encodings.whole import encode
from engine.networks.sampling import probabilities
from tests.networks.golden import Golden, made_up_weights

NAMES = (
    "one_drum",
    "drum_kit",
    "drum_kit_outer",
    "basic_rnn",
    "mono_rnn",
    "lookback_rnn",
    "attention_rnn",
    "attention_rnn_outer",
    "basic_improv",
    "attention_improv",
    "attention_improv_outer",
    "chord_pitches_improv",
)


@pytest.fixture(scope="module", params=NAMES)
def golden(request):
    return Golden(request.param)


def test_sizes_are_read_off_magentas_variables(golden):
    sizes = golden.config.sizes(golden.shapes)
    assert sizes["layers"] == golden.info["layers"]
    attention = (
        ("outer" if golden.info["config"].endswith("_outer") else "inner") if golden.info["attn_length"] else None
    )
    assert sizes.get("attention") == attention
    assert golden.config.attention_length == golden.info["attn_length"]
    assert golden.config.steps_per_quarter == golden.info["steps_per_quarter"]


def test_inputs_and_labels_equal_magentas(golden):
    encoding = golden.config.make_encoding()
    for primer in golden.primers:
        inputs, labels = encode(encoding, encoding.squash(golden.events(primer))[0], golden.chords(primer))
        np.testing.assert_array_equal(inputs, golden[f"{primer}_inputs"])
        np.testing.assert_array_equal(labels, golden[f"{primer}_labels"])


def test_melodies_are_squashed_and_restored_as_magenta_does(golden):
    if golden.config.family == "drums_rnn":
        return
    encoding = golden.config.make_encoding()
    for primer in golden.primers:
        events, transposition = encoding.squash(golden.events(primer))
        assert events == golden.info[f"{primer}_events"]
        assert transposition == golden.info[f"{primer}_transpose"]


def test_logits_softmax_and_final_states_agree_within_1e_4(golden):
    for primer in golden.primers:
        logits, states = golden.network.run(golden[f"{primer}_inputs"])
        np.testing.assert_allclose(logits, golden[f"{primer}_logits"], atol=1e-4)
        for temperature in ("1.0", "0.6"):
            expected = golden[f"{primer}_softmax_t{temperature}"]
            np.testing.assert_allclose(probabilities(logits, float(temperature)), expected, atol=1e-4)
        assert len(states) == len(golden.states(primer))
        for state, expected in zip(states, golden.states(primer), strict=True):
            np.testing.assert_allclose(state, expected.reshape(-1), atol=1e-4)


def test_log_likelihoods_agree(golden):
    for primer in golden.primers:
        found = golden.network.log_likelihood(golden.events(primer), conditions=golden.chords(primer))
        assert found == pytest.approx(golden.info[f"{primer}_loglik"], abs=1e-4)


def test_with_magentas_seed_the_music_is_magentas_note_for_note(golden):
    encoding, per_beat = golden.config.make_encoding(), golden.config.steps_per_quarter
    for run in golden.generations:
        primer = golden.events(run.primer)
        longer = [0, 0] if golden.config.family == "drums_rnn" else [NOTE_OFF, NO_EVENT]
        primer = [*primer, *longer][: run.start]
        assert len(primer) == run.start
        made = golden.network.generate(
            primer,
            run.end - run.start,
            1.0,
            np.random.RandomState(run.seed),
            conditions=golden.chords(run.primer),
            sampling=run.sampling,
        )
        # Through notes both ways: a note-off in silence leaves no trace in Magenta's notes.
        heard = encoding.from_notes(encoding.to_notes([*primer, *made], per_beat), run.end / per_beat, per_beat)
        expected = encoding.from_notes(run.notes, run.end / per_beat, per_beat)
        assert heard[run.start :] == expected[run.start :], run.label


def test_beams_are_among_the_golden_generations():
    assert [run.sampling.beam_size for run in Golden("drum_kit").generations] == [1, 1, 1, 2]


@pytest.mark.models
@pytest.mark.parametrize("attention", ["inner", "outer"])
@pytest.mark.parametrize("name", ["drum_kit", "attention_rnn"])
def test_at_magentas_full_size_the_tensorflow_twin_agrees_within_1e_4(name, attention):
    from dataclasses import replace

    from engine.networks.rnn.keras_rnn import EventSequenceModel

    layout = replace(CONFIGS[name].default_layout(), attention=attention)
    weights = made_up_weights(layout.shapes())
    network = build_network(CONFIGS[name], weights)
    inputs = Golden(name)["p1_inputs"][:40]
    model = EventSequenceModel(layout)
    model.set_by_name(weights)
    np.testing.assert_allclose(network.run(inputs)[0], np.asarray(model(inputs[None]))[0], atol=1e-4)

"""Facts about the stack of LSTMs, whatever is encoded in its inputs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.networks.layout import layers_of, weight_shapes
from engine.networks.stack import NumpyStack, Stack, fold
from tests.networks.golden import made_up_weights

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "rnn_basic_rnn_small.npz"


def stack_of(backend: str, weights, layers, attention_length) -> Stack:
    if backend == "tensorflow":
        from engine.networks.tensorflow_stack import TensorFlowStack

        return TensorFlowStack(fold(weights, layers, attention_length))
    return NumpyStack(fold(weights, layers, attention_length))


BACKENDS = ("numpy", pytest.param("tensorflow", marks=pytest.mark.models))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_stack_without_attention_agrees_with_magentas_basic_rnn(backend):
    golden = np.load(GOLDEN)
    info = json.loads(bytes(golden["info"]))
    layers = tuple(info["layers"])
    stack = stack_of(
        backend, made_up_weights(weight_shapes(info["input_size"], info["num_classes"], layers, 0)), layers, 0
    )
    for primer in ("p0", "p1"):
        stack.reset()
        logits = [stack.step(row) for row in golden[f"{primer}_inputs"]]
        np.testing.assert_allclose(logits, golden[f"{primer}_logits"], atol=1e-4)
        for k, state in enumerate(stack.state()):
            np.testing.assert_allclose(state, golden[f"{primer}_final_state_{k}"], atol=1e-4)


@pytest.mark.models
@pytest.mark.parametrize("attention_length", [0, 5])
@pytest.mark.parametrize("layers", [(6,), (5, 7, 4)])
def test_all_three_implementations_agree_beyond_the_attention_window(layers, attention_length):
    from engine.networks.keras_rnn import EventSequenceModel

    weights = made_up_weights(weight_shapes(11, 9, layers, attention_length))
    inputs = np.random.default_rng(0).normal(size=(17, 11)).astype(np.float32)
    model = EventSequenceModel(11, 9, layers, attention_length)
    model.set_by_name(weights)
    expected = model.predict_on_batch(inputs[None])[0]
    for backend in ("numpy", "tensorflow"):
        stack = stack_of(backend, weights, layers, attention_length)
        np.testing.assert_allclose([stack.step(row) for row in inputs], expected, atol=1e-5)


def test_layers_are_read_off_the_weights():
    assert layers_of(weight_shapes(11, 9, (5, 7, 4), 5)) == (5, 7, 4)
    assert layers_of(weight_shapes(11, 9, (5,), 0)) == (5,)
    with pytest.raises(ValueError, match="no complete stack"):
        layers_of({"fully_connected/biases": (9,)})

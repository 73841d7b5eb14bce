"""Facts about the stack of LSTMs, whatever is encoded in its inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.networks.rnn.layout import RnnLayout, read_layout
from engine.networks.rnn.stack import Stack
from tests.networks.golden import made_up_weights

LAYOUTS = [
    RnnLayout(11, 9, (6,)),
    RnnLayout(150, 9, (5, 7, 4)),
    RnnLayout(11, 9, (6,), "inner", 5),
    RnnLayout(150, 9, (5, 7, 4), "inner", 5),
    RnnLayout(11, 9, (6,), "outer", 5),
    RnnLayout(150, 9, (5, 7, 4), "outer", 5),
]


def name_of(layout: RnnLayout) -> str:
    return f"{len(layout.layers)} layers, attention {layout.attention}"


def inputs_for(layout: RnnLayout, batch: int, steps: int = 17) -> np.ndarray:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(steps, batch, layout.input_size)) * (rng.random((steps, batch, layout.input_size)) < 0.2)
    return inputs.astype(np.float32)


def alone(layout: RnnLayout, inputs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    stack = Stack(made_up_weights(layout.shapes()), layout)
    return np.stack([stack.step(row[None])[0].copy() for row in inputs]), stack.state()


@pytest.mark.parametrize("layout", LAYOUTS, ids=name_of)
def test_a_batch_is_its_sequences_side_by_side(layout):
    inputs = inputs_for(layout, 3)
    stack = Stack(made_up_weights(layout.shapes()), layout)
    stack.reset(3)
    outputs = np.stack([stack.step(rows).copy() for rows in inputs])
    for row in range(3):
        expected, states = alone(layout, inputs[:, row])
        np.testing.assert_allclose(outputs[:, row], expected, atol=1e-5)
        for state, other in zip(stack.state(row), states, strict=True):
            np.testing.assert_allclose(state, other, atol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS, ids=name_of)
def test_sequences_are_copied_reordered_and_fed_one_by_one(layout):
    inputs = inputs_for(layout, 2)
    stack = Stack(made_up_weights(layout.shapes()), layout)
    stack.reset(2)
    for rows in inputs[:4]:
        stack.step(rows)
    stack.take([1, 0, 1])
    for step in range(4, 17):  # row 0 falls behind by nine steps
        if step < 8:
            stack.step(inputs[step, [1]], [0])
        stack.step(inputs[step, [0, 1]], [1, 2])
    for row, (source, steps) in enumerate([(1, 8), (0, 17), (1, 17)]):
        _, states = alone(layout, inputs[:steps, source])
        for state, other in zip(stack.state(row), states, strict=True):
            np.testing.assert_allclose(state, other, atol=1e-5)


@pytest.mark.models
@pytest.mark.parametrize("layout", LAYOUTS, ids=name_of)
def test_the_keras_twin_agrees_beyond_the_attention_window(layout):
    from engine.networks.rnn.keras_rnn import EventSequenceModel

    model = EventSequenceModel(layout)
    model.set_by_name(made_up_weights(layout.shapes()))
    inputs = inputs_for(layout, 2)
    outputs = np.asarray(model(inputs.transpose(1, 0, 2)))
    for row in range(2):
        np.testing.assert_allclose(alone(layout, inputs[:, row])[0], outputs[row], atol=1e-5)


def test_very_high_attention_scores_stay_finite():
    layout = RnnLayout(11, 9, (6,), "inner", 5)
    weights = made_up_weights(layout.shapes())
    weights[f"{layout.wrapper}/attention/attn_v"] *= 1000
    stack = Stack(weights, layout)
    for row in inputs_for(layout, 1):
        assert np.isfinite(stack.step(row)).all()


@pytest.mark.parametrize("layout", LAYOUTS, ids=name_of)
def test_layers_and_attention_are_read_off_the_weights(layout):
    assert read_layout(layout.shapes(), "x", layout.input_size, 9, layout.attention_length) == layout
    assert layout.sizes().get("attention") == layout.attention


def test_weights_that_do_not_fit_are_named():
    layout = LAYOUTS[1]
    shapes = layout.shapes()
    with pytest.raises(ValueError, match="no complete stack"):
        read_layout({"fully_connected/biases": (9,)}, "x", 150, 9, 0)
    with pytest.raises(ValueError, match=r"cell_0/basic_lstm_cell/kernel is \[155, 20\], but x needs \[16, 20\]"):
        read_layout(shapes, "x", 11, 9, 0)
    with pytest.raises(ValueError, match="basic_lstm_cell/kernel is missing"):
        read_layout(
            {name: shape for name, shape in shapes.items() if "cell_1/basic_lstm_cell/kernel" not in name},
            "x",
            150,
            9,
            0,
        )
    with pytest.raises(ValueError, match="weight global_step is left over"):
        read_layout(shapes | {"global_step": ()}, "x", 150, 9, 0)
    with pytest.raises(ValueError, match=r"attention_cell_wrapper/kernel is missing"):
        read_layout(shapes, "x", 150, 9, 5)
    with pytest.raises(ValueError, match="left over: x has no attention"):
        read_layout(replace(layout, attention="outer", attention_length=5).shapes(), "x", 150, 9, 0)

"""Names and shapes of the weights of an event-sequence RNN, as Magenta's checkpoints spell them.

The stack is TensorFlow 1's `MultiRNNCell` of `BasicLSTMCell`s; with attention, layer 0 sits in an
`AttentionCellWrapper` (the "inner" layout, Magenta since May 2017). Attention width equals the units of layer 0.
LSTM kernels are [input + hidden, 4 * hidden], gates in the order input, candidate, forget, output; a forget bias of 1
is added at run time and is not part of the stored bias.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

WRAPPER = "rnn/multi_rnn_cell/cell_0/attention_cell_wrapper"
OUTPUT_WEIGHTS, OUTPUT_BIASES = "fully_connected/weights", "fully_connected/biases"
FORGET_BIAS = 1.0


def cell(layer: int, attention_length: int) -> str:
    """Name of the LSTM cell of a layer."""
    scope = WRAPPER if layer == 0 and attention_length else f"rnn/multi_rnn_cell/cell_{layer}"
    return f"{scope}/basic_lstm_cell"


def weight_shapes(
    input_size: int, num_classes: int, layers: tuple[int, ...], attention_length: int
) -> dict[str, tuple[int, ...]]:
    """Every weight of a network by name.

    Args:
        input_size, num_classes: sizes of the encoding.
        layers: LSTM units per layer.
        attention_length: rows of the attention window, 0 for none.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    if attention_length:
        width = layers[0]
        shapes |= {
            f"{WRAPPER}/kernel": (input_size + width, input_size),
            f"{WRAPPER}/bias": (input_size,),
            f"{WRAPPER}/attention/attn_w": (1, 1, width, width),
            f"{WRAPPER}/attention/attn_v": (width,),
            f"{WRAPPER}/attention/kernel": (2 * width, width),
            f"{WRAPPER}/attention/bias": (width,),
            f"{WRAPPER}/attn_output_projection/kernel": (2 * width, width),
            f"{WRAPPER}/attn_output_projection/bias": (width,),
        }
    below = input_size
    for layer, units in enumerate(layers):
        shapes[f"{cell(layer, attention_length)}/kernel"] = (below + units, 4 * units)
        shapes[f"{cell(layer, attention_length)}/bias"] = (4 * units,)
        below = units
    shapes[OUTPUT_WEIGHTS] = (below, num_classes)
    shapes[OUTPUT_BIASES] = (num_classes,)
    return shapes


def layers_of(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """LSTM units per layer, read off the shapes of the biases.

    Raises:
        ValueError: there is no LSTM layer in them.
    """
    found = {}
    for name, shape in shapes.items():
        if match := re.fullmatch(
            r"rnn/multi_rnn_cell/cell_(\d+)/(?:attention_cell_wrapper/)?basic_lstm_cell/bias", name
        ):
            found[int(match[1])] = shape[0] // 4
    if not found or sorted(found) != list(range(len(found))):
        raise ValueError("no complete stack of LSTM layers among the weights")
    return tuple(found[layer] for layer in sorted(found))

"""Names and shapes of the weights of an event-sequence RNN, as Magenta's checkpoints spell them.

The stack is TensorFlow 1's `MultiRNNCell` of `BasicLSTMCell`s. Attention comes in two layouts, told apart by names:
"inner" (Magenta since May 2017) wraps layer 0 alone in an `AttentionCellWrapper`, "outer" (before) the whole stack.
LSTM kernels are [input + hidden, 4 * hidden], gates in the order input, candidate, forget, output; a forget bias of 1
is added at run time and is not part of the stored bias.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OUTPUT_WEIGHTS, OUTPUT_BIASES = "fully_connected/weights", "fully_connected/biases"
FORGET_BIAS = 1.0
INNER, OUTER = "inner", "outer"


@dataclass(frozen=True, slots=True)
class RnnLayout:
    """A stack of LSTMs with its output layer.

    Attributes:
        input_size: numbers that a step is fed with.
        output_size: numbers that the last linear layer gives.
        layers: LSTM units per layer.
        attention: where attention sits, "inner" or "outer"; None for none.
        attention_length: rows of the attention window; 0 for none.
        scope: what the names of the recurrent weights begin with.
        output_names: names of the output layer's weights and biases.
    """

    input_size: int
    output_size: int
    layers: tuple[int, ...]
    attention: str | None = None
    attention_length: int = 0
    scope: str = "rnn"
    output_names: tuple[str, str] = (OUTPUT_WEIGHTS, OUTPUT_BIASES)

    @property
    def attention_size(self) -> int:
        """Width of the attention window: the units of the layer whose outputs it holds; 0 for none."""
        return {INNER: self.layers[0], OUTER: self.layers[-1], None: 0}[self.attention]

    @property
    def wrapper(self) -> str:
        """Name of the attention wrapper."""
        inside = "multi_rnn_cell/cell_0/" if self.attention == INNER else ""
        return f"{self.scope}/{inside}attention_cell_wrapper"

    def cell(self, layer: int) -> str:
        """Name of the LSTM cell of a layer."""
        if self.attention == INNER and layer == 0:
            return f"{self.wrapper}/basic_lstm_cell"
        stack = self.wrapper if self.attention == OUTER else self.scope
        return f"{stack}/multi_rnn_cell/cell_{layer}/basic_lstm_cell"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every weight by name."""
        shapes: dict[str, tuple[int, ...]] = {}
        width = self.attention_size
        if width:
            # The query is made of the states of the cells that the wrapper wraps.
            states = 2 * (self.layers[0] if self.attention == INNER else sum(self.layers))
            shapes |= {
                f"{self.wrapper}/kernel": (self.input_size + width, self.input_size),
                f"{self.wrapper}/bias": (self.input_size,),
                f"{self.wrapper}/attention/attn_w": (1, 1, width, width),
                f"{self.wrapper}/attention/attn_v": (width,),
                f"{self.wrapper}/attention/kernel": (states, width),
                f"{self.wrapper}/attention/bias": (width,),
                f"{self.wrapper}/attn_output_projection/kernel": (2 * width, width),
                f"{self.wrapper}/attn_output_projection/bias": (width,),
            }
        below = self.input_size
        for layer, units in enumerate(self.layers):
            shapes[f"{self.cell(layer)}/kernel"] = (below + units, 4 * units)
            shapes[f"{self.cell(layer)}/bias"] = (4 * units,)
            below = units
        shapes[self.output_names[0]] = (below, self.output_size)
        shapes[self.output_names[1]] = (self.output_size,)
        return shapes

    def sizes(self) -> dict[str, Any]:
        """What a card says: {"layers": [...]}, and "attention" where there is any."""
        return {"layers": list(self.layers)} | ({"attention": self.attention} if self.attention else {})


def read_layout(
    shapes: Mapping[str, tuple[int, ...]],
    config: str,
    input_size: int,
    output_size: int,
    attention_length: int,
    scope: str = "rnn",
    output_names: tuple[str, str] = (OUTPUT_WEIGHTS, OUTPUT_BIASES),
    others: Mapping[str, tuple[int, ...]] | None = None,
) -> RnnLayout:
    """Units per layer and kind of attention, read off the weights, which are checked.

    Args:
        shapes: of the weights, by name.
        config: whose weights they should be, for messages.
        input_size, output_size, attention_length, scope, output_names: as in `RnnLayout`; what the config knows.
        others: weights of the config beside the stack.

    Raises:
        ValueError: saying which weight is missing, left over or misshapen.
    """
    cells = re.compile(
        rf"{scope}/(?:attention_cell_wrapper/)?multi_rnn_cell/cell_(\d+)/(?:attention_cell_wrapper/)?basic_lstm_cell/bias"
    )
    found = {int(match[1]): shape[0] // 4 for name, shape in shapes.items() if (match := cells.fullmatch(name))}
    if not found or sorted(found) != list(range(len(found))):
        raise ValueError(f"no complete stack of LSTM layers {scope}/... among the weights")
    attention = None
    wrapped = [name for name in shapes if "/attention_cell_wrapper/" in name]
    if wrapped and not attention_length:
        raise ValueError(f"weight {wrapped[0]} is left over: {config} has no attention")
    if attention_length:
        attention = OUTER if any(name.startswith(f"{scope}/attention_cell_wrapper/") for name in shapes) else INNER
    layers = tuple(found[layer] for layer in sorted(found))
    layout = RnnLayout(input_size, output_size, layers, attention, attention_length, scope, output_names)
    check_shapes(shapes, layout.shapes() | dict(others or {}), config)
    return layout


def check_shapes(shapes: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]], config: str) -> None:
    """Check that weights are those that a config needs.

    Raises:
        ValueError: saying which weight is missing, left over or misshapen.
    """
    for name, shape in expected.items():
        if name not in shapes:
            raise ValueError(f"weight {name} is missing")
        if tuple(shapes[name]) != shape:
            raise ValueError(f"weight {name} is {list(shapes[name])}, but {config} needs {list(shape)}")
    for name in shapes:
        if name not in expected:
            raise ValueError(f"weight {name} is left over: {config} has none of this name")

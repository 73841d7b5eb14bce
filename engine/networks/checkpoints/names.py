"""The names of variables through the years, brought to those of Magenta's last release.

The maths never changed, its spelling did: `RNN/MultiRNNCell/Cell0/BasicLSTMCell/Linear/Matrix` with TensorFlow 0.12,
`rnn/multi_rnn_cell/cell_0/basic_lstm_cell/weights` with 1.0 and 1.1, `.../kernel` since 1.2. The output layer of the
RNNs is `fully_connected/{weights,biases}` in all of them. Training leaves more behind than the network needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.networks.checkpoints.variables import FLOATS, Variable
from engine.networks.checkpoints.wire import MalformedError

_SEGMENTS: Mapping[str, str] = {
    "RNN": "rnn",
    "MultiRNNCell": "multi_rnn_cell",
    "BasicLSTMCell": "basic_lstm_cell",
    "AttentionCellWrapper": "attention_cell_wrapper",
    "Attention": "attention",
    "AttnW": "attn_w",
    "AttnV": "attn_v",
    "AttnOutputProjection": "attn_output_projection",
    "attention_output_projection": "attn_output_projection",
    "Matrix": "kernel",
    "Bias": "bias",
}
_SEGMENTS_AT_END: Mapping[str, str] = {"weights": "kernel", "biases": "bias"}
_OUTPUT_LAYER = "fully_connected"
_TRAINING: Mapping[str, re.Pattern[str]] = {
    "optimizer": re.compile(
        r".*/(Adam|AdamOptimizer|Adagrad|Momentum|RMSProp|Ftrl|Adadelta)(_\d+)?|.*beta[12]_power(_\d+)?|OptimizeLoss/.*"
    ),
    "moving averages": re.compile(r".*/ExponentialMovingAverage"),
    "counters and rates": re.compile(r"(.*/)?(global_step|local_step|save_counter|learning_rate)"),
}
_STRANGERS: Mapping[str, re.Pattern[str]] = {
    "a GANSynth": re.compile(r"(Generator|Discriminator)/progressive_gan.*"),
    "an NSynth WaveNet": re.compile(r"(ae_|cond_map_|res_|dilatedconv_|skip_).*/W"),
    "a Coconet": re.compile(r"model/conv\d+/.*"),
    "a Sketch-RNN": re.compile(r"vector_rnn/.*"),
    "an Onsets and Frames": re.compile(r"(onsets|offsets|frames|velocity)/.*"),
    "a Transformer": re.compile(r"transformer/.*"),
    "a TensorFlow 2 object": re.compile(r"_CHECKPOINTABLE_OBJECT_GRAPH"),
}
STEP = "global_step"


@dataclass(frozen=True, slots=True)
class Names:
    """The weights of a checkpoint.

    Attributes:
        stored: how each weight is called in the file, by its name in Magenta's last release.
        dropped: how many variables are left behind, by what they are.
        era: whose spelling the file has, for people.
    """

    stored: dict[str, str]
    dropped: dict[str, int]
    era: str


def read_names(variables: Mapping[str, Variable]) -> Names:
    """Tell the weights from the rest, and bring their names up to date.

    Raises:
        MalformedError: two variables mean the same weight.
    """
    stored: dict[str, str] = {}
    dropped: dict[str, int] = {}
    for name, variable in variables.items():
        if what := _left_behind(name, variable):
            dropped[what] = dropped.get(what, 0) + 1
            continue
        modern = modernised(name)
        if modern in stored:
            raise MalformedError(f"variables {stored[modern]!r} and {name!r} are the same weight")
        stored[modern] = name
    return Names(stored, dropped, _era(stored.values()))


def modernised(name: str) -> str:
    """A name as Magenta's last release spells it."""
    if name.startswith(f"{_OUTPUT_LAYER}/"):
        return name
    segments: list[str] = []
    for segment in name.split("/"):
        if match := re.fullmatch(r"Cell(\d+)", segment):
            segments.append(f"cell_{match[1]}")
        elif segment not in ("Linear", "linear"):
            segments.append(_SEGMENTS.get(segment, segment))
    last = _SEGMENTS_AT_END.get(segments[-1], segments[-1]) if segments else name
    return "/".join([*segments[:-1], last])


def stranger(variables: Iterable[str]) -> str | None:
    """What a checkpoint is that holds no symbolic network, if its names tell."""
    for name in variables:
        for what, pattern in _STRANGERS.items():
            if pattern.fullmatch(name):
                return what
    return None


def _left_behind(name: str, variable: Variable) -> str | None:
    for what, pattern in _TRAINING.items():
        if pattern.fullmatch(name):
            return what
    if variable.dtype not in FLOATS.values() or not variable.shape:
        return "single numbers and texts"
    return None


def _era(stored: Iterable[str]) -> str:
    inner = [name for name in stored if not name.startswith(f"{_OUTPUT_LAYER}/")]
    if any(name.endswith(("/Matrix", "/Bias")) for name in inner):
        return "TensorFlow 0.12 or before"
    if any(name.endswith(("/weights", "/biases")) for name in inner):
        return "TensorFlow 1.0 or 1.1"
    return "TensorFlow 1.2 or later"

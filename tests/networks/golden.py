"""Reference numbers made with the original Magenta 2.1.4, and the made-up weights that they were made with."""

from __future__ import annotations

import json
import struct
from functools import cached_property
from pathlib import Path
from zlib import crc32

import numpy as np

from engine.networks import CONFIGS
from engine.networks.layout import weight_shapes
from engine.score.drums import CLASS_OF_PITCH

_FOLDER = Path(__file__).resolve().parents[1] / "golden"


def made_up_weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Weights as the reference run made them: normal numbers seeded by the crc32 of the variable's name."""
    weights = {}
    for name, shape in shapes.items():
        numbers = np.random.RandomState(crc32(name.encode())).randn(*shape)
        scale = 1.6 / np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else 0.3
        weights[name] = (numbers * scale).astype(np.float32)
    return weights


class Golden:
    """The reference numbers of one config at small layer sizes; `primers` are p0 and p1."""

    primers = ("p0", "p1")

    def __init__(self, name: str) -> None:
        self.arrays = np.load(_FOLDER / f"rnn_{name}_small.npz")
        self.info = json.loads(bytes(self.arrays["info"]))
        self.config = CONFIGS[name]

    def __getitem__(self, key: str) -> np.ndarray:
        return self.arrays[key]

    @cached_property
    def weights(self) -> dict[str, np.ndarray]:
        encoding = self.config.make_encoding()
        layers = tuple(self.info["layers"])
        shapes = weight_shapes(encoding.input_size, encoding.num_classes, layers, self.config.attention_length)
        return made_up_weights(shapes)

    def events(self, primer: str) -> list[int]:
        """The primer as it was before any transposition."""
        if self.config.family == "drums_rnn":
            return [sum({1 << CLASS_OF_PITCH[p] for p in drums}) for drums in self.info[f"{primer}_events"]]
        return self.info[f"{primer}_raw_events"]

    def section(self, label: str, seconds_per_step: float) -> tuple[int, int]:
        """First step and end step of what a generation made, by Magenta's rule for the requested section."""
        message = bytes(self[f"gen_{label}_options"])
        assert (message[2], message[11]) == (0x09, 0x11), "a protobuf with start and end of the section first"
        start, end = struct.unpack_from("<d", message, 3)[0], struct.unpack_from("<d", message, 12)[0]
        steps_per_second = 1 / seconds_per_step
        return int(start * steps_per_second + 1), int(end * steps_per_second)

"""Reference numbers of the polyphonic networks, made with the original Magenta 2.1.4.

The files hold what the reference run gave, with the notes of the primers as rows (pitch, velocity, start, end in
seconds), the requested sections in seconds, and of the logits every third row, of the softmaxes every twelfth.
"""

from __future__ import annotations

import ast
import json
from functools import cached_property
from pathlib import Path

import numpy as np

from engine.networks.contract import Passage
from engine.score.phrase import NOTE
from tests.networks.golden import made_up_weights

_FOLDER = Path(__file__).resolve().parents[2] / "golden"
CONTROLLED = (
    "density_conditioned_performance_with_dynamics",
    "pitch_conditioned_performance_with_dynamics",
    "multiconditioned_performance_with_dynamics",
    "optional_multiconditioned_performance_with_dynamics",
)
PERFORMANCES = (
    "performance",
    "performance_with_dynamics",
    "performance_with_dynamics_compact",
    "performance_with_dynamics_and_modulo_encoding",
    *CONTROLLED,
)
WHOLE_NOTES = "performance_with_dynamics_and_note_encoding"
PIANOROLLS = ("rnn-nade", "rnn-nade_attn")


class Golden:
    """The reference numbers of one config at small layer sizes; `primers` are p0 and p1."""

    primers = ("p0", "p1")

    def __init__(self, name: str) -> None:
        self.name = name
        self.arrays = np.load(_FOLDER / f"rnn_{name.replace('-', '_')}_small.npz")
        self.info = json.loads(bytes(self.arrays["info"]))

    def __getitem__(self, key: str) -> np.ndarray:
        return self.arrays[key]

    def generations(self) -> list[dict]:
        """What was asked of each run of `generate`."""
        return self.info["generations"]

    def controls(self, run: dict) -> dict:
        """The controls that a run asked for, as they stand in `engine.networks.contract.Conditions`."""
        extra = run["extra"] or {}
        names = {"pitch_class_histogram": "pitch_classes"}
        return {names.get(name, name): ast.literal_eval(value) for name, value in extra.items()}

    def beats(self, seconds: float | np.ndarray, primer: str) -> float | np.ndarray:
        """Seconds in the tempo of a primer as beats."""
        return seconds * self.info[f"{primer}_qpm"] / 60

    def passage(self, primer: str, length: float) -> Passage:
        """A primer; length in beats."""
        rows = self[f"{primer}_notes"]
        notes = np.zeros(len(rows), NOTE)
        notes["pitch"], notes["velocity"] = rows[:, 0], rows[:, 1]
        notes["start"], notes["end"] = self.beats(rows[:, 2:].T, primer)
        return Passage(notes, length, self.info[f"{primer}_qpm"])

    def section(self, run: dict, steps_per_beat: float) -> tuple[int, int]:
        """First step and end step of what a run made, by Magenta's rule for the requested section."""
        start, end = self.beats(self[f"gen_{run['label']}_section"], f"p{run['primer']}") * steps_per_beat
        return int(start + 1), int(end)

    def played(self, run: dict) -> list[tuple[float, ...]]:
        """Notes (start, end, pitch, velocity) of a run in seconds, primer included, in order."""
        return in_order(self[f"gen_{run['label']}_notes"][:, [2, 3, 0, 1]])

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """LSTM units per layer."""
        return tuple(self.info["layers"])


def in_order(rows: np.ndarray) -> list[tuple[float, ...]]:
    """Rows as sorted tuples, times to the microsecond."""
    return sorted(tuple(row) for row in np.round(rows, 6).tolist())


def weights_of(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The made-up weights of the reference run, with the biases that it moved."""
    weights = made_up_weights(shapes)
    if len(weights.get("fully_connected/biases", ())) == 259:
        weights["fully_connected/biases"][2] += 5
    if "decoder/dense/bias" in weights:
        weights["decoder/dense/bias"][-88:] -= 2
    return weights

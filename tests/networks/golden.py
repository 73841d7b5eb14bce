"""Reference numbers made with the original Magenta 2.1.4, and the made-up weights that they were made with."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from engine.networks import CONFIGS, build_network
from engine.networks.contract import Sampling
from engine.score.drums import CLASS_OF_PITCH
from engine.score.harmony.chords import Chord, parse_chord
from engine.score.phrase import NOTE

_FOLDER = Path(__file__).resolve().parents[1] / "golden"


def made_up_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Weights as the reference run made them: normal numbers seeded by the crc32 of the variable's name."""
    weights = {}
    for name, shape in shapes.items():
        numbers = np.random.RandomState(crc32(name.encode())).randn(*shape)
        scale = 1.6 / np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else 0.3
        weights[name] = (numbers * scale).astype(np.float32)
    return weights


@dataclass(frozen=True)
class Generation:
    """What Magenta's `generate()` made end to end.

    Attributes:
        label: "a_t1", "b_t1", "a_t05" or "a_beam" and others.
        primer: "p0" or "p1".
        seed: of numpy's global generator.
        sampling: its settings.
        notes: array of `NOTE`, in beats from the primer's start.
        start, end: first step and end step of what was asked for, by Magenta's rule for the requested section.
    """

    label: str
    primer: str
    seed: int
    sampling: Sampling
    notes: np.ndarray
    start: int
    end: int


class Golden:
    """The reference numbers of one config at small layer sizes; "_outer" names are of the older attention layout."""

    primers = ("p0", "p1")

    def __init__(self, name: str) -> None:
        self.arrays = np.load(_FOLDER / f"rnn_{name}_small.npz")
        self.info: dict[str, Any] = json.loads(bytes(self.arrays["info"]))
        self.config: Any = CONFIGS[name.removesuffix("_outer")]

    def __getitem__(self, key: str) -> np.ndarray:
        return self.arrays[key]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of Magenta's variables, by name."""
        return {name: tuple(shape) for name, shape, _ in self.info["variables"]}

    @cached_property
    def weights(self) -> dict[str, np.ndarray]:
        return made_up_weights(self.shapes)

    @cached_property
    def network(self) -> Any:
        return build_network(self.config, self.weights)

    def states(self, primer: str) -> list[np.ndarray]:
        """Final states, in Magenta's order."""
        count = sum(key.startswith(f"{primer}_final_state_") for key in self.arrays.files)
        return [self[f"{primer}_final_state_{k}"] for k in range(count)]

    def events(self, primer: str) -> list[int]:
        """A primer of drums or melody as it was before any transposition."""
        if self.config.family == "drums_rnn":
            mask_of = dict.fromkeys(range(128), 0) if self.config.name == "one_drum" else CLASS_OF_PITCH
            return [sum({1 << mask_of[pitch] for pitch in drums}) for drums in self.info[f"{primer}_events"]]
        return self.info[f"{primer}_raw_events"]

    def chords(self, primer: str) -> list[Chord | None] | None:
        """The chord under each step, for improvisation; None for others."""
        figures = self.info.get(f"{primer}_chords")
        return None if figures is None else [parse_chord(figure) for figure in figures]

    @property
    def generations(self) -> list[Generation]:
        """All that Magenta generated."""
        return [self._generation(run) for run in self.info["generations"]]

    def _generation(self, run: dict[str, Any]) -> Generation:
        label = run["label"]
        message = bytes(self[f"gen_{label}_options"])
        assert (message[2], message[11]) == (0x09, 0x11), "a protobuf with start and end of the section first"
        start, end = struct.unpack_from("<d", message, 3)[0], struct.unpack_from("<d", message, 12)[0]
        rows = self[f"gen_{label}_notes"]
        per_quarter = self.config.steps_per_quarter
        qpm = round(60 / float((rows[:, 3] - rows[:, 2]).min()) / per_quarter)  # the shortest note is a step
        steps = per_quarter * qpm / 60
        notes = np.zeros(len(rows), NOTE)
        notes["start"], notes["end"] = rows[:, 2:4].T * qpm / 60
        notes["pitch"], notes["velocity"] = rows[:, 0], rows[:, 1]
        sampling = Sampling(
            temperature=run.get("temperature", 1.0),
            beam_size=run.get("beam", 1),
            branch_factor=run.get("branch", 1),
            steps_per_iteration=run.get("spi", 1),
        )
        return Generation(
            label, f"p{run['primer']}", run["seed"], sampling, notes, int(start * steps + 1), int(end * steps)
        )

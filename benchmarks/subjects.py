"""What is measured: networks at Magenta's default sizes, what they are primed with, and how much they make."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

QPM = 120.0
BEATS_PER_BAR = 4.0
PRIMER_BARS = 2

VARIABLES: dict[str, dict[str, list[int]]] = json.loads(
    (Path(__file__).resolve().parent / "variables.json").read_text(encoding="utf-8")
)
"""Shapes of the variables of each network at Magenta's default sizes."""

Note = tuple[int, int, float, float, bool]
"""Pitch, velocity, start and end in beats, whether it is of the drums."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that is measured.

    Attributes:
        name: in tables.
        network: its key in `VARIABLES`.
        family, config: as Magenta and the engine name it.
        variant: "outer" for the attention layout of before May 2017.
        bars: that one call makes.
        batch: sequences that one call makes; MusicVAE decodes them together in both, recurrent networks in ours alone.
        steps: of a MusicVAE's decoder in a call.
        aim: how many times the original's speed is wanted, per sequence.
        or_roof: is 60 % of the roof as good.
        quick: does it belong to the quick run.
    """

    name: str
    network: str
    family: str
    config: str
    variant: str = ""
    bars: int = 8
    batch: int = 1
    steps: int = 0
    aim: float = 4.0
    or_roof: bool = True
    quick: bool = False

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of every variable."""
        return {name: tuple(shape) for name, shape in VARIABLES[self.network].items()}

    @property
    def biases(self) -> list[tuple[str, int, int, float]]:
        """What is added to made-up weights so that music comes out: variable, first and last index, amount."""
        return _BIASES.get(self.network, [])

    @property
    def extension(self) -> str:
        """Of the file that Magenta's users would have."""
        return ".tar" if self.family == "music_vae" else ".mag"

    def primer(self) -> list[Note]:
        """Two bars to be continued."""
        return {"drums_rnn": _beat, "polyphony_rnn": _chorale, "pianoroll_rnn_nade": _chorale}.get(self.family, _tune)()

    def arguments(self) -> dict[str, Any]:
        """Magenta's arguments of a generation."""
        return {} if self.family == "pianoroll_rnn_nade" else {"temperature": 1.0}


_BIASES: dict[str, list[tuple[str, int, int, float]]] = {
    "polyphony": [("fully_connected/biases", 2, 3, 5.0)],  # STEP_END often enough
    "performance_with_dynamics": [("fully_connected/biases", 256, 356, -2.3)],  # a shift of time each 20 events
    "rnn-nade": [("decoder/dense/bias", 128, 216, -2.0)],  # fewer pitches at once
    "groovae_2bar_humanize": [("decoder/output_projection/bias", 0, 9, -1.5)],  # fewer hits
}


def _vae(name: str, config: str, batch: int, bars: int = 2, or_roof: bool = False, quick: bool = False) -> Subject:
    return Subject(name, config, "music_vae", config, "", bars, batch, 16 * bars, 2.0, or_roof, quick)


SUBJECTS: tuple[Subject, ...] = (
    Subject("drum_kit", "drum_kit", "drums_rnn", "drum_kit", quick=True),
    Subject("drum_kit, outer attention", "drum_kit_outer", "drums_rnn", "drum_kit", "outer"),
    Subject("attention_rnn", "attention_rnn", "melody_rnn", "attention_rnn", quick=True),
    Subject("basic_rnn", "basic_rnn", "melody_rnn", "basic_rnn"),
    Subject("polyphony", "polyphony", "polyphony_rnn", "polyphony", bars=2),
    Subject(
        "performance_with_dynamics", "performance_with_dynamics", "performance_rnn", "performance_with_dynamics", bars=2
    ),
    Subject("rnn-nade", "rnn-nade", "pianoroll_rnn_nade", "rnn-nade", quick=True),
    Subject(
        "drum_kit, 32 candidates",
        "drum_kit",
        "drums_rnn",
        "drum_kit",
        bars=1,
        batch=32,
        aim=10.0,
        or_roof=False,
        quick=True,
    ),
    Subject(
        "attention_rnn, 32 candidates",
        "attention_rnn",
        "melody_rnn",
        "attention_rnn",
        bars=1,
        batch=32,
        aim=10.0,
        or_roof=False,
    ),
    _vae("mel_2bar_small x1", "cat-mel_2bar_small", 1, quick=True),
    _vae("mel_2bar_small x8", "cat-mel_2bar_small", 8),
    _vae("drums_2bar_small x1", "cat-drums_2bar_small", 1),
    _vae("drums_2bar_small x8", "cat-drums_2bar_small", 8),
    _vae("groovae_2bar x1", "groovae_2bar_humanize", 1),
    _vae("groovae_2bar x8", "groovae_2bar_humanize", 8),
    _vae("mel_2bar_big x1", "cat-mel_2bar_big", 1, or_roof=True),
    _vae("mel_2bar_big x8", "cat-mel_2bar_big", 8, or_roof=True),
    _vae("trio_16bar x1", "hierdec-trio_16bar", 1, bars=16, or_roof=True),
)


def made_up_weights(subject: Subject) -> dict[str, np.ndarray]:
    """Weights that both sides can make: normal numbers seeded by the crc32 of the variable's name."""
    weights = {}
    for name, shape in subject.shapes.items():
        scale = 1.6 / np.sqrt(math.prod(shape[:-1])) if len(shape) > 1 else 0.3
        weights[name] = (np.random.RandomState(crc32(name.encode())).randn(*shape) * scale).astype(np.float32)
    for name, first, last, amount in subject.biases:
        weights[name][first:last] += np.float32(amount)
    return weights


# A sixteenth shorter than their value: Magenta wants the primer to have ended before the first new step.
_EIGHTH, _HALF = 0.25, 1.75


def _beat() -> list[Note]:
    notes: list[Note] = []
    for bar in range(PRIMER_BARS):
        for eighth in range(8):
            start = bar * BEATS_PER_BAR + eighth / 2
            drums = [42] + [36] * (eighth in (0, 3, 4)) + [38] * (eighth in (2, 6))
            notes += [(pitch, 100, start, start + 0.25, True) for pitch in drums]
    return notes


def _tune() -> list[Note]:
    pitches = (60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60, 64, 67)
    return [(pitch, 80 + k % 4 * 8, k / 2, k / 2 + _EIGHTH, False) for k, pitch in enumerate(pitches)]


def _chorale() -> list[Note]:
    chords = ((48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (48, 60, 64, 67))
    return [(pitch, 80, 2.0 * k, 2.0 * k + _HALF, False) for k, chord in enumerate(chords) for pitch in chord]

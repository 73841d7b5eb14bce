"""Numbers made with the original NSynth, and the made-up weights that they were made with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from engine.timbres.nsynth.decoder import WaveDecoder, WaveSteps
from engine.timbres.nsynth.encoder import WaveEncoder
from engine.timbres.nsynth.layout import HOP, WaveNetLayout
from engine.timbres.nsynth.mu_law import MIDDLE

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "nsynth"
CHECKPOINT = FOLDER / "tiny_ckpt"
TRAINING = FOLDER / "tiny_train_ckpt"
TOLERANCE = 1e-4
"""What the original's own float32 allows, for probabilities, encodings and queues."""

_GAINS = (("ae_startconv", 3.0), ("ae_bottleneck", 0.4), ("ae_", 0.8), ("cond_map_", 0.6), ("logits", 2.0), ("", 1.0))
_FULL = {
    "ae_num_layers": 30,
    "ae_num_stages": 10,
    "ae_width": 128,
    "num_layers": 30,
    "num_stages": 10,
    "skip_width": 256,
    "width": 512,
}


def made_up_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Weights as the reference run made them: normal numbers seeded by the crc32 of the variable's name."""
    weights = {}
    for name, shape in shapes.items():
        numbers = np.random.RandomState(crc32(name.encode())).standard_normal(shape)
        gain = next(gain for begin, gain in _GAINS if name.startswith(begin))
        scale = 0.1 if len(shape) == 1 else gain / np.sqrt(np.prod(shape[:-1]))
        weights[name] = (numbers * scale).astype(np.float32)
    return weights


def tone(which: int, count: int) -> np.ndarray:
    """One of the reference's test tones, [samples] at 16 kHz."""
    t = np.arange(count) / 16000
    if which == 0:
        wave = 0.6 * np.sin(2 * np.pi * 220 * t) * np.exp(-3 * t) + 0.2 * np.sin(2 * np.pi * 663.5 * t + 0.3)
    else:
        wave = 0.5 * np.sin(2 * np.pi * (330 * t + 200 * t**2)) * (8 * t < 1.5) + 0.05 * np.sin(2 * np.pi * 3001 * t)
    return wave.astype(np.float32)


class Golden:
    """The reference numbers of one size."""

    def __init__(self, size: str) -> None:
        with np.load(FOLDER / f"nsynth__{size}.npz") as file:
            self.arrays = dict(file)
        self.info: dict[str, Any] = json.loads(bytes(self.arrays.pop("info")))
        sizes = self.info["constants"] or _FULL
        self.layout = WaveNetLayout(
            sizes["num_layers"],
            sizes["width"],
            sizes["skip_width"],
            sizes["ae_num_layers"],
            sizes["ae_width"],
            sizes["num_stages"],
            sizes["ae_num_stages"],
        )

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def encoder(self) -> WaveEncoder:
        return WaveEncoder(made_up_weights(self.layout.encoder_shapes()), self.layout)

    def decoder(self) -> WaveDecoder:
        return WaveDecoder(made_up_weights(self.layout.decoder_shapes()), self.layout)

    def waves(self) -> list[np.ndarray]:
        return [tone(which, self.info["n"]) for which in self.info["tones"]]

    def forced(self, decoder: WaveDecoder, steps: int) -> tuple[WaveSteps, np.ndarray]:
        """A player that was fed the true samples, and its probabilities, [steps, notes, 256]."""
        values = self["mu_q"]
        player, probabilities = WaveSteps(decoder, len(values)), []
        for step in range(steps):
            if step % HOP == 0:
                player.condition(self["encoding"][:, step // HOP])
            before = values[:, step - 1] if step else np.zeros(len(values))
            probabilities.append(player.step((before / MIDDLE).astype(np.float32)).copy())
        return player, np.stack(probabilities)

    def queues(self) -> dict[tuple[int, int], np.ndarray]:
        """Contents of the original's queues, by layer (-1 is what everything begins with) and number (1, 2)."""
        found = {}
        for name, rows in self.arrays.items():
            if name.startswith("queue_"):
                layer, which = name.removeprefix("queue_").rsplit("_q", 1)
                found[-1 if layer == "startconv" else int(layer.split("_")[1]) - 1, int(which)] = rows
        return found

    def shown(self, queue: np.ndarray) -> np.ndarray:
        """The rows and channels of a queue that the reference kept."""
        rate = len(queue)
        rows = list(range(rate)) if rate <= 6 else [0, 1, 2, rate // 2, rate - 2, rate - 1]
        return queue[rows][:, :, :: self.info["queue_channel_step"]]


class Columns:
    """The draws of one note out of those that the original makes for a whole batch at each step."""

    def __init__(self, seed: int, batch: int, note: int, steps: int) -> None:
        self._draws = np.random.RandomState(seed).rand(-(-steps // HOP) * HOP, batch)[:, note]
        self._place = 0

    def random(self, size: int) -> np.ndarray:
        self._place += size
        return self._draws[self._place - size : self._place]

"""Pieces and networks that are judged in a moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from engine.networks import CONFIGS, build_network
from engine.networks.polyphonic.configs import RnnConfig
from engine.score.phrase import NOTE
from engine.training.datasets import DatasetPiece
from engine.training.datasets.music.ensembles import beside_chords
from tests.networks.golden import made_up_weights

SPLITS = ("train", "train", "validation", "test")


def small_rnn(name: str, layers: tuple[int, ...] = (6,)) -> Any:
    """A network of a config with made-up weights."""
    config = CONFIGS[name]
    assert isinstance(config, RnnConfig)
    weights = made_up_weights(config.default_layout(layers).shapes())
    if name == "polyphony":
        weights["fully_connected/biases"][2] += 3  # else it never ends a step
    return build_network(config, weights)


def beats(count: int = 8, bars: int = 10) -> list[DatasetPiece]:
    """Drums: kick and snare, hats by chance."""
    rng = np.random.default_rng(5)
    found = []
    for k in range(count):
        events = 4 * (rng.random(16 * bars) < 0.5).astype(np.int16)
        events[::8] |= 1
        events[4::8] |= 2
        found.append(DatasetPiece(f"b{k}", "s", SPLITS[k % 4], events))
    return found


def melodies(count: int = 12) -> list[DatasetPiece]:
    """Scales up and down."""
    found = []
    for k in range(count):
        events = np.full(160, -2, np.int16)
        events[::2] = [60 + k % 5 + abs((step + k) % 14 - 7) for step in range(80)]
        events[0], events[31] = -1, -1
        found.append(DatasetPiece(f"m{k}", "s", SPLITS[k % 4], events))
    return found


def trios(count: int = 4) -> list[DatasetPiece]:
    """The same melodies over a bass in quarters and drums."""
    found = []
    for tune, drums in zip(melodies(count), beats(count), strict=True):
        bass = np.full(160, -2, np.int16)
        bass[::4], bass[3::16] = 40 + tune.events[::4] % 5, -1
        events = np.stack([tune.events, bass, drums.events], axis=1)
        found.append(DatasetPiece(tune.name, tune.source, tune.split, events))
    return found


def basses(count: int = 8) -> list[DatasetPiece]:
    """The roots of two chords a bar with the kick, beside drums and what sounds the chords; and three of the lead
    sheets, one of each split."""
    chords, found = np.array((["C"] * 8 + ["G7"] * 8) * 10), []
    for drums in beats(count):
        line = np.full(160, -2, np.int16)
        line[::8], line[6::16] = np.where(np.arange(20) % 2, 43, 36), -1
        sounding = np.where(np.arange(160) % 16 < 8, 0b10010001, 0b100010000100)
        begun = np.where(np.arange(160) % 8 == 0, sounding, 0)
        events = np.stack([line, np.zeros(160), drums.events, sounding, begun], axis=1).astype(np.int16)
        found.append(DatasetPiece(drums.name, drums.source, drums.split, events, chords))
    return found + [replace(one, events=beside_chords(one.events)) for one in lead_sheets()[1:4]]


def lead_sheets() -> list[DatasetPiece]:
    """The same over two chords a bar."""
    chords = np.array((["C"] * 8 + ["G7"] * 8) * 10)
    return [DatasetPiece(one.name, one.source, one.split, one.events, chords) for one in melodies()]


def notes(rows: list[tuple[float, float, int, int]]) -> np.ndarray:
    """Array of `NOTE`."""
    return np.array(rows, NOTE)


def chorales(count: int = 4, source: str = "jsb_chorales") -> list[DatasetPiece]:
    """Four voices that change on each quarter, the upper one on eighths."""
    found = []
    for k in range(count):
        rows = []
        for beat in range(34):
            rows += [(beat, beat + 1.0, pitch + (beat + k) % 3, 100) for pitch in (48, 55, 60)]
            rows += [(beat + half / 2, beat + (half + 1) / 2, 67 + (beat + half + k) % 5, 100) for half in (0, 1)]
        found.append(DatasetPiece(f"c{k}", source, SPLITS[k % 4], notes(rows)))
    return found


def performances(count: int = 4) -> list[DatasetPiece]:
    """Arpeggios in free time, in seconds."""
    rng = np.random.default_rng(8)
    found = []
    for k in range(count):
        starts = np.cumsum(rng.uniform(0.08, 0.3, 200))
        rows = [(s, s + 0.4, 48 + (7 * n + k) % 36, 40 + n % 60) for n, s in enumerate(starts.tolist())]
        found.append(DatasetPiece(f"p{k}", "s", SPLITS[k % 4], notes(rows)))
    return found


def grooves(count: int = 8) -> list[DatasetPiece]:
    """Strokes by chance."""
    rng = np.random.default_rng(3)
    found = []
    for k in range(count):
        hits = (rng.random((64, 9)) < 0.2).astype(np.float32)
        strokes = np.concatenate([hits, hits * rng.random((64, 9)), hits * rng.uniform(-1, 1, (64, 9))], axis=1)
        found.append(DatasetPiece(f"g{k}", "s", SPLITS[k % 4], strokes.astype(np.float32), qpm=125.0))
    return found

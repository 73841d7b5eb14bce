"""Generators that are broken in every way in which music can be stuck; real kinds, registered like a plug-in's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from engine.generators.contract import GENERATORS, GeneratorKind, Request, Role, Settings
from engine.score.phrase import Origin, Phrase, Provenance

Notes = list[tuple[float, float, int, int]]


def constant(request: Request) -> Notes:
    """One pitch, on every beat."""
    return [(beat, beat + 0.5, 64, 80) for beat in range(int(request.beats))]


def empty(request: Request) -> Notes:
    """Nothing."""
    return []


def noise(request: Request) -> Notes:
    """Any pitch, on every half beat."""
    rng = np.random.default_rng(request.seed)
    return [(step / 2, step / 2 + 0.4, int(rng.integers(48, 85)), 80) for step in range(int(request.beats * 2))]


def two_bars(request: Request) -> Notes:
    """The same two bars of a good melody over and over."""
    tune = [(0, 60), (1, 64), (2, 67), (3, 72), (4.5, 71), (6, 67), (7, 65)]
    bars = 2 * request.meter.beats_per_bar
    offset = (request.place.first_bar % 2) * request.meter.beats_per_bar
    found = [
        (start + turn * bars - offset, pitch) for turn in range(int(request.beats // bars) + 2) for start, pitch in tune
    ]
    return [(start, start + 0.5, pitch, 80) for start, pitch in found if 0 <= start < request.beats]


def drone(request: Request) -> Notes:
    """One note that never ends: it is struck again where one has to."""
    return [(0.0, request.beats + 32.0, 57, 80)]


def everything(request: Request) -> Notes:
    """All keys at once, in every beat."""
    return [(beat, beat + 1.0, pitch, 60) for beat in range(int(request.beats)) for pitch in range(48, 88)]


SABOTAGES: dict[str, Callable[[Request], Notes]] = {
    "constant": constant,
    "empty": empty,
    "noise": noise,
    "two_bars": two_bars,
    "drone": drone,
    "everything": everything,
}


class SabotageSettings(Settings):
    """It has none."""


def _kind(name: str, make: Callable[[Request], Notes]) -> GeneratorKind[SabotageSettings]:
    class Sabotaged:
        def generate(self, request: Request[SabotageSettings]) -> Phrase:
            return Phrase.of(make(request), request.beats, Provenance(name, Origin.RULES, request.seed))

    return GeneratorKind(
        name=f"sabotaged_{name}",
        summary=f"what is stuck: {name}",
        settings=SabotageSettings,
        roles=(Role.MELODY, Role.BASS, Role.CHORDS, Role.DRUMS),
        factory=lambda settings: Sabotaged(),
    )


@contextmanager
def registered() -> Iterator[None]:
    """While it lasts, `sabotaged_NAME` are kinds of generators like any other."""
    kinds = {f"sabotaged_{name}": _kind(name, make) for name, make in SABOTAGES.items()}
    GENERATORS._further |= kinds  # as if a package brought them
    try:
        yield
    finally:
        for name in kinds:
            GENERATORS._further.pop(name, None)
            GENERATORS._loaded.pop(name, None)

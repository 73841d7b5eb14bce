# pyright: strict
"""Levels of playing, from pp to ff: numbers between them, and what they do to velocities."""

from __future__ import annotations

import numpy as np

from engine.errors import WrongValueError

LEVELS = {"pp": -3.0, "p": -2.0, "mp": -1.0, "mf": 0.0, "f": 1.0, "ff": 2.0}
"""Levels by name; `mf` is how music sounds of which nothing is said."""

SOFTEST, LOUDEST = LEVELS["pp"], LEVELS["ff"]

_PER_LEVEL = 1.15
"""By how much velocities grow from level to level: p is .76 of mf. Above mf they come ever closer to 127."""


def parse_level(text: str) -> float:
    """A level by its name.

    Raises:
        WrongValueError: there is none of that name.
    """
    name = text.strip()
    if name not in LEVELS:
        raise WrongValueError(
            f"`{text}` is no level of playing",
            example="`pp`, `p`, `mp`, `mf`, `f` or `ff`",
            word=name,
            candidates=tuple(LEVELS),
        )
    return LEVELS[name]


def level_name(level: float) -> str:
    """Name of the nearest level."""
    return min(LEVELS, key=lambda name: abs(LEVELS[name] - level))


def written_levels(levels: tuple[float, ...]) -> str:
    """Levels over a stretch as a scene would write them: `mp -> f`."""
    names = [level_name(level) for level in (levels[:1] + levels[len(levels) // 2 :][:1] + levels[-1:])]
    kept = [name for place, name in enumerate(names) if place == 0 or name != names[place - 1]]
    return " -> ".join(kept)


def clipped(level: float) -> float:
    """A level between pp and ff."""
    return min(LOUDEST, max(SOFTEST, level))


def at_level(velocities: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Velocities [n], meant for mf, as they are played at some levels [n]; 1..127."""
    given = velocities.astype(float)
    more = given * (_PER_LEVEL**levels - 1.0)
    room = np.maximum(127.0 - given, 1e-9)
    played = given + np.where(more > 0, room * (1.0 - np.exp(-np.maximum(more, 0.0) / room)), more)
    return np.clip(np.rint(played), 1, 127).astype(np.uint8)

# pyright: strict
"""The nine drum classes of Magenta's Drums RNN, and how General MIDI drums fall into them.

Source: `DEFAULT_DRUM_TYPE_PITCHES` of Magenta's drum encoder (nine classes after Roberts et al. 2018, appendix).
"""

from __future__ import annotations

from types import MappingProxyType

CLASSES: tuple[str, ...] = (
    "kick",
    "snare",
    "closed_hat",
    "open_hat",
    "low_tom",
    "mid_tom",
    "high_tom",
    "crash",
    "ride",
)
"""Names, in Magenta's order; a drum event of Drums RNN is a bit mask over it."""

PITCHES: tuple[int, ...] = (36, 38, 42, 46, 45, 48, 50, 49, 51)
"""The General MIDI pitch that stands for each class."""

SYMBOLS: tuple[str, ...] = ("bd", "sn", "hh", "oh", "lt", "mt", "ht", "cr", "rd")
"""Two-letter names of the drum grid notation."""

GROUPS: MappingProxyType[str, tuple[int, ...]] = MappingProxyType(
    {"kicks": (0,), "snares": (1,), "hats": (2, 3), "toms": (4, 5, 6), "cymbals": (7, 8)}
)
"""Classes that go together, by what they are called together."""

_MEMBERS = (
    (36, 35),
    (38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),
    (42, 44, 54, 68, 69, 70, 71, 73, 78, 80, 22),
    (46, 67, 72, 74, 79, 81, 26),
    (45, 29, 41, 43, 61, 64, 84),
    (48, 47, 60, 63, 77, 86, 87),
    (50, 30, 62, 76, 83),
    (49, 52, 55, 57, 58),
    (51, 53, 59, 82),
)

CLASS_OF_PITCH = MappingProxyType({pitch: k for k, members in enumerate(_MEMBERS) for pitch in members})
"""Drum class index of a General MIDI drum pitch; pitches of no class are absent."""


def index_of(name: str) -> int | None:
    """Drum class index of "bd" or "kick"; None for no drum."""
    for names in (SYMBOLS, CLASSES):
        if name in names:
            return names.index(name)
    return None

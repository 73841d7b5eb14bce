"""Settings that are written as music: notes, drum grids, MIDI files. Types for pydantic models.

They are read in a context, a `SettingsContext`: without one bar lines are not checked, and paths begin in the current
folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from engine.errors import WrongValueError
from engine.generators.contract import Role, SettingsContext
from engine.score import drums
from engine.score.harmony.progressions import WANTED, Progression, parse_progression
from engine.score.notation import NotationError
from engine.score.patterns import ALWAYS, Pattern, grid_from_mapping, parse_grid, parse_pattern
from engine.score.time import Meter

LONGEST_NOTE = 64.0
"""Beats that a note of a pattern sounds at most."""
DENSEST = 32
"""Notes a beat that a pattern has at most."""
_FILE_KEYS = ("midi", "track", "bars")
_WANTED = "notes like `D4:1 F4:1/2`, a drum grid like `bd: x...x...`, or `{midi: FILE, track: NAME, bars: 1..8}`"
_BARS = re.compile(r"\s*(\d{1,5})\s*(?:\.\.\s*(\d{1,5})\s*)?")


def read_notes(value: object, info: ValidationInfo) -> Pattern:
    """The pattern that a setting writes.

    Raises:
        ValueError: it is none; a NotationError says where.
    """
    if isinstance(value, Pattern):
        return value
    reading = info.context if isinstance(info.context, SettingsContext) else SettingsContext(Meter(), Path())
    if isinstance(value, str) and value.strip():
        pattern = parse_pattern(value, reading.meter)
    elif isinstance(value, Mapping) and any(key in _FILE_KEYS for key in value):
        pattern = _from_file(value, reading)
    elif isinstance(value, Mapping) and value:
        pattern = _from_lanes(value)
    else:
        raise WrongValueError(expected=_WANTED)
    if pattern.length * DENSEST < len(pattern.notes):
        raise NotationError("the notes are too dense", 0, 1 << 30, f"{DENSEST} notes a beat at most")
    longest = max((end - start for start, end, _, _ in pattern.notes), default=0.0)
    if longest > LONGEST_NOTE:
        raise NotationError("a note is too long", 0, 1 << 30, f"{LONGEST_NOTE:g} beats at most")
    return pattern


def read_chords(value: object, info: ValidationInfo) -> Progression:
    """The progression that a setting writes.

    Raises:
        NotationError: it is none; it says where.
    """
    if isinstance(value, Progression):
        return value
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise WrongValueError(expected=WANTED)
    reading = info.context if isinstance(info.context, SettingsContext) else SettingsContext(Meter(), Path())
    return parse_progression(str(value), reading.meter)


def _from_lanes(rows: Mapping[Any, Any]) -> Pattern:
    for name, cells in rows.items():
        if drums.index_of(str(name)) is None:
            expected = "`midi` or drums: " + ", ".join(f"`{symbol}`" for symbol in drums.SYMBOLS)
            known = ("midi", *drums.SYMBOLS, *drums.CLASSES)
            raise NotationError(f"unknown drum `{name}`", 0, 1 << 30, expected, str(name), known)
        if not isinstance(cells, str):
            raise NotationError(f"the lane `{name}` needs steps", 0, 1 << 30, "steps, like `x...x...`", key=str(name))
    return parse_grid(grid_from_mapping({str(name): str(cells) for name, cells in rows.items()}))


def _from_file(given: Mapping[Any, Any], reading: SettingsContext) -> Pattern:
    from engine.score.excerpt import read_excerpt

    for key in given:
        if key not in _FILE_KEYS:
            expected = "`midi`, `track` or `bars`"
            raise NotationError(f"unknown key `{key}`", 0, 1 << 30, expected, str(key), _FILE_KEYS, str(key))
    name, track, bars = given.get("midi"), given.get("track"), given.get("bars")
    if not isinstance(name, str) or not name:
        raise NotationError("`midi` needs the path of a MIDI file", 0, 1 << 30, "a path, like `theme.mid`", key="midi")
    if track is not None and (isinstance(track, bool) or not isinstance(track, str | int)):
        raise NotationError("this is no track", 0, 1 << 30, "its name, or its number from 1 up", key="track")
    path = Path(name) if Path(name).is_absolute() else reading.folder / name
    is_drum = reading.role == Role.DRUMS
    excerpt = read_excerpt(path, reading.meter, is_drum, track, None if bars is None else _bars(bars))
    if excerpt.shortened:
        raise NotationError(
            "the file is too long", 0, 1 << 30, "64 bars of 4/4 at most: choose some, `bars: 1..16`", key="midi"
        )
    return Pattern.of([(row, ALWAYS) for row in excerpt.notes.tolist()], excerpt.length, is_drum)


def _bars(value: object) -> tuple[int, int]:
    match = _BARS.fullmatch(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    first = int(match[1]) if match else 0
    last = int(match[2] or first) if match else 0
    if not 1 <= first <= last:
        raise NotationError("these are no bars", 0, 1 << 30, "bars of the file counted from 1, like `5..8`", key="bars")
    return first, last


Chords = Annotated[Any, BeforeValidator(read_chords), WithJsonSchema({"type": "string", "description": WANTED})]
_LANES = {name: {"type": "string"} for name in (*drums.SYMBOLS, *drums.CLASSES)}
Notes = Annotated[
    Any,
    BeforeValidator(read_notes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["D4:1 F4:1/2 ~:1/2 [D4 A4]:2", "bd: x...x... | sn: ....x..."]},
                {
                    "type": "object",
                    "properties": {
                        "midi": {"type": "string", "description": "Path of a MIDI file."},
                        "track": {"type": ["string", "integer"], "description": "Name or number of one track of it."},
                        "bars": {"type": ["string", "integer"], "description": "Some bars of it, like `5..8`."},
                    },
                    "required": ["midi"],
                    "additionalProperties": False,
                },
                {"type": "object", "properties": _LANES, "additionalProperties": False, "minProperties": 1},
            ]
        }
    ),
]

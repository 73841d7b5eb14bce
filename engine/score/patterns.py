# pyright: strict
"""Patterns: short rhythms and melodies written in a line, read as notes.

A drum grid has a lane for each drum, one character a sixteenth: `bd: x...x... | hh: x.x.x.x.`, with `x`
a hit, `X` an accent, `o` a ghost note, `.` nothing. Lanes stand behind `|` or on lines of their own.
A line of notes gives each note a length in beats: `D4:1 F4:1/2 ~:1/2 [D4 A4]:2 | C4:4`, `~` a rest, `[ ]` a chord, `|`
a bar line, which must stand where a bar ends. A note without a length has that of the one before. `@100` behind it is
its velocity, which the notes after it have, too.
Behind a note or a cell may stand a condition, which only a part that plays the pattern itself heeds: `?30%` (with a
chance; `?` alone is 50 %) or `?1:4` (the first of every four times that the pattern is played).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from engine.score import drums
from engine.score.harmony.keys import parse_pitch
from engine.score.notation import LONGEST, NUMBER, NotationError, check_bar_line, read_length
from engine.score.phrase import NOTE, Origin, Phrase, Provenance
from engine.score.time import STEPS_PER_BEAT, Meter

CELLS: dict[str, int] = {"x": 90, "X": 115, "o": 45}
"""Velocity of the hits of a drum grid, by how they are written."""

_SILENT = ".-_"
_LANE = re.compile(r"(?:^|\||\n)[\s|]*([A-Za-z_]+)\s*:(?!\s*\d)")
_TOKEN = re.compile(r"[^\s\[\]|:@?]+")
_CONDITION = re.compile(r"\?(?:(\d+(?:\.\d+)?)\s?%|(\d{1,3}):(\d{1,3}))?")
_VELOCITY = 90
_PROVENANCE = Provenance("pattern", Origin.RULES)
_CONDITIONS = "`?` (half of the times), a chance like `?30%`, or turns like `?1:4` (the first of every four times)"


class Condition(NamedTuple):
    """When a note of a pattern sounds.

    Attributes:
        chance: 0..1 that it does, each time.
        turn: it sounds the so manyeth time, counted from 1, ...
        turns: ... of every so many times that the pattern is played.
    """

    chance: float = 1.0
    turn: int = 1
    turns: int = 1


ALWAYS = Condition()


@dataclass(frozen=True, slots=True)
class Pattern:
    """Some notes that are played again and again.

    Attributes:
        notes: (start, end, pitch, velocity) with times in beats, by start and pitch; an end may lie beyond the length.
        conditions: of each note.
        length: beats after which it begins again.
        is_drums: its pitches are drums.
    """

    notes: tuple[tuple[float, float, int, int], ...]
    conditions: tuple[Condition, ...]
    length: float
    is_drums: bool = False

    @classmethod
    def of(
        cls,
        notes: list[tuple[tuple[float, float, int, int], Condition]],
        length: float,
        is_drums: bool = False,
    ) -> Pattern:
        """Make a pattern of notes in any order, each with its condition."""
        rows = sorted(notes, key=lambda row: (row[0][0], row[0][2]))
        return cls(tuple(row for row, _ in rows), tuple(when for _, when in rows), length, is_drums)

    def phrase(self) -> Phrase:
        """All its notes, once, whatever their conditions."""
        return Phrase.of(self.array(), self.length, _PROVENANCE)

    def array(self) -> np.ndarray:
        """Its notes as an array [n] of `NOTE`, read-only."""
        return _array(self.notes)


@functools.lru_cache(maxsize=64)
def _array(rows: tuple[tuple[float, float, int, int], ...]) -> np.ndarray:
    array = np.array(list(rows), NOTE)
    array.setflags(write=False)
    return array


class Lane(NamedTuple):
    """The hits of one drum.

    Attributes:
        name: of the drum.
        cells: what is written, one character a step; spaces and bar lines do not count.
        name_at: index of the name in the pattern.
        cells_at: index of the first cell.
    """

    name: str
    cells: str
    name_at: int
    cells_at: int


def is_grid(text: str) -> bool:
    """Whether a pattern is a drum grid (otherwise it is a line of notes)."""
    return _LANE.match(text.lstrip()) is not None


def parse_pattern(text: str, meter: Meter) -> Pattern:
    """Read a drum grid or a line of notes.

    Raises:
        NotationError: says what is wrong at which index of the text.
    """
    return parse_grid(lanes_of(text)) if is_grid(text) else parse_notes(text, meter)


def lanes_of(text: str) -> list[Lane]:
    """Split a drum grid into its lanes.

    Raises:
        NotationError: text stands before the first lane.
    """
    heads = list(_LANE.finditer(text))
    first = heads[0].start(1) if heads else len(text)
    before = text[:first].strip(" \t\r\n|")
    if before:
        start = text.index(before)
        raise NotationError(f"`{before}` belongs to no lane", start, first, "a drum and a colon, like `bd: x...`")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Lane(head[1], text[head.end() : end], head.start(1), head.end()) for head, end in zip(heads, ends, strict=True)
    ]


def parse_grid(lanes: list[Lane]) -> Pattern:
    """Read the lanes of a drum grid. Shorter lanes are repeated to the length of the longest.

    Raises:
        NotationError: an unknown drum, an unknown cell, or lengths that do not divide each other.
    """
    steps_of: dict[int, tuple[Lane, list[tuple[int, Condition, int]]]] = {}
    for lane in lanes:
        index = drums.index_of(lane.name)
        name_end = lane.name_at + len(lane.name)
        if index is None:
            expected = "one of " + ", ".join(f"`{s}` ({c})" for s, c in zip(drums.SYMBOLS, drums.CLASSES, strict=True))
            names = (*drums.SYMBOLS, *drums.CLASSES)
            raise NotationError(f"unknown drum `{lane.name}`", lane.name_at, name_end, expected, lane.name, names)
        if index in steps_of:
            raise NotationError(
                f"the drum `{lane.name}` has two lanes", lane.name_at, name_end, "one lane a drum", key=lane.name
            )
        cells = _cells(lane)
        if not cells:
            raise NotationError(
                f"the lane `{lane.name}` is empty", lane.name_at, name_end, "steps, like `x...x...`", key=lane.name
            )
        steps_of[index] = (lane, cells)
    longest = max(len(cells) for _, cells in steps_of.values())
    if longest / STEPS_PER_BEAT > LONGEST:
        raise NotationError("the grid is too long", 0, 1, f"{LONGEST:g} beats at most")
    notes: list[tuple[tuple[float, float, int, int], Condition]] = []
    for index, (lane, cells) in steps_of.items():
        if longest % len(cells):
            raise NotationError(
                f"the lane `{lane.name}` has {len(cells)} steps, the longest has {longest}",
                lane.cells_at + cells[0][2],
                lane.cells_at + cells[-1][2] + 1,
                "as many steps, or a number that divides it (the lane is then repeated)",
                key=lane.name,
            )
        for step in range(longest):
            velocity, condition, _ = cells[step % len(cells)]
            if velocity:
                start = step / STEPS_PER_BEAT
                notes.append(((start, start + 1 / STEPS_PER_BEAT, drums.PITCHES[index], velocity), condition))
    return Pattern.of(notes, longest / STEPS_PER_BEAT, is_drums=True)


def _cells(lane: Lane) -> list[tuple[int, Condition, int]]:
    """(velocity, condition, index in the lane) of each step of a lane; velocity 0 is nothing."""
    found: list[tuple[int, Condition, int]] = []
    place = 0
    while place < len(lane.cells):
        cell, begin = lane.cells[place], place
        place += 1
        if cell.isspace() or cell == "|":
            continue
        if cell not in CELLS and cell not in _SILENT:
            at = lane.cells_at + begin
            expected = "`x` (hit), `X` (accent), `o` (ghost note) or `.` (nothing)"
            raise NotationError(f"`{cell}` is no step of a drum grid", at, at + 1, expected, key=lane.name)
        condition = ALWAYS
        if place < len(lane.cells) and lane.cells[place] == "?" and cell in CELLS:
            condition, place = _condition(lane.cells, place, lane.cells_at, lane.name)
        found.append((CELLS.get(cell, 0), condition, begin))
    return found


def grid_from_mapping(rows: Mapping[str, str]) -> list[Lane]:
    """The lanes of a grid that is written as a mapping of drums and steps; indexes count from each value's start."""
    return [Lane(name, cells, 0, 0) for name, cells in rows.items()]


def parse_notes(text: str, meter: Meter) -> Pattern:
    """Read a line of notes.

    Raises:
        NotationError: something that is no note, a chord that does not end, or a bar line where no bar ends.
    """
    notes: list[tuple[tuple[float, float, int, int], Condition]] = []
    now, length, velocity, place = Fraction(0), Fraction(1), _VELOCITY, 0
    while place < len(text):
        char = text[place]
        if char.isspace():
            place += 1
        elif char == "|":
            check_bar_line(now, place, meter.beats_per_bar)
            place += 1
        else:
            begin = place
            pitches, place = _chord(text, place) if char == "[" else _single(text, place)
            if text[place : place + 1] == ":":
                length, place = read_length(text, place + 1)
            if text[place : place + 1] == "@":
                velocity, place = _read_velocity(text, place + 1)
            condition = ALWAYS
            if text[place : place + 1] == "?":
                condition, place = _condition(text, place)
            if now + length > LONGEST:
                raise NotationError("the pattern is too long", begin, place, f"{LONGEST:g} beats at most")
            notes += [((float(now), float(now + length), pitch, velocity), condition) for pitch in pitches]
            now += length
    if now == 0:
        raise NotationError("the pattern is empty", 0, 1, "notes with lengths in beats, like `D4:1 F4:1/2 ~:1/2`")
    return Pattern.of(notes, float(now))


def _read_velocity(text: str, place: int) -> tuple[int, int]:
    match = re.compile(r"[^\s\[\]|?:]*").match(text, place)
    assert match is not None
    if not re.fullmatch(r"\d{1,3}", match[0]) or not 1 <= int(match[0]) <= 127:
        expected = "a number from 1 (softest) to 127 (loudest), like `D4:1@100`"
        raise NotationError(f"`{match[0]}` is no velocity", place, match.end(), expected)
    return int(match[0]), match.end()


def _condition(text: str, place: int, offset: int = 0, key: str = "") -> tuple[Condition, int]:
    """The condition that begins with the `?` at an index, and the index behind it.

    Raises:
        NotationError: a chance or a turn that there is not; its indexes are `offset` later, its `key` is the given one.
    """
    match = _CONDITION.match(text, place)
    assert match is not None  # there is a `?`
    share, turn, turns = match.groups()
    condition = Condition(0.5)
    if share is not None:
        condition = Condition(float(share) / 100)
    elif turn is not None:
        condition = Condition(1.0, int(turn), int(turns))
    if condition.chance > 1 or not 1 <= condition.turn <= condition.turns:
        message = f"`{match[0]}` is no condition"
        raise NotationError(message, place + offset, match.end() + offset, _CONDITIONS, key=key)
    # A number without its sign would be read as steps or as a note.
    rest = re.match(r"[\d.:%]*", text[match.end() :])
    if share is None and turn is None and rest is not None and re.match(r"\d", rest[0]):
        written = match[0] + rest[0]
        start = place + offset
        raise NotationError(f"`{written}` is no condition", start, start + len(written), _CONDITIONS, key=key)
    return condition, match.end()


def _single(text: str, place: int) -> tuple[list[int], int]:
    match = _TOKEN.match(text, place)
    if not match:
        raise NotationError(f"`{text[place]}` stands here without a note", place, place + 1, "a note, like `D4:1`")
    if match[0] == "~":
        return [], match.end()
    return [_pitch(match)], match.end()


def _chord(text: str, place: int) -> tuple[list[int], int]:
    end = text.find("]", place)
    if end < 0:
        raise NotationError("this chord does not end", place, place + 1, "`]` behind its notes, like `[D4 A4]:2`")
    inner = text[place + 1 : end]
    stray = re.search(r"[\[|:@?]", inner)
    if stray:
        at = place + 1 + stray.start()
        raise NotationError(f"`{stray[0]}` has no place in a chord", at, at + 1, "notes alone, like `[D4 A4]:2`")
    pitches = [_pitch(match) for match in _TOKEN.finditer(text, place + 1, end)]
    if not pitches:
        raise NotationError("this chord has no notes", place, end + 1, "notes, like `[D4 A4]:2`")
    return sorted(set(pitches)), end + 1


def _pitch(match: re.Match[str]) -> int:
    try:
        return parse_pitch(match[0])
    except ValueError:
        pass
    if NUMBER.fullmatch(match[0]):
        expected = "its length behind a colon, in beats, like `D4:1/2`"
    else:
        expected = "a note with its octave, like `D4` or `Bb3`, or `~` for a rest"
    raise NotationError(f"`{match[0]}` is no note", match.start(), match.end(), expected)

"""Pattern strings: short rhythms and melodies written in a scene, read as phrases.

A drum grid has a lane for each drum, one character a sixteenth: `bd: x...x... | hh: x.x.x.x.`, with `x`
a hit, `X` an accent, `o` a ghost note, `.` nothing. Lanes stand behind `|` or on lines of their own.
A line of notes gives each note a length in beats: `D4:1 F4:1/2 ~:1/2 [D4 A4]:2 | C4:4`, `~` a rest, `[ ]` a chord, `|`
a bar line, which must stand where a bar ends. A note without a length has that of the one before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from engine.score import drums
from engine.score.keys import parse_pitch
from engine.score.phrase import Origin, Phrase, Provenance
from engine.score.time import STEPS_PER_BEAT, Meter

LONGEST = 256.0
"""Beats of the longest pattern: 64 bars of 4/4."""

CELLS: dict[str, int] = {"x": 90, "X": 115, "o": 45}
"""Velocity of the hits of a drum grid, by how they are written."""

_SILENT = ".-_"
_LANE = re.compile(r"(?:^|\||\n)[\s|]*([A-Za-z_]+)\s*:(?!\s*\d)")
_NUMBER = re.compile(r"\d+\.\d+|\d+/\d+|\d+|\.\d+")
_TOKEN = re.compile(r"[^\s\[\]|:]+")
_VELOCITY = 90
_PROVENANCE = Provenance("pattern", Origin.RULES)


class PatternError(ValueError):
    """A pattern is written wrongly.

    Attributes:
        message: what is wrong.
        start: index of the first character that is wrong.
        end: index of the first character after it.
        expected: what would be right.
        candidates: names that could have been meant.
    """

    def __init__(
        self, message: str, start: int, end: int, expected: str = "", candidates: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = max(end, start + 1)
        self.expected = expected
        self.candidates = candidates


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


def parse_pattern(text: str, meter: Meter) -> Phrase:
    """Read a drum grid or a line of notes.

    Raises:
        PatternError: says what is wrong at which index of the text.
    """
    return parse_grid(lanes_of(text)) if is_grid(text) else parse_notes(text, meter)


def lanes_of(text: str) -> list[Lane]:
    """Split a drum grid into its lanes.

    Raises:
        PatternError: text stands before the first lane.
    """
    heads = list(_LANE.finditer(text))
    first = heads[0].start(1) if heads else len(text)
    before = text[:first].strip(" \t\r\n|")
    if before:
        start = text.index(before)
        raise PatternError(f"`{before}` belongs to no lane", start, first, "a drum and a colon, like `bd: x...`")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Lane(head[1], text[head.end() : end], head.start(1), head.end()) for head, end in zip(heads, ends, strict=True)
    ]


def drum_index(name: str) -> int | None:
    """Drum class index of "bd" or "kick"; None for no drum."""
    for names in (drums.SYMBOLS, drums.CLASSES):
        if name in names:
            return names.index(name)
    return None


def parse_grid(lanes: list[Lane]) -> Phrase:
    """Read the lanes of a drum grid. Shorter lanes are repeated to the length of the longest.

    Raises:
        PatternError: an unknown drum, an unknown cell, or lengths that do not divide each other.
    """
    steps_of: dict[int, tuple[Lane, list[tuple[int, str]]]] = {}
    for lane in lanes:
        index = drum_index(lane.name)
        name_end = lane.name_at + len(lane.name)
        if index is None:
            expected = "one of " + ", ".join(f"`{s}` ({c})" for s, c in zip(drums.SYMBOLS, drums.CLASSES, strict=True))
            raise PatternError(
                f"unknown drum `{lane.name}`", lane.name_at, name_end, expected, (*drums.SYMBOLS, *drums.CLASSES)
            )
        if index in steps_of:
            raise PatternError(f"the drum `{lane.name}` has two lanes", lane.name_at, name_end, "one lane a drum")
        cells = [(place, cell) for place, cell in enumerate(lane.cells) if not cell.isspace() and cell != "|"]
        for place, cell in cells:
            if cell not in CELLS and cell not in _SILENT:
                at = lane.cells_at + place
                raise PatternError(
                    f"`{cell}` is no step of a drum grid",
                    at,
                    at + 1,
                    "`x` (hit), `X` (accent), `o` (ghost note) or `.` (nothing)",
                )
        if not cells:
            raise PatternError(f"the lane `{lane.name}` is empty", lane.name_at, name_end, "steps, like `x...x...`")
        steps_of[index] = (lane, cells)
    longest = max(len(cells) for _, cells in steps_of.values())
    if longest / STEPS_PER_BEAT > LONGEST:
        raise PatternError("the grid is too long", 0, 1, f"{LONGEST:g} beats at most")
    notes = []
    for index, (lane, cells) in steps_of.items():
        if longest % len(cells):
            raise PatternError(
                f"the lane `{lane.name}` has {len(cells)} steps, the longest has {longest}",
                lane.cells_at + cells[0][0],
                lane.cells_at + cells[-1][0] + 1,
                "as many steps, or a number that divides it (the lane is then repeated)",
            )
        for step in range(longest):
            velocity = CELLS.get(cells[step % len(cells)][1])
            if velocity is not None:
                start = step / STEPS_PER_BEAT
                notes.append((start, start + 1 / STEPS_PER_BEAT, drums.PITCHES[index], velocity))
    return Phrase.of(notes, longest / STEPS_PER_BEAT, _PROVENANCE)


def grid_from_mapping(rows: Mapping[str, str]) -> list[Lane]:
    """The lanes of a grid that is written as a mapping of drums and steps; indexes count from each value's start."""
    return [Lane(name, cells, 0, 0) for name, cells in rows.items()]


def parse_notes(text: str, meter: Meter) -> Phrase:
    """Read a line of notes.

    Raises:
        PatternError: something that is no note, a chord that does not end, or a bar line where no bar ends.
    """
    notes: list[tuple[float, float, int, int]] = []
    now, length, place = 0.0, 1.0, 0
    while place < len(text):
        char = text[place]
        if char.isspace():
            place += 1
        elif char == "|":
            _check_bar_line(now, place, meter)
            place += 1
        else:
            begin = place
            pitches, place = _chord(text, place) if char == "[" else _single(text, place)
            if place < len(text) and text[place] == ":":
                length, place = _length(text, place + 1)
            if now + length > LONGEST:
                raise PatternError("the pattern is too long", begin, place, f"{LONGEST:g} beats at most")
            notes += [(now, now + length, pitch, _VELOCITY) for pitch in pitches]
            now += length
    if now == 0:
        raise PatternError("the pattern is empty", 0, 1, "notes with lengths in beats, like `D4:1 F4:1/2 ~:1/2`")
    return Phrase.of(notes, now, _PROVENANCE)


def _single(text: str, place: int) -> tuple[list[int], int]:
    match = _TOKEN.match(text, place)
    if not match:
        raise PatternError(f"`{text[place]}` stands here without a note", place, place + 1, "a note, like `D4:1`")
    if match[0] == "~":
        return [], match.end()
    return [_pitch(match)], match.end()


def _chord(text: str, place: int) -> tuple[list[int], int]:
    end = text.find("]", place)
    if end < 0:
        raise PatternError("this chord does not end", place, place + 1, "`]` behind its notes, like `[D4 A4]:2`")
    inner = text[place + 1 : end]
    stray = re.search(r"[\[|:]", inner)
    if stray:
        at = place + 1 + stray.start()
        raise PatternError(f"`{stray[0]}` has no place in a chord", at, at + 1, "notes alone, like `[D4 A4]:2`")
    pitches = [_pitch(match) for match in _TOKEN.finditer(text, place + 1, end)]
    if not pitches:
        raise PatternError("this chord has no notes", place, end + 1, "notes, like `[D4 A4]:2`")
    return sorted(set(pitches)), end + 1


def _pitch(match: re.Match[str]) -> int:
    try:
        return parse_pitch(match[0])
    except ValueError:
        pass
    if re.fullmatch(_NUMBER, match[0]):
        expected = "its length behind a colon, in beats, like `D4:1/2`"
    else:
        expected = "a note with its octave, like `D4` or `Bb3`, or `~` for a rest"
    raise PatternError(f"`{match[0]}` is no note", match.start(), match.end(), expected)


def _length(text: str, place: int) -> tuple[float, int]:
    match = re.compile(r"[^\s\[\]|]*").match(text, place)
    assert match is not None
    number = _NUMBER.fullmatch(match[0])
    top, _, bottom = match[0].partition("/")
    value = 0.0
    if number and not (bottom and float(bottom) == 0):
        value = float(top) / float(bottom) if bottom else float(top)
    if not 0 < value <= LONGEST:
        raise PatternError(
            f"`{match[0]}` is no length",
            place,
            max(match.end(), place + 1),
            "a length in beats, like `1`, `1/2` or `0.75`",
        )
    return value, match.end()


def _check_bar_line(now: float, place: int, meter: Meter) -> None:
    bar = meter.beats_per_bar
    over = now % bar
    if min(over, bar - over) > 1e-6:
        raise PatternError(
            f"no bar ends here: {over:g} of {bar:g} beats are filled",
            place,
            place + 1,
            f"bar lines every {bar:g} beats",
        )

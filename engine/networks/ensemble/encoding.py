# pyright: strict
"""What the network is told before each sixteenth of a line, and what it is asked.

A line is MelodyEvents (see `engine.networks.encodings.melody`). Rows are sixteenths of one line, one after another, in
training, and one sixteenth of several lines in playing; both are told by `columns_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.networks.encodings.counters import STEPS_PER_BAR
from engine.networks.encodings.melody import NOTE_OFF
from engine.score.drums import CLASSES

LOWEST, HIGHEST = 21, 108
PITCHES = HIGHEST - LOWEST + 1
WIDE = 24
INTERVALS = 2 * WIDE + 1
NOTHING, ENDS, BEGINS, UNKNOWN = range(4)
"""What happens on a sixteenth: one goes on as one was, a note ends, a note begins; or nobody knows."""
BASS, MELODY = range(2)
"""The parts that the network plays."""
AHEAD = 4
"""Sixteenths of drums and of onsets that are known."""
HALF = 8
"""Sixteenths of a half bar, for the next chord."""
_AGES = np.array([0, 1, 2, 3, 4, 4, 4, 4, *[5] * 8, 6])

FIELDS = {
    "part": 2,
    "place": STEPS_PER_BAR,
    "before": 3,
    "sounds": 1,
    "age": 8,
    "pitch": PITCHES + 1,
    "interval": INTERVALS,
    "bar_ago": 4,
    "bar_ago_interval": INTERVALS,
    "two_bars_ago": 4,
    "two_bars_ago_interval": INTERVALS,
    "drums": AHEAD * len(CLASSES),
    "drums_known": 1,
    "chord_known": 1,
    "chord": 12,
    "root": 12,
    "chord_from_pitch": 12,
    "root_from_pitch": 12,
    "next_root": 12,
    "next_root_from_pitch": 12,
    "next_chord_from_pitch": 12,
    "chord_changes": 1,
    "bar_ago_from_root": 13,
    "notes_known": 1,
    "sounding": 12,
    "sounding_from_pitch": 12,
    "begun": 12,
    "begun_from_pitch": 12,
    "onsets": AHEAD,
    "drums_unlike_bar_ago": len(CLASSES),
    "changes": 3 * 4,
}
"""Numbers of each field. The line's own past, and from "drums" on what it hears."""
STARTS: dict[str, int] = dict(zip(FIELDS, np.cumsum([0, *FIELDS.values()])[:-1].tolist(), strict=True))
COLUMNS = sum(FIELDS.values())


@dataclass(frozen=True, slots=True)
class OtherParts:
    """What a line could hear, on the grid of sixteenths, from a bar line on.

    Attributes:
        roots: [T] of the chords, 0..11; -1 for none.
        tones: [T, 12] bool, of the chords.
        drums: [T] bit masks of the nine classes; None where there are none to hear.
        sounding, begun: [T] bit masks of the pitch classes that other parts sound, and that they begin; None where
            there is nothing but chords.
        known: the sixteenth from which drums and notes are known; a bar line.
    """

    roots: np.ndarray
    tones: np.ndarray
    drums: np.ndarray | None = None
    sounding: np.ndarray | None = None
    begun: np.ndarray | None = None
    known: int = 0


class Around(NamedTuple):
    """What a line hears, by the sixteenth: all that does not depend on the line.

    Attributes:
        columns: [N, columns] float32, zero where the line's own past goes, and what is seen from its note.
        roots, next_roots, roots_then: [N] of the chord, of that of the next half bar, of that of a bar ago; -1 for
            none.
        tones, next_tones: [N, 12] of these chords.
        sounding, begun: [N, 12] pitch classes.
        told: [N] whether chords are told at all.
    """

    columns: np.ndarray
    roots: np.ndarray
    next_roots: np.ndarray
    roots_then: np.ndarray
    tones: np.ndarray
    next_tones: np.ndarray
    sounding: np.ndarray
    begun: np.ndarray
    told: np.ndarray

    def at(self, step: int, count: int) -> Around:
        """One sixteenth, for several lines."""
        return Around(*(np.repeat(values[step : step + 1], count, axis=0) for values in self))


class OwnPast(NamedTuple):
    """What a line knows of itself before a sixteenth, a row each.

    Attributes:
        before: [N] what happened a sixteenth ago.
        sounds: [N] whether a note does.
        age: [N] sixteenths since the last note began.
        pitch, pitch_before: [N] of the last note and of the one before it; -1 for none.
        ago: [N, 2] what happened one bar and two bars ago.
        pitch_ago: [N, 2] of the last note then; -1 for none.
    """

    before: np.ndarray
    sounds: np.ndarray
    age: np.ndarray
    pitch: np.ndarray
    pitch_before: np.ndarray
    ago: np.ndarray
    pitch_ago: np.ndarray


class LineMemory:
    """Lines of one length that grow: when in them notes began and ended.

    Args:
        count: lines.
        steps: sixteenths that there is room for.

    Attributes:
        events: [count, steps] MelodyEvents.
    """

    def __init__(self, count: int, steps: int) -> None:
        self.events = np.zeros((count, steps), np.int64)
        self._begun = np.full((count, steps), -1)
        self._ended = np.full((count, steps), -1)
        self._filled = 0

    def __len__(self) -> int:
        return self._filled

    def push(self, events: np.ndarray) -> None:
        """Append events [count, n]."""
        first, end = self._filled, self._filled + int(events.shape[1])
        every = np.arange(first, end)
        self.events[:, first:end] = events
        for kept, happens in ((self._begun, events >= 0), (self._ended, events == NOTE_OFF)):
            kept[:, first:end] = np.where(happens, every, -1)
            kept[:, max(0, first - 1) : end] = np.maximum.accumulate(kept[:, max(0, first - 1) : end], axis=1)
        self._filled = end

    def past(self, lines: np.ndarray, steps: np.ndarray) -> OwnPast:
        """What lines [N] know before sixteenths [N], none of which is later than what is filled."""
        last, off = self._look(self._begun, lines, steps - 1), self._look(self._ended, lines, steps - 1)
        second = self._look(self._begun, lines, last - 1)
        back = np.stack([steps - STEPS_PER_BAR, steps - 2 * STEPS_PER_BAR], axis=1)
        then = self._look(self._begun, lines[:, None], back)
        return OwnPast(
            self._happened(lines, steps - 1, NOTHING),
            (last >= 0) & (off < last),
            steps - last,
            self._pitch(lines, last),
            self._pitch(lines, second),
            self._happened(lines[:, None], back, UNKNOWN),
            self._pitch(lines[:, None], then),
        )

    def _look(self, table: np.ndarray, lines: np.ndarray, steps: np.ndarray) -> np.ndarray:
        return np.where(steps >= 0, table[lines, np.maximum(steps, 0)], -1)

    def _pitch(self, lines: np.ndarray, steps: np.ndarray) -> np.ndarray:
        return self._look(self.events, lines, steps)

    def _happened(self, lines: np.ndarray, steps: np.ndarray, otherwise: int) -> np.ndarray:
        return np.where(steps >= 0, kinds_of(self.events[lines, np.maximum(steps, 0)]), otherwise)


def kinds_of(events: np.ndarray) -> np.ndarray:
    """What happens at MelodyEvents: `NOTHING`, `ENDS` or `BEGINS`."""
    return np.where(events >= 0, BEGINS, np.where(events == NOTE_OFF, ENDS, NOTHING))


def around(
    others: OtherParts,
    count: int,
    start: int = 0,
    shift: int = 0,
    drums: bool = True,
    chords: bool = True,
    notes: bool = True,
) -> Around:
    """What is heard of other parts.

    Args:
        others: as they are known.
        count: sixteenths.
        start: the first of them, a bar line; nothing before it is known.
        shift: semitones that all is moved by.
        drums, chords, notes: what of it is told.
    """
    columns, every = np.zeros((count, COLUMNS), np.float32), np.arange(count)
    known = max(0, others.known - start)
    if drums and others.drums is not None:
        _tell_drums(columns[known:], others.drums[start + known :])
    nobody = np.full(count, -1)
    root = following = nobody
    tones = tones_then = np.zeros((count, 12), bool)
    if chords:
        root, tones = _chord(others, start + every, shift)
        following, tones_then = _chord(others, start + every + HALF - every % HALF, shift)
        here, then = root >= 0, following >= 0
        columns[:, STARTS["chord_known"]] = here
        _put(columns, "chord", tones)
        _on(columns, "root", root, here)
        _on(columns, "next_root", following, then)
        columns[:, STARTS["chord_changes"]] = here & (root != _later(root, 1))
    sounding = begun = np.zeros((count, 12), np.int64)
    if notes and others.sounding is not None and others.begun is not None:
        heard = [_tell_notes(columns[known:], "sounding", others.sounding[start + known :], 1, shift)]
        heard += [_tell_notes(columns[known:], "begun", others.begun[start + known :], 2, shift)]
        columns[known:, STARTS["notes_known"]] = 1.0
        onsets = np.concatenate([others.begun[start + known :] > 0, np.zeros(AHEAD, bool)])
        for ahead in range(AHEAD):
            columns[known:, STARTS["onsets"] + ahead] = onsets[ahead : ahead + count - known]
        sounding, begun = (np.concatenate([np.zeros((known, 12), np.int64), bits]) for bits in heard)
    told = np.full(count, chords)
    return Around(columns, root, following, _later(root, STEPS_PER_BAR), tones, tones_then, sounding, begun, told)


def columns_of(part: int, steps: np.ndarray, own: OwnPast, heard: Around) -> tuple[np.ndarray, np.ndarray]:
    """What the network is told.

    Args:
        part: `BASS` or `MELODY`.
        steps: [N] sixteenths from a bar line.
        own: the line's past.
        heard: what others play.

    Returns:
        Columns [N, columns] float32; and places [N, 3] int32: the note before, the note of a bar ago, the root of the
        chord; -1 for none.
    """
    columns, pitch = heard.columns.copy(), own.pitch
    everywhere, known = np.ones(len(steps), bool), pitch >= 0
    columns[:, STARTS["part"] + part] = 1.0
    _on(columns, "place", steps % STEPS_PER_BAR, everywhere)
    _on(columns, "before", own.before, everywhere)
    columns[:, STARTS["sounds"]] = own.sounds
    _on(columns, "age", np.where(known, _AGES[np.minimum(own.age, len(_AGES) - 1)], 7), everywhere)
    _on(columns, "pitch", np.where(known, pitch - LOWEST, PITCHES), everywhere)
    _on(columns, "interval", _interval(own.pitch_before - pitch), own.pitch_before >= 0)
    for place, field in enumerate(("bar_ago", "two_bars_ago")):
        _on(columns, field, own.ago[:, place], everywhere)
        then = own.pitch_ago[:, place]
        _on(columns, f"{field}_interval", _interval(then - pitch), (then >= 0) & known)
    here, following = heard.roots >= 0, heard.next_roots >= 0
    _on(columns, "root_from_pitch", (heard.roots - pitch) % 12, here & known)
    _on(columns, "next_root_from_pitch", (heard.next_roots - pitch) % 12, following & known)
    seen = (np.arange(12)[None] + pitch[:, None]) % 12
    for field, bits in (
        ("chord_from_pitch", heard.tones),
        ("next_chord_from_pitch", heard.next_tones),
        ("sounding_from_pitch", heard.sounding),
        ("begun_from_pitch", heard.begun),
    ):
        _put(columns, field, np.take_along_axis(bits, seen, axis=1) * known[:, None])
    bar_ago = own.pitch_ago[:, 0]
    both = (bar_ago >= 0) & (heard.roots_then >= 0)
    _on(columns, "bar_ago_from_root", np.where(both, (bar_ago - heard.roots_then) % 12, 12), heard.told)
    return columns, np.stack([pitch, bar_ago, heard.roots], axis=1).astype(np.int32)


def _on(columns: np.ndarray, field: str, which: np.ndarray, where: np.ndarray) -> None:
    """Switch a column of a field on in the rows where that is so."""
    rows = np.flatnonzero(where)
    columns[rows, STARTS[field] + which[rows]] = 1.0


def _put(columns: np.ndarray, field: str, values: np.ndarray) -> None:
    columns[:, STARTS[field] : STARTS[field] + FIELDS[field]] = values


def _tell_drums(columns: np.ndarray, masks: np.ndarray) -> None:
    """Drums [>= N], now and a little ahead, and how they are unlike those of a bar ago."""
    count, wide = len(columns), len(CLASSES)
    coming = np.concatenate([masks[: count + AHEAD - 1], np.zeros(AHEAD, int)])
    bits = _bits(coming, wide)
    for ahead in range(AHEAD):
        first = STARTS["drums"] + ahead * wide
        columns[:, first : first + wide] = bits[ahead : ahead + count]
    columns[:, STARTS["drums_known"]] = 1.0
    then = _later(coming[:count], STEPS_PER_BAR, 0)
    _put(columns, "drums_unlike_bar_ago", bits[:count] - _bits(then, wide))
    columns[:, STARTS["changes"] : STARTS["changes"] + 4] = _changes(masks, count)


def _tell_notes(columns: np.ndarray, field: str, masks: np.ndarray, place: int, shift: int) -> np.ndarray:
    """Masks of pitch classes [>= N], told as a field and by their changes; gives them as [N, 12]."""
    count = len(columns)
    bits = np.roll(_bits(masks[:count], 12), shift, axis=1)
    _put(columns, field, bits)
    first = STARTS["changes"] + 4 * place
    columns[:, first : first + 4] = _changes(masks, count)
    return bits


def _chord(others: OtherParts, steps: np.ndarray, shift: int) -> tuple[np.ndarray, np.ndarray]:
    """Roots [T], -1 for none, and tones [T, 12] at some steps; the last chord goes on behind the end."""
    at = np.minimum(steps, len(others.roots) - 1)
    roots = others.roots[at]
    return np.where(roots >= 0, (roots + shift) % 12, -1), np.roll(others.tones[at], shift, axis=1)


def _bits(masks: np.ndarray, count: int) -> np.ndarray:
    """[T, count] of 0 and 1."""
    return masks[:, None].astype(int) >> np.arange(count) & 1


def _changes(masks: np.ndarray, count: int) -> np.ndarray:
    """Where masks [>= T] are not what they were a bar ago: [T, 4], now, and the shares of the next 4 and 16 sixteenths,
    and of the last four. The first bar changes nothing."""
    unlike = np.concatenate([np.zeros(min(STEPS_PER_BAR, len(masks))), masks[STEPS_PER_BAR:] != masks[:-STEPS_PER_BAR]])
    total = np.concatenate([[0.0], np.cumsum(unlike)])
    every = np.arange(count)
    spans = [(every, every + 1), (every, every + 4), (every, every + STEPS_PER_BAR), (every - 4, every)]
    found = [total[np.minimum(end, len(masks))] - total[np.maximum(begin, 0)] for begin, end in spans]
    return np.stack(found, axis=1) / (1, 4, STEPS_PER_BAR, 4)


def _later(values: np.ndarray, steps: int, first: int = -1) -> np.ndarray:
    """Values [T] as they were so many steps ago."""
    return np.concatenate([np.full(min(steps, len(values)), first), values[:-steps]])


def _interval(semitones: np.ndarray) -> np.ndarray:
    return np.clip(semitones, -WIDE, WIDE) + WIDE

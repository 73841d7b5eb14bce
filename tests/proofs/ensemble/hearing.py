"""What the network is told before each sixteenth of a line, and what it is asked."""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

import numpy as np

from engine.networks.encodings.melody import NOTE_OFF
from engine.score.drums import CLASSES
from engine.training.datasets.pieces import STEPS_PER_BAR
from engine.training.material import clean_start, known_chord
from tests.proofs.ensemble.music import Line

LOWEST, HIGHEST = 21, 108
PITCHES = HIGHEST - LOWEST + 1
WIDE = 24
INTERVALS = 2 * WIDE + 1
NOTHING, ENDS, BEGINS, UNKNOWN = range(4)
"""What happens on a sixteenth: one goes on as one was, a note ends, a note begins; or nobody knows."""
_AHEAD, _HALF = 4, 8
"""Sixteenths of drums that are known; sixteenths of a half bar, for the next chord."""
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
    "drums": _AHEAD * len(CLASSES),
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
    "onsets": _AHEAD,
    "drums_unlike_bar_ago": len(CLASSES),
    "changes": 3 * 4,
}
"""Numbers of each field. The line's own past, and from "drums" on what it hears."""
STARTS = dict(zip(FIELDS, np.cumsum([0, *FIELDS.values()][:-1]).tolist(), strict=True))
COLUMNS = sum(FIELDS.values())


class Told(NamedTuple):
    """What of that the network is told: drums, the chords' names, the notes of the other parts."""

    drums: bool
    chords: bool
    notes: bool


ALL, NOTHING_TOLD = Told(True, True, True), Told(False, False, False)


class Heard(NamedTuple):
    """A stretch of a line.

    Attributes:
        columns: [T, columns] float32.
        places: [T, 3] int32: the note before, the note of a bar ago, the root of the chord (0..11); -1 for none.
        labels: [T, 2] int32: `NOTHING`, `ENDS` or `BEGINS`, and which pitch, counted from `LOWEST`.
    """

    columns: np.ndarray
    places: np.ndarray
    labels: np.ndarray


class LineTable:
    """A line with its chords read.

    Args:
        line: see `Line`.
        part: 0 bass, 1 melody.
    """

    def __init__(self, line: Line, part: int) -> None:
        self.events, self.drums, self.part = line.piece.events.astype(int), line.drums, part
        self.notes = None if line.sounding is None or line.begun is None else (line.sounding, line.begun)
        assert line.piece.chords is not None
        figures, which = np.unique(line.piece.chords, return_inverse=True)
        roots, tones = np.full(len(figures), -1), np.zeros((len(figures), 12), bool)
        for place, figure in enumerate(figures.tolist()):
            chord = known_chord(figure)
            if chord is not None:
                roots[place] = chord.root
                tones[place, list(chord.pitch_classes)] = True
        self.roots, self.tones = roots[which], tones[which]

    def __len__(self) -> int:
        return len(self.events)

    def until(self, end: int) -> LineTable:
        """The same, of which nothing is known from a sixteenth on."""
        other = copy(self)
        other.events, other.roots, other.tones = self.events[:end], self.roots[:end], self.tones[:end]
        other.drums = None if self.drums is None else self.drums[:end]
        other.notes = None if self.notes is None else (self.notes[0][:end], self.notes[1][:end])
        return other

    def in_phrases(self, start: int, steps: int, told: Told, phrase: int) -> Heard:
        """As `heard`, but what others play is known to the end of a phrase of so many sixteenths, as in a scene."""
        end = min(start + steps, len(self))
        parts: list[list[np.ndarray]] = []
        for begin in range(start, end, phrase):
            known = self.until(begin + phrase).heard(start, steps, told=told)
            parts.append([values[begin - start :] for values in known])
        return Heard(*(np.concatenate(values) for values in zip(*parts, strict=True)))

    def heard(self, start: int, steps: int, shift: int = 0, told: Told = ALL) -> Heard:
        """A stretch from a bar line on, of which nothing before is known.

        Args:
            start, steps: which.
            shift: semitones that all is moved by.
            told: what is heard.
        """
        events = clean_start(self.events[start : start + steps])
        events = np.where(events >= 0, np.clip(events + shift, LOWEST, HIGHEST), events)
        count = len(events)
        columns, every = np.zeros((count, COLUMNS), np.float32), np.arange(count)

        def on(field: str, which: np.ndarray, where: np.ndarray | None = None) -> None:
            rows = every if where is None else every[where]
            columns[rows, STARTS[field] + (which if where is None else which[where])] = 1.0

        kinds = np.where(events >= 0, BEGINS, np.where(events == NOTE_OFF, ENDS, NOTHING))
        begun = np.maximum.accumulate(np.where(events >= 0, every, -1))
        ended = np.maximum.accumulate(np.where(events == NOTE_OFF, every, -1))
        last, off = _later(begun, 1), _later(ended, 1)
        known = last >= 0
        pitch = np.where(known, events[np.maximum(last, 0)], -1)
        on("part", np.full(count, self.part))
        on("place", every % STEPS_PER_BAR)
        on("before", _later(kinds, 1, NOTHING))
        columns[:, STARTS["sounds"]] = known & (off < last)
        on("age", np.where(known, _AGES[np.minimum(every - last, len(_AGES) - 1)], 7))
        on("pitch", np.where(known, pitch - LOWEST, PITCHES))
        onsets = np.flatnonzero(events >= 0)
        how_many = np.searchsorted(onsets, every)
        twice = how_many >= 2
        on("interval", _interval(events[onsets[np.maximum(how_many - 2, 0)]] - pitch) if len(onsets) else pitch, twice)
        ago = {}
        for field, distance in (("bar_ago", STEPS_PER_BAR), ("two_bars_ago", 2 * STEPS_PER_BAR)):
            on(field, _later(kinds, distance, UNKNOWN))
            then = _later(begun, distance)
            ago[field] = np.where(then >= 0, events[np.maximum(then, 0)], -1)
            on(f"{field}_interval", _interval(ago[field] - pitch), (then >= 0) & known)
        if told.drums and self.drums is not None:
            coming = np.concatenate([self.drums[start : start + count + _AHEAD - 1], np.zeros(_AHEAD, int)])
            for ahead in range(_AHEAD):
                first = STARTS["drums"] + ahead * len(CLASSES)
                columns[:, first : first + len(CLASSES)] = _bits(coming[ahead : ahead + count], len(CLASSES))
            columns[:, STARTS["drums_known"]] = 1.0
            now, then = coming[:count], _later(coming[:count], STEPS_PER_BAR, 0)
            first = STARTS["drums_unlike_bar_ago"]
            columns[:, first : first + len(CLASSES)] = _bits(now, len(CLASSES)) - _bits(then, len(CLASSES))
            columns[:, STARTS["changes"] : STARTS["changes"] + 4] = _changes(self.drums[start:], count)
        root = np.full(count, -1)
        if told.chords:
            root, tones = self._chord(start + every, shift)
            following, tones_then = self._chord(start + every + _HALF - every % _HALF, shift)
            here, then = root >= 0, following >= 0
            around = (np.arange(12)[None] + pitch[:, None]) % 12
            columns[:, STARTS["chord_known"]] = here
            columns[:, STARTS["chord"] : STARTS["chord"] + 12] = tones
            on("root", root, here)
            on("next_root", following, then)
            on("root_from_pitch", (root - pitch) % 12, here & known)
            on("next_root_from_pitch", (following - pitch) % 12, then & known)
            for field, sounding in (("chord_from_pitch", tones), ("next_chord_from_pitch", tones_then)):
                first = STARTS[field]
                columns[:, first : first + 12] = np.take_along_axis(sounding, around, axis=1) & known[:, None]
            columns[:, STARTS["chord_changes"]] = here & (root != _later(root, 1))
            then_root = _later(root, STEPS_PER_BAR)
            both = (ago["bar_ago"] >= 0) & (then_root >= 0)
            on("bar_ago_from_root", np.where(both, (ago["bar_ago"] - then_root) % 12, 12))
        if told.notes and self.notes is not None:
            columns[:, STARTS["notes_known"]] = 1.0
            around = (np.arange(12)[None] + pitch[:, None]) % 12
            for place, (field, masks) in enumerate(zip(("sounding", "begun"), self.notes, strict=True)):
                masks = masks[start:]
                bits = np.roll(_bits(masks[:count], 12), shift, axis=1)
                columns[:, STARTS[field] : STARTS[field] + 12] = bits
                first = STARTS[f"{field}_from_pitch"]
                columns[:, first : first + 12] = np.take_along_axis(bits, around, axis=1) * known[:, None]
                first = STARTS["changes"] + 4 * (place + 1)
                columns[:, first : first + 4] = _changes(masks, count)
            onsets = np.concatenate([self.notes[1][start:] > 0, np.zeros(_AHEAD, bool)])
            for ahead in range(_AHEAD):
                columns[:, STARTS["onsets"] + ahead] = onsets[ahead : ahead + count]
        places = np.stack([pitch, ago["bar_ago"], root], axis=1).astype(np.int32)
        labels = np.stack([kinds, np.where(events >= 0, events - LOWEST, 0)], axis=1).astype(np.int32)
        return Heard(columns, places, labels)

    def _chord(self, steps: np.ndarray, shift: int) -> tuple[np.ndarray, np.ndarray]:
        """Roots [T], -1 for none, and tones [T, 12] at some steps; the last chord goes on behind the end."""
        at = np.minimum(steps, len(self) - 1)
        roots = self.roots[at]
        return np.where(roots >= 0, (roots + shift) % 12, -1), np.roll(self.tones[at], shift, axis=1)


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

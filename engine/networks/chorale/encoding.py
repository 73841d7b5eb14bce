# pyright: strict
"""Four voices as one stream of notes: within each sixteenth the 1st to the 4th voice, one after the other.

A token is a pitch, silence, or the end of the piece, which stands where the first voice's note would. Pitches that go
on are said again: the data tell held notes and repeated ones not apart. What the network is told at each token is a
row of *columns*, one of each field, so the first layer is a sum of as many rows of its kernel. Fields look at the notes
just sounding, at the voice's own past, and at where in the bar and in the phrase it is: most of them relative to the
note that the voice sings, so that what was learnt in one key holds in all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

VOICES = 4
LOWEST, HIGHEST = 36, 81
"""Pitches that the network knows."""
PITCHES = HIGHEST - LOWEST + 1
SILENCE, END = PITCHES, PITCHES + 1
"""Labels after those of the pitches, which count from `LOWEST`."""
LABELS = PITCHES + 2
SILENT, START = -1, -2
"""In place of a pitch: nothing sounds; the piece has not begun."""
RANGES = ((60, 81), (52, 76), (46, 70), (36, 65))
"""What each voice sings in the training split, lowest and highest."""
USUAL = (70, 64, 58, 50)
"""What intervals of a voice count from before it has sung."""
STOP = 8
"""Sixteenths that all voices hold at a stop."""
WIDE = 24
"""Semitones up to which intervals are told apart."""
OUTCOMES = 2 * WIDE + 3
"""What became of a token, seen from the note before it: an interval, silence, or the end."""

_LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17)
"""Shortest of each class of durations, in sixteenths."""
_LENGTH_OF = np.searchsorted(np.array(_LENGTHS), np.arange(1, 65), side="right").tolist()
_PAIRS = tuple(combinations(range(VOICES), 2))
_PAST = 3
_DECAYS = (float(np.exp(-1 / 16)), float(np.exp(-1 / 96)))
_LEVELS = np.array([0.01, 0.04, 0.1])
_FROM = (np.arange(12) + np.arange(12)[:, None]) % 12
"""The pitch classes from each one on."""

FIELDS: tuple[tuple[str, int], ...] = (
    ("voice", VOICES),
    ("sixteenth of four beats", VOICES * 16),
    ("sixteenth of three beats", 12),
    ("beats since the start", 9),
    ("beats since a stop", 21),
    *((f"pitch of voice {k}", PITCHES + 2) for k in range(VOICES)),
    *((f"interval to voice {k}", 2 * WIDE + 4) for k in range(VOICES)),
    *((f"motion of voice {k}", 2 * 26) for k in range(VOICES)),
    *((f"length in voice {k}", 2 * len(_LENGTHS)) for k in range(VOICES)),
    ("own length", VOICES * len(_LENGTHS)),
    *((f"own note {k} before", 26) for k in range(_PAST)),
    *((f"own length {k} before", len(_LENGTHS) + 1) for k in range(_PAST - 1)),
    *((f"{a} under {b}", 13) for a, b in _PAIRS),
    *((f"pitch class {k} of late", 4) for k in range(12)),
    *((f"pitch class {k}", 4) for k in range(12)),
)
"""Names of the fields, and how many columns each has; one of them is on."""
_STARTS = np.concatenate([[0], np.cumsum([size for _, size in FIELDS])]).astype(np.int64)
COLUMNS = int(_STARTS[-1])
ABSOLUTE = slice(5, 5 + VOICES)
"""The fields that say pitches as they are, whose columns move with a transposition."""
_OFFSETS = _STARTS[:-1].tolist()


def label_of(pitch: int) -> int:
    """The label of a pitch, or of `SILENT`."""
    return pitch - LOWEST if pitch >= 0 else SILENCE


def pitch_of(label: int) -> int:
    """The pitch of a label, or `SILENT`.

    Raises:
        ValueError: it is the end of the piece.
    """
    if label == END:
        raise ValueError("the end is no note")
    return label + LOWEST if label < PITCHES else SILENT


def outcome_of(label: int, reference: int) -> int:
    """What a label is, seen from the note before: 0..48 intervals from -24 on, then silence, then the end."""
    if label < PITCHES:
        return min(max(label + LOWEST - reference, -WIDE), WIDE) + WIDE
    return 2 * WIDE + 1 + (label == END)


class ChoraleStream:
    """One chorale while it grows, note by note.

    Attributes:
        notes: what was pushed, pitches or `SILENT`, in the order of the stream.
        reference: for each voice, the pitch that it sang last; intervals count from there.
        now: for each voice the note that sounds: of this sixteenth where the voice has sung, else of the last one.
        before: for each voice what it sang a sixteenth before that.
    """

    def __init__(self, phase: int = 0) -> None:
        """Begin a piece.

        Args:
            phase: sixteenths of the bar before its first note, 0..47; 48 sixteenths are three bars of four beats, and
                four of three.
        """
        self.notes: list[int] = []
        self.phase = phase
        self.step, self.voice = 0, 0
        self.reference: list[int] = list(USUAL)
        self.now = [START] * VOICES
        self.before = [START] * VOICES
        self._held = [1] * VOICES
        self._past: list[list[tuple[int, int]]] = [[] for _ in range(VOICES)]
        self._since = 0
        self._heard = np.zeros((2, 12))

    def copy(self) -> ChoraleStream:
        """The same piece, to be continued in another way."""
        other = ChoraleStream(self.phase)
        other.notes, other.step, other.voice = self.notes.copy(), self.step, self.voice
        other.reference, other.now = self.reference.copy(), self.now.copy()
        other.before, other._held, other._since = self.before.copy(), self._held.copy(), self._since
        other._past, other._heard = [past.copy() for past in self._past], self._heard.copy()
        return other

    def columns(self) -> np.ndarray:
        """Columns [fields] int64 that are on for the token to come."""
        v, own, now = self.voice, self.reference[self.voice], self.now
        step = self.step + self.phase
        found = [v, 16 * v + step % 16, step % 12, min(self.step // 4, 8), min(self._since // 4, 20)]
        found += [pitch - LOWEST if pitch >= 0 else PITCHES if pitch == SILENT else PITCHES + 1 for pitch in now]
        found += [2 * WIDE + 3 if k == v else _interval(now[k], own) for k in range(VOICES)]
        found += [26 * (k < v) + _motion(self.before[k], now[k]) for k in range(VOICES)]
        lengths = [_LENGTH_OF[min(held, 64) - 1] - 1 for held in self._held]
        found += [len(_LENGTHS) * (k < v) + lengths[k] for k in range(VOICES)]
        found.append(len(_LENGTHS) * v + lengths[v])
        past = self._past[v][-_PAST:][::-1]
        found += [_motion(own, past[k][0]) if k < len(past) else 25 for k in range(_PAST)]
        found += [_LENGTH_OF[min(past[k][1], 64) - 1] - 1 if k < len(past) else len(_LENGTHS) for k in range(_PAST - 1)]
        found += [(now[a] - now[b]) % 12 if now[a] >= 0 and now[b] >= 0 else 12 for a, b in _PAIRS]
        heard = self._heard[:, _FROM[own % 12]]
        shares: np.ndarray = heard / np.maximum(heard.sum(axis=1, keepdims=True), 1e-9)
        levels: np.ndarray = np.searchsorted(_LEVELS, shares, side="right")
        return np.concatenate([np.array(found), levels[0], levels[1]]) + _STARTS[:-1]

    def push(self, pitch: int) -> None:
        """The next note: a pitch, or `SILENT`."""
        v = self.voice
        before = self.now[v]
        self.before[v], self.now[v] = before, pitch
        if pitch == before:
            self._held[v] += 1
        else:
            if before >= 0:
                self._past[v] = [*self._past[v][1 - _PAST :], (before, self._held[v])]
            self._held[v] = 1
        if pitch >= 0:
            self.reference[v] = pitch
            self._heard[:, pitch % 12] += 1
        self.notes.append(pitch)
        self.voice += 1
        if self.voice == VOICES:
            self.voice, self.step = 0, self.step + 1
            self._heard *= np.array(_DECAYS)[:, None]
            self._since = 0 if min(self._held) >= STOP else self._since + 1


def tokens(piece: Sequence[Sequence[int]] | np.ndarray) -> Iterator[int]:
    """The notes of a piece [T, 4] in the order of the stream."""
    for chord in np.asarray(piece).tolist():
        yield from chord


def _interval(pitch: int, own: int) -> int:
    if pitch < 0:
        return 2 * WIDE + 1 + (pitch == START)
    return min(max(pitch - own, -WIDE), WIDE) + WIDE


def _motion(before: int, after: int) -> int:
    if before < 0 or after < 0:
        return 25
    return min(max(after - before, -12), 12) + 12

# pyright: strict
"""Recordings of single notes: read from files, with what their names and a hand say of their pitch."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError
from engine.score.harmony.keys import parse_pitch, pitch_name
from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.samples import LONGEST, read_sample
from engine.timbres.samples.loudness import Sound
from engine.timbres.samples.notes import RawNote
from engine.timbres.samples.pitch import track_pitch

_NAMED = re.compile(r"(?<![A-Za-z0-9#])([A-Ga-g])(#|b|s|)(-?\d)(?![A-Za-z0-9#])")
"""A pitch in the name of a file: `bell_C4`, `Fs3`, `a#2`."""

_NUMBERED = re.compile(r"(?<![\d.])(\d{2,3})(?![\d.])")
"""A MIDI pitch in the name of a file: `bell-060`, where no other number of two or three digits is in it."""

_PIANO = range(21, 109)

_ROOT = re.compile(r"\s*(?P<note>\d{1,3}|[A-Ga-g][^\s\d]{0,2}-?\d)\s*(?P<cents>[+-]\s*\d+(?:\.\d+)?)?\s*(?:cents)?\s*")

_SAME = 0.6
"""Semitones, but for octaves, within which a tracker confirms what a file's name says."""

_CANCELLED = 6.0
"""Decibels: sides that lose more when they are added work against each other."""


@dataclass(frozen=True, slots=True)
class Root:
    """What a hand says of a recording's pitch.

    Attributes:
        pitch: MIDI pitch.
        cents: by which the recording is off; None to measure that.
    """

    pitch: int
    cents: float | None = None


def parse_root(text: str) -> Root:
    """Read "C4", "60" or "A7 +49 cents".

    Raises:
        ValueError: it is no pitch.
    """
    match = _ROOT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a pitch; write it like C4, 60 or A7+49 (cents)")
    note = match["note"]
    pitch = int(note) if note.isdigit() else parse_pitch(note)
    cents = float(match["cents"].replace(" ", "")) if match["cents"] else None
    if pitch > 127 or abs(cents or 0.0) > 100.0:
        raise ValueError(f"{text!r} is no pitch of MIDI (0..127), or more than 100 cents off it")
    return Root(pitch, cents)


def pitch_in_name(name: str) -> int | None:
    """The MIDI pitch that the name of a file says, or None; middle C is C4 or 60."""
    if found := _NAMED.findall(name):
        letter, sign, octave = found[-1]
        return parse_pitch(letter.upper() + sign.replace("s", "#") + octave)
    numbers = [int(one) for one in _NUMBERED.findall(name)]
    return numbers[0] if len(numbers) == 1 and numbers[0] in _PIANO else None


def read_recording(path: Path, root: Root | None = None, fold: bool = False, transposed: int = 0) -> RawNote:
    """A recording of one note.

    Args:
        path: of a sound file.
        root: its pitch, where a hand says it.
        fold: both sides become one.
        transposed: semitones by which it is played faster, so that a small bell becomes a large one.

    Raises:
        PerpetuumError: the file cannot be read, or is out of bounds (see `engine.sound.instruments.samples`).
    """
    sound, remarks = read_sound(path, fold)
    rate = round(SAMPLE_RATE * 2.0 ** (transposed / 12.0))
    if len(sound) > LONGEST * rate:
        raise PerpetuumError(
            f"the sample {path}: it is too long to be transposed so far", "cut it, or transpose it less"
        )
    certain = root is not None
    pitch, cents = (root.pitch, root.cents) if root is not None else (None, None)
    if root is None and (named := pitch_in_name(path.stem)) is not None:
        pitch = _confirmed(named, sound, remarks)
    if pitch is not None and not 0 <= (pitch := pitch + transposed) <= 127:
        raise PerpetuumError(f"the sample {path}: transposed by {transposed} semitones it has no pitch of MIDI")
    return RawNote(sound, rate, pitch, cents, certain, path.name, tuple(remarks))


def read_sound(path: Path, fold: bool = False) -> tuple[Sound, list[str]]:
    """(array [frames, 1 or 2] at 48 kHz, what there is to say of it); one side where both are equal.

    Raises:
        PerpetuumError: see `read_recording`.
    """
    sound = read_sample(path)
    if np.array_equal(sound[:, 0], sound[:, 1]):
        return sound[:, :1], []
    if not fold:
        return sound, []
    middle = sound.mean(axis=1, keepdims=True)
    ours, theirs = float(np.square(middle).mean()), float(np.square(sound).mean())
    if ours * 10.0 ** (_CANCELLED / 10.0) < theirs:
        louder = int(np.square(sound).mean(axis=0).argmax())
        return sound[:, louder : louder + 1], ["its sides cancel each other, so one of them is taken"]
    return middle, []


def _confirmed(named: int, sound: Sound, remarks: list[str]) -> int | None:
    """The pitch to believe of what a file's name says and what is heard; None for the one that is heard."""
    heard = track_pitch(sound.mean(axis=1), SAMPLE_RATE, named)
    if heard is None or not heard.clear:
        return named
    away = heard.pitch - named
    octaves = round(away / 12.0)
    if math.fabs(away - 12.0 * octaves) > _SAME:
        remarks.append(f"its name says {pitch_name(named)}, which is not what is heard")
        return None
    if octaves:
        remarks.append(f"its name says {pitch_name(named)}, and it is heard {abs(octaves)} octave(s) away")
        return named + 12 * octaves
    return named

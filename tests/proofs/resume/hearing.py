# pyright: strict
"""What is heard of such music: where a note begins, and its pitch, found by level and spectrum. Knows no journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.proofs.resume.music import LOWEST, PITCHES

RATE = 48_000

HOP = RATE // 200
"""Frames between two looks at the level: 5 ms."""

RISE = 8.0
"""dB by which the level rises within four looks where something begins; a note fades by 14 dB before the next."""

FLOOR = -55.0
"""dBFS under which nothing begins."""

APART = RATE // 10
"""Frames between two beginnings, at least."""

WINDOW = RATE // 5
"""Frames of the spectrum in which its pitch is found."""

SHORTEST = RATE // 20
"""Frames that must be there of a note that is cut off: less is no pitch."""

SOUNDS = 10 ** (FLOOR / 20)


@dataclass(frozen=True, slots=True)
class Onset:
    """A beginning of a note.

    Attributes:
        frame: of the capture.
        pitch: MIDI, not rounded; None where it was cut off at once.
    """

    frame: int
    pitch: float | None


def onsets(sound: NDArray[np.float32]) -> list[Onset]:
    """What begins in a sound.

    Args:
        sound: frames [n, channels].
    """
    mono = sound.mean(axis=1)
    looks = mono[: len(mono) // HOP * HOP].reshape(-1, HOP)
    level = 10 * np.log10((looks.astype(np.float64) ** 2).mean(axis=1) + 1e-12)
    found: list[Onset] = []
    last = -APART
    for place in range(2, len(level) - 2):
        frame = place * HOP
        if level[place + 2] - level[place - 2] > RISE and level[place + 2] > FLOOR and frame - last >= APART:
            last = frame
            found.append(Onset(frame, _pitch(mono[frame + 2 * HOP : frame + 2 * HOP + WINDOW])))
    return found


def first_sound(sound: NDArray[np.float32]) -> int | None:
    """The first frame at which something sounds; None: nothing does."""
    found = np.flatnonzero(np.abs(sound).max(axis=1, initial=0.0) > SOUNDS)
    return int(found[0]) if len(found) else None


def _pitch(piece: NDArray[np.float32]) -> float | None:
    """The strongest line of a spectrum, in semitones."""
    ends = np.flatnonzero(np.abs(piece) > 1e-6)
    length = int(ends[-1]) + 1 if len(ends) else 0  # silence behind a cut widens no line
    if length < SHORTEST:
        return None
    size = 1 << 17
    spectrum = np.abs(np.fft.rfft(piece[:length] * np.hanning(length), size))
    low, high = (round(440 * 2 ** ((pitch - 69) / 12) * size / RATE) for pitch in (LOWEST - 12, LOWEST + PITCHES + 36))
    line = int(spectrum[low:high].argmax()) + low
    return 69 + 12 * float(np.log2(line * RATE / size / 440))


@dataclass(frozen=True, slots=True)
class Told:
    """A note that somebody says has sounded.

    Attributes:
        frame: at which.
        pitch: MIDI.
    """

    frame: int
    pitch: int


@dataclass(frozen=True, slots=True)
class Matched:
    """Onsets beside notes.

    Attributes:
        delay: frames from a note's frame to its onset in the capture, the median.
        pairs: onsets with their notes.
        unknown: onsets that are no note.
        missing: notes between the first and the last onset that nobody heard.
    """

    delay: int
    pairs: tuple[tuple[Onset, Told], ...]
    unknown: tuple[Onset, ...]
    missing: tuple[Told, ...]


NEAR = RATE // 10
"""Frames (100 ms) by which an onset may lie beside its note, once the delay is known: an audio server on a busy machine
hurries its first note by 45 ms."""


def match(heard: Sequence[Onset], told: Sequence[Told], delay: int, within: int) -> Matched:
    """Find for each onset the note that it is.

    Args:
        heard: with pitch or without, in order.
        told: notes.
        delay: about which time a note takes to the capture, in frames.
        within: frames by which that may be wrong. One delay must do for all.
    """
    clear = [one for one in heard if one.pitch is not None]
    candidates = [
        one.frame - note.frame
        for one in clear[:4]
        for note in told
        if _same(one, note) and abs(one.frame - note.frame - delay) <= within
    ]
    best = max(candidates, key=lambda at: sum(_find(one, told, at) is not None for one in clear), default=delay)
    pairs = [(one, note) for one in clear for note in [_find(one, told, best)] if note is not None]
    known = {id(one) for one, _ in pairs}
    frames = [note.frame for _, note in pairs]
    missing = (
        [note for note in told if frames[0] < note.frame < frames[-1] and note.frame not in frames] if frames else []
    )
    delays = [one.frame - note.frame for one, note in pairs]
    return Matched(
        round(float(np.median(delays))) if delays else best,
        tuple(pairs),
        tuple(one for one in clear if id(one) not in known),
        tuple(missing),
    )


def _find(one: Onset, told: Sequence[Told], delay: int) -> Told | None:
    near = [note for note in told if abs(note.frame + delay - one.frame) <= NEAR]
    return next((note for note in near if _same(one, note)), None)


def _same(one: Onset, note: Told) -> bool:
    return one.pitch is not None and abs(one.pitch - note.pitch) < 0.4

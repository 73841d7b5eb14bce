# pyright: strict
"""Notes on their way into an instrument: what is broken is left out, what is out of tune is tuned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import PerpetuumError
from engine.score.harmony.keys import pitch_name
from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.samples import FAINTEST, resampled
from engine.timbres.samples.loops import Looped, find_loop
from engine.timbres.samples.loudness import Sound, loudness
from engine.timbres.samples.pitch import HeardPitch, track_pitch
from engine.timbres.samples.trimming import trimmed

IN_TUNE = 20.0
"""Cents within which a note has the pitch that it is said to have; beyond it is tuned."""

_TUNABLE = 100.0
"""Cents up to which a note is tuned; beyond it is another note."""

_SHORTEST = 0.02
"""Seconds of the shortest note."""

_LOOPED = 20.0
"""Seconds of a recording in which a loop is sought."""

_MOST_OF_A_PITCH = 32

_FLAT = 3
_CLIPPED = 0.002
"""A sound is clipped that has this share of its frames in runs of so many that all stand at its peak."""

_NEAR, _CROWDED = 0.03, 6
"""Within 3 % of the peak there are so many times as many frames as in the next 3 %; of a sine 2.4 times as many."""

_OVERTONES = (12.0, 19.02, 24.0, 27.86, 31.02, 36.0)
"""Semitones of the second to the eighth partial: what a tracker may take for the pitch, or that for what lies above."""


@dataclass(frozen=True, slots=True)
class RawNote:
    """A note as it came.

    Attributes:
        sound: array [frames] or [frames, 1 or 2]; anything may be in it.
        rate: in Hz.
        pitch: MIDI pitch that it is said to have; None to take the one that is heard.
        cents: by which it is known to be off; None to measure that.
        certain: a hand has said the pitch, and the tracker is not believed where it hears another note.
        name: what messages call it; empty for the name of its pitch.
        remarks: what there is to say of it already.
    """

    sound: np.ndarray
    rate: int
    pitch: int | None = None
    cents: float | None = None
    certain: bool = False
    name: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Zone:
    """A note as an instrument plays it.

    Attributes:
        pitch: MIDI pitch.
        cents: by which it is off, -100..100; the sampler puts it right.
        sound: array [frames, 1 or 2] at 48 kHz, trimmed.
        loop: first frame and frame after the last one of its loop, or None.
        low: lowest velocity that plays it.
        high: highest velocity that plays it.
    """

    pitch: int
    cents: float
    sound: Sound
    loop: tuple[int, int] | None
    low: int = 1
    high: int = 127


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a note.

    Attributes:
        name: of the note.
        zone: None where it was left out.
        heard: what the tracker heard; None where it heard no pitch.
        loudness: LUFS of its loudest half second as it came; None where it was not measured.
        remarks: what there is to say of it, in short phrases; empty where all is well.
        doubtful: it is better left out where others can stand in.
    """

    name: str
    zone: Zone | None
    heard: HeardPitch | None = None
    loudness: float | None = None
    remarks: tuple[str, ...] = ()
    doubtful: bool = False


def judge(notes: Iterable[RawNote], longest: float = 12.0, loops: bool = True) -> list[Judgement]:
    """What becomes of each note, in their order.

    Clipped notes, and those whose pitch is another one than they are said to have, are left out as long as one good
    note is left.

    Args:
        notes: of one instrument.
        longest: seconds of a note that does not loop; it fades out over the last quarter.
        loops: whether sounds that sustain are looped.
    """
    found = [_judged(note, longest, loops) for note in notes]
    if any(one.zone is not None and not one.doubtful for one in found):
        found = [replace(one, zone=None) if one.doubtful else one for one in found]
    return _layered(found)


def _layered(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Notes of one pitch share the velocities, the softest takes the lowest ones."""
    made = list(judgements)
    places: dict[int, list[int]] = {}
    for place, one in enumerate(made):
        if one.zone is not None:
            places.setdefault(one.zone.pitch, []).append(place)
    for pitch, shared in places.items():
        shared.sort(key=lambda place: made[place].loudness or 0.0)
        if (count := len(shared)) > _MOST_OF_A_PITCH:
            raise PerpetuumError(
                f"there are {count} notes of {pitch_name(pitch)}",
                f"{_MOST_OF_A_PITCH} of a pitch at most share the velocities",
            )
        for number, place in enumerate(shared if count > 1 else ()):
            one = made[place]
            assert one.zone is not None
            low, high = 1 + 127 * number // count, 127 * (number + 1) // count
            remark = f"{number + 1}. of {count} of its pitch: velocities {low}..{high}"
            made[place] = replace(one, zone=replace(one.zone, low=low, high=high), remarks=(*one.remarks, remark))
    return made


def _judged(note: RawNote, longest: float, loops: bool) -> Judgement:
    name = note.name or (pitch_name(note.pitch) if note.pitch is not None else "a note")
    if reason := _broken(note):
        return Judgement(name, None, remarks=(reason,))
    remarks = list(note.remarks)
    sound = _prepared(note)
    kept = trimmed(sound, longest)
    if len(kept) < _SHORTEST * SAMPLE_RATE:
        return Judgement(name, None, remarks=(*remarks, "it is too short"))
    if clipped := _is_clipped(note.sound):
        remarks.append("clipped")
    heard = track_pitch(kept.mean(axis=1), SAMPLE_RATE, note.pitch)
    if note.pitch is not None and note.cents is not None:
        pitch, cents, wrong = note.pitch, note.cents, False
    else:
        pitch, cents, wrong = _tuning(note.pitch, heard, remarks)
    if pitch is None:
        return Judgement(name, None, heard, loudness(kept), tuple(remarks))
    whole = trimmed(sound, max(longest, len(sound) / SAMPLE_RATE))
    looped: Looped | None = find_loop(whole[: int(_LOOPED * SAMPLE_RATE)]) if loops else None
    loop = (looped.start, looped.end) if looped else None
    zone = Zone(pitch, cents, looped.sound if looped else kept, loop)
    return Judgement(
        name, zone, heard, loudness(kept), tuple(remarks), doubtful=(clipped or wrong) and not note.certain
    )


def _broken(note: RawNote) -> str:
    """Why a note cannot be played at all; empty if it can."""
    if not note.sound.size:
        return "there is no sound in it"
    if not np.isfinite(note.sound).all():
        return "it has samples that are not numbers"
    if float(np.ptp(note.sound)) <= 2 * FAINTEST:
        return "it is silent"
    return ""


def _prepared(note: RawNote) -> Sound:
    """At 48 kHz, [frames, 1 or 2], without offset."""
    sound = np.asarray(note.sound, np.float32)
    sound = sound[:, None] if sound.ndim == 1 else sound[:, :2]
    sound = sound - sound.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.asarray(resampled(sound, note.rate), np.float32)


def _is_clipped(sound: np.ndarray) -> bool:
    """Whether much of a sound stands at its peak, and little comes near to it; a few bits alone do not look so."""
    for side in sound.reshape(len(sound), -1).T:
        size = np.abs(side) / float(np.abs(side).max())
        runs = np.convolve(size >= 1.0 - 1e-4, np.ones(_FLAT), mode="valid") >= _FLAT - 0.5
        at_peak = int((size >= 1.0 - _NEAR).sum())
        near = int((size >= 1.0 - 2 * _NEAR).sum()) - at_peak
        if float(runs.mean()) > _CLIPPED and at_peak > _CROWDED * near:
            return True
    return False


def _tuning(said: int | None, heard: HeardPitch | None, remarks: list[str]) -> tuple[int | None, float, bool]:
    """(MIDI pitch, cents that it is off, whether it is another note than it is said to be)."""
    if heard is None or not heard.clear:
        if said is None:
            remarks.append("no pitch is heard in it")
            return None, 0.0, False
        remarks.append("no clear pitch is heard in it, so it is not tuned")
        return said, 0.0, False
    if said is None:
        pitch = min(127, max(0, round(heard.pitch)))
        return pitch, 100.0 * (heard.pitch - pitch), False
    cents = 100.0 * (heard.pitch - said)
    if abs(cents) <= _TUNABLE:
        if abs(cents) > IN_TUNE:
            remarks.append(f"{cents:+.0f} cents off, tuned")
        return said, cents, False
    away = heard.pitch - said
    partial = next((step for step in _OVERTONES if abs(abs(away) - step) <= 0.5), None)
    sounds = f"it sounds as {_written(heard.pitch)}"
    if partial is not None and partial % 12.0 == 0.0:
        # An octave is a matter of timbre as much as of pitch; its fine tuning is not.
        rest = 100.0 * (abs(away) - partial) * (1 if away > 0 else -1)
        remarks.append(
            f"{sounds}, {round(partial / 12)} octave(s) {'above' if away > 0 else 'below'} {pitch_name(said)}"
        )
        return said, rest, False
    remarks.append(f"{sounds}, not {pitch_name(said)}")
    return said, 0.0, True


def _written(pitch: float) -> str:
    nearest = min(127, max(0, round(pitch)))
    return f"{pitch_name(nearest)} {100.0 * (pitch - nearest):+.0f} cents"

"""How phrases end: on a tone that rests, before a rest, and home where a section ends."""

from __future__ import annotations

import numpy as np

from engine.generators import harmony
from engine.generators.contract import Cadence, Request
from engine.generators.pulse import pulse_lengths, pulses, strong_pulses
from engine.score.harmony.keys import Key
from engine.score.phrase import ChordSpan
from engine.score.time import STEPS_PER_BEAT
from engine.units import PitchRange

_TOGETHER = 1e-3
"""Beats within which notes begin at once."""


def close(
    notes: np.ndarray,
    request: Request,
    spans: tuple[ChordSpan, ...],
    span: PitchRange,
    breath: float = 0.0,
    arrive: bool = True,
) -> np.ndarray:
    """A melody with its ending put right.

    The last note becomes a tone of the chord that sounds then; where a period comes home, one of the tonic chord if
    that is possible. Where a section ends it is begun no later than the last bar's middle, and followed by a felt beat
    of rest at least.

    Args:
        notes: of a melody, one after another; of some that begin at once (a theme may be doubled) the highest stays.
        request: where it stands.
        spans: chords under it.
        span: range that the last note may be moved in.
        breath: share of the phrase that is kept silent at its end in any case, up to a bar of it.
        arrive: where a section ends and its last bar has no note, one is added on its first beat.
    """
    if not len(notes):
        return notes
    notes = notes[np.lexsort((notes["pitch"], notes["start"]))]
    notes = notes[np.append(np.diff(notes["start"]) > _TOGETHER, True)].copy()
    meter, beats = request.meter, request.beats
    bar = meter.beats_per_bar
    beat = pulse_lengths(meter)[-1] / STEPS_PER_BEAT
    silence = min(breath * beats, bar)
    if request.ends_section:
        strong = strong_pulses(meter)
        middle = strong[-1] if len(strong) > 1 else pulses(meter)[len(pulses(meter)) // 2]
        latest = beats - bar + middle / STEPS_PER_BEAT
        silence = max(silence, min(beat, bar / 2))
    else:
        latest = beats - silence - 0.25
        # A short note at the very end would be an upbeat, which leaves the phrase open.
        late = (notes["start"] > beats - beat + 1e-9) & (notes["end"] - notes["start"] < beat / 2 - 1e-9)
        latest = min(latest, float(notes["start"][late].min()) - 0.01) if late.any() else latest
    kept = notes[notes["start"] <= latest + 1e-9]
    notes = kept if len(kept) else notes[:1]
    if request.ends_section and arrive and notes["start"][-1] < beats - bar - 1e-9:
        arrival = notes[-1:].copy()
        arrival["start"], arrival["end"] = beats - bar, beats - bar + beat
        notes = np.concatenate([notes, arrival])
    limit = max(beats - silence, float(notes["start"][-1]) + 0.25)
    last = notes[-1:]
    last["end"] = min(
        limit, max(float(last["end"][0]), float(last["start"][0]) + (beat if request.ends_section else 0))
    )
    notes["end"] = np.minimum(notes["end"], np.append(notes["start"][1:], limit))
    tones = harmony.tones_of(harmony.span_at(spans, float(last["start"][0])), request.key)
    if request.ends_section or request.closes in (Cadence.AUTHENTIC, Cadence.PLAGAL):
        home = [tone for tone in harmony.home(request.key).pitch_classes if tone in tones]
        # The tonic itself closes best, if the chord has it.
        tones = (request.key.tonic,) if request.key.tonic in home else tuple(home) or tones
    notes["pitch"][-1] = nearest_tone(int(notes["pitch"][-1]), tones, span)
    return notes


def close_voices(notes: np.ndarray, request: Request, spans: tuple[ChordSpan, ...], span: PitchRange) -> np.ndarray:
    """Several voices with their ending put right, where a section ends: they come home together, and it rings.

    What begins after the last bar's middle is left out. What sounds then sounds to the end, on tones of the tonic chord
    if the chord has any of them, the lowest on the tonic itself. Music that is silent by then stays as it is.

    Args:
        notes: with any timing.
        request: where they stand.
        spans: chords under them.
        span: range that notes may be moved in.
    """
    if not request.ends_section or not len(notes):
        return notes
    middle = request.beats - request.meter.beats_per_bar + strong_pulses(request.meter)[-1] / STEPS_PER_BEAT
    notes = notes[notes["start"] <= middle + _TOGETHER * 50].copy()
    last = np.flatnonzero(notes["end"] > middle + 1e-9)
    if not len(last):
        return notes
    chord = harmony.tones_of(harmony.span_at(spans, middle), request.key)
    home = harmony.home(request.key).pitch_classes
    tones = tuple(tone for tone in home if tone in chord) or chord
    root = (request.key.tonic,) if request.key.tonic in tones else tones[:1]
    last = last[np.argsort(notes["pitch"][last], kind="stable")]
    kept, sounding = np.ones(len(notes), bool), list[int]()
    for place in last.tolist():
        pitch = nearest_tone(int(notes["pitch"][place]), tones if sounding else root, span)
        notes["pitch"][place], notes["end"][place] = pitch, request.beats
        # Voices that meet in one pitch, or would lie under the lowest, are one.
        kept[place] = not sounding or (pitch > sounding[0] and pitch not in sounding)
        sounding += [pitch] if kept[place] else []
    return notes[kept]


def nearest_tone(pitch: int, tones: tuple[int, ...], span: PitchRange) -> int:
    """The pitch of some pitch classes nearest to a pitch, within a range (of an octave at least)."""
    options = [option for option in range(span.low, span.high + 1) if option % 12 in tones]
    return min(options, key=lambda option: (abs(option - pitch), option)) if options else pitch


def into_key(pitches: np.ndarray, key: Key, span: PitchRange) -> np.ndarray:
    """Pitches [n] moved to the nearest tones of a key within a range; further ones first by octaves."""
    scale = np.array([pitch for pitch in range(span.low, span.high + 1) if pitch in key])
    folded = fold(pitches, span)
    return scale[np.argmin(np.abs(folded[:, None] - scale[None]), axis=1)] if len(pitches) else folded


def fold(pitches: np.ndarray, span: PitchRange) -> np.ndarray:
    """Pitches [n] moved by octaves into a range of an octave at least.

    The whole line moves together where most of it lies outside; a few notes that stick out fold in singly, so that a
    line does not leap an octave from one phrase to the next for the sake of one low note.
    """
    pitches = np.asarray(pitches, int)
    if not len(pitches):
        return pitches
    shifts = np.arange(-10, 11) * 12
    moved = pitches[None] + shifts[:, None]
    outside = ((moved < span.low) | (moved > span.high)).mean(axis=1)
    far = np.abs(shifts) / 12
    moved = moved[int(np.argmin(outside + 0.3 * np.minimum(far, 1) + 0.01 * far))]
    moved = np.where(moved < span.low, moved + 12 * np.ceil((span.low - moved) / 12).astype(int), moved)
    return np.where(moved > span.high, moved - 12 * np.ceil((moved - span.high) / 12).astype(int), moved)

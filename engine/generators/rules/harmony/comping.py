"""Comping: chords in rhythms, as a pianist or guitarist plays them under a tune."""

from __future__ import annotations

import numpy as np

from engine.generators.chance import stream, theme_stream
from engine.generators.contract import Request
from engine.generators.expression import arc, clip_velocity
from engine.generators.pulse import accent_at, pulse_lengths, pulses
from engine.score.phrase import ChordSpan
from engine.score.time import STEPS_PER_BEAT, Meter

_LONGEST_SHORT = 0.5
"""Beats of a chord that is struck short."""
_PATTERNS = 3
"""Rhythms of a section, of which each of its phrases takes two."""

Note = tuple[float, float, int, int]


def comped(spans: tuple[ChordSpan, ...], voicings: list[np.ndarray], request: Request) -> list[Note]:
    """Chords in the rhythms of a section: two in turn over a phrase, each varied a little; held where a period closes.

    Args:
        spans: chords of the phrase.
        voicings: pitches of each.
        request: where they stand.
    """
    meter, bar = request.meter, request.meter.beats_per_bar
    rng = stream(request.seed, "comping")
    own = [_rhythm(meter, theme_stream(request, "comping", place)) for place in range(_PATTERNS)]
    first, second = rng.permutation(_PATTERNS)[:2]
    closing = {end - 1 for end, _ in request.cadences}
    notes: list[Note] = []
    for number in range(request.bars):
        steps = own[first if number % 2 == 0 else second]
        steps = np.array([0]) if number in closing else _varied(steps, meter, rng) if number % 4 > 1 else steps
        changes = [span.start - number * bar for span in spans if number * bar <= span.start < (number + 1) * bar]
        onsets = _with_changes(steps / STEPS_PER_BEAT, changes)
        short = rng.random(len(onsets)) < 0.4
        for place, onset in enumerate(onsets):
            until = float(onsets[place + 1]) if place + 1 < len(onsets) else bar
            start = number * bar + float(onset)
            length = (
                min(until - float(onset), _LONGEST_SHORT) if short[place] and number not in closing else until - onset
            )
            notes += _struck(start, float(length), spans, voicings, request, rng)
    return notes


def _rhythm(meter: Meter, rng: np.random.Generator) -> np.ndarray:
    """Steps of a bar on which chords are struck: two to four of them, on and between the felt beats."""
    beats, lengths = pulses(meter), pulse_lengths(meter)
    options = sorted({*beats, *(beat + length // 2 for beat, length in zip(beats, lengths, strict=True) if length > 1)})
    # The beat before which a chord comes early, and the weight of being on or between beats, make the character.
    between = rng.uniform(0.4, 1.6)
    weights = np.array([1.0 if step in beats else between for step in options])
    weights[0] *= 2.5
    count = int(min(len(options), rng.integers(2, 5)))
    chosen = rng.choice(options, size=count, replace=False, p=weights / weights.sum())
    return np.sort(chosen)


def _varied(steps: np.ndarray, meter: Meter, rng: np.random.Generator) -> np.ndarray:
    """The rhythm with one stroke that comes an eighth early or late, is left out, or is added."""
    steps = steps.copy()
    kind = int(rng.integers(3))
    place = int(rng.integers(len(steps)))
    if kind == 0 and len(steps) > 2:
        steps = np.delete(steps, place)
    elif kind == 1:
        steps = np.unique([*steps, int(rng.integers(meter.steps_per_bar // 2)) * 2])
    else:
        steps[place] += 2 if rng.random() < 0.5 else -2
    return np.unique(steps[(steps >= 0) & (steps < meter.steps_per_bar)])


def _with_changes(onsets: np.ndarray, changes: list[float]) -> np.ndarray:
    """The onsets, and one for each change of chord that none of them follows within a beat."""
    missing = [change for change in changes if not np.any((onsets >= change - 1e-9) & (onsets <= change + 1.0))]
    return np.unique([*onsets.tolist(), *missing])


def _struck(
    start: float,
    length: float,
    spans: tuple[ChordSpan, ...],
    voicings: list[np.ndarray],
    request: Request,
    rng: np.random.Generator,
) -> list[Note]:
    """The chord that holds at a beat, struck; it ends where the chord does."""
    place = max(place for place, span in enumerate(spans) if span.start <= start + 1e-9)
    end = max(start + 0.2, min(start + length * 0.95, spans[place].end))
    weight = float(accent_at(request.meter, np.array([start]))[0])
    loud = 58 + 12 * weight + 8 * float(arc(np.array([start]), request.beats)[0]) + rng.normal(0, 2.0)
    pitches = voicings[place]
    outer = [3.0 if rank in (0, len(pitches) - 1) else 0.0 for rank in range(len(pitches))]
    return [(start, end, int(pitch), clip_velocity(loud + more)) for pitch, more in zip(pitches, outer, strict=True)]

"""Arpeggios: a cycle of chord tones on a steady pulse, which drifts against the bar and changes note by note."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from engine.generators import endings, harmony
from engine.generators.chance import stream, theme_stream
from engine.generators.contract import GeneratorKind, Link, Request, Role, Settings
from engine.generators.expression import arc, clip_velocities
from engine.generators.pulse import accent_at, euclid, onset_steps, pulse_lengths, rhythm_of, strong_pulses
from engine.generators.rules.harmony.chord_walk import ChordWalkSettings, walk
from engine.score.phrase import NOTE, ChordSpan, Origin, Phrase, Provenance
from engine.score.time import STEPS_PER_BEAT
from engine.units import Percent, Pitches, PitchRange, Steps


class ArpeggioSettings(Settings):
    """Chords broken into a steady pulse that changes slowly."""

    pattern: Literal["up", "down", "updown", "walk", "euclid"] = Field(
        default="updown",
        description="order of the notes; walk: a random walk over them; euclid: hits spread evenly, with rests",
    )
    rate: Steps = Field(default=2, le=16, description="sixteenth steps from note to note")
    range: Pitches = Field(default=PitchRange(60, 84), description="lowest and highest pitch")
    notes: int = Field(default=5, ge=2, le=12, description="notes of a cycle; odd numbers drift against the bar")
    gate: Percent = Field(default=0.7, description="how much of its step a note sounds")
    density: Percent = Field(default=0.85, description="how many steps of the pulse sound; strong beats always do")
    evolve: Percent = Field(default=0.3, description="how much a phrase changes the cycle of the one before")


class Arpeggio:
    """Broken chords for `Role.MELODY` and `Role.CHORDS`; follows `Link.CHORDS` and `Link.RHYTHM`.

    A primer gives its rhythm.

    Without chords to follow it walks through the key's itself.
    """

    def __init__(self, settings: ArpeggioSettings) -> None:
        self.settings = settings

    def generate(self, request: Request[ArpeggioSettings]) -> Phrase:
        """The next bars of the pattern; it goes on where the phrase before it left off."""
        settings = request.settings
        spans = _chords(request)
        steps, numbers, sounding = _pulse(request, settings)
        cycle = _cycle(request, settings)
        steps, numbers = steps[sounding], numbers[sounding]
        starts = steps / STEPS_PER_BEAT
        notes = np.zeros(len(steps), NOTE)
        notes["start"] = starts
        gaps = np.minimum(
            np.diff(np.append(starts, starts[-1:] + settings.rate / STEPS_PER_BEAT)),
            2 * settings.rate / STEPS_PER_BEAT,
        )
        notes["end"] = starts + np.maximum(0.1, gaps * settings.gate)
        for place, (start, number) in enumerate(zip(starts, numbers, strict=True)):
            ladder = _ladder(spans, float(start), request, settings)
            notes["pitch"][place] = ladder[_fold(int(cycle[number % len(cycle)]), len(ladder))]
        notes = _ended(notes, request, spans, settings)
        rng = stream(request.seed, "arpeggio")
        weight = accent_at(request.meter, notes["start"])
        peak = (notes["pitch"] - settings.range.low) / max(1, settings.range.high - settings.range.low)
        # A slow swell over eight bars keeps an even pulse alive.
        bar = request.place.first_bar + notes["start"] / request.meter.beats_per_bar
        swell = np.sin(2 * np.pi * bar / 8)
        values = 62 + 15 * weight + 7 * peak + 5 * swell + 4 * arc(notes["start"], request.beats)
        notes["velocity"] = clip_velocities(values + rng.normal(0, 2.5, len(notes)))
        return Phrase.of(notes, request.beats, Provenance("arpeggio", Origin.RULES, request.seed), spans)


def _chords(request: Request) -> tuple[ChordSpan, ...]:
    if Link.CHORDS in request.sources:
        return harmony.chords_under(request)
    return walk(request, ChordWalkSettings().model_copy(update={"chord_length": 2 if request.bars > 1 else 1}))


def _pulse(request: Request, settings: ArpeggioSettings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps of the pulse in the phrase [n], how many pulses came before each since the section began, which sound."""
    meter = request.meter
    total = round(request.beats * STEPS_PER_BEAT)
    before = request.place.bar * meter.steps_per_bar
    rhythm = rhythm_of(request)
    if rhythm is not None and len(rhythm.notes):
        steps = onset_steps(rhythm, total)
        return steps, np.arange(len(steps)) + before // settings.rate, np.ones(len(steps), bool)
    # The pulse runs through bar lines and phrases: a rate of 3 steps in 4/4 drifts as it should.
    first = (-before) % settings.rate
    steps = np.arange(first, total, settings.rate)
    numbers = (before + steps) // settings.rate
    own = theme_stream(request, "pulse")
    if settings.pattern == "euclid":
        size = max(2, meter.steps_per_bar // settings.rate)
        mask = euclid(max(1, round(size * settings.density)), size, int(own.integers(size)))
    else:
        size = max(1, 2 * meter.steps_per_bar // settings.rate)
        chance = own.random(size)
        in_bar = np.arange(size) * settings.rate % meter.steps_per_bar
        # First beats are kept: without them the ear loses the bar.
        mask = (chance < settings.density) | np.isin(in_bar, strong_pulses(meter))
    return steps, numbers, mask[numbers % len(mask)]


def _cycle(request: Request, settings: ArpeggioSettings) -> np.ndarray:
    """Rungs of the ladder of chord tones in the order of the pattern; some of them moved, more as a section goes on."""
    count = settings.notes
    own = theme_stream(request, "cycle")
    if settings.pattern == "down":
        cycle = np.arange(count)[::-1].copy()
    elif settings.pattern == "updown":
        cycle = np.concatenate([np.arange(count), np.arange(count - 2, 0, -1)])
    elif settings.pattern in ("walk", "euclid"):
        cycle = np.abs(np.cumsum(own.choice([-2, -1, 1, 1, 2], size=2 * count))) % (2 * count)
        cycle = np.where(cycle >= count, 2 * count - 1 - cycle, cycle)
    else:
        cycle = np.arange(count)
    # Changes add up over the phrases of a section: each phrase knows those of the ones before it.
    for phrase in range(request.place.bar // request.bars + 1):
        change = theme_stream(request, "change", phrase) if phrase else stream(request.seed, "change")
        if change.random() < settings.evolve:
            cycle[int(change.integers(len(cycle)))] = int(change.integers(count))
    return cycle


def _ladder(spans: tuple[ChordSpan, ...], beat: float, request: Request, settings: ArpeggioSettings) -> np.ndarray:
    """Chord tones of the key in the range, ascending, from the middle of the range's lower half upwards."""
    tones = harmony.tones_of(harmony.span_at(spans, beat), request.key)
    low, high = settings.range
    rungs = np.array([pitch for pitch in range(low, high + 1) if pitch % 12 in tones])
    spare = max(0, len(rungs) - settings.notes)
    return rungs[spare // 2 :]


def _fold(place: int, size: int) -> int:
    """A rung within a ladder of `size`; what is beyond its top comes down again."""
    if size < 2:
        return 0
    place %= 2 * size - 2
    return place if place < size else 2 * size - 2 - place


def _ended(notes: np.ndarray, request: Request, spans: tuple[ChordSpan, ...], settings: ArpeggioSettings) -> np.ndarray:
    """Where a section ends the pulse stops on the last bar's strong beat, on the root, which rings."""
    if not request.ends_section or not len(notes) or request.role is Role.CHORDS:
        return notes
    bar = request.meter.beats_per_bar
    latest = request.beats - bar + strong_pulses(request.meter)[-1] / STEPS_PER_BEAT
    kept = notes[notes["start"] <= latest + 1e-9].copy()
    if not len(kept):
        return notes
    last = kept[-1:]
    tones = harmony.tones_of(harmony.span_at(spans, float(last["start"][0])), request.key)
    last["pitch"] = endings.nearest_tone(int(last["pitch"][0]), tones[:1], settings.range)
    beat = pulse_lengths(request.meter)[-1] / STEPS_PER_BEAT
    last["end"] = max(float(last["end"][0]), float(last["start"][0]) + beat)
    return kept


ARPEGGIO = GeneratorKind(
    name="arpeggio",
    summary="chords broken into a steady pulse that changes slowly",
    settings=ArpeggioSettings,
    roles=(Role.MELODY, Role.CHORDS),
    factory=Arpeggio,
    own_chords=True,
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)

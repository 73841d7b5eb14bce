"""Drum grooves by style: a skeleton on the meter's pulses, ghost notes, variation by seed, fills where phrases end."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from engine.generators.chance import stream, theme_stream
from engine.generators.contract import GeneratorKind, Link, Request, Role, Settings
from engine.generators.expression import clip_velocities
from engine.generators.pulse import accents, onset_steps, pulse_lengths, pulses, strong_pulses
from engine.score.drums import CLASS_OF_PITCH, CLASSES, PITCHES
from engine.score.phrase import NOTE, Origin, Phrase, Provenance
from engine.score.time import STEPS_PER_BEAT, Meter
from engine.units import Percent

_FILLS = 1.737
"""Power of the setting that is the chance of a fill: 30 % of the phrases at 50 %, all at 100 %."""

KICK, SNARE, HAT, OPEN, LOW_TOM, MID_TOM, HIGH_TOM, CRASH, RIDE = range(9)


class DrumRulesSettings(Settings):
    """Grooves by style, with ghost notes and fills."""

    style: Literal["straight", "half_time", "brushed", "four_on_floor", "minimal", "broken"] = Field(
        default="straight", description="the groove"
    )
    density: Percent = Field(default=0.6, description="how full the groove is; 20 % leaves its skeleton")
    ghost: Percent = Field(default=0.3, description="how many soft extra notes")
    fills: Percent = Field(
        default=0.5,
        description="how often a phrase of four bars ends in a fill, up to always; where a period closes, mostly",
    )


class DrumRules:
    """Drums for `Role.DRUMS`; the kick follows `Link.RHYTHM`, a primer or another generator's past gives the groove."""

    def __init__(self, settings: DrumRulesSettings) -> None:
        self.settings = settings

    def generate(self, request: Request[DrumRulesSettings]) -> Phrase:
        """A groove over all bars, varied every other bar, with a fill at the end when it is due."""
        settings = request.settings
        rng = stream(request.seed, "drum_rules")
        per_bar = request.meter.steps_per_bar
        taken = _groove_of(request)
        if taken is None:
            bar = skeleton(settings.style, request.meter, settings.density, theme_stream(request, "groove"))
            grid = np.tile(bar, (request.bars, 1))
        else:
            grid = np.resize(taken, (request.bars * per_bar, len(CLASSES)))
        rhythm = request.sources.get(Link.RHYTHM)
        if rhythm is not None and len(rhythm.notes):
            grid = _kick_on(grid, onset_steps(rhythm, len(grid)), request.meter)
        _vary(grid, settings, request, rng, touch_kick=rhythm is None)
        if _fill_is_due(request, settings, rng):
            _fill(grid, settings, request.meter, rng)
        if request.place.bar == 0 and request.place.pass_index > 0 and settings.density > 0.4:
            if settings.style not in ("brushed", "minimal"):
                grid[0, CRASH] = 84
            grid[0, KICK] = max(grid[0, KICK], 92)
        notes = _notes(grid, rng)
        return Phrase.of(notes, request.beats, Provenance("drum_rules", Origin.RULES, request.seed))


def skeleton(style: str, meter: Meter, density: float, rng: np.random.Generator) -> np.ndarray:
    """One bar of a groove: velocities [steps_per_bar, 9], 0 where nothing is struck."""
    grid = np.zeros((meter.steps_per_bar, len(CLASSES)))
    beats, strong, lengths = list(pulses(meter)), list(strong_pulses(meter)), pulse_lengths(meter)
    weak = [beat for beat in beats if beat not in strong] or beats[1:]
    weight = accents(meter)
    eighths = np.arange(0, meter.steps_per_bar, 2)
    off_beats = np.array([beat + length // 2 for beat, length in zip(beats, lengths, strict=True) if length >= 2], int)
    if style == "straight":
        grid[strong, KICK] = 104
        grid[weak, SNARE] = 98
        _hats(grid, meter, density, rng)
        extra = [step for step in eighths if step not in beats and rng.random() < 0.35 * density]
        grid[extra, KICK] = 82
    elif style == "half_time":
        grid[0, KICK] = 106
        middle = strong[1] if len(strong) > 1 else beats[len(beats) // 2]
        grid[middle, SNARE] = 100
        cymbal = RIDE if rng.random() < 0.4 else HAT
        grid[beats, cymbal] = 68
        inner = [step for step in eighths if step not in beats and rng.random() < density]
        grid[inner, cymbal] = 48
        tail = [step for step in eighths if step > middle and rng.random() < 0.3 * density + 0.1]
        grid[tail, KICK] = 78
    elif style == "brushed":
        grid[beats, SNARE] = 30
        grid[weak, HAT] = 52
        grid[0, KICK] = 62
        grid[beats, RIDE] = 52
        skips = [beat + length - 1 - (length % 2) for beat, length in zip(beats, lengths, strict=True) if length > 1]
        grid[[step for step in skips if rng.random() < density * 0.6], RIDE] = 40
        grid[[step for step in off_beats if rng.random() < density * 0.5], SNARE] = 24
    elif style == "four_on_floor":
        grid[beats, KICK] = 106
        grid[weak, SNARE] = 90
        grid[off_beats, OPEN] = 70
        grid[[step for step in eighths if step not in off_beats], HAT] = 52
        grid[[s for s in range(1, meter.steps_per_bar, 2) if rng.random() < 0.5 * density], HAT] = 38
    elif style == "minimal":
        grid[0, KICK] = 84
        place = int(rng.integers(len(weak))) if weak else 0
        grid[weak[place : place + 1], SNARE] = 52
        ticks = [step for step in eighths if rng.random() < 0.15 + 0.5 * density * (1 - weight[step])]
        grid[ticks, HAT] = 40
        grid[[step for step in eighths[1:] if rng.random() < 0.12 * density], KICK] = 62
    else:  # broken: kicks and snares lean on sixteenths around the backbeat
        grid[0, KICK] = 104
        grid[weak[-1:] or beats[-1:], SNARE] = 98
        if len(weak) > 1:
            early = weak[0] if rng.random() < 0.6 else max(1, weak[0] - 1)
            grid[early, SNARE] = 92
        places = [s for s in range(3, meter.steps_per_bar) if grid[s, SNARE] == 0 and weight[s] < 0.7]
        count = max(1, round(density * len(beats) * 0.8))
        chosen = rng.choice(places, size=min(count, len(places)), replace=False) if places else []
        grid[np.asarray(chosen, int), KICK] = 88
        _hats(grid, meter, density, rng)
    if density < 0.45:
        # A sparse groove keeps its first beat and drops the softest strokes.
        drop = (grid > 0) & (grid < 86) & (rng.random(grid.shape) > density / 0.45)
        drop[0, KICK] = False
        grid[drop] = 0
    return grid


def _hats(grid: np.ndarray, meter: Meter, density: float, rng: np.random.Generator) -> None:
    """One of some figures for the hat: eighths, eighths with sixteenths between, off-beats, beats, or a ride."""
    weight = accents(meter)
    eighths = np.arange(0, meter.steps_per_bar, 2)
    figure = rng.choice(["eighths", "sixteenths", "off-beats", "beats", "ride"], p=[0.38, 0.22, 0.15, 0.1, 0.15])
    if figure == "beats":
        grid[list(pulses(meter)), HAT] = 70
    elif figure == "off-beats":
        grid[[step for step in eighths if step not in pulses(meter)] or eighths, HAT] = 72
    else:
        grid[eighths, RIDE if figure == "ride" else HAT] = 52 + 26 * weight[eighths]
    if figure == "sixteenths":
        between = [step for step in range(1, meter.steps_per_bar, 2) if rng.random() < 0.25 + 0.5 * density]
        grid[between, HAT] = 40
    if rng.random() < 0.5 * density and meter.steps_per_bar >= 8:
        # One stroke of the bar always opens: a mark by which the groove is known.
        place = int(rng.choice(eighths[1:]))
        if grid[place, SNARE] == 0:
            grid[place, OPEN], grid[place, HAT] = 64, 0


def _groove_of(request: Request) -> np.ndarray | None:
    """What to go on with: the primer's groove, or what another generator (a network that failed) just played."""
    history, primer = request.history, request.sources.get(Link.PRIMER) or request.primer
    if history is not None and len(history.notes) and history.provenance.generator != "drum_rules":
        bars = min(2, int(history.length // request.meter.beats_per_bar))
        if bars:
            return grid_of(history.slice(history.length - bars * request.meter.beats_per_bar, history.length))
    if primer is not None and len(primer.notes):
        whole = max(1, round(primer.length / request.meter.beats_per_bar)) * request.meter.steps_per_bar
        grid = np.zeros((whole, len(CLASSES)))
        found = grid_of(primer)[:whole]
        grid[: len(found)] = found
        return grid
    return None


def grid_of(phrase: Phrase) -> np.ndarray:
    """A drum phrase as velocities [steps, 9]; pitches of no drum class are left out."""
    steps = max(1, round(phrase.length * STEPS_PER_BEAT))
    grid = np.zeros((steps, len(CLASSES)))
    for note in phrase.notes:
        drum = CLASS_OF_PITCH.get(int(note["pitch"]))
        step = round(float(note["start"]) * STEPS_PER_BEAT)
        if drum is not None and step < steps:
            grid[step, drum] = max(grid[step, drum], float(note["velocity"]))
    return grid


def _kick_on(grid: np.ndarray, steps: np.ndarray, meter: Meter) -> np.ndarray:
    grid = grid.copy()
    grid[:, KICK] = 0
    grid[steps, KICK] = 78 + 24 * accents(meter)[steps % meter.steps_per_bar]
    return grid


def _vary(
    grid: np.ndarray, settings: DrumRulesSettings, request: Request, rng: np.random.Generator, touch_kick: bool
) -> None:
    """Small changes, more in every second bar: ghosts, a hat that opens, a kick that is missing or added."""
    meter = request.meter
    per_bar, weight = meter.steps_per_bar, accents(meter)
    soft = settings.style in ("brushed", "minimal")
    ghost = settings.ghost * min(1.0, settings.density / 0.45)
    for bar in range(request.bars):
        rows = grid[bar * per_bar : (bar + 1) * per_bar]
        ghosts = (rng.random(per_bar) < 0.22 * ghost * (1.2 - weight)) & (rows[:, SNARE] == 0)
        rows[ghosts, SNARE] = 22 + 14 * rng.random(int(ghosts.sum()))
        answer = bar % 2 == 1
        if answer and touch_kick and rng.random() < 0.5 * settings.density:
            step = int(rng.integers(per_bar // 2, per_bar))
            if rows[step, SNARE] < 60:
                rows[step, KICK] = 0 if rows[step, KICK] else (58 if soft else 80)
        if answer and not soft and rng.random() < 0.35 * settings.density and per_bar >= 4:
            rows[per_bar - 2, HAT], rows[per_bar - 2, OPEN] = 0, 66
    # Hats breathe over four bars.
    position = request.place.bar * per_bar + np.arange(len(grid))
    sway = 1.0 + 0.08 * np.sin(2 * np.pi * position / (4 * per_bar))
    for drum in (HAT, RIDE):
        grid[:, drum] *= sway


def _fill_is_due(request: Request, settings: DrumRulesSettings, rng: np.random.Generator) -> bool:
    chance = rng.random()
    if request.closes is not None:
        return chance < min(1.0, settings.fills * 1.8)
    whole = request.bars >= 4 or (request.place.bar + request.bars) % 4 == 0
    return whole and chance < settings.fills**_FILLS


def _fill(grid: np.ndarray, settings: DrumRulesSettings, meter: Meter, rng: np.random.Generator) -> None:
    """Toms and snare over the last pulse or two, growing louder; in soft styles only a few light strokes."""
    soft = settings.style in ("brushed", "minimal")
    last = pulses(meter)[-2:] if rng.random() < 0.45 and not soft else pulses(meter)[-1:]
    begin = len(grid) - meter.steps_per_bar + last[0]
    count = len(grid) - begin
    grid[begin:, [HAT, OPEN, RIDE]] = 0
    grid[begin:, SNARE] = np.where(grid[begin:, SNARE] > 60, 0, grid[begin:, SNARE])
    grid[begin:, KICK] = np.where(np.arange(count) == 0, grid[begin:, KICK], 0)
    pace = 1 if rng.random() < 0.5 and not soft else 2
    steps = np.arange(begin, len(grid), pace)
    chosen = rng.random(len(steps)) < (0.55 if soft else 0.85)
    chosen[-1] = True
    steps = steps[chosen]
    drums = np.array([SNARE, HIGH_TOM, MID_TOM, LOW_TOM])
    course = np.clip(((steps - begin) / count * 4 + rng.normal(0, 0.35, len(steps))).astype(int), 0, 3)
    loud = (40.0 if soft else 74.0) + 22 * (steps - begin) / count
    grid[steps, drums[course]] = loud


def _notes(grid: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Struck cells as notes, a sixteenth long, with a little life in the velocities."""
    steps, drums = np.nonzero(grid > 0)
    notes = np.zeros(len(steps), NOTE)
    notes["start"] = steps / STEPS_PER_BEAT
    notes["end"] = (steps + 1) / STEPS_PER_BEAT
    notes["pitch"] = np.array(PITCHES)[drums]
    notes["velocity"] = clip_velocities(grid[steps, drums] + rng.normal(0, 2.5, len(steps)))
    return notes


DRUM_RULES = GeneratorKind(
    name="drum_rules",
    summary="grooves by style, with ghost notes and fills",
    settings=DrumRulesSettings,
    roles=(Role.DRUMS,),
    factory=DrumRules,
    takes=frozenset({Link.RHYTHM, Link.PRIMER}),
)

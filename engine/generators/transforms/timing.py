"""Transforms of time: feel, grid, lengths. Pure; chance comes from the stream that is handed in."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from engine.generators.contract import Request, Settings, Surroundings, TransformKind, TransformSettings
from engine.generators.expression import clip_velocities
from engine.generators.pulse import swung_pairs
from engine.generators.transforms.notes import SHORTEST, without_doubles
from engine.score.phrase import LAST, Phrase
from engine.units import Microtime, Percent, Seconds


class HumanizeSettings(TransformSettings):
    """Small deviations of timing and velocity, as a player has them."""

    timing: Seconds = Field(default=0.012, le=0.2, description="standard deviation of the starts")
    velocity: int = Field(default=6, ge=0, le=40, description="standard deviation of the velocities")


class SwingSettings(TransformSettings):
    """Off-beats come late, as in swung eighths or sixteenths; the beats that are felt never move."""

    amount: Percent = Field(default=0.3, description="0 % is straight, 100 % is a triplet")
    grid: Literal["eighths", "sixteenths"] = Field(
        default="eighths",
        description="which off-beats are late. In beats of three eighths, as in 6/8, eighths have no off-beat: only "
        "`sixteenths` swing there",
    )


class MicrotimingSettings(TransformSettings):
    """Notes come a little late or early, always by the same: a snare that is laid back, a bass that pushes."""

    offset: Microtime = Field(
        default=0.008, description="how much later than written, earlier where it is negative; `only` says which drums"
    )


class QuantizeSettings(TransformSettings):
    """Starts move towards the grid."""

    strength: Percent = Field(default=1.0, description="how far they move")
    grid: Literal["sixteenths", "eighths", "quarters"] = Field(default="sixteenths", description="the grid")


class LegatoSettings(TransformSettings):
    """Notes sound on until the next one begins."""

    amount: Percent = Field(default=1.0, description="how much of the gap to the next onset is filled")


class StaccatoSettings(TransformSettings):
    """Notes are cut short."""

    length: Percent = Field(default=0.4, description="share of its length that a note keeps")


def humanize(phrase: Phrase, settings: HumanizeSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Starts and velocities vary by a normal distribution, cut at two deviations; a chord moves as one hand does."""
    notes = phrase.notes.copy()
    if not len(notes):
        return phrase
    deviation = settings.timing * request.qpm / 60.0
    hands = np.unique(notes["start"], return_inverse=True)[1]
    together = np.clip(rng.normal(0, 1, int(hands.max()) + 1), -2, 2)[hands]
    alone = np.clip(rng.normal(0, 1, len(notes)), -2, 2)
    shift = deviation * (0.85 * together + 0.3 * alone)
    start = np.clip(notes["start"] + shift, 0.0, phrase.length - LAST)
    notes["end"] = np.maximum(notes["end"] + shift, start + SHORTEST)
    notes["start"] = start
    swing = np.clip(rng.normal(0, 1, len(notes)), -2, 2)
    notes["velocity"] = clip_velocities(notes["velocity"] + settings.velocity * swing)
    return phrase.with_notes(notes)


def swing(phrase: Phrase, settings: SwingSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Time within each pair of eighths (or sixteenths) is bent, so the second comes late and notes between follow.

    Pairs are counted from each felt beat, so that none of these moves; a beat of three has no pairs and stays as it is.
    """
    pair = 1.0 if settings.grid == "eighths" else 0.5
    middle = 0.5 + settings.amount / 6
    bar = request.meter.beats_per_bar
    lines, swung = swung_pairs(request.meter, pair)

    def bent(beats: np.ndarray) -> np.ndarray:
        bars = np.floor(beats / bar + 1e-9)
        inside = np.clip(beats - bars * bar, 0.0, None)
        place = np.clip(np.searchsorted(lines, inside + 1e-9, side="right") - 1, 0, len(swung) - 1)
        part = np.clip((inside - lines[place]) / pair, 0.0, 1.0)
        warped = np.where(part < 0.5, part * 2 * middle, middle + (part - 0.5) * 2 * (1 - middle))
        return np.where(swung[place], bars * bar + lines[place] + warped * pair, beats)

    notes = phrase.notes.copy()
    length = notes["end"] - notes["start"]
    notes["start"] = np.clip(bent(notes["start"]), 0.0, phrase.length - LAST)
    notes["end"] = np.maximum(bent(notes["end"]), notes["start"] + np.minimum(length, SHORTEST))
    return phrase.with_notes(notes)


def microtiming(phrase: Phrase, settings: MicrotimingSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Notes move by a time, whatever the tempo; none before the phrase begins, none out of it."""
    notes = phrase.notes.copy()
    length = notes["end"] - notes["start"]
    start = notes["start"] + settings.offset * request.qpm / 60.0
    notes["start"] = np.clip(start, 0.0, max(0.0, phrase.length - LAST))
    notes["end"] = notes["start"] + length
    return phrase.with_notes(notes)


def quantize(phrase: Phrase, settings: QuantizeSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Starts move towards the nearest line of the grid (within the phrase); lengths stay."""
    grid = {"sixteenths": 0.25, "eighths": 0.5, "quarters": 1.0}[settings.grid]
    notes = phrase.notes.copy()
    lines = np.rint(notes["start"] / grid) * grid
    lines = np.where(lines >= phrase.length - 1e-9, lines - grid, lines)
    shift = (np.maximum(lines, 0.0) - notes["start"]) * settings.strength
    notes["start"] += shift
    notes["end"] += shift
    return phrase.with_notes(without_doubles(notes))


def legato(phrase: Phrase, settings: LegatoSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Notes are lengthened towards the next onset (the last ones to the end of the phrase)."""
    notes = phrase.notes.copy()
    onsets = np.append(np.unique(notes["start"]), phrase.length)
    following = onsets[np.minimum(np.searchsorted(onsets, notes["start"] + 1e-6, side="left"), len(onsets) - 1)]
    gap = np.maximum(following - notes["end"], 0.0)
    notes["end"] = notes["end"] + settings.amount * gap
    return phrase.with_notes(notes)


def staccato(phrase: Phrase, settings: StaccatoSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Notes keep a share of their length."""
    notes = phrase.notes.copy()
    length = notes["end"] - notes["start"]
    notes["end"] = notes["start"] + np.maximum(length * settings.length, np.minimum(length, SHORTEST))
    return phrase.with_notes(notes)


def _examined_swing(settings: SwingSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """Whether there is anything to swing in the meter."""
    if swung_pairs(surroundings.meter, 1.0 if settings.grid == "eighths" else 0.5)[1].any():
        return settings, []
    way = "; take `grid: sixteenths`" if settings.grid == "eighths" else ""
    return settings, [f"in {surroundings.meter} no {settings.grid} come in pairs, so that nothing swings{way}"]


HUMANIZE = TransformKind("humanize", "small deviations of timing and velocity", HumanizeSettings, "timing", humanize)
SWING = TransformKind("swing", "makes off-beats late", SwingSettings, "amount", swing, examine=_examined_swing)
MICROTIMING = TransformKind(
    "microtiming", "plays late or early, always by the same", MicrotimingSettings, "offset", microtiming
)
QUANTIZE = TransformKind("quantize", "moves starts onto the grid", QuantizeSettings, "strength", quantize)
LEGATO = TransformKind("legato", "lets notes sound on until the next", LegatoSettings, "amount", legato)
STACCATO = TransformKind("staccato", "cuts notes short", StaccatoSettings, "length", staccato)

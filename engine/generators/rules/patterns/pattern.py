"""Patterns: notes as they are written, again and again; and variations on them."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from pydantic import Field

from engine.generators import harmony
from engine.generators.chance import stream
from engine.generators.contract import GeneratorKind, Link, Request, Role, Settings, Surroundings, UnfitError
from engine.generators.expression import clip_velocities
from engine.generators.pulse import accent_at
from engine.generators.rules.patterns.processes import Process, ProcessStage, stages
from engine.generators.rules.patterns.written import Notes
from engine.score.drums import CLASS_OF_PITCH, PITCHES
from engine.score.patterns import Pattern
from engine.score.phrase import NOTE, Origin, Phrase, Provenance
from engine.score.time import STEPS_PER_BEAT
from engine.units import Bars, Beats, Percent

_CLOSE = 1e-9
_STEP = 1.0 / STEPS_PER_BEAT
_OTHER_DRUM = {2: 3, 3: 2, 8: 2, 4: 5, 5: 6, 6: 5, 7: 8, 1: 4}
"""Drum class that a varied stroke may move to: hats open and close, toms walk, a snare goes to the low tom."""


class PatternSettings(Settings):
    """Notes that are written in the scene or in a MIDI file, played as they are written or varied."""

    notes: Notes | None = Field(
        default=None,
        description="what is played, again and again: notes like `D4:1 F4:1/2`, a drum grid like `bd: x...x...`, or "
        "`{midi: FILE, track: NAME, bars: 1..8}`; must be there",
    )
    restart: Literal["section", "phrase", "bar", "never"] = Field(
        default="section",
        description="when it begins anew. section: with each section, and runs through all bars at its own length; "
        "phrase: with each phrase, too; bar: at bar lines only, with a rest to fill its last bar; never: it runs "
        "through all sections, also those in which the part rests, so that it meets the others ever otherwise",
    )
    process: Process = Field(
        default="none",
        description="what becomes of it, step by step, since it began anew. phase: it runs ahead by `step` more; "
        "build: from its first note on one more takes the place of a rest, until all are there; dissolve: the other "
        "way round; lengthen: it is its first note alone, then its first two, and so on; shorten: the other way round",
    )
    every: Bars = Field(default=4, description="bars from one step of the process to the next")
    step: Beats = Field(default=0.5, ge=0.0625, description="beats that a step of `phase` runs ahead")
    variation: Percent = Field(
        default=0.0,
        description="how many notes differ each time: 0 % is note for note, 100 % leaves only the outline. A varied "
        "note moves to a neighbour in key or chord, comes early or late, is split, or left out; a stroke likewise",
    )


class PatternPlayer:
    """Any role; takes `Link.CHORDS` for its variations alone."""

    def __init__(self, settings: PatternSettings) -> None:
        self.settings = settings

    def generate(self, request: Request[PatternSettings]) -> Phrase:
        """The bars of the pattern that fall into the phrase; what has a chance or a turn sounds when it is due."""
        settings = request.settings
        notes = _played(request)
        if settings.variation > 0:
            notes = _varied(notes, request, settings.variation)
        return Phrase.of(notes, request.beats, Provenance("pattern", Origin.RULES, request.seed))


def _played(request: Request[PatternSettings]) -> np.ndarray:
    """The notes that begin within the phrase, as they are written and as the process has them: array [n] of `NOTE`."""
    settings, bar = request.settings, request.meter.beats_per_bar
    assert settings.notes is not None  # `check` has seen it
    first_bar = {"phrase": 0, "never": request.place.first_bar}.get(settings.restart, request.place.bar)
    found = [np.zeros(0, NOTE)]
    for stage in stages(settings.notes, settings.process, settings.every, settings.step, first_bar, request.bars):
        notes = _turns(stage, bar, settings.restart == "bar", request.seed)
        notes["start"] += (stage.bars.start - first_bar) * bar
        notes["end"] += (stage.bars.start - first_bar) * bar
        found.append(notes)
    return np.concatenate(found)


def _turns(stage: ProcessStage, bar: float, fill: bool, seed: int) -> np.ndarray:
    """The notes of a stage, in beats from its first bar.

    Args:
        stage: of the pattern.
        bar: beats of a bar.
        fill: it begins at bar lines only.
        seed: of what has a chance.
    """
    pattern, beats = stage.pattern, len(stage.bars) * bar
    period = math.ceil(pattern.length / bar - _CLOSE) * bar if fill else pattern.length
    origin = (stage.bars.start - stage.origin) * bar + stage.ahead
    written = pattern.array()
    chances = np.array([condition.chance for condition in pattern.conditions])
    words = ("condition", stage.number) if stage.origin else ("condition",)
    found = [np.zeros(0, NOTE)]
    for turn in range(int(origin / period + _CLOSE), math.ceil((origin + beats) / period - _CLOSE)):
        start = written["start"] + (turn * period - origin)
        kept = (start > -_CLOSE) & (start < beats - _CLOSE)
        kept &= stream(seed, *words, turn).random(len(written)) < chances
        kept &= np.array([turn % when.turns == when.turn - 1 for when in pattern.conditions], bool)
        notes = written[kept].copy()
        # The end keeps its distance from the start, so that lengths are as they are written.
        notes["start"] = np.maximum(start[kept], 0.0)
        notes["end"] = notes["start"] + (written["end"] - written["start"])[kept]
        found.append(notes)
    return np.concatenate(found)


def _varied(notes: np.ndarray, request: Request, variation: float) -> np.ndarray:
    """The notes with a share of them varied; each draws its own chance, so that more variation varies the same ones."""
    rng = stream(request.seed, "variation")
    found: list[tuple[float, float, int, int]] = []
    weights = accent_at(request.meter, notes["start"])
    spans = harmony.chords_under(request) if Link.CHORDS in request.sources else ()
    starts = np.unique(notes["start"])
    for note, weight in zip(notes.tolist(), weights, strict=True):
        chance, way, side, size, loud = rng.random(5)
        # Strong beats hold the pattern together: they change last.
        if chance >= variation ** (1.0 + (weight if variation < 1 else 0.0)):
            found.append(note)
            continue
        start, end, pitch, velocity = note
        following = float(starts[starts > start + _CLOSE].min(initial=request.beats))
        velocity = int(clip_velocities(np.array([velocity + 24 * (loud - 0.5)]))[0])
        if way < 0.2 * (1.3 - weight):
            continue  # left out
        if way < 0.45:
            # Early or late by a sixteenth at most, never past its neighbours.
            room = min(_STEP, (following - start) / 2)
            moved = start + room if side < 0.5 or start < _STEP else start - _STEP / 2
            found.append((moved, end + moved - start, pitch, velocity))
        elif way < 0.6 and end - start > _STEP / 2:
            half = start + min(end - start, following - start) / 2
            found.append((start, half, pitch, velocity))
            if half < request.beats:
                other = pitch if request.role is Role.DRUMS else _neighbour(pitch, side, size, request, spans, half)
                found.append((half, end, other, max(1, velocity - 12)))
        elif request.role is Role.DRUMS:
            drum = _OTHER_DRUM.get(CLASS_OF_PITCH.get(pitch, 0))
            found.append((start, end, PITCHES[drum] if drum is not None and weight < 0.6 else pitch, velocity))
        else:
            found.append((start, end, _neighbour(pitch, side, size, request, spans, start), velocity))
    unique = {(round(row[0], 6), row[2]): row for row in found}
    return np.array(sorted(unique.values()), NOTE) if unique else np.zeros(0, NOTE)


def _neighbour(pitch: int, side: float, size: float, request: Request, spans: tuple, beat: float) -> int:
    """A pitch a step or two of the key away; on strong beats of a part that follows chords the next chord tone."""
    strong = float(accent_at(request.meter, np.array([beat]))[0]) >= 0.6
    tones = harmony.chord_at(spans, beat).pitch_classes if spans and strong else request.key.scale
    way = 1 if side < 0.5 else -1
    left = 1 if size < 0.7 else 2
    for distance in range(1, 13):
        candidate = pitch + way * distance
        if not 0 <= candidate <= 127:
            break
        if candidate % 12 in tones:
            left -= 1
            if not left:
                return candidate
    return pitch


def _pattern_plays(settings: PatternSettings) -> Role | None:
    is_drums = isinstance(settings.notes, Pattern) and settings.notes.is_drums
    return Role.DRUMS if is_drums else None


def _examined(settings: PatternSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """Whether there are notes, and of the kind that the part plays.

    Raises:
        UnfitError: there are none, or drums in a part that plays none, or the other way round.
    """
    notes = settings.notes
    is_drums = surroundings.role is Role.DRUMS
    if notes is None:
        written = '"bd: x...x... | sn: ....x..."' if is_drums else "D4:1 F4:1/2"
        raise UnfitError("notes", "`pattern` has no `notes`", f"write `generator: {{kind: pattern, notes: {written}}}`")
    if surroundings.role is not None and notes.is_drums != is_drums:
        if is_drums:
            raise UnfitError("notes", "this part plays drums", "write a drum grid, like `bd: x...x... | sn: ....x...`")
        raise UnfitError("notes", "this part plays no drums", "write notes, like `D4:1 F4:1/2`, or say `role: drums`")
    idle = settings.variation == 0 and Link.CHORDS in surroundings.links
    return settings, ["`chords` mean nothing to a pattern that is played note for note"] if idle else []


PATTERN = GeneratorKind(
    name="pattern",
    summary="notes as they are written in the scene or in a MIDI file, or varied",
    settings=PatternSettings,
    roles=(Role.MELODY, Role.BASS, Role.CHORDS, Role.DRUMS),
    factory=PatternPlayer,
    takes=frozenset({Link.CHORDS}),
    examine=_examined,
    plays=_pattern_plays,
)

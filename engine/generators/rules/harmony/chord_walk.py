"""A walk through the chords of a key, by function and with voice leading."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from engine.generators import harmony
from engine.generators.chance import stream
from engine.generators.contract import GeneratorKind, Link, Request, Role
from engine.generators.expression import arc, clip_velocity
from engine.generators.pulse import accent_at, onset_steps, pulses
from engine.generators.recall import RecallSettings
from engine.generators.rules.harmony.comping import comped
from engine.generators.rules.harmony.progressions import walk
from engine.generators.rules.harmony.voicing import lead
from engine.generators.statement import marked
from engine.score.harmony.chords import Chord
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance
from engine.score.time import STEPS_PER_BEAT
from engine.units import Bars, Percent, Pitches, PitchRange


class ChordWalkSettings(RecallSettings):
    """A walk through the chords of the key, with voice leading."""

    chord_length: Bars = Field(default=1, le=16, description="how long each chord holds")
    voices: int = Field(default=4, ge=2, le=6, description="notes of a chord, 2 to 6")
    range: Pitches = Field(default=PitchRange(50, 74), description="lowest and highest pitch of the voices")
    style: Literal["held", "tied", "spread", "pulsed", "broken", "comped"] = Field(
        default="held",
        description="held: all voices begin together; tied: common tones sound on; spread: voices enter one after "
        "another; pulsed: repeated on the beats; broken: one note after another in eighths; comped: in rhythms that "
        "change from period to period and stand still at cadences",
    )
    colour: Percent = Field(
        default=0.35, description="how many chords are coloured by a seventh, a ninth or a suspension"
    )
    borrow: Percent = Field(
        default=0.0,
        description="how many chords come from outside the key: dominants of the chord that follows, and chords of the "
        "parallel key; with any, authentic cadences have the leading note",
    )


class ChordWalk:
    """Chords for `Role.CHORDS`; sets `Phrase.chords`. Takes another part's chords and rhythm instead of its own."""

    def __init__(self, settings: ChordWalkSettings) -> None:
        self.settings = settings

    def generate(self, request: Request[ChordWalkSettings]) -> Phrase:
        """The next chords: on from those in `request.history`, home to the tonic where a section ends."""
        settings = request.settings
        rng = stream(request.seed, "chord_walk")
        spans = harmony.chords_under(request) if Link.CHORDS in request.sources else walk(request, settings)
        voicing = _last_voicing(request.history)
        notes: list[tuple[float, float, int, int]] = []
        voicings = []
        for span in spans:
            home = request.ends_section and span is spans[-1]
            voicing = lead(voicing, span.chord, settings.voices, settings.range, rooted=home)
            voicings.append(_with_bass(voicing, span.chord, settings.range))
        if settings.style == "tied":
            notes = _tied(spans, voicings, request)
        elif settings.style == "comped" and Link.RHYTHM not in request.sources:
            notes = comped(spans, voicings, request)
        else:
            for span, pitches in zip(spans, voicings, strict=True):
                notes += _played(span, pitches, settings.style, request, rng)
        made = Phrase.of(notes, request.beats, Provenance("chord_walk", Origin.RULES, request.seed), spans)
        return made if Link.CHORDS in request.sources else marked(made, request)


def _last_voicing(history: Phrase | None) -> np.ndarray | None:
    """Pitches that sounded with the last chord of a phrase."""
    if history is None or not len(history.notes):
        return None
    start = history.chords[-1].start if history.chords else history.notes["start"][-1]
    sounding = history.notes["end"] > start + 1e-6
    return np.unique(history.notes["pitch"][sounding].astype(int))


def _with_bass(voicing: np.ndarray, chord: Chord, span: PitchRange) -> np.ndarray:
    """The voicing of a chord over another bass than its root (`C/E`): its lowest voice goes there."""
    if chord.bass is None:
        return voicing
    below = [pitch for pitch in range(span.low, int(voicing[-1])) if pitch % 12 == chord.bass]
    if not below:
        return voicing
    bass = min(below, key=lambda pitch: abs(pitch - int(voicing[0])))
    return np.unique(np.append(voicing[1:][voicing[1:] > bass], bass))


def _played(
    span: ChordSpan, pitches: np.ndarray, style: str, request: Request, rng: np.random.Generator
) -> list[tuple[float, float, int, int]]:
    """The notes of one chord in a style (or in another part's rhythm)."""
    meter = request.meter
    rhythm = request.sources.get(Link.RHYTHM)
    step = 1.0 / STEPS_PER_BEAT
    loud = 66 + 10 * float(arc(np.array([span.start]), request.beats)[0])
    outer = np.array([4.0 if place in (0, len(pitches) - 1) else 0.0 for place in range(len(pitches))])
    if rhythm is not None or style == "pulsed":
        if rhythm is not None:
            onsets = onset_steps(rhythm, round(request.beats * STEPS_PER_BEAT)) * step
        else:
            bars = np.arange(0, request.bars) * meter.beats_per_bar
            onsets = np.concatenate([bar + np.array(pulses(meter)) * step for bar in bars])
        onsets = onsets[(onsets >= span.start - 1e-9) & (onsets < span.end - 1e-9)]
        # Without an onset at its start the chord would be missed; it is what other parts listen to.
        if not len(onsets) or onsets[0] > span.start + 1.0:
            onsets = np.concatenate([[span.start], onsets])
        ends = np.append(onsets[1:], span.end)
        weight = accent_at(meter, onsets)
        return [
            (float(on), float(on + max(step, (off - on) * 0.85)), int(pitch), clip_velocity(loud - 12 + 16 * w + o))
            for on, off, w in zip(onsets, ends, weight, strict=True)
            for pitch, o in zip(pitches, outer, strict=True)
        ]
    if style == "broken":
        return _broken(span, pitches, request, loud)
    velocity = [clip_velocity(loud + o + rng.normal(0, 2.0)) for o in outer]
    delays = np.zeros(len(pitches))
    if style == "spread":
        # Voices enter on eighths, from below, in the first half of the chord at most.
        spacing = min(0.5, (span.end - span.start) / 2 / max(1, len(pitches)))
        delays = np.floor(np.arange(len(pitches)) * spacing / step) * step
    return [
        (span.start + float(delay), span.end, int(pitch), v)
        for pitch, v, delay in zip(pitches, velocity, delays, strict=True)
    ]


def _broken(span: ChordSpan, pitches: np.ndarray, request: Request, loud: float) -> list[tuple[float, float, int, int]]:
    """One note after another in eighths: up, then down over the inner voices; the lowest rings on."""
    order = [*range(len(pitches)), *range(len(pitches) - 2, 0, -1)]
    starts = np.arange(span.start, span.end - 1e-9, 0.5)
    weight = accent_at(request.meter, starts)
    notes = []
    for place, (start, w) in enumerate(zip(starts, weight, strict=True)):
        voice = order[place % len(order)]
        lowest_on_bar = voice == 0
        end = min(span.end, float(start) + (len(order) * 0.5 if lowest_on_bar else 1.0))
        notes.append((float(start), end, int(pitches[voice]), clip_velocity(loud - 10 + 14 * w)))
    return notes


def _tied(
    spans: tuple[ChordSpan, ...], voicings: list[np.ndarray], request: Request
) -> list[tuple[float, float, int, int]]:
    """Held chords whose common tones sound on through the change."""
    notes: list[tuple[float, float, int, int]] = []
    sounding: dict[int, tuple[float, float, int]] = {}
    for span, pitches in zip(spans, voicings, strict=True):
        wanted = set(map(int, pitches))
        for pitch in [pitch for pitch in sounding if pitch not in wanted]:
            start, end, velocity = sounding.pop(pitch)
            notes.append((start, end, pitch, velocity))
        for pitch in wanted:
            start, _, velocity = sounding.get(
                pitch, (span.start, 0.0, clip_velocity(66 + 10 * float(arc(np.array([span.start]), request.beats)[0])))
            )
            sounding[pitch] = (start, span.end, velocity)
    notes += [(start, end, pitch, velocity) for pitch, (start, end, velocity) in sounding.items()]
    return notes


CHORD_WALK = GeneratorKind(
    name="chord_walk",
    summary="chords that walk through the key, with voice leading",
    settings=ChordWalkSettings,
    roles=(Role.CHORDS,),
    factory=ChordWalk,
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)

"""A bass line: roots where chords change, its own style or another part's rhythm between, and steps that lead on."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from engine.generators import harmony
from engine.generators.chance import pick, stream, theme_stream
from engine.generators.contract import GeneratorKind, Link, Request, Role, Settings
from engine.generators.expression import arc, clip_velocity
from engine.generators.pulse import accent_at, accents, onset_steps, pulses, rhythm_of, strong_pulses
from engine.score.harmony.keys import Key
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance
from engine.score.time import STEPS_PER_BEAT
from engine.units import Percent, Pitches, PitchRange

_HELD = {"held": 0.97, "root_fifth": 0.85, "walking": 0.92, "pulse": 0.6}
"""Share of the way to the next onset that a note sounds, by style."""


class BassLineSettings(Settings):
    """A bass under the chords, in the rhythm of the kick if it follows one."""

    style: Literal["held", "root_fifth", "walking", "pulse"] = Field(
        default="root_fifth",
        description="held: long roots; root_fifth: roots and fifths on the strong beats; walking: a step on every "
        "beat; pulse: repeated eighths. With a `rhythm` the onsets are that part's",
    )
    range: Pitches = Field(default=PitchRange(28, 50), description="lowest and highest pitch")
    approach: Percent = Field(default=0.4, description="how many chord changes are prepared by a note of approach")
    density: Percent = Field(
        default=0.6, description="how many of the possible onsets are played; those on strong beats always are"
    )


class BassLine:
    """Bass for `Role.BASS`; follows `Link.CHORDS` and `Link.RHYTHM`; a primer gives the rhythm."""

    def __init__(self, settings: BassLineSettings) -> None:
        self.settings = settings

    def generate(self, request: Request[BassLineSettings]) -> Phrase:
        """A line under the chords; every onset is one of the rhythm's, if there is one that sounds."""
        settings = request.settings
        rng = stream(request.seed, "bass_line")
        spans = harmony.chords_under(request)
        onsets, style = _onsets(request, settings, spans, rng)
        pitches = _pitches(request, settings, spans, onsets, style, rng)
        notes = []
        weights = accent_at(request.meter, onsets)
        swell = arc(onsets, request.beats)
        for place, (start, pitch) in enumerate(zip(onsets, pitches, strict=True)):
            until = onsets[place + 1] if place + 1 < len(onsets) else request.beats
            until = min(until, harmony.until_foreign(spans, float(start), int(pitch), until))
            gap = min(until - start, 2 * request.meter.beats_per_bar)
            last = request.ends_section and place + 1 == len(onsets)
            length = max(0.2, gap * (_HELD["held"] if last else _HELD[style]))
            velocity = clip_velocity(76 + 14 * weights[place] + 6 * swell[place] + rng.normal(0, 2.5))
            notes.append((float(start), float(start + length), int(pitch), velocity))
        meant = spans if Link.CHORDS in request.sources else ()
        return Phrase.of(notes, request.beats, Provenance("bass_line", Origin.RULES, request.seed), meant)


def _onsets(
    request: Request, settings: BassLineSettings, spans: tuple[ChordSpan, ...], rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Starts in beats, and the style that is played in them."""
    meter, total = request.meter, round(request.beats * STEPS_PER_BEAT)
    changes = np.rint([span.start * STEPS_PER_BEAT for span in spans]).astype(int)
    rhythm = rhythm_of(request)
    if rhythm is not None:
        steps = onset_steps(rhythm, total)
        if len(steps):
            weight = accents(meter)[steps % meter.steps_per_bar]
            keep = rng.random(len(steps)) < settings.density + weight
            return _at_ends(steps[keep], changes, request) / STEPS_PER_BEAT, settings.style
    bar_starts = np.arange(0, total, meter.steps_per_bar)
    # The same pattern in all bars of a section: a bass is heard by what it repeats.
    own = theme_stream(request, "bass")
    if settings.style == "held" or rhythm is not None:
        steps = np.unique([*changes, *bar_starts[::2]])
        return steps / STEPS_PER_BEAT, "held"
    if settings.style == "walking":
        pattern = np.array(pulses(meter))
    elif settings.style == "pulse":
        pattern = np.arange(0, meter.steps_per_bar, 2)
        chance = own.random(len(pattern)) * 0.9
        pattern = pattern[chance < settings.density + 0.7 * accents(meter)[pattern]]
    else:
        pattern = np.array(strong_pulses(meter))
        if len(pattern) == 1 and len(pulses(meter)) > 1:
            pattern = np.array([0, pulses(meter)[-1]])
        pickups = (*pattern[1:] - 2, meter.steps_per_bar - 2)
        added = [step for step in pickups if step >= 0 and own.random() < settings.density**2]
        pattern = np.unique([*pattern, *added])
    steps = np.unique(np.concatenate([(bar_starts[:, None] + pattern[None]).ravel(), changes]))
    steps = _at_ends(steps[steps < total], changes, request, turns=True)
    return steps / STEPS_PER_BEAT, settings.style


def _at_ends(steps: np.ndarray, changes: np.ndarray, request: Request, turns: bool = False) -> np.ndarray:
    """The onsets at ends of periods: where the section ends the last bar holds its root; where others do, a turnaround.

    Args:
        steps: onsets.
        changes: steps on which the chord changes.
        request: where they stand.
        turns: the rhythm is the bass's own, so that it may be filled.
    """
    per_bar, total = request.meter.steps_per_bar, request.bars * request.meter.steps_per_bar
    for end, _ in request.cadences:
        begin = (end - 1) * per_bar
        if end * per_bar == total and request.ends_section:
            inside = np.union1d(steps[steps < begin], [begin])
            steps = np.union1d(inside, changes[(changes >= begin) & (changes < total)])
        elif turns:
            tail = np.arange(end * per_bar - min(4, per_bar // 2), end * per_bar, 2)
            steps = np.union1d(steps, tail)
    return steps.astype(int)


def _pitches(
    request: Request,
    settings: BassLineSettings,
    spans: tuple[ChordSpan, ...],
    onsets: np.ndarray,
    style: str,
    rng: np.random.Generator,
) -> list[int]:
    key, span = request.key, settings.range
    history = request.history
    # Where the line lies is told by its last notes together; a single one may have been an octave's leap.
    recent = history.notes["pitch"][-5:] if history is not None else np.zeros(0)
    last_root = int(np.median(recent)) if len(recent) else span.low + (span.high - span.low) // 3
    found: list[int] = []
    chords = [harmony.span_at(spans, float(start)) for start in onsets]
    for place, (start, chord) in enumerate(zip(onsets, chords, strict=True)):
        new_chord = place == 0 or chord is not chords[place - 1]
        following = chords[place + 1] if place + 1 < len(chords) else None
        root = _root(chord, key, span, last_root)
        weak = float(accent_at(request.meter, np.array([start]))[0]) < 0.7
        # Strong beats belong to a chord that the author wrote; of two beats in a bar both are.
        felt = float(accent_at(request.meter, np.array([start]))[0]) > 0.5
        bound = chord.written and (not weak or (felt and len(pulses(request.meter)) == 2))
        prepares = following is not None and following is not chord and style != "held" and not bound
        closing = request.ends_section and start >= request.beats - request.meter.beats_per_bar - 1e-9
        if new_chord or closing:
            pitch, last_root = root, root
        elif prepares and following is not None and rng.random() < settings.approach:
            pitch = _approach(_root(following, key, span, root), harmony.scale_of(chord, key), span, found[-1], rng)
        elif style == "walking":
            target = _root(following, key, span, root) if following is not None else root
            pitch = _step_toward(found[-1], target, chord, key, span, bound, rng)
        elif style == "held":
            pitch = root
        else:
            fifth = _fifth(chord, key, span, root)
            octave = root + 12 if root + 12 <= span.high else root
            shares = (0.78, 0.12, 0.1) if style == "pulse" else (0.55, 0.35, 0.1) if weak else (0.25, 0.68, 0.07)
            pitch = pick(rng, (root, fifth, octave), shares)
        found.append(int(pitch))
    return found


def _root(held: ChordSpan, key: Key, span: PitchRange, near: int) -> int:
    """The bass of a chord within the range, near the last one, rather low: what the author wrote, or its first tone in
    the key.
    """
    tone = held.chord.lowest if held.written else harmony.tones_of(held, key)[0]
    options = [pitch for pitch in range(span.low, span.high + 1) if pitch % 12 == tone]
    return min(options, key=lambda pitch: abs(pitch - near) + 0.35 * (pitch - span.low))


def _fifth(held: ChordSpan, key: Key, span: PitchRange, root: int) -> int:
    tones = [tone for tone in harmony.tones_of(held, key) if (tone - held.chord.root) % 12 in (6, 7, 8)]
    if not tones:
        return root
    options = [pitch for pitch in range(span.low, span.high + 1) if pitch % 12 == tones[0]]
    return min(options, key=lambda pitch: abs(pitch - root))


def _scale_pitches(classes: tuple[int, ...], span: PitchRange) -> np.ndarray:
    return np.array([pitch for pitch in range(span.low, span.high + 1) if pitch % 12 in classes])


def _approach(target: int, classes: tuple[int, ...], span: PitchRange, before: int, rng: np.random.Generator) -> int:
    """A step of the scale above or below the next root, from the side that the line comes from."""
    scale = _scale_pitches(classes, span)
    below, above = scale[scale < target], scale[scale > target]
    sides = [int(side) for side in (*below[-1:], *above[:1])]
    if not sides:
        return target
    return min(sides, key=lambda pitch: abs(pitch - before) + 2.0 * rng.random() + 6 * (pitch == before))


def _step_toward(
    before: int, target: int, held: ChordSpan, key: Key, span: PitchRange, bound: bool, rng: np.random.Generator
) -> int:
    """The next note of a walking line: a step or third of the scale, rather a chord tone, towards the next root.

    Where it is bound it is a chord tone.
    """
    scale = _scale_pitches(harmony.scale_of(held, key), span)
    tones = set(harmony.tones_of(held, key))
    near = scale[(np.abs(scale - before) <= 5) & (scale != before)]
    if bound:
        near = near[np.isin(near % 12, list(tones))]
    if not len(near):
        return before
    cost = np.abs(near - target) * 0.35 + np.abs(np.abs(near - before) - 2.5) * 0.6
    cost = cost - np.array([1.4 if pitch % 12 in tones else 0.0 for pitch in near]) + rng.random(len(near)) * 2.0
    return int(near[int(np.argmin(cost))])


BASS_LINE = GeneratorKind(
    name="bass_line",
    summary="a bass under the chords, on the kick's onsets if it follows them",
    settings=BassLineSettings,
    roles=(Role.BASS,),
    factory=BassLine,
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)

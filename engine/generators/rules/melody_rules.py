"""Melodies of motifs: ideas that are repeated, answered and rounded off, set on the chords with smooth motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from engine.generators import endings, harmony
from engine.generators.chance import stream, theme_stream
from engine.generators.contract import GeneratorKind, Link, Request, Role
from engine.generators.expression import sung, with_velocities
from engine.generators.pulse import accents, onset_steps, pulse_lengths
from engine.generators.recall import RecallSettings
from engine.generators.rules import motif
from engine.generators.rules.motif import Motif
from engine.generators.statement import marked, stated
from engine.score.phrase import NOTE, ChordSpan, Origin, Phrase, Provenance, in_order
from engine.score.time import STEPS_PER_BEAT, Meter
from engine.units import Percent, Pitches, PitchRange

_FELT = 0.6
"""Metrical weight of a felt beat, and more."""
# Ideas of a phrase by how many it has: a small letter is the idea with another end.
_FORMS = {1: ("A",), 2: ("Aa", "AB"), 3: ("AaB", "ABa"), 4: ("AaBa", "AABa", "AaBA")}


class MelodyRulesSettings(RecallSettings):
    """A melody of motifs, repeated and varied, that breathes."""

    range: Pitches = Field(default=PitchRange(60, 81), description="lowest and highest pitch")
    density: Percent = Field(
        default=0.45, description="how many notes: 20 % is long notes, 80 % runs of eighths and sixteenths"
    )
    syncopation: Percent = Field(default=0.2, description="how many of a motif's beats begin without a note on them")
    leaps: Percent = Field(default=0.25, description="how wide the line moves: 0 % by step, 100 % in leaps")
    breath: Percent = Field(
        default=0.15,
        description="how much of the time the melody is silent between its ideas; 0 % leaves no bar silent",
    )


class MelodyRules:
    """A melody for `Role.MELODY`; follows `Link.CHORDS` and `Link.RHYTHM`; a primer is its motif."""

    def __init__(self, settings: MelodyRulesSettings) -> None:
        self.settings = settings

    def generate(self, request: Request[MelodyRulesSettings]) -> Phrase:
        """A phrase in the key, with chord tones where they count, that rests at its end."""
        settings = request.settings
        rng = stream(request.seed, "melody_rules")
        spans = harmony.chords_under(request)
        line = _Line.start(request, settings, spans)
        unit_bars = 2 if request.bars % 2 == 0 and request.bars >= 4 else 1
        units = request.bars // unit_bars
        unit_steps = unit_bars * request.meter.steps_per_bar
        # An idea that is taken up opens the phrase; what follows is made of it.
        head = stated(request, settings.range, 0.75 if request.bars > 1 else 1.0)
        head_steps = 0 if head is None else round(head.beats * STEPS_PER_BEAT)
        letters = _letters(units, rng)
        ideas = _ideas(request, settings, unit_bars, rng)
        rows: list[tuple[int, int, int]] = []
        realised: dict[str, np.ndarray] = {}
        for place, letter in enumerate(letters):
            last = place == units - 1
            silent = rng.random() < settings.breath and place > 0 and not (last and request.ends_section)
            idea = ideas[letter.upper()]
            if letter.islower():
                idea = motif.varied(idea, request.meter, rng)
            offset = place * unit_steps
            idea = _in_rhythm(idea, request, settings, offset, rng)
            if silent or offset < head_steps or not len(idea.starts):
                continue
            pitches = line.realise(idea, offset, realised.get(letter.upper()), lift=2 if letter == "B" else 0)
            realised.setdefault(letter.upper(), pitches)
            rows += [
                (offset + int(start), int(length), int(pitch))
                for start, length, pitch in zip(idea.starts, idea.lengths, pitches, strict=True)
            ]
        notes = np.zeros(len(rows), NOTE)
        for place, (start, length, pitch) in enumerate(rows):
            notes[place] = (start / STEPS_PER_BEAT, (start + length) / STEPS_PER_BEAT, pitch, 80)
        if head is not None:
            notes = in_order(np.concatenate([head.notes, notes]))
        notes = endings.close(notes, request, spans, settings.range, arrive=Link.RHYTHM not in request.sources)
        if settings.breath == 0:
            notes = _without_silent_bars(notes, request, spans, settings)
        notes = _until_foreign(notes, spans, request)
        notes = with_velocities(notes, sung(notes, request.meter, request.beats, rng))
        meant = spans if Link.CHORDS in request.sources else ()
        made_by = Provenance("melody_rules", Origin.RULES, request.seed)
        return marked(Phrase.of(notes, request.beats, made_by, meant), request)


def _without_silent_bars(
    notes: np.ndarray, request: Request, spans: tuple[ChordSpan, ...], settings: MelodyRulesSettings
) -> np.ndarray:
    """The notes, and one more in each bar in which none sounds: on the first onset of the rhythm that is followed, if
    there is one, else on the bar's first beat; a tone of the chord near to the note before.
    """
    bar, beat = request.meter.beats_per_bar, max(0.5, pulse_lengths(request.meter)[0] / STEPS_PER_BEAT)
    source = request.sources.get(Link.RHYTHM)
    onsets = onset_steps(source, round(request.beats * STEPS_PER_BEAT)) if source is not None else np.zeros(0, int)
    for line in (np.arange(request.bars) * bar).tolist():
        if ((notes["start"] < line + bar - 1e-9) & (notes["end"] > line + 1e-9)).any():
            continue
        start = line
        if len(onsets):
            inside = onsets[(onsets >= line * STEPS_PER_BEAT) & (onsets < (line + bar) * STEPS_PER_BEAT)]
            if not len(inside):
                continue  # who follows a rhythm is silent where it is
            start = float(inside[0]) / STEPS_PER_BEAT
        before = notes["pitch"][notes["start"] < start]
        near = int(before[-1]) if len(before) else (settings.range.low + settings.range.high) // 2
        tones = harmony.tones_of(harmony.span_at(spans, start), request.key)
        pitch = endings.nearest_tone(near, tones, settings.range)
        added = np.array([(start, min(start + beat, line + bar), pitch, 80)], NOTE)
        notes = in_order(np.concatenate([notes, added]))
    return notes


def _until_foreign(notes: np.ndarray, spans: tuple[ChordSpan, ...], request: Request) -> np.ndarray:
    """The notes, none of which sounds on into a felt beat with a written chord that it does not belong to."""
    if not any(span.written for span in spans):
        return notes
    notes = notes.copy()
    for place, (start, end, pitch, _) in enumerate(notes.tolist()):
        for beat in _felt_between(start, end, request.meter):
            if pitch not in harmony.chord_at(spans, beat):
                notes["end"][place] = beat
                break
    return notes


def _felt_between(start: float, end: float, meter: Meter) -> list[float]:
    """Felt beats within a note, not at its start."""
    steps = np.arange(int(start * STEPS_PER_BEAT) + 1, int(np.ceil(end * STEPS_PER_BEAT - 1e-9)))
    return (steps[accents(meter)[steps % meter.steps_per_bar] >= _FELT] / STEPS_PER_BEAT).tolist()


def _letters(units: int, rng: np.random.Generator) -> str:
    """The form of a phrase of some ideas, in groups of four."""
    found = ""
    while len(found) < units:
        forms = _FORMS[min(4, units - len(found))]
        found += forms[int(rng.integers(len(forms)))]
    return found


def _ideas(request: Request, settings: MelodyRulesSettings, bars: int, rng: np.random.Generator) -> dict[str, Motif]:
    """The two ideas of a phrase: the first one given (primer, what a network just sang), the section's own, or new."""
    meter, key = request.meter, request.key
    given = motif.of_phrase(request.taken.idea.phrase, request.taken.idea.key, meter, bars) if request.taken else None
    history, primer = request.history, request.sources.get(Link.PRIMER) or request.primer
    if given is None and history is not None and history.provenance.generator not in ("melody_rules", "rest"):
        given = motif.of_phrase(history, key, meter, bars)
    if given is None and primer is not None and len(primer.notes):
        given = motif.of_phrase(primer, key, meter, bars)
    ideas = {}
    for letter in "AB":
        recalled = rng.random() < settings.recall
        theme = theme_stream(request, "motif", letter)
        own = theme if recalled else stream(request.seed, "motif", letter)
        ideas[letter] = motif.fresh(meter, bars, settings.density, settings.syncopation, settings.leaps, own)
    if given is not None:
        ideas["A"] = given
    return ideas


def _in_rhythm(
    idea: Motif, request: Request, settings: MelodyRulesSettings, offset: int, rng: np.random.Generator
) -> Motif:
    """The idea, or one on the onsets of the part whose rhythm is followed."""
    source = request.sources.get(Link.RHYTHM)
    onsets = onset_steps(source, round(request.beats * STEPS_PER_BEAT)) if source is not None else np.zeros(0, int)
    if not len(onsets):
        return idea
    onsets = onsets[(onsets >= offset) & (onsets < offset + idea.steps)] - offset
    weight = accents(request.meter)[onsets % request.meter.steps_per_bar]
    # As many notes as wanted, not as the other part plays; strong beats first.
    wanted = settings.density * 2.3 * idea.steps / 4
    chances = np.clip((0.35 + weight) * wanted / max(1, len(onsets)), 0, 1)
    return motif.on_onsets(onsets, chances, idea.steps, request.meter, settings.leaps, rng)


@dataclass(slots=True)
class _Line:
    """The pitch line of a phrase while it is being drawn."""

    request: Request
    settings: MelodyRulesSettings
    spans: tuple[ChordSpan, ...]
    scale: np.ndarray
    rng: np.random.Generator
    last: int | None

    @classmethod
    def start(cls, request: Request, settings: MelodyRulesSettings, spans: tuple[ChordSpan, ...]) -> _Line:
        span = settings.range
        classes = {pitch for one in spans for pitch in harmony.scale_of(one, request.key)}
        scale = np.array([pitch for pitch in range(span.low, span.high + 1) if pitch % 12 in classes])
        history = request.history
        last = int(history.notes["pitch"][-1]) if history is not None and len(history.notes) else None
        return cls(request, settings, spans, scale, stream(request.seed, "line"), last)

    def realise(self, idea: Motif, offset: int, model: np.ndarray | None, lift: int) -> np.ndarray:
        """Pitches of an idea [n]: near its contour (near `model`'s pitches when it is taken up again), smooth, and on
        the chords where it counts; the best line of all by dynamic programming.

        Args:
            idea: what to realise.
            offset: step of the phrase that it begins on.
            model: pitches that it had before.
            lift: scale steps by which it stands higher than usual.
        """
        scale, meter = self.scale, self.request.meter
        middle = len(scale) * 0.45
        anchor = middle
        if self.last is not None:
            anchor = 0.6 * middle + 0.4 * int(np.argmin(np.abs(scale - self.last)))
        targets = anchor + lift + idea.contour
        pull = 0.10
        if model is not None:
            kept = min(len(model), len(targets))
            targets[:kept] = np.searchsorted(scale, model[:kept])
            pull = 0.35
        targets = np.clip(targets, 0, len(scale) - 1)
        places = np.arange(len(scale))
        weight = accents(meter)[(offset + idea.starts) % meter.steps_per_bar]
        stress = np.clip(weight + 0.12 * idea.lengths / 4, 0, 1.2)
        local = pull * (places[None] - targets[:, None]) ** 2 + 0.5 * self.rng.random((len(targets), len(scale)))
        for place, start in enumerate(idea.starts):
            held = harmony.span_at(self.spans, (offset + int(start)) / STEPS_PER_BEAT)
            inside = np.isin(scale % 12, held.chord.pitch_classes)
            rub = np.isin((scale - 1) % 12, held.chord.pitch_classes) & ~inside
            # What one chord alters holds as long as it does.
            local[place] += np.where(np.isin(scale % 12, harmony.scale_of(held, self.request.key)), 0.0, 60.0)
            if held.written:
                # What the author wrote holds: no tone against it, and on felt beats no other than its own.
                local[place] += np.where(inside, 0.0, 30.0 if weight[place] >= _FELT else 0.0)
                begin = (offset + int(start)) / STEPS_PER_BEAT
                for beat in _felt_between(begin, begin + float(idea.lengths[place]) / STEPS_PER_BEAT, meter):
                    ahead = harmony.span_at(self.spans, beat)
                    local[place] += np.where(np.isin(scale % 12, ahead.chord.pitch_classes), 0.0, 4.0)
            final = place == len(targets) - 1
            local[place] += np.where(inside, 0.0, (3.5 if final else 2.4) * max(0.15, float(stress[place]) - 0.25))
            local[place] += rub * 0.8 * stress[place]
        path = self._best(local)
        pitches = scale[path]
        self.last = int(pitches[-1])
        return pitches

    def _best(self, local: np.ndarray) -> np.ndarray:
        step = _leap_cost(self.scale[None] - self.scale[:, None]) * (1.25 - 0.8 * self.settings.leaps)
        cost = local[0].copy()
        if self.last is not None:
            cost += 0.5 * _leap_cost(self.scale - self.last)
        back = np.zeros(local.shape, int)
        for place in range(1, len(local)):
            through = cost[:, None] + step
            back[place] = np.argmin(through, axis=0)
            cost = through[back[place], np.arange(len(self.scale))] + local[place]
        path = [int(np.argmin(cost))]
        for place in range(len(local) - 1, 0, -1):
            path.append(int(back[place][path[-1]]))
        return np.array(path[::-1])


_LEAPS = np.array([0.9, 0.0, 0.0, 0.35, 0.45, 0.8, 3.0, 1.3, 2.2, 2.2, 4.5, 4.5, 2.4])
"""What an interval costs, by semitones 0..12: steps are free, thirds cheap, the tritone and sevenths hard to sing."""


def _leap_cost(intervals: np.ndarray) -> np.ndarray:
    size = np.abs(intervals)
    return np.where(size <= 12, _LEAPS[np.minimum(size, 12)], 5.0 + 0.3 * (size - 12))


MELODY_RULES = GeneratorKind(
    name="melody_rules",
    summary="a melody of motifs, repeated and varied, that breathes",
    settings=MelodyRulesSettings,
    roles=(Role.MELODY,),
    factory=MelodyRules,
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)

# pyright: strict
"""The ensemble network as a generator: a bass that hears the chords and the drums of its phrase to its end.

What it hears stands where rules otherwise fit a line to others: nothing is moved to another part's onsets. Pitches are
drawn among those that fit (range, key, on felt beats the chord); a note that rubs against its chord goes on by step or
moves, as with all networks.
"""

from __future__ import annotations

import numpy as np

from engine.errors import PerpetuumError
from engine.generators import endings, harmony
from engine.generators.chance import stream
from engine.generators.contract import Link, Request
from engine.generators.expression import sung, with_velocities
from engine.generators.neural.continuation import ensemble_of, past_in_key, primer_of, typical_for
from engine.generators.neural.curating.candidate import PhraseCandidate
from engine.generators.neural.curating.curator import ATTEMPTS, curated, told
from engine.generators.neural.curating.judging import judged_bass
from engine.generators.neural.curating.qualities import Stand
from engine.generators.neural.fitting import on_chords
from engine.generators.neural.leading import Leading, leading
from engine.generators.neural.settings import EnsembleSettings
from engine.generators.pulse import accent_at
from engine.generators.statement import as_primer, marked
from engine.networks.contract import Sampling
from engine.networks.encodings import drums, melody
from engine.networks.encodings.grid import on_grid
from engine.networks.ensemble.encoding import BASS, HIGHEST, LOWEST, Around, OtherParts, around
from engine.networks.threads import one_thread
from engine.score.drums import CLASS_OF_PITCH, CLASSES, PITCHES
from engine.score.phrase import NOTE, ChordSpan, Origin, Phrase, Provenance, in_order, moved
from engine.score.time import STEPS_PER_BEAT

_FELT = 0.6
"""Metrical weight from which on a beat is felt."""
_FOREIGN = -4.0
"""What is added to the logits of pitch classes outside key and chord where nothing chromatic is wanted."""
_NEVER = -1e9
_LEAST, _AS_LEARNT = 0.1, 0.5
"""Densities: under the one lies silence, at the other the network does what it does by itself."""
_STEEP = 2.0
"""Power of the density that odds of a note follow: with it half the density is about half of the notes."""
_KICK = PITCHES[CLASSES.index("kick")]
_PITCHES = np.arange(LOWEST, HIGHEST + 1)


class EnsembleGenerator:
    """A bass that goes on from what it played, over `Link.CHORDS` and with the drums of `Link.RHYTHM`."""

    def __init__(self, settings: EnsembleSettings) -> None:
        self.network = ensemble_of("ensemble", settings.config, settings.weights)
        self.typical = typical_for(settings.config, settings.weights)

    def generate(self, request: Request[EnsembleSettings]) -> Phrase:
        """The next bars of bass.

        Raises:
            PerpetuumError: silence or babble in every attempt, or a meter that the network does not know.
        """
        settings = request.settings
        if reason := self.network.config.allows(request.meter.steps_per_bar):
            raise PerpetuumError(f"part {request.part!r}: {reason}")
        spans = harmony.chords_under(request)
        lead = leading(request, settings.range)
        stated = 0.0 if lead is None else lead.head.beats

        def attempt(number: int) -> list[PhraseCandidate]:
            past = _past(request, lead, fresh=number == ATTEMPTS - 1)
            found: list[PhraseCandidate] = []
            for notes, nats in self._lines(request, spans, past, lead, number):
                fitted = on_chords(notes, request, settings.range, spans)
                moves = int(np.count_nonzero(fitted["pitch"] != notes["pitch"]))
                whole = fitted if lead is None else in_order(np.concatenate([lead.head.notes, fitted]))
                found.append(PhraseCandidate(whole, fitted, moves, nats))
            return found

        stand = Stand(
            request,
            request if lead is None else lead.rest,
            stated,
            settings.range,
            None if lead is None else lead.past,
            self.typical,
        )
        choice = curated(attempt, judged_bass, request, settings.taste, stand)
        provenance = told(Provenance("ensemble", Origin.NETWORK, request.seed), choice)
        notes = endings.close_voices(_cut(choice.candidate.notes, spans), request, spans, settings.range)
        velocities = sung(notes, request.meter, request.beats, stream(request.seed, "velocity"))
        meant = spans if Link.CHORDS in request.sources else ()
        return marked(Phrase.of(with_velocities(notes, velocities), request.beats, provenance, meant), request)

    def _lines(
        self,
        request: Request[EnsembleSettings],
        spans: tuple[ChordSpan, ...],
        past: Phrase | None,
        lead: Leading[EnsembleSettings] | None,
        number: int,
    ) -> list[tuple[np.ndarray, float]]:
        """Ways to go on, as many as the settings say, made in one batch: notes in beats of the phrase, behind the
        statement of an idea, and nats per note."""
        settings = request.settings
        before = 0 if past is None else round(past.length * STEPS_PER_BEAT)
        stated = 0 if lead is None else round(lead.head.beats * STEPS_PER_BEAT)
        steps = round(request.beats * STEPS_PER_BEAT)
        known = _joined(past, None if lead is None else lead.head.notes, before / STEPS_PER_BEAT)
        line = melody.from_notes(known, (before + stated) / STEPS_PER_BEAT)
        events = np.array(line, np.int64)
        events = np.where(events >= 0, np.clip(events, LOWEST, HIGHEST), events)
        with one_thread():
            made = self.network.play(
                BASS,
                events,
                _heard(request, spans, past, before, steps),
                _bias(request, spans, stated, steps),
                Sampling(settings.temperature, top_p=settings.top_p),
                stream(request.seed, "events", number),
                settings.candidates,
                _STEEP * float(np.log(max(settings.density, _LEAST) / _AS_LEARNT)),
            )
        found: list[tuple[np.ndarray, float]] = []
        for row, nats in zip(made.events, made.nats.tolist(), strict=True):
            notes = moved(melody.to_notes(row.tolist()), stated / STEPS_PER_BEAT)
            found.append((notes, nats / max(1, len(notes))))
        return found


def _joined(past: Phrase | None, head: np.ndarray | None, begin: float) -> np.ndarray:
    """The notes of the past, which end with it, and from a beat on those of a statement."""
    parts = [np.zeros(0, NOTE)]
    if past is not None:
        notes = past.notes.copy()
        notes["end"] = np.minimum(notes["end"], past.length)
        parts.append(notes)
    if head is not None:
        parts.append(moved(head, begin))
    return np.concatenate(parts).astype(NOTE)


def _past(request: Request[EnsembleSettings], lead: Leading[EnsembleSettings] | None, fresh: bool) -> Phrase | None:
    """What it goes on from, in whole bars: its own last bars, or the primer where a section begins, or an idea that is
    too short to be stated; None to begin."""
    if fresh:
        return None
    idea = as_primer(request) if lead is None else None
    history, bar = request.history, request.meter.beats_per_bar
    source = past_in_key(request, history) if history is not None and request.place.bar > 0 else primer_of(request)
    source = idea if idea is not None and len(idea.notes) else source
    if source is None:
        return None
    length = min(int(source.length / bar + 1e-9), request.settings.history) * bar
    recent = source.slice(source.length - length, source.length)
    return recent if length and len(recent.notes) else None


def _heard(
    request: Request[EnsembleSettings], spans: tuple[ChordSpan, ...], past: Phrase | None, before: int, steps: int
) -> Around:
    """What is heard over past [before] and phrase [steps]: of the past nothing but the chords that it was played on."""
    total = before + steps
    roots, tones = np.full(total, -1), np.zeros((total, 12), bool)
    known = Link.CHORDS in request.sources
    old = past.chords if past is not None and known else ()
    for span in (*old, *((one.moved(before / STEPS_PER_BEAT) for one in spans) if known else ())):
        inside = slice(max(0, round(span.start * STEPS_PER_BEAT)), round(span.end * STEPS_PER_BEAT))
        roots[inside], tones[inside] = span.chord.root, np.isin(np.arange(12), span.chord.pitch_classes)
    struck = sounding = begun = None
    rhythm, source = request.sources.get(Link.RHYTHM), request.sources.get(Link.CHORDS)
    if rhythm is not None:
        struck = np.zeros(total, np.int64)
        struck[before:] = drums.from_notes(_as_drums(rhythm), request.beats)
    if source is not None and len(source.notes):
        sounding, begun = np.zeros(total, np.int64), np.zeros(total, np.int64)
        starts, ends = (edge.tolist() for edge in on_grid(source.notes, STEPS_PER_BEAT))
        for start, end, pitch in zip(starts, ends, source.notes["pitch"].tolist(), strict=True):
            if start < steps:
                sounding[before + max(0, start) : before + end] |= 1 << pitch % 12
                begun[before + max(0, start)] |= 1 << pitch % 12
    return around(OtherParts(roots, tones, struck, sounding, begun, before), total)


def _as_drums(rhythm: Phrase) -> np.ndarray:
    """What gives the rhythm, as drums: where it is no drums its onsets are the kick's."""
    notes = rhythm.notes.copy()
    if not np.isin(notes["pitch"], list(CLASS_OF_PITCH)).all():
        notes["pitch"] = _KICK
    return notes


def _bias(request: Request[EnsembleSettings], spans: tuple[ChordSpan, ...], first: int, steps: int) -> np.ndarray:
    """[steps - first, pitches] what is added to the logits of pitches: none outside the range, few outside key and
    chord, and on felt beats none but tones of the chord, where others are heard."""
    settings = request.settings
    outside = (settings.range.low > _PITCHES) | (settings.range.high < _PITCHES)
    weights = accent_at(request.meter, np.arange(first, steps) / STEPS_PER_BEAT)
    bias = np.zeros((steps - first, len(_PITCHES)))
    follows = Link.CHORDS in request.sources
    for place, weight in enumerate(weights.tolist()):
        span = harmony.span_at(spans, (first + place) / STEPS_PER_BEAT)
        chord = np.isin(_PITCHES % 12, harmony.tones_of(span, request.key))
        home = chord | np.isin(_PITCHES % 12, harmony.scale_of(span, request.key))
        bias[place] = np.where(home, 0.0, _FOREIGN * (1.0 - settings.chromatic))
        if follows and weight >= _FELT:
            bias[place, ~chord] = _NEVER
    bias[:, outside] = _NEVER
    return bias


def _cut(notes: np.ndarray, spans: tuple[ChordSpan, ...]) -> np.ndarray:
    """Notes that end where a chord begins that they do not belong to."""
    notes = notes.copy()
    rows = zip(notes["start"].tolist(), notes["pitch"].tolist(), notes["end"].tolist(), strict=True)
    notes["end"] = [harmony.until_foreign(spans, start, pitch, end) for start, pitch, end in rows]
    return notes

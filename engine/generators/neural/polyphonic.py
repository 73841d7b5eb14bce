"""Polyphony RNN, Performance RNN and Pianoroll RNN-NADE as generators: several voices go on from what they played."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.generators import endings, harmony
from engine.generators.chance import stream
from engine.generators.contract import Request, Role
from engine.generators.expression import sung, with_velocities
from engine.generators.neural.continuation import NewNotes, new_notes, past_of, primer_of, rnn_of, typical_for
from engine.generators.neural.curating.candidate import PhraseCandidate
from engine.generators.neural.curating.curator import ATTEMPTS, curated, told
from engine.generators.neural.curating.judging import judged_voices
from engine.generators.neural.curating.qualities import Stand
from engine.generators.neural.curating.typicality import Typical
from engine.generators.neural.fitting import fitted_voices
from engine.generators.neural.leading import Leading, leading
from engine.generators.neural.settings import (
    PerformanceRnnSettings,
    PianorollRnnNadeSettings,
    PolyphonicSettings,
    PolyphonyRnnSettings,
)
from engine.generators.rules.harmony.chord_walk import ChordWalk, ChordWalkSettings
from engine.generators.rules.melody_rules import MelodyRules, MelodyRulesSettings
from engine.generators.statement import marked
from engine.networks.contract import NO_CONDITIONS, Conditions
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.score.harmony.keys import Key
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance

_FOREIGN = 0.1
"""Weight of a pitch class outside key or chord beside one inside it: it may pass by."""


class PolyphonyRnnGenerator:
    """Polyphony RNN for chords or melody: goes on from its past, or accompanies the primer."""

    def __init__(self, settings: PolyphonyRnnSettings) -> None:
        self.network = rnn_of("polyphony_rnn", settings.config, settings.weights)
        self.typical = typical_for(settings.config, settings.weights)

    def generate(self, request: Request[PolyphonyRnnSettings]) -> Phrase:
        """The next bars; with `inject_primer` the primer sounds in them, from its beginning at the phrase's.

        Raises:
            PerpetuumError: silence or babble in every attempt.
        """
        primer = primer_of(request) if request.settings.inject_primer else None
        if primer is None:
            conditions = Conditions(inject_primer=False, condition_on_primer=True)
            return _voices("polyphony_rnn", self.network, self.typical, request, lambda past, asked: conditions)
        times = int(np.ceil(request.beats / primer.length))
        song = Phrase.concatenate([primer] * times).slice(0.0, request.beats)

        def attempt(number: int) -> list[NewNotes]:
            conditions = Conditions(inject_primer=True, condition_on_primer=False)
            return new_notes(self.network, song, request, number, conditions)

        return _phrase("polyphony_rnn", self.typical, request, None, attempt)


class PerformanceRnnGenerator:
    """Performance RNN for melody or chords: a player's timing and velocities are kept as they are made."""

    def __init__(self, settings: PerformanceRnnSettings) -> None:
        self.network = rnn_of("performance_rnn", settings.config, settings.weights)
        self.typical = typical_for(settings.config, settings.weights)

    def generate(self, request: Request[PerformanceRnnSettings]) -> Phrase:
        """The next bars.

        Raises:
            PerpetuumError: silence or babble in every attempt.
        """
        settings = request.settings

        def conditions(past: Phrase, asked: Request[PolyphonicSettings]) -> Conditions:
            if settings.pitch_classes == "free":
                return Conditions(notes_per_second=settings.notes_per_second)
            spans = harmony.chords_under(asked)
            if settings.pitch_classes == "chords":
                after = tuple(_weights_of_chord(span) for span in spans)
            else:
                after = (_weights_of_key(asked.key),)
            return Conditions(
                notes_per_second=settings.notes_per_second,
                pitch_classes=_over_time(after, spans, past.length, asked.beats),
            )

        return _voices("performance_rnn", self.network, self.typical, request, conditions)


class PianorollRnnNadeGenerator:
    """Pianoroll RNN-NADE for chords or melody."""

    def __init__(self, settings: PianorollRnnNadeSettings) -> None:
        self.network = rnn_of("pianoroll_rnn_nade", settings.config, settings.weights)
        self.typical = typical_for(settings.config, settings.weights)

    def generate(self, request: Request[PianorollRnnNadeSettings]) -> Phrase:
        """The next bars.

        Raises:
            PerpetuumError: silence or babble in every attempt.
        """
        return _voices("pianoroll_rnn_nade", self.network, self.typical, request, lambda past, asked: NO_CONDITIONS)


def _voices(
    name: str,
    network: EventSequenceRnn,
    typical: Typical | None,
    request: Request[PolyphonicSettings],
    conditions: Callable[[Phrase, Request[PolyphonicSettings]], Conditions],
) -> Phrase:
    lead = leading(request, request.settings.range)
    asked = request if lead is None else lead.rest

    def attempt(number: int) -> list[NewNotes]:
        fresh = number == ATTEMPTS - 1
        past = lead.past if lead is not None and not fresh else past_of(asked, _opening, fresh)
        return new_notes(network, past, asked, number, conditions(past, asked))

    return _phrase(name, typical, request, lead, attempt)


def _phrase(
    name: str,
    typical: Typical | None,
    request: Request[PolyphonicSettings],
    lead: Leading[PolyphonicSettings] | None,
    attempt: Callable[[int], list[NewNotes]],
) -> Phrase:
    settings = request.settings
    begin = 0.0 if lead is None else lead.head.beats

    def fitted(number: int) -> list[PhraseCandidate]:
        found: list[PhraseCandidate] = []
        for own, nats in attempt(number):
            whole = own if lead is None else lead.joined(own)
            notes, snapped = fitted_voices(whole, request, settings.range, settings.voices, settings.in_key)
            found.append(PhraseCandidate(notes, notes[notes["start"] >= begin - 1e-9], snapped, nats))
        return found

    asked, idea = (request, None) if lead is None else (lead.rest, lead.past)
    stand = Stand(request, asked, begin, settings.range, idea, typical)
    choice = curated(fitted, judged_voices, request, settings.taste, stand)
    notes = endings.close_voices(choice.candidate.notes, request, harmony.chords_under(request), settings.range)
    provenance = told(Provenance(name, Origin.NETWORK, request.seed), choice)
    if len(notes) and len(np.unique(notes["velocity"])) == 1:
        # The network says nothing about velocities: the meter and the phrase do.
        notes = with_velocities(notes, sung(notes, request.meter, request.beats, stream(request.seed, "velocity")))
    return marked(Phrase.of(notes, request.beats, provenance), request)


def _opening(request: Request[PolyphonicSettings]) -> Phrase:
    """Bars by rules that the network goes on from."""
    span = request.settings.range
    if request.role is Role.CHORDS:
        walk = ChordWalkSettings().model_copy(update={"range": span})
        return ChordWalk(walk).generate(request.with_settings(walk))
    tune = MelodyRulesSettings().model_copy(update={"range": span, "breath": 0.0, "recall": 1.0})
    return MelodyRules(tune).generate(request.with_settings(tune))


def _weights_of_key(key: Key) -> tuple[float, ...]:
    return tuple(1.0 if pitch in key else _FOREIGN for pitch in range(12))


def _weights_of_chord(span: ChordSpan) -> tuple[float, ...]:
    return tuple(1.0 if pitch in span.chord else _FOREIGN for pitch in range(12))


def _over_time(
    weights: tuple[tuple[float, ...], ...], spans: tuple[ChordSpan, ...], past: float, beats: float
) -> tuple[tuple[float, ...], ...]:
    """Weights in equal parts of past and new music, each half a beat: the past has those that come first."""
    parts = []
    for start in np.arange(0.0, past + beats - 1e-9, 0.5):
        place = sum(span.start <= start - past + 1e-9 for span in spans) - 1 if len(weights) > 1 else 0
        parts.append(weights[max(0, place)])
    return tuple(parts)

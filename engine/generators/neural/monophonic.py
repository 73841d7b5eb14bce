"""Drums RNN, Melody RNN and Improv RNN as generators: continue what was played, then make it fit its place.

The networks were trained on music in 4/4. In another meter they go on from a primer in that meter (the part's own, or
a bar or two by rules), and count and look back by its bars.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.generators import endings, harmony
from engine.generators.chance import stream
from engine.generators.contract import Link, Request
from engine.generators.expression import drummed, sung, with_velocities
from engine.generators.neural.continuation import new_notes, past_of, rnn_of
from engine.generators.neural.fitting import Snaps, fitted_melody, kick_with, on_rhythm
from engine.generators.neural.judging import ATTEMPTS, best, judged_drums, judged_melody
from engine.generators.neural.settings import DrumsRnnSettings, ImprovRnnSettings, MelodyRnnSettings, SungSettings
from engine.generators.rules.drum_rules import DrumRules, DrumRulesSettings
from engine.generators.rules.melody_rules import MelodyRules, MelodyRulesSettings
from engine.networks.contract import NO_CONDITIONS, Conditions
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance


class DrumsRnnGenerator:
    """Drums RNN for `Role.DRUMS`; the kick joins `Link.RHYTHM`.

    Velocities are by rule (meter, drum, phrase), since its events have none.
    """

    def __init__(self, settings: DrumsRnnSettings) -> None:
        self.network = rnn_of("drums_rnn", settings.config, settings.weights)

    def generate(self, request: Request[DrumsRnnSettings]) -> Phrase:
        """The next bars of drums.

        Raises:
            PerpetuumError: silence or noise in every attempt.
        """

        def attempt(number: int) -> list[np.ndarray]:
            past = past_of(request, _drums_by_rules, fresh=number == ATTEMPTS - 1)
            return [kick_with(made, request) for made in new_notes(self.network, past, request, number)]

        notes = best(attempt, judged_drums, request)
        velocities = drummed(notes, request.meter, request.beats, stream(request.seed, "velocity"))
        return Phrase.of(
            with_velocities(notes, velocities), request.beats, Provenance("drums_rnn", Origin.NETWORK, request.seed)
        )


class MelodyRnnGenerator:
    """Melody RNN for `Role.MELODY`, fitted to the key, and to `Link.CHORDS` and `Link.RHYTHM` if it has them."""

    def __init__(self, settings: MelodyRnnSettings) -> None:
        self.network = rnn_of("melody_rnn", settings.config, settings.weights)

    def generate(self, request: Request[MelodyRnnSettings]) -> Phrase:
        """The next bars of melody: its last note is a tone of rest, and a section's last phrase ends before a rest.

        Raises:
            PerpetuumError: silence, or a note repeated without end, in every attempt.
        """
        return _sung("melody_rnn", self.network, request, lambda past: NO_CONDITIONS)


class ImprovRnnGenerator:
    """Improv RNN for `Role.MELODY`, over the chords of `Link.CHORDS` (the tonic without)."""

    def __init__(self, settings: ImprovRnnSettings) -> None:
        self.network = rnn_of("improv_rnn", settings.config, settings.weights)

    def generate(self, request: Request[ImprovRnnSettings]) -> Phrase:
        """The next bars of melody, over chords that the network knows beforehand.

        Raises:
            PerpetuumError: as `MelodyRnnGenerator.generate`.
        """
        spans = harmony.chords_under(request)

        def conditions(past: Phrase) -> Conditions:
            heard = past.chords or harmony.heard(past, request.meter, past.length)
            before = [ChordSpan(span.start, min(span.end, past.length), span.chord) for span in heard]
            after = [span.moved(past.length) for span in spans]
            # The control of a step is the chord of the event to come: one beyond the end is asked for, too.
            last = after[-1]
            return Conditions(chords=(*before, *after, ChordSpan(last.end, last.end + 1.0, last.chord)))

        return _sung("improv_rnn", self.network, request, conditions)


def _sung(
    name: str,
    network: EventSequenceRnn,
    request: Request[SungSettings],
    conditions: Callable[[Phrase], Conditions],
) -> Phrase:
    settings = request.settings
    spans = harmony.chords_under(request)
    follows_chords = Link.CHORDS in request.sources
    snaps = Snaps()

    def attempt(number: int) -> list[np.ndarray]:
        past = past_of(request, _melody_by_rules, fresh=number == ATTEMPTS - 1)
        made = new_notes(network, past, request, number, conditions(past))
        fitted = [fitted_melody(notes, request, settings.range, spans if follows_chords else None) for notes in made]
        return [snaps.kept(on_rhythm(one.notes, request), one.snapped) for one in fitted]

    notes = best(attempt, judged_melody, request)
    provenance = Provenance(name, Origin.NETWORK, request.seed, snapped=snaps.of(notes))
    arrive = Link.RHYTHM not in request.sources
    notes = endings.close(notes, request, spans, settings.range, settings.breath, arrive)
    velocities = sung(notes, request.meter, request.beats, stream(request.seed, "velocity"))
    meant = spans if follows_chords else ()
    return Phrase.of(with_velocities(notes, velocities), request.beats, provenance, meant)


def _drums_by_rules(request: Request[DrumsRnnSettings]) -> Phrase:
    settings = DrumRulesSettings().model_copy(update={"fills": 0.0})
    return DrumRules(settings).generate(request.with_settings(settings))


def _melody_by_rules(request: Request[SungSettings]) -> Phrase:
    # Not quite always recalled, or the theme would never be another, however long a scene plays.
    changes = {"range": request.settings.range, "breath": 0.0, "recall": 0.999}
    settings = MelodyRulesSettings().model_copy(update=changes)
    return MelodyRules(settings).generate(request.with_settings(settings))

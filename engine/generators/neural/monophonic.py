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
from engine.generators.neural.leading import CANDIDATES, leading
from engine.generators.neural.settings import DrumsRnnSettings, ImprovRnnSettings, MelodyRnnSettings, SungSettings
from engine.generators.rules.drum_rules import DrumRules, DrumRulesSettings
from engine.generators.rules.melody_rules import MelodyRules, MelodyRulesSettings
from engine.generators.statement import marked
from engine.ideas import kinship
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

        taken = request.taken

        def attempt(number: int) -> list[np.ndarray]:
            past = past_of(request, _drums_by_rules, fresh=number == ATTEMPTS - 1)
            count = CANDIDATES if taken is not None else 1
            found = new_notes(self.network, past, request, number, candidates=count)
            if taken is not None:
                found.sort(key=lambda notes: -kinship.rhythmic(notes, past.notes, past.length))
            return [kick_with(made, request) for made in found]

        notes = best(attempt, judged_drums, request)
        velocities = drummed(notes, request.meter, request.beats, stream(request.seed, "velocity"))
        made = with_velocities(notes, velocities)
        return marked(Phrase.of(made, request.beats, Provenance("drums_rnn", Origin.NETWORK, request.seed)), request)


class MelodyRnnGenerator:
    """Melody RNN for `Role.MELODY`, fitted to the key, and to `Link.CHORDS` and `Link.RHYTHM` if it has them."""

    def __init__(self, settings: MelodyRnnSettings) -> None:
        self.network = rnn_of("melody_rnn", settings.config, settings.weights)

    def generate(self, request: Request[MelodyRnnSettings]) -> Phrase:
        """The next bars of melody: its last note is a tone of rest, and a section's last phrase ends before a rest.

        Raises:
            PerpetuumError: silence, or a note repeated without end, in every attempt.
        """
        return _sung("melody_rnn", self.network, request, lambda past, asked: NO_CONDITIONS)


class ImprovRnnGenerator:
    """Improv RNN for `Role.MELODY`, over the chords of `Link.CHORDS` (the tonic without)."""

    def __init__(self, settings: ImprovRnnSettings) -> None:
        self.network = rnn_of("improv_rnn", settings.config, settings.weights)

    def generate(self, request: Request[ImprovRnnSettings]) -> Phrase:
        """The next bars of melody, over chords that the network knows beforehand.

        Raises:
            PerpetuumError: as `MelodyRnnGenerator.generate`.
        """

        def conditions(past: Phrase, asked: Request[SungSettings]) -> Conditions:
            spans = harmony.chords_under(asked)
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
    conditions: Callable[[Phrase, Request[SungSettings]], Conditions],
) -> Phrase:
    settings = request.settings
    lead = leading(request, settings.range)
    asked = request if lead is None else lead.rest
    spans = harmony.chords_under(request)
    follows_chords = Link.CHORDS in request.sources
    ahead = harmony.chords_under(asked) if follows_chords else None
    snaps = Snaps()

    def attempt(number: int) -> list[np.ndarray]:
        fresh = number == ATTEMPTS - 1
        past = lead.past if lead is not None and not fresh else past_of(asked, _melody_by_rules, fresh)
        count = CANDIDATES if lead is not None else 1
        made = new_notes(network, past, asked, number, conditions(past, asked), count)
        fitted = [fitted_melody(notes, asked, settings.range, ahead) for notes in made]
        found = [snaps.kept(one.notes, one.snapped) for one in fitted]
        if lead is not None:
            found = [snaps.kept(lead.joined(notes), snaps.of(notes)) for notes in lead.by_kinship(found)]
        return [snaps.kept(on_rhythm(notes, request), snaps.of(notes)) for notes in found]

    notes = best(attempt, judged_melody, request)
    provenance = Provenance(name, Origin.NETWORK, request.seed, snapped=snaps.of(notes))
    arrive = Link.RHYTHM not in request.sources
    notes = endings.close(notes, request, spans, settings.range, settings.breath, arrive)
    velocities = sung(notes, request.meter, request.beats, stream(request.seed, "velocity"))
    meant = spans if follows_chords else ()
    return marked(Phrase.of(with_velocities(notes, velocities), request.beats, provenance, meant), request)


def _drums_by_rules(request: Request[DrumsRnnSettings]) -> Phrase:
    settings = DrumRulesSettings().model_copy(update={"fills": 0.0})
    return DrumRules(settings).generate(request.with_settings(settings))


def _melody_by_rules(request: Request[SungSettings]) -> Phrase:
    changes = {"range": request.settings.range, "breath": 0.0, "recall": 1.0}
    settings = MelodyRulesSettings().model_copy(update=changes)
    return MelodyRules(settings).generate(request.with_settings(settings))

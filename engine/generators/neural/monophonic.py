"""Drums RNN, Melody RNN and Improv RNN as generators: continue what was played, then make it fit its place.

The networks were trained on music in 4/4. In another meter they go on from a primer in that meter (the part's own, or
a bar or two by rules), and count and look back by its bars.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.generators import endings, harmony
from engine.generators.chance import stream
from engine.generators.contract import Link, Request
from engine.generators.expression import drummed, sung, with_velocities
from engine.generators.neural.continuation import new_notes, past_of, rnn_of, typical_for
from engine.generators.neural.curating.candidate import PhraseCandidate
from engine.generators.neural.curating.curator import ATTEMPTS, curated, told
from engine.generators.neural.curating.judging import judged_drums, judged_melody
from engine.generators.neural.curating.qualities import Stand
from engine.generators.neural.curating.typicality import Typical
from engine.generators.neural.fitting import fitted_melody, kick_with, on_rhythm
from engine.generators.neural.leading import leading
from engine.generators.neural.settings import DrumsRnnSettings, ImprovRnnSettings, MelodyRnnSettings, SungSettings
from engine.generators.rules.drum_rules import DrumRules, DrumRulesSettings
from engine.generators.rules.melody_rules import MelodyRules, MelodyRulesSettings
from engine.generators.statement import as_primer, marked
from engine.networks.contract import NO_CONDITIONS, Conditions
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance, moved


class DrumsRnnGenerator:
    """Drums RNN for `Role.DRUMS`; the kick joins `Link.RHYTHM`.

    Velocities are by rule (meter, drum, phrase), since its events have none.
    """

    def __init__(self, settings: DrumsRnnSettings) -> None:
        self.network = rnn_of("drums_rnn", settings.config, settings.weights)
        self.typical = typical_for(settings.config, settings.weights)

    def generate(self, request: Request[DrumsRnnSettings]) -> Phrase:
        """The next bars of drums.

        Raises:
            PerpetuumError: silence or noise in every attempt.
        """

        def attempt(number: int) -> list[PhraseCandidate]:
            past = past_of(request, _drums_by_rules, fresh=number == ATTEMPTS - 1)
            found = new_notes(self.network, past, request, number)
            return [PhraseCandidate(kick_with(notes, request), notes, nats=nats) for notes, nats in found]

        stand = Stand(request, request, idea=as_primer(request), typical=self.typical)
        choice = curated(attempt, judged_drums, request, request.settings.taste, stand)
        notes = choice.candidate.notes
        velocities = drummed(notes, request.meter, request.beats, stream(request.seed, "velocity"))
        provenance = told(Provenance("drums_rnn", Origin.NETWORK, request.seed), choice)
        return marked(Phrase.of(with_velocities(notes, velocities), request.beats, provenance), request)


class MelodyRnnGenerator:
    """Melody RNN for `Role.MELODY`, fitted to the key, and to `Link.CHORDS` and `Link.RHYTHM` if it has them."""

    def __init__(self, settings: MelodyRnnSettings) -> None:
        self.network = rnn_of("melody_rnn", settings.config, settings.weights)
        self.typical = typical_for(settings.config, settings.weights)

    def generate(self, request: Request[MelodyRnnSettings]) -> Phrase:
        """The next bars of melody: its last note is a tone of rest, and a section's last phrase ends before a rest.

        Raises:
            PerpetuumError: silence, or a note repeated without end, in every attempt.
        """
        return _sung("melody_rnn", self.network, self.typical, request, lambda past, asked: NO_CONDITIONS)


class ImprovRnnGenerator:
    """Improv RNN for `Role.MELODY`, over the chords of `Link.CHORDS` (the tonic without)."""

    def __init__(self, settings: ImprovRnnSettings) -> None:
        self.network = rnn_of("improv_rnn", settings.config, settings.weights)
        self.typical = typical_for(settings.config, settings.weights)

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

        return _sung("improv_rnn", self.network, self.typical, request, conditions)


def _sung(
    name: str,
    network: EventSequenceRnn,
    typical: Typical | None,
    request: Request[SungSettings],
    conditions: Callable[[Phrase, Request[SungSettings]], Conditions],
) -> Phrase:
    settings = request.settings
    lead = leading(request, settings.range)
    asked = request if lead is None else lead.rest
    spans = harmony.chords_under(request)
    follows_chords = Link.CHORDS in request.sources
    ahead = harmony.chords_under(asked) if follows_chords else None
    begin = 0.0 if lead is None else lead.head.beats

    def attempt(number: int) -> list[PhraseCandidate]:
        fresh = number == ATTEMPTS - 1
        past = lead.past if lead is not None and not fresh else past_of(asked, _melody_by_rules, fresh)
        found: list[PhraseCandidate] = []
        for notes, nats in new_notes(network, past, asked, number, conditions(past, asked)):
            own, snapped = fitted_melody(notes, asked, settings.range, ahead)
            whole = own if lead is None else lead.joined(own)
            found.append(PhraseCandidate(on_rhythm(whole, request), moved(own, begin), snapped, nats))
        return found

    idea = None if lead is None else lead.past
    stand = Stand(request, asked, begin, settings.range, idea, typical)
    choice = curated(attempt, judged_melody, request, settings.taste, stand)
    provenance = told(Provenance(name, Origin.NETWORK, request.seed), choice)
    arrive = Link.RHYTHM not in request.sources
    notes = endings.close(choice.candidate.notes, request, spans, settings.range, settings.breath, arrive)
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

# pyright: strict
"""The chorale network as a generator: four voices in the key of a part, with cadences where periods end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.generators.chance import pick, stream
from engine.generators.contract import Cadence, Request
from engine.generators.expression import sung, with_velocities
from engine.generators.harmony import heard
from engine.generators.neural.continuation import chorale_of, past_in_key, primer_of, typical_for
from engine.generators.neural.curating.candidate import PhraseCandidate
from engine.generators.neural.curating.curator import ATTEMPTS, curated, told
from engine.generators.neural.curating.judging import judged_voices
from engine.generators.neural.curating.qualities import Stand
from engine.generators.neural.settings import ChoraleSettings
from engine.networks.chorale.encoding import STOP, VOICES
from engine.networks.chorale.notes import line_of, to_notes, voices_of
from engine.networks.chorale.writing import FREE, HOLD, SungPiece, Writing, write
from engine.networks.studio.chorales import into_range
from engine.score.harmony.counterpoint import found, leading_notes
from engine.score.harmony.keys import Key
from engine.score.phrase import Origin, Phrase, Provenance
from engine.score.time import STEPS_PER_BEAT

_SINGERS = ("soprano", "alto", "tenor", "bass")
_UPBEAT = 4
"""Most chorales begin with a beat before the bar line, so that is where the network takes bar lines to be."""
_FOREIGN = -4.0
"""What is added to the logits of pitch classes outside the key where nothing chromatic is wanted."""
_PARALLELS = 4.0
"""Nats that a parallel fifth or octave costs where they are avoided."""
_HIGHEST = 76
"""Where the soprano of the chorales mostly ends, at its 95 per cent."""
_HALF_CLOSE = 0.35
"""Share of the stops within a section that are made on the dominant."""
_LED_BY = (0.3, 0.4, 0.3)
"""How often soprano, alto and tenor have the leading note of a close."""


class ChoraleGenerator:
    """Four voices that go on from what they sang, answer the primer, or sing around it."""

    def __init__(self, settings: ChoraleSettings) -> None:
        self.network = chorale_of("chorale", settings.config, settings.weights)
        self.typical = typical_for(settings.config, settings.weights)

    def generate(self, request: Request[ChoraleSettings]) -> Phrase:
        """The next bars: see `ChoraleSettings`.

        Raises:
            PerpetuumError: silence or babble in every attempt.
        """

        def attempt(number: int) -> list[PhraseCandidate]:
            past = _past(request, fresh=number == ATTEMPTS - 1)
            found: list[PhraseCandidate] = []
            for made in self.pieces(request, number):
                notes, tokens = to_notes(made.piece), made.piece.size
                nats = -made.log_likelihood / max(1, tokens)
                found.append(PhraseCandidate(notes, notes, nats=nats, faults=_faults(made, past, request.key)))
            return found

        stand = Stand(request, request, typical=self.typical, counterpoint=True)
        choice = curated(attempt, judged_voices, request, request.settings.taste, stand)
        notes = choice.candidate.notes
        notes = with_velocities(notes, sung(notes, request.meter, request.beats, stream(request.seed, "velocity")))
        provenance = told(Provenance("chorale", Origin.NETWORK, request.seed), choice)
        phrase = Phrase.of(_apart(notes), request.beats, provenance)
        return replace(phrase, chords=tuple(heard(phrase, request.meter, request.beats)))

    def pieces(self, request: Request[ChoraleSettings], number: int = 0) -> list[SungPiece]:
        """Ways to sing a phrase, where something is given those of most weight first.

        Args:
            request: what is wanted.
            number: of the attempt, 0, 1, ...; the last one leaves the past behind.
        """
        settings, steps = request.settings, round(request.beats * STEPS_PER_BEAT)
        past = _past(request, fresh=number == ATTEMPTS - 1)
        melody = _melody(request, steps)
        given, classes = _plan(request, steps, opening=past is None, rng=stream(request.seed, "closes"))
        if melody is not None:
            voice, line = melody
            given[:, voice] = np.where(line >= 0, line, given[:, voice])
        writing = Writing(
            steps,
            given,
            classes,
            temperature=settings.temperature,
            top_p=settings.top_p,
            particles=settings.candidates,
            passes=settings.passes if melody is not None else 1,
            highest=_HIGHEST,
            rests=False,
            parallels=_PARALLELS if settings.strict else 0.0,
            key_bias=_bias(request.key, settings.chromatic),
        )
        before = 0 if past is None else len(past)
        rng = stream(request.seed, "notes", number)
        return write(self.network, writing, rng, past, phase=(_UPBEAT - before) % 48)


def _faults(made: SungPiece, past: np.ndarray | None, key: Key) -> float:
    """What the judge says of a phrase, how it is come into included."""
    piece = made.piece if past is None else np.concatenate([past[-1:], made.piece])
    return found(piece, key).doubt


def _past(request: Request[ChoraleSettings], fresh: bool) -> np.ndarray | None:
    """[P, 4] what the choir goes on from: its own last bars, or the primer where a section begins; None to begin."""
    settings, history = request.settings, request.history
    bar = request.meter.beats_per_bar
    source = past_in_key(request, history) if history and request.place.bar > 0 and not fresh else None
    if source is None and settings.sings is None:
        source = primer_of(request)
    if source is None or not len(source.notes):
        return None
    length = min(source.length, settings.history * bar)
    recent = source.slice(source.length - length, source.length)
    steps = round(length * STEPS_PER_BEAT)
    return voices_of(recent.notes, steps) if steps and len(recent.notes) else None


def _melody(request: Request[ChoraleSettings], steps: int) -> tuple[int, np.ndarray] | None:
    """The voice that sings the primer, and its line over the phrase, moved into its range by octaves."""
    sings = request.settings.sings
    primer = primer_of(request) if sings is not None else None
    if primer is None or sings is None:
        return None
    times = int(np.ceil(request.beats / primer.length))
    song = Phrase.concatenate([primer] * times).slice(0.0, request.beats)
    if not len(song.notes):
        return None
    voice, line = _SINGERS.index(sings), line_of(song.notes, steps)
    shift = into_range(line, voice, octaves_only=True)
    return voice, np.where(line >= 0, line + shift, line)


def _plan(
    request: Request[ChoraleSettings], steps: int, opening: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """What is given of a phrase: [steps, 4] as `Writing.given`, and the pitch classes [steps, 4, 12] of its stops.

    A stop is a chord of the tonic with its root in the bass, led to by the dominant with the leading note, or within a
    section sometimes the dominant. Where a cadence is due it is that one, plagal ones with the subdominant before them.
    """
    given = np.full((steps, VOICES), FREE, np.int64)
    classes = np.ones((steps, VOICES, 12), bool)
    key, period, bar = request.key, request.settings.period, request.meter.steps_per_bar
    tonic, dominant = _triad(key, 0), _triad(key, 7)
    cadences = dict(request.cadences)
    if opening:
        _chord(classes, slice(0, min(STEPS_PER_BEAT, steps)), tonic, key.tonic)
    if not period:
        return given, classes
    for number in range(request.bars):
        end = (number + 1) * bar
        due = cadences.get(number + 1)
        if due is None and (request.place.bar + number + 1) % period:
            continue
        begin = end - min(STOP, bar)
        given[begin + 1 : end] = HOLD
        if due is Cadence.HALF or (due is None and rng.random() < _HALF_CLOSE):
            _chord(classes, slice(begin, begin + 1), dominant, (key.tonic + 7) % 12)
            continue
        _chord(classes, slice(begin, begin + 1), tonic, key.tonic)
        led = leading_notes(key)
        before = slice(begin - STEPS_PER_BEAT, begin)
        if begin >= STEPS_PER_BEAT and due is Cadence.PLAGAL:
            _chord(classes, before, _triad(key, 5), (key.tonic + 5) % 12)
        elif begin >= STEPS_PER_BEAT and led:
            _chord(classes, before, (*dominant, (key.tonic + 5) % 12), (key.tonic + 7) % 12)
            voice = pick(rng, (0, 1, 2), _LED_BY)
            classes[before, voice] = np.arange(12) == led[0]
    return given, classes


def _chord(classes: np.ndarray, steps: slice, tones: tuple[int, ...], root: int) -> None:
    classes[steps, : VOICES - 1] = np.isin(np.arange(12), tones)
    classes[steps, VOICES - 1] = np.arange(12) == root


def _triad(key: Key, above: int) -> tuple[int, ...]:
    """Pitch classes of the triad on the tonic (0), the subdominant (5) or the dominant (7), that with the leading note
    where there is one.
    """
    root = (key.tonic + above) % 12
    if above == 7:
        led = leading_notes(key)
        third = led[0] if led else (root + 3) % 12
    else:
        third = (root + 4) % 12 if (root + 4) % 12 in key else (root + 3) % 12
    return root, third, (root + 7) % 12


def _bias(key: Key, chromatic: float) -> np.ndarray:
    """[12] what is added to the logits of pitch classes; the leading note, and in minor the sixth under it, belong."""
    led = leading_notes(key)
    minor = (key.tonic + 3) % 12 in key and bool(led)
    home = {*key.scale, *led, *(((key.tonic + 9) % 12,) if minor else ())}
    return np.array([0.0 if pitch in home else _FOREIGN * (1.0 - chromatic) for pitch in range(12)])


def _apart(notes: np.ndarray) -> np.ndarray:
    """Notes without the second of two that begin together on one pitch: a unison is heard once."""
    rows = np.stack([notes["start"], notes["pitch"]], axis=1)
    order = np.lexsort((-notes["end"], notes["pitch"], notes["start"]))
    _, first = np.unique(rows[order], axis=0, return_index=True)
    return notes[np.sort(order[first])]

"""MusicVAE as a generator: a phrase is what lies at its place on a way through the latent space.

Music is made in windows of the network's length, counted from the start of the section; a phrase is cut out of them.
Along a way all windows draw the same chances, so that near points sound alike however high the temperature. Where
nothing that can be played lies at a place, what lies further along the way is played.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError
from engine.generators import endings, harmony
from engine.generators.chance import stream
from engine.generators.contract import Link, Request, Role
from engine.generators.expression import drummed, sung, with_velocities
from engine.generators.neural.continuation import primer_of, vae_of
from engine.generators.neural.curating.candidate import PhraseCandidate
from engine.generators.neural.curating.curator import ATTEMPTS, curated, told
from engine.generators.neural.curating.judging import judged_bass, judged_drums, judged_drums_of_a_way, judged_melody
from engine.generators.neural.curating.qualities import Stand
from engine.generators.neural.fitting import fitted_melody, kick_with, on_rhythm
from engine.generators.neural.settings import MusicVaeSettings
from engine.generators.neural.vae.latent_way import latent_at, numbered_point
from engine.generators.statement import fitted, marked
from engine.ideas.idea import Idea, IdeaKind, TakenUp, Variation
from engine.ideas.varying import length_of, shift_between, varied
from engine.networks.sphere import slerp
from engine.networks.vae.converters.melody import MelodyConverter
from engine.networks.vae.converters.trio import TrioConverter
from engine.score.midi.reading import read_piece
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance, moved
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT
from engine.score.voices import melody_track
from engine.units import PitchRange

_RANGES = {Role.MELODY: PitchRange(57, 83), Role.BASS: PitchRange(28, 50)}
_JUDGES = {Role.DRUMS: judged_drums, Role.BASS: judged_bass}
_TRIO_PLACES = {Role.MELODY: 0, Role.BASS: 1, Role.DRUMS: 2}
_PLACES = 8
"""Attempts on a walk: the first ones where it is, the others further along."""
_KEPT = 12
"""Windows that are kept: three parts of a trio ask for the same ones."""


class MusicVaeGenerator:
    """MusicVAE for melody, bass or drums, fitted to key, chords and rhythm; a trio's parts share its windows."""

    def __init__(self, settings: MusicVaeSettings) -> None:
        self.network = vae_of("music_vae", settings.config, settings.weights)
        self._converter = self.network.config.make_converter()
        self._kept: OrderedDict[object, tuple[Track, ...]] = OrderedDict()
        self._files: dict[str, np.ndarray] = {}

    def beside(self) -> MusicVaeGenerator:
        """Another one, for another thread, of the same network, and with a memory of its own."""
        other = copy(self)
        other._kept, other._files = OrderedDict(), {}
        return other

    def generate(self, request: Request[MusicVaeSettings]) -> Phrase:
        """The bars at the request's place on its way.

        Raises:
            PerpetuumError: silence or noise in every attempt, or a MIDI file of the points has gone or cannot be heard;
                or the network does not know the meter.
        """
        settings = request.settings
        if reason := self.network.config.allows(request.meter.steps_per_bar):
            raise PerpetuumError(f"part {request.part!r}: {reason}")
        points = self._points(request, settings)
        led = self._led(request, settings)
        back = self._back(request, settings, points)
        spans = harmony.chords_under(request)
        follows_chords = Link.CHORDS in request.sources
        drums = request.role is Role.DRUMS
        walks = settings.mode == "walk"
        turns = drums and request.closes is not None and request.bars > 1

        def attempt(number: int) -> list[PhraseCandidate]:
            if led is not None and number < ATTEMPTS - 1:
                count = settings.candidates
                found = self._cut(request, settings, led, spans, range(number * count, (number + 1) * count))
                return [_led_candidate(notes, request, span) for notes in (_turned(found, request) if turns else found)]
            # Along a way all windows draw the same chances, so that there is one phrase at a place.
            numbers = [number]
            # Of a trio the drums alone turn around: what it samples, its parts must draw alike.
            if turns or (settings.mode == "sample" and not isinstance(self._converter, TrioConverter)):
                numbers = range(number * settings.candidates, (number + 1) * settings.candidates)
            heard = spans if follows_chords else None
            # Where none of several draws can be played, nearby places seldom help: what lies a pace further might.
            further = max(0, number + 1 - ATTEMPTS) * settings.pace if walks else 0
            then = back if not further else None
            place = then or (lambda begin: self._way(request, settings, points, begin + further))
            found = self._cut(request, settings, place, spans, numbers)
            found = _turned(found, request) if turns else found
            if then is not None and not drums:
                found = [_in_the_key(notes, request) for notes in found]
            return [_free_candidate(notes, request, span, heard, settings.in_key) for notes in found]

        span = settings.range or _RANGES.get(request.role, _RANGES[Role.MELODY])
        idea = request.taken.idea.phrase if led is not None and request.taken is not None else None
        stand = Stand(request, request, span=None if drums else span, idea=idea)
        judge = judged_drums_of_a_way if drums and walks else _JUDGES.get(request.role, judged_melody)
        choice = curated(attempt, judge, request, settings.taste, stand, _PLACES if walks else ATTEMPTS)
        notes = choice.candidate.notes
        rng = stream(request.seed, "velocity")
        provenance = told(Provenance("music_vae", Origin.NETWORK, request.seed), choice)
        if drums:
            velocities = drummed(notes, request.meter, request.beats, rng)
            made = Phrase.of(with_velocities(notes, velocities), request.beats, provenance)
            return made if led is None and back is None else marked(made, request)
        if request.role is Role.MELODY:
            arrive = Link.RHYTHM not in request.sources
            notes = endings.close(notes, request, spans, span, settings.breath, arrive)
        elif request.role is Role.BASS:
            notes = endings.close_voices(notes, request, spans, span)
        velocities = sung(notes, request.meter, request.beats, rng)
        meant = spans if follows_chords else ()
        made = Phrase.of(with_velocities(notes, velocities), request.beats, provenance, meant)
        return made if led is None and back is None else marked(made, request)

    def _back(
        self, request: Request, settings: MusicVaeSettings, points: list[np.ndarray]
    ) -> Callable[[int], np.ndarray] | None:
        """Where the way of the part was when the idea was heard that the phrase takes up, by the bar that a window
        begins at; `towards` is a way from there to where it was with another. None where the phrase takes up no place.
        """
        taken = request.taken
        if taken is None or taken.idea.kind is not IdeaKind.POINT or not settings.shared_way:
            return None

        def then(idea: Idea, begin: int) -> np.ndarray:
            place = replace(request.place, first_bar=idea.first_bar, bar=0)
            return self._way(replace(request, place=place), settings, points, begin - request.place.bar)

        def at(begin: int) -> np.ndarray:
            if taken.other is None:
                return then(taken.idea, begin)
            return slerp(then(taken.idea, begin), then(taken.other, begin), 0.5 * taken.amount).astype(np.float32)

        return at

    def _led(self, request: Request, settings: MusicVaeSettings) -> Callable[[int], np.ndarray] | None:
        """Where the idea that the phrase takes up lies, by the bar that a window begins at; None where it is free.

        The idea is varied as notes, and heard by the network; `towards` is a way through its space.
        """
        taken = request.taken
        if taken is None or not self.network.hears or isinstance(self._converter, TrioConverter):
            return None
        bars = max(1, self._converter.steps // request.meter.steps_per_bar)
        length = bars * request.meter.beats_per_bar

        def whole(idea: Idea, variation: Variation) -> Phrase | None:
            as_it_was = TakenUp(idea, variation, taken.amount)
            notes = varied(as_it_was, idea.key, stream(request.seed, "variation"))
            beats = np.ceil(length_of(as_it_was) / request.meter.beats_per_bar - 1e-9) * request.meter.beats_per_bar
            notes = notes[notes["start"] < beats]
            if not len(notes):
                return None
            found = Phrase.of(notes, beats, idea.phrase.provenance)
            return Phrase.concatenate([found] * int(np.ceil(length / beats)))

        towards = taken.other is not None
        music = whole(taken.idea, Variation.EXACT if towards else taken.variation)
        goal = whole(taken.other, Variation.EXACT) if taken.other is not None else None
        if music is None:
            return None

        def at(begin: int) -> np.ndarray:
            bar = max(0, begin - request.place.bar)
            z = self._point_of(music, bar, request)
            if goal is None:
                return z
            return slerp(z, self._point_of(goal, bar, request), 0.5 * taken.amount).astype(np.float32)

        return at

    def _point_of(self, music: Phrase, bar: int, request: Request) -> np.ndarray:
        """The latent vector [Z] of a window of music that begins at a bar; it is repeated without end."""
        length = self._converter.steps / STEPS_PER_BEAT
        begin = bar * request.meter.beats_per_bar % music.length
        around = Phrase.concatenate([music, music]).slice(begin, begin + min(length, music.length))
        if not len(around.notes):
            around = music
        track = Track(around.notes, is_drum=request.role is Role.DRUMS)
        return self._heard(Piece((track,), request.qpm, request.meter, chords=around.chords), whole=True)

    def _way(self, request: Request, settings: MusicVaeSettings, points: list[np.ndarray], begin: int) -> np.ndarray:
        """Where the way of the part is in the window that begins at a bar."""
        bars = max(1, self._converter.steps // request.meter.steps_per_bar)
        seed = self._seed(request, settings)
        return latent_at(settings, request.place, begin, bars, points, self.network.latent_size, seed)

    def _seed(self, request: Request, settings: MusicVaeSettings) -> list[object]:
        """What decides the way of a part, or of the parts of a trio."""
        seed: list[object] = [request.theme] if settings.way is None else [settings.way, "way"]
        if settings.way is None and not isinstance(self._converter, TrioConverter):
            seed.append(request.part)
        return seed

    def _cut(
        self,
        request: Request,
        settings: MusicVaeSettings,
        place: Callable[[int], np.ndarray],
        spans: tuple[ChordSpan, ...],
        numbers: Sequence[int],
    ) -> list[np.ndarray]:
        """The notes that start in the phrase, out of the windows that cover it, for each of some draws of chance."""
        bar = request.meter.beats_per_bar
        bars = max(1, self._converter.steps // request.meter.steps_per_bar)
        first = request.place.bar // bars * bars
        parts: list[list[np.ndarray]] = [[] for _ in numbers]
        which = _TRIO_PLACES.get(request.role, 0) if isinstance(self._converter, TrioConverter) else 0
        for begin in range(first, request.place.bar + request.bars, bars):
            windows = self._windows(request, settings, place(begin), spans, begin, bars, numbers)
            for found, tracks in zip(parts, windows, strict=True):
                found.append(moved(tracks[which].notes, (begin - request.place.bar) * bar))
        return [_within(np.concatenate(found), request.beats) for found in parts]

    def _windows(
        self,
        request: Request,
        settings: MusicVaeSettings,
        z: np.ndarray,
        spans: tuple[ChordSpan, ...],
        begin: int,
        bars: int,
        numbers: Sequence[int],
    ) -> list[tuple[Track, ...]]:
        """The music of the window that begins at a bar of the section, at a place in the network's space, for each of
        some draws of chance; those that are not kept are decoded in one batch."""
        seed = self._seed(request, settings)
        steps = bars * request.meter.steps_per_bar
        beats = (begin - request.place.bar) * request.meter.beats_per_bar
        controls = self._converter.controls(steps, _over_window(spans, beats, steps / STEPS_PER_BEAT))
        told = None if controls is None else controls.tobytes()
        where = (request.place.pass_index, begin) if settings.mode == "sample" else ()
        chances = [[*seed, "noise", number, *where] for number in numbers]
        names = [(z.tobytes(), settings.temperature, steps, told, *chance) for chance in chances]
        found = {name: self._kept.pop(name) for name in names if name in self._kept}
        missing = [place for place, name in enumerate(names) if name not in found]
        if missing:
            rngs = [stream(*_seed_and_words(chances[place])) for place in missing]
            outputs = self.network.decode(np.repeat(z[None], len(rngs), 0), steps, controls, settings.temperature, rngs)
            made = zip(missing, outputs, strict=True)
            found |= {names[place]: self._converter.to_tracks(output) for place, output in made}
        self._kept |= found
        while len(self._kept) > max(_KEPT, len(names)):
            self._kept.popitem(last=False)
        return [found[name] for name in names]

    def _points(self, request: Request, settings: MusicVaeSettings) -> list[np.ndarray]:
        if settings.mode == "sample":
            return []
        points = []
        primer = primer_of(request)
        if primer is not None and self.network.hears:
            # A bar of drums is written to be repeated; silence behind it would be another idea.
            times = int(np.ceil(self._converter.steps / STEPS_PER_BEAT / primer.length))
            primer = Phrase.concatenate([primer] * max(1, times))
            program = 33 if request.role is Role.BASS and isinstance(self._converter, TrioConverter) else 0
            track = Track(primer.notes, program=program, is_drum=request.role is Role.DRUMS)
            piece = Piece((track,), request.qpm, request.meter, chords=primer.chords)
            points.append(self._heard(piece))
        for point in settings.points:
            if isinstance(point, int):
                points.append(numbered_point(point, self.network.latent_size))
                continue
            if point not in self._files:
                self._files[point] = self._heard(read_piece(Path(point)))
            points.append(self._files[point])
        return points

    def _heard(self, piece: Piece, whole: bool = False) -> np.ndarray:
        """The latent vector [Z] of the first bars of a piece: from the bar of its first note on, or its very start."""
        if not self.network.hears:
            raise PerpetuumError(
                f"these weights of {self.network.config.name} are a decoder alone, which cannot hear music",
                "take weights with an encoder, or points that are numbers",
            )
        if isinstance(self._converter, MelodyConverter):
            piece = Piece((melody_track(piece),), piece.qpm, piece.meter, piece.chords)
        bar = piece.meter.beats_per_bar
        starts = [float(track.notes["start"].min()) for track in piece.tracks if len(track.notes)]
        start = 0.0 if whole else min(starts, default=0.0)
        steps = max(1, self._converter.steps // piece.meter.steps_per_bar) * piece.meter.steps_per_bar
        heard = self._converter.window(piece, start // bar * bar, min(steps, self._converter.steps))
        controls = None if heard.controls is None else heard.controls[None]
        return self.network.encode(heard.inputs[None], controls=controls)[0][0]


def _over_window(spans: tuple[ChordSpan, ...], begin: float, beats: float) -> list[ChordSpan]:
    """Chords in beats from the start of a window; what is not known before and after is like what is nearest."""
    found = [span.moved(-begin) for span in spans]
    first, last = found[0], found[-1]
    found[0] = replace(first, start=min(0.0, first.start))
    found[-1] = replace(found[-1], end=max(beats, last.end))
    return found


def _seed_and_words(chance: Sequence[object]) -> tuple[int, *tuple[object, ...]]:
    seed, *words = chance
    assert isinstance(seed, int)
    return seed, *words


def _within(notes: np.ndarray, beats: float) -> np.ndarray:
    """The notes that start in a phrase."""
    notes = notes[(notes["start"] >= -1e-9) & (notes["start"] < beats - 1e-9)]
    notes["start"] = np.maximum(notes["start"], 0.0)
    return notes


def _turned(found: list[np.ndarray], request: Request) -> list[np.ndarray]:
    """The first way to play a phrase of drums, as it is and with the last bars of the others, to turn around by."""
    line = request.beats - request.meter.beats_per_bar - 1e-9
    first = found[0]
    turns = (np.concatenate([first[first["start"] < line], other[other["start"] >= line]]) for other in found[1:])
    return [first, *turns]


def _led_candidate(notes: np.ndarray, request: Request, span: PitchRange) -> PhraseCandidate:
    """What the network plays at an idea's place in its space, as it would be played."""
    if request.role is Role.DRUMS:
        return PhraseCandidate(kick_with(notes, request), notes)
    if not len(notes):
        return PhraseCandidate(notes, notes)
    made = fitted(_in_the_key(notes, request), request, span)[0]
    return PhraseCandidate(on_rhythm(made, request), made)


def _in_the_key(notes: np.ndarray, request: Request) -> np.ndarray:
    """Notes of the idea that a phrase takes up, in the key of the phrase."""
    assert request.taken is not None
    notes = notes.copy()
    notes["pitch"] = np.clip(notes["pitch"] + shift_between(request.taken.idea.key, request.key), 0, 127)
    return notes


def _free_candidate(
    notes: np.ndarray, request: Request, span: PitchRange, spans: tuple[ChordSpan, ...] | None, in_key: bool
) -> PhraseCandidate:
    """What the network plays at a place of a way, as it would be played."""
    if request.role is Role.DRUMS:
        return PhraseCandidate(kick_with(notes, request), notes)
    made, snapped = fitted_melody(notes, request, span, spans, in_key)
    return PhraseCandidate(on_rhythm(made, request), made, snapped)

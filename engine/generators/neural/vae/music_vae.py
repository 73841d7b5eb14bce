"""MusicVAE as a generator: a phrase is what lies at its place on a way through the latent space.

Music is made in windows of the network's length, counted from the start of the section; a phrase is cut out of them.
Along a way all windows draw the same chances, so that near points sound alike however high the temperature.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError
from engine.generators import endings, harmony
from engine.generators.chance import stream
from engine.generators.contract import Link, Request, Role
from engine.generators.expression import drummed, sung, with_velocities
from engine.generators.neural.continuation import primer_of, vae_of
from engine.generators.neural.fitting import Snaps, fitted_melody, kick_with, on_rhythm
from engine.generators.neural.judging import best, judged_drums, judged_melody
from engine.generators.neural.settings import MusicVaeSettings
from engine.generators.neural.vae.latent_way import latent_at, numbered_point
from engine.networks.vae.converters.melody import MelodyConverter
from engine.networks.vae.converters.trio import TrioConverter
from engine.score.midi.reading import read_piece
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance, moved
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT
from engine.score.voices import melody_track
from engine.units import PitchRange

_RANGES = {Role.MELODY: PitchRange(57, 83), Role.BASS: PitchRange(28, 50)}
_TRIO_PLACES = {Role.MELODY: 0, Role.BASS: 1, Role.DRUMS: 2}
_KEPT = 12
"""Windows that are kept: three parts of a trio ask for the same ones."""


class MusicVaeGenerator:
    """MusicVAE for melody, bass or drums, fitted to key, chords and rhythm; a trio's parts share its windows."""

    def __init__(self, settings: MusicVaeSettings) -> None:
        self.network = vae_of("music_vae", settings.config, settings.weights)
        self._converter = self.network.config.make_converter()
        self._kept: OrderedDict[object, tuple[Track, ...]] = OrderedDict()
        self._files: dict[str, np.ndarray] = {}

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
        spans = harmony.chords_under(request)
        follows_chords = Link.CHORDS in request.sources
        snaps = Snaps()

        def attempt(number: int) -> list[np.ndarray]:
            notes = self._cut(request, settings, points, spans, number)
            if request.role is Role.DRUMS:
                return [kick_with(notes, request)]
            fitted = fitted_melody(notes, request, span, spans if follows_chords else None, settings.in_key)
            return [snaps.kept(on_rhythm(fitted.notes, request), fitted.snapped)]

        rng = stream(request.seed, "velocity")
        provenance = Provenance("music_vae", Origin.NETWORK, request.seed)
        if request.role is Role.DRUMS:
            notes = best(attempt, judged_drums, request)
            velocities = drummed(notes, request.meter, request.beats, rng)
            return Phrase.of(with_velocities(notes, velocities), request.beats, provenance)
        span = settings.range or _RANGES.get(request.role, _RANGES[Role.MELODY])
        notes = best(attempt, judged_melody, request)
        provenance = replace(provenance, snapped=snaps.of(notes))
        if request.role is Role.MELODY:
            arrive = Link.RHYTHM not in request.sources
            notes = endings.close(notes, request, spans, span, settings.breath, arrive)
        velocities = sung(notes, request.meter, request.beats, rng)
        meant = spans if follows_chords else ()
        return Phrase.of(with_velocities(notes, velocities), request.beats, provenance, meant)

    def _cut(
        self,
        request: Request,
        settings: MusicVaeSettings,
        points: list[np.ndarray],
        spans: tuple[ChordSpan, ...],
        number: int,
    ) -> np.ndarray:
        """The notes that start in the phrase, out of the windows that cover it."""
        bar = request.meter.beats_per_bar
        bars = max(1, self._converter.steps // request.meter.steps_per_bar)
        first = request.place.bar // bars * bars
        found = []
        for begin in range(first, request.place.bar + request.bars, bars):
            tracks = self._window(request, settings, points, spans, begin, bars, number)
            places = _TRIO_PLACES if isinstance(self._converter, TrioConverter) else {}
            found.append(moved(tracks[places.get(request.role, 0)].notes, (begin - request.place.bar) * bar))
        notes = np.concatenate(found)
        notes = notes[(notes["start"] >= -1e-9) & (notes["start"] < request.beats - 1e-9)]
        notes["start"] = np.maximum(notes["start"], 0.0)
        return notes

    def _window(
        self,
        request: Request,
        settings: MusicVaeSettings,
        points: list[np.ndarray],
        spans: tuple[ChordSpan, ...],
        begin: int,
        bars: int,
        number: int,
    ) -> tuple[Track, ...]:
        """The music of the window that begins at a bar of the section."""
        seed: list[object] = [request.theme] if settings.way is None else [settings.way, "way"]
        if settings.way is None and not isinstance(self._converter, TrioConverter):
            seed.append(request.part)
        z = latent_at(settings, request.place, begin, bars, points, self.network.latent_size, seed)
        steps = bars * request.meter.steps_per_bar
        beats = (begin - request.place.bar) * request.meter.beats_per_bar
        controls = self._converter.controls(steps, _over_window(spans, beats, steps / STEPS_PER_BEAT))
        chance = [*seed, "noise", number, *((request.place.pass_index, begin) if settings.mode == "sample" else ())]
        name = (z.tobytes(), settings.temperature, steps, None if controls is None else controls.tobytes(), *chance)
        tracks = self._kept.pop(name, None)
        if tracks is None:
            base, *words = chance
            assert isinstance(base, int)
            outputs = self.network.decode(z[None], steps, controls, settings.temperature, stream(base, *words))
            tracks = self._converter.to_tracks(outputs[0])
        self._kept[name] = tracks
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return tracks

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

    def _heard(self, piece: Piece) -> np.ndarray:
        """The latent vector [Z] of the first bars of a piece, from the bar of its first note on."""
        if not self.network.hears:
            raise PerpetuumError(
                f"these weights of {self.network.config.name} are a decoder alone, which cannot hear music",
                "take weights with an encoder, or points that are numbers",
            )
        if isinstance(self._converter, MelodyConverter):
            piece = Piece((melody_track(piece),), piece.qpm, piece.meter, piece.chords)
        bar = piece.meter.beats_per_bar
        start = min((float(track.notes["start"].min()) for track in piece.tracks if len(track.notes)), default=0.0)
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

"""Music out of the latent space of a MusicVAE: new, or between two pieces.

Source: Roberts et al., "A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music" (2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.studio.hearing import drums_of, tune_of
from engine.networks.studio.made import MadePiece
from engine.networks.vae import operations
from engine.networks.vae.converters import Converter, Slice
from engine.networks.vae.converters.contract import STEPS_PER_BAR, step_of
from engine.networks.vae.converters.melody import HIGHEST, LOWEST, MelodyConverter, in_range
from engine.networks.vae.converters.trio import TrioConverter
from engine.networks.vae.fitting import fit_latent
from engine.networks.vae.music_vae import MusicVae
from engine.progress import part, tell
from engine.score.phrase import ChordSpan, moved
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT
from engine.score.voices import MelodyVoice, from_0

MOST_WINDOWS = 64
"""Windows of an example's length that are heard of a piece."""


def interpolate_pieces(
    network: MusicVae,
    first: Piece,
    last: Piece,
    steps: int,
    rng: np.random.Generator,
    temperature: float | None = None,
    track: str | None = None,
    voice: MelodyVoice = MelodyVoice.SKYLINE,
) -> list[MadePiece]:
    """Pieces from one to another: points on the great circle between what the network takes them for.

    Music that is longer than an example is heard in windows, one after another, of the length of an example; each is
    interpolated with the one beside it, and they are joined again. The shorter piece is heard from its beginning again
    until the longer one ends.

    Args:
        network: of the family music_vae or groovae. Where weights have no encoder, the latent vectors are searched for
            by gradient descent, which takes seconds.
        first, last: they are heard from the bar of their first note on, up to `MOST_WINDOWS`.
        steps: how many pieces come out; the first and the last are what the network makes of the given ones.
        rng: source of chance; not asked without a temperature.
        temperature: None for the likeliest notes.
        track: name or number of the track that is heard; None for the one that fits best.
        voice: what is left of chords, for a network that knows one note at a time.

    Raises:
        PerpetuumError: a piece has nothing of the network's kind, or nothing in its range; or these weights have no
            encoder and no decoder that can be searched.
    """
    converter = network.config.make_converter()
    ends = []
    for name, piece in (("first", first), ("last", last)):
        try:
            ends.append(_heard(network, converter, piece, track, voice))
        except PerpetuumError as error:
            raise PerpetuumError(f"the {name} piece: {error.message}", error.hint) from error
    remarks, count = ends[0].remarks + ends[1].remarks, max(len(end.slices) for end in ends)
    length = converter.steps / STEPS_PER_BEAT
    if count > 1:
        windows = f"{count} windows of {converter.steps // STEPS_PER_BAR} bars"
        remarks += (f"{network.config.name} takes {length:g} beats at once: {windows} go side by side, and are joined",)
    if len(ends[0].slices) != len(ends[1].slices):
        shorter = "first" if len(ends[0].slices) < count else "last"
        remarks += (f"the {shorter} piece is shorter, and heard from its beginning again",)
    points = []
    for number, end in enumerate(ends):
        with part(number, number + 1, 3):
            points.append([])
            for place, one in enumerate(end.slices):
                tell(place / len(end.slices))
                points[-1].append(_latent(network, one))
    ways = [
        operations.interpolate(points[0][k % len(points[0])], points[1][k % len(points[1])], steps)
        for k in range(count)
    ]
    made = []
    for place in range(steps):
        share = place / (steps - 1)
        tell((2 + place / steps) / 3)
        # What the decoder is told besides belongs to one of the ends: the nearer one.
        nearer = ends[round(share)]
        parts = []
        for k, way in enumerate(ways):
            controls = nearer.slices[k % len(nearer.slices)].controls
            outputs = network.decode(way[place][None], converter.steps, controls, temperature, rng)[0]
            chords = nearer.chords[k % len(nearer.chords)]
            parts.append(MadePiece(Piece(_tracks(converter, outputs), chords=chords), length))
        whole = joined(parts)
        qpm = first.qpm + share * (last.qpm - first.qpm)
        made.append(replace(whole, piece=replace(whole.piece, qpm=qpm, tempos=(), markers=()), remarks=remarks))
    return made


def sample_piece(
    network: MusicVae,
    point: np.random.Generator,
    rng: np.random.Generator,
    temperature: float | None = 1.0,
    qpm: float = 120.0,
    chords: Sequence[ChordSpan] = (),
) -> MadePiece:
    """New music: a point of the latent space, decoded.

    Args:
        network: of the family music_vae or groovae.
        point: the chance that decides on z.
        rng: the chance that decides on the notes, given z.
        temperature: None for the likeliest notes.
        qpm: tempo of what is made.
        chords: for a network that plays over chords.

    Raises:
        PerpetuumError: the network has to be told what only music tells it.
    """
    config, converter = network.config, network.config.make_converter()
    controls = converter.controls(converter.steps, chords)
    if config.control_size and controls is None:
        raise PerpetuumError(
            f"{config.name} decodes to hits that it is given, so it cannot make music out of nothing",
            "perpetuum groove gives it the hits of a file",
        )
    z = point.standard_normal((1, network.latent_size))
    outputs = network.decode(z, controls=controls, temperature=temperature, rng=rng)[0]
    piece = Piece(_tracks(converter, outputs), qpm, chords=tuple(chords))
    return MadePiece(piece, converter.steps / STEPS_PER_BEAT)


def joined(made: Sequence[MadePiece]) -> MadePiece:
    """Pieces one after another as one, with a marker for each; all have the same tracks and length."""
    length = made[0].length
    placed = [(number * length, one.piece) for number, one in enumerate(made)]
    tracks = [
        replace(track, notes=np.concatenate([moved(piece.tracks[place].notes, start) for start, piece in placed]))
        for place, track in enumerate(made[0].piece.tracks)
    ]
    piece = Piece(
        tuple(tracks),
        made[0].piece.qpm,
        chords=tuple(span.moved(start) for start, piece in placed for span in piece.chords),
        tempos=tuple((start, piece.qpm) for start, piece in placed),
        markers=tuple((start, f"{number} of {len(made)}") for number, (start, _) in enumerate(placed, 1)),
    )
    return MadePiece(piece, length * len(made), made[0].remarks)


def _latent(network: MusicVae, heard: Slice) -> np.ndarray:
    """What a network takes some music for: z [Z]."""
    if network.hears:
        return network.encode(heard.inputs[None], controls=heard.controls)[0][0]
    try:
        return fit_latent(network, heard.targets[None], heard.controls)[0][0]
    except ValueError as error:
        raise PerpetuumError(
            f"these weights of {network.config.name} are a decoder alone, and cannot hear music: {error}",
            "take weights with an encoder, as Magenta's .tar files have it",
        ) from error


def _tracks(converter: Converter, outputs: np.ndarray) -> tuple[Track, ...]:
    return tuple(replace(track, notes=from_0(track.notes)) for track in converter.to_tracks(outputs))


def _heard(network: MusicVae, converter: Converter, piece: Piece, track: str | None, voice: MelodyVoice) -> _Heard:
    """What a network hears of a piece, from the bar of its first note on."""
    if isinstance(converter, TrioConverter):
        tracks, remarks = piece.tracks, ()
    else:
        sings = isinstance(converter, MelodyConverter)
        hears = tune_of(network.config, piece, track, voice) if sings else drums_of(network.config, piece, track)
        tracks, remarks = (replace(hears.track, notes=hears.notes),), hears.remarks
    starts = np.concatenate([one.notes["start"] for one in tracks]) if tracks else np.zeros(0)
    if not len(starts):
        raise PerpetuumError(f"{network.config.name} hears melody, bass and drums, and the file has no notes")
    since, meter = piece.meter_at(float(starts.min()))
    if STEPS_PER_BAR % meter.steps_per_bar:
        remarks += (f"{meter} is heard as if it were 4/4, the meter of {network.config.name}",)
    bar = meter.beats_per_bar
    start = since + float(np.floor((starts.min() - since) / bar + 1e-6)) * bar
    count = int(step_of(starts - start).max()) // converter.steps + 1
    if count > MOST_WINDOWS:
        bars = MOST_WINDOWS * converter.steps // STEPS_PER_BAR
        remarks += (f"the first {bars} bars of 4/4 are heard of {count * bars // MOST_WINDOWS}",)
    slices, chords = [], []
    length = converter.steps / STEPS_PER_BEAT
    whole = replace(piece, tracks=tuple(tracks))
    for window in range(min(count, MOST_WINDOWS)):
        part = whole.cut(start + window * length, start + (window + 1) * length)
        slices.append(converter.window(part))
        chords.append(part.chords)
    if not any(len(track.notes) for one in slices for track in converter.to_tracks(one.targets)):
        raise PerpetuumError(*_nothing_heard(network, converter, np.concatenate([one.notes for one in tracks])))
    if isinstance(converter, MelodyConverter):
        unheard = len(tracks[0].notes) - len(in_range(tracks[0].notes))
        if unheard:
            were, notes = ("was", "note") if unheard == 1 else ("were", "notes")
            remarks += (f"{unheard} {notes} outside of MIDI pitches {LOWEST} to {HIGHEST} {were} not heard",)
    return _Heard(slices, chords, remarks)


def _nothing_heard(network: MusicVae, converter: Converter, notes: np.ndarray) -> tuple[str, str]:
    """Why a network hears nothing of some notes, and what to do."""
    pitches = f"MIDI pitches {int(notes['pitch'].min())} to {int(notes['pitch'].max())}"
    if isinstance(converter, MelodyConverter):
        return (
            f"no note lies in the range of {network.config.name}: it knows MIDI pitches {LOWEST} to {HIGHEST}, and "
            f"hears {len(notes)} notes of {pitches}",
            "transpose the music by octaves, or name another track with --track",
        )
    return (
        f"{network.config.name} knows none of the {len(notes)} notes that it hears ({pitches})",
        "take a file with notes of its kind, or name another track with --track",
    )


class _Heard(NamedTuple):
    """What a network hears of a piece: of each window tensors and the chords over it; and what was chosen."""

    slices: list[Slice]
    chords: list[tuple[ChordSpan, ...]]
    remarks: tuple[str, ...]

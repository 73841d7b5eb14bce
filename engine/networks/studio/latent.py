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
from engine.networks.studio.made import Made
from engine.networks.vae import operations
from engine.networks.vae.converters import Converter, Slice
from engine.networks.vae.converters.contract import STEPS_PER_BAR
from engine.networks.vae.converters.melody import MelodyConverter
from engine.networks.vae.converters.trio import TrioConverter
from engine.networks.vae.fitting import fit_latent
from engine.networks.vae.music_vae import MusicVae
from engine.score.phrase import ChordSpan, moved
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT
from engine.score.voices import Voice, from_0


def interpolate_pieces(
    network: MusicVae,
    first: Piece,
    last: Piece,
    steps: int,
    rng: np.random.Generator,
    temperature: float | None = None,
    track: str | None = None,
    voice: Voice = Voice.SKYLINE,
) -> list[Made]:
    """Pieces from one to another: points on the great circle between what the network takes them for.

    Args:
        network: of the family music_vae or groovae. Where weights have no encoder, the latent vectors are searched for
            by gradient descent, which takes seconds.
        first, last: what is heard of them begins with the bar of their first note and is as long as an example.
        steps: how many pieces come out; the first and the last are what the network makes of the given ones.
        rng: source of chance; not asked without a temperature.
        temperature: None for the likeliest notes.
        track: name or number of the track that is heard; None for the one that fits best.
        voice: what is left of chords, for a network that knows one note at a time.

    Raises:
        PerpetuumError: a piece has nothing of the network's kind, or these weights have no encoder and no decoder that
            can be searched.
    """
    converter = network.config.make_converter()
    ends = []
    for name, piece in (("first", first), ("last", last)):
        try:
            ends.append(_heard(network, converter, piece, track, voice))
        except PerpetuumError as error:
            raise PerpetuumError(f"the {name} piece: {error.message}", error.hint) from error
    points = [_latent(network, end.slice) for end in ends]
    made = []
    for place, z in enumerate(operations.interpolate(points[0], points[1], steps)):
        share = place / (steps - 1)
        # What the decoder is told besides belongs to one of the ends: the nearer one.
        nearer = ends[round(share)]
        outputs = network.decode(z[None], converter.steps, nearer.slice.controls, temperature, rng)[0]
        qpm = first.qpm + share * (last.qpm - first.qpm)
        piece = Piece(_tracks(converter, outputs), qpm, chords=nearer.chords)
        made.append(Made(piece, converter.steps / STEPS_PER_BEAT, ends[0].remarks + ends[1].remarks))
    return made


def sample_piece(
    network: MusicVae,
    point: np.random.Generator,
    rng: np.random.Generator,
    temperature: float | None = 1.0,
    qpm: float = 120.0,
    chords: Sequence[ChordSpan] = (),
) -> Made:
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
    return Made(piece, converter.steps / STEPS_PER_BEAT)


def joined(made: Sequence[Made]) -> Made:
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
    return Made(piece, length * len(made), made[0].remarks)


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


def _heard(network: MusicVae, converter: Converter, piece: Piece, track: str | None, voice: Voice) -> _Heard:
    """The first bars of what a network hears of a piece."""
    if isinstance(converter, TrioConverter):
        tracks, remarks = piece.tracks, ()
    else:
        sings = isinstance(converter, MelodyConverter)
        hears = tune_of(network.config, piece, track, voice) if sings else drums_of(network.config, piece, track)
        tracks, remarks = (replace(hears.track, notes=hears.notes),), hears.remarks
    starts = np.concatenate([one.notes["start"] for one in tracks]) if tracks else np.zeros(0)
    if not len(starts):
        raise PerpetuumError(f"{network.config.name} hears melody, bass and drums, and the file has no notes")
    if STEPS_PER_BAR % piece.meter.steps_per_bar:
        remarks += (f"{piece.meter} is heard as if it were 4/4, the meter of {network.config.name}",)
    bar = piece.meter.beats_per_bar
    start = float(np.floor(starts.min() / bar + 1e-6)) * bar
    part = replace(piece, tracks=tuple(tracks)).cut(start, start + converter.steps / STEPS_PER_BEAT)
    return _Heard(converter.window(part), part.chords, remarks)


class _Heard(NamedTuple):
    """What a network hears of a piece: tensors, the chords over it, and what was chosen."""

    slice: Slice
    chords: tuple[ChordSpan, ...]
    remarks: tuple[str, ...]

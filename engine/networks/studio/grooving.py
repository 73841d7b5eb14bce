"""Drums with GrooVAE: a stiff part played with feel, and a drum part for the rhythm of any other.

Source: Gillick et al., "Learning to Groove with Inverse Sequence Transformations" (2019): humanization, section 5.1,
and tap2drum, section 5.3.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.networks.studio.hearing import is_for_drums, named
from engine.networks.studio.made import Made
from engine.networks.vae.converters.contract import Slice, step_of
from engine.networks.vae.converters.groove import TAP_COLUMN, GrooveConverter
from engine.networks.vae.music_vae import MusicVae
from engine.score.drums import PITCHES
from engine.score.phrase import NOTE, in_order, moved
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT
from engine.score.voices import drum_track, from_0, melody_track


def groove_piece(
    network: MusicVae,
    piece: Piece,
    rng: np.random.Generator,
    track: str | None = None,
    temperature: float | None = None,
) -> Made:
    """Play drums with feel: their velocities, and how early or late each stroke is, as the network would play them.

    What is struck stays as it is, in every bar; but a network that adds closed hats plays those as it likes.

    Args:
        network: of the family groovae.
        piece: in any meter; tempi and other tracks stay as they are.
        rng: source of chance; not asked without a temperature.
        track: name or number of the drum track; None for all of them.
        temperature: None for the likeliest; else the latent vector is sampled, the more freely the higher.

    Raises:
        PerpetuumError: the piece has no drums, or no such track.
    """
    asked = drum_track(piece, track)
    tracks = [
        replace(one, notes=humanized(network, one.notes, piece, rng, temperature))
        if one is asked or (track is None and one.is_drum and len(one.notes))
        else one
        for one in piece.tracks
    ]
    remarks = () if asked.is_drum else (f"{named(piece, asked)} is no drum track; its notes are heard as drums",)
    return Made(replace(piece, tracks=tuple(tracks)), piece.bars_end, remarks)


def humanized(
    network: MusicVae, notes: np.ndarray, piece: Piece, rng: np.random.Generator, temperature: float | None = None
) -> np.ndarray:
    """Strokes of drums [n] with the network's velocities and timing; array of `NOTE`.

    Two-bar windows (or what the network takes) follow each other bar by bar, and each bar is taken from the window in
    which the network has just played the bar before it: so no seam is heard where a window begins.
    """
    converter = _converter(network)
    alone = Piece((Track(notes, is_drum=True),), piece.qpm, piece.meter)
    bar = piece.meter.steps_per_bar
    steps = max(converter.steps // bar, 1) * bar
    bars = int(step_of(notes["start"]).max(initial=0)) // bar + 1
    kept = steps - bar
    played: list[np.ndarray] = []
    for first in range(max(1, bars - kept // bar)):
        heard = converter.window(alone, first * bar / STEPS_PER_BEAT, steps)
        outputs = _played(network, heard, rng, temperature, converter.given(heard.targets))
        played.append(outputs if first == 0 else outputs[kept:])
    return _moved_to(converter, notes, np.concatenate(played))


def drumify_piece(
    network: MusicVae,
    piece: Piece,
    rng: np.random.Generator,
    track: str | None = None,
    temperature: float | None = None,
) -> Made:
    """A drum part to the rhythm of a track, as if a drummer heard it tapped.

    Args:
        network: of the family groovae, one that hears taps (groovae_2bar_tap_fixed_velocity).
        piece: in any meter.
        rng: source of chance; not asked without a temperature.
        track: name or number of the track whose rhythm it is; None for the tune, or the drums where there is none.
        temperature: None for the likeliest; else hits and the latent vector are sampled, the more freely the higher.

    Returns:
        The piece with the part as its last track; tapped drums make place for it.

    Raises:
        PerpetuumError: the piece has no notes, or no such track.
    """
    source = drum_track(piece) if track is None and is_for_drums(piece) else melody_track(piece, track)
    taps = source.notes.copy()
    taps["pitch"] = PITCHES[TAP_COLUMN]
    converter = _converter(network)
    alone = Piece((Track(taps, is_drum=True),), piece.qpm, piece.meter)
    bar = piece.meter.steps_per_bar
    steps = max(converter.steps // bar, 1) * bar
    made: list[np.ndarray] = []
    for first in range(0, int(step_of(taps["start"]).max(initial=0)) + 1, steps):
        start = first / STEPS_PER_BEAT
        heard = converter.window(alone, start, steps)
        if not heard.inputs.any():
            continue
        (drums,) = converter.to_tracks(_played(network, heard, rng, temperature))
        made.append(moved(drums.notes, start))
    part = Track(in_order(from_0(np.concatenate([np.zeros(0, NOTE), *made]))), "drums", is_drum=True)
    others = [one for one in piece.tracks if not (one is source and one.is_drum)]
    remarks: tuple[str, ...] = ()
    if not len(part.notes):
        remarks = ("the network hears no drums in this rhythm; with a higher --temperature it tries some",)
    if track is None and len(piece.tracks) > 1:
        remarks += (f"the rhythm is that of {named(piece, source)}; --track chooses another",)
    return Made(replace(piece, tracks=(*others, part)), piece.bars_end, remarks)


def _converter(network: MusicVae) -> GrooveConverter:
    converter = network.config.make_converter()
    if not isinstance(converter, GrooveConverter):
        raise ValueError(f"{network.config.name} is no GrooVAE")
    return converter


def _played(
    network: MusicVae,
    heard: Slice,
    rng: np.random.Generator,
    temperature: float | None,
    hits: np.ndarray | None = None,
) -> np.ndarray:
    """What the network plays after hearing a window, [T, 27]; it keeps to hits [T, 9] that are known."""
    mu, sigma = network.encode(heard.inputs[None], controls=heard.controls)
    # The temperature widens or narrows what was heard, too: with fixed hits nothing else is left to chance.
    z = mu if temperature is None else mu + temperature * sigma * rng.standard_normal(mu.shape).astype(mu.dtype)
    return network.decode(z, heard.length, heard.controls, temperature, rng, None if hits is None else hits[None])[0]


def _moved_to(converter: GrooveConverter, notes: np.ndarray, played: np.ndarray) -> np.ndarray:
    """Notes at the network's times and velocities; strokes that share a step and a drum keep their distance."""
    drums = len(PITCHES)
    velocities, offsets = played[:, drums : 2 * drums], played[:, 2 * drums :]
    moved_notes = notes.copy()
    steps = step_of(notes["start"])
    classes = np.array([converter.class_of.get(int(pitch), -1) for pitch in notes["pitch"]], int)
    for step, drum in sorted({*zip(steps.tolist(), classes.tolist(), strict=True)}):
        if drum < 0:
            continue
        together = np.flatnonzero((steps == step) & (classes == drum))
        loudest = together[int(np.argmax(notes["velocity"][together]))]
        shift = (step - float(np.clip(offsets[step, drum], -1, 1)) / 2) / STEPS_PER_BEAT - notes["start"][loudest]
        louder = 127.0 * float(velocities[step, drum]) / float(notes["velocity"][loudest])
        moved_notes["start"][together] += shift
        moved_notes["end"][together] += shift
        moved_notes["velocity"][together] = np.clip(np.rint(notes["velocity"][together] * louder), 1, 127)
    if converter.added:
        moved_notes = moved_notes[~np.isin(classes, converter.added)]
        invented = np.zeros_like(played)
        for drum in converter.added:
            invented[:, drum::drums] = played[:, drum::drums]
        moved_notes = np.concatenate([moved_notes, converter.to_tracks(invented)[0].notes])
    return in_order(from_0(moved_notes))

"""Drums with GrooVAE: a stiff part played with feel, and a drum part for the rhythm of any other.

Source: Gillick et al., "Learning to Groove with Inverse Sequence Transformations" (2019): humanization, section 5.1,
and tap2drum, section 5.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from engine.networks.studio.gestures import Gesture, gestures, shifts
from engine.networks.studio.hearing import is_for_drums, named
from engine.networks.studio.made import MadePiece
from engine.networks.vae.converters.contract import Slice, step_of
from engine.networks.vae.converters.groove import TAP_COLUMN, GrooveConverter
from engine.networks.vae.music_vae import MusicVae
from engine.progress import part, tell
from engine.score.drums import PITCHES
from engine.score.phrase import NOTE, in_order, moved
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT, Meter
from engine.score.voices import drum_track, from_0, melody_track

_KIT = (35, 59)
"""Lowest and highest pitch of a drum kit in General MIDI."""


class Feel(NamedTuple):
    """Strokes as a network plays them.

    Attributes:
        strokes: array [n] of `NOTE`, each stroke at the place of the one that was given; an early first one may begin
            a little before 0.
        kept: [n], whether it is played: not where the network plays this drum as it likes.
        added: array [m] of `NOTE`, what it plays besides.
    """

    strokes: np.ndarray
    kept: np.ndarray
    added: np.ndarray

    @property
    def notes(self) -> np.ndarray:
        """All that is played, in order; array of `NOTE`."""
        return in_order(from_0(np.concatenate([self.strokes[self.kept], self.added])))


def groove_piece(
    network: MusicVae,
    piece: Piece,
    rng: np.random.Generator,
    track: str | None = None,
    temperature: float | None = None,
) -> MadePiece:
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
    asked = _clip(piece) if track is None else None
    asked = asked or drum_track(piece, track)
    tracks = []
    for number, one in enumerate(piece.tracks):
        if one is asked or (track is None and one.is_drum and len(one.notes)):
            with part(number, number + 1, len(piece.tracks)):
                one = replace(one, notes=feel_of(network, one.notes, piece, rng, temperature).notes)
        tracks.append(one)
    remarks = () if asked.is_drum else (f"{named(piece, asked)} is no drum track; its notes are heard as drums",)
    known = _converter(network).class_of
    strange = int((~np.isin(asked.notes["pitch"], list(known))).sum())
    if strange:
        they, stay = ("1 note is no drum", "stays") if strange == 1 else (f"{strange} notes are no drums", "stay")
        remarks += (f"{they} that {network.config.name} knows, and {stay}",)
    return MadePiece(replace(piece, tracks=tuple(tracks)), piece.bars_end, remarks)


def feel_of(
    network: MusicVae, notes: np.ndarray, piece: Piece, rng: np.random.Generator, temperature: float | None = None
) -> Feel:
    """Strokes of drums (array [n] of `NOTE`) with the network's velocities and timing.

    Two-bar windows (or what the network takes) follow each other bar by bar, and each bar is taken from the window in
    which the network has just played the bar before it: so no seam is heard where a window begins. Where the meter
    changes, a first window begins.
    """
    converter = _converter(network)
    steps = step_of(notes["start"])
    classes = np.array([converter.class_of.get(int(pitch), -1) for pitch in notes["pitch"]], int)
    found = gestures(notes["start"], steps, classes)
    alone = replace(piece, tracks=(Track(_on_steps(notes, steps, found), is_drum=True),))
    end = int(steps.max(initial=0)) + 1
    changes = piece.meters or ((0.0, piece.meter),)
    begins = [0, *(round(beat * STEPS_PER_BEAT) for beat, _ in changes[1:]), end]
    played: list[np.ndarray] = []
    for (_, meter), first, last in zip(changes, begins, begins[1:], strict=False):
        if first < min(last, end):
            with part(first, min(last, end), end):
                played.append(_stretch(network, converter, alone, meter, first, min(last, end), rng, temperature))
    return _moved_to(converter, notes, steps, found, np.concatenate(played))


def _stretch(
    network: MusicVae,
    converter: GrooveConverter,
    alone: Piece,
    meter: Meter,
    begin: int,
    end: int,
    rng: np.random.Generator,
    temperature: float | None,
) -> np.ndarray:
    """What a network plays [end - begin, 27] from one step of a piece to another, all in one meter."""
    bar = meter.steps_per_bar
    steps = max(converter.steps // bar, 1) * bar
    bars = -(-(end - begin) // bar)
    kept = steps - bar
    struck = np.sort(step_of(alone.tracks[0].notes["start"])) - begin
    played = np.zeros((max(1, bars - kept // bar) * bar + kept, converter.output_size), np.float32)
    for first in range(0, len(played) - kept, bar):
        # Long rests stay rests, and cost no time.
        if np.searchsorted(struck, first) == np.searchsorted(struck, first + steps):
            continue
        tell(first / len(played))
        heard = converter.window(alone, (begin + first) / STEPS_PER_BEAT, steps)
        outputs = _played(network, heard, rng, temperature, converter.given(heard.targets))
        new = slice(0 if first == 0 else kept, steps)
        played[first:][new] = outputs[new]
    return played[: end - begin]


def drumify_piece(
    network: MusicVae,
    piece: Piece,
    rng: np.random.Generator,
    track: str | None = None,
    temperature: float | None = None,
) -> MadePiece:
    """A drum part to the rhythm of a track, as if a drummer heard it tapped; to the same rhythm the same part.

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
    # All windows draw the same chances: what is tapped again is played again, and what is alike alike. By that a groove
    # is one.
    seed = 0 if temperature is None else int(rng.integers(1 << 62))
    end = int(step_of(taps["start"]).max(initial=0)) + 1
    for first in range(0, end, steps):
        tell(first / end)
        start = first / STEPS_PER_BEAT
        heard = converter.window(alone, start, steps)
        if not heard.inputs.any():
            continue
        (drums,) = converter.to_tracks(_played(network, heard, np.random.default_rng(seed), temperature))
        made.append(moved(drums.notes, start))
    part = Track(in_order(from_0(np.concatenate([np.zeros(0, NOTE), *made]))), "drums", is_drum=True)
    others = [one for one in piece.tracks if not (one is source and one.is_drum)]
    remarks: tuple[str, ...] = ()
    if not len(part.notes):
        remarks = ("the network hears no drums in this rhythm; with a higher --temperature it tries some",)
    if track is None and len(piece.tracks) > 1:
        remarks += (f"the rhythm is that of {named(piece, source)}; --track chooses another",)
    return MadePiece(replace(piece, tracks=(*others, part)), piece.bars_end, remarks)


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


def _clip(piece: Piece) -> Track | None:
    """The only track of a piece, if it can be nothing but drums on another channel: clips of Ableton Live have 1."""
    tracks = [track for track in piece.tracks if len(track.notes)]
    if len(tracks) != 1 or tracks[0].is_drum or tracks[0].program:
        return None
    pitches = tracks[0].notes["pitch"]
    return tracks[0] if _KIT[0] <= pitches.min() and pitches.max() <= _KIT[1] else None


def _on_steps(notes: np.ndarray, steps: np.ndarray, found: Sequence[Gesture]) -> np.ndarray:
    """What a network hears of strokes: of each drum and step the anchor, as loud as the loudest there."""
    anchors = np.array(sorted(anchor for one in found for anchor in one.anchors.tolist()), int)
    heard = notes[anchors].copy()
    loudest = _loudest(notes, steps, found)
    heard["velocity"] = [loudest[anchor] for anchor in anchors.tolist()]
    return heard


def _loudest(notes: np.ndarray, steps: np.ndarray, found: Sequence[Gesture]) -> dict[int, int]:
    """The velocity of the loudest stroke in the step of each anchor, by the anchor's index."""
    loudest = {}
    for one in found:
        for anchor in one.anchors.tolist():
            loudest[anchor] = int(notes["velocity"][one.strokes[steps[one.strokes] == steps[anchor]]].max())
    return loudest


def _moved_to(
    converter: GrooveConverter, notes: np.ndarray, steps: np.ndarray, found: list[Gesture], played: np.ndarray
) -> Feel:
    """Notes at the network's times and velocities; see `engine.networks.studio.gestures`."""
    drums = len(PITCHES)
    velocities, offsets = played[:, drums : 2 * drums], played[:, 2 * drums :]
    late, louder = np.zeros(len(notes)), np.ones(len(notes))
    kept = np.ones(len(notes), bool)
    loudest = _loudest(notes, steps, found)
    for one in found:
        kept[one.strokes] = one.drum not in converter.added
        for anchor in one.anchors.tolist():
            step = steps[anchor]
            late[anchor] = -float(np.clip(offsets[step, one.drum], -1, 1)) / 2 / STEPS_PER_BEAT
            share = one.strokes[steps[one.strokes] == step]
            louder[share] = 127.0 * float(velocities[step, one.drum]) / loudest[anchor]
    strokes = notes.copy()
    heard = [one for one in found if one.drum not in converter.added]
    for one, shift in zip(heard, shifts(heard, notes["start"], steps, late), strict=True):
        strokes["start"][one.strokes] += shift
        strokes["end"][one.strokes] += shift
        loud = np.rint(notes["velocity"][one.strokes] * louder[one.strokes])
        strokes["velocity"][one.strokes] = np.clip(loud, 1, 127)
    invented = np.zeros_like(played)
    for drum in converter.added:
        invented[:, drum::drums] = played[:, drum::drums]
    added = converter.to_tracks(invented)[0].notes if converter.added else np.zeros(0, NOTE)
    return Feel(strokes, kept, added)

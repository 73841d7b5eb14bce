"""What a network hears of a piece, and what is said about the choice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.studio.made import MadePiece
from engine.score.drums import CLASS_OF_PITCH
from engine.score.midi.texts import in_short
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from engine.score.voices import MelodyVoice, NothingHeard, drum_track, melody_track, named_track, reduce

DRUM_FAMILIES = ("drums_rnn",)
MONOPHONIC_FAMILIES = ("melody_rnn", "improv_rnn")


@dataclass(frozen=True, slots=True)
class HeardVoice:
    """What a network hears of a piece.

    Attributes:
        notes: array [n] of `NOTE`.
        track: what the new notes belong to: its name, program and kind.
        index: its place in the piece; None where the network hears several tracks, or the piece has none.
        remarks: as in `MadePiece`.
    """

    notes: np.ndarray
    track: Track
    index: int | None = None
    remarks: tuple[str, ...] = ()


def hear(network: Any, piece: Piece, track: str | None = None, voice: MelodyVoice = MelodyVoice.SKYLINE) -> HeardVoice:
    """What a recurrent network hears of a piece: its drums, its tune as a single voice, or all its notes.

    Args:
        network: of any recurrent family.
        piece: an empty one is a primer of nothing.
        track: name or number of the track; None for the one that fits best.
        voice: what is left of chords, for a network that knows one note at a time.

    Raises:
        PerpetuumError: the piece has nothing of this kind, or no such track.
    """
    config = network.config
    drums = config.family in DRUM_FAMILIES
    if not any(len(one.notes) for one in piece.tracks):
        return HeardVoice(np.zeros(0, NOTE), Track(np.zeros(0, NOTE), config.name, is_drum=drums))
    if drums:
        return drums_of(config, piece, track)
    if config.family in MONOPHONIC_FAMILIES:
        return tune_of(config, piece, track, voice)
    chosen = _melodic(config, piece, track)
    if track is not None or len(chosen.notes) == len(piece.notes(is_drum=False)):
        return HeardVoice(chosen.notes, chosen, _index(piece, chosen))
    # What follows several tracks is a track of its own, on the channel of one of them.
    place = None if chosen.place is None else chosen.place._replace(track=None)
    return HeardVoice(piece.notes(is_drum=False), replace(chosen, name=config.name, place=place))


def primer_of(
    network: Any, piece: Piece, track: str | None = None, voice: MelodyVoice = MelodyVoice.SKYLINE
) -> MadePiece:
    """A piece of nothing but what a network hears of another; arguments and errors as of `hear`."""
    heard = hear(network, piece, track, voice)
    tracks = (replace(heard.track, notes=heard.notes),) if len(heard.notes) else ()
    alone = piece.only(tracks)
    return MadePiece(alone, alone.length, heard.remarks)


def is_for_drums(piece: Piece, track: str | None = None) -> bool:
    """Whether it is drums that are to be continued: the named track is, or there is nothing else."""
    if track is not None:
        return named_track(piece, track).is_drum
    return not len(piece.notes(is_drum=False)) and bool(len(piece.notes(is_drum=True)))


def tune_of(
    config: Any, piece: Piece, track: str | None = None, voice: MelodyVoice = MelodyVoice.SKYLINE
) -> HeardVoice:
    """The tune of a piece, one note at a time, for a network of a config.

    Raises:
        PerpetuumError: as `hear`.
    """
    chosen = _melodic(config, piece, track)
    notes, chords = reduce(chosen.notes, voice)
    remarks = _choice(piece, chosen, track)
    if chords:
        edge, other = ("top", "bottom") if voice is MelodyVoice.SKYLINE else ("bottom", "top")
        were, their, s = ("was", "its", "") if chords == 1 else ("were", "their", "s")
        other_voice = MelodyVoice.LOWEST if voice is MelodyVoice.SKYLINE else MelodyVoice.SKYLINE
        remarks += (
            f"{chords} chord{s} {were} reduced to {their} {edge} note{s}; --voice {other_voice} takes the {other}",
        )
    return HeardVoice(notes, chosen, _index(piece, chosen), remarks)


def drums_of(config: Any, piece: Piece, track: str | None = None) -> HeardVoice:
    """The drums of a piece, for a network of a config.

    Raises:
        PerpetuumError: as `hear`.
    """
    try:
        chosen = drum_track(piece, track)
    except NothingHeard as error:
        raise PerpetuumError(f"{config.name} ({config.family}) hears drums: {error.message}", error.hint) from error
    strange = int((~np.isin(chosen.notes["pitch"], list(CLASS_OF_PITCH))).sum())
    remarks = _choice(piece, chosen, track)
    if strange:
        notes = "1 note is no drum" if strange == 1 else f"{strange} notes are no drums"
        remarks += (f"{notes} that {config.name} knows, and not heard",)
    return HeardVoice(chosen.notes, chosen, _index(piece, chosen), remarks)


def _melodic(config: Any, piece: Piece, track: str | None) -> Track:
    try:
        chosen = melody_track(piece, track)
    except NothingHeard as error:
        hears = "no drums" if len(piece.notes(is_drum=True)) else "a melody"
        raise PerpetuumError(f"{config.name} ({config.family}) hears {hears}: {error.message}", error.hint) from error
    if chosen.is_drum:
        raise PerpetuumError(
            f"{config.name} ({config.family}) hears no drums, and the track {chosen.name!r} is drums",
            "name another track, or take drums_rnn",
        )
    return chosen


def named(piece: Piece, track: Track) -> str:
    """A track for a sentence: its number, as `--track` takes it, and its name if it has one."""
    return f"track {_index(piece, track) + 1}" + (f" ({in_short(track.name)})" if track.name else "")


def _choice(piece: Piece, chosen: Track, asked: str | None) -> tuple[str, ...]:
    """What is said where a track was chosen among others of its kind."""
    others = [one for one in piece.tracks if one.is_drum == chosen.is_drum and len(one.notes) and one is not chosen]
    if asked is not None or not others:
        return ()
    return (f"{named(piece, chosen)} is heard, of {len(others) + 1} that could be; --track chooses another",)


def _index(piece: Piece, track: Track) -> int:
    return next(place for place, one in enumerate(piece.tracks) if one is track)

"""What training reads out of MIDI files: what commands read, with the pedal, in seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from engine.score.midi.channels import channel_events
from engine.score.midi.reading import chord_symbols, keys_of, parse_piece, signatures_of, spoken_tempos
from engine.score.midi.smf import CONTROL, Smf, SmfError
from engine.score.overlaps import ended_at_restrikes
from engine.score.phrase import NOTE, in_order
from engine.score.piece import Piece
from engine.training.datasets.score import Score, ScorePart, UnusableError, checked

SUSTAIN = 64
"""MIDI controller of the pedal; values from 64 on hold the notes."""


def read_midi(data: bytes) -> Score:
    """Read a MIDI file of type 0 or 1: a part for each channel of each track that has notes.

    A note ends where its pitch is struck again. Texts, markers or lyrics are chord symbols where nearly all of their
    kind are.

    Raises:
        UnusableError: it is broken, empty or not of music's size.
    """
    try:
        piece = parse_piece(data)
    except SmfError as error:
        raise UnusableError(str(error)) from error
    smf = piece.source
    assert smf is not None
    held = _held(piece, smf)
    parts = [
        ScorePart((ended_at_restrikes(track.notes)[0],), is_drum=True)
        if track.is_drum
        else ScorePart((ended_at_restrikes(track.notes)[0],), track.program, performed=held[number])
        for number, track in enumerate(piece.tracks)
    ]
    # Files tell whole microseconds a beat: 180 quarter notes a minute come back as 180.00018.
    tempos = {tick / smf.per_beat: round(qpm, 3) for tick, qpm in spoken_tempos(smf)}
    return checked(
        Score(
            tuple(parts),
            meters=tuple(signatures_of(smf)),
            tempos=((0.0, piece.qpm),) if smf.is_film else tuple(tempos.items()),
            chords=tuple((tick / smf.per_beat, text) for tick, text in chord_symbols(smf)),
            keys=tuple(keys_of(smf)),
            is_played=True,
        )
    )


def _held(piece: Piece, smf: Smf) -> list[np.ndarray]:
    """The notes of each track as they sounded: in seconds, held by the pedal of their channel until it goes up, or
    until another note of the channel strikes their pitch."""
    seconds = _seconds(smf)
    end = max((track.end for track in piece.tracks), default=0.0)
    pedals: dict[tuple[int, int], list[tuple[float, int, bool]]] = defaultdict(list)
    for tick, index, place, data in channel_events(smf):
        if data[0] & 0xF0 == CONTROL and data[1] == SUSTAIN:
            pedals[place.port, place.channel].append((tick / smf.per_beat, index, data[2] >= 64))
    channels: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, track in enumerate(piece.tracks):
        assert track.place is not None
        channels[track.place.port, track.place.channel].append(number)
    found = [np.zeros(0, NOTE)] * len(piece.tracks)
    for key, numbers in channels.items():
        owners = np.concatenate([np.full(len(piece.tracks[number].notes), number) for number in numbers])
        notes = np.concatenate([piece.tracks[number].notes for number in numbers])
        order = np.lexsort((notes["pitch"], notes["start"]))
        notes, owners = notes[order], owners[order]
        notes["end"] = _released(notes["end"], sorted(pedals[key]), end)
        notes, owners = ended_at_restrikes(notes, owners)
        notes["start"], notes["end"] = seconds(notes["start"]), seconds(notes["end"])
        for number in numbers:
            mine = notes[owners == number]
            found[number] = in_order(mine[mine["end"] > mine["start"]])
    return found


def _released(ends: np.ndarray, pedal: list[tuple[float, int, bool]], end: float) -> np.ndarray:
    """When notes fall silent that end while the pedal is down: [n] of [n]."""
    released, down = ends.copy(), None
    for beat, _, is_down in [*pedal, (end, 0, False)]:
        if is_down and down is None:
            down = beat
        elif not is_down and down is not None:
            released[(ends >= down) & (ends < beat)] = beat
            down = None
    return released


def _seconds(smf: Smf) -> Callable[[np.ndarray], np.ndarray]:
    """Seconds of beats, both [n], by the tempi that a file says."""
    changes = {0.0: 120.0} | ({} if smf.is_film else {tick / smf.per_beat: qpm for tick, qpm in spoken_tempos(smf)})
    beats = np.array(list(changes))
    rates = 60.0 / np.array(list(changes.values()))
    starts = np.concatenate([[0.0], np.cumsum(np.diff(beats) * rates[:-1])])

    def seconds(asked: np.ndarray) -> np.ndarray:
        place = np.searchsorted(beats, asked, side="right") - 1
        return starts[place] + (asked - beats[place]) * rates[place]

    return seconds

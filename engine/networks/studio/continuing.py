"""Going on from a piece with a recurrent network."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.contract import DEFAULT_SAMPLING, NO_CONDITIONS, Conditions, Passage, Random, Sampling
from engine.networks.encodings.performance import performance
from engine.networks.rnn.configs import RnnConfig
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.studio.hearing import hear
from engine.networks.studio.made import MadePiece
from engine.score.phrase import chords_between, in_order, moved, notes_between
from engine.score.piece import Piece
from engine.score.time import Meter
from engine.score.voices import MelodyVoice


def steps_per_beat(config: RnnConfig, qpm: float) -> float:
    """Steps of a network's grid in a quarter note; of one that counts seconds, at a tempo."""
    return performance.steps_per_beat(qpm) if config.family == "performance_rnn" else config.steps_per_quarter


def primer_end(piece: Piece, grid: float, length: float | None = None) -> float:
    """Where a primer ends: its written length, else the end of its last note, on a grid in beats; an overhang of less
    than half a step is none."""
    return _heard_end(piece, grid) if length is None else math.ceil(length / grid - 1e-6) * grid


def bar_after(piece: Piece, grid: float) -> float:
    """Where the bar after the last note begins, in beats, by the meters of the piece.

    Args:
        piece: what comes before.
        grid: step of the network in beats; an overhang of less than half of it is none.
    """
    end = _heard_end(piece, grid)
    since, meter = piece.meter_at(max(end - 1e-3, 0.0))
    return since + math.ceil((end - since) / meter.beats_per_bar - 1e-6) * meter.beats_per_bar


def _heard_end(piece: Piece, grid: float) -> float:
    """Where the last note ends on a grid in beats, as a network hears it: each note lasts a step at least."""
    ends = [0.0]
    for track in piece.tracks:
        if len(track.notes):
            ends.append(math.floor(track.end / grid + 0.5 + 1e-6) * grid)
            ends.append((math.floor(float(track.notes["start"].max()) / grid + 0.5 + 1e-6) + 1) * grid)
    return max(ends)


def continue_piece(
    network: EventSequenceRnn,
    piece: Piece,
    beats: float,
    rng: Random,
    length: float | None = None,
    track: str | None = None,
    voice: MelodyVoice = MelodyVoice.SKYLINE,
    conditions: Conditions = NO_CONDITIONS,
    sampling: Sampling = DEFAULT_SAMPLING,
) -> MadePiece:
    """Go on from a piece with a recurrent network.

    Args:
        network: of any recurrent family.
        piece: what comes before; its tracks stay as they are.
        beats: how much is made.
        rng: source of chance.
        length: beats of the piece that come before; None for all, up to the end of the last bar.
        track: name or number of the track that is continued; None for the one that fits best.
        voice: what is left of chords, for a network that knows one note at a time.
        conditions: what the music is asked to be like.
        sampling: how events are chosen.

    Returns:
        The piece with the new notes behind it, in the track that was heard, or in a new one.

    Raises:
        PerpetuumError: the piece has nothing that the network could go on from, or its meter does not fit.
    """
    heard = hear(network, piece, track, voice)
    end = bar_after(piece, 1 / steps_per_beat(network.config, piece.qpm)) if length is None else length
    since, meter = piece.meter_at(end)
    check_meter(network.config, meter)
    # A network counts bars from the beginning of what it hears: there must be whole ones up to a change of the meter.
    start = since % meter.beats_per_bar
    passage = Passage(notes_between(heard.notes, start, end), end - start, piece.qpm, meter.steps_per_bar)
    chords = chords_between(conditions.chords, start, end + beats)
    asked = replace(conditions, chords=chords, condition_on_primer=True)
    (found,) = network.extend(passage, beats, asked, sampling, rng)
    made = moved(found.notes, end)
    tracks = list(piece.tracks)
    if heard.index is None:
        tracks.append(replace(heard.track, notes=made))
    else:
        before = heard.track.notes[heard.track.notes["start"] < end - 1e-9]
        tracks[heard.index] = replace(heard.track, notes=in_order(np.concatenate([before, made])))
    joined = replace(piece, tracks=tuple(tracks), chords=conditions.chords or piece.chords)
    return MadePiece(joined, end + beats, heard.remarks, found.log_likelihood)


def sing_along(
    network: EventSequenceRnn,
    piece: Piece,
    beats: float,
    rng: Random,
    length: float,
    conditions: Conditions = NO_CONDITIONS,
    sampling: Sampling = DEFAULT_SAMPLING,
) -> MadePiece:
    """Voices around a piece, from its beginning on, with Polyphony RNN; `Conditions.inject_primer` says that they sing
    it, too.

    Args and Raises: as `continue_piece`, but `beats` is the length of the whole.

    Returns:
        The new voices alone.
    """
    heard = hear(network, piece)
    check_meter(network.config, piece.meter)
    passage = Passage(notes_between(heard.notes, 0.0, length), length, piece.qpm, piece.meter.steps_per_bar)
    asked = replace(conditions, condition_on_primer=False)
    (found,) = network.extend(passage, beats, asked, sampling, rng)
    voices = replace(heard.track, notes=found.notes)
    return MadePiece(piece.only((voices,)), beats, heard.remarks, found.log_likelihood)


def check_meter(config: RnnConfig, meter: Meter) -> None:
    """Refuse a meter that the encoding of a network cannot count.

    Raises:
        PerpetuumError: says why not.
    """
    reason = config.allows(meter.steps_per_bar)
    if reason:
        raise PerpetuumError(
            f"{config.name} cannot play in {meter}: {reason}",
            "drum_kit and melodies like basic_rnn take any meter",
        )

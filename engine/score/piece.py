# pyright: strict
"""A piece of music as files hold it: tracks of notes, tempi, meters, perhaps chords."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from engine.score.midi import channels
from engine.score.midi.channels import ChannelPlace
from engine.score.midi.smf import Smf
from engine.score.phrase import NOTE, ChordSpan, chords_between, in_order, notes_between
from engine.score.time import Meter

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Track:
    """The notes of one instrument.

    Attributes:
        notes: array [n] of `NOTE`, in beats from the start of the piece, sorted by (start, pitch).
        name: of the track; may be empty.
        program: General MIDI program 0..127.
        is_drum: pitches are General MIDI drums.
        place: where its notes stand in the file that the piece was read from; None where they come from no file.
    """

    notes: np.ndarray
    name: str = ""
    program: int = 0
    is_drum: bool = False
    place: ChannelPlace | None = None

    @property
    def end(self) -> float:
        """Where its last note ends, in beats."""
        return float(self.notes["end"].max()) if len(self.notes) else 0.0


@dataclass(frozen=True, slots=True)
class Piece:
    """Tracks that sound together.

    Attributes:
        tracks: in the order of the file.
        qpm: quarter notes per minute, at the start.
        meter: at the start.
        chords: chord symbols, in beats from the start; empty where there are none.
        tempos: (beat, qpm) ascending, from beat 0 on; empty where the tempo does not change.
        meters: (beat, meter) ascending, from beat 0 on; empty where the meter does not change.
        markers: (beat, text) ascending: sections, rehearsal marks.
        source: all events of the MIDI file that it was read from; they are written back as they were, but for the
            notes, tempi, meters and chords that have become others.
        remarks: sentences about what was wrong with the file.
    """

    tracks: tuple[Track, ...]
    qpm: float = 120.0
    meter: Meter = field(default_factory=Meter)
    chords: tuple[ChordSpan, ...] = ()
    tempos: tuple[tuple[float, float], ...] = ()
    meters: tuple[tuple[float, Meter], ...] = ()
    markers: tuple[tuple[float, str], ...] = ()
    source: Smf | None = None
    remarks: tuple[str, ...] = ()

    @property
    def length(self) -> float:
        """Where the last note or chord ends, in beats."""
        return max([*(track.end for track in self.tracks), *(span.end for span in self.chords)], default=0.0)

    @property
    def bars_end(self) -> float:
        """Where the bar of the last note or chord ends, in beats, by the meter at the start."""
        bar = self.meter.beats_per_bar
        return math.ceil(self.length / bar - 1e-6) * bar

    def meter_at(self, beat: float) -> tuple[float, Meter]:
        """Where the meter that holds at a beat begins, and which it is."""
        return next((change for change in reversed(self.meters) if change[0] <= beat + 1e-6), (0.0, self.meter))

    def qpm_at(self, beat: float) -> float:
        """Quarter notes per minute at a beat."""
        return next((qpm for start, qpm in reversed(self.tempos) if start <= beat + 1e-6), self.qpm)

    def notes(self, is_drum: bool) -> np.ndarray:
        """All drums, or all other notes: array [n] of `NOTE`, sorted by (start, pitch)."""
        chosen = [track.notes for track in self.tracks if track.is_drum == is_drum]
        merged = np.concatenate(chosen) if chosen else np.zeros(0, NOTE)
        return in_order(merged)

    def cut(self, start: float, end: float) -> Piece:
        """The music between two beats, as a piece that begins there; notes count by where they begin."""
        tracks = [replace(track, notes=notes_between(track.notes, start, end)) for track in self.tracks]
        source = self.source
        if source is not None:
            source = channels.cut(source, round(start * source.per_beat), round(end * source.per_beat))
        tempos, meters = _from(self.tempos, start, end), _from(self.meters, start, end)
        return replace(
            self,
            tracks=tuple(tracks),
            qpm=tempos[0][1] if tempos else self.qpm,
            meter=meters[0][1] if meters else self.meter,
            chords=chords_between(self.chords, start, end),
            tempos=tempos,
            meters=meters,
            markers=tuple((beat - start, text) for beat, text in self.markers if start <= beat < end),
            source=source,
        )

    def only(self, tracks: Sequence[Track]) -> Piece:
        """Some tracks alone: those of the piece, or others that stand where those do."""
        if self.source is None:
            return replace(self, tracks=tuple(tracks))
        source, left = channels.only(self.source, [track.place for track in tracks if track.place is not None])
        placed = [
            track
            if track.place is None or track.place.track is None
            else replace(track, place=track.place._replace(track=left[track.place.track]))
            for track in tracks
        ]
        return replace(self, tracks=tuple(placed), source=source)


def _from(changes: Sequence[tuple[float, _Value]], start: float, end: float) -> tuple[tuple[float, _Value], ...]:
    """What holds at a beat, and the changes after it, up to another."""
    holds = [value for beat, value in changes if beat <= start][-1:]
    later = [(beat - start, value) for beat, value in changes if start < beat < end]
    return (*((0.0, value) for value in holds), *later)

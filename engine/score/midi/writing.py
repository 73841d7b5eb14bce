# pyright: strict
"""Pieces of music as MIDI files: what a piece was read from is written back as it was, and what is new comes in."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mido
import numpy as np

from engine.output_file import write_bytes
from engine.progress import each, part
from engine.score.harmony.chords import Chord, parse_chord
from engine.score.midi.channels import DRUM_CHANNEL, ChannelPlace, FileNote, channel_events, notes_of, ports
from engine.score.midi.reading import chord_kinds, is_chord_symbol, meters_of, spans_of, tempos_of
from engine.score.midi.smf import (
    META,
    METER,
    NOTE_OFF,
    NOTE_ON,
    PORT,
    PROGRAM,
    TEMPO,
    MidiEvent,
    Smf,
    SmfTrack,
    track_of,
)
from engine.score.midi.smf_writing import finer, write_smf
from engine.score.midi.texts import decoded
from engine.score.overlaps import Sounding, apart, by_pitch
from engine.score.piece import Piece, Track

ENDINGS = (".mid", ".midi")
"""What a MIDI file that is written may be called."""
TICKS_PER_BEAT = 480
_FINEST, _FINEST_FILM = 32767, 255
_LARGEST_DELTA = 0x0FFFFFFF
_NO_CHORD = "N.C."
_MARKER, _TEXT = 0x06, 0x01
_WAIT = 1 / 8
"""Beats for which a new note waits while an old one of its pitch ends: half a sixteenth."""
_ENDS, _OLD, _NEW = range(3)
"""Order of events at one tick: ends of new notes, what was there, and what is new beside."""


def write_piece(path: Path, piece: Piece) -> None:
    """Write a MIDI file, whole or not at all.

    Of a piece that was read from a file all events stay as they were and where they were, on their ports, channels
    and tracks; new notes are put into the track and on the channel of their part. What comes from no file gets a
    track and a channel of its own, drums the tenth; what these do not suffice for goes to further ports.

    No new note begins while the same pitch of its channel sounds: see `engine.score.overlaps.apart`.

    Raises:
        PerpetuumError: the file cannot be written.
    """
    with part(0, 1, 2):
        smf = as_smf(piece)
    with part(1, 2, 2):
        data = write_smf(smf)
    write_bytes(path, data, ENDINGS)


def as_smf(piece: Piece) -> Smf:
    """The file that a piece is written as."""
    source = piece.source or Smf(1, TICKS_PER_BEAT, (track_of("conductor"),))
    if source.is_film and _tempos(piece) != tempos_of(source):
        source = _counting_beats(source)
    source = finer(source, _factor(source, piece.tracks))
    edits = [_Edit(track) for track in source.tracks]
    _put_notes(edits, source, _placed(piece, source))
    _conduct(edits, source, piece)
    return Smf(source.kind, source.division, tuple(edit.track() for edit in each(edits)))


@dataclass
class _Edit:
    """A track of a file, and what becomes of it.

    Attributes:
        before: as it was.
        removed: indices of events that go.
        ended: indices of beginnings of notes that get another end.
        added: (tick, order at the tick, port, data).
    """

    before: SmfTrack
    removed: set[int] = field(default_factory=set[int])
    ended: set[int] = field(default_factory=set[int])
    added: list[tuple[int, int, int, bytes]] = field(default_factory=list[tuple[int, int, int, bytes]])

    def tell(self, tick: float, kind: int, held: bytes) -> None:
        """Add a meta event."""
        self.added.append((round(tick), _NEW, 0, bytes((META, kind)) + held))

    def begin(self, tick: int, place: ChannelPlace, pitch: int, velocity: int) -> None:
        """Add the beginning of a note."""
        self.added.append((tick, _NEW, place.port, bytes((NOTE_ON | place.channel, pitch, velocity))))

    def end(self, tick: int, place: ChannelPlace, pitch: int) -> None:
        """Add the end of a note."""
        self.added.append((tick, _ENDS, place.port, bytes((NOTE_OFF | place.channel, pitch, 0))))

    def track(self) -> SmfTrack:
        """What it is now."""
        if not self.added and not self.removed:
            return self.before
        end = max([self.before.end, *(tick for tick, *_ in self.added)])
        if end > self.before.end:
            # Notes without an end of their own ended with the track, and are to end there still.
            for (port, channel), (notes, _) in notes_of(self.before).items():
                for note in notes:
                    if note.off is None and note.on not in self.removed | self.ended:
                        self.end(note.end, ChannelPlace(None, port, channel), note.pitch)
        old = [
            (tick, _OLD, port, data)
            for index, ((tick, data), port) in enumerate(zip(self.before.events, ports(self.before), strict=True))
            if index not in self.removed
        ]
        events: list[MidiEvent] = []
        now = 0
        for tick, _, port, data in sorted([*old, *self.added], key=lambda event: event[:2]):
            if data[0] == META and data[1] == PORT:
                now = data[2]
            elif data[0] < META and port != now:
                events.append(MidiEvent(tick, bytes((META, PORT, port))))
                now = port
            events.append(MidiEvent(tick, data))
        return SmfTrack(tuple(events), end)


def _placed(piece: Piece, source: Smf) -> list[tuple[ChannelPlace, Track]]:
    """Where the parts of a piece are to stand; new tracks are numbered behind those of the file."""
    taken = {(place.port, place.channel) for _, _, place, _ in channel_events(source)}
    taken |= {(track.place.port, track.place.channel) for track in piece.tracks if track.place is not None}
    free = (
        (port, channel)
        for port, channel in itertools.product(range(128), range(16))
        if channel != DRUM_CHANNEL and (port, channel) not in taken
    )
    drums = itertools.count()
    tracks = itertools.count(len(source.tracks))
    placed: list[tuple[ChannelPlace, Track]] = []
    for track in piece.tracks:
        if track.place is not None:
            number = next(tracks) if track.place.track is None else track.place.track
            place = track.place._replace(track=number)
        elif track.is_drum:
            place = ChannelPlace(next(tracks), min(next(drums), 127), DRUM_CHANNEL)
        else:
            place = ChannelPlace(next(tracks), *next(free, (127, 0)))
        placed.append((place, track))
    return placed


def _put_notes(edits: list[_Edit], source: Smf, parts: Sequence[tuple[ChannelPlace, Track]]) -> None:
    """Take notes away that the parts have no longer, and put in what they have beside."""
    wanted: dict[ChannelPlace, Counter[tuple[int, int, int, int]]] = {}
    for place, track in parts:
        assert place.track is not None
        if place.track >= len(edits):
            edits.append(_Edit(_new_track(place, track)))
        wanted.setdefault(place, Counter()).update(_in_ticks(track.notes, source.per_beat))
    kept: list[tuple[ChannelPlace, FileNote, Sounding]] = []
    strays: list[tuple[ChannelPlace, int]] = []
    for number, before in enumerate(source.tracks):
        for (port, channel), found in notes_of(before).items():
            place = ChannelPlace(number, port, channel)
            rows = wanted.get(place, Counter())
            strays += [(place, index) for index in found.strays]
            for note in found.notes:
                if rows[note[:4]] > 0:
                    rows[note[:4]] -= 1
                    kept.append((place, note, Sounding(note.start, note.end, note.velocity, number, True)))
                else:
                    edits[number].removed |= _events(note)
    new = [
        (place, pitch, Sounding(start, end, velocity, place.track or 0, False))
        for place, rows in wanted.items()
        for start, end, pitch, velocity in sorted(rows.elements())
    ]
    keyed = [((place.port, place.channel, note.pitch), sounding) for place, note, sounding in kept]
    keyed += [((place.port, place.channel, pitch), sounding) for place, pitch, sounding in new]
    touched = {(place.port, place.channel, pitch) for place, pitch, _ in new}
    for group in by_pitch(pair for pair in keyed if pair[0] in touched):
        apart(group, _WAIT * source.per_beat)
    for place, note, sounding in kept:
        if sounding.end != note.end or (note.off is None and (place.port, place.channel, note.pitch) in touched):
            edit = edits[sounding.track]
            edit.ended.add(note.on)
            edit.removed |= _events(note) - {note.on}
            edit.end(sounding.end, place, note.pitch)
    for place, pitch, sounding in new:
        if not sounding.gone:
            edits[sounding.track].begin(sounding.start, place, pitch, sounding.velocity)
            edits[sounding.track].end(sounding.end, place, pitch)
    _remove_strays(edits, strays, new)


def _remove_strays(
    edits: list[_Edit], strays: Sequence[tuple[ChannelPlace, int]], new: Sequence[tuple[ChannelPlace, int, Sounding]]
) -> None:
    """Take ends away that ended nothing, and would now end new notes."""
    for place, index in strays:
        edit = edits[place.track or 0]
        tick, data = edit.before.events[index]
        if any(other == place and pitch == data[1] and note.start <= tick <= note.end for other, pitch, note in new):
            edit.removed.add(index)


def _events(note: FileNote) -> set[int]:
    return {note.on} if note.off is None else {note.on, note.off}


def _new_track(place: ChannelPlace, track: Track) -> SmfTrack:
    events = [MidiEvent(0, bytes((META, PORT, place.port)))] if place.port else []
    if track.place is None and track.program:
        events.append(MidiEvent(0, bytes((PROGRAM | place.channel, track.program))))
    return track_of(track.name, events)


def _in_ticks(notes: np.ndarray, per_beat: float) -> list[tuple[int, int, int, int]]:
    """Notes in whole ticks, each of one at least."""
    starts = np.maximum(np.rint(notes["start"] * per_beat), 0).astype(int)
    ends = np.maximum(np.rint(notes["end"] * per_beat).astype(int), starts + 1)
    return list(zip(starts.tolist(), ends.tolist(), notes["pitch"].tolist(), notes["velocity"].tolist(), strict=True))


def _factor(source: Smf, tracks: Sequence[Track]) -> int:
    """How much finer ticks have to be for notes that lie between those of a coarse file."""
    times = [track.notes[edge] * source.per_beat for track in tracks for edge in ("start", "end")]
    between = any(float(np.abs(ticks - np.rint(ticks)).max(initial=0.0)) > 1e-3 for ticks in times)
    if not between or source.per_beat >= TICKS_PER_BEAT:
        return 1
    room = _FINEST_FILM // (source.division & 0xFF) if source.is_film else _FINEST // source.division
    last = max((track.end for track in source.tracks), default=0)
    return max(1, min(math.ceil(TICKS_PER_BEAT / source.per_beat), room, _LARGEST_DELTA // max(last, 1)))


def _counting_beats(source: Smf) -> Smf:
    """A file that counted in frames of film, for music that is to have another tempo."""
    share = TICKS_PER_BEAT / source.per_beat
    tracks = tuple(
        SmfTrack(tuple(MidiEvent(round(tick * share), data) for tick, data in track.events), round(track.end * share))
        for track in source.tracks
    )
    return Smf(source.kind, TICKS_PER_BEAT, tracks)


def _tempos(piece: Piece) -> tuple[tuple[float, float], ...]:
    return piece.tempos or ((0.0, piece.qpm),)


def _conduct(edits: list[_Edit], source: Smf, piece: Piece) -> None:
    """Tell tempi, meters, markers and chords, where they are other than the file's."""
    first, per_beat = edits[0], source.per_beat
    if piece.source is None or _tempos(piece) != tempos_of(source):
        _remove(edits, TEMPO)
        for beat, qpm in _tempos(piece):
            first.tell(beat * per_beat, TEMPO, mido.bpm2tempo(qpm).to_bytes(3, "big"))
    meters = piece.meters or ((0.0, piece.meter),)
    if piece.source is None or meters != meters_of(source):
        _remove(edits, METER)
        for beat, meter in meters:
            power = meter.denominator.bit_length() - 1
            first.tell(beat * per_beat, METER, bytes((meter.numerator, power, 24, 8)))
    if piece.source is None:
        for beat, text in piece.markers:
            first.tell(beat * per_beat, _MARKER, text.encode("utf-8"))
    _tell_chords(edits, source, piece)


def _remove(edits: list[_Edit], kind: int) -> None:
    for edit in edits:
        edit.removed |= {
            index for index, (_, data) in enumerate(edit.before.events) if data[0] == META and data[1] == kind
        }


def _tell_chords(edits: list[_Edit], source: Smf, piece: Piece) -> None:
    """Tell chord symbols that the file has not, and take those away that hold no longer."""
    if piece.chords == spans_of(source, max((span.end for span in piece.chords), default=0.0)):
        return
    told: dict[tuple[int, Chord | None], str] = {}
    for place, span in enumerate(piece.chords):
        told[round(span.start * source.per_beat), span.chord] = span.chord.name
        following = piece.chords[place + 1].start if place + 1 < len(piece.chords) else piece.length
        if following > span.end:
            told[round(span.end * source.per_beat), None] = _NO_CHORD
    kinds = chord_kinds(source)
    for edit in edits:
        for index, (tick, data) in enumerate(edit.before.events):
            if is_chord_symbol(data, kinds):
                symbol = tick, parse_chord(decoded(data[2:]).strip())
                if told.pop(symbol, None) is None:
                    edit.removed.add(index)
    for (tick, _), name in told.items():
        edits[0].tell(tick, _TEXT, name.encode("utf-8"))

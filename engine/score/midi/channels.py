# pyright: strict
"""What the events of a MIDI file say about its channels: notes, ports, programs, and the state that is carried over.

A channel's state (bank, program, controllers, bend, pressure) is its own, whichever track of the file sets it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from engine.score.midi.smf import (
    BEND,
    CONTROL,
    KEY,
    META,
    METER,
    NOTE_OFF,
    NOTE_ON,
    POLY_PRESSURE,
    PORT,
    PRESSURE,
    PROGRAM,
    SYSEX,
    TEMPO,
    MidiEvent,
    Smf,
    SmfTrack,
)

DRUM_CHANNEL = 9
_IN_ORDER = {0, 32, 6, 38, 96, 97, 98, 99, 100, 101, *range(120, 128)}
"""Controllers that mean what others before them make of them: banks, parameters and their data, resets."""

_SAID = {0x01, 0x05, 0x06, 0x07}
"""Meta events that are of their moment: texts, lyrics, markers, cues."""


class ChannelPlace(NamedTuple):
    """Where the notes of a part stand in a file.

    Attributes:
        track: index of the file's track; None for one that is to be new.
        port: number of the port, as the meta event 0x21 gives it; sixteen channels each.
        channel: 0..15.
    """

    track: int | None
    port: int
    channel: int

    @property
    def is_drum(self) -> bool:
        """General MIDI plays drums on the tenth channel."""
        return self.channel == DRUM_CHANNEL


class FileNote(NamedTuple):
    """A note of a file. Times are in ticks.

    Attributes:
        start, end: it lasts a tick at least; without an end of its own to the end of its track.
        pitch, velocity: as MIDI has them.
        on, off: indices of its events in the track; `off` is None without an end of its own.
    """

    start: int
    end: int
    pitch: int
    velocity: int
    on: int
    off: int | None


class PartNotes(NamedTuple):
    """The notes of a file's track on one channel, by their ends; and indices of ends that end none."""

    notes: list[FileNote]
    strays: list[int]


def notes_of(track: SmfTrack) -> dict[tuple[int, int], PartNotes]:
    """The notes of a track by port and channel. Where a pitch sounds twice, what ends is what began first."""
    found: dict[tuple[int, int], PartNotes] = {}
    sounding: dict[tuple[int, int, int], deque[tuple[int, int, int]]] = defaultdict(deque)
    port = 0
    for index, (tick, data) in enumerate(track.events):
        kind = data[0] & 0xF0
        if kind in (NOTE_ON, NOTE_OFF):
            channel, pitch = data[0] & 0x0F, data[1]
            key = port, channel, pitch
            if kind == NOTE_ON and data[2]:
                sounding[key].append((tick, data[2], index))
                continue
            notes = found.setdefault((port, channel), PartNotes([], []))
            if waiting := sounding.get(key):
                start, velocity, on = waiting.popleft()
                notes.notes.append(FileNote(start, max(tick, start + 1), pitch, velocity, on, index))
            else:
                notes.strays.append(index)
        elif data[0] == META and data[1] == PORT:
            port = data[2]
    for (port, channel, pitch), waiting in sounding.items():
        notes = found.setdefault((port, channel), PartNotes([], [])).notes
        notes += [
            FileNote(start, max(track.end, start + 1), pitch, velocity, on, None) for start, velocity, on in waiting
        ]
    return found


def channel_events(smf: Smf) -> Iterator[tuple[int, int, ChannelPlace, bytes]]:
    """What channels are told, notes too, in no order: (tick, index in its track, place, data)."""
    for number, track in enumerate(smf.tracks):
        port = 0
        for index, (tick, data) in enumerate(track.events):
            if data[0] < SYSEX:
                yield tick, index, ChannelPlace(number, port, data[0] & 0x0F), data
            elif data[0] == META and data[1] == PORT:
                port = data[2]


def in_order_of_time(smf: Smf) -> list[tuple[int, int, int, bytes]]:
    """All events (tick, track, index, data) as they are played: by ticks, then by tracks."""
    return sorted(
        (tick, number, index, data)
        for number, track in enumerate(smf.tracks)
        for index, (tick, data) in enumerate(track.events)
    )


def program_changes(smf: Smf) -> dict[tuple[int, int], list[tuple[int, int, int, int]]]:
    """Program changes by port and channel, as they are played: (tick, track, index, program)."""
    found: dict[tuple[int, int], list[tuple[int, int, int, int]]] = defaultdict(list)
    for tick, index, place, data in channel_events(smf):
        if data[0] & 0xF0 == PROGRAM:
            assert place.track is not None
            found[place.port, place.channel].append((tick, place.track, index, data[1]))
    for changes in found.values():
        changes.sort()
    return found


def cut(smf: Smf, start: int, end: int) -> Smf:
    """A file from a tick to another, without its notes: what holds at its beginning is told there.

    Of earlier events those are kept that later ones do not undo: states of channels, the tempo, the meter and the key;
    of other meta events those that stand at the very beginning, such as names and ports. All system exclusive ones are.
    """
    known = [ports(track) for track in smf.tracks]
    undone: set[object] = set()
    kept: list[list[MidiEvent]] = [[] for _ in smf.tracks]
    homes: dict[tuple[int, int], int] = {}
    for number, track in enumerate(smf.tracks):
        for (_, data), port in zip(track.events, known[number], strict=True):
            if data[0] < SYSEX:
                homes.setdefault((port, data[0] & 0x0F), number)
    earlier = [event for event in in_order_of_time(smf) if event[0] < start]
    for tick, number, index, data in reversed(earlier):
        port = known[number][index]
        key = _undoes(data, port)
        if key in undone or (key is None and not _lasts(tick, data)):
            continue
        if key is not None:
            undone.add(key)
        # Told by one track, for at one tick what other tracks tell would come in another order.
        home = number if data[0] >= SYSEX else homes[port, data[0] & 0x0F]
        kept[home].append(MidiEvent(0, data))
    tracks: list[SmfTrack] = []
    for number, track in enumerate(smf.tracks):
        events = [
            MidiEvent(tick - start, data) for tick, data in track.events if start <= tick < end and not is_note(data)
        ]
        carried = sorted(kept[number], key=lambda event: event.data[0] != META)
        tracks.append(SmfTrack((*carried, *events), max(min(track.end, end) - start, 0)))
    return Smf(smf.kind, smf.division, tuple(tracks))


def is_note(data: bytes) -> bool:
    """Whether an event begins or ends a note."""
    return data[0] & 0xF0 in (NOTE_ON, NOTE_OFF)


def only(smf: Smf, places: Iterable[ChannelPlace]) -> tuple[Smf, dict[int, int]]:
    """A file with some of its parts alone, and the new indices of the tracks that are left.

    Kept are the channels of these parts in all tracks, names and texts of the parts' tracks and of the first one, and
    whatever is for all: tempi, meters, keys, system exclusive events.
    """
    wanted = list(places)
    channels = {(place.port, place.channel) for place in wanted}
    named = {place.track for place in wanted} | {0}
    tracks: list[SmfTrack] = []
    left: dict[int, int] = {}
    for number, track in enumerate(smf.tracks):
        events = [
            event
            for event, port in zip(track.events, ports(track), strict=True)
            if (
                (port, event.data[0] & 0x0F) in channels
                if event.data[0] < SYSEX
                else event.data[0] != META or number in named or event.data[1] in (PORT, TEMPO, METER, KEY)
            )
        ]
        if number in named or any(event.data[0] != META or event.data[1] != PORT for event in events):
            left[number] = len(tracks)
            tracks.append(SmfTrack(tuple(events), track.end))
    return Smf(smf.kind, smf.division, tuple(tracks)), left


def ports(track: SmfTrack) -> Sequence[int]:
    """The port of each event of a track."""
    found: list[int] = []
    port = 0
    for _, data in track.events:
        if data[0] == META and data[1] == PORT:
            port = data[2]
        found.append(port)
    return found


def _undoes(data: bytes, port: int) -> object | None:
    """What an event sets, if it undoes whatever set that before it."""
    kind = data[0] & 0xF0
    if data[0] == META:
        return data[1] if data[1] in (TEMPO, METER, KEY) else None
    if kind == POLY_PRESSURE or (kind == CONTROL and data[1] not in _IN_ORDER):
        return port, data[0], data[1]
    if kind in (PRESSURE, BEND):
        return port, data[0]
    return None


def _lasts(tick: int, data: bytes) -> bool:
    """Whether an event that undoes nothing still counts later."""
    if data[0] == META:
        return tick == 0 and data[1] not in _SAID
    return not is_note(data)

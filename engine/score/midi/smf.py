# pyright: strict
"""The bytes of Standard MIDI Files: chunks and events, read forgivingly and written as they were.

    smf = read_smf(path.read_bytes())
    smf.tracks[0].events[0]      # Event(tick=0, data=b"\\xff\\x03Violin")
    smf.remarks                  # ("track 1: a key signature that is none is left out",)

mido refuses a whole file for one odd event, tells no limits before minutes have gone by, makes one kind of the two of
system exclusive events, and forgets the lengths of texts; so events are read here, as bytes. mido writes them: see
`engine.score.midi.smf_writing`.

Source: Standard MIDI Files 1.1 (MIDI Association, RP-001).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.progress import tell

LARGEST = 32 << 20
"""Bytes of the largest file that is read: a day of dense piano playing has a tenth of it."""
MAX_EVENTS = 2_000_000
MAX_NOTES = 500_000
MAX_TRACKS = 1024
META, SYSEX, ESCAPE = 0xFF, 0xF0, 0xF7
NOTE_OFF, NOTE_ON, POLY_PRESSURE, CONTROL, PROGRAM, PRESSURE, BEND = 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0
TRACK_NAME, PORT, TEMPO, METER, KEY = 0x03, 0x21, 0x51, 0x58, 0x59
_END = 0x2F
_LENGTHS = {0x00: 2, 0x20: 1, PORT: 1, TEMPO: 3, 0x54: 5, METER: 4, KEY: 2}
"""Bytes of the meta events that have a fixed length; longer ones are later versions, and read."""
_META_NAMES = {
    0x00: "sequence number",
    0x20: "channel prefix",
    PORT: "port",
    TEMPO: "tempo",
    0x54: "SMPTE offset",
    METER: "time signature",
    KEY: "key signature",
}
_SYSTEM_LENGTHS = {0xF1: 1, 0xF2: 2, 0xF3: 1}
_FILM = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}
"""Frames a second, by SMPTE's number."""
_STRANGERS = (
    (b"version https://git-lfs", "it is a pointer of Git LFS, and the music is elsewhere (git lfs pull)"),
    (b"\x00\x05\x16\x07", "it is macOS's companion of a file, without the music"),
    (b"PK\x03\x04", "it is a zip archive"),
    (b"\x1f\x8b", "it is packed by gzip"),
    (b"<", "it is a web page or XML"),
    (b"RIFF", "it is a RIFF file without MIDI in it"),
)
_UNFINISHED = "breaks off"
_MOST_REMEMBERED = 100
"""Kinds of odd things that are told apart."""
_TELL_EVERY = 1 << 17


class SmfError(ValueError):
    """Why bytes are no music; in few words, for they are counted."""


class MidiEvent(NamedTuple):
    """An event of a track.

    Attributes:
        tick: from the beginning.
        data: status first and whole, as if there were no running status. Of a meta event 0xFF, its type and what it
            holds; of a system exclusive event 0xF0 or 0xF7 and what it holds: their lengths are not in it.
    """

    tick: int
    data: bytes


class SmfTrack(NamedTuple):
    """A track of a file: its events in order, without the last one, "end of track", which is at a tick `end`."""

    events: tuple[MidiEvent, ...]
    end: int


@dataclass(frozen=True, slots=True)
class Smf:
    """A MIDI file.

    Attributes:
        kind: 0 or 1, the "format".
        division: ticks per quarter note; or below 0, ticks of frames of film, as the header has it.
        tracks: in order.
        remarks: sentences about what was left out.
    """

    kind: int
    division: int
    tracks: tuple[SmfTrack, ...]
    remarks: tuple[str, ...] = ()

    @property
    def is_film(self) -> bool:
        """Its ticks are of seconds, and no tempo changes them."""
        return self.division < 0

    @property
    def per_beat(self) -> float:
        """Ticks per quarter note; where it counts in frames of film, at 120 quarter notes a minute."""
        if not self.is_film:
            return float(self.division)
        return _FILM[-(self.division >> 8)] * (self.division & 0xFF) / 2.0


def read_smf(data: bytes) -> Smf:
    """Read a MIDI file of type 0 or 1, also one that is wrapped in RIFF (.rmi).

    What a file has beside music, or wrong, is left out and said: chunks of other kinds, a wrong number of tracks or
    length of a track, events that are none. Of a track that breaks off its beginning is read.

    Args:
        data: all bytes of it.

    Raises:
        SmfError: it is no MIDI file, of type 2, or larger than music.
    """
    if len(data) > LARGEST:
        raise SmfError(f"larger than {LARGEST >> 20} MB")
    data, remarks = _unwrapped(data)
    length = int.from_bytes(data[4:8], "big")
    if length < 6 or len(data) < 14:
        raise SmfError("its header is cut off")
    kind, count = int.from_bytes(data[8:10], "big"), int.from_bytes(data[10:12], "big")
    division = int.from_bytes(data[12:14], "big", signed=True)
    if kind == 2:
        raise SmfError("MIDI file of type 2, whose tracks are no one piece")
    if kind > 2:
        remarks.append(f"type {kind} is unknown; it is read as type 1")
    if division == 0:
        raise SmfError("it has no ticks per quarter note")
    if division < 0 and (-(division >> 8) not in _FILM or not division & 0xFF):
        raise SmfError("its ticks are neither of quarter notes nor of frames of film")
    reader = _Reader(data)
    tracks = reader.tracks(8 + length)
    if not tracks:
        raise SmfError("there are no tracks in it")
    if count != len(tracks):
        remarks.append(f"its header tells of {count} tracks; {len(tracks)} are there, and read")
    return Smf(min(kind, 1), division, tuple(tracks), (*remarks, *reader.remarks()))


def _unwrapped(data: bytes) -> tuple[bytes, list[str]]:
    """A file from its header on, out of what is wrapped around it; and what is said about that."""
    if not data:
        raise SmfError("empty file")
    if data.startswith(b"MThd"):
        return data, []
    if data.startswith(b"RIFF") and data[8:12] == b"RMID":
        place = 12
        while place + 8 <= len(data):
            name, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
            if name == b"data" and data[place + 8 : place + 12] == b"MThd":
                end = place + 8 + length
                behind = data[end + length % 2 :].rstrip(b"\0")[:4]
                if behind and (behind == b"MTrk" or not behind.isalnum()):
                    return data[place + 8 :], ["the length that RIFF tells is too short; all is read"]
                return data[place + 8 : end], []
            place += 8 + length + length % 2
    start = data.find(b"MThd", 0, 4096)
    # Mail, Mac and download programs have put some bytes before files.
    if start > 0 and data.find(b"MTrk", start) > 0:
        return data[start:], [f"{start} bytes before its header are left out"]
    for beginning, reason in _STRANGERS:
        if data.lstrip()[:64].startswith(beginning) or data.startswith(beginning):
            raise SmfError(f"not a MIDI file: {reason}")
    raise SmfError("not a MIDI file")


class _Reader:
    """Reads the tracks of a file, and remembers what was wrong with them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._events: int = 0
        self._notes: int = 0
        self._told: int = 0
        self._odd: Counter[tuple[int, str]] = Counter()
        self._number = 0

    def tracks(self, place: int) -> list[SmfTrack]:
        """All tracks from a place in the file on."""
        data = self._data
        found: list[SmfTrack] = []
        if data[place : place + 4] != b"MTrk" and not _is_chunk(data, place):
            place = max(data.find(b"MTrk", 8), 0) or len(data)
        while place < len(data):
            name, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "big")
            if name == b"MTrk" and place + 8 <= len(data):
                if len(found) == MAX_TRACKS:
                    raise SmfError(f"more than {MAX_TRACKS} tracks")
                self._number = len(found) + 1
                track, place = self._track(place + 8, place + 8 + length)
                found.append(track)
            elif name == b"MThd":
                self._odd[0, "another file behind it"] += 1
                break
            elif _is_chunk(data, place):
                many = len(self._odd) > _MOST_REMEMBERED
                what = "a chunk" if many else f"a chunk {name.decode('ascii')!r}"
                self._odd[0, f"{what}, which is no track,"] += 1
                place += 8 + length
            else:
                following = data.find(b"MTrk", place + 1)
                following = len(data) if following < 0 else following
                self._odd[0, f"{following - place} bytes between or behind its tracks"] += 1
                place = following
        return found

    def remarks(self) -> list[str]:
        """A sentence for each thing that was wrong; of many the first ones."""
        said: list[str] = []
        for (number, what), times in self._odd.items():
            where = f"track {number}" if number else "the file"
            if what == _UNFINISHED:
                said.append(f"{where} {what}; what stands before is read")
            else:
                many = "" if times == 1 else f" ({times} times)"
                said.append(f"{where}: {what} {'is' if what.startswith('a') else 'are'} left out{many}")
        return [*said[:5], f"and {len(said) - 5} things more are left out"] if len(said) > 6 else said

    def _track(self, start: int, end: int) -> tuple[SmfTrack, int]:
        """The track whose events begin at a place, by its length up to another; and where the next chunk begins."""
        data = self._data
        before = self._odd.copy(), self._events, self._notes
        track, place, ended = self._scan(start, min(end, len(data)))
        if ended:
            if end > len(data) or (place < end and data[place : place + 4] == b"MTrk"):
                return track, place  # its length is wrong
            if place < end:
                self._odd[self._number, "what stands behind its end"] += 1
            return track, end
        following = data.find(b"MTrk", end)
        beyond = len(data) if following < 0 else following
        if end < len(data) and data[end : end + 4] != b"MTrk" and not _is_chunk(data, end):
            # It may be longer than it says.
            self._odd, self._events, self._notes = before
            longer, place, ended = self._scan(start, beyond)
            if ended:
                return longer, place
            self._odd, self._events, self._notes = before[0].copy(), before[1], before[2]
            track, place, _ = self._scan(start, end)
        if place < min(end, len(data)) or end > len(data):
            self._odd[self._number, _UNFINISHED] += 1
        return track, min(end, len(data))

    def _scan(self, place: int, end: int) -> tuple[SmfTrack, int, bool]:
        """Events from a place up to another: the track, the place behind, whether it told its end."""
        data, number, odd = self._data, self._number, self._odd
        events: list[MidiEvent] = []
        tick, running, kind, notes, begun = 0, 0, 0, self._notes, place
        room = MAX_EVENTS - self._events
        try:
            while place < end:
                begun = place
                byte = data[place]
                place += 1
                delta = byte & 0x7F
                while byte & 0x80:
                    byte = data[place]
                    place += 1
                    delta = delta << 7 | byte & 0x7F
                    if place - begun > 5:
                        raise IndexError
                status = data[place]
                if status >= 0x80:
                    place += 1
                elif running:
                    status = running
                else:
                    raise IndexError
                if status < SYSEX:
                    running = status
                    behind = place + (1 if PROGRAM <= status < BEND else 2)
                    if behind > end:
                        raise IndexError
                    held = data[place:behind]
                    if not held.isascii():
                        odd[number, "bits beyond the seven of a value"] += 1
                        held = bytes(min(value, 127) for value in held)
                    event = bytes((status,)) + held
                elif status in (META, SYSEX, ESCAPE):
                    kept = 1
                    if status == META:
                        kind = data[place]
                        place += 1
                        kept = 2
                    byte, length, behind = 0x80, 0, place
                    while byte & 0x80:
                        byte = data[behind]
                        behind += 1
                        length = length << 7 | byte & 0x7F
                        if behind - place > 5:
                            raise IndexError
                    place, behind = behind, behind + length
                    if behind > end:
                        raise IndexError
                    event = bytes((META, kind) if kept == 2 else (status,)) + data[place:behind]
                    if kept == 2:
                        if kind == _END:
                            self._events, self._notes = self._events + len(events), notes
                            return SmfTrack(tuple(events), tick + delta), behind, True
                        if wrong := _wrong(kind, event[2:]):
                            odd[number, wrong] += 1
                            event = b""
                else:
                    behind = place + _SYSTEM_LENGTHS.get(status, 0)
                    odd[number, f"an event 0x{status:02X}, which files have not,"] += 1
                    event = b""
                tick += delta
                place = behind
                if event:
                    events.append(MidiEvent(tick, event))
                    if event[0] & 0xF0 == NOTE_ON and event[2]:
                        notes += 1
                        if notes > MAX_NOTES:
                            raise SmfError(f"more than {MAX_NOTES} notes")
                    if len(events) > room:
                        raise SmfError(f"more than {MAX_EVENTS} events")
                if place - self._told > _TELL_EVERY:
                    self._told = place
                    tell(place / len(data))
        except IndexError:
            place = begun
        self._events, self._notes = self._events + len(events), notes
        return SmfTrack(tuple(events), tick), place, False


def _is_chunk(data: bytes, place: int) -> bool:
    """Whether a chunk of another kind than a track begins at a place, and ends within the file."""
    name, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "big")
    named = len(name) == 4 and all(0x20 <= letter < 0x7F for letter in name) and name not in (b"MTrk", b"MThd")
    return named and place + 8 + length <= len(data) and len(data) >= place + 8


def _wrong(kind: int, held: bytes) -> str | None:
    """What is wrong with a meta event; None where nothing is."""
    if len(held) < _LENGTHS.get(kind, 0) and (held or kind):  # a sequence number may be left to the order of tracks
        return f"a {_META_NAMES[kind]} of {len(held)} byte{'' if len(held) == 1 else 's'}"
    if kind == KEY:
        sharps = int.from_bytes(held[:1], signed=True)
        if abs(sharps) > 7 or held[1] > 1:
            many = f"{abs(sharps)} {'flats' if sharps < 0 else 'sharps'}"
            return f"a key signature that is none ({many}, mode {held[1]})"
    if kind == TEMPO and not any(held[:3]):
        return "a tempo of 0"
    if kind == METER and (held[0] == 0 or held[1] > 7):
        return f"a time signature that is none ({held[0]}/2^{held[1]})"
    return None


def track_of(name: str, events: Sequence[MidiEvent] = ()) -> SmfTrack:
    """A new track of a name; its events in order."""
    named = MidiEvent(0, bytes((META, TRACK_NAME)) + name.encode("utf-8"))
    return SmfTrack((named, *events), max((event.tick for event in events), default=0))

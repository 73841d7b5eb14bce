"""An oracle for MIDI files: what a synthesizer would have heard, written from the standards and not with our code.

State belongs to channels of ports, whatever track tells of it, and begins as the General MIDI standard and RP-015 have
it. A bank is chosen by controllers 0 and 32, and holds from the next program change on. Channel messages are mido's;
chunks and meta events are found here, for mido reads no file that has one odd event.
"""

from collections import defaultdict
from typing import NamedTuple

import mido

_FRESH = {"program": (0, 0, 0), "bend": 8192, "pressure": 0}
_FRESH_CONTROLS = {7: 100, 10: 64, 11: 127, 64: 0}


class Heard(NamedTuple):
    """A note as it sounds; times are in beats.

    Attributes:
        track, port, channel: where it stands in the file.
        state: of its channel when it begins: program with its bank, bend, pressure, controllers, key pressure.
        later: what the state becomes while it sounds: (beats after its beginning, what, value).
    """

    track: int
    port: int
    channel: int
    start: float
    length: float
    pitch: int
    velocity: int
    state: tuple
    later: tuple


class Simulated(NamedTuple):
    """The notes of a file, and whatever else it says: (track, beat, bytes) of system exclusive and meta events."""

    notes: list[Heard]
    others: list[tuple[int, float, bytes]]


def simulate(data):
    """Play the bytes of a file."""
    ticks, timed, ends = _events(data)
    state, waiting = defaultdict(_Channel), defaultdict(list)
    notes, others = [], []
    for now, number, _, port, event in timed:
        beat = now / ticks
        if isinstance(event, bytes):
            others.append((number, round(beat, 6), event))
            continue
        key = port, event.channel
        if event.type == "note_on" and event.velocity:
            row = number, *key, beat, event.note, event.velocity, state[key].told(event.note)
            waiting[number, *key, event.note].append((row, len(state[key].history)))
        elif event.type in ("note_on", "note_off"):
            if waiting[number, *key, event.note]:
                notes.append(_ended(*waiting[number, *key, event.note].pop(0), beat, state[key]))
        else:
            state[key].hear(beat, event)
    for (number, port, channel, _), rows in waiting.items():
        ends_with = [(row, known, max(ends[number] / ticks, row[3] + 1 / ticks)) for row, known in rows]
        notes += [_ended(*row, state[port, channel]) for row in ends_with]
    return Simulated(sorted(notes), others)


def restruck(data):
    """Notes that begin while their pitch sounds on their port and channel: (beat, port, channel, pitch)."""
    ticks, timed, _ = _events(data)
    sounding, found = defaultdict(int), []
    for now, _, _, port, event in timed:
        if isinstance(event, bytes) or event.type not in ("note_on", "note_off"):
            continue
        key = port, event.channel, event.note
        if event.type == "note_on" and event.velocity:
            if sounding[key]:
                found.append((now / ticks, *key))
            sounding[key] += 1
        else:
            sounding[key] = max(0, sounding[key] - 1)
    return found


class _Channel:
    def __init__(self):
        self.state = dict(_FRESH)
        self.controls = dict(_FRESH_CONTROLS)
        self.keys = {}
        self.bank = (0, 0)
        self.history = []

    def told(self, pitch):
        return *self.state.values(), tuple(sorted(self.controls.items())), self.keys.get(pitch, 0)

    def hear(self, beat, message):
        if message.type == "program_change":
            what, value = "program", (*self.bank, message.program)
        elif message.type == "pitchwheel":
            what, value = "bend", message.pitch + 8192
        elif message.type == "aftertouch":
            what, value = "pressure", message.value
        elif message.type == "polytouch":
            what, value = ("key", message.note), message.value
            self.keys[message.note] = value
        else:
            what, value = ("control", message.control), message.value
            self._control(message.control, value)
        if what in self.state:
            self.state[what] = value
        self.history.append((beat, what, value))

    def _control(self, number, value):
        if number == 0:
            self.bank = (value, self.bank[1])
        elif number == 32:
            self.bank = (self.bank[0], value)
        elif number == 121:  # RP-015: volume, pan and program stay
            kept = {control: self.controls.get(control, _FRESH_CONTROLS[control]) for control in (7, 10)}
            self.controls = _FRESH_CONTROLS | kept
            self.state |= {"bend": 8192, "pressure": 0}
            self.keys = {}
        else:
            self.controls[number] = value


def _ended(row, known, end, channel):
    number, port, midi_channel, start, pitch, velocity, state = row
    later = tuple((round(beat - start, 6), what, value) for beat, what, value in channel.history[known:] if beat < end)
    length = max(end - start, 0)
    return Heard(number, port, midi_channel, round(start, 6), round(length, 6), pitch, velocity, state, later)


def _events(data):
    """Ticks a beat; (tick, track, index, port, mido message or bytes) in the order of time; each track's end."""
    data = data[data.index(b"MThd") :]
    division = int.from_bytes(data[12:14], "big", signed=True)
    if division < 0:
        frames = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}[-(division >> 8)]
        division = frames * (division & 0xFF) / 2
    timed, ends, place, number = [], [], 8 + int.from_bytes(data[4:8], "big"), 0
    while place < len(data):
        name, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "big")
        if name == b"MTrk":
            end, known = _track(data[place + 8 : place + 8 + length], number, timed)
            ends.append(end)
            number += 1
            length = known if length > len(data) else length
        place += 8 + length
    return division, sorted(timed, key=lambda event: event[:3]), ends


def _track(data, number, timed):
    """Append a track's events; its end in ticks, and its length in bytes."""
    place, now, port, status = 0, 0, 0, 0
    try:
        while place < len(data):
            delta, place = _variable(data, place)
            now += delta
            if data[place] & 0x80:
                status, place = data[place], place + 1
            if status in (0xFF, 0xF0, 0xF7):
                kind = data[place : place + (status == 0xFF)]
                length, place = _variable(data, place + len(kind))
                held, place = data[place : place + length], place + length
                if kind == b"\x2f":
                    break
                port = held[0] if kind == b"\x21" else port
                timed.append((now, number, len(timed), port, bytes([status]) + kind + held))
            else:
                size = 1 if status & 0xE0 == 0xC0 else 2
                if place + size > len(data):
                    break
                message = mido.Message.from_bytes([status, *data[place : place + size]])
                place += size
                timed.append((now, number, len(timed), port, message))
    except IndexError:
        pass  # it breaks off
    return now, place


def _variable(data, place):
    number = 0
    while True:
        number, place = number << 7 | data[place] & 0x7F, place + 1
        if not data[place - 1] & 0x80:
            return number, place

"""An oracle for MIDI files: what a synthesizer would have heard, written from the standards and not with our code.

Events come from mido. State belongs to channels of ports, whatever track tells of it, and begins as the General MIDI
standard and RP-015 have it. A bank is chosen by controllers 0 and 32, and holds from the next program change on.
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
        state: of its channel when it begins: program with its bank, bend, pressure, all controllers, key pressures.
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


def simulate(path, *, until=None):
    """Play a file, to a beat at most."""
    file = mido.MidiFile(path, clip=True)
    division = file.ticks_per_beat
    if division < 0 or division >= 0x8000:
        division = division - 0x10000 if division >= 0x8000 else division
        frames = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}[-(division >> 8)]
        division = frames * (division & 0xFF) / 2
    timed, ends = [], {}
    for number, track in enumerate(file.tracks):
        now, port = 0, 0
        for index, message in enumerate(track):
            now += message.time
            if message.type == "midi_port":
                port = message.port
            timed.append((now, number, index, port, message))
        ends[number] = now
    timed.sort(key=lambda event: event[:3])
    state = defaultdict(_Channel)
    waiting, notes, others = defaultdict(list), [], []
    for now, number, _, port, message in timed:
        beat = now / division
        if message.is_meta or message.type == "sysex":
            if message.type != "end_of_track" and (until is None or beat < until):
                others.append((number, round(beat, 6), bytes(message.bytes())))
            continue
        if not hasattr(message, "channel"):
            continue
        key = port, message.channel
        if message.type == "note_on" and message.velocity:
            row = [number, *key, beat, message.note, message.velocity, state[key].told(message.note)]
            waiting[number, *key, message.note].append((row, len(state[key].history)))
        elif message.type in ("note_on", "note_off"):
            if waiting[number, *key, message.note]:
                notes.append(_ended(*waiting[number, *key, message.note].pop(0), beat, state[key]))
        else:
            state[key].hear(beat, message)
    for (number, port, channel, _), rows in waiting.items():
        notes += [_ended(*row, ends[number] / division, state[port, channel]) for row in rows]
    return Simulated(sorted(note for note in notes if until is None or note.start < until), others)


class _Channel:
    def __init__(self):
        self.state = dict(_FRESH)
        self.controls = dict(_FRESH_CONTROLS)
        self.keys = {}
        self.bank = (0, 0)
        self.history = []

    def told(self, pitch):
        controls = tuple(sorted(self.controls.items()))
        return (*self.state.values(), controls, self.keys.get(pitch, 0))

    def hear(self, beat, message):
        if message.type == "program_change":
            what, value = "program", (*self.bank, message.program)
            self.state[what] = value
        elif message.type == "pitchwheel":
            what, value = "bend", message.pitch + 8192
            self.state[what] = value
        elif message.type == "aftertouch":
            what, value = "pressure", message.value
            self.state[what] = value
        elif message.type == "polytouch":
            what, value = ("key", message.note), message.value
            self.keys[message.note] = value
        else:
            what, value = ("control", message.control), message.value
            if message.control == 0:
                self.bank = (value, self.bank[1])
            elif message.control == 32:
                self.bank = (self.bank[0], value)
            else:
                self.controls[message.control] = value
            if message.control == 121:  # RP-015: volume, pan and program stay
                kept = {number: self.controls.get(number, _FRESH_CONTROLS[number]) for number in (7, 10)}
                self.controls = _FRESH_CONTROLS | kept
                self.state |= {"bend": 8192, "pressure": 0}
                self.keys = {}
        self.history.append((beat, what, value))


def _ended(row, known, end, channel):
    number, port, midi_channel, start, pitch, velocity, state = row
    later = tuple((round(beat - start, 6), what, value) for beat, what, value in channel.history[known:] if beat < end)
    return Heard(
        number, port, midi_channel, round(start, 6), round(end - start, 6), pitch, velocity, state, later
    )  # fmt: skip


def restruck(path):
    """Notes of a file that begin while their pitch sounds on their port and channel: (beat, port, channel, pitch)."""
    file = mido.MidiFile(path, clip=True)
    events = []
    for number, track in enumerate(file.tracks):
        now, port = 0, 0
        for index, message in enumerate(track):
            now += message.time
            if message.type == "midi_port":
                port = message.port
            if message.type in ("note_on", "note_off"):
                events.append((now, number, index, port, message))
    sounding, found = defaultdict(int), []
    for now, _, _, port, message in sorted(events, key=lambda event: event[:3]):
        key = port, message.channel, message.note
        if message.type == "note_on" and message.velocity:
            if sounding[key]:
                found.append((now / file.ticks_per_beat, *key))
            sounding[key] += 1
        else:
            sounding[key] = max(0, sounding[key] - 1)
    return found

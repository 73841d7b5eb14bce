"""What training reads out of MIDI files."""

from __future__ import annotations

import io
from collections import defaultdict
from typing import Any

import mido
import numpy as np

from engine.score.midi import DRUM_CHANNEL, LARGEST, TEXTS, are_chords, ticks_per_beat
from engine.score.phrase import NOTE, in_order
from engine.training.datasets.score import Part, Score, UnusableError, checked

SUSTAIN = 64
"""MIDI controller of the pedal; values from 64 on hold the notes."""
MAX_MESSAGES = 2_000_000
_FIFTHS = "FCGDAEB"


def read_midi(data: bytes) -> Score:
    """Read a MIDI file of type 0 or 1: a part for each channel of each track that has notes.

    A note ends where its pitch is struck again. Texts, markers or lyrics are chord symbols where nearly all of their
    kind are.

    Raises:
        UnusableError: it is broken, empty or not of music's size.
    """
    if len(data) > LARGEST:
        raise UnusableError(f"larger than {LARGEST >> 20} MB")
    if not data.startswith(b"MThd"):
        raise UnusableError("not a MIDI file" if data else "empty file")
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
        per_beat, film = ticks_per_beat(file.ticks_per_beat)
    # mido tells what is wrong with a file by whatever error it runs into.
    except Exception as error:
        raise UnusableError("broken MIDI file") from error
    if file.type == 2:
        raise UnusableError("MIDI file of type 2")
    if sum(len(track) for track in file.tracks) > MAX_MESSAGES:
        raise UnusableError(f"more than {MAX_MESSAGES} messages")
    heard = _Hearing()
    messages = []
    for number, track in enumerate(file.tracks):
        now = 0
        for message in track:
            now += message.time
            messages.append((now, number, message))
    for now, number, message in sorted(messages, key=lambda found: found[0]):
        heard.hear(now, number, message)
    heard.close()
    tempos = {} if film else heard.tempos
    parts = []
    for key, found in sorted(heard.notes.items()):
        notes = _notes(found)
        notes["start"] /= per_beat
        notes["end"] /= per_beat
        if key[1] == DRUM_CHANNEL:
            parts.append(Part((notes,), is_drum=True))
        else:
            performed = _in_seconds(_notes(heard.performed[key]), tempos, per_beat)
            parts.append(Part((notes,), heard.programs[key], performed=performed))
    return checked(
        Score(
            tuple(parts),
            meters=tuple((tick / per_beat, *meter) for tick, meter in heard.meters),
            # Files tell whole microseconds a beat: 180 quarter notes a minute come back as 180.00018.
            tempos=tuple((tick / per_beat, round(qpm, 3)) for tick, qpm in tempos.items())
            or (((0.0, film),) if film else ()),
            chords=heard.chords(per_beat),
            keys=tuple((tick / per_beat, sharps) for tick, sharps in heard.keys),
            is_played=True,
        )
    )


class _Hearing:
    """What the messages of a file say, in the order of their ticks.

    Attributes:
        notes: (start, end, pitch, velocity) by track and channel.
        performed: the same, held by the pedal.
        programs: of each track and channel, when its first note began.
        tempos: quarter notes per minute by tick.
    """

    def __init__(self) -> None:
        self.notes: dict[tuple[int, int], list[tuple[int, int, int, int]]] = defaultdict(list)
        self.performed: dict[tuple[int, int], list[tuple[int, int, int, int]]] = defaultdict(list)
        self.programs: dict[tuple[int, int], int] = {}
        self.tempos: dict[int, float] = {}
        self.meters: list[tuple[int, tuple[int, int]]] = []
        self.keys: list[tuple[int, int]] = []
        self._texts: dict[str, list[tuple[int, str]]] = {kind: [] for kind in TEXTS}
        self._program: dict[int, int] = defaultdict(int)
        self._pressed: dict[tuple[int, int], tuple[int, int, int]] = {}
        self._pedals: dict[int, bool] = defaultdict(bool)
        self._held: dict[tuple[int, int], tuple[int, int, int]] = {}
        self._now = 0

    def hear(self, now: int, track: int, message: Any) -> None:
        """Take a message at a tick."""
        self._now = now
        match message.type:
            case "note_on" | "note_off":
                self._release(message.channel, message.note)
                if message.type == "note_on" and message.velocity:
                    self._raise(message.channel, message.note)
                    self._pressed[message.channel, message.note] = now, message.velocity, track
                    self.programs.setdefault((track, message.channel), self._program[message.channel])
            case "control_change" if message.control == SUSTAIN:
                self._pedals[message.channel] = message.value >= 64
                if message.value < 64:
                    for key in [key for key in self._held if key[0] == message.channel]:
                        self._raise(*key)
            case "program_change":
                self._program[message.channel] = message.program
            case "set_tempo" if message.tempo > 0:
                self.tempos[now] = mido.tempo2bpm(message.tempo)
            case "time_signature":
                self.meters.append((now, (message.numerator, message.denominator)))
            case "key_signature":
                self.keys.append((now, _sharps(message.key)))
            case kind if kind in self._texts:
                self._texts[kind].append((now, message.text.strip()))

    def close(self) -> None:
        """The file has ended, and with it all that sounds."""
        for channel, pitch in list(self._pressed):
            self._pedals[channel] = False
            self._release(channel, pitch)
        for key in list(self._held):
            self._raise(*key)

    def chords(self, per_beat: float) -> tuple[tuple[float, str], ...]:
        """(beat, figure) in order."""
        kinds = [found for kind, found in self._texts.items() if are_chords(kind, [text for _, text in found])]
        return tuple(sorted((tick / per_beat, text) for found in kinds for tick, text in found if text))

    def _release(self, channel: int, pitch: int) -> None:
        if (channel, pitch) not in self._pressed:
            return
        start, velocity, track = self._pressed.pop((channel, pitch))
        self.notes[track, channel].append((start, self._now, pitch, velocity))
        if self._pedals[channel]:
            self._held[channel, pitch] = start, velocity, track
        else:
            self.performed[track, channel].append((start, self._now, pitch, velocity))

    def _raise(self, channel: int, pitch: int) -> None:
        """The dampers fall on a note that the pedal holds."""
        if (channel, pitch) in self._held:
            start, velocity, track = self._held.pop((channel, pitch))
            self.performed[track, channel].append((start, self._now, pitch, velocity))


def _notes(rows: list[tuple[int, int, int, int]]) -> np.ndarray:
    return in_order(np.array(rows, NOTE))


def _in_seconds(notes: np.ndarray, tempos: dict[int, float], per_beat: float) -> np.ndarray:
    """Notes in ticks as notes in seconds; those that take none are left out."""
    changes = sorted({0: 120.0} | tempos)
    ticks = np.array([float(tick) for tick in changes])
    rates = np.array([60.0 / (tempos.get(tick, 120.0) * per_beat) for tick in changes])
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(ticks) * rates[:-1])])
    for edge in ("start", "end"):
        place = np.searchsorted(ticks, notes[edge], side="right") - 1
        notes[edge] = seconds[place] + (notes[edge] - ticks[place]) * rates[place]
    return in_order(notes[notes["end"] > notes["start"]])


def _sharps(key: str) -> int:
    """Sharps of a key's name ("F#m" has 3), or flats below 0."""
    tonic = key.removesuffix("m")
    accidentals = tonic.count("#") - tonic.count("b")
    return _FIFTHS.index(tonic[0]) - 1 + 7 * accidentals - 3 * key.endswith("m")

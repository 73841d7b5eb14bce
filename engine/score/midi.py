"""MIDI files in and out, through mido."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import mido
import numpy as np

from engine.errors import PerpetuumError
from engine.output_file import OutputFile
from engine.score.chords import parse_chord
from engine.score.phrase import NOTE, ChordSpan, in_order
from engine.score.piece import Piece, Track
from engine.score.time import Meter

TICKS_PER_BEAT = 480
DRUM_CHANNEL = 9
LARGEST = 32 << 20
"""Bytes of the largest file that is read: a day of dense piano playing has a tenth of it."""

TEXTS = ("text", "marker", "lyrics", "cue_marker")
"""Kinds of messages that may be chord symbols."""
_METAS = ("key_signature", "copyright")
_CONTROLS = ("control_change", "pitchwheel", "program_change", "aftertouch", "polytouch")
_NO_CHORD = "N.C."
_QPM = (4.0, 960.0)
"""What a MIDI file can say is 3.6 and more; nobody plays outside these."""


def read_piece(path: Path) -> Piece:
    """Read a MIDI file of type 0 or 1: a `Track` for each channel of each track that has notes.

    Notes that are never ended end with their track. Texts, markers or lyrics are chord symbols where nearly all texts
    of their kind in the file are.

    Raises:
        PerpetuumError: not a readable MIDI file.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ValueError(f"it has {size >> 20} MB")
        return _piece(mido.MidiFile(path, clip=True))
    except FileNotFoundError as error:
        raise PerpetuumError(f"there is no file {path}", "give the path of a MIDI file (.mid)") from error
    # mido tells what is wrong with a file by whatever error it runs into.
    except Exception as error:
        raise PerpetuumError(
            f"{path} is not a readable MIDI file: {_reason(error)}", "export it again as a Standard MIDI File (.mid)"
        ) from error


ENDINGS = (".mid", ".midi")
"""What a MIDI file that is written may be called."""


def write_piece(path: Path, piece: Piece) -> None:
    """Write a type 1 MIDI file, whole or not at all: tempi, meters, markers, chord symbols as texts, and the tracks.

    Drums are on channel 10, the other tracks on the other channels in turn.

    Raises:
        PerpetuumError: the file cannot be written.
    """
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.append(_track("conductor", _conductor(piece)))
    melodic = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    place = 0
    for track in piece.tracks:
        channel = DRUM_CHANNEL if track.is_drum else melodic[place % len(melodic)]
        place += not track.is_drum
        file.tracks.append(_track(track.name, _messages(track, channel)))
    with OutputFile(path, ENDINGS) as output:
        file.save(file=output.file)


_Value = TypeVar("_Value")


@dataclass
class _Channel:
    """What a channel of a track of a file holds, while it is read. Times are in ticks."""

    notes: list[tuple[int, int, int, int]] = field(default_factory=list)
    controls: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    sounding: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    program: int = 0

    def hear(self, now: int, message: Any) -> None:
        if message.type == "note_on" and message.velocity > 0:
            self.sounding.setdefault(message.note, []).append((now, message.velocity))
        elif message.type in ("note_on", "note_off"):
            if self.sounding.get(message.note):
                begun, velocity = self.sounding[message.note].pop(0)
                self.notes.append((begun, max(now, begun + 1), message.note, velocity))
        elif message.type == "program_change" and not self.notes and not self.sounding:
            self.program = message.program
        elif message.type in _CONTROLS:
            self.controls.append((now, tuple(message.bytes())))

    def close(self, now: int) -> None:
        for pitch, begun in self.sounding.items():
            self.notes += [(start, max(now, start + 1), pitch, velocity) for start, velocity in begun]


def _piece(file: mido.MidiFile) -> Piece:
    per_beat, qpm = ticks_per_beat(file.ticks_per_beat)
    tracks: list[Track] = []
    tempos: dict[float, float] = {}
    meters: dict[float, Meter] = {}
    texts: dict[str, list[tuple[float, str]]] = {kind: [] for kind in TEXTS}
    metas: list[tuple[float, mido.MetaMessage]] = []
    for one in file.tracks:
        name, now = "", 0
        channels: dict[int, _Channel] = {}
        for message in one:
            now += message.time
            if message.type == "track_name" and not name:
                name = message.name.strip()
            elif message.type == "set_tempo" and message.tempo > 0:
                tempos[now / per_beat] = min(max(mido.tempo2bpm(message.tempo), _QPM[0]), _QPM[1])
            elif message.type == "time_signature":
                meter = _meter(message.numerator, message.denominator)
                if meter is not None:
                    meters[now / per_beat] = meter
            elif message.type in texts:
                texts[message.type].append((now / per_beat, message.text))
            elif message.type in _METAS:
                metas.append((now / per_beat, message))
            elif not message.is_meta and hasattr(message, "channel"):
                channels.setdefault(message.channel, _Channel()).hear(now, message)
        for number, channel in sorted(channels.items()):
            channel.close(now)
            if channel.notes:
                tracks.append(_read_track(channel, name, number == DRUM_CHANNEL, per_beat))
    tempo_map = _changes(tempos, qpm or 120.0)
    meter_map = _changes(meters, Meter())
    symbols = [kind for kind, found in texts.items() if are_chords(kind, [text for _, text in found])]
    for kind in ("text", "lyrics", "cue_marker"):
        if kind not in symbols:
            metas += [(beat, mido.MetaMessage(kind, text=text)) for beat, text in texts[kind]]
    length = max((track.end for track in tracks), default=0.0)
    return Piece(
        tuple(tracks),
        tempo_map[0][1],
        meter_map[0][1],
        _spans([found for kind in symbols for found in texts[kind]], length),
        tempo_map if len(tempo_map) > 1 else (),
        meter_map if len(meter_map) > 1 else (),
        tuple(sorted(texts["marker"])) if "marker" not in symbols else (),
        tuple((beat, tuple(message.bytes())) for beat, message in sorted(metas, key=lambda item: item[0])),
    )


def ticks_per_beat(division: int) -> tuple[float, float | None]:
    """Ticks per quarter note; and the tempo, where the file counts in frames of film and so knows none.

    Raises:
        ValueError: it has no ticks.
    """
    if division > 0:
        return float(division), None
    if division == 0:
        raise ValueError("it has no ticks per quarter note")
    frames, ticks = -(division >> 8), division & 0xFF
    if frames * ticks == 0:
        raise ValueError("it has no ticks per frame")
    return frames * ticks / 2.0, 120.0


def _meter(numerator: int, denominator: int) -> Meter | None:
    try:
        return Meter.parse(f"{numerator}/{denominator}")
    except ValueError:
        return None


def _changes(found: dict[float, _Value], first: _Value) -> tuple[tuple[float, _Value], ...]:
    """Values by beat, from beat 0 on, without those that change nothing."""
    kept: list[tuple[float, _Value]] = []
    for beat, value in sorted(found.items(), key=lambda item: item[0]):
        if not kept and beat > 0:
            kept.append((0.0, first))
        if not kept or kept[-1][1] != value:
            kept.append((beat, value))
    return tuple(kept) or ((0.0, first),)


def _read_track(channel: _Channel, name: str, is_drum: bool, per_beat: float) -> Track:
    notes = np.zeros(len(channel.notes), NOTE)
    for place, (start, end, pitch, velocity) in enumerate(channel.notes):
        notes[place] = (start / per_beat, end / per_beat, pitch, velocity)
    controls = tuple((tick / per_beat, message) for tick, message in channel.controls)
    return Track(in_order(notes), name, channel.program, is_drum, controls)


def are_chords(kind: str, texts: Sequence[str]) -> bool:
    """Whether texts of a kind are chord symbols.

    A lyric may well be "A", so nearly all of them have to be; and markers "A", "B" and "C" are parts of a song.
    """
    read = [_is_chord(text) for text in texts if text.strip()]
    plain = kind == "marker" and all(len(text.strip()) == 1 for text in texts)
    return sum(read) * 10 > 9 * len(read) and not plain


def _is_chord(text: str) -> bool:
    try:
        parse_chord(text.strip())
    except ValueError:
        return False
    return True


def _spans(symbols: Sequence[tuple[float, str]], length: float) -> tuple[ChordSpan, ...]:
    """Chords, each until the next symbol, the last to the end of the piece."""
    found = [(beat, parse_chord(text.strip())) for beat, text in sorted(symbols) if _is_chord(text)]
    ends = [beat for beat, _ in found[1:]] + [length]
    return tuple(
        ChordSpan(beat, end, chord)
        for (beat, chord), end in zip(found, ends, strict=False)
        if chord is not None and end > beat
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, EOFError):
        return "it ends too early"
    return str(error) or type(error).__name__


def _conductor(piece: Piece) -> list[tuple[float, mido.MetaMessage]]:
    found = [
        (beat, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(qpm)))
        for beat, qpm in piece.tempos or ((0.0, piece.qpm),)
    ]
    found += [
        (beat, mido.MetaMessage("time_signature", numerator=meter.numerator, denominator=meter.denominator))
        for beat, meter in piece.meters or ((0.0, piece.meter),)
    ]
    found += [(beat, mido.MetaMessage("marker", text=_latin(text))) for beat, text in piece.markers]
    found += [(beat, mido.MetaMessage.from_bytes(list(message))) for beat, message in piece.metas]
    for place, span in enumerate(piece.chords):
        found.append((span.start, mido.MetaMessage("text", text=_latin(span.chord.name))))
        following = piece.chords[place + 1].start if place + 1 < len(piece.chords) else piece.length
        if following > span.end:
            found.append((span.end, mido.MetaMessage("text", text=_NO_CHORD)))
    return found


def _messages(track: Track, channel: int) -> list[tuple[float, mido.Message | mido.MetaMessage]]:
    """At one tick: first what sets the channel up, then ends of notes, then beginnings."""
    ordered: list[tuple[int, int, mido.Message]] = [
        (round(beat * TICKS_PER_BEAT), 0, mido.Message.from_bytes(message).copy(channel=channel))
        for beat, message in track.controls
    ]
    if track.program:
        ordered.insert(0, (0, 0, mido.Message("program_change", channel=channel, program=track.program)))
    for start, end, pitch, velocity in track.notes.tolist():
        ticks = round(start * TICKS_PER_BEAT), round(end * TICKS_PER_BEAT)
        # A note that rounding would make nothing of lasts a tick, lest its end come before its beginning.
        ordered.append((max(ticks[1], ticks[0] + 1), 1, _note("note_off", channel, pitch, 0)))
        ordered.append((ticks[0], 2, _note("note_on", channel, pitch, velocity)))
    ordered.sort(key=lambda item: item[:2])
    return [(tick / TICKS_PER_BEAT, message) for tick, _, message in ordered]


def _note(kind: str, channel: int, pitch: int, velocity: int) -> mido.Message:
    return mido.Message(kind, channel=channel, note=pitch, velocity=velocity)


def _track(name: str, messages: Sequence[tuple[float, mido.Message | mido.MetaMessage]]) -> mido.MidiTrack:
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=_latin(name))])
    before = 0
    for beat, message in sorted(messages, key=lambda item: round(item[0] * TICKS_PER_BEAT)):
        tick = round(beat * TICKS_PER_BEAT)
        track.append(message.copy(time=tick - before))
        before = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track


def _latin(text: str) -> str:
    """MIDI texts are Latin-1."""
    return text.encode("latin-1", "replace").decode("latin-1")

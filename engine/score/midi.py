"""MIDI files in and out, through mido."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import mido
import numpy as np

from engine.errors import PerpetuumError
from engine.score.phrase import NOTE

TICKS_PER_BEAT = 480
DRUM_CHANNEL = 9


def write(
    path: Path,
    tracks: Mapping[str, tuple[np.ndarray, bool]],
    tempos: Sequence[tuple[float, float]],
    meters: Sequence[tuple[float, int, int]] = ((0.0, 4, 4),),
    markers: Sequence[tuple[float, str]] = (),
) -> None:
    """Write a type 1 MIDI file.

    Args:
        path: file to write.
        tracks: by part name, the notes (array of `NOTE`, beats from the start of the file) and whether they are drums.
        tempos: (beat, qpm), ascending.
        meters: (beat, numerator, denominator), ascending.
        markers: (beat, text), ascending; the sections.
    """
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    conductor = [(beat, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(qpm))) for beat, qpm in tempos]
    conductor += [
        (beat, mido.MetaMessage("time_signature", numerator=num, denominator=den)) for beat, num, den in meters
    ]
    conductor += [(beat, mido.MetaMessage("marker", text=_latin(text))) for beat, text in markers]
    file.tracks.append(_track("conductor", conductor))
    melodic = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    for place, (name, (notes, is_drum)) in enumerate(tracks.items()):
        channel = DRUM_CHANNEL if is_drum else melodic[place % len(melodic)]
        # At one tick a note must end before the next of its pitch begins.
        ends = [
            (round(end * TICKS_PER_BEAT), 0, mido.Message("note_off", channel=channel, note=pitch, velocity=0))
            for _, end, pitch, _ in notes.tolist()
        ]
        starts = [
            (round(start * TICKS_PER_BEAT), 1, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity))
            for start, _, pitch, velocity in notes.tolist()
        ]
        messages = sorted(ends + starts, key=lambda item: item[:2])
        file.tracks.append(_track(name, [(tick / TICKS_PER_BEAT, message) for tick, _, message in messages]))
    file.save(path)


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the notes of a MIDI file.

    Returns:
        (notes, is_drum): array [n] of `NOTE` in beats from the start of the file, sorted by start, and for each
        whether it is on the drum channel.

    Raises:
        PerpetuumError: not a readable MIDI file.
    """
    try:
        file = mido.MidiFile(path, clip=True)
        ticks = file.ticks_per_beat
        notes: list[tuple[float, float, int, int]] = []
        drums: list[bool] = []
        for track in file.tracks:
            sounding: dict[tuple[int, int], list[tuple[int, int]]] = {}
            now = 0
            for message in track:
                now += message.time
                if message.type not in ("note_on", "note_off"):
                    continue
                key = (message.channel, message.note)
                if message.type == "note_on" and message.velocity > 0:
                    sounding.setdefault(key, []).append((now, message.velocity))
                elif sounding.get(key):
                    begun, velocity = sounding[key].pop(0)
                    notes.append((begun / ticks, max(now, begun + 1) / ticks, message.note, velocity))
                    drums.append(message.channel == DRUM_CHANNEL)
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        ZeroDivisionError,
    ) as error:
        raise PerpetuumError(
            f"{path} is not a readable MIDI file: {error}", "export it again as a Standard MIDI File (.mid)"
        ) from error
    array = np.zeros(len(notes), NOTE)
    for place, row in enumerate(notes):
        array[place] = row
    order = np.lexsort((array["pitch"], array["start"]))
    return array[order], np.array(drums, bool)[order]


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

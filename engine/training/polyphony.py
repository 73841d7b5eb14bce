"""Readers of music for several voices, and of performances: notes in, pieces out whose events are `NOTE` arrays.

Recognised below a data folder: JSB chorales (`Jsb16thSeparated.json.gz`, official split), score sets as JSON lines
(`openscore_quartets`), and any other folder of MIDI files. Performances are folders of MIDI files of piano.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np

from engine.score.phrase import NOTE, in_order
from engine.training.midi_files import folder_name, midi_files, midi_notes, off_grid
from engine.training.pieces import Piece

_SPLITS = {"train": "train", "valid": "validation", "test": "test"}
MAX_OFF_GRID = 0.05
SUSTAIN = 64
"""MIDI controller of the pedal; values from 64 on hold the notes."""


def polyphony_readers(folder: Path) -> Iterator[Iterator[Piece]]:
    """Readers for all that is below a folder."""
    chorales = sorted(folder.glob("**/Jsb16thSeparated.json.gz"))
    for path in chorales:
        yield chorale_pieces(path)
    scores = sorted(folder.glob("**/quartets.jsonl.gz"))
    for path in scores:
        yield score_polyphony(path)
    yield midi_polyphony(folder, skip=[path.parent for path in (*chorales, *scores)])


def chorale_pieces(path: Path) -> Iterator[Piece]:
    """Chorales as pitches of four voices per sixteenth, -1 for silence; equal pitches in a row are one note."""
    with gzip.open(path, "rt") as file:
        splits = json.load(file)
    for split, chorales in splits.items():
        for k, steps in enumerate(chorales):
            rows = []
            for voice in np.array(steps, int).T:
                edges = [0, *(np.flatnonzero(np.diff(voice)) + 1).tolist(), len(voice)]
                rows += [(a / 4, b / 4, voice[a], 100) for a, b in pairwise(edges) if voice[a] >= 0]
            yield Piece(f"{split}{k}", path.parent.name, _SPLITS[split], note_array(rows))


def score_polyphony(path: Path) -> Iterator[Piece]:
    """All parts of scores as JSON lines, without bars that are longer than their signature."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            score = json.loads(line)
            if _over_long(score):
                continue
            beat = score["tpq"]
            rows = [
                (n[0] / beat, (n[0] + n[1]) / beat, n[2], 100)
                for part in score["parts"]
                for voice in part["voices"]
                for n in voice["n"]
            ]
            notes = note_array(rows)
            if len(notes) >= 64 and off_grid(notes["start"] * 4) <= MAX_OFF_GRID:
                yield Piece(score["id"], path.parent.name, "", notes)


def _over_long(score: dict) -> bool:
    """Whether a bar is longer than its signature says: the score is not to be trusted."""
    changes = sorted(tuple(change) for change in score["ts"])
    for bar, following in pairwise(score["bars"]):
        holding = [change for change in changes if change[0] <= bar]
        if holding and following - bar > score["tpq"] * 4 * holding[-1][1] / holding[-1][2]:
            return True
    return False


def midi_polyphony(folder: Path, skip: Sequence[Path] = ()) -> Iterator[Piece]:
    """All notes but drums of any MIDI files that lie on the grid of sixteenths."""
    for path in midi_files(folder, skip):
        try:
            found, _ = midi_notes(path, drums=False)
        except (OSError, ValueError, EOFError, KeyError, IndexError):
            continue
        if len(found) >= 16 and off_grid(found[:, 0]) <= MAX_OFF_GRID:
            rows = [(start / 4, end / 4, pitch, velocity) for start, end, pitch, velocity in found.tolist()]
            yield Piece(path.stem, folder_name(folder, path), "", note_array(rows))


def performance_pieces(folder: Path) -> Iterator[Piece]:
    """Performances: starts and ends of notes in seconds, held by the pedal; of any MIDI files."""
    for path in midi_files(folder, ()):
        try:
            rows = performed_notes(mido.MidiFile(path, clip=True))
        except (OSError, ValueError, EOFError, KeyError, IndexError):
            continue
        if len(rows) >= 64:
            yield Piece(path.stem, folder_name(folder, path), "", note_array(rows))


def performed_notes(midi: mido.MidiFile) -> list[tuple[float, float, int, int]]:
    """(start, end, pitch, velocity) of all notes but drums, in seconds; a note that the pedal holds ends with it."""
    notes: list[tuple[float, float, int, int]] = []
    pressed: dict[tuple[int, int], tuple[float, int]] = {}
    held: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    pedals: dict[int, bool] = defaultdict(bool)
    now = 0.0

    def release(channel: int, pitch: int | None = None) -> None:
        kept = []
        for start, held_pitch, velocity in held[channel]:
            if pitch in (None, held_pitch):
                notes.append((start, now, held_pitch, velocity))
            else:
                kept.append((start, held_pitch, velocity))
        held[channel] = kept

    for message in midi:
        now += message.time
        if message.type == "control_change" and message.control == SUSTAIN:
            pedals[message.channel] = message.value >= 64
            if message.value < 64:
                release(message.channel)
        elif message.type in ("note_on", "note_off") and message.channel != 9:
            key = message.channel, message.note
            if key in pressed:
                start, velocity = pressed.pop(key)
                if pedals[message.channel]:
                    held[message.channel].append((start, message.note, velocity))
                else:
                    notes.append((start, now, message.note, velocity))
            if message.type == "note_on" and message.velocity:
                release(message.channel, message.note)
                pressed[key] = now, message.velocity
    notes += [(start, now, pitch, velocity) for (_, pitch), (start, velocity) in pressed.items()]
    for channel in held:
        release(channel)
    return [note for note in notes if note[1] > note[0]]


def note_array(rows: Sequence[tuple[float, float, int, int]]) -> np.ndarray:
    """Array of `NOTE`, sorted by (start, pitch), of (start, end, pitch, velocity)."""
    return in_order(np.array(rows, NOTE))

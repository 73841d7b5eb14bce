"""Readers of data sets: files in, pieces out (see `pieces.Piece`), unsplit unless a split is official.

Recognised below a data folder: the Groove MIDI Dataset (`groove/info.csv`), score sets as JSON lines
(`*.jsonl.gz`: openscore_lieder, fiddle_tunes, nottingham), and any other folder of MIDI files.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import floor
from pathlib import Path

import mido
import numpy as np

from engine.errors import PerpetuumError
from engine.score.drums import CLASS_OF_PITCH
from engine.training.pieces import STEPS_PER_BAR, Piece

GHOST_VELOCITY = {1: 40}
"""Snare hits softer than this are ghost notes: a network without velocities would play them as backbeats."""
MIN_VELOCITY = 20
_ROLAND_TOMS = {48: 6, 50: 6, 45: 5, 47: 5, 43: 4, 58: 4}
"""Classes of the rims and heads of the electronic kit that Groove was played on."""
MAX_REST_STEPS = 24
"""A melody that rests longer than this ends; what follows is another piece."""


def read_corpus(kind: str, folder: Path) -> Iterator[Piece]:
    """Every piece below a folder.

    Args:
        kind: "drums" or "melody".
        folder: one data set, or a folder of data sets.

    Raises:
        PerpetuumError: nothing usable in it.
    """
    count = 0
    readers = _drum_readers(folder) if kind == "drums" else _melody_readers(folder)
    for reader in readers:
        for piece in reader:
            count += 1
            yield piece
    if not count:
        raise PerpetuumError(
            f"{folder}: no {kind} found in it", "Give a folder with MIDI files or one of the known data sets."
        )


def _drum_readers(folder: Path) -> Iterator[Iterator[Piece]]:
    groove = [path.parent for path in sorted(folder.glob("**/info.csv"))]
    for root in groove:
        yield groove_pieces(root)
    yield drum_midi_pieces(folder, skip=groove)


def _melody_readers(folder: Path) -> Iterator[Iterator[Piece]]:
    for path in sorted(folder.glob("**/*.jsonl.gz")):
        if path.parent.name in ("openscore_lieder", "fiddle_tunes", "nottingham") or path.parent == folder:
            yield score_pieces(path)
    if not list(folder.glob("**/*.jsonl.gz")):
        yield melody_midi_pieces(folder)


def midi_notes(path: Path, drums: bool) -> tuple[np.ndarray, list[tuple[float, int, int]]]:
    """Notes of a MIDI file on the 16th grid, unquantised.

    Args:
        path: a Standard MIDI File.
        drums: take channel 10, else all others.

    Returns:
        [N, 4] of start, end (both in 16ths), pitch, velocity, ordered by start; and the time signatures as
        (start in 16ths, numerator, denominator).

    Raises:
        OSError, ValueError, EOFError, KeyError, IndexError: mido's, for a broken file.
    """
    midi = mido.MidiFile(path, clip=True)
    per_step = midi.ticks_per_beat / 4
    time, notes, meters = 0, [], []
    sounding: dict[tuple[int, int], tuple[int, int]] = {}
    for message in mido.merge_tracks(midi.tracks):
        time += message.time
        if message.type == "time_signature":
            meters.append((time / per_step, message.numerator, message.denominator))
        elif message.type in ("note_on", "note_off") and (message.channel == 9) == drums:
            key = (message.channel, message.note)
            if key in sounding:
                start, velocity = sounding.pop(key)
                notes.append((start / per_step, time / per_step, message.note, velocity))
            if message.type == "note_on" and message.velocity:
                sounding[key] = (time, message.velocity)
    notes += [(s / per_step, time / per_step, note, v) for (_, note), (s, v) in sounding.items()]
    return np.array(sorted(notes), np.float64).reshape(-1, 4), meters


def drum_events(notes: np.ndarray, classes: dict[int, int]) -> np.ndarray:
    """Bit masks of drum classes per 16th, up to the end of the last bar with a hit.

    Args:
        notes: [N, 4] as from `midi_notes`.
        classes: drum class of a MIDI pitch.
    """
    hits = []
    for start, _, pitch, velocity in notes:
        drum = classes.get(int(pitch))
        if drum is not None and velocity >= GHOST_VELOCITY.get(drum, MIN_VELOCITY):
            hits.append((int(start + 0.5), drum))
    if not hits:
        return np.zeros(0, np.int16)
    steps = -(-(max(step for step, _ in hits) + 1) // STEPS_PER_BAR) * STEPS_PER_BAR
    events = np.zeros(steps, np.int16)
    for step, drum in hits:
        events[step] |= 1 << drum
    return events


def off_grid(starts: np.ndarray) -> float:
    """Share of onsets farther than a third of a step from the 16th grid: triplets, swing, loose playing."""
    return float(np.mean(np.abs(starts - np.floor(starts + 0.5)) > 1 / 3)) if len(starts) else 1.0


def groove_pieces(root: Path) -> Iterator[Piece]:
    """The Groove MIDI Dataset (Gillick et al. 2019) with its official split; 4/4, not mainly off the grid."""
    classes = dict(CLASS_OF_PITCH) | _ROLAND_TOMS
    with (root / "info.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["time_signature"] != "4-4":
                continue
            notes, _ = midi_notes(root / row["midi_filename"], drums=True)
            if off_grid(notes[:, 0]) > 0.3:
                continue
            events = drum_events(notes, classes)
            if len(events) >= STEPS_PER_BAR:
                yield Piece(row["id"], f"groove {row['beat_type']}", row["split"], events)


def drum_midi_pieces(folder: Path, skip: Sequence[Path] = ()) -> Iterator[Piece]:
    """Drum tracks (channel 10) of any MIDI files; runs in 4/4 without two silent bars in a row, four bars or longer."""
    for path in _midi_files(folder, skip):
        try:
            notes, meters = midi_notes(path, drums=True)
        except (OSError, ValueError, EOFError, KeyError, IndexError):
            continue
        if not len(notes) or any(meter[1:] != (4, 4) for meter in meters) or off_grid(notes[:, 0]) > 0.2:
            continue
        bars = drum_events(notes, dict(CLASS_OF_PITCH)).reshape(-1, STEPS_PER_BAR)
        silent = [not bar.any() for bar in bars] + [True, True]
        start = 0
        for k in range(len(bars) + 1):
            if silent[k] and (k == start or silent[k + 1]):
                run = bars[start:k]
                if len(run) >= 4 and sum(bar.any() for bar in run) >= 4:
                    yield Piece(f"{path.stem}#{start}", folder_name(folder, path), "", run.reshape(-1))
                start = k + 1


def folder_name(folder: Path, path: Path) -> str:
    """Source of a file: the name of the data set's folder."""
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else folder.name


def _midi_files(folder: Path, skip: Sequence[Path]) -> list[Path]:
    files = [path for path in sorted(folder.glob("**/*")) if path.suffix.lower() in (".mid", ".midi")]
    return [path for path in files if not any(root in path.parents for root in skip)]


def melody_events(notes: Sequence[Sequence[float]], origin: float) -> list[np.ndarray]:
    """Monophonic melodies as MelodyEvents (-2 no event, -1 note off, pitch), each from a bar line to a bar's end.

    Of notes that start together the highest stays; a note ends where the next begins. A rest of more than
    `MAX_REST_STEPS` begins another melody.

    Args:
        notes: (start, end, pitch) in 16ths.
        origin: where a bar line lies, in 16ths.
    """
    line: list[tuple[int, int, int]] = []
    for start, end, pitch in sorted((n[0], n[1], int(n[2])) for n in notes):
        on, off = floor(start - origin + 0.5), floor(end - origin + 0.5)
        off = max(off, on + 1)
        if line and on <= line[-1][0]:
            if pitch > line[-1][2]:
                line[-1] = (line[-1][0], off, pitch)
            continue
        if line and line[-1][1] > on:
            line[-1] = (line[-1][0], on, line[-1][2])
        line.append((on, off, pitch))
    phrases: list[list[tuple[int, int, int]]] = []
    for note in line:
        if not phrases or note[0] - phrases[-1][-1][1] > MAX_REST_STEPS:
            phrases.append([])
        phrases[-1].append(note)
    return [_melody(phrase) for phrase in phrases]


def _melody(line: list[tuple[int, int, int]]) -> np.ndarray:
    first = line[0][0] // STEPS_PER_BAR * STEPS_PER_BAR
    steps = -(-(line[-1][1] - first) // STEPS_PER_BAR) * STEPS_PER_BAR
    events = np.full(steps + 1, -2, np.int16)
    for on, off, pitch in line:
        events[off - first] = -1
        events[on - first] = pitch
    return events[:steps]


def _bar_runs(bars: list[float], meter: int) -> Iterator[tuple[float, float, float]]:
    """(begin, end, origin) in 16ths of stretches whose bar lines stay on one grid; a pickup belongs to what follows."""
    if len(bars) < 3:
        return
    begin, origin = bars[0], None
    for here, after in pairwise(bars):
        if origin is None:
            if after - here == meter:
                origin = here
        elif (here - origin) % meter and (after - origin) % meter:
            # One line off the grid may split a bar (a repeat before a pickup); a grid that stays broken ends the run.
            yield begin, here, origin
            begin, origin = here, None
    if origin is not None:
        yield begin, bars[-1] + meter, origin


def score_pieces(path: Path) -> Iterator[Piece]:
    """Melodies of a set of scores as JSON lines: vocal lines where parts are given, else the tune; 4/4, 2/2 and 2/4."""
    source = path.name.removesuffix(".jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            score = json.loads(line)
            meters = {tuple(meter[1:]) for meter in score["ts"]}
            if not meters or not meters <= {(4, 4), (2, 2), (2, 4)} or len(meters) > 1:
                continue
            per_step = score["tpq"] / 4
            meter = 8 if meters == {(2, 4)} else 16
            bars = [tick / per_step for tick in score["bars"]]
            if any(b - a > meter for a, b in pairwise(bars)):
                continue  # a bar longer than its signature: the encoding is not to be trusted
            for k, notes in enumerate(_lines(score)):
                steps = np.array([[n[0] / per_step, (n[0] + n[1]) / per_step, n[2]] for n in notes])
                if len(steps) < 16 or off_grid(steps[:, 0]) > 0.05:
                    continue
                for j, (begin, end, origin) in enumerate(_bar_runs(bars, meter)):
                    inside = steps[(steps[:, 0] >= begin) & (steps[:, 0] < end)]
                    for i, events in enumerate(melody_events(inside.tolist(), origin)):
                        if len(events) >= 4 * STEPS_PER_BAR and (events >= 0).sum() >= 12:
                            yield Piece(f"{score['id']}#{k}.{j}.{i}", source, "", events)


def _lines(score: dict) -> Iterator[list[list[int]]]:
    if "notes" in score:
        yield score["notes"]
        return
    for part in score["parts"]:
        if part.get("lyric") and part["voices"]:
            yield max((voice["n"] for voice in part["voices"]), key=len)


def melody_midi_pieces(folder: Path) -> Iterator[Piece]:
    """The highest line of the non-drum notes of any MIDI files, where there is one: 4/4, on the grid."""
    for path in _midi_files(folder, ()):
        try:
            notes, meters = midi_notes(path, drums=False)
        except (OSError, ValueError, EOFError, KeyError, IndexError):
            continue
        if any(meter[1:] not in ((4, 4), (2, 2), (2, 4)) for meter in meters):
            continue
        if not len(notes) or off_grid(notes[:, 0]) > 0.05:
            continue
        for i, events in enumerate(melody_events(notes[:, :3].tolist(), 0.0)):
            if (events >= 0).sum() >= 8:
                yield Piece(f"{path.stem}#{i}", folder_name(folder, path), "", events)

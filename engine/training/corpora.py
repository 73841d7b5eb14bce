"""Readers of data sets: files in, pieces out (see `pieces.Piece`), unsplit unless a split is official.

Recognised below a data folder: the Groove MIDI Dataset (`groove/info.csv`), score sets as JSON lines
(`*.jsonl.gz`: openscore_lieder, fiddle_tunes, nottingham), and any other folder of MIDI files.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import floor
from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.configs import CONFIGS
from engine.networks.vae.converters.groove import GrooveConverter
from engine.score.drums import CLASS_OF_PITCH
from engine.training.midi_files import folder_name, midi_files, midi_notes, off_grid
from engine.training.pieces import STEPS_PER_BAR, Piece
from engine.training.polyphony import note_array, performance_pieces, polyphony_readers

GHOST_VELOCITY = {1: 40}
"""Snare hits softer than this are ghost notes: a network without velocities would play them as backbeats."""
MIN_VELOCITY = 20
_ROLAND_TOMS = {48: 6, 50: 6, 45: 5, 47: 5, 43: 4, 58: 4}
"""Classes of the rims and heads of the electronic kit that Groove was played on."""
MAX_REST_STEPS = 24
"""A melody that rests longer than this ends; what follows is another piece."""


CORPORA = {
    "drums_rnn": "drums",
    "melody_rnn": "melody",
    "improv_rnn": "lead_sheet",
    "polyphony_rnn": "polyphony",
    "performance_rnn": "performance",
    "cat-drums_2bar_small": "drums",
    "cat-mel_2bar_small": "melody",
    "groovae_2bar_humanize": "groove",
    "groovae_2bar_tap_fixed_velocity": "groove",
    "groovae_2bar_add_closed_hh": "groove",
}
"""What networks are trained on (see `read_corpus`), by family or by the config's name."""


def trainable() -> list[str]:
    """Names of the configs that can be trained."""
    return sorted(name for name, config in CONFIGS.items() if name in CORPORA or config.family in CORPORA)


def corpus_of(config: str) -> str:
    """The kind of music that a config is trained on."""
    return CORPORA.get(config) or CORPORA[CONFIGS[config].family]


def read_corpus(kind: str, folder: Path) -> Iterator[Piece]:
    """Every piece below a folder.

    Args:
        kind: "drums", "groove", "melody", "lead_sheet", "polyphony" or "performance".
        folder: one data set, or a folder of data sets.

    Raises:
        PerpetuumError: nothing usable in it.
    """
    count = 0
    readers = READERS[kind](folder)
    for reader in readers:
        for piece in reader:
            count += 1
            yield piece
    if not count:
        raise PerpetuumError(
            f"{folder}: no {kind.replace('_', ' ')} found in it",
            "Give a folder with MIDI files or one of the known data sets.",
        )


def _drum_readers(folder: Path) -> Iterator[Iterator[Piece]]:
    groove = [path.parent for path in sorted(folder.glob("**/info.csv"))]
    for root in groove:
        yield groove_pieces(root)
    yield drum_midi_pieces(folder, skip=groove)


def _groove_readers(folder: Path) -> Iterator[Iterator[Piece]]:
    for path in sorted(folder.glob("**/info.csv")):
        yield played_grooves(path.parent)


def _melody_readers(folder: Path) -> Iterator[Iterator[Piece]]:
    for path in sorted(folder.glob("**/*.jsonl.gz")):
        if path.parent.name in ("openscore_lieder", "fiddle_tunes", "nottingham") or path.parent == folder:
            yield score_pieces(path)
    if not list(folder.glob("**/*.jsonl.gz")):
        yield melody_midi_pieces(folder)


def _lead_sheet_readers(folder: Path) -> Iterator[Iterator[Piece]]:
    for path in sorted(folder.glob("**/*.jsonl.gz")):
        yield score_pieces(path, lead_sheets=True)


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


def played_grooves(root: Path) -> Iterator[Piece]:
    """The Groove MIDI Dataset as it was played, with its official split; 4/4."""
    converter = GrooveConverter(recorded=True)
    with (root / "info.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["time_signature"] != "4-4":
                continue
            found, _ = midi_notes(root / row["midi_filename"], drums=True)
            notes = note_array(
                [(start / 4, end / 4, pitch, velocity) for start, end, pitch, velocity in found.tolist()]
            )
            steps = -(-int(notes["start"].max() * 4 + 1.5) // STEPS_PER_BAR) * STEPS_PER_BAR
            strokes = converter.strokes(notes, 0.0, steps)
            if strokes.any():
                yield Piece(row["id"], f"groove {row['beat_type']}", row["split"], strokes, qpm=float(row["bpm"]))


def drum_midi_pieces(folder: Path, skip: Sequence[Path] = ()) -> Iterator[Piece]:
    """Drum tracks (channel 10) of any MIDI files; runs in 4/4 without two silent bars in a row, four bars or longer."""
    for path in midi_files(folder, skip):
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


def melody_events(notes: Sequence[Sequence[float]], origin: float) -> list[tuple[int, np.ndarray]]:
    """Monophonic melodies as MelodyEvents (-2 no event, -1 note off, pitch), each from a bar line to a bar's end.

    Of notes that start together the highest stays; a note ends where the next begins. A rest of more than
    `MAX_REST_STEPS` begins another melody.

    Args:
        notes: (start, end, pitch) in 16ths.
        origin: where a bar line lies, in 16ths.

    Returns:
        For each melody its first step, counted from `origin`, and its events.
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


def _melody(line: list[tuple[int, int, int]]) -> tuple[int, np.ndarray]:
    first = line[0][0] // STEPS_PER_BAR * STEPS_PER_BAR
    steps = -(-(line[-1][1] - first) // STEPS_PER_BAR) * STEPS_PER_BAR
    events = np.full(steps + 1, -2, np.int16)
    for on, off, pitch in line:
        events[off - first] = -1
        events[on - first] = pitch
    return first, events[:steps]


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


def score_pieces(path: Path, lead_sheets: bool = False) -> Iterator[Piece]:
    """Melodies of a set of scores as JSON lines: vocal lines where parts are given, else the tune; 4/4, 2/2 and 2/4.

    Args:
        path: the set.
        lead_sheets: only melodies over chords, with their chords.
    """
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
                    for i, (first, events) in enumerate(melody_events(inside.tolist(), origin)):
                        chords = chord_steps(score.get("chords", ()), per_step, origin + first, len(events))
                        if lead_sheets and not chords.astype(bool).any():
                            continue
                        if len(events) >= 4 * STEPS_PER_BAR and (events >= 0).sum() >= 12:
                            name = f"{score['id']}#{k}.{j}.{i}"
                            yield Piece(name, source, "", events, chords if lead_sheets else None)


def chord_steps(chords: Sequence[tuple[float, str]], per_step: float, first: float, steps: int) -> np.ndarray:
    """The chord that holds at each step, as a figure; empty before the first.

    Args:
        chords: (tick, figure). Figures in ABC's spelling ("B-", "D/f+") are understood; one that is only a bass note
            leaves the chord as it is.
        per_step: ticks of a sixteenth.
        first: where the steps begin, in sixteenths.
        steps: how many.
    """
    figures = np.full(steps, "", "U16")
    for tick, figure in chords:
        if figure and (figure[0].isupper() or figure == "N.C."):
            root, slash, bass = figure.replace("B-", "Bb").replace("E-", "Eb").replace("A-", "Ab").partition("/")
            if slash and bass[:1].islower():
                bass = bass.capitalize().replace("+", "#").replace("-", "b")
            figures[max(0, floor(tick / per_step - first + 0.5)) :] = root + slash + bass
    return figures


def _lines(score: dict) -> Iterator[list[list[int]]]:
    if "notes" in score:
        yield score["notes"]
        return
    for part in score["parts"]:
        if part.get("lyric") and part["voices"]:
            yield max((voice["n"] for voice in part["voices"]), key=len)


def melody_midi_pieces(folder: Path) -> Iterator[Piece]:
    """The highest line of the non-drum notes of any MIDI files, where there is one: 4/4, on the grid."""
    for path in midi_files(folder, ()):
        try:
            notes, meters = midi_notes(path, drums=False)
        except (OSError, ValueError, EOFError, KeyError, IndexError):
            continue
        if any(meter[1:] not in ((4, 4), (2, 2), (2, 4)) for meter in meters):
            continue
        if not len(notes) or off_grid(notes[:, 0]) > 0.05:
            continue
        for i, (_, events) in enumerate(melody_events(notes[:, :3].tolist(), 0.0)):
            if (events >= 0).sum() >= 8:
                yield Piece(f"{path.stem}#{i}", folder_name(folder, path), "", events)


READERS: dict[str, Callable[[Path], Iterator[Iterator[Piece]]]] = {
    "drums": _drum_readers,
    "groove": _groove_readers,
    "melody": _melody_readers,
    "lead_sheet": _lead_sheet_readers,
    "polyphony": polyphony_readers,
    "performance": lambda folder: iter([performance_pieces(folder)]),
}
"""What reads each kind of music below a folder."""

"""What music is in a folder, or in a data set: counts of everything that decides what can be learnt from it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.networks.chorale.notes import to_notes
from engine.score.drums import CLASS_OF_PITCH, CLASSES, PITCHES
from engine.score.harmony.key_finding import find_key
from engine.score.phrase import NOTE
from engine.training.datasets.build import Progress, cores
from engine.training.datasets.filters import INSTRUMENTS
from engine.training.datasets.music.ensembles import DRUMS, LINE
from engine.training.datasets.pieces import DatasetPiece
from engine.training.datasets.score import LeftOut, Score, ScorePart, UnusableError, counted, note_array
from engine.training.datasets.sources import Work, find_files
from engine.training.datasets.workers import Died, Pool

LENGTHS = {
    "1/32": 0.125,
    "1/16": 0.25,
    "1/8 triplet": 1 / 3,
    "1/8": 0.5,
    "1/4 triplet": 2 / 3,
    "dotted 1/8": 0.75,
    "1/4": 1.0,
    "dotted 1/4": 1.5,
    "1/2": 2.0,
    "dotted 1/2": 3.0,
    "1/1": 4.0,
    "longer": 8.0,
}
"""Names of note lengths, in beats; a length gets the nearest one's, by ratio."""
_PERFORMED_QPM = 120.0
"""What is told in seconds is counted in beats of this tempo."""


@dataclass
class Contents:
    """Counts; they add up.

    Attributes:
        pieces: pieces of music that were read.
        skipped: those that could not be read, by the reason.
        left_out: what was in the files and could not be read, with the places.
        notes: of all parts; drums with them.
        bars: of the meters that the files say, 4/4 where they say none.
        instruments: notes by family of General MIDI instruments, "drums" and "not said".
        meters: pieces by their first meter; "several" where they change it, "not said".
        tempi: pieces by the tens of quarter notes per minute at their beginning; "not said".
        keys: pieces by the key that is found in their notes.
        drums: strokes by class; "other" for pitches of no class.
        voices: onsets (but of drums) by how many notes sound then.
        lengths: notes (but drums) by the nearest of `LENGTHS`.
    """

    pieces: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    left_out: tuple[LeftOut, ...] = ()
    notes: int = 0
    bars: int = 0
    instruments: Counter[str] = field(default_factory=Counter)
    meters: Counter[str] = field(default_factory=Counter)
    tempi: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    drums: Counter[str] = field(default_factory=Counter)
    voices: Counter[int] = field(default_factory=Counter)
    lengths: Counter[str] = field(default_factory=Counter)

    def add(self, other: Contents) -> None:
        """Count another's in."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            elif each.name == "left_out":
                self.left_out = counted((*self.left_out, *other.left_out))
            else:
                setattr(self, each.name, mine + theirs)

    def as_json(self) -> dict[str, Any]:
        """What `json.dumps` takes."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        found["left_out"] = [asdict(each) for each in self.left_out]
        return {
            name: dict(sorted(value.items())) if isinstance(value, Counter) else value for name, value in found.items()
        }


def contents_of_files(
    paths: Sequence[Path], jobs: int | None = None, seconds: float = 60.0, progress: Progress | None = None
) -> Contents:
    """What is in folders and files of music; for the arguments see `engine.training.datasets.build.build`.

    Raises:
        PerpetuumError: a path is not there, or nothing in it is music.
    """
    whole, done, total = Contents(), 0, 0

    def works() -> Iterator[Work]:
        nonlocal total
        files = find_files(paths)
        total = len(files)
        for file in files:
            try:
                found = file.works(file.read())
            except (OSError, UnusableError) as reason:
                whole.skipped[str(reason)] += 1
                found = []
            total += len(found) - 1
            yield from found

    pool = Pool[Work, Contents](contents_of_work, jobs or cores(), seconds)
    try:
        for _, found in pool.map(works()):
            whole.add(Contents(skipped=Counter([found.reason])) if isinstance(found, Died) else found)
            done += 1
            if progress is not None:
                progress(done, total)
    finally:
        pool.close()
    return whole


def contents_of_pieces(pieces: Sequence[DatasetPiece], kind: str) -> Contents:
    """What is in prepared pieces of a kind of music, whose events say neither instruments nor meters."""
    whole = Contents()
    for piece in pieces:
        found = contents_of_score(_score_of(piece, kind))
        found.instruments.clear()
        found.meters.clear()
        whole.add(found)
    return whole


def contents_of_work(work: Work) -> Contents:
    """What is in one work; never raises."""
    try:
        score = work.read()
        found = contents_of_score(score)
        found.left_out = tuple(replace(each, file=work.file) for each in score.left_out)
        return found
    except UnusableError as reason:
        whole = LeftOut(f"a whole piece: {reason}", 1, reason.place, work.file)
        return Contents(skipped=Counter([str(reason)]), left_out=(whole,) if reason.place else ())
    except Exception as error:
        return Contents(skipped=Counter([f"cannot be read ({type(error).__name__})"]))


def contents_of_score(score: Score) -> Contents:
    """What is in one score."""
    drums, notes = score.notes(is_drum=True), score.notes(is_drum=False)
    found = Contents(pieces=1, notes=len(drums) + len(notes))
    for part in score.parts:
        found.instruments[_instrument(part)] += len(part.notes)
    signatures = {f"{top}/{bottom}" for top, bottom in score.signatures}
    found.meters["not said" if not signatures else "several" if len(signatures) > 1 else signatures.pop()] += 1
    found.tempi[f"{score.qpm // 10 * 10:g}" if score.tempos else "not said"] += 1
    _, top, bottom = score.meters[0] if score.meters else (0.0, 4, 4)
    end = max(float(each["end"].max()) for each in (drums, notes) if len(each))
    found.bars = len(score.bars) or math.ceil(end / (4 * top / bottom) - 1e-6)
    classes = {pitch: CLASSES[k] for pitch, k in CLASS_OF_PITCH.items()}
    found.drums.update(classes.get(pitch, "other") for pitch in drums["pitch"].tolist())
    if len(notes):
        lengths = notes["end"] - notes["start"]
        key = find_key(notes["pitch"], lengths)
        if key is not None:
            found.keys[str(key)] += 1
        starts = np.unique(notes["start"])
        began = np.searchsorted(notes["start"], starts, side="right")
        ended = np.searchsorted(np.sort(notes["end"]), starts + 1e-6, side="right")
        found.voices.update((began - ended).tolist())
        names = list(LENGTHS)
        nearest = np.abs(np.log(np.maximum(lengths, 1e-3))[:, None] - np.log(list(LENGTHS.values()))).argmin(axis=1)
        found.lengths.update(names[k] for k in nearest.tolist())
    return found


def _instrument(part: ScorePart) -> str:
    if part.is_drum:
        return "drums"
    if part.program is None:
        return "not said"
    return next(name for name, programs in INSTRUMENTS.items() if part.program in programs)


def _score_of(piece: DatasetPiece, kind: str) -> Score:
    """The notes of a piece."""
    events, tempos = piece.events, ((0.0, piece.qpm),)
    match kind:
        case "chorale":
            return Score((ScorePart((to_notes(events),)),), tempos=tempos)
        case "polyphony":
            return Score((ScorePart((events,)),), tempos=tempos)
        case "performance":
            events = events.copy()
            for edge in ("start", "end"):
                events[edge] *= _PERFORMED_QPM / 60
            return Score((ScorePart((events,)),), tempos=tempos)
        case "melody" | "lead_sheet":
            return Score((ScorePart((_melody_notes(events),)),), tempos=tempos)
        case "trio":
            lines = (ScorePart((_melody_notes(events[:, line]),), program) for line, program in ((0, 0), (1, 33)))
            (drums,) = _score_of(replace(piece, events=events[:, 2]), "drums").parts
            return Score((*lines, drums), tempos=tempos)
        case "ensemble":
            line = ScorePart((_melody_notes(events[:, LINE]),))
            if events[0, DRUMS] < 0:
                return Score((line,), tempos=tempos)
            (drums,) = _score_of(replace(piece, events=events[:, DRUMS]), "drums").parts
            return Score((line, drums), tempos=tempos)
        case "groove":
            steps, classes = np.nonzero(events[:, : len(CLASSES)])
        case _:
            steps, classes = np.nonzero(events[:, None].astype(int) >> np.arange(len(CLASSES)) & 1)
    rows = [(step / 4, (step + 1) / 4, PITCHES[k], 100) for step, k in zip(steps, classes, strict=True)]
    return Score((ScorePart((note_array(rows),), is_drum=True),), tempos=tempos)


def _melody_notes(events: np.ndarray) -> np.ndarray:
    changes = np.append(np.flatnonzero(events != -2), len(events))
    rows = [
        (start / 4, end / 4, int(events[start]), 100)
        for start, end in zip(changes[:-1].tolist(), changes[1:].tolist(), strict=True)
        if events[start] >= 0
    ]
    return note_array(rows) if rows else np.zeros(0, NOTE)

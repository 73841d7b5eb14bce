"""Basses of scenes beside held-out basses of Freedoom, by measures that no curator's score has.

    python -m tests.proofs.ensemble.basslines RUN [NAME=NOTES ...] [--part bass --drums drums --chords keys]

RUN holds `pieces.npz`, which `python -m tests.proofs.ensemble` leaves there; NOTES are hours that `python -m
tests.proofs.hours --keep` has kept, several of one NAME together.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.networks.encodings import drums, melody
from engine.networks.ensemble.encoding import BASS
from engine.score.harmony.chords import parse_chord
from engine.score.phrase import NOTE
from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets.music.ensembles import DRUMS, LINE, PART
from engine.training.datasets.pieces import STEPS_PER_BAR, load_pieces
from engine.training.material import known_chord
from tests.proofs.hours.notes import PartInBar, load

_STRONG = (0, 8)
_HUNDRED = 100


@dataclass(frozen=True)
class Bassline:
    """Bars one after another in which bass and drums play.

    Attributes:
        events: [T] MelodyEvents.
        kicks: [T] bool.
        tones: [T, 12] of the chords; none where there is no chord.
    """

    events: np.ndarray
    kicks: np.ndarray
    tones: np.ndarray


def figures(lines: Sequence[Bassline]) -> dict[str, float]:
    """What the basses are like, as shares and counts."""
    found: Counter[str] = Counter()
    rhythms: list[tuple[int, ...]] = []
    for line in lines:
        begins = line.events >= 0
        places = np.flatnonzero(begins)
        strong = places[np.isin(places % STEPS_PER_BAR, _STRONG)]
        strong = strong[line.tones[strong].any(axis=1)]
        found["strong"] += len(strong)
        found["in chord"] += int(line.tones[strong, line.events[strong] % 12].sum())
        found["onsets"] += len(places)
        found["with kick"] += int(line.kicks[places].sum())
        found["kicks"] += int(line.kicks.sum())
        moves = np.abs(np.diff(line.events[places]))
        found["moves"] += len(moves)
        for name, low, high in (("same", 0, 0), ("step", 1, 2), ("third", 3, 4), ("leap", 5, 11), ("octave", 12, 99)):
            found[name] += int(((moves >= low) & (moves <= high)).sum())
        bars = line.events[: len(line.events) // STEPS_PER_BAR * STEPS_PER_BAR].reshape(-1, STEPS_PER_BAR)
        sounding = [tuple(np.flatnonzero(bar >= 0).tolist()) for bar in bars]
        rhythms += [one for one in sounding if one]
        for before, after in itertools.pairwise(bars):
            if (before >= 0).any() or (after >= 0).any():
                found["pairs"] += 1
                found["bars again"] += int((before == after).all())
                found["rhythms again"] += int(((before >= 0) == (after >= 0)).all())
    hundreds = [rhythms[start : start + _HUNDRED] for start in range(0, max(1, len(rhythms) - _HUNDRED + 1), _HUNDRED)]
    return {
        "bars": float(len(rhythms)),
        "onsets a bar": found["onsets"] / max(1, len(rhythms)),
        "in the chord on beats 1 and 3": found["in chord"] / max(1, found["strong"]),
        "onsets with the kick": found["with kick"] / max(1, found["onsets"]),
        "kicks with the bass": found["with kick"] / max(1, found["kicks"]),
        "bars as the one before": found["bars again"] / max(1, found["pairs"]),
        "rhythms as the bar before": found["rhythms again"] / max(1, found["pairs"]),
        "rhythms in a hundred bars": float(np.mean([len(set(one)) for one in hundreds])),
        "commonest rhythm of them": float(np.mean([Counter(one).most_common(1)[0][1] / len(one) for one in hundreds])),
        **{name: found[name] / max(1, found["moves"]) for name in ("same", "step", "third", "leap", "octave")},
    }


def held_out(run: Path) -> list[Bassline]:
    """The basses of the validation and test splits."""
    found: list[Bassline] = []
    for piece in load_pieces(run / "pieces.npz"):
        if piece.split == "train" or piece.chords is None or piece.events[0, PART] != BASS:
            continue
        chords = [known_chord(figure) for figure in piece.chords.tolist()]
        tones = np.array([np.isin(np.arange(12), [] if one is None else [*one.pitch_classes]) for one in chords])
        found.append(Bassline(piece.events[:, LINE].astype(int), (piece.events[:, DRUMS] & 1) > 0, tones))
    return found


def of_scene(rows: Sequence[PartInBar], part: str, beaten: str, harmony: str) -> Iterator[Bassline]:
    """The stretches of hours in which bass and drums are heard."""
    bars: dict[int, dict[str, PartInBar]] = {}
    for row in rows:
        if row.heard or row.part == harmony:
            bars.setdefault(row.bar, {})[row.part] = row
    kept: list[tuple[PartInBar, PartInBar, PartInBar | None]] = []
    for bar in range(max(bars) + 2):
        here = bars.get(bar, {})
        if part in here and beaten in here and here[part].beats == 4.0:
            kept.append((here[part], here[beaten], here.get(harmony)))
        elif kept:
            yield _line(kept)
            kept = []


def _line(kept: Sequence[tuple[PartInBar, PartInBar, PartInBar | None]]) -> Bassline:
    beats = 4.0 * len(kept)
    bass, beat = _notes([one[0] for one in kept]), _notes([one[1] for one in kept])
    tones = np.zeros((len(kept) * STEPS_PER_BAR, 12), bool)
    for place, (played, _, chords) in enumerate(kept):
        for start, end, name in (chords or played).chords:
            first, last = (round((4 * place + edge) * STEPS_PER_BEAT) for edge in (max(0.0, start), min(4.0, end)))
            chord = parse_chord(name)
            tones[first:last] = np.isin(np.arange(12), [] if chord is None else [*chord.pitch_classes])
    kicks = np.array(drums.from_notes(beat, beats)) & 1 > 0
    return Bassline(np.array(melody.from_notes(bass, beats)), kicks, tones)


def _notes(rows: Sequence[PartInBar]) -> np.ndarray:
    found = [(s + 4 * k, e + 4 * k, p, v) for k, row in enumerate(rows) for s, e, p, v in row.notes]
    notes = np.array(found, NOTE) if found else np.zeros(0, NOTE)
    # Time that a habit or a hand gave: a bass that is a little early on a bar line begins there.
    notes["start"] = np.maximum(notes["start"], 0.0)
    return notes


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("notes", nargs="*", help="NAME=FILE")
    parser.add_argument("--part", default="bass")
    parser.add_argument("--drums", default="drums")
    parser.add_argument("--chords", default="keys")
    asked = parser.parse_args()
    lines = {"held out": held_out(asked.run)}
    for one in asked.notes:
        name, _, path = one.partition("=")
        found = of_scene(load(Path(path)), asked.part, asked.drums, asked.chords)
        lines.setdefault(name, []).extend(found)
    columns = {name: figures(found) for name, found in lines.items()}
    print(f"| | {' | '.join(columns)} |\n|---{'|---:' * len(columns)}|")
    for measure in columns["held out"]:
        print(f"| {measure} | {' | '.join(f'{one[measure]:.3g}' for one in columns.values())} |")


if __name__ == "__main__":
    main()

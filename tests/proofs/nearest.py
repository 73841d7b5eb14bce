"""Of which music is a melody? Windows of hours that were kept, each told the corpus that it is nearest to.

    python -m tests.proofs.nearest --part tune --corpora FOLDER... --hours FILE.jsonl.gz...

Corpora are folders of music as `perpetuum dataset` reads them: what people wrote. Beside them lie two that are made of
the same windows: with their pitches *in another order*, and with pitches drawn *at random* from the window's range. A
linear discriminant (scikit-learn) learns from three quarters of the pieces to tell them apart, by intervals, durations,
places in the beat and how figures come again, never by key; how well it does on the last quarter is printed first.
Whether a file was made with one candidate or with many, it is not told.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.proofs.corpora import scores_in
from tests.proofs.hours import notes
from tests.proofs.hours.melodies import melody_of

BEATS = 16.0
"""Length of a window, and from one to the next."""
LEAST = 8
"""Notes of a window, or it is left out."""
MOST = 1500
"""Windows of one corpus."""
SHUFFLED, RANDOM = "in another order", "at random"
_LENGTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
_DUPLE = {(2, 2), (2, 4), (4, 4)}

Window = np.ndarray
"""Onsets in beats from the window's start, and pitches: [notes, 2]."""


def windows(melody: Iterable[tuple[float, int]]) -> list[Window]:
    """Windows of a melody of (beat, pitch), one behind the other."""
    line = np.array(sorted(melody), np.float64).reshape(-1, 2)
    places = np.floor(line[:, 0] / BEATS) if len(line) else np.zeros(0)
    found = [line[places == place] - (place * BEATS, 0.0) for place in np.unique(places)]
    return [one for one in found if len(one) >= LEAST]


def features(window: Window) -> np.ndarray:
    """What a window is told apart by: shares of intervals, durations, places in the beat, turns and pitch classes
    against the commonest one; notes a beat, range, and the share of figures of three intervals that come again."""
    onsets, pitches = window[:, 0], window[:, 1].astype(int)
    steps = np.diff(pitches)
    lengths = np.diff(onsets)
    nearest = np.abs(lengths[:, None] - np.array(_LENGTHS)).argmin(1)
    turns = 3 * (np.sign(steps[:-1]) + 1) + np.sign(steps[1:]) + 1
    classes = np.bincount(pitches % 12, minlength=12) / len(pitches)
    figures = Counter(zip(steps[:-2].tolist(), steps[1:-1].tolist(), steps[2:].tolist(), strict=True))
    again = 1.0 - len(figures) / max(1, sum(figures.values()))
    return np.concatenate(
        [
            np.bincount(np.clip(steps, -12, 12) + 12, minlength=25) / len(steps),
            np.bincount(nearest, minlength=len(_LENGTHS)) / len(lengths),
            np.bincount(np.round(onsets * 4).astype(int) % 4, minlength=4) / len(onsets),
            np.bincount(turns, minlength=9) / max(1, len(turns)),
            np.roll(classes, -int(classes.argmax())),
            [len(pitches) / BEATS, np.ptp(pitches) / 12, again],
        ]
    )


def of_people(folder: Path) -> list[list[Window]]:
    """Windows of each melody in a folder of music, in even meters: of the highest voice, or of what is sung."""
    found: list[list[Window]] = []
    for _, score in scores_in(folder):
        parts = [part for part in score.parts if not part.is_drum and len(part.notes)]
        if not parts or score.signatures - _DUPLE:
            continue
        part = next((one for one in parts if one.is_sung), parts[0])
        tops = {float(note["start"]): int(note["pitch"]) for note in part.voices[0]}  # sorted: the last is the highest
        if len(made := windows(tops.items())):
            found.append(made)
    return found


def decoys(pieces: Sequence[Sequence[Window]], rng: np.random.Generator) -> dict[str, list[list[Window]]]:
    """The same windows, their pitches in another order, and drawn anew from their range."""
    shuffled: list[list[Window]] = []
    drawn: list[list[Window]] = []
    for piece in pieces:
        shuffled.append([np.column_stack([one[:, 0], rng.permutation(one[:, 1])]) for one in piece])
        drawn.append(
            [
                np.column_stack([one[:, 0], rng.integers(one[:, 1].min(), one[:, 1].max() + 1, len(one))])
                for one in piece
            ]
        )
    return {SHUFFLED: shuffled, RANDOM: drawn}


def learnt(corpora: dict[str, list[list[Window]]], rng: np.random.Generator) -> tuple[object, float]:
    """A classifier, and its share of right answers on pieces that it did not learn from."""
    parts: dict[bool, tuple[list[np.ndarray], list[str]]] = {True: ([], []), False: ([], [])}
    for name, pieces in corpora.items():
        held = {int(place) for place in rng.permutation(len(pieces))[: len(pieces) // 4]}
        for test in (False, True):
            chosen = [one for place, piece in enumerate(pieces) for one in piece if (place in held) is test]
            kept = rng.permutation(len(chosen))[:MOST]
            parts[test][0].extend(features(chosen[place]) for place in kept)
            parts[test][1].extend([name] * len(kept))
    model = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
    model.fit(np.stack(parts[False][0]), parts[False][1])
    guessed, true = model.predict(np.stack(parts[True][0])), np.array(parts[True][1])
    shares = [float((guessed[true == name] == name).mean()) for name in corpora]
    return model, float(np.mean(shares))


def main() -> int:
    """Learn, tell apart, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", type=Path, required=True)
    parser.add_argument("--hours", nargs="+", type=Path, required=True)
    parser.add_argument("--part", required=True)
    asked = parser.parse_args()
    if len({folder.name.split(".")[0] for folder in asked.corpora}) < len(asked.corpora):
        parser.error("two corpora have the same name")
    rng = np.random.default_rng(5)
    corpora = {folder.name.split(".")[0]: of_people(folder) for folder in asked.corpora}
    people = list(corpora)
    corpora |= decoys([piece for name in people for piece in corpora[name]], rng)
    model, right = learnt(corpora, rng)
    print(f"Told apart on pieces kept back: {right:.3f}, by chance {1 / len(corpora):.3f}.\n")
    print(f"| hours | windows | {' | '.join(corpora)} | of people |")
    print("|---|---|" + "---|" * (len(corpora) + 1))
    for path in asked.hours:
        rows = [one for one in notes.load(path) if one.part == asked.part and one.heard]
        made = windows(melody_of(rows, asked.part))
        if not made:
            print(f"| {path.name} | 0 | {' | '.join('' for _ in corpora)} | |")
            continue
        guessed = model.predict(np.stack([features(one) for one in made]))  # type: ignore[attr-defined]
        shares = {name: float((guessed == name).mean()) for name in corpora}
        row = " | ".join(f"{share:.2f}" for share in shares.values())
        print(f"| {path.name} | {len(made)} | {row} | {sum(shares[name] for name in people):.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

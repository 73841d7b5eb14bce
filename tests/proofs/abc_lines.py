"""Why the JSON lines of the Nottingham database differ: `python -m tests.proofs.abc_lines --data FOLDER --lines FILE`.

Each fault that their reader had is made again in the text of a tune (`FAULTS`). Of a tune in which we differ from its
line, the fewest faults are taken that leave the fewest notes different; a fault is charged with those that vanish by
it, one fault after the other. abc2midi is the third voice: so many of the notes it reads as we do. Last results:
docs/datasets.md. Not a test: it needs abc2midi and tunes that are not ours.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations
from pathlib import Path

from engine.training.datasets.formats.abc import read_abc, split_tunes
from engine.training.datasets.score import UnusableError
from tests.proofs.abc import Note, differing, heard, line_of, read, scaled

_PITCH = r"(?:\^\^?|__?|=)?[A-Ga-g][,']*"
_NOTE = rf"{_PITCH}\d*(?:/+\d*)?"
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MOST = 3
"""Faults of one tune."""


def _of_music(change: Callable[[str], str], text: str) -> str:
    """A tune whose lines of music are changed, but not its fields and quoted texts."""
    lines = text.split("\n")
    for k, line in enumerate(lines):
        if not re.match(r"[A-Za-z]:|%", line):
            parts = re.split(r'("[^"]*")', line)
            lines[k] = "".join(part if j % 2 else change(part) for j, part in enumerate(parts))
    return "\n".join(lines)


def _height(note: str) -> int:
    letter = re.search(r"[A-Ga-g]", note)
    assert letter is not None
    return _STEPS[letter[0].upper()] + 12 * (letter[0].islower() + note.count("'") - note.count(","))


def _no_carry(text: str) -> str:
    return re.sub(r"(?m)^(K:[^\n]*)", r"\1\nI:propagate-accidentals not", text, count=1)


def _top_notes(text: str) -> str:
    def top(found: re.Match[str]) -> str:
        return max(re.findall(_NOTE, found[1]), key=_height) + found[2]

    return re.sub(rf"\[((?:\s*{_NOTE}-?\s*)+)\](\d*/*\d*)-*", top, text)


def _one_after_the_other(text: str) -> str:
    return _of_music(lambda music: music.replace("+", ""), text)


def _lost_before_colons(text: str) -> str:
    return re.sub(rf'("[^"]*"\s*)?(\[[^\]:]*\][\d/]*|{_NOTE})\s*(?=::)', "", text)


def _no_voices(text: str) -> str:
    return re.sub(r"(?ms)^V:.*", "", text)


def _no_units(text: str) -> str:
    head, key, body = text.partition("\nK:")
    return head + key + re.sub(r"(?m)^[ML]:[^\n]*\n", "", body)


def _joined(text: str) -> str:
    def length(numerator: str, slashes: str, denominator: str) -> Fraction:
        return Fraction(int(numerator or 1), int(denominator) if denominator else 2 ** len(slashes))

    def join(found: re.Match[str]) -> str:
        if found[1] == found[6]:
            return found[0]
        both = length(*found.group(2, 3, 4)) + length(*found.group(7, 8, 9))
        return f"{found[1]}{both.numerator}/{both.denominator}{found[5]}"

    one = rf"({_PITCH})(\d*)(/*)(\d*)"
    return re.sub(rf"{one}\s*-([\s|]*){one}", join, text)


FAULTS: dict[str, Callable[[str], str]] = {
    "an accidental holds for its note alone, not to the bar line": _no_carry,
    "of a chord in brackets the highest note alone, its tie lost": _top_notes,
    "a chord between plus signs (+GB+) one note after the other": _one_after_the_other,
    "the note before :: lost": _lost_before_colons,
    "what stands behind V: lost": _no_voices,
    "meter and unit (M:, L:) among the music passed over": _no_units,
    "a tie between two pitches joins them": _joined,
}


def _unlike(text: str, theirs: list[list[Note]]) -> int | None:
    try:
        ours = read(read_abc(text.encode()))
    except UnusableError:
        return None
    return min(len(differing(ours, each)) for each in theirs)


def charged(text: str, theirs: list[list[Note]]) -> Iterator[tuple[str, int]]:
    """Which fault explains how many notes of a tune; the rest is charged to ""."""
    before = best = _unlike(text, theirs) or 0
    found: tuple[str, ...] = ()
    for count in range(1, MOST + 1):
        for names in combinations(FAULTS, count):
            made = text
            for name in names:
                made = FAULTS[name](made)
            left = _unlike(made, theirs)
            if left is not None and left < best:
                best, found = left, names
        if not best:
            break
    for name in found:
        text = FAULTS[name](text)
        left = _unlike(text, theirs)
        left = before if left is None else left
        yield name, before - left
        before = left
    yield "", before


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.abc_lines")
    parser.add_argument("--data", type=Path, required=True, help="folder of .abc files")
    parser.add_argument("--lines", type=Path, required=True, help="score set (.jsonl.gz) of the same tunes")
    given = parser.parse_args()
    with gzip.open(given.lines, "rt", encoding="utf-8") as file:
        lines = {line["id"]: line for line in map(json.loads, file)}
    notes, tunes = Counter[str](), defaultdict[str, list[str]](list)
    total = as_we = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(given.data.rglob("*.abc")):
            for number, tune in split_tunes(path.read_bytes()):
                line = line_of(lines, path.name, number, tune)
                try:
                    ours = read(read_abc(tune))
                except UnusableError:
                    continue
                if line is None:
                    continue
                theirs = list(scaled(line))
                unlike = min((differing(ours, each) for each in theirs), key=len)
                if not unlike:
                    continue
                total += len(unlike)
                as_we += len(unlike - differing(ours, heard(tune.decode(), Path(folder))))
                for name, count in charged(tune.decode(), theirs):
                    if count > 0:
                        notes[name] += count
                        tunes[name].append(f"{path.stem} {number}")
    print(f"{total} notes differ; abc2midi reads {as_we} of them as we do")
    for name, count in notes.most_common():
        print(f"{count:4} in {len(tunes[name]):3} tunes: {name or 'not explained'} ({', '.join(tunes[name][:6])})")


if __name__ == "__main__":
    main()

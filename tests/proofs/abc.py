"""How rightly ABC is read: `python -m tests.proofs.abc --data FOLDER [--lines FILE]`; last results: docs/datasets.md.

Every tune below a folder is read by our reader and by abc2midi (of abcmidi, `apt install abcmidi`), whose MIDI file
mido parses; with `--lines` also compared with the notes of a score set (JSON lines named as FILE.abc#NUMBER). Notes
are aligned by pitch and length, so a note too many counts as one, whatever follows; of two notes that follow one
another in both, the second is wrong where the time between them differs.

Not a test: it needs a program and tunes that are not ours.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import mido

from engine.training.datasets.formats.abc import read_abc, split_tunes
from engine.training.datasets.score import Score, UnusableError

Note = tuple[int, int, int]
"""Start in ticks, pitch, and length in ticks."""
TICKS = 96
"""Of a quarter note."""
SHORT = {
    "ashover": (9, 19, 43),
    "jigs": (36, 71, 116),
    "morris": (12, 20),
    "reelsa-c": (66,),
}
"""Tunes of the Nottingham database that its JSON lines have short or long, as the README beside them says."""
_ORNAMENT = re.compile(r"![^!\s]*!|(?<![A-Za-z])[~HMPSTuv.]+(?=[\^_=A-Ga-g\[])")
"""Signs that abc2midi plays; notes are compared as they are written."""


def plain(tune: str) -> str:
    """A tune in ABC without what makes abc2midi play something else than is written: repeats, endings, ornaments.

    Signs of repeats become bar lines; parts (P:), rhythms (R:, which swing hornpipes) and macros of play are dropped.
    """
    kept = []
    for line in tune.split("\n"):
        if line.startswith(("P:", "R:", "w:", "W:", "s:")):
            continue
        if line.startswith("K:"):
            kept += [line, "%%MIDI chordattack 0"]  # else the notes of a chord come one after the other
            continue
        if line.startswith("%") or re.match(r"[A-Za-z+]:[^|:]", line):
            kept.append(line)
            continue
        texts = re.split(r'("[^"]*"|\[[A-Za-z]:[^\]]*\]|\(\d+:[\d:]*)', line)
        for k in range(0, len(texts), 2):
            music = re.sub(r"[|:]*:[|:]*", "|", texts[k])
            music = re.sub(r"\|[\]|\[]*\s*\d+", "|", music)
            music = re.sub(r"\[\d+", "", music)
            texts[k] = _ORNAMENT.sub("", music)
        kept.append("".join(texts))
    return "\n".join(kept)


def heard(tune: str, folder: Path) -> list[Note]:
    """Notes of a tune as abc2midi reads it.

    Raises:
        ValueError: it makes no MIDI file.
    """
    source, target = folder / "tune.abc", folder / "tune.mid"
    target.unlink(missing_ok=True)
    source.write_text(plain(tune), encoding="utf-8")
    options = ["-NGUI", "-NGRA", "-NFER", "-OCC", "-quiet"]
    subprocess.run(["abc2midi", str(source), "-o", str(target), *options], capture_output=True, timeout=60, check=False)
    if not target.exists():
        raise ValueError("abc2midi makes no MIDI file of it")
    rows = []
    file = mido.MidiFile(target)
    for track in file.tracks:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                sounding.setdefault(message.note, []).append(now)
            elif message.type in ("note_on", "note_off") and sounding.get(message.note):
                rows.append((sounding[message.note].pop(0), now, message.note))
    scale = Fraction(TICKS, file.ticks_per_beat)
    return sorted((round(start * scale), pitch, round((end - start) * scale)) for start, end, pitch in rows)


def read(score: Score) -> list[Note]:
    """Notes of a score as we read it."""
    rows = [note for part in score.parts for note in part.notes.tolist()]
    return sorted((round(start * TICKS), pitch, round((end - start) * TICKS)) for start, end, pitch, _ in rows)


def differing(ours: Sequence[Note], theirs: Sequence[Note]) -> set[tuple[str, int]]:
    """Where two sequences of notes differ, by the fewest edits: ("note", k) of ours, or ("before", k) one is missing.

    Lengths are the same where they differ by one tick.
    """

    def same(a: Note, b: Note) -> bool:
        return a[1] == b[1] and abs(a[2] - b[2]) <= 1

    first = 0
    while first < min(len(ours), len(theirs)) and same(ours[first], theirs[first]):
        first += 1
    end, last = len(ours), len(theirs)
    while end > first and last > first and same(ours[end - 1], theirs[last - 1]):
        end, last = end - 1, last - 1
    mine, other = ours[first:end], theirs[first:last]
    costs = [list(range(len(other) + 1))]
    for i, note in enumerate(mine, 1):
        row = [i]
        for j, their in enumerate(other, 1):
            row.append(min(costs[-1][j] + 1, row[-1] + 1, costs[-1][j - 1] + (not same(note, their))))
        costs.append(row)
    found, pairs, i, j, missing = set(), [], len(mine), len(other), 0
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + (not same(mine[i - 1], other[j - 1])):
            i, j = i - 1, j - 1
            pairs.append((first + i, first + j))
            if not same(mine[i], other[j]):
                found.add(("note", first + i))
        elif i and costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
            found.add(("note", first + i))
        else:
            j -= 1
            missing += 1
            found.add((f"before {missing}", first + i))
    pairs += [(k, k) for k in range(first)]
    pairs += [(end + k, last + k) for k in range(len(ours) - end)]
    partners = dict(pairs)
    for k, partner in pairs:
        if partners.get(k - 1, -2) == partner - 1:
            between = ours[k][0] - ours[k - 1][0], theirs[partner][0] - theirs[partner - 1][0]
            if abs(between[0] - between[1]) > 1:
                found.add(("note", k))
    return found


@dataclass
class Counts:
    """What is counted over all tunes."""

    tunes: int = 0
    refused: list[str] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    tunes_wrong: Counter[str] = field(default_factory=Counter)
    short: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)

    def against(self, name: str, notes: int, places: Iterable[object]) -> int:
        """Count what differs from an oracle in a tune."""
        wrong = len(list(places))
        self.notes[name] += notes
        self.wrong[name] += wrong
        self.tunes_wrong[name] += wrong > 0
        return wrong


def measure(files: Sequence[Path], lines: Mapping[str, Mapping[str, object]], listing: bool) -> Counts:
    """Compare all tunes of some files with abc2midi and, where there are such, with JSON lines."""
    counts = Counts()
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            for number, tune in split_tunes(path.read_bytes()):
                _compare(counts, path, number, tune, lines, Path(folder), listing)
    return counts


def _compare(
    counts: Counts,
    path: Path,
    number: str,
    tune: bytes,
    lines: Mapping[str, Mapping[str, object]],
    folder: Path,
    listing: bool,
) -> None:
    name = f"{path.name}#{number}"
    counts.tunes += 1
    try:
        score = read_abc(tune)
    except UnusableError as reason:
        counts.refused.append(f"{path.name}:{reason.place}: {reason} (tune {number})")
        return
    ours = read(score)
    counts.said.update({each.what: each.count for each in score.left_out})
    try:
        theirs = heard(tune.decode(), folder)
    except ValueError as reason:
        counts.short.append(f"{name}: {reason}")
        return
    by_midi = differing(ours, theirs)
    told = [f"abc2midi {counts.against('abc2midi', len(ours), by_midi)}"] if by_midi else []
    if not by_midi:
        counts.against("abc2midi", len(ours), ())
    if len(ours) < len(theirs) and not score.left_out:
        counts.short.append(f"{name}: {len(ours)} notes for {len(theirs)}, and nothing is said")
    line = line_of(lines, path.name, number, tune)
    if line is not None:
        by_line = min((differing(ours, notes) for notes in scaled(line)), key=len)
        both = by_line & by_midi
        counts.against("the JSON lines", len(ours), by_line)
        counts.against("both", len(ours), both)
        if by_line:
            told += [f"lines {len(by_line)}", f"both {len(both)}"]
    if told and listing:
        counts.listed.append(f"{name}: {', '.join(told)} of {len(ours)}")


def line_of(
    lines: Mapping[str, Mapping[str, object]], file: str, number: str, tune: bytes
) -> Mapping[str, object] | None:
    """The JSON line of a tune; two files' tunes are named by their place, "#s0" the first, there."""
    stem = file.removesuffix(".abc")
    if number.isdecimal() and int(number) in SHORT.get(stem, ()):
        return None
    if (line := lines.get(f"{file}#{number}")) is not None or not number.isdecimal():
        return line
    title = re.search(r"(?m)^T:\s*(.*?)\s*$", tune.decode())
    near = [lines.get(f"{file}#s{int(number) - 1 + offset}") for offset in (0, -1)]
    return next((each for each in near if each and title and str(each["title"]).strip() == title[1]), None)


def scaled(line: Mapping[str, object]) -> Iterator[list[Note]]:
    """Notes of a line in the units it may have: where a tune has no L:, they took that of the tune before it."""
    rows = sorted(line["notes"], key=lambda row: (row[0], row[2]))  # type: ignore[call-overload]
    for scale in (Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(2)):
        yield [(round(start * scale), pitch, round(length * scale)) for start, length, pitch in rows]


def main() -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.abc", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of .abc files, or one")
    parser.add_argument("--lines", type=Path, help="score set (.jsonl.gz) of the same tunes")
    parser.add_argument("--list", action="store_true", help="name the tunes that differ")
    given = parser.parse_args()
    if shutil.which("abc2midi") is None:
        sys.exit("abc2midi is not there: apt install abcmidi")
    files = sorted(given.data.rglob("*.abc")) if given.data.is_dir() else [given.data]
    lines = {}
    if given.lines:
        with gzip.open(given.lines, "rt", encoding="utf-8") as file:
            lines = {line["id"]: line for line in map(json.loads, file)}
    counts = measure(files, lines, given.list)
    print(f"{counts.tunes:,} tunes, {len(counts.refused)} refused")
    for name, notes in counts.notes.items():
        wrong = counts.wrong[name]
        print(
            f"against {name}: {wrong:,} of {notes:,} notes differ ({1000 * wrong / max(notes, 1):.2f} in 1,000), "
            f"in {counts.tunes_wrong[name]} tunes"
        )
    print("\n".join([*counts.refused, *counts.short, *counts.listed]))
    for what, count in sorted(counts.said.items()):
        print(f"said to be left out: {what}: {count}")


if __name__ == "__main__":
    main()

"""How rightly MusicXML is read: `python -m tests.proofs.musicxml --data FOLDER`; last results: docs/datasets.md.

The pitches of every file below a folder, by our reader and by note_seq's, are held against a count of the elements of
the file: a note that sounds is none of `<rest>`, `<unpitched>`, `<grace>`, `<cue>`, nor the later part of a tie; its
pitch is its step, octave and alteration, moved by the transposition in force. note_seq joins no ties and plays grace
and cue notes; against it these are counted, too.

Not a test: it needs files that are not ours, and note_seq.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from note_seq.musicxml_reader import musicxml_file_to_sequence_proto

from engine.training.datasets.formats.musicxml import read_musicxml
from engine.training.datasets.score import UnusableError

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def counted(path: Path, everything: bool) -> Counter[int]:
    """MIDI pitches in a file by its elements, halves cut; with ties, grace and cue notes or without."""
    found: Counter[int] = Counter()
    for part in _root(path).iter("part"):
        semitones = 0.0
        for element in part.iter():
            if element.tag == "transpose":
                octaves = float(element.findtext("octave-change") or 0)
                semitones = float(element.findtext("chromatic") or 0) + 12 * octaves
            if element.tag != "note" or (pitch := element.find("pitch")) is None:
                continue
            stops = "stop" in [tie.get("type") for tie in element.iterfind("tie")]
            if not everything and (stops or element.find("grace") is not None or element.find("cue") is not None):
                continue
            step = _SEMITONES[(pitch.findtext("step") or "C").strip()]
            alter = float(pitch.findtext("alter") or 0)
            found[int(step + alter + semitones + 12 * (int(pitch.findtext("octave") or 0) + 1))] += 1
    return found


def _root(path: Path) -> ElementTree.Element:
    if not zipfile.is_zipfile(path):
        return ElementTree.fromstring(path.read_bytes())
    with zipfile.ZipFile(path) as packed:
        name = next(each for each in packed.namelist() if each.endswith(("xml",)) and "META-INF" not in each)
        return ElementTree.fromstring(packed.read(name))


def ours(path: Path) -> Counter[int] | str:
    """Pitches as we read them; why a file is refused."""
    try:
        return Counter(int(pitch) for part in read_musicxml(path.read_bytes()).parts for pitch in part.notes["pitch"])
    except UnusableError as reason:
        return Counter() if str(reason) == "no notes" else str(reason)


def theirs(path: Path) -> Counter[int] | str:
    """Pitches as note_seq reads them; the error that it ends with."""
    try:
        return Counter(note.pitch for note in musicxml_file_to_sequence_proto(str(path)).notes)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.musicxml")
    parser.add_argument("--data", type=Path, required=True, help="folder of .xml, .musicxml and .mxl files")
    parser.add_argument("--most", type=int, default=sys.maxsize, help="files at most, evenly chosen")
    given = parser.parse_args()
    files = sorted(path for path in given.data.rglob("*") if path.suffix in (".xml", ".musicxml", ".mxl"))
    files = files[:: max(1, -(-len(files) // given.most))]
    notes, wrong, refused = Counter(), Counter(), Counter()
    for path in files:
        try:
            right = {"we": counted(path, everything=False), "note_seq": counted(path, everything=True)}
        except (ElementTree.ParseError, KeyError, StopIteration) as error:
            print(f"{path.name}: not counted ({error!r})")
            continue
        for reader, found in (("we", ours(path)), ("note_seq", theirs(path))):
            if isinstance(found, str):
                refused[reader] += 1
                print(f"{path.name}: {reader}: refused: {found}")
                continue
            missing, extra = right[reader] - found, found - right[reader]
            notes[reader] += right[reader].total()
            wrong[reader] += max(missing.total(), extra.total())
            if missing or extra:
                print(f"{path.name}: {reader}: missing {dict(missing)}, too many {dict(extra)}")
    print(f"{len(files)} files")
    for reader in ("we", "note_seq"):
        print(f"{reader}: {wrong[reader]:,} of {notes[reader]:,} notes wrong, {refused[reader]} files refused")


if __name__ == "__main__":
    main()

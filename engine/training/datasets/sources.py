"""From folders and files to works: one piece of music each, to be read on its own."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from engine.errors import PerpetuumError
from engine.training.datasets.formats.abc import read_abc, split_tunes
from engine.training.datasets.formats.midi_files import read_midi
from engine.training.datasets.formats.musicxml import read_musicxml
from engine.training.datasets.formats.score_sets import read_chorale, read_score_line
from engine.training.datasets.score import Score, UnusableError

READERS: Mapping[str, Callable[[bytes], Score]] = {
    "midi": read_midi,
    "musicxml": read_musicxml,
    "abc": read_abc,
    "score line": read_score_line,
    "chorale": read_chorale,
}
"""What reads the bytes of a work, by its format."""

_SUFFIXES = {
    ".mid": "midi",
    ".midi": "midi",
    ".kar": "midi",
    ".rmi": "midi",
    ".xml": "musicxml",
    ".musicxml": "musicxml",
    ".mxl": "musicxml",
    ".abc": "abc",
}
LARGEST = 256 << 20
"""Bytes of the largest file, and of what is unpacked or made of one."""
_CHORALES = "Jsb16thSeparated.json.gz"
_SPLITS = {"train": "train", "valid": "validation", "validation": "validation", "test": "test"}
_NAMES = {"quartets": "openscore_quartets"}
"""Sources of score sets that are not called as their files are."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What the index of a data set (a CSV with the columns `midi_filename` and `split`) says about a file."""

    name: str
    source: str
    split: str
    qpm: float | None = None
    meter: tuple[int, int] | None = None
    electronic_kit: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of music, not yet read.

    Attributes:
        file: path relative to what was given, with "/" between folders.
        source: name of the data set.
        name: unique in its source.
        form: a key of `READERS`.
        data: what is to be read.
        split: one of the official splits; empty without.
        listed: what the index of a data set says about it.
    """

    file: str
    source: str
    name: str
    form: str
    data: bytes = field(repr=False)
    split: str = ""
    listed: Listed | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of what is to be read."""
        return hashlib.sha256(self.data).hexdigest()

    def read(self) -> Score:
        """The music.

        Raises:
            UnusableError: it cannot be read.
        """
        score, listed = READERS[self.form](self.data), self.listed
        if listed is None:
            return score
        return replace(
            score,
            meters=score.meters if listed.meter is None else ((0.0, *listed.meter),),
            tempos=score.tempos if listed.qpm is None else ((0.0, listed.qpm),),
            electronic_kit=listed.electronic_kit,
        )


@dataclass(frozen=True, slots=True)
class File:
    """A file of music below a source.

    Attributes:
        path: where it lies.
        name: path relative to what was given, with "/" between folders.
        given: name of what was given.
        source: name of the data set.
        listed: what the index of a data set says about it.
    """

    path: Path
    name: str
    given: str
    source: str
    listed: Listed | None = None

    def read(self) -> bytes:
        """All its bytes.

        Raises:
            OSError: it cannot be read.
            UnusableError: it is larger than files of music are.
        """
        with self.path.open("rb") as file:
            return _at_most(file)

    def works(self, data: bytes) -> list[Work]:
        """What is in it: one piece of music, or those of a book.

        Args:
            data: all its bytes.

        Raises:
            UnusableError: it is no such file.
        """
        try:
            if self.path.name.endswith(".gz"):
                with gzip.open(io.BytesIO(data)) as file:
                    data = _at_most(file)
        except (OSError, EOFError, zlib.error) as error:
            raise UnusableError("broken .gz file") from error
        if self.path.name == _CHORALES:
            return list(self._chorales(data))
        if ".jsonl" in self.path.suffixes:
            return list(self._lines(data))
        form = _SUFFIXES[self.path.suffix.lower()]
        if form == "abc":
            return list(self._tunes(data))
        listed = self.listed
        if listed is not None:
            return [Work(self.name, listed.source, listed.name, form, data, listed.split, listed)]
        below = self.name.split("/")[1:-1]
        return [Work(self.name, self.source, "/".join([*below, self._stem]), form, data)]

    @property
    def _stem(self) -> str:
        return PurePosixPath(self.name).stem

    def _chorales(self, data: bytes) -> Iterator[Work]:
        try:
            splits = json.loads(data)
            for split, chorales in splits.items():
                for k, steps in enumerate(chorales):
                    packed = json.dumps(steps).encode()
                    yield Work(self.name, self.source, f"{split}{k}", "chorale", packed, _SPLITS[split])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnusableError("not a set of chorales") from error

    def _lines(self, data: bytes) -> Iterator[Work]:
        stem = self._stem.partition(".")[0]
        for k, line in enumerate(data.splitlines()):
            if line.strip():
                found = re.search(rb'"id": ?("(?:[^"\\]|\\.)*")', line)
                try:
                    name = str(json.loads(found[1])) if found else f"{stem}/{k + 1}"
                except ValueError:  # the line will be refused by who reads it
                    name = f"{stem}/{k + 1}"
                yield Work(self.name, _NAMES.get(stem, stem), name, "score line", line)

    def _tunes(self, data: bytes) -> Iterator[Work]:
        tunes = split_tunes(data)
        for k, (_, tune) in enumerate(tunes):
            name = f"{self._stem}/{k + 1}" if len(tunes) > 1 else self._stem
            yield Work(self.name, self.source, name, "abc", tune)


def find_files(paths: Sequence[Path]) -> list[File]:
    """All files of music in some folders (or the files themselves), in a fixed order.

    Known data sets are recognised: what an index lists is read as it says; beside the JSB chorales and the string
    quartets nothing else is taken.

    Raises:
        PerpetuumError: a path is not there, or nothing in it is music.
    """
    found: dict[Path, File] = {}
    for path in paths:
        if not path.exists():
            raise PerpetuumError(f"there is no file or folder {path}", "Give a folder of music.")
        root = path if path.is_dir() else path.parent
        below = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        indices = [(each.parent, read_index(each)) for each in below if each.suffix == ".csv"]
        listed = {each: about for _, index in indices for each, about in index.items()}
        closed = {each.parent for each in below if each.name == _CHORALES or each.name.startswith("quartets.jsonl")}
        closed |= {folder for folder, index in indices if index}
        count, there = len(found), set(below)
        for each in (*(each for each in listed if each in there), *below):
            is_set = each.name == _CHORALES or each.name.endswith((".jsonl", ".jsonl.gz"))
            if not is_set and (
                each.suffix.lower() not in _SUFFIXES
                or (each not in listed and any(folder in each.parents for folder in closed))
            ):
                continue
            name = os.fsencode(each.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")
            file = File(each, name, path.resolve().name, _source(root, each), listed.get(each))
            found.setdefault(each.resolve(), file)
        if len(found) == count:
            raise PerpetuumError(
                f"{path}: no music in it",
                "Known are MIDI (.mid, .midi, .kar, .rmi), MusicXML (.xml, .musicxml, .mxl), ABC (.abc) and score "
                "sets (.jsonl).",
            )
    return list(found.values())


def read_index(path: Path) -> dict[Path, Listed]:
    """What the index of a data set says about its files; nothing where a CSV is no such index.

    The Groove MIDI Dataset's tells tempo and meter, too, and that an electronic kit was played.
    """
    found = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            if not columns >= {"midi_filename", "split"}:
                return {}
            groove = columns >= {"id", "bpm", "beat_type", "time_signature"}
            for row in reader:
                target = path.parent / row["midi_filename"]
                split = _SPLITS.get(row["split"], "")
                if groove:
                    top, bottom = (int(number) for number in row["time_signature"].split("-"))
                    source, qpm = f"groove {row['beat_type']}", float(row["bpm"])
                    found[target] = Listed(row["id"], source, split, qpm, (top, bottom), True)
                else:
                    found[target] = Listed(target.stem, path.parent.name, split)
    except (OSError, ValueError, TypeError, csv.Error):
        return {}
    return found


def _at_most(file: io.BufferedIOBase) -> bytes:
    """What is in a file: a few bytes may unpack to gigabytes."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UnusableError(f"larger than {LARGEST >> 20} MB")
    return data


def _source(root: Path, path: Path) -> str:
    """Name of a file's data set: the folder below what was given, or that itself."""
    parts = path.relative_to(root).parts
    return parts[0] if len(parts) > 1 else root.resolve().name

"""Building a data set: files in, pieces in their splits and a manifest out."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.errors import PerpetuumError
from engine.training.datasets.augmentation import Augmentation
from engine.training.datasets.cache import Cache, Found
from engine.training.datasets.filters import Filters
from engine.training.datasets.kinship import duplicates, split_by_family
from engine.training.datasets.music.kinds import KINDS, bars_of, check_filters, corpus_of, take
from engine.training.datasets.pieces import SPLITS, DatasetPiece
from engine.training.datasets.score import LeftOut, UnusableError, counted
from engine.training.datasets.sources import File, Work, find_files
from engine.training.datasets.workers import Died, Pool

READER_VERSION = 4
"""Grows whenever a file may be read in another way than before: what is cached under another one is read again."""
FORMAT = 1
"""Of the manifest."""
DUPLICATE = "duplicate"

Progress = Callable[[int, int], None]
"""Told how many of how many pieces of music have been read; the whole grows with the books that are opened."""


@dataclass(frozen=True)
class DatasetSettings:
    """What decides a data set, with its sources.

    Attributes:
        config: a name of `trainable()`.
        filters: see `Filters`.
        augmentation: see `Augmentation`; None for what is usual for the kind of music.
        validation, test: shares of the families of pieces.
        seed: of the splits.
        keep_duplicates: the same music may be there more than once.
    """

    config: str
    filters: Filters = field(default_factory=Filters)
    augmentation: Augmentation | None = None
    validation: float = 0.06
    test: float = 0.06
    seed: int = 0
    keep_duplicates: bool = False

    @property
    def kind(self) -> str:
        """The kind of music."""
        return corpus_of(self.config)

    @property
    def varied(self) -> Augmentation:
        """How training is to vary it."""
        return self.augmentation or KINDS[self.kind].augmentation


@dataclass(frozen=True)
class Built:
    """What was built.

    Attributes:
        pieces: in their splits.
        manifest: what is known of them and where they came from; the same for the same files and settings.
    """

    pieces: list[DatasetPiece]
    manifest: dict[str, Any]


@dataclass
class _Record:
    """What became of the works of a file."""

    file: File
    sha256: str = ""
    reason: str = ""
    works: dict[int, Found] = field(default_factory=dict)
    named: dict[int, Work] = field(default_factory=dict)


def build(
    paths: Sequence[Path],
    settings: DatasetSettings,
    cache: Path | None = None,
    jobs: int | None = None,
    seconds: float = 60.0,
    progress: Progress | None = None,
) -> Built:
    """Read all music below some paths, in parallel.

    Args:
        paths: folders and files.
        settings: see `DatasetSettings`.
        cache: file that keeps what was read; None to keep nothing.
        jobs: processes; as many as there are cores without it.
        seconds: of the processor's time that one piece of music may take.
        progress: told of each that was read.

    Raises:
        PerpetuumError: nothing usable there, or settings that mean nothing for the kind of music.
    """
    check_filters(settings.kind, settings.filters, settings.varied)
    records = [_Record(file) for file in find_files(paths)]
    kept = Cache(cache) if cache is not None else None
    pool = Pool[_Task, Found](examine, jobs or cores(), seconds)
    try:
        _read(records, settings, kept, pool, progress or (lambda done, total: None))
    finally:
        pool.close()
        if kept is not None:
            kept.close()
    pieces, places = [], []
    for number, record in enumerate(records):
        for place, found in sorted(record.works.items()):
            work = record.named[place]
            for piece in found.pieces:
                # What follows the last "#" tells parts of a work apart, and the work's own name may have one.
                name = work.name + (piece.name or "#0" * ("#" in work.name))
                named = replace(piece, name=name, source=work.source, split=work.split)
                pieces.append(named)
                places.append(number)
    doubled = set() if settings.keep_duplicates else _doubled(pieces)
    unique = [piece for k, piece in enumerate(pieces) if k not in doubled]
    if not unique:
        raise _nothing(records, settings.kind, paths)
    split = split_by_family(unique, settings.validation, settings.test, settings.seed)
    counts = Counter(number for k, number in enumerate(places) if k not in doubled)
    copies = Counter(number for k, number in enumerate(places) if k in doubled)
    return Built(split, _manifest(settings, records, split, counts, copies))


def _doubled(pieces: Sequence[DatasetPiece]) -> set[int]:
    """Places of the pieces that are left out because another is the same music; those of an official split stay."""
    order = sorted(range(len(pieces)), key=lambda place: pieces[place].split not in SPLITS)
    return {order[k] for k in duplicates([pieces[place] for place in order])}


@dataclass(frozen=True, slots=True)
class _Task:
    record: int
    place: int
    work: Work
    kind: str
    filters: Filters
    key: str


def examine(task: _Task) -> Found:
    """What is in a work; never raises, for a broken file is no failure of ours."""
    try:
        score = task.work.read()
        pieces, dropped = take(task.kind, score, task.filters)
    except UnusableError as reason:
        return Found(reason=str(reason), place=reason.place)
    except MemoryError:
        return Found(reason="needs too much memory")
    except Exception as error:
        return Found(reason=f"cannot be read ({type(error).__name__})")
    return Found(pieces, dropped, left_out=score.left_out)


def _read(
    records: list[_Record], settings: DatasetSettings, cache: Cache | None, pool: Pool[_Task, Found], progress: Progress
) -> None:
    """Fill the records with what is found in their files."""
    done, total = 0, len(records)
    kind, filters = settings.kind, settings.filters

    def unread() -> Iterator[_Task]:
        nonlocal done, total
        for number, record in enumerate(records):
            try:
                data = record.file.read()
                record.sha256 = hashlib.sha256(data).hexdigest()
                works = record.file.works(data)
            except OSError as error:
                works, record.reason = [], f"cannot be opened: {error.strerror}"
            except UnusableError as reason:
                works, record.reason = [], str(reason)
            total += len(works) - 1
            for place, work in enumerate(works):
                key = _key(work, kind, filters)
                record.named[place] = replace(work, data=b"")
                found = cache.get(key) if cache is not None else None
                if found is None:
                    yield _Task(number, place, work, kind, filters, key)
                else:
                    record.works[place] = found
                    done += 1
                    progress(done, total)
        progress(done, total)

    for task, found in pool.map(unread()):
        if isinstance(found, Died):
            found = Found(reason=found.reason)
        elif cache is not None:
            cache.put(task.key, found)
        records[task.record].works[task.place] = found
        done += 1
        progress(done, total)


def _key(work: Work, kind: str, filters: Filters) -> str:
    """What a finding depends on."""
    parts = (READER_VERSION, kind, asdict(filters), work.form, work.listed and asdict(work.listed), work.digest)
    return hashlib.sha256(json.dumps(parts, default=list).encode()).hexdigest()


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _nothing(records: Sequence[_Record], kind: str, paths: Sequence[Path]) -> PerpetuumError:
    """The error that none of the files can be used, with the reasons."""
    reasons = Counter(record.reason for record in records if record.reason)
    reasons.update(found.reason for record in records for found in record.works.values() if found.reason)
    for record in records:
        for found in record.works.values():
            reasons.update(found.dropped)
    places: dict[str, str] = {}
    for record in records:
        for _, found in sorted(record.works.items()):
            if found.reason and found.place:
                places.setdefault(found.reason, f", {record.file.name}:{found.place}")
    where = ", ".join(map(str, paths))
    if not records:
        return PerpetuumError(f"{where}: there are no files of music", "Give MIDI, MusicXML or ABC files.")
    told = [
        f"{count} time{'' if count == 1 else 's'} {reason}{places.get(reason, '')}"
        for reason, count in reasons.most_common(6)
    ]
    said = "; ".join(told) or "they hold no notes"
    return PerpetuumError(
        f"{where}: no {kind.replace('_', ' ')} found in {len(records)} file{'' if len(records) == 1 else 's'} ({said})",
        "Give other files, or look at the filters: `perpetuum dataset build --help`.",
    )


def _manifest(
    settings: DatasetSettings,
    records: Sequence[_Record],
    pieces: Sequence[DatasetPiece],
    used: Counter[int],
    copies: Counter[int],
) -> dict[str, Any]:
    files = [_about(record, used[number], copies[number]) for number, record in enumerate(records)]
    dropped: Counter[str] = Counter()
    for record in records:
        for found in record.works.values():
            dropped.update(found.dropped)
    return {
        "format": FORMAT,
        "config": settings.config,
        "kind": settings.kind,
        "settings": {
            "filters": asdict(settings.filters),
            "augmentation": asdict(settings.varied),
            "validation": settings.validation,
            "test": settings.test,
            "seed": settings.seed,
            "keep_duplicates": settings.keep_duplicates,
        },
        "sources": [_source(name, files) for name in dict.fromkeys(file["source"] for file in files)],
        "pieces": dict(sorted(Counter(piece.source for piece in pieces).items())),
        "splits": {name: _totals([piece for piece in pieces if piece.split == name], settings.kind) for name in SPLITS},
        "dropped": dict(sorted(dropped.items())),
        "files": files,
    }


def _about(record: _Record, used: int, copies: int) -> dict[str, Any]:
    """What became of a file: of its pieces, some used, some duplicates; of its works, some skipped."""
    skipped = Counter(found.reason for found in record.works.values() if found.reason)
    about: dict[str, Any] = {"source": record.file.given, "path": record.file.name, "sha256": record.sha256}
    about["state"] = "used" if used else DUPLICATE if copies else "skipped"
    if about["state"] == "skipped":
        about["reason"] = record.reason or (skipped.most_common(1)[0][0] if skipped else "nothing in it")
    about |= {"pieces": used, "duplicates": copies}
    if len(record.works) > 1:
        about |= {"works": len(record.works), "skipped": dict(sorted(skipped.items()))}
    if left_out := _left_out(record):
        about["left_out"] = [asdict(each) for each in left_out]
    return about


def _left_out(record: _Record) -> tuple[LeftOut, ...]:
    """What a file has that its pieces have not, as far as the place is known or something is left of the work."""
    found = []
    for _, each in sorted(record.works.items()):
        found += [replace(one, file=record.file.name) for one in each.left_out]
        if each.reason and each.place:
            found.append(LeftOut(f"a whole piece: {each.reason}", 1, each.place, record.file.name))
    return counted(found)


def _source(name: str, files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts of the files of what was given under a name."""
    states = Counter(file["state"] for file in files if file["source"] == name)
    return {"name": name, "files": states.total(), **{state: states[state] for state in ("used", "skipped", DUPLICATE)}}


def _totals(pieces: Sequence[DatasetPiece], kind: str) -> dict[str, int]:
    """How much music it is: bars of sixteen sixteenths, or seconds where there are none."""
    totals = {"pieces": len(pieces), "events": sum(len(piece.events) for piece in pieces)}
    if KINDS[kind].stretches:
        return totals | {"seconds": round(sum(float(piece.events["end"].max()) for piece in pieces))}
    return totals | {"bars": sum(bars_of(piece) for piece in pieces)}

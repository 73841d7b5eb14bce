"""What training and evaluation read: the pieces of a data set, and how they are to be varied."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.errors import PerpetuumError
from engine.output_file import output_folder, write_text
from engine.training.datasets.augmentation import Augmentation
from engine.training.datasets.build import FORMAT, Built, DatasetSettings, Progress, build
from engine.training.datasets.kinship import families
from engine.training.datasets.music.kinds import KINDS, augmentation_of, corpus_of
from engine.training.datasets.pieces import SPLITS, DatasetPiece, load_pieces, save_pieces
from engine.training.datasets.score import LeftOut, counted

PIECES, MANIFEST, CACHE = "pieces.npz", "manifest.json", "cache"
"""What a data set's folder holds."""
CACHE_FILE = f"{CACHE}/read.sqlite"
"""What was read of each file, in a data set's folder."""


@dataclass(frozen=True)
class Dataset:
    """Pieces to train on, in their splits.

    Attributes:
        pieces: all of them.
        kind: of music; a name in `engine.training.datasets.music.kinds.KINDS`.
        augmentation: how training is to vary them.
        manifest: what is known of the files they came from; None for a bare .npz, and for several data sets.
        kin: how many pieces were left out because another data set holds out a version of them.
    """

    pieces: list[DatasetPiece]
    kind: str
    augmentation: Augmentation = field(default_factory=Augmentation)
    manifest: dict[str, Any] | None = None
    kin: int = 0

    def split(self, name: str) -> list[DatasetPiece]:
        """The pieces of "train", "validation" or "test"."""
        return [piece for piece in self.pieces if piece.split == name]

    def describe(self) -> str:
        """One line: how many pieces in each split, and where they come from."""
        counts = Counter(piece.split for piece in self.pieces)
        sources = ", ".join(sorted({piece.source for piece in self.pieces}))
        parts = ", ".join(f"{counts[name]} {name}" for name in SPLITS)
        total = "1 piece" if len(self.pieces) == 1 else f"{len(self.pieces)} pieces"
        left_out = f"; {self.kin} left out, for another data set holds out versions of them" if self.kin else ""
        if self.manifest and (unread := left_out_of(self.manifest)):
            left_out += f"; {sum(each.count for each in unread)} times something in the files could not be read"
            left_out += f" ({unread[0].what}, {unread[0].where})"
        return f"{total} of {self.kind.replace('_', ' ')} ({parts}) from {sources}{left_out}"


def open_dataset(paths: Sequence[Path], config: str, progress: Progress | None = None) -> Dataset:
    """The data set in some folders or files, for a config.

    Args:
        paths: folders that `perpetuum dataset build` wrote, bare .npz files of pieces, or raw music: folders and files
            as the builder takes them, which are read first.
        config: a name of `engine.training.datasets.music.kinds.trainable()`.
        progress: told of each file that was read.

    Raises:
        PerpetuumError: nothing usable there, or a data set of another kind of music.
    """
    kind = corpus_of(config)
    built = [is_built(path) for path in paths]
    if all(built):
        return _joined([_load(path, kind, config) for path in paths])
    if any(built):
        raise PerpetuumError(
            f"{paths[built.index(False)]}: raw music beside a data set that is built already",
            "Build one data set of both: `perpetuum dataset build`.",
        )
    made = build(paths, DatasetSettings(config), progress=progress)
    return Dataset(made.pieces, kind, augmentation_of(config), made.manifest)


def write_dataset(folder: Path, built: Built) -> None:
    """Write what `open_dataset` reads; the same pieces and manifest are the same bytes.

    The pieces come last: where they are, all is there, and of one build.
    """
    output_folder(folder)
    (folder / PIECES).unlink(missing_ok=True)
    write_text(folder / MANIFEST, json.dumps(built.manifest, indent=1, ensure_ascii=False) + "\n")
    save_pieces(folder / PIECES, built.pieces)


def is_built(path: Path) -> bool:
    """Whether a path is a folder that the builder wrote, or a bare file of pieces."""
    return (path / PIECES).exists() or path.suffix == ".npz"


def read_manifest(folder: Path) -> dict[str, Any]:
    """What `perpetuum dataset build` wrote about the data set in a folder.

    Raises:
        PerpetuumError: it cannot be read, or is of another version.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT or manifest["kind"] not in KINDS:
            raise ValueError("it is of another version of Perpetuum")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PerpetuumError(
            f"{path}: cannot read what is in the data set ({error})", "Build it again with `perpetuum dataset build`."
        ) from error
    return manifest


def left_out_of(manifest: Mapping[str, Any]) -> tuple[LeftOut, ...]:
    """What could not be read in the files of a data set, each kind of thing with the place of the first."""
    found = (each for file in manifest["files"] for each in file.get("left_out", ()))
    return counted(LeftOut(each["what"], each["count"], each["place"], each["file"]) for each in found)


def _load(path: Path, kind: str, config: str) -> Dataset:
    if not path.is_dir():
        return Dataset(_pieces(path, kind, config), kind, augmentation_of(config))
    manifest = read_manifest(path)
    found, augmentation = manifest["kind"], manifest["settings"]["augmentation"]
    varied = Augmentation(tuple(augmentation["transpose"]), tuple(augmentation["stretch"]))
    if found != kind:
        raise PerpetuumError(
            f"{path}: a data set of {found.replace('_', ' ')}, but {config} is trained on {kind.replace('_', ' ')}",
            f"Build one with `perpetuum dataset build SOURCE --for {config} -o OUT`.",
        )
    return Dataset(_pieces(path / PIECES, kind, config), kind, varied, manifest)


def _pieces(path: Path, kind: str, config: str) -> list[DatasetPiece]:
    pieces = load_pieces(path)
    other = next((piece for piece in pieces if not KINDS[kind].has(piece)), None)
    if other is not None:
        raise PerpetuumError(
            f"{path}: {other.name} is no {kind.replace('_', ' ')}, which {config} is trained on",
            f"Build a data set with `perpetuum dataset build SOURCE --for {config} -o OUT`.",
        )
    return pieces


def _joined(sets: Sequence[Dataset]) -> Dataset:
    if len(sets) == 1:
        return sets[0]
    if len({one.augmentation for one in sets}) > 1:
        raise PerpetuumError(
            "the data sets say different things about how to vary them",
            "Build one data set of all sources: `perpetuum dataset build`.",
        )
    pieces = [piece for one in sets for piece in one.pieces]
    leaking = _leaking(pieces, [number for number, one in enumerate(sets) for _ in one.pieces])
    kept = [piece for k, piece in enumerate(pieces) if k not in leaking]
    return Dataset(kept, sets[0].kind, sets[0].augmentation, kin=len(leaking))


def _leaking(pieces: Sequence[DatasetPiece], sets: Sequence[int]) -> set[int]:
    """Places of pieces that have a relative, in another of the `sets` they come from, that is held out more strictly.

    Each set was split by families of its own, so what one holds out another may train on.
    """
    # Files of the same name in two sets are not one work for that.
    groups = families([replace(piece, source=f"{n} {piece.source}") for piece, n in zip(pieces, sets, strict=True)])
    strictest: dict[tuple[int, int], int] = {}
    for piece, group, number in zip(pieces, groups, sets, strict=True):
        known = strictest.get((group, number), 0)
        strictest[group, number] = max(known, SPLITS.index(piece.split))
    others = {number: [other for other in set(sets) if other != number] for number in set(sets)}
    return {
        k
        for k, (piece, group, number) in enumerate(zip(pieces, groups, sets, strict=True))
        if any(strictest.get((group, other), 0) > SPLITS.index(piece.split) for other in others[number])
    }

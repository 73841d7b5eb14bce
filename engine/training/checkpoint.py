"""Files of a training run: written whole or not at all, so that whatever kills it leaves the last good ones."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from engine.errors import PerpetuumError
from engine.output_file import OutputFile, output_folder, write_text

CHECKPOINT, BEST, LOG = "checkpoint.npz", "best.npz", "log.jsonl"
"""What a run's folder holds: the state to go on from, the best weights so far, and a line per evaluation."""

_LOCK = ".lock"
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, BadZipFile)


@dataclass(frozen=True, slots=True)
class TrainingCheckpoint:
    """Everything that decides how a run goes on.

    Attributes:
        weights: of the model, by name.
        optimizer: its variables, in order.
        seeds: state of the model's source of chance.
        state: the rest, as JSON has it; see `Trainer.save`.
    """

    weights: Mapping[str, np.ndarray]
    optimizer: list[np.ndarray]
    seeds: np.ndarray
    state: Mapping[str, Any]


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """While it is entered, no other training runs in a folder; the folder is made when absent.

    Raises:
        PerpetuumError: one does already, or something in the folder cannot be read or written.
    """
    try:
        output_folder(folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(folder / _LOCK, flags, 0o666), "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PerpetuumError(
                    f"{folder}: another training runs in it", "Wait for it, or begin another run with another -o."
                ) from None
            yield
    except OSError as error:
        raise PerpetuumError(
            f"cannot train in {folder}: {error}", "Look at what it names, or choose another folder with -o."
        ) from error


def write_checkpoint(folder: Path, checkpoint: TrainingCheckpoint) -> None:
    """Write the state of a run.

    Raises:
        PerpetuumError: the disk is full, or the folder cannot be written to.
    """
    arrays = {f"w:{name}": value for name, value in checkpoint.weights.items()}
    arrays |= {f"o:{k}": value for k, value in enumerate(checkpoint.optimizer)}
    write_npz(
        folder / CHECKPOINT,
        arrays | {"seeds": checkpoint.seeds, "state": np.array(json.dumps(dict(checkpoint.state)))},
    )


def read_checkpoint(folder: Path) -> TrainingCheckpoint | None:
    """The state of a run; None if the folder holds none.

    Raises:
        PerpetuumError: the file cannot be read.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        with np.load(path) as data:
            arrays = {name: data[name] for name in data.files}
        count = sum(name.startswith("o:") for name in arrays)
        return TrainingCheckpoint(
            {name[2:]: value for name, value in arrays.items() if name.startswith("w:")},
            [arrays[f"o:{k}"] for k in range(count)],
            arrays["seeds"],
            json.loads(str(arrays["state"])),
        )
    except _UNREADABLE as error:
        raise PerpetuumError(
            f"{path}: the checkpoint cannot be read ({error})", "Begin the training again in another folder."
        ) from error


def read_state(folder: Path) -> dict[str, Any] | None:
    """What the checkpoint of a run says about it, without its weights; None if there is none.

    Raises:
        PerpetuumError: as `read_checkpoint`.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        with np.load(path) as data:
            return json.loads(str(data["state"]))
    except _UNREADABLE as error:
        raise PerpetuumError(
            f"{path}: the checkpoint cannot be read ({error})", "Begin the training again in another folder."
        ) from error


def read_best(folder: Path, latest: bool = False) -> dict[str, np.ndarray]:
    """The best weights of a run so far, rounded to what a weights file keeps (float16).

    Before its first evaluation they are those of its checkpoint.

    Args:
        folder: of the run.
        latest: those of its checkpoint in any case.

    Raises:
        PerpetuumError: the folder holds none, or they are damaged.
    """
    path = folder / BEST
    try:
        if path.exists() and not latest:
            with np.load(path) as data:
                weights = {name: data[name] for name in data.files}
        else:
            found = read_checkpoint(folder)
            if found is None:
                raise PerpetuumError(f"{folder}: no trained weights in it", "Run `perpetuum train` first.")
            weights = dict(found.weights)
    except _UNREADABLE as error:
        raise PerpetuumError(
            f"{path}: the weights cannot be read ({error})", "Train on: they are made anew."
        ) from error
    return {name: value.astype(np.float16).astype(np.float32) for name, value in weights.items()}


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a file of arrays, whole or not at all.

    Raises:
        PerpetuumError: it cannot be written.
    """
    try:
        with OutputFile(path) as output:
            np.savez(output.file, **arrays)  # pyright: ignore[reportArgumentType]
    except PerpetuumError as error:
        raise PerpetuumError(
            error.message, "Make room, then give the same command again: it goes on from the last checkpoint."
        ) from error


def read_log(folder: Path, until: int) -> list[dict[str, Any]]:
    """The evaluations of a run up to a batch, oldest first; lines after it belong to a future that was lost.

    Args:
        folder: of the run.
        until: number of batches.
    """
    path = folder / LOG
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            line = json.loads(text)
        except ValueError:
            break  # the run was killed while it wrote this one
        if line["step"] > until:
            break
        lines.append(line)
    return lines


def write_log(folder: Path, lines: list[dict[str, Any]]) -> None:
    """Write the evaluations of a run, whole or not at all."""
    write_text(folder / LOG, "".join(json.dumps(line) + "\n" for line in lines))

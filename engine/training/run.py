"""One run from what a musician says to a weights file: data, options, training, export."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import PerpetuumError
from engine.networks.configs import CONFIGS
from engine.output_file import output_folder, write_text
from engine.training.amount import shortage, with_held_out
from engine.training.checkpoint import CHECKPOINT, read_state
from engine.training.datasets import Augmentation, Dataset, DatasetPiece, build, open_dataset, write_dataset
from engine.training.datasets.build import Progress
from engine.training.datasets.dataset import CACHE, PIECES, is_built
from engine.training.defaults import complete
from engine.training.machine import free_memory, has_gpu, use_precision
from engine.training.settings import DatasetFile, TrainingFile
from engine.training.tasks.task import Task, TrainingOptions
from engine.training.watching.watcher import TrainingWatcher

if TYPE_CHECKING:
    from engine.training.trainer import Trainer

DATASET, ORIGIN = "dataset", "dataset.json"
"""In a run's folder: the data set that was built for it of raw music, and of which music and how."""
MAY_GROW = ("batches", "patience")
"""The options that a resumed run may have more of: one that stopped by itself needs more patience."""


@dataclass(frozen=True)
class Run:
    """A training that is ready to begin or to go on.

    Attributes:
        options: all of them.
        pieces: what it is trained and judged on.
        augmentation: how pieces are varied.
        facts: what its checkpoints say of it besides.
        remarks: what the musician should know before it begins.
        resumed: whether the folder holds a run that it goes on with.
    """

    options: TrainingOptions
    pieces: list[DatasetPiece]
    augmentation: Augmentation
    facts: dict[str, Any]
    remarks: list[str]
    resumed: bool

    def task(self) -> Task:
        """What is trained; starts Keras.

        Raises:
            PerpetuumError: too little music.
        """
        from engine.training.tasks.kinds import make_task

        use_precision(self.options.precision)
        # What a run goes on with is in its checkpoint; the file that it started from may be gone.
        options = replace(self.options, start=None) if self.resumed else self.options
        return make_task(options, self.pieces, self.augmentation)

    def trainer(self, task: Task, folder: Path, watcher: TrainingWatcher) -> Trainer:
        """The trainer, where the folder's checkpoint left it.

        Raises:
            PerpetuumError: a checkpoint that cannot be gone on from.
        """
        from engine.training.trainer import Trainer

        trainer = Trainer(self.options, task, folder, watcher, self.facts)
        trainer.resume()
        return trainer


def open_data(
    given: TrainingFile, paths: Sequence[Path], folder: Path, progress: Progress | None = None
) -> tuple[Dataset, str]:
    """What a run is trained on: data sets as they are, or raw music, of which one is built in the run's folder, once.

    Args:
        given: the settings; those of the data set are for raw music.
        paths: data sets, bare .npz files, or folders and files of music.
        folder: of the run.
        progress: told of each piece of music that was read.

    Returns:
        The data set, and what there is to say of it; empty for nothing.

    Raises:
        PerpetuumError: nothing usable there, or the run's own data set is of other music.
    """
    if any(is_built(path) for path in paths):
        unused = given.dataset.model_fields_set - {"sources"}
        remark = f"The data set is built already: {', '.join(sorted(unused))} of `dataset` are not looked at."
        return open_dataset(paths, given.config), remark if unused else ""
    paths = [path / source for path in paths for source in given.dataset.sources] or list(paths)
    for path in paths:
        if not path.exists():
            raise PerpetuumError(
                f"{path}: there is no such folder",
                f"The training wants {', '.join(given.dataset.sources)} below --data.",
            )
    own = folder / DATASET
    origin = {
        "config": given.config,
        "data": [str(path.resolve()) for path in paths],
        "dataset": _as_json(given.dataset.model_dump(exclude={"sources"})),
    }
    if is_built(own):
        before = _origin(folder / ORIGIN)
        if before == origin:
            return open_dataset(
                [own], given.config
            ), f"The music is as it was read for {own}; new files need a new run."
        if read_state(folder) is not None:
            raise _differs(
                folder,
                [
                    f"{name} {_text(value)}, it has {_text(before.get(name))}"
                    for name, value in origin.items()
                    if before.get(name) != value
                ],
            )
    output_folder(output_folder(folder) / own.name)
    built = build(paths, given.dataset.build_settings(given.config), own / CACHE / "read.sqlite", progress=progress)
    # Killed between the two writes, a run would take what was built before for what is asked for now.
    (own / PIECES).unlink(missing_ok=True)
    write_text(folder / ORIGIN, json.dumps(origin, indent=1) + "\n")
    write_dataset(own, built)
    return open_dataset([own], given.config), ""


def _origin(path: Path) -> dict[str, Any]:
    """Of which music a run's own data set was built, and how; settings that there were not then are as they are usual.

    Raises:
        PerpetuumError: it cannot be read.
    """
    try:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
        usual = _as_json(DatasetFile().model_dump(exclude={"sources"}))
        return found | {"dataset": usual | found["dataset"]}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PerpetuumError(
            f"{path}: cannot read what the run was begun with ({error})", "Begin another run with another -o."
        ) from error


def prepare(folder: Path, settings: TrainingFile, dataset: Dataset, backend: str, threads: int) -> Run:
    """A run in a folder: a new one, or the one that is there, if that is the same.

    Args:
        folder: of the run.
        settings: what the musician says; what is left out is chosen, or is as the run has it.
        dataset: what to train on.
        backend: of Keras.
        threads: that it computes on.

    Raises:
        PerpetuumError: the run in the folder is another one; says what differs.
    """
    pieces, remark = with_held_out(dataset.pieces)
    unknown = sorted(set(settings.source_weights) - {piece.source for piece in pieces})
    unused = f"source_weights: there is no source {', '.join(unknown)}." if unknown else ""
    remarks = [dataset.describe(), *filter(None, [shortage(pieces, settings.config), remark, unused])]
    facts = {"data": fingerprint(dataset), "backend": backend, "threads": threads}
    state = read_state(folder)
    if state is None:
        options, told = complete(settings, pieces, free_memory, has_gpu)
        return Run(options, pieces, dataset.augmentation, facts, [*remarks, *filter(None, [told])], False)
    known = stored_options(folder, state)
    options = resumed_options(folder, settings, known, pieces)
    before = state.get("facts", {})
    if before.get("data", facts["data"]) != facts["data"]:
        raise PerpetuumError(
            f"{folder}: this run was begun with other music than what is given now",
            "Give the same --data, or begin another run with another -o.",
        )
    changed = [
        f"{name} {facts[name]}, it has {before[name]}"
        for name in ("backend", "threads")
        if before.get(name, facts[name]) != facts[name]
    ]
    if changed:
        remarks.append(f"Its numbers will not be the same bit for bit: {'; '.join(changed)}.")
    remarks.append(f"Going on with {folder} after batch {state['step']} of {options.batches}.")
    return Run(options, pieces, dataset.augmentation, facts, remarks, True)


def stored_options(folder: Path, state: Mapping[str, Any]) -> TrainingOptions:
    """The options of a run, from the state of its checkpoint.

    Raises:
        PerpetuumError: another version of the engine wrote it.
    """
    values = dict(state["options"])
    if "total" in values:
        # Begun by `python -m engine.training`, which told autoencoders the length of other excerpts.
        values["batches"] = values.pop("total")
        values["steps"] = getattr(CONFIGS[values["config"]], "steps", values["steps"])
    names = {field.name for field in fields(TrainingOptions)}
    if set(values) - names:
        raise PerpetuumError(
            f"{folder / CHECKPOINT}: another version of perpetuum began this run", "Begin another one with another -o."
        )
    return TrainingOptions(**values)


def resumed_options(
    folder: Path, given: TrainingFile, known: TrainingOptions, pieces: Sequence[DatasetPiece]
) -> TrainingOptions:
    """The options that a run goes on with: its own; only its length may grow.

    Raises:
        PerpetuumError: something else is asked for; names all that differs.
    """
    said = given.model_fields_set - {"card", "cpu_hours", "expected", "dataset"}
    if given.config != known.config:
        raise _differs(folder, [f"config {given.config}, it has {known.config}"])
    kept = {name: value for name, value in asdict(known).items() if name not in said and name != "sizes"}
    kept["sizes"] = type(given.sizes)(**(_as_json(known.sizes) | given.sizes.given()))
    if given.batch_size == "auto":
        kept["batch_size"] = known.batch_size
    asked, _ = complete(given.model_copy(update=kept), pieces, free_memory, has_gpu)
    old, new = _as_json(asdict(known)), _as_json(asdict(asked))
    differing = [
        f"{name} {_text(new[name])}, it has {_text(old[name])}"
        for name in new
        if new[name] != old[name] and not (name in MAY_GROW and new[name] > old[name])
    ]
    if differing:
        raise _differs(folder, differing)
    return asked


def _differs(folder: Path, differing: Sequence[str]) -> PerpetuumError:
    return PerpetuumError(
        f"{folder}: this run was begun with other settings: asked for now is {'; '.join(differing)}",
        "Leave them as they were (batches and patience may grow), or begin another run with another -o.",
    )


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def fingerprint(dataset: Dataset) -> str:
    """A hash of all that is trained and judged on, and of how it is varied."""
    digest = hashlib.sha256(json.dumps(asdict(dataset.augmentation)).encode())
    for piece in dataset.pieces:
        digest.update(f"{piece.name}\0{piece.source}\0{piece.split}\0{piece.qpm!r}\0".encode())
        digest.update(piece.events.tobytes())
        if piece.chords is not None:
            digest.update("\0".join(piece.chords.tolist()).encode())
    return digest.hexdigest()

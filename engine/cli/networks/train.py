"""`perpetuum train`: a network of one's own, from a folder of music to a scene."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.common import EXIT_NOT_VALID, data_option, file_size, is_terminal
from engine.cli.music.sampling import Number
from engine.cli.targets import OutputFolder
from engine.errors import PerpetuumError, StoppedError

if TYPE_CHECKING:
    from engine.networks.card import WeightsCard
    from engine.training.datasets import Dataset
    from engine.training.run import Run
    from engine.training.settings import TrainingFile
    from engine.training.trainer import TrainingEnding

EXAMPLES = """
\b
Examples:
  perpetuum train performance --data my_midi/
  perpetuum train drum_kit --data beats/ -o my_beats --minutes 30
  perpetuum train my_training.yaml --data built_by_dataset_build/ --seed 3
  perpetuum train recipes/drum_kit --data ../shared_data -o drum_kit_run
"""


@click.command(epilog=EXAMPLES, short_help="Train a network on your own music.")
@click.argument("config")
@data_option(
    "Music: a folder of files, or what `perpetuum dataset build` made of one. May be given several times.",
)
@click.option("-o", "--output", "folder", type=OutputFolder(), help="Folder of the run; CONFIG-run.")
@click.option("--batches", type=click.IntRange(1), help="How long to train; a run that is there may be made longer.")
@click.option("--batch-size", type=click.IntRange(1, 4096), help="Excerpts per batch. Without it: what fits here.")
@click.option("--seed", type=click.IntRange(0), help="Of weights, batches and dropout; the same seed trains the same.")
@click.option("--minutes", type=Number(0, min_open=True), help="Stop after so long; the same command goes on then.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads; all cores without it.")
def command(
    config: str,
    sources: tuple[Path, ...],
    folder: Path | None,
    batches: int | None,
    batch_size: int | None,
    seed: int | None,
    minutes: float | None,
    threads: int | None,
) -> None:
    """Train a network on your own music, and write weights that a scene can use.

    CONFIG is the name of a network's config (performance, drum_kit, attention_rnn, ...), a YAML file with settings, or
    a recipe of shipped weights (recipes/drum_kit). Sizes and lengths that it does not say are chosen by how much music
    there is.

    Whatever ends the training (--minutes, Ctrl-C, a power cut), the same command goes on with it, and the result is the
    same as if nothing had happened. Curves for TensorBoard lie in the folder of the run.
    """
    from engine.training.settings import find_settings

    name, settings, found = find_settings(config)
    for diagnostic in found:
        click.echo(diagnostic.text(colour=is_terminal(sys.stderr)), err=True)
    if settings is None:
        sys.exit(EXIT_NOT_VALID)
    overrides = {"batches": batches, "batch_size": batch_size, "seed": seed}
    settings = settings.model_copy(update={key: value for key, value in overrides.items() if value is not None})
    folder = folder or Path(f"{name}-run")
    try:
        _train(name, settings, sources, folder, None if minutes is None else 60 * minutes, threads)
    except KeyboardInterrupt:
        raise StoppedError(f"stopped; {folder} keeps what was done", "The same command goes on with it.") from None


def _train(
    name: str,
    settings: TrainingFile,
    sources: tuple[Path, ...],
    folder: Path,
    seconds: float | None,
    threads: int | None,
) -> None:
    from engine.training.checkpoint import alone_in
    from engine.training.machine import choose_backend, use_threads
    from engine.training.run import prepare

    backend = choose_backend()
    with alone_in(folder):
        dataset = _data(settings, sources, folder)
        run = prepare(folder, settings, dataset, backend, use_threads(threads))
        for remark in run.remarks:
            click.echo(remark, err=True)
        ending, latest = _trained(name, run, folder, seconds)
        done = ending is not ending.STOPPED
        _exported(name, settings, run, dataset, folder, done, latest)
    if not done:
        click.echo("It is not done: the same command goes on with it.", err=True)


def _data(settings: TrainingFile, sources: tuple[Path, ...], folder: Path) -> Dataset:
    """What to train on; raw music is built into a data set in the run's folder, once."""
    from rich.console import Console
    from rich.progress import Progress

    from engine.training.run import open_data

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading the music", total=None)
        try:
            dataset, remark = open_data(
                settings, sources, folder, lambda done, total: bar.update(task, completed=done, total=total)
            )
        except KeyboardInterrupt:
            raise StoppedError(
                "stopped while it read the music", "The same command goes on from what it has read."
            ) from None
    if remark:
        click.echo(remark, err=True)
    return dataset


def _trained(name: str, run: Run, folder: Path, seconds: float | None) -> tuple[TrainingEnding, bool]:
    """Train; why it ended, and whether its latest weights are better than the best of its evaluations."""
    from rich.console import Console

    from engine.runtime.signals import StopSignals
    from engine.training.watching.event_files import FOLDER, EventFile
    from engine.training.watching.progress import Progress
    from engine.training.watching.watcher import Watchers

    with Console(stderr=True).status("starting Keras"):
        # The clock of --minutes begins when there is a network to train.
        network = run.task()
    until = None if seconds is None else time.monotonic() + seconds
    curves = [EventFile(folder)] if find_spec("tensorboard") else []
    watcher = Watchers([Progress(name, until), *curves])
    trainer = run.trainer(network, folder, watcher)
    show = shlex.join(["tensorboard", "--logdir", str(folder / FOLDER)])
    click.echo(f"Curves: {show if curves else 'none without `pip install tensorboard`'}", err=True)
    # SIGTERM leaves no time to judge what was trained; the same command goes on from the last checkpoint.
    with StopSignals(signal.SIGINT, signal.SIGHUP) as signals:
        try:
            ending = trainer.run(until, lambda: signals.asked)
        finally:
            watcher.ended()
        said = {
            ending.FINISHED: f"All {trainer.step} batches are done.",
            ending.NO_BETTER: f"The held-out loss has not fallen in {run.options.patience} evaluations: stopped after "
            f"batch {trainer.step}.",
            ending.STOPPED: f"Stopped after batch {trainer.step} of {run.options.batches}.",
        }
        click.echo(said[ending], err=True)
        latest = ending is ending.STOPPED and trainer.is_best_now()
    return ending, latest


def _exported(
    name: str, settings: TrainingFile, run: Run, dataset: Dataset, folder: Path, done: bool, latest: bool
) -> None:
    """Write the weights file, and tell where it is, what it is worth and how to use it."""
    from rich.console import Console
    from rich.progress import Progress

    from engine.training.evaluation.evaluate import SAMPLES
    from engine.training.export import export, scene_lines, summary

    path, console = folder / f"{name}.safetensors", Console(stderr=True)
    about = settings.card
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=1.0)

            def advance(what: str, share: float) -> None:
                bar.update(task, description=f"judging it: {what} (Ctrl-C leaves that out)", completed=share)

            # What is not done is judged on held-out music alone, which is quicker than to hear what it makes.
            samples = SAMPLES if done else 0
            card, batch = export(folder, run, dataset, path, about, latest, samples=samples, advance=advance)
    except (KeyboardInterrupt, PerpetuumError) as reason:
        card, batch = export(folder, run, dataset, path, about, latest, judged=False)
        told = str(reason) if isinstance(reason, PerpetuumError) else f"stopped; see `perpetuum evaluate {card.config}`"
        click.echo(f"It could not be judged: {told}", err=True)
    click.echo(f"{path}: {card.family} {card.config}, weights of batch {batch}, {file_size(path.stat().st_size)}")
    if line := summary(card):
        click.echo(f"  {line}")
    if settings.expected and done:
        click.echo(f"  expected: {', '.join(f'{name} {value:g}' for name, value in settings.expected.items())}")
    _heard(run, card, path)
    click.echo("In a scene:")
    for line in scene_lines(card, path):
        click.echo(f"    {line}")


def _heard(run: Run, card: WeightsCard, path: Path) -> None:
    """Tell what its music is like, where to begin and where to listen; Ctrl-C leaves that out."""
    from rich.console import Console
    from rich.progress import Progress

    from engine.networks import load_network
    from engine.training.evaluation.verdict import judge, warning, write_excerpts

    split = next(name for name in ("test", "validation", "train") if any(one.split == name for one in run.pieces))
    console = Console(stderr=True)
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=1.0)

            def advance(what: str, share: float) -> None:
                bar.update(task, description=f"listening: {what} (Ctrl-C leaves that out)", completed=share)

            verdict = judge(load_network(path), run.pieces, split, card.metrics, advance=advance)
    except (KeyboardInterrupt, PerpetuumError) as reason:
        told = str(reason) if isinstance(reason, PerpetuumError) else "stopped"
        click.echo(f"Its music was not compared: {told}", err=True)
    else:
        for sentence in verdict.sentences:
            click.echo(f"  {sentence}")
        if any(len(excerpt.notes) for excerpt in verdict.excerpts):
            listen = path.with_name(f"{path.stem}-listen.mid")
            try:
                write_excerpts(verdict, listen)
                click.echo(f"  To listen to: {listen}, {len(verdict.excerpts)} typical excerpts of what it makes")
            except OSError as error:
                click.echo(f"cannot write {listen}: {error.strerror}", err=True)
        if verdict.temperature is not None:
            click.echo(f"  Begin with temperature: {verdict.temperature:g}")
    if doubt := warning(card.metrics):
        click.echo(f"Warning: {doubt}")

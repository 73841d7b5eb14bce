"""`perpetuum evaluate`: what a network is worth, on pieces that it was not trained on."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.common import data_option
from engine.cli.listing import as_text_or_json
from engine.cli.music.sampling import Number
from engine.cli.targets import OutputPath
from engine.errors import PerpetuumError, StoppedError

if TYPE_CHECKING:
    from rich.table import Table

    from engine.training.datasets import Dataset
    from engine.training.evaluation.evaluate import Advance, Music
    from engine.training.evaluation.judged import Judged

EXAMPLES = """
\b
Examples:
  perpetuum evaluate performance --weights performance-run/performance.safetensors --data performance-run/dataset
  perpetuum evaluate drum_kit --weights drum_kit --data built/ --temperature 0.9 --temperature 1.1
  perpetuum evaluate attention_rnn --weights attention_rnn.mag --data built/ --format json
  perpetuum evaluate drum_kit --weights my_drums.safetensors --data built/ --update-card --page docs/models.md
"""


@click.command(epilog=EXAMPLES, short_help="Judge a network on music that it has not heard.")
@click.argument("config")
@click.option(
    "--weights",
    required=True,
    metavar="FILE",
    help="A weights file, the name of one that is here, a checkpoint of Magenta, or the folder of a training.",
)
@data_option(
    "The data set that it was trained on, so that the splits are the same, or a folder of music, of which parts "
    "that it knows may be held out. May be given several times.",
)
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default="test",
    show_default=True,
    help="What it is judged on.",
)
@click.option("--samples", type=click.IntRange(0, 4096), help="How much music it makes to be judged; 0 for none.")
@click.option(
    "--temperature",
    "temperatures",
    multiple=True,
    type=Number(0.01, 100),
    help="Say what its music is like at this temperature; may be given several times.  [default: 1]",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="The same seed, the same figures.")
@click.option(
    "--particles",
    default=0,
    type=click.IntRange(0, 4096),
    help="polyphony: estimate the likelihood of the benchmark's frames with so many samples at once; minutes.",
)
@click.option("--update-card", is_flag=True, help="Write the figures into the weights file's card.")
@click.option("--page", type=OutputPath(".md"), help="Write its section of this Markdown page.")
@click.option("--redraw", is_flag=True, help="Only draw the picture of its section of the --page anew.")
@click.option("--remark", help="What the page says of its weaknesses; without it, what it says already.")
@as_text_or_json
def command(
    config: str,
    weights: str,
    sources: tuple[Path, ...],
    split: str,
    samples: int | None,
    temperatures: tuple[float, ...],
    seed: int,
    particles: int,
    update_card: bool,
    page: Path | None,
    redraw: bool,
    remark: str | None,
    form: str,
) -> None:
    """Judge a network on music that it has not heard.

    CONFIG says which network it has to be, like drum_kit or cat-mel_2bar_small. Its likelihood of held-out pieces
    stands beside those of guessing and copying; its own music beside held-out music and the training pieces. For
    MusicVAEs it is also what comes back of held-out bars, and for GrooVAEs how near they come to a drummer's timing.
    All units are said. The network plays in numpy: neither TensorFlow nor a GPU is needed.
    """
    from engine.networks import CONFIGS
    from engine.training.datasets import open_dataset, trainable
    from engine.training.evaluation.evaluate import SAMPLES, Music, evaluate_music, held_out_figures
    from engine.training.evaluation.figures import card_metrics
    from engine.training.evaluation.judged import open_judged, other_data, update_metrics
    from engine.training.evaluation.page import PageSection, write_page

    if config not in CONFIGS:
        near = difflib.get_close_matches(config, CONFIGS, 1)
        raise PerpetuumError(
            f"{config!r} is no config",
            f"Did you mean {near[0]}?" if near else f"These are: {', '.join(sorted(trainable()))}.",
        )
    judged = open_judged(_found(weights), config)
    if (page or update_card) and judged.path.suffix != ".safetensors":
        raise PerpetuumError(
            f"{judged.path}: only a weights file has a card",
            f"Name the .safetensors in {judged.path}."
            if judged.path.is_dir()
            else "`perpetuum train` and `perpetuum models import` write such files.",
        )
    if (page or update_card) and samples == 0:
        raise PerpetuumError("a card has the figures of generated music, too", "Leave --samples 0 out.")
    if redraw and (page is None or update_card or remark):
        raise PerpetuumError("--redraw draws the picture of a --page, and nothing else", "See --help.")
    with _progress() as advance:

        def reading(done: int, total: int) -> None:
            advance("reading the music", done / max(total, 1))

        dataset = open_dataset(sources, config, reading)
        doubt = other_data(judged, dataset)
        if redraw and page is not None:
            _redraw(page, judged, dataset, split, samples or SAMPLES, seed, advance)
            click.echo(f"{page}: drew the picture of {judged.path.stem}", err=True)
            if doubt:
                click.echo(doubt, err=True)
            return
        figures = held_out_figures(judged.network, dataset.pieces, split, seed, advance, particles)
        music = Music({})
        if samples != 0:
            asked, count = temperatures or (1.0,), samples or SAMPLES
            music = evaluate_music(judged.network, dataset.pieces, split, count, asked, seed, advance)
        figures |= music.figures
    if doubt:
        click.echo(doubt, err=True)
    metrics = card_metrics(figures, judged.network.config, split)
    if update_card:
        update_metrics(judged, metrics)
        click.echo(f"{judged.path}: its card has these figures now", err=True)
    if page:
        made_by = _repeated(config, judged.path, split, samples, temperatures, seed, particles, page)
        write_page(page, PageSection(judged, metrics, dataset, music, remark, made_by))
        click.echo(f"{page}: wrote the section {judged.path.stem}", err=True)
        if metrics != judged.card.metrics and not update_card:
            click.echo(f"the card of {judged.path.name} has other figures; --update-card writes these", err=True)
    if form == "json":
        _print_json(judged, split, seed, figures, music, dataset)
    else:
        _print_tables(judged, split, figures, music, dataset)


def _redraw(
    page: Path, judged: Judged, dataset: Dataset, split: str, samples: int, seed: int, advance: Advance
) -> None:
    """Draw the picture of a section of a page anew."""
    from engine.training.evaluation.evaluate import excerpts
    from engine.training.evaluation.page import PageSection, redraw

    music = excerpts(judged.network, dataset.pieces, split, samples, seed, advance)
    if redraw(page, PageSection(judged, judged.card.metrics, dataset, music, None, "")) is None:
        raise PerpetuumError("no piece is as long as an excerpt; nothing was drawn", "Give more data.")


def _found(weights: str) -> Path:
    """The file or folder that `--weights` means."""
    from engine import assets

    path = Path(weights)
    if path.is_dir():
        return path
    found = assets.find("weights", weights, ".safetensors")
    if found is None and not path.exists() and not Path(f"{weights}.index").exists():
        near = difflib.get_close_matches(weights, assets.names("weights", ".safetensors"), 1)
        hint = f"Did you mean {near[0]}?" if near else "See `perpetuum models list`, or give the path of a file."
        raise PerpetuumError(f"there are no weights {weights!r} here", hint)
    return found or path


def _repeated(
    config: str,
    path: Path,
    split: str,
    samples: int | None,
    temperatures: tuple[float, ...],
    seed: int,
    particles: int,
    page: Path,
) -> str:
    """What the page says that it was made by, without what belongs to one machine."""
    words = ["perpetuum", "evaluate", config, "--weights", path.stem, "--data", "DATA"]
    words += ["--split", split] if split != "test" else []
    words += ["--samples", str(samples)] if samples is not None else []
    for temperature in temperatures:
        words += ["--temperature", f"{temperature:g}"]
    words += ["--seed", str(seed)] if seed else []
    words += ["--particles", str(particles)] if particles else []
    return shlex.join([*words, "--page", page.name if page.is_absolute() else page.as_posix()])


@contextmanager
def _progress() -> Iterator[Advance]:
    """A bar on stderr that says what is being done.

    Raises:
        PerpetuumError: stopped by Ctrl-C.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading the music", total=1.0)

        def advance(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        try:
            yield advance
        except KeyboardInterrupt:
            raise StoppedError("stopped; nothing was written") from None


def _print_json(
    judged: Judged, split: str, seed: int, figures: Mapping[str, float], music: Music, dataset: Dataset
) -> None:
    from engine.training.datasets import SPLITS
    from engine.training.evaluation.figures import event_of, figure, rounded, unit

    config = judged.network.config
    report = {
        "config": config.name,
        "weights": str(judged.path),
        "split": split,
        "seed": seed,
        "event": event_of(config, explained=True),
        "pieces": {name: len(dataset.split(name)) for name in SPLITS},
        "figures": {
            name: {"value": value, "unit": unit(name, config), "says": figure(name).says}
            for name, value in rounded(figures).items()
        },
        "music": {name: rounded(row) for name, row in music.table.items()},
    }
    click.echo(json.dumps(report, indent=2, ensure_ascii=False))


def _print_tables(judged: Judged, split: str, figures: Mapping[str, float], music: Music, dataset: Dataset) -> None:
    from rich.console import Console

    from engine.training.evaluation.figures import event_of, figure, unit
    from engine.training.evaluation.page import written

    console, config = Console(highlight=False), judged.network.config
    click.echo(f"{judged.path}: {config.name}, judged on the {split} split of {dataset.describe()}")
    if event_of(config) == "event":
        click.echo(f"what it predicts one after another: {event_of(config, explained=True)}")
    groups: dict[str, Table] = {}
    for name, value in figures.items():
        about = figure(name)
        if about.group not in groups:
            groups[about.group] = _table(about.group, ("figure", "value", "unit", "what it is"), right={1})
        groups[about.group].add_row(name, written(value), unit(name, config), about.says)
    if music.table:
        title, headings = "What its music is like", ("", *music.table)
        groups[title] = _table(title, headings, right=set(range(1, len(headings))))
        for name in dict.fromkeys(name for row in music.table.values() for name in row):
            cells = (f"{row[name]:.3f}" if name in row else "" for row in music.table.values())
            groups[title].add_row(name, *cells)
    for group in groups.values():
        console.print()
        console.print(group)


def _table(title: str, headings: Sequence[str], right: set[int]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place in right else "left")
    return table

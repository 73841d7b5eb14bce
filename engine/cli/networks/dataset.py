"""`perpetuum dataset`: music files made into a data set, and what is in them."""

from __future__ import annotations

import difflib
import json
import math
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.listing import as_text_or_json
from engine.cli.music.sampling import Number
from engine.cli.targets import OutputFolder, OutputPath
from engine.cli.waiting import lines
from engine.errors import PerpetuumError, StoppedError
from engine.output_file import output_folder
from engine.pictures import PICTURES, ensure_plotting, save_picture
from engine.scenes.text.diagnostics import printable

if TYPE_CHECKING:
    from engine.training.datasets.contents import Contents
    from engine.training.datasets.score import LeftOut

BUILD_EXAMPLES = """
\b
Examples:
  perpetuum dataset build beats/ --for drum_kit -o beats_set
  perpetuum dataset build groove/ freedoom_midi/ --for cat-drums_2bar_small -o drums --tempo 80..160
  perpetuum dataset build tunes.abc scores/ --for attention_rnn -o tunes --meter 4/4 --min-bars 8
  perpetuum dataset build my_midi/ --for performance --instruments piano --transpose -5..6 --stretch 0.9..1.1 -o piano
"""
STATS_EXAMPLES = """
\b
Examples:
  perpetuum dataset stats my_midi/
  perpetuum dataset stats tunes --format json
  perpetuum dataset stats my_midi/ --plot my_midi.png
"""


class RangeType(click.ParamType):
    """Two numbers, the lower first, written LOW..HIGH; one alone is both.

    Args:
        low, high: what they must lie in.
        whole: whether they are whole numbers.
    """

    name = "low..high"

    def __init__(self, low: float, high: float, whole: bool = False) -> None:
        self.low, self.high, self.whole = low, high, whole

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """The two numbers of a text; see `click.ParamType.convert`."""
        parts = str(value).split("..")
        number = int if self.whole else float
        try:
            low, high = number(parts[0]), number(parts[-1])
        except ValueError:
            self.fail(f"{value!r} is not two numbers with .. between, like {self.low:g}..{self.high:g}", param, ctx)
        if len(parts) > 2 or not (math.isfinite(low) and self.low <= low <= high <= self.high):
            self.fail(f"{value!r} is no range within {self.low:g}..{self.high:g}", param, ctx)
        return low, high


@click.group(short_help="Make files of music into a data set, and see what is in them.")
def command() -> None:
    """Files of music made into a data set for training, and what is in them.

    \b
    Examples:
      perpetuum dataset stats my_midi/
      perpetuum dataset build my_midi/ --for performance -o piano
    """


@command.command("build", epilog=BUILD_EXAMPLES, short_help="Make files of music into a data set.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--for", "config", required=True, metavar="CONFIG", help="The network to train: drum_kit, performance, ..."
)
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=OutputFolder(),
    help="Folder of the data set.",
)
@click.option("--meter", metavar="4/4,3/4", help="Take these meters only.")
@click.option(
    "--instruments",
    metavar="NAME,...",
    help="Take these instruments only: families of General MIDI (piano, strings, bass, lead, ...) or programs 1..128.",
)
@click.option("--tempo", type=RangeType(1, 1000), help="Take what begins at a tempo like 60..180 (qpm).")
@click.option("--min-unique-pitches", default=0, type=click.IntRange(0, 128), help="Pitches (drums: classes) at least.")
@click.option("--min-on-grid", type=Number(0, 1), help="Share of notes that begin on the grid of sixteenths, at least.")
@click.option("--min-bars", type=click.IntRange(1), help="Bars of a piece, at least.")
@click.option("--max-bars", type=click.IntRange(1), help="Bars of a piece, at most.")
@click.option("--transpose", type=RangeType(-24, 24, whole=True), help="Semitones that training transposes by: -5..6.")
@click.option("--stretch", type=RangeType(0.5, 2), help="How training stretches durations of performances: 0.95..1.05.")
@click.option("--validation", default=0.06, show_default=True, type=Number(0, 0.9), help="Share held out.")
@click.option("--test", default=0.06, show_default=True, type=Number(0, 0.9), help="Share kept for the end.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Another one gives other splits.")
@click.option("--keep-duplicates", is_flag=True, help="The same music may be there twice, also in another key.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Files to read at once; as many as there are cores.")
@click.option(
    "--time-limit", default=60.0, show_default=True, type=Number(1), help="Seconds of the processor for one piece."
)
def build_dataset(
    sources: tuple[Path, ...],
    config: str,
    folder: Path,
    meter: str | None,
    instruments: str | None,
    tempo: tuple[float, float] | None,
    min_unique_pitches: int,
    min_on_grid: float | None,
    min_bars: int | None,
    max_bars: int | None,
    transpose: tuple[int, int] | None,
    stretch: tuple[float, float] | None,
    validation: float,
    test: float,
    seed: int,
    keep_duplicates: bool,
    jobs: int | None,
    time_limit: float,
) -> None:
    """Make files of music into a data set, which `perpetuum train --data` and `perpetuum evaluate --data` read.

    SOURCE is a folder or a file: MIDI (.mid, .midi, .kar, .rmi), MusicXML (.xml, .musicxml, .mxl), ABC (.abc, also
    books of tunes), score sets (.jsonl, .jsonl.gz), the Groove MIDI Dataset, MAESTRO, the JSB chorales. What cannot be
    used is left out, and the table at the end says why. Pieces of one work stay in one split; official splits are kept.

    A build that was stopped goes on where it was: what was read is kept in the folder's cache/, which may be deleted
    afterwards.
    """
    from dataclasses import replace

    from engine.training.datasets import DatasetSettings, Filters, augmentation_of, build, trainable, write_dataset
    from engine.training.datasets.dataset import CACHE, CACHE_FILE, MANIFEST
    from engine.training.datasets.filters import parse_meter

    if config not in trainable():
        near = difflib.get_close_matches(config, trainable(), 1)
        hint = f"Did you mean {near[0]}?" if near else f"These can: {', '.join(trainable())}."
        raise PerpetuumError(f"--for {config}: no network of this name can be trained", hint)
    if validation + test >= 1:
        raise PerpetuumError("--validation and --test together leave nothing to train on", "Give smaller shares.")
    filters = Filters(
        meters=tuple(sorted({parse_meter(text) for text in meter.split(",")})) if meter else None,
        instruments=tuple(name.strip().lower() for name in instruments.split(",")) if instruments else (),
        tempo=tempo,
        min_unique_pitches=min_unique_pitches,
        min_on_grid=min_on_grid,
        min_bars=min_bars,
        max_bars=max_bars,
    )
    varied = augmentation_of(config)
    varied = replace(varied, transpose=transpose or varied.transpose, stretch=stretch or varied.stretch)
    settings = DatasetSettings(config, filters, varied, validation, test, seed, keep_duplicates)
    output_folder(output_folder(folder) / CACHE)
    with reading("Reading", f"the same command goes on with it; what was read is kept in {folder / CACHE}") as progress:
        built = build(sources, settings, folder / CACHE_FILE, jobs, time_limit, progress)
    write_dataset(folder, built)
    _report(built.manifest)
    if any(file["state"] != "used" for file in built.manifest["files"]):
        click.echo(f"Which files were left out, and why: {folder / MANIFEST}")
    train = shlex.join(["perpetuum", "train", config, "--data", str(folder)])
    count = "1 piece" if len(built.pieces) == 1 else f"{len(built.pieces)} pieces"
    click.echo(f"{folder}: {count}. Train with: {train}")


@command.command("stats", epilog=STATS_EXAMPLES, short_help="See what is in a folder of music, or in a data set.")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@as_text_or_json
@click.option("--plot", "picture", type=OutputPath(*PICTURES), help="Draw it, too: a .png.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Files to read at once; as many as there are cores.")
def show_stats(folder: Path, form: str, picture: Path | None, jobs: int | None) -> None:
    """See what is in FOLDER: bars, instruments, meters, tempi, keys, drums, polyphony and lengths of notes.

    FOLDER is one of music, a file of music, or what `perpetuum dataset build` wrote.
    """
    from engine.training.datasets.contents import contents_of_files, contents_of_pieces
    from engine.training.datasets.dataset import MANIFEST, PIECES, left_out_of, read_manifest
    from engine.training.datasets.pieces import load_pieces

    if picture is not None:
        ensure_plotting()
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        contents = contents_of_pieces(load_pieces(folder / PIECES), manifest["kind"])
        contents.left_out = left_out_of(manifest)
    else:
        with reading("Reading", "nothing is kept") as progress:
            contents = contents_of_files([folder], jobs, progress=progress)
    if picture is not None:
        _plot(contents, str(folder), picture)
    if form == "json":
        click.echo(json.dumps(contents.as_json(), indent=2))
    else:
        _print_contents(contents)


@contextmanager
def reading(title: str, kept: str) -> Iterator[Callable[[int, int], None]]:
    """A bar, or lines, on stderr while files are read; tell it how many of how many. Ctrl-C is no failure of ours.

    Args:
        title: of the bar.
        kept: what is said when it is stopped.

    Raises:
        PerpetuumError: stopped by Ctrl-C.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console, done, total = Console(stderr=True), 0, 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar, lines(title.lower()) as say:
        task = bar.add_task(title, total=None)

        def tell(now: int, of: int) -> None:
            nonlocal done, total
            done, total = now, of
            bar.update(task, completed=now, total=of)
            if not console.is_terminal and of:
                say(now / of)

        try:
            yield tell
        except KeyboardInterrupt:
            raise StoppedError(f"stopped after {done} of {total}", kept[:1].upper() + kept[1:] + ".") from None


def _report(manifest: dict[str, Any]) -> None:
    """Tables: what became of the files and of what is in them, and what is in each split."""
    from rich.console import Console
    from rich.table import Table

    from engine.training.datasets.dataset import left_out_of

    states, skipped, copies = Counter(), Counter(manifest["dropped"]), 0
    for file in manifest["files"]:
        states[file["state"]] += 1
        copies += file["duplicates"]
        skipped.update(file.get("skipped", {file["reason"]: 1} if "reason" in file else {}))
    console = Console()
    files = Table("files", "", title=None, box=None)
    for state, count in states.most_common():
        files.add_row(state, f"{count:,}")
    console.print(files)
    if skipped or copies:
        reasons = Table("left out", "", box=None)
        for reason, count in [*skipped.most_common(), *([("the same as another", copies)] if copies else [])]:
            reasons.add_row(reason, f"{count:,}")
        console.print(reasons)
    _say_left_out(left_out_of(manifest))
    length = "seconds" if "seconds" in manifest["splits"]["train"] else "bars"
    events = "notes" if manifest["kind"] in ("performance", "polyphony") else "sixteenths"
    splits = Table("split", "pieces", length, events, box=None)
    for name, totals in manifest["splits"].items():
        splits.add_row(name, *(f"{totals[each]:,}" for each in ("pieces", length, "events")))
    console.print(splits)


def _say_left_out(found: Sequence[LeftOut]) -> None:
    """A line for each kind of thing that was in files and could not be read, with the place of the first."""
    for each in sorted(found, key=lambda one: -one.count):
        where = f"; the first at {printable(each.where)}" if each.place else f", in {printable(each.where)}"
        click.echo(f"{each.count:,} left out: {printable(each.what)}{where}")


_TABLES = (
    ("instruments", "notes"),
    ("meters", "pieces"),
    ("tempi", "pieces"),
    ("keys", "pieces"),
    ("drums", "strokes"),
    ("voices", "onsets"),
    ("lengths", "notes"),
)
"""Counts of `Contents`, and what each counts."""


def _print_contents(contents: Contents) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"{contents.pieces:,} pieces, {contents.notes:,} notes, {contents.bars:,} bars")
    for reason, count in contents.skipped.most_common():
        console.print(f"{count:,} could not be read: {reason}")
    _say_left_out(contents.left_out)
    for name, what in _TABLES:
        rows = _rows(contents, name)
        if rows:
            table = Table(name, what, "", box=None)
            most, total = max(count for _, count in rows), sum(count for _, count in rows)
            for label, count in rows:
                table.add_row(label, f"{count:,}", f"{'█' * round(24 * count / most)} {count / total:.1%}")
            console.print()
            console.print(table)


def _rows(contents: Contents, name: str) -> Sequence[tuple[str, int]]:
    """Labels and counts of a table: in the order of numbers where labels are numbers, else the most first."""
    from engine.training.datasets.contents import LENGTHS

    counts: Counter[Any] = getattr(contents, name)
    if name == "lengths":
        return [(label, counts[label]) for label in LENGTHS if counts[label]]
    if name == "tempi":
        known = sorted((int(low), count) for low, count in counts.items() if low.isdecimal())
        return [(f"{low}-{low + 9}", count) for low, count in known] + [
            (low, count) for low, count in counts.items() if not low.isdecimal()
        ]
    if name == "voices":
        return [(str(voices), counts[voices]) for voices in sorted(counts)]
    return counts.most_common(24)


def _plot(contents: Contents, title: str, path: Path) -> None:
    """Draw a bar chart of each table.

    Raises:
        PerpetuumError: the picture cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    tables = [(name, what, rows) for name, what in _TABLES if (rows := _rows(contents, name))]
    columns = 2
    figure, grid = plt.subplots(
        -(-len(tables) // columns), columns, figsize=(11, 3.2 * -(-len(tables) // columns)), squeeze=False
    )
    for axes in grid.flat[len(tables) :]:
        axes.axis("off")
    for axes, (name, what, rows) in zip(grid.flat, tables, strict=False):
        axes.bar(range(len(rows)), [count for _, count in rows], color="#4a6fa5")
        axes.set_xticks(range(len(rows)), [label for label, _ in rows], rotation=60, ha="right", fontsize=7)
        axes.set_title(name, fontsize=10)
        axes.set_ylabel(what, fontsize=8)
    figure.suptitle(f"{title}: {contents.pieces:,} pieces, {contents.notes:,} notes, {contents.bars:,} bars")
    figure.tight_layout()
    save_picture(figure, path)

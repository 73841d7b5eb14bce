"""The command: see the package."""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from pathlib import Path

import click
from rich.console import Console

from benchmarks.measure import measure, workplace
from benchmarks.processes import PlayerError
from benchmarks.report import as_json, as_markdown, bars, tables
from benchmarks.subjects import SUBJECTS

_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--original", metavar="PYTHON", help="Interpreter that has Magenta 2.1.4; measured in alternation.")
@click.option("--quick", is_flag=True, help="A few networks, two rounds: does everything run?")
@click.option("--only", metavar="NAMES", default="", help="Subjects whose names contain one of these, by commas.")
@click.option("--rounds", type=click.IntRange(1), default=None, help="Rounds of alternation.  [default: 7; quick: 2]")
@click.option("--cores", type=click.IntRange(1), default=None, help="Cores for either process.  [default: all]")
@click.option("--work", type=click.Path(path_type=Path), help="Folder for the checkpoints, to be used again (2.5 GB).")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write everything that was measured.")
@click.option("--write", type=click.Path(path_type=Path), help="Put the tables into this page, between its marks.")
def main(
    original: str | None,
    quick: bool,
    only: str,
    rounds: int | None,
    cores: int | None,
    work: Path | None,
    json_file: Path | None,
    write: Path | None,
) -> None:
    """Measure how fast networks play, beside the original Magenta and beside the machine's roofline."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    available = sorted(os.sched_getaffinity(0))
    used = set(available[: cores or len(available)])
    rounds = rounds or (2 if quick else 7)
    names = [name for name in only.split(",") if name]
    subjects = [
        subject
        for subject in SUBJECTS
        if (not quick or subject.quick) and (not names or any(name in subject.name for name in names))
    ]
    if not subjects:
        raise click.UsageError(f"no subject has {only!r} in its name: {', '.join(each.name for each in SUBJECTS)}")
    settings = {
        "date": date.today().isoformat(),
        "cores": len(used),
        "rounds": rounds,
        "load_average": list(os.getloadavg()),
    }
    results = []
    try:
        with workplace(work) as folder, console.status("") as status:
            for result in measure(subjects, original, rounds, used, folder, status.update):
                results.append(result)
                ratio = result.ratio()
                beside = "" if ratio is None else f", {ratio:.1f} times the original"
                console.print(
                    f"{result.subject.name}: {result.ours.median * 1000:.2f} ms{beside}, {result.share:.0%} of the roof"
                )
    except PlayerError as error:
        raise click.ClickException(str(error)) from error
    console.print(*tables(results), *bars(results), sep="\n")
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(results, settings), indent=1) + "\n", encoding="utf-8")
    if write is not None:
        put_between_marks(write, as_markdown(results, settings))


def put_between_marks(page: Path, tables_as_text: str) -> None:
    """Replace what stands between the marks of a page."""
    text = page.read_text(encoding="utf-8")
    if _BEGIN not in text or _END not in text:
        raise click.ClickException(f"{page}: has no lines {_BEGIN} and {_END}, between which the tables belong")
    before, after = text.split(_BEGIN)[0], text.split(_END)[1]
    page.write_text(f"{before}{_BEGIN}\n\n{tables_as_text}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

"""`perpetuum replay`: what was heard at a moment, as a sound file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click

from engine.cli.common import clock_time, warn
from engine.cli.journal.opening import journal_options, opened
from engine.cli.numbers import Number
from engine.cli.targets import OutputPath
from engine.cli.waiting import progress
from engine.errors import PerpetuumError, StoppedError
from engine.output_file import listed
from engine.outputs.files.sound_file import ENDINGS as SOUNDS
from engine.progress import tell
from engine.score.time import SAMPLE_RATE

EXAMPLES = """
\b
Examples:
  perpetuum replay "2026-11-20 15:32" --minutes 5 -o tuesday.wav
  perpetuum replay "yesterday 15:32" -o out.flac --as-heard
  perpetuum replay "Tuesday 15:32" -o out.wav --exact --of museum.yaml
"""


@click.command(epilog=EXAMPLES)
@click.argument("moment")
@click.option("--minutes", type=Number(0.01, 1440), default=5.0, show_default=True, help="How much of it.")
@click.option("-o", "--output", required=True, type=OutputPath(*SOUNDS), help=f"Sound file: {listed([*SOUNDS])}.")
@click.option("--as-heard", is_flag=True, help="With the gain of that time: level over the day, mutes, fades.")
@click.option("--exact", is_flag=True, help="The very samples; takes longer, for it begins where that sound began.")
@journal_options
def command(
    moment: str,
    minutes: float,
    output: Path,
    as_heard: bool,
    exact: bool,
    installation: str | None,
    state: Path | None,
) -> None:
    """Write what was heard from MOMENT on to a sound file, as it left the sound, before the gain of that time.

    MOMENT is on the installation's clock: 2026-11-20 15:32, 15:32, yesterday 15:32, Tuesday 15:32, 20 Nov 15:32.

    Notes, frames and controls are those that were heard; nothing is decided again. The sound is built anew 30 seconds
    earlier, as after a take-over, so that its waves differ. With --exact it begins with the first frame of the sound
    that was heard then, perhaps hours earlier, and has the same samples on the same machine and version.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from engine.installation.history.banks import with_banks_there
    from engine.installation.history.passage import find_passage, render_passage, seconds_needed

    with opened(installation, state) as found:
        meant = found.moment(moment)
        passage = find_passage(found.journal, meant.at, minutes * 60, found.zone)
        with progress("making banks of notes that are not here any more", 1) as advance:
            courses, missing = with_banks_there(passage.courses, passage.banks, waiting=lambda left, share: tell(share))
            advance()
        passage = replace(passage, courses=courses, notes=(*passage.notes, *missing))
        at = meant.at.astimezone(found.zone)
        for note in passage.notes:
            warn(note)
    if exact and not passage.complete:
        raise PerpetuumError("it cannot be made again exactly: records are missing", "leave --exact out")
    frames = passage.frames(exact)
    if exact:
        needed = timedelta(seconds=round(seconds_needed(passage, exact)))
        before = clock_time((passage.first - passage.begins(exact)) / SAMPLE_RATE)
        warn(f"its sound began {before} before {at:%H:%M:%S}; from there on it takes about {needed} to make")
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(f"{at:%Y-%m-%d %H:%M:%S}", total=frames)
        try:
            render_passage(passage, output, exact, as_heard, lambda done: bar.update(task, completed=done))
        except KeyboardInterrupt:
            raise StoppedError("stopped; no file was written") from None
    near = "notes, frames and controls are exact, the sound is as after a take-over (docs/faults.md; see --exact)"
    how = "the very samples" if exact else near
    heard = "as it was heard" if as_heard else "before the gain of that time"
    click.echo(f"{output}: {clock_time(passage.seconds)} from {at:%Y-%m-%d %H:%M:%S %Z} on, {heard}; {how}")

"""`perpetuum render`: a scene into a file, faster than real time."""

from __future__ import annotations

import math
import time
from pathlib import Path

import click

from engine.cli.common import TimeOfDayType, begin_of, clock_time, load_playable, seed_of
from engine.cli.numbers import Number
from engine.cli.plot import piano_roll
from engine.cli.targets import OutputPath
from engine.errors import StoppedError
from engine.form.plan import Plan
from engine.output_file import listed
from engine.outputs.files.sound_file import ENDINGS as SOUNDS
from engine.pictures import PICTURES, ensure_plotting
from engine.score.midi import writing as midi_writing
from engine.score.time import SAMPLE_RATE

EXAMPLES = """
\b
Examples:
  perpetuum render slow_groove --minutes 3 -o groove.wav
  perpetuum render my_scene.yaml --bars 64 --seed 7 -o out.wav --midi out.mid --plot out.png
  perpetuum render my_scene.yaml --bars 16 --section chorus --solo melody -o melody.wav
  perpetuum render daylight --minutes 3 --at 06:30 -o morning.wav
"""


@click.command(epilog=EXAMPLES)
@click.argument("scene")
@click.option("--bars", type=click.IntRange(1, 1_000_000), help="Play so many bars, then let the last notes ring.")
@click.option("--minutes", type=Number(0.01, 100_000), help="Play so long, fading out.")
@click.option("--seed", type=click.IntRange(0), help="Instead of the scene's own seed.")
@click.option("-o", "--output", required=True, type=OutputPath(*SOUNDS), help=f"Sound file: {listed([*SOUNDS])}.")
@click.option("--midi", type=OutputPath(*midi_writing.ENDINGS), help="Write the notes to a MIDI file, too.")
@click.option("--plot", type=OutputPath(*PICTURES), help="Draw a piano roll, too: .png, .svg, or .pdf of many pages.")
@click.option("--section", help="Begin with this section.")
@click.option("--at", type=TimeOfDayType(), default="12:00", show_default=True, help="Time of day at which it begins.")
@click.option("--solo", metavar="PART", help="Only this part is heard.")
def command(
    scene: str,
    bars: int | None,
    minutes: float | None,
    seed: int | None,
    output: Path,
    midi: Path | None,
    plot: Path | None,
    section: str | None,
    at: float,
    solo: str | None,
) -> None:
    """Render SCENE to a sound file (48 kHz, stereo), of the kind that its ending says; .wav and .flac have 24 bits.

    The same scene, weights, seed and time of day give the same sound. At the end there is one line for each part: how
    many of its bars its network made, how many were made by rules, and how many failed.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from engine.conductor.daytime import CountedDay
    from engine.runtime.ending import Ending
    from engine.runtime.render import render

    if (bars is None) == (minutes is None):
        raise click.UsageError("say how much to render: either --bars N or --minutes M")
    if plot is not None:
        ensure_plotting()
    playable = load_playable(scene, section, solo)
    begin = begin_of(playable, seed, section)
    seed = seed_of(playable, seed) if begin is None else begin.conductor.seed

    def ending(plan: Plan) -> Ending:
        return Ending.after_bars(plan, bars) if bars is not None else Ending.after_seconds(plan, (minutes or 0) * 60)

    console = Console(stderr=True)
    begun = time.monotonic()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task(f"{playable.title}, seed {seed}", total=None)
        try:
            made = render(
                playable,
                seed,
                output,
                ending,
                section,
                solo,
                lambda done, total: bar.update(task, completed=done, total=total),
                CountedDay(at),
                begin,
                lambda left, share: bar.update(
                    task, description=f"{left} bank{'s' * (left > 1)} of notes to be made first, {share:.0%}"
                ),
            )
        except KeyboardInterrupt:
            raise StoppedError("stopped; no file was written") from None
    spent = time.monotonic() - begun
    seconds = made.frames / SAMPLE_RATE
    click.echo(
        f"{output}: {clock_time(seconds)} of {playable.title}, seed {seed}, peak {_decibels(made.peak)}, "
        f"made in {spent:.1f} s ({seconds / spent:.0f} times as fast as it plays)"
    )
    for line in made.tally.lines(playable.parts):
        click.echo(f"  {line}")
    for reason, count in made.tally.reasons.most_common(5):
        click.echo(f"  failed, {count} bars: {reason}")
    if midi is not None:
        made.recording.write_midi(midi)
        click.echo(f"{midi}: its notes")
    if plot is not None:
        piano_roll(made.recording, plot)
        click.echo(f"{plot}: piano roll")


def _decibels(peak: float) -> str:
    return f"{20 * math.log10(peak):.1f} dBFS" if peak > 0 else "silent"

"""`perpetuum soak`: days of a scene in virtual time, and whether anything grows."""

from __future__ import annotations

import time
from pathlib import Path

import click

from engine.cli.numbers import Number

EXAMPLES = """
\b
Examples:
  perpetuum soak slow_groove --days 30                thirty days of its notes, into ./soak/slow_groove
  perpetuum soak slow_groove --days 30                again: goes on where it was stopped
  perpetuum soak still_water --days 2 -o docs/soak.md
  perpetuum soak slow_groove --sound --days 0.5       twelve hours of its sound, measured and heard by the ear
"""

SAY_EVERY = 10.0
"""Seconds between two words about how far it is."""


@click.command(epilog=EXAMPLES)
@click.argument("scene")
@click.option("--days", type=Number(0.01, 3660), default=30.0, show_default=True, help="Of music.")
@click.option("--seed", type=click.IntRange(0), help="Instead of the scene's own seed.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it is kept, and gone on with; soak/NAME without it.",
)
@click.option("--sound", is_flag=True, help="Let it sound, too, as a render does. Such a soak begins anew each time.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to a file, too.")
def command(scene: str, days: float, seed: int | None, folder: Path | None, sound: bool, output: Path | None) -> None:
    """Play SCENE for days in virtual time, and say whether memory, files or threads grow.

    Ctrl-C ends it, and what was measured is told; the same command goes on from there.
    """
    from engine.cli.common import load_playable, seed_of, warn
    from engine.installation.soak.report import page, section
    from engine.installation.soak.run import Soak, soak_in
    from engine.output_file import write_text
    from engine.runtime.signals import StopSignals

    playable = load_playable(scene)
    place = folder or Path("soak") / (playable.path.stem + "-sound" * sound)
    chosen = seed_of(playable, seed) if seed is not None or playable.seed is not None else 0
    kept = soak_in(place, playable, chosen, sound)
    said = time.monotonic()

    def tell(done: float, seconds: float) -> None:
        nonlocal said
        if time.monotonic() < said + SAY_EVERY:
            return
        said = time.monotonic()
        begun = kept.samples[-1].days if kept.samples else 0.0
        left = seconds * (days - done) / (done - begun) if done > begun else 0.0
        warn(f"{done:.2f} of {days:g} days; {left / 60:.0f} min left")

    with StopSignals() as stop:
        measured = Soak(playable, kept, days, place, sound, tell, lambda: stop.asked).run()
    click.echo(section(measured))
    if output is not None:
        write_text(output, page([measured]))

"""`perpetuum fork`: a scene that begins where an installation was."""

from __future__ import annotations

from pathlib import Path

import click

from engine.cli.common import clock_time, warn
from engine.cli.journal.opening import journal_options, opened
from engine.cli.numbers import Number
from engine.cli.targets import OutputPath

EXAMPLES = """
\b
Examples:
  perpetuum fork "Tuesday 15:32" -o tuesday.yaml
  perpetuum play tuesday.yaml
"""


@click.command(epilog=EXAMPLES)
@click.argument("moment")
@click.option("-o", "--output", required=True, type=OutputPath(".yaml", ".yml"), help="Scene file to write.")
@click.option("--minutes", type=Number(0, 60), default=5.0, show_default=True, help="How much is to be as it was.")
@journal_options
def command(moment: str, output: Path, minutes: float, installation: str | None, state: Path | None) -> None:
    """Write a scene that begins with the section that was heard at MOMENT.

    The scene file as it was then is written, and beside it the state of the music, NAME.begin.json, which its `begin`
    names. Played, it plays what was played then, note for note, for as long as it was not edited and --minutes says;
    from there on it goes on by itself, with the same seed. Both files are yours: edit the scene as you like, and it
    begins there all the same.
    """
    from engine.installation.history.fork import fork

    with opened(installation, state) as found:
        meant = found.moment(moment)
        made = fork(found.journal, meant.at, minutes * 60, found.zone, output)
        began = found.told(made.wall)
    click.echo(
        f"{made.scene}: begins with {made.section}, which was heard from {began:%Y-%m-%d %H:%M:%S %Z} on; "
        f"its first {clock_time(made.until)} are the notes of then"
    )
    click.echo(f"{made.begin}: the state of the music there")
    if not made.same:
        warn("files that the scene names are not as they were: what was not decided yet may be played otherwise")

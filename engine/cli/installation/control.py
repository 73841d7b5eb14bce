"""`perpetuum control`: what a hand asks of an installation that runs."""

from __future__ import annotations

from pathlib import Path

import click

ASKS = (
    "status",
    "mute",
    "unmute",
    "quiet",
    "louder",
    "softer",
    "volume",
    "normal",
    "section",
    "scene",
    "alarm",
    "release",
    "reload",
)

EXAMPLES = """
\b
Examples:
  perpetuum control gallery mute         silence, until unmute; the music goes on
  perpetuum control gallery quiet        quiet mode, for a guided tour; normal ends it
  perpetuum control gallery softer       a step softer, until the next opening; `volume 0` ends it
  perpetuum control gallery volume -6    softer by 6 dB than usual, until the next opening
  perpetuum control gallery scene tides  let a scene of the programme come next; section NAME, go to a section
  perpetuum control gallery reload       read the file again
  perpetuum control gallery alarm        silence at once, which outlives power cuts; release ends it
  perpetuum control gallery status       how it is, as JSON
"""


@click.command(epilog=EXAMPLES, context_settings={"ignore_unknown_options": True})
@click.argument("installation")
@click.argument("ask", type=click.Choice(ASKS))
@click.argument("value", default="")
@click.option("--state", type=click.Path(path_type=Path), help="Its state folder, where the file does not say so.")
def command(installation: str, ask: str, value: str, state: Path | None) -> None:
    """Ask something of INSTALLATION, which runs on this machine; only its own user and root may."""
    from engine.installation.keeper.hands.control import ask as ask_of

    click.echo(ask_of(state or folder_of(installation), f"{ask} {value}".strip()))


def folder_of(installation: str) -> Path:
    """The state folder of an installation, which its file says.

    Raises:
        PerpetuumError: there is no such file, or it is not valid.
    """
    from engine import assets
    from engine.errors import PerpetuumError
    from engine.installation.keeper.reading import PATIENCE, Reading

    reading = Reading(assets.installation(installation))
    found = (reading.result(PATIENCE) or reading.give_up()).installation
    if found is None:
        raise PerpetuumError(f"{installation} is not valid, so its state folder is not known", "give it by --state")
    return found.state

"""`perpetuum run`: an installation, for months."""

from __future__ import annotations

import os
import sys

import click

EXAMPLES = """
\b
Examples:
  perpetuum run gallery                 a shipped installation
  perpetuum run museum.yaml -v          your own, and say more of what happens
  perpetuum run museum.yaml --log-format json    a line of JSON for each message
"""


@click.command(epilog=EXAMPLES)
@click.argument("installation")
@click.option("-v", "--verbose", is_flag=True, help="Say more of what happens inside.")
@click.option(
    "--log-format", type=click.Choice(["text", "json", "journal"]), help="Of the log, whatever the file says."
)
def command(installation: str, verbose: bool, log_format: str | None) -> None:
    """Run INSTALLATION for months: what plays when is in the file, and whatever fails is replaced.

    SIGTERM and Ctrl-C fade out and stop. SIGHUP reads the file again. SIGUSR2 is the fire alarm.
    """
    from engine import assets

    path = assets.installation(installation)
    # The keeper imports as little as it can: it takes this process's place.
    options = [*(["-v"] if verbose else []), *(["--log-format", log_format] if log_format else [])]
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-P", "-m", "engine.installation.keeper.process", str(path), *options]
    os.execv(sys.executable, command)

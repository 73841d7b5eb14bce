"""`perpetuum status`: how an installation is, at one glance."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path

import click
import msgspec

from engine.cli.common import warn
from engine.events.snapshot import HealthSnapshot
from engine.health.told import ToldStatus

PATIENCE = 5.0
"""Seconds that an installation may take to answer."""

LONGEST = 1 << 20
"""Bytes of an answer."""

EXAMPLES = """
\b
Examples:
  perpetuum status gallery                     one that runs on this machine
  perpetuum status http://192.168.1.20:8471    one that runs elsewhere, by its address
"""


@click.command(epilog=EXAMPLES)
@click.argument("installation", default="gallery")
@click.option("--state", type=click.Path(path_type=Path), help="Its state folder, where the file does not say so.")
@click.pass_context
def command(context: click.Context, installation: str, state: Path | None) -> None:
    """Print how INSTALLATION is, a name, a file or an address: for a caretaker first, then for the technician.

    The exit code is 1 where something is not as it should be, and 2 where nothing answers.
    """
    from engine.health.checks import checks
    from engine.health.page import page

    title, snapshot, now = (
        _from_afar(installation)
        if installation.startswith(("http://", "https://"))
        else _from_here(installation, state)
    )
    click.echo(page(title, snapshot, now))
    if snapshot is None:
        context.exit(2)
    if not all(check.ok for check in checks(snapshot, now)):
        context.exit(1)


def _from_here(installation: str, state: Path | None) -> tuple[str, HealthSnapshot | None, float]:
    """Title, snapshot and the time of its clock, by the control socket of an installation of this machine."""
    from engine.cli.installation.control import folder_of
    from engine.errors import PerpetuumError
    from engine.installation.keeper.hands.control import ask

    folder = folder_of(installation) if state is None else state
    try:
        answer = ask(folder, "status")
    except PerpetuumError as error:
        warn(str(error))
        return installation, None, time.monotonic()
    told = json.loads(answer)
    return str(told["title"]), msgspec.convert(told["snapshot"], HealthSnapshot), time.monotonic()


def _from_afar(address: str) -> tuple[str, HealthSnapshot | None, float]:
    """The same, over HTTP."""
    from engine.errors import PerpetuumError

    url = address.rstrip("/") + "/status"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            told = msgspec.json.decode(response.read(LONGEST), type=ToldStatus)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(error, msgspec.MsgspecError | ValueError):
            raise PerpetuumError(
                f"{url} answers, but not as an installation does: {reason}", "is the port right?"
            ) from None
        warn(f"{url} does not answer: {reason}")
        return address, None, time.monotonic()
    snapshot = told.snapshot
    return told.title, snapshot, (snapshot.monotonic if snapshot is not None else 0.0) + told.age

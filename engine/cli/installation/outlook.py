"""`perpetuum plan INSTALLATION`: what a day will bring, hour by hour."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import click

from engine.cli.common import warn
from engine.installation.hours.doubts import doubts
from engine.installation.hours.outlook import Outlook, What, clock, outlook
from engine.installation.hours.timetable import Timetable
from engine.installation.installation import Installation
from engine.scenes.text.diagnostics import printable

_BOLD = (What.OPENS, What.CLOSES, What.CLOSED, What.RESTARTS)


def show_day(installation: Installation, day: date | None, form: str, verbose: bool) -> None:
    """Print what a day will bring, after what is doubtful about it.

    Args:
        installation: of which.
        day: which; None for today in its time zone.
        form: "text" or "json".
        verbose: with the seed of each turn.
    """
    timetable = Timetable(installation)
    day = day or datetime.now(timetable.zone).date()
    found, warnings = outlook(timetable, day), doubts(timetable, day)
    if form == "json":
        click.echo(json.dumps(_as_data(installation, found, warnings), indent=2))
        return
    for doubt in warnings:
        warn(f"{installation.path}: {click.style('warning:', fg='yellow', bold=True)} {doubt}")
    click.echo(f"{printable(installation.title)}: {day:%A} {day.day} {day:%B %Y}, {found.zone}")
    click.echo(f"{found.hours[:1].upper()}{found.hours[1:]}.\n")
    leaps = len({line.at.utcoffset() for line in found.lines}) > 1
    for line in found.lines:
        text = click.style(line.text, bold=True) if line.what in _BOLD else line.text
        seed = f"  seed {line.seed:016x}" if verbose and line.seed is not None else ""
        click.echo(f"{clock(line.at, leaps)}  {text}{seed}")
    if any(line.what is What.SCENE for line in found.lines):
        click.echo(
            "\nA scene ends where its transition lets it: the times of scenes are about right, their order is exact."
        )


def _as_data(installation: Installation, found: Outlook, warnings: list[str]) -> dict[str, Any]:
    return {
        "title": installation.title,
        "day": found.day.isoformat(),
        "time_zone": found.zone,
        "hours": found.hours,
        "warnings": warnings,
        "lines": [
            {
                "at": line.at.isoformat(),
                "what": str(line.what),
                "text": line.text,
                "scene": line.scene or None,
                "until": line.until.isoformat() if line.until is not None else None,
                "seed": line.seed,
            }
            for line in found.lines
        ],
    }

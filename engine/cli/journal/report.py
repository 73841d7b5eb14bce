"""`perpetuum report`: a day of an installation, for lender and insurer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from engine.cli.common import DayType
from engine.cli.journal.opening import journal_options, opened
from engine.installation.history.daily_report import DailyReport, daily_report
from engine.installation.hours.timetable import Timetable
from engine.scenes.text.diagnostics import printable

EXAMPLES = """
\b
Examples:
  perpetuum report                                   yesterday
  perpetuum report --day 2026-11-20 --of museum.yaml
  perpetuum report --day 2026-11-20 --format json > 2026-11-20.json
"""


@click.command(epilog=EXAMPLES)
@click.option("--day", type=DayType(), help="Which; yesterday without it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@journal_options
def command(day: date | None, form: str, installation: str | None, state: Path | None) -> None:
    """Report a day: hours open and hours sounded, interruptions with their causes, and who changed what.

    Hours open are those of the installation file as it is now.
    """
    with opened(installation, state) as found:
        timetable = Timetable(found.installation) if found.installation is not None else None
        day = day or (found.now.astimezone(found.zone) - timedelta(days=1)).date()
        report = daily_report(found.journal, day, found.zone, timetable, found.now)
        title = found.installation.title if found.installation is not None else str(found.journal.path.parent)

        def clock(seconds: float) -> str:
            return f"{found.told(seconds):%H:%M:%S}"

        if form == "json":
            data = _as_data(report, lambda seconds: found.told(seconds).isoformat(timespec="seconds"))
            click.echo(json.dumps({"installation": title, **data}, indent=2))
        else:
            _show(report, title, clock)


def _show(report: DailyReport, title: str, clock: Callable[[float], str]) -> None:
    click.secho(f"{printable(title)}, {report.day:%A %Y-%m-%d}", bold=True)
    if report.open_seconds is not None:
        click.echo(f"open:     {_hours(report.open_seconds)}")
    click.echo(f"sounded:  {_hours(report.sounded_seconds)}")
    click.echo(f"interruptions: {len(report.interruptions) or 'none'}")
    for one in report.interruptions:
        spent = _hours(one.ended - one.began)
        click.echo(f"  {clock(one.began)} to {clock(one.ended)}  {spent}  {one.what}: {printable(one.cause)}")
    click.echo(f"changes: {len(report.changes) or 'none'}")
    for change in report.changes:
        click.echo(f"  {clock(change.wall)}  {printable(change.who)}: {printable(change.what)}")
    click.echo(f"other faults, unheard or nearly so: {len(report.accidents) or 'none'}")
    for wall, text in report.accidents:
        click.echo(f"  {clock(wall)}  {printable(text)}")


def _hours(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600} h {whole // 60 % 60:02d} min {whole % 60:02d} s"


def _as_data(report: DailyReport, at: Callable[[float], str]) -> dict[str, Any]:
    return {
        "day": report.day.isoformat(),
        "open_seconds": None if report.open_seconds is None else round(report.open_seconds),
        "sounded_seconds": round(report.sounded_seconds),
        "interruptions": [
            {
                "began": at(one.began),
                "ended": at(one.ended),
                "seconds": round(one.ended - one.began, 1),
                "what": one.what,
                "cause": one.cause,
            }
            for one in report.interruptions
        ],
        "changes": [{"at": at(one.wall), "who": one.who, "what": one.what} for one in report.changes],
        "accidents": [{"at": at(wall), "text": text} for wall, text in report.accidents],
    }

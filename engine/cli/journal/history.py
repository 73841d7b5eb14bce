"""`perpetuum history`: what was played, section by section, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from engine.cli.journal.opening import OpenedJournal, journal_options, opened
from engine.installation.history.account import PlayedPart, PlayedSection, PlayedSitting, account
from engine.scenes.text.diagnostics import printable

EXAMPLES = """
\b
Examples:
  perpetuum history                                     the last 24 hours
  perpetuum history --since yesterday --until today
  perpetuum history --since "Tuesday 15:00" --until "Tuesday 16:00" --of museum.yaml
  perpetuum history --since 2026-11-01 --format json | jq '.sittings[].sections[].cause'
"""


@click.command(epilog=EXAMPLES)
@click.option("--since", metavar="MOMENT", help="On the installation's clock; 24 hours ago without it.")
@click.option("--until", metavar="MOMENT", help="Likewise; now without it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@journal_options
def command(since: str | None, until: str | None, form: str, installation: str | None, state: Path | None) -> None:
    """Say what was played, section by section: when, why, with which seed, by whom, and what went wrong.

    A section comes because of the timetable, of a weight in the scene, of a command, of an edit, or of the ear. Of each
    part it says which rung of the ladder made its phrases: networks, rules, or a stand-in, with the reason.
    """
    with opened(installation, state) as found:
        begin = found.moment(since).at if since is not None else found.now - timedelta(hours=24)
        end = found.moment(until, latest=True).at if until is not None else None
        sittings = account(found.journal, begin.timestamp(), end.timestamp() if end is not None else None)
        if form == "json":
            click.echo(json.dumps(_as_data(found, begin, end, sittings), indent=2))
            return
        if not any(sitting.sections for sitting in sittings):
            click.echo(f"nothing was heard since {begin.astimezone(found.zone):%Y-%m-%d %H:%M:%S}")
        day = ""
        for sitting in sittings:
            day = _show(found, sitting, day)


def _show(found: OpenedJournal, sitting: PlayedSitting, day: str) -> str:
    """Print a sitting; the day that was named last."""

    def at(seconds: float) -> str:
        nonlocal day
        moment = found.told(seconds)
        if f"{moment:%A %Y-%m-%d}" != day:
            day = f"{moment:%A %Y-%m-%d}"
            click.secho(f"{day}, {moment:%Z}", bold=True)
        return f"{moment:%H:%M:%S}"

    click.echo(f"{at(sitting.began)}  the sound begins: {printable(sitting.why)}")
    for section in sitting.sections:
        head = f"{printable(section.scene)} · {printable(section.section)}"
        facts = [f"{section.bars} bar{'s' * (section.bars != 1)}", f"{section.qpm:.0f} qpm", section.key]
        seed = f", seed {section.seed}" if section.seed is not None else ""
        click.echo(f"{at(section.began)}  {click.style(head, bold=True)}  ({', '.join(filter(None, facts))}{seed})")
        click.echo(f"          {printable(section.cause)}")
        for part in section.parts:
            click.echo(f"          {_words_of(part)}")
        for accident in section.accidents:
            click.secho(f"{at(accident.wall)}  ! {printable(accident.text)}", fg="yellow")
    click.echo(f"{at(sitting.ended)}  the sound ends: {printable(sitting.ending or 'it was cut off, or goes on')}")
    return day


def _words_of(part: PlayedPart) -> str:
    made = ", ".join(f"{count} by {rung}" for rung, count in part.rungs.items()) or "nothing new"
    weights = f", weights {part.weights[:12]}" if part.weights else ""
    choices = ""
    if part.choices:
        most = max(len(choice.scores) for choice in part.choices)
        mean = fmean(choice.scores[choice.chosen] for choice in part.choices)
        choices = f", {len(part.choices)} of them chosen among {most} (score {mean:.2f})"
    return f"{printable(part.part)}: {part.generator}, phrases: {made}{choices}{weights}"


def _as_data(
    found: OpenedJournal, since: datetime, until: datetime | None, sittings: Sequence[PlayedSitting]
) -> dict[str, Any]:
    def at(seconds: float) -> str:
        return found.told(seconds).isoformat(timespec="milliseconds")

    def of_section(section: PlayedSection) -> dict[str, Any]:
        data = asdict(section) | {"began": at(section.began), "ended": at(section.ended)}
        data["accidents"] = [{"at": at(one.wall), "text": one.text} for one in section.accidents]
        return data

    return {
        "since": since.astimezone(found.zone).isoformat(),
        "until": until.astimezone(found.zone).isoformat() if until is not None else None,
        "sittings": [
            {
                "began": at(sitting.began),
                "ended": at(sitting.ended),
                "why": sitting.why,
                "ending": sitting.ending,
                "sections": [of_section(section) for section in sitting.sections],
            }
            for sitting in sittings
        ],
    }

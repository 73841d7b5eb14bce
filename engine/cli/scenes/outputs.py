"""`perpetuum outputs`: where sound can go."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from engine.cli.listing import as_text_or_json, show, tell_broken

if TYPE_CHECKING:
    from engine.outputs.contract import OutputKind


@click.command(short_help="List the outputs and the sound devices.")
@as_text_or_json
def command(form: str) -> None:
    """List the kinds of outputs, every sound device that is here now, and which one `auto` would take.

    The names of devices stay the same whatever is plugged in first; `--output device:NAME` takes them.

    \b
    Examples:
      perpetuum outputs
      perpetuum play slow_groove --output device:hw:CARD=PCH,DEV=0
    """
    from engine.outputs.contract import OUTPUTS
    from engine.outputs.devices.devices import auto_choice, devices

    kinds = OUTPUTS.kinds().values()
    tell_broken(OUTPUTS)
    here = devices()
    takes, why = auto_choice()
    if form == "json":
        rows = [
            {"name": kind.name, "argument": kind.argument, "keeps_time": kind.keeps_time, "summary": kind.summary}
            for kind in kinds
        ]
        auto = {"takes": takes, "why": why}
        click.echo(json.dumps({"outputs": rows, "devices": [asdict(one) for one in here], "auto": auto}, indent=2))
        return
    named = [{"name": _form(kind), "about": kind.summary} for kind in kinds]
    show(named, ("name", "about"), form)
    click.echo("\nDevices, for --output device:NAME:" if here else "\nNo device is here now.")
    lines = [(f"  {one.name}", f"{one.system}: {one.description}" + " (default)" * one.default) for one in here]
    show([{"name": name, "about": about} for name, about in lines], ("name", "about"), form)
    click.echo(f"\nauto takes {takes}: {why}")


def _form(kind: OutputKind) -> str:
    """How `--output` writes it."""
    if not kind.argument:
        return kind.name
    return f"{kind.name}:{kind.argument}" if kind.needs_argument else f"{kind.name}[:{kind.argument}]"

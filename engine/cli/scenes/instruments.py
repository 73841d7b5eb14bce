"""`perpetuum instruments`: the instruments that are here."""

from __future__ import annotations

import click

from engine import assets
from engine.cli.listing import as_text_or_json, hides, show, tell_broken
from engine.scenes.text.headings import heading
from engine.sound.contract import INSTRUMENTS


@click.command(short_help="List the instruments.")
@as_text_or_json
def command(form: str) -> None:
    """List the instruments that parts can name: shipped ones, and those in the folders of PERPETUUM_PATH.

    \b
    Examples:
      perpetuum instruments
      perpetuum instruments --format json
    """
    rows = [
        {"name": name, **heading(path, ("kind", "title", "credits")), "path": str(path)} | hides("instruments", path)
        for name, path in assets.names("instruments").items()
    ]
    show(rows, ("name", "kind", "title"), form)
    tell_broken(INSTRUMENTS)

"""`perpetuum instruments`: the instruments that are here."""

from __future__ import annotations

import click

from engine import assets
from engine.cli.listing import as_text_or_json, hides, show, tell_broken
from engine.scenes.text.headings import heading
from engine.sound.contract import INSTRUMENTS
from engine.timbres.contract import TIMBRES


@click.command(short_help="List the instruments.")
@as_text_or_json
def command(form: str) -> None:
    """List the instruments that parts can name: shipped ones, those in the folders of PERPETUUM_PATH, and timbres.

    A timbre is made by a network, and is named by a mapping of its kind, its settings and a stand-in.

    \b
    Examples:
      perpetuum instruments
      perpetuum instruments --format json
    """
    rows = [
        {"name": name, **heading(path, ("kind", "title", "credits")), "path": str(path)} | hides("instruments", path)
        for name, path in assets.names("instruments").items()
    ]
    rows += [
        {"name": "", "kind": name, "title": timbre.summary, "path": ""} for name, timbre in TIMBRES.kinds().items()
    ]
    show(rows, ("name", "kind", "title"), form)
    tell_broken(INSTRUMENTS)
    tell_broken(TIMBRES)

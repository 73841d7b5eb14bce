"""`perpetuum scenes`: the scenes that are here."""

from __future__ import annotations

import click

from engine import assets
from engine.cli.listing import as_text_or_json, hides, show
from engine.scenes.text.headings import heading


@click.command(short_help="List the scenes that are here.")
@as_text_or_json
def command(form: str) -> None:
    """List the scenes that are here: shipped ones, and those in the folders of PERPETUUM_PATH.

    \b
    Examples:
      perpetuum scenes
      perpetuum scenes --format json
    """
    rows = []
    for name, path in assets.names("scenes").items():
        head = heading(path, ("title", "key", "tempo", "meter", "credits"))
        about = ", ".join(filter(None, (head["key"], head["tempo"], head["meter"])))
        row = {"name": name, "title": head["title"], "about": about, **head, "path": str(path)}
        rows.append(row | hides("scenes", path))
    show(rows, ("name", "title", "about"), form)

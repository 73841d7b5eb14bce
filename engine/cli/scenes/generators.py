"""`perpetuum generators`: the generators and transforms that are here."""

from __future__ import annotations

import click

from engine.cli.listing import as_text_or_json, show, tell_broken
from engine.generators.contract import GENERATORS, TRANSFORMS


@click.command(short_help="List the generators and transforms.")
@as_text_or_json
def command(form: str) -> None:
    """List the generators that parts can name, then the transforms.

    \b
    Examples:
      perpetuum generators
      perpetuum generators --format json
    """
    generators = GENERATORS.kinds().values()
    transforms = TRANSFORMS.kinds().values()
    rows = [
        {
            "name": kind.name,
            "what": "generator",
            "plays": ", ".join(kind.roles),
            "summary": kind.summary,
            "listens_to": sorted(kind.takes),
            "network": kind.network,
            "settings": list(kind.settings.model_fields),
        }
        for kind in generators
    ] + [
        {
            "name": kind.name,
            "what": "transform",
            "plays": "",
            "summary": kind.summary,
            "listens_to": [],
            "network": kind.network,
            "settings": list(kind.settings.model_fields),
        }
        for kind in transforms
    ]
    show(rows, ("name", "what", "plays", "summary"), form)
    tell_broken(GENERATORS, TRANSFORMS)

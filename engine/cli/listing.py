"""How the verbs that list things write them: a line each, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from engine import assets
from engine.registry import Registry
from engine.scenes.text.diagnostics import printable

as_text_or_json: Callable[[Any], Any] = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write it."
)
"""The option `--format`, handed to the verb as `form`."""


def hides(kind: str, path: Path) -> dict[str, str | None]:
    """The key `hides` of a row: the shipped file that a file of the user hides by its name."""
    hidden = assets.hidden_by(kind, path)
    return {"hides": None if hidden is None else str(hidden)}


def tell_broken(*registries: Registry[Any]) -> None:
    """Say on standard error which kinds of plug-ins do not load, and why."""
    for registry in registries:
        for name, error in registry.broken().items():
            hint = f"; {error.hint}" if error.hint else ""
            click.echo(
                printable(f"perpetuum: the {registry.noun} {name!r} is not listed: {error.message}{hint}"), err=True
            )


def show(rows: Sequence[dict[str, Any]], columns: Sequence[str], form: str) -> None:
    """Print rows: the named columns, aligned, a line each; or all that is known, as JSON.

    Args:
        rows: all with the same keys; of a file that `hides` a shipped one, the text says so.
        columns: keys that the text shows; the last one may be long.
        form: "text" or "json".
    """
    if form == "json":
        # In ASCII: a file's name may have bytes in it that are no text.
        click.echo(json.dumps(list(rows), indent=2))
        return
    cells = [[printable(str(row[column] or "")) for column in columns] for row in rows]
    for line, row in zip(cells, rows, strict=True):
        if row.get("hides"):
            line[-1] = f"{line[-1]} (hides the shipped one)".lstrip()
    widths = [max((len(line[place]) for line in cells), default=0) for place in range(len(columns))]
    for line in cells:
        padded = [cell.ljust(width) for cell, width in zip(line[:-1], widths[:-1], strict=True)]
        click.echo("  ".join([*padded, line[-1]]).rstrip())

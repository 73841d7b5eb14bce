# pyright: strict
"""What a hand says of the pitches of recordings: `--root FILE=C4`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.listing import printable

if TYPE_CHECKING:
    from engine.timbres.samples.recordings import Root


def roots_of(texts: tuple[str, ...], files: tuple[Path, ...], bare: bool = False) -> dict[Path, Root]:
    """The pitches that a hand gives.

    Args:
        texts: of the options.
        files: the recordings.
        bare: a pitch without a file may be that of the only recording.

    Raises:
        click.UsageError: a pitch cannot be read, or it is not clear whose it is.
    """
    from engine.timbres.samples.recordings import parse_root

    found: dict[Path, Root] = {}
    for text in texts:
        name, equals, note = text.rpartition("=")
        try:
            root = parse_root(note)
        except ValueError as error:
            raise click.UsageError(f"--root {printable(str(error))}") from error
        named = [file for file in files if name in (str(file), file.name)]
        meant = list(files) if bare and not equals else named
        if len(meant) != 1:
            what = f"of {printable(name)}" if equals else "without a file"
            raise click.UsageError(f"--root {what}: it must be that of one recording; write FILE={printable(note)}")
        found[meant[0]] = root
    return found

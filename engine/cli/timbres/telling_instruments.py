# pyright: strict
"""What commands say of an instrument that they made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from engine import assets
from engine.cli.common import file_size
from engine.cli.listing import printable
from engine.score.harmony.keys import pitch_name
from engine.score.time import SAMPLE_RATE
from engine.timbres.samples.notes import Judgement


def tell_judgements(judgements: Sequence[Judgement]) -> None:
    """One line a note: the pitch that it has, what it was tuned by, how long it is, and what there is to say."""
    for one in judgements:
        remarks = f" ({'; '.join(one.remarks)})" if one.remarks else ""
        if one.zone is None:
            click.echo(f"  {printable(one.name)}: left out{remarks}")
            continue
        zone = one.zone
        loop = f", loop of {(zone.loop[1] - zone.loop[0]) / SAMPLE_RATE:.2f} s" if zone.loop else ""
        heard = f"{pitch_name(zone.pitch)} {zone.cents:+.0f} cents, {len(zone.sound) / SAMPLE_RATE:.2f} s{loop}"
        click.echo(f"  {printable(one.name)}: {heard}{remarks}")


def tell_instrument(path: Path) -> None:
    """Where an instrument lies, how large it is, and what a scene calls it.

    Args:
        path: of its `instrument.yaml`.
    """
    folder = path.parent
    size = sum(file.stat().st_size for file in folder.iterdir())
    click.echo(f"{folder}: {file_size(size)}")
    found = assets.names("instruments").get(folder.name)
    named = folder.name if found is not None and found.resolve() == path.resolve() else f"{folder}/"
    click.echo(f"  name it in a scene as `instrument: {named}`")
    if (hidden := assets.hidden_by("instruments", path)) is not None:
        click.echo(f"  it hides the shipped instrument {assets.name_of(hidden)} from scenes that find it by its name")

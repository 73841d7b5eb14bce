# pyright: strict
"""Rainbowgrams that commands draw of what they made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.waiting import progress
from engine.pictures import ensure_plotting

if TYPE_CHECKING:
    import numpy as np


def check_picture(path: Path | None) -> None:
    """Raise if a picture that is asked for cannot be drawn here, before any work is done for it."""
    if path is None:
        return
    from engine.timbres.rainbowgram import ensure_rainbows

    ensure_plotting()
    ensure_rainbows()


def draw_picture(path: Path | None, drawn: Sequence[tuple[str, np.ndarray]]) -> None:
    """Draw sounds [samples] at 16 kHz and encodings [frames, 16] side by side; nothing without a path."""
    if path is None:
        return
    from engine.timbres.rainbowgram import draw

    with progress("drawing"):
        draw(drawn, path)
    click.echo(f"{path}: picture")

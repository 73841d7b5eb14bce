# pyright: strict
"""Pitches on a command line."""

from __future__ import annotations

import click

from engine.score.harmony.keys import parse_pitch


class PitchType(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """A pitch, `C4` or a MIDI number; as a MIDI number."""

    name = "pitch"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        if isinstance(value, int):
            return value
        text = str(value)
        if text.isascii() and text.isdigit() and len(text) < 4 and int(text) < 128:
            return int(text)
        try:
            return parse_pitch(text)
        except ValueError as error:
            self.fail(str(error), param, ctx)

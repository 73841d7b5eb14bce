# pyright: strict
"""`perpetuum instrument`: instruments made of sound; one file a way of making them, each imported when it is called."""

from __future__ import annotations

import importlib
import importlib.util

import click

WAYS = {
    "from-wav": "Of recordings: pitched ones over the keys, or drums into a kit.",
    "from-gansynth": "Of notes that GANSynth makes.",
    "from-nsynth": "Of notes that NSynth makes of a mix of recordings.",
}
"""Subcommands and their one-line help; the module of each is `engine.cli.timbres.` and its name."""


def module_of_way(way: str) -> str:
    """The module whose `command` a way is."""
    return f"engine.cli.timbres.{way.replace('-', '_')}"


class _Ways(click.Group):
    """A group that imports a way when it is called: `from-wav` needs no TensorFlow."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [way for way in WAYS if importlib.util.find_spec(module_of_way(way)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        return importlib.import_module(module_of_way(cmd_name)).command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(way, WAYS[way]) for way in self.list_commands(ctx)])


@click.group(cls=_Ways, short_help="Make an instrument of sound.")
def command() -> None:
    """Make an instrument of sound: a folder that any scene names, and that plays without what made it.

    \b
    Examples:
      perpetuum instrument from-wav bell.wav -o my_bell
      perpetuum instrument from-wav --drum snare=clap.wav --from electronic_kit -o my_kit
    """

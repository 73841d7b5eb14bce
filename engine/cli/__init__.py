"""The command `perpetuum`: one file a verb, each imported only when it is called."""

from __future__ import annotations

import errno
import importlib
import io
import keyword
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from engine import __version__
from engine.errors import PerpetuumError

VERBS = {
    "play": "Play a scene, without end.",
    "render": "Render a scene to a file, faster than real time.",
    "check": "Check scene files: are they playable here?",
    "plan": "Show the timeline that a scene will play.",
    "generate": "Make new music with a network, into MIDI files.",
    "continue": "Go on from a MIDI file with a network.",
    "sample": "New music out of MusicVAE's latent space.",
    "interpolate": "From one MIDI file to another, with MusicVAE.",
    "groove": "Play the drums of a MIDI file with feel.",
    "drumify": "Drums to the rhythm of a MIDI file.",
    "scenes": "List the scenes that are here.",
    "generators": "List the generators and transforms.",
    "instruments": "List the instruments.",
    "models": "List the networks, and import Magenta's checkpoints.",
    "dataset": "Make files of music into a data set, and see what is in them.",
    "train": "Train a network on your own music.",
    "evaluate": "Judge a network on music that it has not heard.",
    "schema": "Print the JSON Schema of scene files, for editors.",
}
"""Verbs and their one-line help."""


def module_of(verb: str) -> str:
    """The module whose `command` a verb is: `engine.cli.` and its name, with `_` behind a word of Python's own."""
    return f"engine.cli.{verb}_" if keyword.iskeyword(verb) else f"engine.cli.{verb}"


class _Verbs(click.Group):
    """A group that imports a verb when it is called: `perpetuum check` need not wait for what `play` imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        return importlib.import_module(module_of(cmd_name)).command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="perpetuum")
def cli() -> None:
    """An autonomous generative-music installation engine.

    Scenes are YAML files that chain generators, transforms and instruments. Start with:

    \b
      perpetuum play slow_groove          hear a shipped scene
      perpetuum check my_scene.yaml       is my scene playable?
      perpetuum render my_scene.yaml --minutes 2 -o out.wav
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; expected failures are printed without traceback, exit status 2.

    Ctrl-C where nothing is to be faded out exits with 130, and a closed or full standard output with 1.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        # Not `standalone`, in which click says "Aborted!" and exits with 1 at Ctrl-C.
        status = cli.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Abort:
        _last_word("stopped", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except PerpetuumError as error:
        _last_word(str(error), 2)
    except MemoryError:
        _last_word("there is not enough memory for this", 2)
    except KeyboardInterrupt:
        _last_word("stopped", 130)
    except OSError as error:
        if error.filename is None and error.errno in (errno.ENOSPC, errno.EPIPE, errno.EIO):
            _last_word(f"what it says cannot be written: {error.strerror}", 1)
        raise


def _last_word(text: str, status: int) -> NoReturn:
    """Say why it ends, if anybody hears it, and exit; what a broken stream still holds is not tried again."""
    try:
        click.echo(f"perpetuum: {text}", err=True)
        sys.stdout.flush()
    except (OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                os.dup2(nowhere, stream.fileno())
    sys.exit(status)

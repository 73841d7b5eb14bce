"""The command `perpetuum`: one file a verb, each imported only when it is called."""

from __future__ import annotations

import difflib
import errno
import gc
import importlib
import io
import keyword
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import NamedTuple, NoReturn

import click

from engine import __version__
from engine.cli.interruptions import Interruptions
from engine.errors import PerpetuumError, StoppedError, Terminated


class Verb(NamedTuple):
    """Where a verb is and what it does: a room of `engine.cli`, and one line of help."""

    room: str
    help: str


VERBS = {
    "play": Verb("scenes", "Play a scene, without end."),
    "run": Verb("installation", "Run an installation, for months."),
    "control": Verb("installation", "Mute, quiet mode and alarm of an installation that runs."),
    "fleet": Verb("installation", "Watch and steer players from afar."),
    "history": Verb("journal", "Say what an installation played, and why."),
    "replay": Verb("journal", "Write what was heard at some time to a sound file."),
    "fork": Verb("journal", "Make a scene that begins where an installation was."),
    "report": Verb("journal", "The report of a day, for lender and insurer."),
    "chaos": Verb("installation", "Break an installation in every way, and measure what is heard."),
    "soak": Verb("installation", "Play days of a scene unheard, and measure whether anything grows."),
    "render": Verb("scenes", "Render a scene to a file, faster than real time."),
    "check": Verb("scenes", "Check scenes and installations: are they playable here?"),
    "plan": Verb("scenes", "Say what a scene or an installation will play."),
    "generate": Verb("music", "Make new music with a network, into MIDI files."),
    "continue": Verb("music", "Go on from a MIDI file with a network."),
    "sample": Verb("music", "New music out of MusicVAE's latent space."),
    "interpolate": Verb("music", "From one MIDI file to another, with MusicVAE."),
    "chorale": Verb("music", "Four voices by a network, or around a melody."),
    "groove": Verb("music", "Play the drums of a MIDI file with feel."),
    "drumify": Verb("music", "Drums to the rhythm of a MIDI file."),
    "timbre": Verb("timbres", "Sounds heard, mixed and walked through by the network that ships."),
    "gansynth": Verb("timbres", "Play MIDI files, and make notes, with GANSynth."),
    "nsynth": Verb("timbres", "Sounds as numbers: mixed, stretched, and played by a WaveNet."),
    "scenes": Verb("scenes", "List the scenes that are here."),
    "generators": Verb("scenes", "List the generators and transforms."),
    "instruments": Verb("scenes", "List the instruments."),
    "instrument": Verb("timbres", "Make an instrument of recordings, or of notes that networks make."),
    "outputs": Verb("scenes", "List the outputs and the sound devices."),
    "doctor": Verb("installation", "Whether this machine can be trusted with an installation."),
    "calibrate": Verb("installation", "Say loudness as a meter in the room shows it."),
    "status": Verb("installation", "How an installation is, at one glance."),
    "bundle": Verb("installation", "All that a technician far away needs to see, in one file without secrets."),
    "sheet": Verb("installation", "A sheet of paper for the wall beside an installation."),
    "models": Verb("networks", "List the networks, and import Magenta's checkpoints."),
    "dataset": Verb("networks", "Make files of music into a data set, and see what is in them."),
    "train": Verb("networks", "Train a network on your own music."),
    "evaluate": Verb("networks", "Judge a network on music that it has not heard."),
    "pool": Verb("pool", "Make phrases for players on other machines."),
    "schema": Verb("scenes", "Print the JSON Schema of scenes and installations, for editors."),
}
"""All verbs, in the order of `perpetuum --help`."""


_STREAM_FAILURES = (errno.ENOSPC, errno.EPIPE, errno.EIO)


def module_of(verb: str) -> str:
    """The module whose `command` a verb is: its room and its name, with `_` behind a word of Python's own."""
    return f"engine.cli.{VERBS[verb].room}.{verb}" + "_" * keyword.iskeyword(verb)


def _imported(module: str) -> ModuleType:
    """A module, imported in one go: what it makes stays, so nothing is sought there that could be thrown away.

    Importing a verb makes some 200,000 objects; going through them again and again takes a tenth of the start.
    """
    if module in sys.modules:
        return sys.modules[module]
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


class _Verbs(click.Group):
    """A group that imports a verb when it is called: `perpetuum check` need not wait for what `play` imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        return _imported(module_of(cmd_name)).command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            from engine import assets

            near = difflib.get_close_matches(name, VERBS, 1)
            meant = f"perpetuum play {name}" if assets.is_scene(name) else near[0] if near else ""
            raise click.UsageError(f"No such command {name!r}." + f" Did you mean {meant!r}?" * bool(meant), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


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

    Ctrl-C where nothing is to be faded out exits with 130, SIGTERM with 143, and a closed or full standard output with
    1. What one of these signals makes of a library that was in the middle of something is no failure of its own.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    signals = Interruptions()
    try:
        with signals:
            # Not `standalone`, in which click says "Aborted!" and exits with 1 at Ctrl-C.
            status = cli.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except StoppedError as error:
        _last_word(str(error), 130)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _last_word("stopped", 130)
    except Terminated as asked:
        _last_word("stopped", 128 + asked.number)
    except Exception as error:
        if signals.number is not None:
            _last_word("stopped", 128 + signals.number)
        _failed(error)


def _failed(error: Exception) -> NoReturn:
    """Say in a sentence what cannot be done, and exit; what nobody expected is raised again."""
    if isinstance(error, click.ClickException):
        _end(error.show, error.exit_code)
    if isinstance(error, PerpetuumError):
        _last_word(str(error), 2)
    if isinstance(error, OSError) and error.filename is None and error.errno in _STREAM_FAILURES:
        _last_word(f"what it says cannot be written: {error.strerror}", 1)
    if why := _short_of(error):
        _last_word(why, 2)
    raise error


_LIMITS = {
    errno.EMFILE: "more files must be open at once than `ulimit -n` allows",
    errno.ENFILE: "more files must be open at once than this machine allows",
    errno.EAGAIN: "no further process or thread can be started; see `ulimit -u` and `ulimit -v`",
    errno.ENOMEM: "there is not enough memory for this",
}


def _short_of(error: Exception) -> str:
    """What of the machine an error is for want of, whatever Python calls it; empty if it is another error."""
    import resource

    if isinstance(error, MemoryError):
        return _LIMITS[errno.ENOMEM]
    if isinstance(error, OSError):
        return _LIMITS.get(error.errno or 0, "")
    if not isinstance(error, ImportError | SystemError | RuntimeError):
        return ""
    if "can't start new thread" in str(error):
        return _LIMITS[errno.EAGAIN]
    limited = resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
    if "failed to map segment" in str(error) or (limited and isinstance(error, SystemError)):
        return _LIMITS[errno.ENOMEM]
    if "Too many open files" in str(error):  # of a library that cannot be opened
        return _LIMITS[errno.EMFILE]
    return ""


def _last_word(text: str, status: int) -> NoReturn:
    """Say why it ends, and exit."""
    _end(lambda: click.echo(f"perpetuum: {text}", err=True), status)


def _end(say: Callable[[], None], status: int) -> NoReturn:
    """Say something, if anybody hears it, and exit; what a broken stream still holds is not tried again."""
    try:
        say()
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                os.dup2(nowhere, stream.fileno())
    sys.exit(status)

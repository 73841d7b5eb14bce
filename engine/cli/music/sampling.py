"""Options of the verbs that make music with a network, and how they write what was made."""

from __future__ import annotations

import functools
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import numpy as np

from engine.cli.numbers import Number
from engine.cli.targets import OutputFolder, OutputPath
from engine.cli.waiting import progress
from engine.errors import PerpetuumError
from engine.files import stem_of
from engine.networks.contract import Sampling
from engine.networks.studio.made import MadePiece
from engine.output_file import output_folder
from engine.progress import part
from engine.score.midi.reading import read_piece
from engine.score.midi.texts import printable
from engine.score.midi.writing import ENDINGS, write_piece
from engine.score.piece import Piece
from engine.score.voices import MelodyVoice

_VERBOSE = "perpetuum.verbose"
_WRITING = 0.1
"""Share of making a file that writing it is said to be."""
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

seed_option: Decorator = click.option(
    "--seed", type=click.IntRange(0), help="The same seed gives the same music. Without it: another one each time."
)
checkpoint_option: Decorator = click.option(
    "--checkpoint",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Weights of yours: .safetensors, Magenta's .mag bundles, .tar files, checkpoints and folders of trainings.",
)
config_option: Decorator = click.option("--config", help="Magenta's name of the kind of network, like lookback_rnn.")
track_option: Decorator = click.option(
    "--track", metavar="NAME", help="Track of the file, by its name or number. Without it: the one that fits best."
)
voice_option: Decorator = click.option(
    "--voice",
    default=MelodyVoice.SKYLINE.value,
    show_default=True,
    metavar="skyline|lowest|track:NAME",
    help="What a network that knows one note at a time hears of chords: the top notes, the bottom notes, or a track.",
)
folder_option: Decorator = click.option(
    "-o",
    "--output",
    "folder",
    default=Path(),
    type=OutputFolder(),
    help="Folder for the files; this one without it.",
)
file_option: Decorator = click.option(
    "-o",
    "--output",
    type=OutputPath(*ENDINGS),
    help="MIDI file to write; a name like the file's.",
)
dated_option: Decorator = click.option("--dated", is_flag=True, help="Date and time in front of the files' names.")
outputs_option: Decorator = click.option(
    "-n", "--num-outputs", default=1, show_default=True, type=click.IntRange(1, 10_000), help="How many files."
)


def temperature_option(default: float | None, what: str) -> Decorator:
    """The option `--temperature`.

    Args:
        default: its value without it; None for "take the likeliest".
        what: what it does, and what it is without the option where that is no number.
    """
    return click.option(
        "--temperature", default=default, show_default=default is not None, type=Number(0.01, 100), help=what
    )


def sampling_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say how events are chosen; handed to the verb as `sampling`."""

    @functools.wraps(function)
    def with_sampling(**values: Any) -> Any:
        names = ("temperature", "top_k", "top_p", "beam_size", "branch_factor", "steps_per_iteration")
        return function(sampling=Sampling(**{name: values.pop(name) for name in names}), **values)

    verb: Callable[..., Any] = with_sampling

    options = (
        temperature_option(1.0, "1 is as learnt; 0.8 is safer, 1.2 is wilder."),
        click.option("--top-k", type=click.IntRange(1), help="Choose among so many of the likeliest events only."),
        click.option(
            "--top-p",
            type=Number(0, 1, min_open=True),
            help="Choose among the likeliest events that together have this probability, like 0.95.",
        ),
        click.option(
            "--beam-size",
            default=1,
            show_default=True,
            type=click.IntRange(1, 1000),
            help="Follow so many sequences at once and give the likeliest.",
        ),
        click.option(
            "--branch-factor",
            default=1,
            show_default=True,
            type=click.IntRange(1, 1000),
            help="Try so many ways to go on from each of them.",
        ),
        click.option(
            "--steps-per-iteration",
            default=1,
            show_default=True,
            type=click.IntRange(1),
            help="Steps between two selections of the likeliest.",
        ),
        click.option(
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=lambda context, _, value: context.meta.update({_VERBOSE: value}),
            help="Say the log-likelihood of what was made, in nats.",
        ),
    )
    for option in reversed(options):
        verb = option(verb)
    return verb


def seeded(seed: int | None) -> int:
    """The seed that was given, or a new one."""
    return secrets.randbits(32) if seed is None else seed


def source_of(seed: int, number: int = 0, what: str = "") -> np.random.Generator:
    """The chance of the output of a number: the same however many others are made.

    Args:
        seed: of the whole run.
        number: of the output.
        what: names another source for the same output.
    """
    return np.random.default_rng([seed, number, *what.encode()])


def track_and_voice(track: str | None, voice: str) -> tuple[str | None, MelodyVoice]:
    """What `--track` and `--voice` say together.

    Raises:
        PerpetuumError: no voice.
    """
    kind, _, name = voice.partition(":")
    if kind == "track" and name.strip():
        return name.strip(), MelodyVoice.SKYLINE
    if voice in set(MelodyVoice):
        return track, MelodyVoice(voice)
    raise PerpetuumError(f"--voice {voice!r} is no voice", "take skyline, lowest, or track: and the name of a track")


def output_paths(folder: Path, stem: str, count: int, dated: bool) -> list[Path]:
    """Names of numbered files: stem-01.mid, stem-02.mid, ...; those that are there already are told.

    Raises:
        PerpetuumError: the folder cannot be made.
    """
    output_folder(folder)
    date = f"{datetime.now():%Y-%m-%d_%H%M%S}-" if dated else ""
    width = max(2, len(str(count)))
    paths = [folder / f"{date}{stem}-{number:0{width}d}.mid" for number in range(1, count + 1)]
    there = [path for path in paths if path.exists()]
    if there:
        others = f" and {len(there) - 1} more" if len(there) > 1 else ""
        say([f"{there[0]}{others} will be written over; -o and --dated make other names"])
    return paths


def beside(file: Path, what: str, output: Path | None) -> Path:
    """The file that was asked for, or a new one in this folder that is named after another.

    "song-groove.mid", then "song-groove-2.mid", ...: nobody asked for what is there to be written over.
    """
    if output is not None:
        return output
    endings = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    names = (Path(f"{stem_of(file)}-{what}{ending}.mid") for ending in endings)
    return next(name for name in names if not name.exists())


def read_file(file: Path) -> Piece:
    """The piece in a MIDI file; what was wrong with it is said.

    Raises:
        PerpetuumError: it is none.
    """
    with progress(f"reading {printable(file.name)}"):
        piece = read_piece(file, pipes=True)
    say(piece.remarks)
    return piece


def say(remarks: Sequence[str]) -> None:
    """Tell, on stderr, what was chosen on the musician's behalf; each thing once."""
    for remark in dict.fromkeys(remarks):
        click.echo(remark, err=True)


def line(path: Path, made: MadePiece, seconds: float, seed: int | None = None) -> str:
    """One line about a file that was made.

    Args:
        path: of the file.
        made: what is in it.
        seconds: how long it took.
        seed: where chance had a part and the file's name does not tell.
    """
    piece, bars = made.piece, made.length / made.piece.meter.beats_per_bar
    length = f"{bars:.4g} bar{'' if bars == 1 else 's'} of {piece.meter}"
    if piece.meters:
        length = f"{made.length:.4g} beats in {' and '.join(dict.fromkeys(str(meter) for _, meter in piece.meters))}"
    notes = sum(len(track.notes) for track in piece.tracks)
    music = f"{notes} note{'' if notes == 1 else 's'}, {length}"
    context = click.get_current_context(silent=True)
    verbose = context is not None and context.meta.get(_VERBOSE, False)
    known = f", log-likelihood {made.log_likelihood:.1f} nats" if verbose and made.log_likelihood is not None else ""
    chance = "" if seed is None else f", seed {seed}"
    return f"{path}: {music} at {piece.qpm:.4g} qpm{known}{chance}, {seconds:.2f} s"


def make_files(title: str, paths: Sequence[Path], make: Callable[[int], MadePiece], seed: int | None = None) -> None:
    """Make files one after another, with progress, and tell a line about each.

    Args:
        title: of the progress.
        paths: of the files.
        make: what is in the file of a number, counted from 0.
        seed: as in `line`.

    Raises:
        PerpetuumError: a file cannot be written, or it was stopped by Ctrl-C.
    """
    watch = Stopwatch()
    with progress(title, len(paths)) as advance:
        for number, path in enumerate(paths):
            with part(0, 1 - _WRITING, 1):
                made = make(number)
            with part(1 - _WRITING, 1, 1):
                write_piece(path, made.piece)
            click.echo(line(path, made, watch.lap(), seed))
            advance()


class Stopwatch:
    """Seconds since it was made, or last read."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def lap(self) -> float:
        """Seconds since the last lap."""
        begun, self._begun = self._begun, time.monotonic()
        return self._begun - begun

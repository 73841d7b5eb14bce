# pyright: strict
"""`perpetuum nsynth`: sounds as numbers that can be mixed and stretched, and played again by a WaveNet."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.cli.common import clock_time
from engine.cli.listing import printable
from engine.cli.numbers import Number
from engine.cli.targets import OutputFolder, OutputPath
from engine.cli.timbres.picturing import check_picture, draw_picture
from engine.cli.waiting import progress
from engine.errors import PerpetuumError, StoppedError
from engine.files import stem_of
from engine.output_file import output_folder
from engine.pictures import PICTURES

if TYPE_CHECKING:
    from engine.timbres.nsynth.checkpoint import Autoencoder
    from engine.timbres.nsynth.encodings import Array
    from engine.timbres.nsynth.playing import Playing

_Verb = TypeVar("_Verb", bound=Callable[..., Any])
_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
_PLOT = click.option("--plot", type=OutputPath(*PICTURES), help="Draw what was made, too: .png, .svg or .pdf.")
_FOLDER = click.option(
    "-o", "--output", "folder", default=Path(), type=OutputFolder(), help="Folder for the files; this one without it."
)


def model_options(function: _Verb) -> _Verb:
    """Options that say which weights are taken: `checkpoint`, `stages` and `averages`."""
    options = (
        click.option(
            "--checkpoint",
            required=True,
            metavar="PATH",
            type=click.Path(path_type=Path),
            help="Magenta's wavenet-ckpt (folder, .tar or prefix), or the checkpoint of a training.",
        ),
        click.option(
            "--stages",
            default=10,
            show_default=True,
            type=click.IntRange(1, 14),
            help="Layers after which dilations begin anew, which no checkpoint says.",
        ),
        click.option(
            "--averages", is_flag=True, help="Take a training's moving averages, which the original does not."
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def opened_model(checkpoint: Path, stages: int, averages: bool) -> Autoencoder:
    """The model of a checkpoint; what was chosen on the user's behalf is said.

    Raises:
        PerpetuumError: it is none.
    """
    from engine.timbres.nsynth.checkpoint import open_model

    model = open_model(checkpoint, stages, averages=averages)
    for remark in model.remarks:
        click.echo(remark, err=True)
    return model


@click.group(short_help="Sounds as numbers that are mixed, stretched and played by a WaveNet.")
def command() -> None:
    """NSynth: hear sounds as 16 numbers every 32 ms, mix and stretch these, and let a WaveNet play them.

    Playing takes minutes for each second of sound, and many files at once take hardly longer than one. Needs a
    checkpoint, such as Magenta's wavenet-ckpt (download.magenta.tensorflow.org/models/nsynth/wavenet-ckpt.tar).

    \b
    Examples:
      perpetuum nsynth encode flute.wav gong.wav --checkpoint wavenet-ckpt -o encodings
      perpetuum nsynth mix encodings/flute.npy encodings/gong.npy -o mix.npy
      perpetuum nsynth stretch mix.npy --factor 2 -o slow.npy
      perpetuum nsynth synthesize mix.npy slow.npy --checkpoint wavenet-ckpt -o sounds
      perpetuum nsynth plot flute.wav sounds/mix.wav gong.wav -o rainbow.png
    """


@command.command(short_help="Sound files into encodings.")
@_FILES
@model_options
@_FOLDER
@click.option("--pad", is_flag=True, help="Fill the last frame with silence; the original leaves it out.")
@_PLOT
def encode(
    files: tuple[Path, ...],
    checkpoint: Path,
    stages: int,
    averages: bool,
    folder: Path,
    pad: bool,
    plot: Path | None,
) -> None:
    """Hear sound FILES and write what was heard, one .npy file for each, named after it.

    A file may have any rate, channels and length; it is heard at 16 kHz, as the mean of its channels. A last frame that
    has less than 512 samples is left out.
    """
    from engine.timbres.nsynth.encodings import LONGEST, save_encoding, seconds_of
    from engine.timbres.nsynth.layout import HOP
    from engine.timbres.nsynth.recordings import padded, read_wave

    check_picture(plot)
    targets = _targets(files, folder, ".npy")
    model = opened_model(checkpoint, stages, averages)
    encoder = model.encoder()
    drawn: list[tuple[str, Array]] = []
    with progress("encoding", len(files)) as advance:
        for file, target in zip(files, targets, strict=True):
            wave = read_wave(file)
            wave = padded(wave) if pad else wave
            if not HOP <= len(wave) <= LONGEST * HOP:
                raise PerpetuumError(
                    f"{file}: {len(wave)} samples at 16 kHz, and {HOP} (a frame) to {LONGEST * HOP} can be encoded",
                    "--pad fills a frame with silence." if len(wave) < HOP else "Encode a part of it.",
                )
            encoding = encoder.encode(wave)
            save_encoding(target, encoding)
            left = len(wave) % HOP
            without = f", without the last {left} samples, which are no whole frame" if left else ""
            click.echo(f"{target}: {len(encoding)} frames, {seconds_of(encoding):.2f} s{without}")
            drawn += [(printable(file.name), wave), (printable(target.name), encoding)]
            advance()
    draw_picture(plot, drawn)


@command.command(short_help="Encodings into one between them, or into one after the other.")
@_FILES
@click.option("--weights", help="Of each file, by commas, like 0.3,0.7.  [default: all alike]")
@click.option(
    "--crossfade", type=Number(0, 3600), metavar="SECONDS", help="Put one behind the other, sharing so much time."
)
@click.option("--steps", type=click.IntRange(2, 1000), help="So many mixes, from the first of two files to the second.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The .npy file; with --steps: folder."
)
@_PLOT
def mix(
    files: tuple[Path, ...],
    weights: str | None,
    crossfade: float | None,
    steps: int | None,
    output: Path,
    plot: Path | None,
) -> None:
    """Mix encodings: their weighted sum, as long as the shortest. With weights that add up to 1 it lies between them.

    With --crossfade they follow each other instead, each fading into the next along half a period of a cosine.
    """
    from engine.timbres.nsynth import encodings as them
    from engine.timbres.nsynth.layout import HOP, RATE

    if sum(option is not None for option in (weights, crossfade, steps)) > 1:
        raise click.UsageError("--weights, --crossfade and --steps are three ways of mixing: take one")
    if steps is not None and len(files) != 2:
        raise click.UsageError(f"--steps leads from one file to another, and {len(files)} are given")
    check_picture(plot)
    shares = read_weights(weights, len(files))
    given = [them.load_encoding(file) for file in files]
    made: list[tuple[Path, Array]] = []
    try:
        if steps is not None:
            stems = f"{stem_of(files[0])}-{stem_of(files[1])}"
            for number in range(steps):
                share = number / (steps - 1)
                path = output / f"{stems}-{number + 1:0{max(2, len(str(steps)))}d}.npy"
                made.append((path, them.mix(given, [1 - share, share])))
            output_folder(output)
        elif crossfade is not None:
            joined = given[0]
            for following in given[1:]:
                joined = them.crossfade(joined, following, round(crossfade * RATE / HOP))
            made.append((output, joined))
        else:
            made.append((output, them.mix(given, shares)))
    except ValueError as error:
        raise PerpetuumError(f"these encodings cannot be mixed so: {error}") from error
    for path, encoding in made:
        them.save_encoding(path, encoding)
        click.echo(f"{path}: {len(encoding)} frames, {them.seconds_of(encoding):.2f} s")
    sources = [(printable(file.name), encoding) for file, encoding in zip(files, given, strict=True)]
    draw_picture(plot, [*sources, *((path.name, encoding) for path, encoding in made)])


@command.command(short_help="An encoding made slower or faster, at the same pitch.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--factor", required=True, type=Number(0.01, 100), help="Of its length: 2 is half as fast.")
@click.option("-o", "--output", required=True, type=OutputPath(".npy"), help="The .npy file to write.")
@_PLOT
def stretch(file: Path, factor: float, output: Path, plot: Path | None) -> None:
    """Stretch the encoding FILE in time; what lies between its frames is on straight lines between them."""
    from engine.timbres.nsynth import encodings as them

    check_picture(plot)
    given = them.load_encoding(file)
    try:
        made = them.stretch(given, factor)
    except ValueError as error:
        raise PerpetuumError(f"{file}: cannot be stretched so: {error}") from error
    them.save_encoding(output, made)
    click.echo(f"{output}: {len(made)} frames, {them.seconds_of(made):.2f} s")
    draw_picture(plot, [(printable(file.name), given), (output.name, made)])


@command.command(short_help="Encodings into sound.")
@_FILES
@model_options
@_FOLDER
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Of chance: another seed, another take."
)
@click.option("--afresh", is_flag=True, help="Begin anew, where work was put aside.")
@click.option(
    "--save-every", default=60.0, show_default=True, type=Number(0.01, 86_400), help="Seconds until work is put aside."
)
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 64), help="Batches that play at once.")
@click.option("--batch", default=32, show_default=True, type=click.IntRange(1, 1024), help="Files of a batch at most.")
@_PLOT
def synthesize(
    files: tuple[Path, ...],
    checkpoint: Path,
    stages: int,
    averages: bool,
    folder: Path,
    seed: int,
    afresh: bool,
    save_every: float,
    threads: int,
    batch: int,
    plot: Path | None,
) -> None:
    """Play encodings FILES as sound: for each a .wav file of 16 kHz and 32-bit floats, named after it.

    A file is there when it is complete, and not before. Meanwhile the work is put aside in the folder, in files
    nsynth-...unfinished: the same command, with the same files, goes on there after Ctrl-C, a crash or a power cut, and
    the samples are those that would have come without it. Each batch keeps 12.6 MB a file in memory and there.
    """
    from engine.timbres.nsynth import playing as them
    from engine.timbres.nsynth.encodings import load_encoding, seconds_of
    from engine.timbres.nsynth.layout import RATE
    from engine.timbres.nsynth.recordings import write_wave

    check_picture(plot)
    targets = _targets(files, folder, ".wav")
    notes: list[them.EncodedNote] = []
    for file in files:
        encoding = load_encoding(file)
        # By what is in a file and not by its place: its chance is the same whatever else is played.
        notes.append(them.EncodedNote(encoding, (seed, zlib.crc32(encoding.tobytes()))))
    model = opened_model(checkpoint, stages, averages)
    with progress("reading the checkpoint"):
        decoder = model.decoder()
    waves: dict[int, Array] = {}

    def done(number: int, wave: Array) -> None:
        write_wave(targets[number], wave)
        waves[number] = wave
        click.echo(f"{targets[number]}: {seconds_of(notes[number].encoding):.2f} s, seed {seed}")

    playing = them.Playing(decoder, model.digest(), notes, done, folder, save_every, afresh, threads, batch)
    if playing.begun:
        click.echo(f"goes on at {clock_time(playing.begun / RATE)} (--afresh begins anew)", err=True)
    try:
        with progress(f"synthesizing {len(files)} files" if len(files) > 1 else "synthesizing"):
            playing.play()
    except (KeyboardInterrupt, StoppedError):
        raise stopped(playing, f"{len(waves)} of {len(files)} files are written", folder) from None
    playing.forget()
    draw_picture(plot, [(targets[number].name, waves[number]) for number in sorted(waves)])


@command.command(short_help="Sounds and encodings, drawn side by side.")
@_FILES
@click.option("-o", "--output", required=True, type=OutputPath(*PICTURES), help="Picture: .png, .svg or .pdf.")
def plot(files: tuple[Path, ...], output: Path) -> None:
    """Draw FILES side by side: sound files as rainbowgrams, encodings (.npy) as their 16 numbers over time.

    A rainbowgram shows the constant-Q spectrum of a sound: light is loud, and colour is how the phase moves from frame
    to frame, which is the same along a steady partial and flickers in noise.
    """
    from engine.timbres.nsynth.encodings import ENDING, load_encoding
    from engine.timbres.nsynth.recordings import read_wave

    check_picture(output)
    drawn: list[tuple[str, Array]] = []
    for file in files:
        is_encoding = file.suffix.lower() == ENDING
        drawn.append((printable(file.name), load_encoding(file) if is_encoding else read_wave(file)))
    draw_picture(output, drawn)


def stopped(playing: Playing, written: str, folder: Path) -> StoppedError:
    """What to say after Ctrl-C.

    Args:
        playing: that was stopped.
        written: what is there already.
        folder: where it puts things aside.
    """
    if playing.trouble is not None:
        return StoppedError(f"stopped; {written}, and the last of the rest is lost: {playing.trouble}")
    return StoppedError(f"stopped; {written}, and the rest is put aside in {folder}: the same command goes on there")


def _targets(files: Sequence[Path], folder: Path, ending: str) -> list[Path]:
    """The file that is made of each.

    Raises:
        PerpetuumError: two have one name, or one of them would be written over itself, or the folder cannot be made.
    """
    output_folder(folder)
    targets = [folder / f"{stem_of(file)}{ending}" for file in files]
    by_name: dict[Path, Path] = {}
    for file, target in zip(files, targets, strict=True):
        if target in by_name:
            raise PerpetuumError(
                f"{by_name[target]} and {file} would both become {target}", "Rename one of them, or make them by turns."
            )
        by_name[target] = file
        if target.exists() and file.exists() and target.samefile(file):
            raise PerpetuumError(f"{target} would be written over itself", "Choose another folder with -o.")
    there = [target for target in targets if target.exists()]
    if there:
        others = f" and {len(there) - 1} more" if len(there) > 1 else ""
        click.echo(f"{there[0]}{others} will be written over; -o names another folder", err=True)
    return targets


def read_weights(text: str | None, count: int) -> list[float]:
    """What `--weights` says for so many files.

    Raises:
        click.UsageError: they are none, or too few or too many.
    """
    if text is None:
        return [1 / count] * count
    number = Number(-1000, 1000)
    weights = [float(number.convert(part.strip(), None, None)) for part in text.split(",")]
    if len(weights) != count:
        raise click.UsageError(f"--weights has {len(weights)} for {count} files")
    return weights

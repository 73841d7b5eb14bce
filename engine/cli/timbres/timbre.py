# pyright: strict
"""`perpetuum timbre`: the network that ships hears sounds, mixes them, and makes notes and instruments."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from engine.cli.listing import printable
from engine.cli.numbers import Number
from engine.cli.targets import OutputFolder, OutputPath
from engine.cli.timbres.banks import banks
from engine.cli.timbres.instrument_options import InstrumentOptions, instrument_options
from engine.cli.timbres.picturing import check_picture, draw_picture
from engine.cli.timbres.pitches import PitchType
from engine.cli.timbres.roots import roots_of
from engine.cli.waiting import progress
from engine.errors import PerpetuumError
from engine.files import stem_of
from engine.output_file import output_folder
from engine.outputs.files.sound_file import ENDINGS
from engine.pictures import PICTURES
from engine.score.harmony.keys import pitch_name
from engine.timbres.neural.kind import MAX_SEED

if TYPE_CHECKING:
    from engine.timbres.neural.layout import Array, Doubles

_MOST_NOTES = 1024
_LONGEST = 3600.0
_REACH = 0.45
"""Peak of what is written; clipping is far."""

_Drawn = list[tuple[str, "Array"]]


class _PlaceType(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """A place of the latent space: a number draws it, a file names it."""

    name = "place"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | Path:
        """Read it."""
        if isinstance(value, int | Path):
            return value
        text = str(value)
        if not (text.isascii() and text.isdigit()):
            return Path(text)
        if len(text) > 10 or int(text) > MAX_SEED:
            self.fail(f"{text} draws no place: 0 to {MAX_SEED} do", param, ctx)
        return int(text)


_PLACES = click.argument("places", nargs=-1, required=True, type=_PlaceType())
_PITCH = click.option("--pitch", default="C4", show_default=True, type=PitchType(), help="Of the note, C1 to C7.")
_SECONDS = click.option("--seconds", default=3.0, show_default=True, type=Number(0.05, 60), help="Of the note.")
_VELOCITY = click.option(
    "--velocity", default=100, show_default=True, type=click.IntRange(1, 127), help="How hard the key is struck."
)
_PLOT = click.option(
    "--plot", type=OutputPath(*PICTURES), help="Draw the sounds side by side, too: .png, .svg or .pdf."
)
_SOUND = click.option("-o", "--output", required=True, type=OutputPath(*ENDINGS), help="Sound file to write.")


@click.group(short_help="The timbre network that ships: sounds heard, mixed and made into instruments.")
def command() -> None:
    """Sounds as places of a space that a network of our own has learnt: between any two lies another one.

    A PLACE is a number, which draws one, a recording of a single note, or a file that `encode` wrote. It needs nothing
    but the base install, and makes a note of three seconds in some hundredths of one.

    \b
    Examples:
      perpetuum timbre sample -n 8 -o notes
      perpetuum timbre mix flute.wav gong.wav --at 40 -o between.wav
      perpetuum timbre walk 7 flute.wav 12 7 -o walk.wav --plot walk.png
      perpetuum timbre instrument flute.wav 12 --at 30 -o airy
    """


command.add_command(banks)


@command.command(short_help="Recordings into places of the latent space.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--root", "roots", multiple=True, metavar="[FILE=]NOTE", help="Its pitch: C4, 60, A7+49; else it is heard."
)
@click.option("--sound", is_flag=True, help="Write what the network makes of each place, too, as .wav.")
@click.option(
    "-o", "--output", "folder", default=Path(), type=OutputFolder(), help="Folder for the files; this one without it."
)
@_PLOT
def encode(files: tuple[Path, ...], roots: tuple[str, ...], sound: bool, folder: Path, plot: Path | None) -> None:
    """Hear recordings of single notes, FILES, and write where each one lies: a .timbre.json, named after it.

    Three seconds of a recording are heard. How far the network's sound is from it is said, in decibels of its spectrum.
    """
    from engine.cli.timbres.sounds import write_sound
    from engine.timbres.neural.banks import play
    from engine.timbres.neural.distance import aligned_distance
    from engine.timbres.neural.layout import RATE
    from engine.timbres.neural.places import ENDING, hear, save_place
    from engine.timbres.neural.weights import load_network

    check_picture(plot)
    output_folder(folder)
    targets = [folder / f"{stem_of(file)}{ENDING}" for file in files]
    if len(set(targets)) < len(targets):
        raise PerpetuumError("two of these files have one name", "rename one, or encode them by turns")
    said = roots_of(roots, files, bare=True)
    network = load_network()
    drawn: _Drawn = []
    with progress("hearing", len(files)) as advance:
        for file, target in zip(files, targets, strict=True):
            heard = hear(network, file, said.get(file))
            made = play(network, heard.place, heard.pitch)
            save_place(target, heard.place, heard.pitch, file.name)
            away = aligned_distance(heard.sound, made)
            click.echo(
                f"{target}: {pitch_name(heard.pitch)} {round(heard.analysis.cents):+d} cents, {away:.1f} dB away"
            )
            if sound:
                path = folder / f"{stem_of(file)}.timbre.wav"
                write_sound(path, _levelled(made), RATE)
                click.echo(f"{path}: what the network makes of it")
            if plot is not None:
                drawn += [(printable(file.name), heard.sound[: 3 * RATE]), (printable(target.name), made)]
            advance()
    _draw(plot, drawn)


@command.command(short_help="A note between two places.")
@click.argument("first", type=_PlaceType())
@click.argument("second", type=_PlaceType())
@click.option(
    "--at", "percent", default=50.0, show_default=True, type=Number(0, 100), help="Where, in percent of the way."
)
@_PITCH
@_SECONDS
@_VELOCITY
@_SOUND
@_PLOT
def mix(
    first: int | Path,
    second: int | Path,
    percent: float,
    pitch: int,
    seconds: float,
    velocity: int,
    output: Path,
    plot: Path | None,
) -> None:
    """Play a note that lies between two places, FIRST and SECOND."""
    from engine.timbres.neural.places import between, named_place
    from engine.timbres.neural.weights import load_network

    check_picture(plot)
    network = load_network()
    ends = [named_place(network, one) for one in (first, second)]
    place = between(ends, percent / 100.0)
    made = _write_note(output, place, pitch, seconds, velocity)
    others = [_note(one, pitch, seconds, velocity) for one in ends] if plot else []
    names = [_name(first), _name(second)]
    _draw(
        plot,
        [
            *zip(names[:1], others[:1], strict=False),
            (f"{percent:g} %", made),
            *zip(names[1:], others[1:], strict=False),
        ],
    )


@command.command(short_help="Notes of places that are drawn.")
@click.option("-n", "--num-outputs", default=1, show_default=True, type=click.IntRange(1, 999), help="How many.")
@click.option(
    "--seed", type=click.IntRange(0, MAX_SEED), help="Of the first place, the next ones follow; any without it."
)
@_PITCH
@_SECONDS
@_VELOCITY
@click.option(
    "-o", "--output", "folder", default=Path(), type=OutputFolder(), help="Folder for the files; this one without it."
)
@_PLOT
def sample(
    num_outputs: int, seed: int | None, pitch: int, seconds: float, velocity: int, folder: Path, plot: Path | None
) -> None:
    """Play a note of each of some places that are drawn; the seed of each stands in its file's name."""
    from engine.timbres.neural.places import drawn_place

    check_picture(plot)
    output_folder(folder)
    first = secrets.randbits(31) if seed is None else seed
    drawn: _Drawn = []
    with progress("playing", num_outputs) as advance:
        for number in range(num_outputs):
            place = (first + number) % (MAX_SEED + 1)
            path = folder / f"timbre-{place}-{pitch_name(pitch)}.wav"
            made = _write_note(path, drawn_place(place), pitch, seconds, velocity)
            if plot is not None:
                drawn.append((str(place), made))
            advance()
    _draw(plot, drawn)


@command.command(short_help="Notes on the way through places.")
@_PLACES
@click.option("--notes", default=16, show_default=True, type=click.IntRange(2, _MOST_NOTES), help="How many, evenly.")
@click.option("--every", default=1.0, show_default=True, type=Number(0.05, 60), help="Seconds from one to the next.")
@_PITCH
@_SECONDS
@_VELOCITY
@_SOUND
@_PLOT
def walk(
    places: tuple[int | Path, ...],
    notes: int,
    every: float,
    pitch: int,
    seconds: float,
    velocity: int,
    output: Path,
    plot: Path | None,
) -> None:
    """Play a note again and again on the way from the first of PLACES through all others to the last."""
    from engine.cli.timbres.sounds import write_sound
    from engine.timbres.neural.layout import RATE
    from engine.timbres.neural.places import between, named_place
    from engine.timbres.neural.weights import load_network

    if len(places) < 2:
        raise click.UsageError("a walk goes from one place to another: name two or more")
    if notes * every + seconds > _LONGEST:
        raise click.UsageError(f"that is longer than {_LONGEST:.0f} s")
    check_picture(plot)
    network = load_network()
    ends = [named_place(network, one) for one in places]
    sound = np.zeros(round(((notes - 1) * every + seconds) * RATE) + RATE // 10, np.float32)
    with progress(f"playing {notes} notes") as done:
        for number in range(notes):
            made = _levelled(_note(between(ends, number / (notes - 1)), pitch, seconds, velocity))
            start = round(number * every * RATE)
            sound[start : start + len(made)] += made
        peak = float(np.abs(sound).max())
        write_sound(output, sound / np.float32(max(1.0, peak / _REACH)), RATE)
        done()
    click.echo(f"{output}: {notes} notes of {pitch_name(pitch)}, {len(sound) / RATE:.1f} s")
    _draw(plot, [(" to ".join(_name(one) for one in places), sound)])


@command.command(short_help="An instrument of a place.")
@_PLACES
@click.option(
    "--at", "percent", default=None, type=Number(0, 100), help="Where on the way through the places, in percent."
)
@instrument_options("C2", "C6", "recordings it is made of")
def instrument(
    places: tuple[int | Path, ...],
    percent: float | None,
    asked: InstrumentOptions,
) -> None:
    """Make an instrument of notes over the keys, at two velocities, of a place or of what lies between several.

    Notes that are silent, broken or of another pitch are left out, and each is told.
    """
    from engine.timbres.neural.banks import bank_pitches, neural_instrument, raw_notes
    from engine.timbres.neural.places import place_between
    from engine.timbres.neural.weights import load_network

    if percent is not None and len(places) < 2:
        raise click.UsageError("--at stands between places: name two or more")
    if percent is None and len(places) > 1:
        raise click.UsageError("--at PERCENT says where between these places")
    asked.check()
    pitches = bank_pitches(asked.lowest, asked.highest, asked.every)
    network = load_network()
    place = place_between(network, places, (percent or 0.0) / 100.0)
    way = " to ".join(_name(one) for one in places)
    words = way if percent is None else f"{percent:g} % of the way {way}"
    about = asked.about(f"Made by the timbre network, {words}", f"by perpetuum timbre, {words}")
    with progress(f"{len(pitches)} notes, at two velocities") as done:
        made, judgements = neural_instrument(raw_notes(network, place, pitches), about)
        done()
    asked.write(made, judgements)


@command.command(short_help="Train the network anew, on a sound font.")
@click.argument("font", type=click.Path(path_type=Path))
@click.option(
    "--minutes",
    type=Number(0.1, 100_000),
    help="Stop at the first look at held-out groups after so much training; the same command goes on.",
)
@click.option("-o", "--output", "folder", required=True, type=OutputFolder(), help="Folder of the run.")
def train(font: Path, minutes: float | None, folder: Path) -> None:
    """Train the network as the shipped one was, on Debian's FluidR3_GM.sf2 (FONT).

    Its notes are rendered by FluidSynth and taken apart, which takes a quarter of an hour; training takes some minutes.
    Needs the extra [models]. The folder's timbre.safetensors is what came of it.
    """
    from engine.progress import tell
    from engine.training.timbre.train import Round, TimbreRecipe
    from engine.training.timbre.train import train as train_network

    def told(now: Round) -> None:
        click.echo(
            f"step {now.step}: {now.training:.2f} dB of error in training, {now.validation:.2f} dB on held-out groups, "
            f"{now.divergence:.0f} nats"
        )

    with progress("rendering notes and taking them apart"):
        made = train_network(font, folder, TimbreRecipe(), lambda done, of: tell(done / of), told, minutes)
    click.echo(f"{made}: the network")


def _note(place: Doubles, pitch: int, seconds: float, velocity: int) -> Array:
    from engine.timbres.neural.banks import play
    from engine.timbres.neural.layout import HIGHEST, LOWEST
    from engine.timbres.neural.weights import load_network

    if not LOWEST <= pitch <= HIGHEST:
        raise PerpetuumError(
            f"there is no note of {pitch_name(pitch)}",
            f"the network knows {pitch_name(LOWEST)} to {pitch_name(HIGHEST)}",
        )
    return play(load_network(), place, pitch, velocity, seconds)


def _write_note(path: Path, place: Doubles, pitch: int, seconds: float, velocity: int) -> Array:
    from engine.cli.timbres.sounds import write_sound
    from engine.timbres.neural.layout import RATE

    made = _levelled(_note(place, pitch, seconds, velocity))
    write_sound(path, made, RATE)
    click.echo(f"{path}: {pitch_name(pitch)}, {len(made) / RATE:.1f} s")
    return made


def _levelled(sound: Array) -> Array:
    """A sound whose peak is well below full scale."""
    return sound * np.float32(_REACH / max(float(np.abs(sound).max(initial=0.0)), 1e-6))


def _name(place: int | Path) -> str:
    return f"place {place}" if isinstance(place, int) else printable(place.name)


def _draw(path: Path | None, drawn: Sequence[tuple[str, Array]]) -> None:
    """Draw sounds [frames] at 48 kHz side by side, as rainbowgrams."""
    from engine.sound.instruments.samples import resampled
    from engine.timbres.neural.layout import RATE
    from engine.timbres.nsynth.layout import RATE as PICTURED

    if path is not None:
        draw_picture(path, [(title, np.asarray(resampled(one, RATE, PICTURED), np.float32)) for title, one in drawn])

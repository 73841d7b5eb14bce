# pyright: strict
"""`perpetuum gansynth`: MIDI files played, and notes made, by a GANSynth."""

from __future__ import annotations

import itertools
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from engine.cli.music.magenta_flags import TakesMagentaFlags
from engine.cli.music.sampling import Stopwatch, read_file, say, seed_option
from engine.cli.numbers import Number
from engine.cli.timbres.pitches import PitchType
from engine.cli.timbres.sounds import write_sound
from engine.cli.waiting import progress
from engine.errors import PerpetuumError
from engine.files import stem_of
from engine.output_file import Target, listed, output_folder
from engine.outputs.files.sound_file import ENDINGS
from engine.score.harmony.keys import pitch_name

if TYPE_CHECKING:
    from engine.timbres.gansynth.network import GanSynth

EXAMPLES = """
\b
Examples:
  perpetuum gansynth acoustic_only song.mid -o song.wav
  perpetuum gansynth acoustic_only song.mid --seconds-per-instrument 2 --seed 7 -o song.flac
  perpetuum gansynth all_instruments -n 8 -o notes
  perpetuum gansynth all_instruments -n 4 --pitch C4 --format flac -o notes
"""
MAX_SEED = 2**32 - 1
"""Largest seed of numpy's generator of the time, whose numbers the original drew."""


@click.command(cls=TakesMagentaFlags, epilog=EXAMPLES, short_help="Play MIDI files, and make notes, with GANSynth.")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--seconds-per-instrument",
    default=6.0,
    show_default=True,
    type=Number(0.01, 100_000),
    help="From one random instrument to the next.",
)
@click.option("--fold", is_flag=True, help="Move notes below C1 and above C6 by octaves, instead of leaving them out.")
@click.option(
    "-n", "--num-outputs", type=click.IntRange(1, 10_000), help="Without a MIDI file: how many notes to make; 1."
)
@click.option("--pitch", type=PitchType(), help="Without a MIDI file: the pitch of all notes, like C4.")
@click.option(
    "--format",
    "form",
    default="wav",
    show_default=True,
    type=click.Choice([ending.removeprefix(".") for ending in ENDINGS]),
    help="Without a name for the file: its kind.",
)
@seed_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help=f"Sound file ({listed([*ENDINGS])}); without a MIDI file, the folder for the notes.",
)
def command(
    checkpoint: Path,
    file: Path | None,
    seconds_per_instrument: float,
    fold: bool,
    num_outputs: int | None,
    pitch: int | None,
    form: str,
    seed: int | None,
    output: Path | None,
) -> None:
    """Play a MIDI file with instruments that slide from one into the next, or make single notes of random instruments.

    CHECKPOINT is the unpacked folder of one of Magenta's (acoustic_only, all_instruments), with its experiment.json and
    stage folders. FILE is a MIDI file. Sound files have 48 kHz and one channel; the network makes 16 kHz, notes of 4 s
    at most, from C1 to C6. The same seed gives the same sound. Needs the extra [models].
    """
    if seed is not None and seed > MAX_SEED:
        raise click.UsageError(f"--seed is at most {MAX_SEED}")
    seed = secrets.randbits(32) if seed is None else seed
    if file is None:
        _make_notes(checkpoint, num_outputs or 1, pitch, form, seed, output or Path())
        return
    if num_outputs is not None or pitch is not None:
        raise click.UsageError("-n and --pitch are for single notes: leave the MIDI file out, or them")
    _play_file(checkpoint, file, seconds_per_instrument, fold, form, seed, output)


def load_network(checkpoint: Path) -> GanSynth:
    """Load a checkpoint, and say what was chosen.

    Raises:
        PerpetuumError: it is none, or TensorFlow is not installed.
    """
    from engine.timbres.gansynth.network import GanSynth

    network = GanSynth.load(checkpoint)
    say(network.weights.remarks)
    return network


def _play_file(
    checkpoint: Path, file: Path, seconds: float, fold: bool, form: str, seed: int, output: Path | None
) -> None:
    from engine.timbres.gansynth.clip import combined
    from engine.timbres.gansynth.instruments import Slide
    from engine.timbres.gansynth.scores import timed_notes

    path = output or _beside(file, form)
    Target(path, tuple(ENDINGS))
    notes = timed_notes(read_file(file), fold)
    say(notes.remarks)
    network = load_network(checkpoint)
    watch = Stopwatch()
    slide = Slide.drawn(notes.seconds, seconds, network.latent_size, np.random.RandomState(seed))
    with progress(f"gansynth, {len(notes.pitches)} notes") as done:
        waves = network.each_note(slide.at(notes.starts), notes.pitches)
        clip = combined(waves, notes, network.sample_rate)
        if clip.silent:
            say([f"{clip.silent} of {len(notes.pitches)} notes have no sound: the network made silence of them"])
        write_sound(path, clip.finished(), network.sample_rate)
        done()
    count = len(slide.latents)
    click.echo(
        f"{path}: {len(notes.pitches)} notes, {count} instrument{'s' * (count > 1)}, {notes.seconds:.1f} s long, "
        f"seed {seed}, made in {watch.lap():.1f} s on {network.generator.device}"
    )


def _make_notes(checkpoint: Path, count: int, pitch: int | None, form: str, seed: int, folder: Path) -> None:
    from engine.timbres.gansynth.instruments import draw_latents
    from engine.timbres.gansynth.pitches import draw_pitches

    network = load_network(checkpoint)
    output_folder(folder)
    random = np.random.RandomState(seed)
    pitches = draw_pitches(count, random) if pitch is None else np.full(count, pitch)
    latents = draw_latents(count, network.latent_size, random)
    width = max(2, len(str(count)))
    watch = Stopwatch()
    with progress("gansynth", count) as done:
        for number, wave in enumerate(network.each_note(latents, pitches, told=False), 1):
            name = pitch_name(int(pitches[number - 1]))
            path = folder / f"gansynth-{seed}-{number:0{width}d}-{name}.{form}"
            peak = float(np.abs(wave).max())
            if peak > 1.0:
                wave = wave / np.float32(peak)
            write_sound(path, wave, network.sample_rate)
            click.echo(
                f"{path}: {name}, peak {peak:.2f}{', made that of full scale' * (peak > 1.0)}, {watch.lap():.2f} s"
            )
            done()


def _beside(file: Path, form: str) -> Path:
    """A new file in this folder that is named after another."""
    endings = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    paths = (Path(f"{stem_of(file)}-gansynth{ending}.{form}") for ending in endings)
    path = next(path for path in paths if not path.exists())
    if path.name.startswith("-"):
        raise PerpetuumError(f"{file} gives no name for the sound file", "name it by -o")
    return path

# pyright: strict
"""`perpetuum instrument from-gansynth`: an instrument of notes that a GANSynth makes."""

from __future__ import annotations

from pathlib import Path

import click

from engine.assets import FOLDER_FILE
from engine.cli.music.sampling import say
from engine.cli.numbers import Number
from engine.cli.targets import OutputFolder
from engine.cli.timbres.gansynth import MAX_SEED, load_network
from engine.cli.timbres.pitches import PitchType
from engine.cli.timbres.telling_instruments import tell_instrument, tell_judgements
from engine.cli.waiting import progress
from engine.new_folder import check_new_folder

EXAMPLES = """
\b
Examples:
  perpetuum instrument from-gansynth acoustic_only --latent 7 -o instruments/seven
  perpetuum instrument from-gansynth acoustic_only --latent 7 --to 12 --at 40 -o instruments/between
  perpetuum instrument from-gansynth all_instruments --latent 3 --lowest C2 --highest C5 --every 4 -o instruments/three
"""


@click.command(epilog=EXAMPLES, short_help="Of notes that GANSynth makes.")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "--latent",
    required=True,
    type=click.IntRange(0, MAX_SEED),
    help="Seed of the instrument: each number is a place of the latent space.",
)
@click.option("--to", type=click.IntRange(0, MAX_SEED), help="Seed of a second instrument, to stand between the two.")
@click.option(
    "--at",
    "percent",
    type=Number(0, 100),
    help="Where between them, in percent of the way along the sphere; 50 without it.",
)
@click.option("--lowest", default="C1", show_default=True, type=PitchType(), help="Pitch of the lowest note.")
@click.option("--highest", default="C6", show_default=True, type=PitchType(), help="No note is higher.")
@click.option("--every", default=3, show_default=True, type=click.IntRange(1, 12), help="Semitones between two notes.")
@click.option("--title", help="One line that says what it sounds like.")
@click.option("--credit", default="", help="Whose checkpoint it is.")
@click.option("--licence", default="", help="Its licence, such as Apache-2.0.")
@click.option("-o", "--output", required=True, type=OutputFolder(), help="Folder of the instrument; its name is yours.")
@click.option("--force", is_flag=True, help="Replace an instrument that is there.")
def command(
    checkpoint: Path,
    latent: int,
    to: int | None,
    percent: float | None,
    lowest: int,
    highest: int,
    every: int,
    title: str | None,
    credit: str,
    licence: str,
    output: Path,
    force: bool,
) -> None:
    """Make an instrument of notes that a GANSynth makes, over the keys from C1 to C6.

    CHECKPOINT is as for `perpetuum gansynth`. Notes that are silent, broken or of another pitch are left out, those out
    of tune are tuned, and each is told. What comes out plays without TensorFlow. Needs the extra [models].
    """
    from engine.timbres.gansynth.banks import LatentPlace, bank, bank_pitches
    from engine.timbres.samples.instrument import About, make_sampler, notes_at, write_instrument

    if percent is not None and to is None:
        raise click.UsageError("--at stands between --latent and --to: give both")
    check_new_folder(output, FOLDER_FILE, force)
    place = LatentPlace(latent, to, (50.0 if percent is None else percent) / 100.0)
    pitches = bank_pitches(lowest, highest, every)
    network = load_network(checkpoint)
    with progress(f"{len(pitches)} notes", 1) as done:
        waves = bank(network, place, pitches)
        done()
    about = About(
        title or f"Made by GANSynth, {place.in_words()}",
        credit,
        licence,
        made=f"by perpetuum instrument from-gansynth, {checkpoint.resolve().name}, {place.in_words()}",
    )
    made, judgements = make_sampler(notes_at(waves, network.sample_rate), about)
    tell_judgements(judgements)
    left_out = sum(one.zone is None for one in judgements)
    if left_out:
        say([f"{left_out} of {len(pitches)} notes are left out; their neighbours play in their place"])
    tell_instrument(write_instrument(made, output, force))

# pyright: strict
"""`perpetuum instrument from-gansynth`: an instrument of notes that a GANSynth makes."""

from __future__ import annotations

from pathlib import Path

import click

from engine.cli.numbers import Number
from engine.cli.timbres.gansynth import MAX_SEED, load_network
from engine.cli.timbres.instrument_options import InstrumentOptions, instrument_options
from engine.cli.waiting import progress

EXAMPLES = """
\b
Examples:
  perpetuum instrument from-gansynth acoustic_only --latent 7 -o seven
  perpetuum instrument from-gansynth acoustic_only --latent 7 --to 12 --at 40 -o between
  perpetuum instrument from-gansynth all_instruments --latent 3 --lowest C2 --highest C5 --every 4 -o three
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
@instrument_options("C1", "C6", "checkpoint it is")
def command(
    checkpoint: Path,
    latent: int,
    to: int | None,
    percent: float | None,
    asked: InstrumentOptions,
) -> None:
    """Make an instrument of notes that a GANSynth makes, over the keys from C1 to C6.

    CHECKPOINT is as for `perpetuum gansynth`. Notes that are silent, broken or of another pitch are left out, those out
    of tune are tuned, and each is told. What comes out plays without TensorFlow. Needs the extra [models].
    """
    from engine.timbres.gansynth.banks import LatentPlace, bank, bank_pitches
    from engine.timbres.samples.instrument import make_sampler, notes_at

    if percent is not None and to is None:
        raise click.UsageError("--at stands between --latent and --to: give both")
    asked.check()
    place = LatentPlace(latent, to, (50.0 if percent is None else percent) / 100.0)
    pitches = bank_pitches(asked.lowest, asked.highest, asked.every)
    network = load_network(checkpoint)
    with progress(f"{len(pitches)} notes", 1) as done:
        waves = bank(network, place, pitches)
        done()
    made_by = f"by perpetuum instrument from-gansynth, {checkpoint.resolve().name}, {place.in_words()}"
    about = asked.about(f"Made by GANSynth, {place.in_words()}", made_by)
    asked.write(*make_sampler(notes_at(waves, network.sample_rate), about))

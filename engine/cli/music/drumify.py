"""`perpetuum drumify`: drums to the rhythm of a MIDI file."""

from __future__ import annotations

from pathlib import Path

import click

from engine.cli.music.magenta_flags import TakesMagentaFlags
from engine.cli.music.sampling import (
    beside,
    checkpoint_option,
    config_option,
    file_option,
    make_files,
    read_file,
    say,
    seed_option,
    seeded,
    source_of,
    temperature_option,
    track_option,
)
from engine.networks.studio.made import MadePiece

EXAMPLES = """
\b
Examples:
  perpetuum drumify tune.mid
  perpetuum drumify tune.mid --track bass --only-drums -o drums.mid
  perpetuum drumify tune.mid --temperature 1 --seed 4 --checkpoint groovae_2bar_tap_fixed_velocity.tar
"""


@click.command(cls=TakesMagentaFlags, epilog=EXAMPLES, short_help="Drums to the rhythm of a MIDI file.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--model", help="Config or weights; without it a GrooVAE that hears taps and is here.")
@config_option
@checkpoint_option
@temperature_option(None, "Without it the likeliest drums; 1 is as learnt, another part for each seed.")
@seed_option
@track_option
@click.option("--only-drums", is_flag=True, help="Write the drums alone, without the tracks of the file.")
@file_option
def command(
    file: Path,
    model: str | None,
    config: str | None,
    checkpoint: Path | None,
    temperature: float | None,
    seed: int | None,
    track: str | None,
    only_drums: bool,
    output: Path | None,
) -> None:
    """Make a drum part to the rhythm of a track of FILE, as if a drummer heard it tapped on a table.

    The part comes behind the tracks of the file, at its tempo. Any number of bars.
    """
    from dataclasses import replace

    from engine.cli.choosing import TAPPED, choose_network
    from engine.networks.studio.grooving import drumify_piece

    piece = read_file(file)
    network = choose_network(model, config, checkpoint, TAPPED)
    path = beside(file, "drums", output)
    seed = seeded(seed)

    def make(number: int) -> MadePiece:
        made = drumify_piece(network, piece, source_of(seed, number), track, temperature)
        say(made.remarks)
        return replace(made, piece=made.piece.only(made.piece.tracks[-1:])) if only_drums else made

    make_files(network.config.name, [path], make, None if temperature is None else seed)

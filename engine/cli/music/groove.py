"""`perpetuum groove`: drums of a MIDI file, played with feel."""

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
)
from engine.networks.studio.made import MadePiece

EXAMPLES = """
\b
Examples:
  perpetuum groove song.mid
  perpetuum groove song.mid --temperature 0.8 --seed 5 -o song-played.mid
  perpetuum groove song.mid --config groovae_2bar_add_closed_hh --checkpoint groovae_2bar_add_closed_hh.tar
"""


@click.command(cls=TakesMagentaFlags, epilog=EXAMPLES, short_help="Play the drums of a MIDI file with feel.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--model", help="Family, config or weights; without it a GrooVAE that is here.")
@config_option
@checkpoint_option
@temperature_option(None, "Without it the likeliest feel; 1 is one of those that were learnt, another for each seed.")
@seed_option
@click.option("--track", metavar="NAME", help="Only this drum track, by its name or number; all without it.")
@file_option
def command(
    file: Path,
    model: str | None,
    config: str | None,
    checkpoint: Path | None,
    temperature: float | None,
    seed: int | None,
    track: str | None,
    output: Path | None,
) -> None:
    """Play the drums of FILE with feel: how loud each stroke is, and how early or late.

    What is struck stays as it is; so do other tracks, tempo and meter. Any number of bars.
    """
    from engine.cli.choosing import GROOVES, choose_network
    from engine.networks.studio.grooving import groove_piece

    piece = read_file(file)
    network = choose_network(model, config, checkpoint, GROOVES)
    path = beside(file, "groove", output)
    seed = seeded(seed)

    def make(number: int) -> MadePiece:
        made = groove_piece(network, piece, source_of(seed, number), track, temperature)
        say(made.remarks)
        return made

    make_files(network.config.name, [path], make, None if temperature is None else seed)

"""`perpetuum sample`: music out of the latent space of a MusicVAE."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from engine.cli.music.magenta_flags import TakesMagentaFlags
from engine.cli.music.primers import check_asked, read_chords, repeated
from engine.cli.music.sampling import (
    Number,
    checkpoint_option,
    config_option,
    dated_option,
    folder_option,
    make_files,
    output_paths,
    outputs_option,
    seed_option,
    seeded,
    source_of,
    temperature_option,
)
from engine.networks.studio.made import MadePiece
from engine.score.time import STEPS_PER_BEAT, Meter

EXAMPLES = """
\b
Examples:
  perpetuum sample cat-mel_2bar_big --num-outputs 8 -o melodies
  perpetuum sample music_vae --checkpoint cat-drums_2bar_small.tar --temperature 0.5
  perpetuum sample cat-mel_2bar_med_chords --chords 'C:2 G:2 Am:2 F:2' --same-z --num-outputs 4
"""


@click.command(cls=TakesMagentaFlags, epilog=EXAMPLES, short_help="New music out of MusicVAE's latent space.")
@click.argument("model", required=False)
@config_option
@checkpoint_option
@outputs_option
@temperature_option(0.5, "1 is as learnt; 0.5 is safer, 1.5 is wilder.")
@click.option(
    "--same-z",
    is_flag=True,
    help="All outputs from one point of the latent space: variations, the further apart the higher the temperature.",
)
@click.option("--qpm", default=120.0, show_default=True, type=Number(4, 960), help="Quarter notes per minute.")
@click.option("--chords", help="Chords for cat-mel_2bar_med_chords, a bar each or with beats: 'C:2 G:2 Am F'.")
@seed_option
@folder_option
@dated_option
def command(
    model: str | None,
    config: str | None,
    checkpoint: Path | None,
    num_outputs: int,
    temperature: float,
    same_z: bool,
    qpm: float,
    chords: str | None,
    seed: int | None,
    folder: Path,
    dated: bool,
) -> None:
    """Make new music with a MusicVAE: points of its latent space, drawn at random, decoded.

    MODEL is music_vae, one of its configs, the name of weights that are here (`perpetuum models list`), or a weights
    file; music_vae without it. What comes out has the length of the config: 2, 4 or 16 bars.
    """
    from engine.cli.choosing import LATENT, choose_network

    network = choose_network(model or (None if config or checkpoint else "music_vae"), config, checkpoint, LATENT)
    write_samples(network, num_outputs, temperature, same_z, qpm, chords, seeded(seed), folder, dated)


def write_samples(
    network: Any,
    num_outputs: int,
    temperature: float,
    same_z: bool,
    qpm: float,
    chords: str | None,
    seed: int,
    folder: Path,
    dated: bool,
) -> None:
    """Sample a MusicVAE, and write and tell what was made; arguments as the options say.

    Raises:
        PerpetuumError: the network does not follow chords, or cannot be sampled; or a file cannot be written.
    """
    from engine.networks.studio.latent import sample_piece

    check_asked(network.config, chords=chords)
    beats = network.config.steps / STEPS_PER_BEAT
    spans = repeated(read_chords(chords, Meter()), beats) if chords else ()
    paths = output_paths(folder, f"{network.config.name}-{seed}", num_outputs, dated)

    def make(number: int) -> MadePiece:
        point = source_of(seed, 0 if same_z else number)
        return sample_piece(network, point, source_of(seed, number, "notes"), temperature, qpm, spans)

    make_files(network.config.name, paths, make)

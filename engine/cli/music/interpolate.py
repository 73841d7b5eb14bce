"""`perpetuum interpolate`: from one MIDI file to another, by way of a MusicVAE's latent space."""

from __future__ import annotations

from pathlib import Path

import click

from engine.cli.music.magenta_flags import TakesMagentaFlags
from engine.cli.music.sampling import (
    Stopwatch,
    checkpoint_option,
    config_option,
    dated_option,
    folder_option,
    line,
    output_paths,
    read_file,
    say,
    seed_option,
    seeded,
    source_of,
    temperature_option,
    track_and_voice,
    track_option,
    voice_option,
)
from engine.cli.waiting import progress
from engine.files import stem_of

EXAMPLES = """
\b
Examples:
  perpetuum interpolate a.mid b.mid --steps 7 -o between
  perpetuum interpolate a.mid b.mid --model cat-drums_2bar_small --checkpoint cat-drums_2bar_small.tar
  perpetuum interpolate a.mid b.mid --one-file --temperature 0.5 --seed 3
"""


@click.command(cls=TakesMagentaFlags, epilog=EXAMPLES, short_help="From one MIDI file to another, with MusicVAE.")
@click.argument("first", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("last", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--steps", default=5, show_default=True, type=click.IntRange(2, 1000), help="How many pieces, both ends included."
)
@click.option("--model", help="Family, config or weights; without it a music_vae for melodies, or for drums.")
@config_option
@checkpoint_option
@temperature_option(None, "Without it the likeliest notes; 0.5 is a little freer, 1 as learnt.")
@click.option("--one-file", is_flag=True, help="All pieces one after another in one file, with a marker for each.")
@seed_option
@track_option
@voice_option
@folder_option
@dated_option
def command(
    first: Path,
    last: Path,
    steps: int,
    model: str | None,
    config: str | None,
    checkpoint: Path | None,
    temperature: float | None,
    one_file: bool,
    seed: int | None,
    track: str | None,
    voice: str,
    folder: Path,
    dated: bool,
) -> None:
    """Go from the music of FIRST to that of LAST in steps, through the latent space of a MusicVAE.

    A network takes 2 bars, or 16: of longer files windows of so many bars are interpolated side by side, and joined;
    the shorter file is heard from its beginning again. They are heard from the bar of the first note on. The ends are
    what the network makes of them. The tempo goes from the one to the other, too.
    """
    from engine.cli.choosing import LATENT, MELODY_VAES, choose_network
    from engine.networks.studio.hearing import is_for_drums
    from engine.networks.studio.latent import interpolate_pieces, joined
    from engine.networks.vae.configs import DRUM_VAES
    from engine.score.midi.writing import write_piece

    ends = read_file(first), read_file(last)
    fitting = DRUM_VAES if all(is_for_drums(piece) for piece in ends) else MELODY_VAES
    network = choose_network(model, config, checkpoint, LATENT, fitting)
    heard_as = track_and_voice(track, voice)
    seed, watch = seeded(seed), Stopwatch()
    with progress(network.config.name, 1) as advance:
        made = interpolate_pieces(network, *ends, steps, source_of(seed), temperature, *heard_as)
        say([remark for one in made for remark in one.remarks])
        if one_file:
            made = [joined(made)]
        paths = output_paths(folder, f"{stem_of(first)}-to-{stem_of(last)}", len(made), dated)
        spent = watch.lap() / len(made)
        for path, one in zip(paths, made, strict=True):
            write_piece(path, one.piece)
            click.echo(line(path, one, spent, None if temperature is None else seed))
        advance()

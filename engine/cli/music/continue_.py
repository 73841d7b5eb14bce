"""`perpetuum continue`: a MIDI file goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from engine.cli.music.magenta_flags import TakesMagentaFlags
from engine.cli.music.primers import conditions_of
from engine.cli.music.sampling import (
    checkpoint_option,
    config_option,
    dated_option,
    folder_option,
    make_files,
    output_paths,
    outputs_option,
    read_file,
    sampling_options,
    say,
    seed_option,
    seeded,
    source_of,
    track_and_voice,
    track_option,
    voice_option,
)
from engine.errors import PerpetuumError
from engine.files import stem_of
from engine.networks.contract import Sampling
from engine.networks.studio.made import MadePiece

EXAMPLES = """
\b
Examples:
  perpetuum continue song.mid --bars 8
  perpetuum continue song.mid --track drums --temperature 1.1 --num-outputs 4 -o takes
  perpetuum continue song.mid --model melody_rnn --voice lowest --only-new
"""


@click.command("continue", cls=TakesMagentaFlags, epilog=EXAMPLES, short_help="Go on from a MIDI file with a network.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--model", help="Family, config or weights; without it melody_rnn, or drums_rnn for drums.")
@config_option
@checkpoint_option
@click.option("--bars", default=4, show_default=True, type=click.IntRange(1, 10_000), help="How many bars are new.")
@click.option(
    "--num-steps",
    type=click.IntRange(1, 1_000_000),
    help="Length of the whole in place of --bars, as `perpetuum generate` counts it: the file's steps and new ones.",
)
@click.option("--only-new", is_flag=True, help="Write the new bars alone, without what was there before.")
@outputs_option
@sampling_options
@seed_option
@track_option
@voice_option
@click.option("--chords", help="Chords over the whole, the file's bars included, for improv_rnn: 'C G Am7:2 F:2'.")
@folder_option
@dated_option
def command(
    file: Path,
    model: str | None,
    config: str | None,
    checkpoint: Path | None,
    bars: int,
    num_steps: int | None,
    only_new: bool,
    num_outputs: int,
    sampling: Sampling,
    seed: int | None,
    track: str | None,
    voice: str,
    chords: str | None,
    folder: Path,
    dated: bool,
) -> None:
    """Go on from FILE with a network: its tune, or its drums where it has nothing else.

    The new bars begin with the bar after the last note, in the track that is continued. Tempo, meter and the other
    tracks stay as they are.
    """
    from engine.cli.choosing import RECURRENT, choose_network, of_families
    from engine.networks.studio.continuing import bar_after, continue_piece, steps_per_beat
    from engine.networks.studio.hearing import is_for_drums

    piece = read_file(file)
    heard_as = track_and_voice(track, voice)
    fitting = of_families("drums_rnn" if is_for_drums(piece, heard_as[0]) else "melody_rnn")
    network = choose_network(model, config, checkpoint, RECURRENT, fitting)
    if not any(len(one.notes) for one in piece.tracks):
        raise PerpetuumError(f"{file}: there are no notes to go on from", "perpetuum generate begins with nothing")
    grid = 1 / steps_per_beat(network.config, piece.qpm)
    length = bar_after(piece, grid)
    beats = bars * piece.meter_at(length)[1].beats_per_bar
    if num_steps is not None:
        beats = num_steps * grid - length
        if beats < grid / 2:
            raise PerpetuumError(
                f"{file} has {round(length / grid)} steps, and --num-steps {num_steps} counts them in",
                "ask for more steps, or for new --bars",
            )
    conditions = replace(conditions_of(network.config, piece, length + beats, chords), inject_primer=False)
    seed = seeded(seed)
    paths = output_paths(folder, f"{stem_of(file)}-continued-{seed}", num_outputs, dated)

    def make(number: int) -> MadePiece:
        chance = source_of(seed, number)
        made = continue_piece(network, piece, beats, chance, length, *heard_as, conditions, sampling)
        say(made.remarks if number == 0 else ())
        return replace(made, piece=made.piece.cut(length, length + beats), length=beats) if only_new else made

    make_files(network.config.name, paths, make)

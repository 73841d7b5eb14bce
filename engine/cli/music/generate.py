"""`perpetuum generate`: new music by a network, into MIDI files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from click.core import ParameterSource

from engine.cli.music.magenta_flags import TakesMagentaFlags
from engine.cli.music.primers import PRIMER_HELP, conditions_of, meter_of, read_primer
from engine.cli.music.sample import write_samples
from engine.cli.music.sampling import (
    Number,
    checkpoint_option,
    config_option,
    dated_option,
    folder_option,
    make_files,
    output_paths,
    outputs_option,
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
from engine.networks.contract import Sampling
from engine.networks.studio.made import MadePiece

EXAMPLES = """
\b
Examples:
  perpetuum generate drums_rnn --primer 'bd: x.......x....... | hh: x.x.x.x.x.x.x.x.' --num-steps 128
  perpetuum generate melody_rnn --primer tune.mid --temperature 1.1 --num-outputs 10 -o takes
  perpetuum generate melody_rnn --config lookback_rnn --checkpoint lookback_rnn.mag --beam-size 4
  perpetuum generate improv_rnn --chords 'C G Am F' --primer 'C4:1 E4:1'
  perpetuum generate density_conditioned_performance_with_dynamics --notes-per-second 8 --seed 1
"""

_STEPS = {"performance_rnn": 3000}
_NOT_OF_A_LATENT_SPACE = (
    *("num_steps", "top_k", "top_p", "beam_size", "branch_factor", "steps_per_iteration"),
    *("meter", "track", "voice", "notes_per_second", "pitch_classes", "inject_primer", "condition_on_primer"),
)
"""Parameters of the command that say nothing to a MusicVAE."""


@click.command(cls=TakesMagentaFlags, epilog=EXAMPLES, short_help="Make new music with a network.")
@click.argument("model", required=False)
@config_option
@checkpoint_option
@click.option("--primer", metavar="FILE|PATTERN", help=PRIMER_HELP)
@click.option(
    "--num-steps",
    type=click.IntRange(1, 1_000_000),
    help="Length of the whole, primer included, as Magenta counts it: sixteenths (one_drum: eighths), or hundredths "
    "of a second for performance_rnn. 128 without it, or 3000.",
)
@outputs_option
@click.option("--qpm", type=Number(4, 960), help="Quarter notes per minute; the primer's without it, or 120.")
@click.option("--meter", default="4/4", show_default=True, help="Of a primer that is no MIDI file.")
@sampling_options
@seed_option
@track_option
@voice_option
@click.option(
    "--chords", help="Chords to play over (improv_rnn), a bar each or with beats, again and again: 'C G Am7:2 F:2'."
)
@click.option("--notes-per-second", type=Number(0, 1000), help="How dense, for performances that listen to it.")
@click.option(
    "--pitch-classes", metavar="W,W,...", help="Twelve weights, C first, for performances that listen to them."
)
@click.option(
    "--inject-primer/--no-inject-primer",
    default=True,
    show_default=True,
    help="polyphony_rnn: the primer is sung as a part of what is made.",
)
@click.option("--condition-on-primer", is_flag=True, help="polyphony_rnn: what is made goes on after the primer.")
@folder_option
@dated_option
def command(
    model: str | None,
    config: str | None,
    checkpoint: Path | None,
    primer: str | None,
    num_steps: int | None,
    num_outputs: int,
    qpm: float | None,
    meter: str,
    sampling: Sampling,
    seed: int | None,
    track: str | None,
    voice: str,
    chords: str | None,
    notes_per_second: float | None,
    pitch_classes: str | None,
    inject_primer: bool,
    condition_on_primer: bool,
    folder: Path,
    dated: bool,
) -> None:
    """Make new music with a network, into numbered MIDI files.

    MODEL is a family (drums_rnn, melody_rnn, improv_rnn, polyphony_rnn, performance_rnn, pianoroll_rnn_nade,
    music_vae), one of its configs (lookback_rnn), the name of weights that are here (`perpetuum models list`), or a
    weights file; it may be left out where --config or --checkpoint says which. The same seed and options give the same
    files.
    """
    from engine.cli.choosing import LATENT, RECURRENT, choose_network
    from engine.networks.studio.continuing import continue_piece, primer_end, sing_along, steps_per_beat
    from engine.networks.studio.hearing import primer_of

    if model is None and config is None and checkpoint is None:
        raise click.UsageError("name a MODEL, like melody_rnn, or give its --config or --checkpoint")
    network = choose_network(model, config, checkpoint, usable=(*RECURRENT, *LATENT))
    kind = network.config
    if kind.name in LATENT:
        if primer is not None:
            raise PerpetuumError(
                f"{kind.name} ({kind.family}) does not go on from a primer",
                "leave --primer out, or see `perpetuum interpolate`, `groove` and `drumify`",
            )
        left = ", ".join(f"--{name.replace('_', '-')}" for name in _NOT_OF_A_LATENT_SPACE if _given(name))
        if left:
            say([f"{kind.name} is sampled at once, {kind.steps // 16} bars, and knows nothing of {left}"])
        write_samples(
            network, num_outputs, sampling.temperature, False, qpm or 120.0, chords, seeded(seed), folder, dated
        )
        return
    piece, length = read_primer(primer, meter_of(meter))
    piece = replace(piece, qpm=qpm or piece.qpm, tempos=() if qpm else piece.tempos)
    heard = primer_of(network, piece, *track_and_voice(track, voice))
    say(heard.remarks)
    if primer is not None and not len(heard.piece.tracks):
        say(["the primer has no notes: the music begins from nothing"])
    whole, piece = piece, heard.piece
    grid = 1 / steps_per_beat(kind, piece.qpm)
    length = primer_end(piece, grid, length)
    total = (num_steps or _STEPS.get(kind.family, 128)) * grid
    if total <= length + grid / 2:
        raise PerpetuumError(
            f"the primer has {round(length / grid)} steps, and --num-steps {round(total / grid)} counts it in",
            "ask for more steps, or give a shorter primer",
        )
    conditions = conditions_of(kind, whole, total, chords, notes_per_second, pitch_classes)
    conditions = replace(conditions, inject_primer=inject_primer, condition_on_primer=condition_on_primer)
    seed = seeded(seed)
    paths = output_paths(folder, f"{kind.name}-{seed}", num_outputs, dated)

    def make(number: int) -> MadePiece:
        chance = source_of(seed, number)
        if kind.family == "polyphony_rnn" and not condition_on_primer:
            return sing_along(network, piece, total, chance, length, conditions, sampling)
        return continue_piece(network, piece, total - length, chance, length, conditions=conditions, sampling=sampling)

    make_files(kind.name, paths, make)


def _given(name: str) -> bool:
    """Whether a parameter of this command was given."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE

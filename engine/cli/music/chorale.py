"""`perpetuum chorale`: four voices by a network, and what it expected of each note."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.music.sampling import (
    Number,
    Stopwatch,
    checkpoint_option,
    dated_option,
    folder_option,
    line,
    output_paths,
    outputs_option,
    read_file,
    say,
    seed_option,
    seeded,
    source_of,
    track_option,
)
from engine.cli.waiting import progress
from engine.errors import PerpetuumError

if TYPE_CHECKING:
    import numpy as np

    from engine.networks.chorale.record import ChoraleRecord
    from engine.networks.studio.chorales import Chorale
    from engine.networks.studio.made import MadePiece

EXAMPLES = """
\b
Examples:
  perpetuum chorale --bars 16 --seed 3
  perpetuum chorale --temperature 0.7 --temperature 1 --temperature 1.3 -n 4 -o sweep
  perpetuum chorale --harmonise tune.mid --voice soprano --passes 3
  perpetuum chorale --json --plot --top 8
"""

_VOICES = ("soprano", "alto", "tenor", "bass")
_CHOIR = 52
"""General MIDI's program of a choir, from 0."""


@click.command(epilog=EXAMPLES, short_help="Four voices by a network, or around a melody.")
@checkpoint_option
@click.option(
    "--harmonise", "melody", metavar="FILE", type=click.Path(path_type=Path), help="MIDI file whose melody is sung."
)
@track_option
@click.option("--voice", default="soprano", show_default=True, type=click.Choice(_VOICES), help="Who sings the melody.")
@click.option(
    "--passes",
    default=2,
    show_default=True,
    type=click.IntRange(1, 100),
    help="How often the other voices are drawn around the melody.",
)
@click.option(
    "--bars",
    default=16,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Bars of 4/4, at most: the network ends a chorale where it ends. With --harmonise it is the melody that says.",
)
@click.option(
    "--temperature",
    "temperatures",
    multiple=True,
    type=Number(0.01, 100),
    help="1 is as learnt; 0.8 is safer, 1.2 is wilder. Given several times, each is tried.  [default: 1]",
)
@click.option(
    "--candidates",
    default=8,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Made side by side; the judge of counterpoint takes one.",
)
@outputs_option
@click.option(
    "--qpm", default=72.0, show_default=True, type=Number(4, 960), help="Quarter notes per minute; of a melody its own."
)
@click.option(
    "--json",
    "with_json",
    is_flag=True,
    help="Beside each MIDI file a .json: notes, distributions, entropy and attention (`perpetuum schema --chorale`).",
)
@click.option("--plot", "with_plot", is_flag=True, help="Beside each MIDI file a .png of the same.")
@click.option(
    "--top",
    default=5,
    show_default=True,
    type=click.IntRange(1, 48),
    help="Pitches of each distribution, and shares of attention, in the .json.",
)
@seed_option
@folder_option
@dated_option
def command(
    checkpoint: Path | None,
    melody: Path | None,
    track: str | None,
    voice: str,
    passes: int,
    bars: int,
    temperatures: tuple[float, ...],
    candidates: int,
    num_outputs: int,
    qpm: float,
    with_json: bool,
    with_plot: bool,
    top: int,
    seed: int | None,
    folder: Path,
    dated: bool,
) -> None:
    """Write chorales of four voices, from nothing or around a melody, into MIDI files.

    Each voice has a track. The velocity of a note is the entropy of what the network expected there: soft where it was
    sure, loud where much was possible (127 from 3 nats on). A melody is sung as it is, by the voice that --voice names;
    where it lies outside that voice's range the network reads it in another octave or key. The same seed and options
    give the same files.
    """
    from engine.cli.choosing import choose_network, of_families
    from engine.networks.chorale.record import record_of
    from engine.networks.studio.chorales import compose, harmonise
    from engine.output_file import write_text
    from engine.pictures import ensure_plotting
    from engine.score.midi.writing import write_piece

    if with_plot:
        ensure_plotting()
    network = choose_network("chorale", None, checkpoint, usable=of_families("chorale"))
    notes = None
    if melody is not None:
        notes, qpm = _melody(melody, track, qpm)
    asked, number = temperatures or (1.0,), seeded(seed)
    stem = "chorale" if melody is None else f"{melody.stem}-chorale"
    watch = Stopwatch()
    for temperature in asked:
        name = stem if len(asked) == 1 else f"{stem}-{temperature:g}"
        paths = output_paths(folder, name, num_outputs, dated)
        with progress(f"singing at {temperature:g}", len(paths)) as advance:
            for output, path in enumerate(paths):
                rng = source_of(number, output, f"{temperature:g}")
                if notes is None:
                    made = compose(network, 16 * bars, temperature, candidates, rng)
                else:
                    made = harmonise(network, notes, _VOICES.index(voice), temperature, candidates, passes, rng)
                record = record_of(
                    network,
                    made.piece,
                    made.given,
                    checkpoint.stem if checkpoint else "chorale",
                    number,
                    temperature,
                    qpm,
                    top,
                )
                found = _made(made, record)
                write_piece(path, found.piece)
                if with_json:
                    text = record.model_dump_json(indent=None) + "\n"
                    write_text(path.with_suffix(".json"), text, (".json",))
                if with_plot:
                    from engine.cli.music.chorale_picture import draw_chorale

                    draw_chorale(record, path.with_suffix(".png"))
                said = line(path, found, watch.lap(), None if seed is not None else number)
                click.echo(f"{said}; {_told(made, record)}")
                advance()


def _melody(path: Path, track: str | None, qpm: float) -> tuple[np.ndarray, float]:
    """The notes of a melody, and the tempo of its file.

    Raises:
        PerpetuumError: no such file or track.
    """
    piece = read_file(path)
    sung = [one for one in piece.tracks if not one.is_drum and len(one.notes)]
    if track is not None:
        named = [one for one in sung if one.name == track]
        if not named and track.isdigit() and 1 <= int(track) <= len(sung):
            named = [sung[int(track) - 1]]
        if not named:
            names = ", ".join(one.name or str(place) for place, one in enumerate(sung, 1)) or "none with notes"
            raise PerpetuumError(f"--track {track!r} is no track of {path}", f"There are: {names}.")
        sung = named
    if not sung:
        raise PerpetuumError(f"{path} has no notes to harmonise", "Give a file with a melody.")
    chosen = max(sung, key=lambda one: float(one.notes["pitch"].mean()))
    if track is None and len(sung) > 1:
        name = chosen.name or "which has no name"
        say([f"of {len(sung)} tracks the highest is harmonised, {name}; --track says another"])
    return chosen.notes, piece.qpm


def _made(made: Chorale, record: ChoraleRecord) -> MadePiece:
    """The chorale as a piece of four tracks."""
    import numpy as np

    from engine.networks.studio.made import MadePiece
    from engine.score.phrase import NOTE, in_order
    from engine.score.piece import Piece, Track

    tracks = []
    for number, name in enumerate(record.voices):
        rows = [(one.start, one.end, one.pitch, one.velocity) for one in record.notes if one.voice == number]
        tracks.append(Track(in_order(np.array(rows, NOTE)), name, _CHOIR))
    return MadePiece(Piece(tuple(tracks), record.qpm), record.steps / 4, log_likelihood=made.log_likelihood)


def _told(made: Chorale, record: ChoraleRecord) -> str:
    """What there is to say of a chorale, in a clause."""
    faults, chosen = made.faults, [token.entropy for token in record.tokens if not token.given]
    entropy = sum(chosen) / max(1, len(chosen))
    return (
        f"{record.nats_per_note:.3f} nats a note, entropy {entropy:.3f}, {faults.fifths} parallel fifths and "
        f"{faults.octaves} octaves in {faults.changes} changes" + ("" if made.ended else ", not ended")
    )

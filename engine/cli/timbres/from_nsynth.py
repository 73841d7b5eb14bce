# pyright: strict
"""`perpetuum instrument from-nsynth`: an instrument of notes between recordings, played by a WaveNet."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.listing import printable
from engine.cli.numbers import Number
from engine.cli.timbres.instrument_options import InstrumentOptions, instrument_options
from engine.cli.timbres.nsynth import model_options, opened_model, read_weights, stopped
from engine.cli.timbres.roots import roots_of
from engine.cli.waiting import progress
from engine.errors import PerpetuumError, StoppedError

if TYPE_CHECKING:
    from engine.timbres.nsynth.bank import Array

EXAMPLES = """
\b
Examples:
  perpetuum instrument from-nsynth flute_A4.wav gong_D3.wav --checkpoint wavenet-ckpt -o flute_gong
  perpetuum instrument from-nsynth a.wav b.wav --weights 0.8,0.2 --lowest C3 --highest C5 --checkpoint ... -o mostly_a
"""


@click.command("from-nsynth", epilog=EXAMPLES, short_help="Of notes between recordings.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@model_options
@click.option("--weights", help="Of each recording, by commas, like 0.3,0.7.  [default: all alike]")
@click.option("--root", "roots", multiple=True, metavar="FILE=NOTE", help="Its pitch: C4, 60, A7+49; else it is heard.")
@click.option("--seconds", default=4.0, show_default=True, type=Number(0.1, 60), help="Of each note.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of chance.")
@instrument_options("C3", "C6", "recordings they are")
def command(
    files: tuple[Path, ...],
    checkpoint: Path,
    stages: int,
    averages: bool,
    weights: str | None,
    roots: tuple[str, ...],
    seconds: float,
    seed: int,
    asked: InstrumentOptions,
) -> None:
    """Make an instrument whose notes lie between those of recordings FILES of single notes.

    Each recording is brought to the pitch of each key and heard there; what was heard is mixed and played. That takes
    hours for notes of seconds. Meanwhile it is put aside beside the instrument: the same command goes on there after
    Ctrl-C or a crash. Notes that are silent, broken or of another pitch are left out, those out of tune are tuned.
    """
    from engine.timbres.nsynth.bank import FARTHEST, keys_within, mixes, source_note
    from engine.timbres.nsynth.layout import RATE
    from engine.timbres.nsynth.playing import EncodedNote, Playing
    from engine.timbres.samples.instrument import make_sampler, notes_at

    asked.check()
    shares = read_weights(weights, len(files))
    said = roots_of(roots, files)
    recordings = [source_note(file, said.get(file)) for file in files]
    keys = keys_within(recordings, asked.lowest, asked.highest, asked.every)
    if not keys:
        raise PerpetuumError(
            f"no key is within {FARTHEST:g} semitones of all recordings", "Choose other --lowest and --highest."
        )
    model = opened_model(checkpoint, stages, averages)
    with progress("hearing the recordings"):
        heard = mixes(model.encoder(), recordings, shares, keys, seconds)
    notes = [EncodedNote(encoding, (seed, zlib.crc32(encoding.tobytes()))) for encoding in heard.values()]
    waves: dict[int, Array] = {}

    def done(number: int, wave: Array) -> None:
        waves[keys[number]] = wave

    playing = Playing(model.decoder(), model.digest(), notes, done, asked.output.parent)
    try:
        with progress(f"{len(keys)} notes"):
            playing.play()
    except (KeyboardInterrupt, StoppedError):
        raise stopped(playing, f"{len(waves)} of {len(keys)} notes are made", asked.output.parent) from None
    names = " and ".join(printable(file.stem) for file in files)
    made_by = f"by perpetuum instrument from-nsynth, {checkpoint.resolve().name}, seed {seed}"
    asked.write(*make_sampler(notes_at(waves, RATE), asked.about(f"Between {names}, by NSynth", made_by)))
    playing.forget()

# pyright: strict
"""`perpetuum instrument from-wav`: an instrument of recordings."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine import assets
from engine.cli.listing import printable
from engine.cli.targets import OutputFolder
from engine.cli.timbres.roots import roots_of
from engine.errors import PerpetuumError
from engine.score.drums import CLASSES, index_of
from engine.units import SECONDS, SEMITONES, Unit, parse

if TYPE_CHECKING:
    from engine.timbres.samples.instrument import About, MadeInstrument


class _Measure(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """A value with its unit, as in scenes: `250 ms`, `-12 semitones`."""

    def __init__(self, name: str, unit: Unit) -> None:
        self.name = name
        self._unit = unit

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return value if isinstance(value, float) else float(parse(value, self._unit))
        except ValueError as error:
            self.fail(str(error).replace("`", ""), param, ctx)


_TIME = _Measure("TIME", SECONDS)
_INTERVAL = _Measure("SEMITONES", SEMITONES)


@click.command("from-wav", short_help="Of recordings.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=OutputFolder(), help="Folder to make; its name is the instrument's."
)
@click.option(
    "--root", "roots", multiple=True, metavar="[FILE=]NOTE", help="Its pitch: C4, 60, A7+49; else it is heard."
)
@click.option("--transpose", type=_INTERVAL, default="0 semitones", help="Play the recording slower or faster.")
@click.option("--sides", type=click.Choice(["keep", "fold"]), default="keep", help="Keep stereo, or fold it to mono.")
@click.option("--loop", type=click.Choice(["auto", "off"]), default="auto", help="Loop sounds that sustain.")
@click.option("--longest", type=_TIME, default="12 s", help="Of notes that are not looped.")
@click.option("--attack", type=_TIME, help="From silence to full; as recorded without it.")
@click.option("--release", type=_TIME, help="To silence after a note's end.")
@click.option("--drum", "drums", multiple=True, metavar="DRUM=FILE", help="A recorded stroke; several take turns.")
@click.option("--from", "base", metavar="KIT", help="Take the other drums from this kit.")
@click.option("--title", help="One line that says what it sounds like.")
@click.option("--credit", "credit", default="", help="Whose recordings they are.")
@click.option("--licence", default="", help="Their licence, such as CC0 1.0.")
@click.option("--force", is_flag=True, help="Replace an instrument that is there.")
def command(
    files: tuple[Path, ...],
    output: Path,
    roots: tuple[str, ...],
    transpose: float,
    sides: str,
    loop: str,
    longest: float,
    attack: float | None,
    release: float | None,
    drums: tuple[str, ...],
    base: str | None,
    title: str | None,
    credit: str,
    licence: str,
    force: bool,
) -> None:
    """Make an instrument of recordings: FILES of single notes, or drums.

    Each recording is trimmed, its pitch is heard (a name like bell_C4.wav or bell-060.wav helps), and sounds that
    sustain are looped. What is broken is said and left out. Several recordings share the keys, those of one pitch the
    velocities. The folder has an `instrument.yaml` that you can change.

    \b
    Examples:
      perpetuum instrument from-wav bell.wav -o my_bell
      perpetuum instrument from-wav flute_*.wav --sides fold --credit "Ann Other" --licence "CC BY 4.0" -o my_flute
      perpetuum instrument from-wav gong.wav --root "D2 +20" -o my_gong
      perpetuum instrument from-wav --drum snare=clap.wav --from electronic_kit -o my_kit
    """
    from engine.cli.timbres.telling_instruments import tell_instrument, tell_judgements
    from engine.timbres.samples.instrument import About, Manner, make_sampler, write_instrument
    from engine.timbres.samples.recordings import read_recording

    made_by = "by perpetuum instrument from-wav"
    about = About(title or output.name.replace("_", " ").capitalize(), credit, licence, made=made_by)
    if bool(files) == bool(drums) or (base and not drums):
        raise click.UsageError("give recordings of notes, or drums by --drum DRUM=FILE (then also --from KIT)")
    if drums:
        made, lines = _kit(drums, base, about, sides == "fold")
        for line in lines:
            click.echo(f"  {line}")
    else:
        said = roots_of(roots, files, bare=True)
        recordings = (read_recording(file, said.get(file), sides == "fold", round(transpose)) for file in files)
        manner = Manner(longest, loop == "auto", attack, release, "say its pitch with --root, or give other recordings")
        made, judgements = make_sampler(recordings, about, manner)
        tell_judgements(judgements)
    tell_instrument(write_instrument(made, output, force))


def _kit(drums: tuple[str, ...], base: str | None, about: About, fold: bool) -> tuple[MadeInstrument, list[str]]:
    """A kit of what `--drum` says.

    Raises:
        click.UsageError: there is no such drum.
        PerpetuumError: there is no such kit, or a file cannot be read.
    """
    from engine.timbres.samples.drums import DrumRecordings, make_kit

    strokes: dict[str, tuple[Path, ...]] = {}
    for text in drums:
        name, equals, file = text.partition("=")
        index = index_of(name)
        if index is None or not equals:
            near = difflib.get_close_matches(name, CLASSES, 1)
            hint = f"did you mean {near[0]}?" if near else f"drums are {', '.join(CLASSES)}"
            raise click.UsageError(f"--drum {printable(text)}: write DRUM=FILE; {hint}")
        strokes[CLASSES[index]] = (*strokes.get(CLASSES[index], ()), Path(file))
    path = assets.find("instruments", base) if base else None
    if base and path is None:
        near = difflib.get_close_matches(base, assets.names("instruments"), 1)
        hint = f"did you mean {near[0]}?" if near else "`perpetuum instruments` lists them"
        raise PerpetuumError(f"there is no kit {printable(base)!r} here", hint)
    return make_kit([DrumRecordings(name, files) for name, files in strokes.items()], about, path, fold)

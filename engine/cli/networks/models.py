"""`perpetuum models`: the networks that are here, and Magenta's checkpoints brought along."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine import assets
from engine.cli.common import file_size
from engine.cli.listing import as_text_or_json, hides, show
from engine.cli.targets import OutputPath
from engine.errors import PerpetuumError
from engine.networks.card import in_words
from engine.output_file import output_folder

if TYPE_CHECKING:
    from engine.networks import WeightsCard
    from engine.networks.checkpoints import Checkpoint, Recognition

_SUFFIX = ".safetensors"
_IMPORTED = "-imported"
"""Behind the name of an imported checkpoint that is called like shipped weights."""


@click.group(short_help="List the networks, and import Magenta's checkpoints.")
def command() -> None:
    """The networks that are here, and Magenta's checkpoints brought along.

    \b
    Examples:
      perpetuum models list
      perpetuum models import attention_rnn.mag --licence Apache-2.0 --credit "Magenta, Google"
      perpetuum models import groovae.tar --config groovae_2bar_humanize -o weights/groove.safetensors
      perpetuum models show attention_rnn
    """


@command.command("list", short_help="List the weights that are here.")
@as_text_or_json
def list_models(form: str) -> None:
    """List the weights that are here: shipped ones, and those in the folders of PERPETUUM_PATH.

    `timbre` is the network of `perpetuum timbre` and of instruments of `kind: neural`, which takes no others.
    """
    from engine.timbres.neural.weights import SHIPPED

    rows = []
    for name, path in {**assets.names("weights", _SUFFIX), SHIPPED.stem: SHIPPED}.items():
        try:
            rows.append(_row(name, path, _read_card(path)) | hides("weights", path))
        except PerpetuumError as error:
            problem = {"problem": error.message, "about": error.message}
            rows.append(_row(name, path, None) | problem | hides("weights", path))
    show(rows, ("name", "config", "about"), form)


@command.command("show", short_help="Show what a network is, and where it comes from.")
@click.argument("name")
@click.option("--config", metavar="NAME", help="Which network a checkpoint is, where it does not say so itself.")
@as_text_or_json
def show_model(name: str, config: str | None, form: str) -> None:
    """Show what the weights NAME are: their config, sizes, licence, credits and figures.

    NAME is the name of weights that are here, a weights file, the folder of a training, or a checkpoint of Magenta.
    """
    from engine.networks.card import weights_file_of
    from engine.timbres.neural.weights import SHIPPED

    path = SHIPPED if name == SHIPPED.stem else assets.find("weights", name, _SUFFIX) or weights_file_of(Path(name))
    if not assets.exists(path) and "/" not in name and not path.suffix:
        near = difflib.get_close_matches(name, assets.names("weights", _SUFFIX), 1)
        raise PerpetuumError(
            f"there are no weights {name!r} here",
            f"Did you mean {near[0]}?" if near else "See `perpetuum models list`, or give the path of a file.",
        )
    row = _row(path.stem, path, _read_card(path, config))
    if form == "json":
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
        return
    _print_facts(
        [
            ("title", row["title"]),
            ("network", f"{row['family']}, {row['config']}"),
            ("sizes", in_words(row["sizes"])),
            ("licence", row["licence"]),
            *(("credit", line) for line in row["credits"]),
            *(("trained on", line) for line in row["training_data"]),
            ("figures", in_words(row["metrics"])),
            ("imported", in_words(row["imported_from"])),
            ("trained", in_words(row["trained"])),
            ("about", row["description"]),
            ("file", f"{row['path']}, {file_size(row['bytes'])}" if row["bytes"] else row["path"]),
        ]
    )


@command.command("import", short_help="Bring a checkpoint of Magenta along.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=OutputPath(".safetensors"), help="Weights file to write.")
@click.option("--config", metavar="NAME", help="Which network it is, where it does not say so itself.")
@click.option("--name", help="A title for people; without it, the name of the file.")
@click.option("--licence", help="Licence of the weights, such as Apache-2.0.")
@click.option("--credit", "credits_", multiple=True, help="Whom to thank; may be given several times.")
@click.option("--training-data", multiple=True, help="What it was trained on; may be given several times.")
@click.option("--half", is_flag=True, help="Store 16-bit numbers: half the size, and a rounding in the third digit.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--replace", is_flag=True, help="Take the name of shipped weights, and be played in their place.")
def import_model(
    path: Path,
    output: Path | None,
    config: str | None,
    name: str | None,
    licence: str | None,
    credits_: tuple[str, ...],
    training_data: tuple[str, ...],
    half: bool,
    force: bool,
    replace: bool,
) -> None:
    """Turn a checkpoint of Magenta into a weights file.

    PATH is a bundle (.mag), a MusicVAE or GrooVAE .tar, or a TensorFlow checkpoint: its .index file, the prefix of its
    files, or the folder of a training. Without -o the file is written into the first folder of PERPETUUM_PATH, where
    scenes find it by its name, or else into this folder. It never takes the name of shipped weights, which it would
    hide from scenes, unless --replace says so.
    """
    import numpy as np
    from rich.console import Console

    from engine.networks.card import is_weights_file, write_weights
    from engine.networks.checkpoints import make_card, open_checkpoint, read_numbers, recognise

    if is_weights_file(path):
        raise PerpetuumError(f"{path}: this is a weights file already", "Name it in a scene as it is, with `weights:`.")
    with Console(stderr=True).status(f"looking into {path.name}"):
        checkpoint = open_checkpoint(path)
        recognition = recognise(checkpoint, config)
    _print_found(checkpoint, recognition)
    output = _target(output, checkpoint, recognition, force, replace)
    with Console(stderr=True).status(f"reading {file_size(checkpoint.size)}"):
        weights = read_numbers(checkpoint, recognition)
        card = make_card(checkpoint, recognition)
    card = dataclasses.replace(
        card,
        name=name or card.name,
        licence=licence or card.licence,
        credits=credits_,
        training_data=training_data,
        imported_from=card.imported_from | {"sha256": checkpoint.digest()},
    )
    with Console(stderr=True).status(f"writing {output.name}"):
        try:
            write_weights(output, card, weights, np.float16 if half else np.float32)
        except ValueError as error:
            raise PerpetuumError(f"{path}: {error}", "Leave out --half.") from error
    click.echo(f"{output}: {file_size(output.stat().st_size)}, {'float16' if half else 'float32'}")
    if licence is None:
        click.echo("  its licence is not stated; if you know it, say so with --licence (and --force)")
    _print_use(output, card)


def _print_found(checkpoint: Checkpoint, recognition: Recognition) -> None:
    """What was found in a checkpoint, before anything is made of it."""
    names = recognition.names
    shapes = [checkpoint.source.variables[stored].shape for stored in names.stored.values()]
    count = sum(math.prod(shape) for shape in shapes)
    dropped = ", ".join(f"{number} of {what}" for what, number in names.dropped.items())
    click.echo(f"{checkpoint.path}: {checkpoint.format}, {file_size(checkpoint.size)}")
    length = recognition.attention_length
    _print_facts(
        [
            ("network", f"{recognition.family}, {recognition.config} ({recognition.because})"),
            ("sizes", in_words(recognition.sizes | ({"attention_length": length} if length else {}))),
            ("weights", f"{len(shapes)}, {count:,} numbers; spelt as with {names.era}"),
            ("left out", dropped),
            ("about", checkpoint.description),
        ],
        indent="  ",
    )


def _target(output: Path | None, checkpoint: Checkpoint, recognition: Recognition, force: bool, replace: bool) -> Path:
    """The file to write.

    Raises:
        PerpetuumError: it is there already, its folder is not, it is not called like a weights file, or like shipped
            ones which it is not to replace.
    """
    if output is None:
        stem = checkpoint.title or recognition.config
        output = assets.own_folder("weights") / f"{stem}{_SUFFIX}"
        if not replace and _is_shipped_name(output):
            output = output.with_stem(f"{stem}{_IMPORTED}")
            click.echo(f"  named {output.stem}: {stem} is the name of shipped weights (--replace takes it)")
        with suppress(PerpetuumError):  # where it cannot be made, it is missed below
            output_folder(output.parent)
    if output.suffix != _SUFFIX:
        raise PerpetuumError(f"{output}: a weights file ends in {_SUFFIX}", f"Call it {output.stem}{_SUFFIX}.")
    if not replace and _is_shipped_name(output):
        raise PerpetuumError(
            f"{output}: {output.stem} is the name of shipped weights, which it would hide from scenes",
            f"Call it {output.stem}{_IMPORTED}{_SUFFIX}, or hide them knowingly with --replace.",
        )
    if output.exists() and not force:
        raise PerpetuumError(
            f"{output} is there already", "Choose another name with -o, or write over it with --force."
        )
    if not output.parent.is_dir():
        raise PerpetuumError(f"cannot write {output}: there is no folder {output.parent}", "Make it first.")
    return output


def _is_shipped_name(output: Path) -> bool:
    return assets.is_file(assets.shipped("weights") / output.name)


def _print_use(output: Path, card: WeightsCard) -> None:
    """How to make it sound."""
    found = assets.names("weights", _SUFFIX).get(output.stem)
    by_name = found is not None and found.resolve() == output.resolve()
    place = f"beside `kind: {card.family}` and `config: {card.config}`"
    if card.family == "groovae":
        place = "in the transform `groove`"
    click.echo(f"  name it in a scene as `weights: {output.stem if by_name else output}`, {place}")
    if assets.hidden_by("weights", output):
        scenes = "all scenes" if by_name else "scenes that find it by its name"
        click.echo(f"  it hides the shipped weights {output.stem} from {scenes}")


def _read_card(path: Path, config: str | None = None) -> WeightsCard:
    """The card of weights, or that of a timbre network in the same form.

    Raises:
        PerpetuumError: it is neither.
    """
    from engine.networks import WeightsCard, read_card
    from engine.timbres.neural.network import LATENT
    from engine.timbres.neural.weights import read_network

    try:
        return read_card(path, config)
    except PerpetuumError:
        with suppress(PerpetuumError):
            card, weights = read_network(path)
            sizes = {"components": len(weights["basis"]), "hidden": len(weights["decoder/1/bias"]), "latent": LATENT}
            return WeightsCard(
                card.name,
                "timbre",
                "neural",
                sizes,
                card.licence,
                tuple(card.credits),
                (f"all but these, which were held out: {card.held_out}",),
                card.metrics,
                "Notes of any place of a latent space: `perpetuum timbre`, and `kind: neural` of instruments.",
                trained=card.trained,
            )
        raise


def _row(name: str, path: Path, card: WeightsCard | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": name, "config": "", "about": "", "path": str(path), "problem": None}
    facts["bytes"] = path.stat().st_size if path.is_file() else None
    if card is None:
        return facts
    values = dataclasses.asdict(card)
    title = values.pop("name")
    size = f", {file_size(facts['bytes'])}" if facts["bytes"] else ""
    about = _printable(f"{card.family}: {in_words(card.sizes)}{size}, licence {card.licence or 'not stated'}")
    return facts | values | {"title": title, "about": about}


def _print_facts(facts: list[tuple[str, str]], indent: str = "") -> None:
    """Lines of a heading and what there is to say; what is not known is left out."""
    for heading, fact in facts:
        if fact:
            click.echo(f"{indent}{heading:10}  {_printable(fact)}")


def _printable(text: str) -> str:
    """A line without what would move the cursor of a terminal: files may say anything."""
    return "".join(letter if letter.isprintable() else " " for letter in text)

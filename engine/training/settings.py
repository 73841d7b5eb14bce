"""The file of a training (YAML): what is trained, on what, how, and what the weights file is to say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue

from engine.errors import PerpetuumError, WrongValueError
from engine.generators.contract import Settings
from engine.networks.configs import CONFIGS
from engine.networks.vae.configs import VaeConfig
from engine.scenes.schema.models import LARGEST_SEED
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import Diagnostic, listed, nearest
from engine.scenes.text.nodes import MapNode, Node
from engine.scenes.text.parsing import parse
from engine.scenes.text.problems import Problem, Span
from engine.scenes.text.source import SourceFile, UnreadableError
from engine.training import datasets
from engine.training.datasets import Augmentation, Filters, augmentation_of, trainable
from engine.training.datasets.filters import INSTRUMENTS, parse_meter, programs
from engine.units import Percent, QpmRange

RECIPES = Path(__file__).parent / "recipes"
"""How the shipped weights were made: a file each."""
SCHEMA = Path(__file__).parent / "training.schema.json"


def _config(value: object) -> str:
    if not isinstance(value, str):
        raise WrongValueError(expected="the name of a network's config, such as performance")
    if value not in trainable():
        known = value in CONFIGS
        says = (
            f"{value} cannot be trained, only imported (see docs/checkpoints.md)" if known else f"no config {value!r}"
        )
        raise WrongValueError(says, word="" if known else value, candidates=trainable())
    return value


def _meter(value: object) -> object:
    try:
        parse_meter(str(value))
    except PerpetuumError:
        raise WrongValueError(expected="a meter, like `4/4`") from None
    return value


def _instrument(value: object) -> str:
    name = str(value).strip().lower()
    try:
        programs([name])
    except PerpetuumError:
        says = f"no instrument {str(value)!r}, nor a program 1..128"
        raise WrongValueError(says, word=name, candidates=tuple(INSTRUMENTS)) from None
    return name


def _within(low: float, high: float, example: str) -> BeforeValidator:
    """Refuses what is not two numbers in a range, the lower one first."""

    def check(value: object) -> object:
        numbers = value if isinstance(value, list | tuple) else ()
        if len(numbers) != 2 or not all(isinstance(one, int | float) for one in numbers):
            raise WrongValueError(expected=f"two numbers, like `{example}`")
        if not low <= numbers[0] <= numbers[1] <= high:
            raise WrongValueError(
                expected=f"two numbers within {low:g}..{high:g}, the lower one first, like `{example}`"
            )
        return value

    return BeforeValidator(check)


Units = Annotated[int, Field(ge=1, le=4096)]
Layers = Annotated[tuple[Units, ...], Field(min_length=1, max_length=8)]


class SizesFile(Settings):
    """Sizes of the network; what is left out is chosen by how much music there is."""

    layers: Layers | None = Field(default=None, description="LSTM units per layer", examples=["[128, 128]"])
    encoder: Layers | None = Field(
        default=None, description="autoencoders: LSTM units per layer and direction of the encoder", examples=["[256]"]
    )
    decoder: Layers | None = Field(
        default=None, description="autoencoders: LSTM units per layer of the decoder", examples=["[256, 256]"]
    )
    latent: int | None = Field(default=None, ge=1, le=4096, description="autoencoders: numbers of the latent vector")

    def given(self) -> dict[str, Any]:
        """Those that are not left out."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class DatasetFile(Settings):
    """What of the music is trained on; for raw music only, for what is built already has its own settings."""

    sources: tuple[str, ...] = Field(
        default=(), description="folders and files below each --data; all of it without", examples=["[groove]"]
    )
    meters: tuple[Annotated[str, BeforeValidator(_meter)], ...] = Field(
        default=(), description="time signatures that are taken", examples=["[4/4, 3/4]"]
    )
    instruments: tuple[Annotated[str, BeforeValidator(_instrument)], ...] = Field(
        default=(), description="families of General MIDI instruments (piano, bass, strings), or programs 1 to 128"
    )
    tempo: QpmRange | None = Field(default=None, description="tempi that are taken")
    validation: Percent = Field(default=0.06, description="share of the families of pieces that is held out")
    test: Percent = Field(default=0.06, description="share of them that is kept for the end")
    min_unique_pitches: int = Field(default=0, ge=0, le=128, description="different pitches of a piece, at least")
    min_on_grid: Percent | None = Field(
        default=None, description="share of the notes on the grid of sixteenths, at least"
    )
    min_bars: int | None = Field(default=None, ge=1, description="length of the shortest piece that is taken")
    max_bars: int | None = Field(default=None, ge=1, description="length of the longest piece that is taken")
    transpose: Annotated[tuple[int, int], _within(-24, 24, "[-5, 6]")] | None = Field(
        default=None, description="semitones by which excerpts are moved, lowest and highest", examples=["[-5, 6]"]
    )
    stretch: Annotated[tuple[float, float], _within(0.5, 2, "[0.95, 1.05]")] | None = Field(
        default=None, description="factors on the durations of performances, least and most", examples=["[0.95, 1.05]"]
    )

    def build_settings(self, config: str) -> datasets.DatasetSettings:
        """What the builder of data sets is told.

        Raises:
            PerpetuumError: a meter or an instrument that is none.
        """
        usual = augmentation_of(config)
        return datasets.DatasetSettings(
            config,
            Filters(
                meters=tuple(parse_meter(meter) for meter in self.meters) or None,
                instruments=self.instruments,
                tempo=None if self.tempo is None else (self.tempo.low, self.tempo.high),
                min_unique_pitches=self.min_unique_pitches,
                min_on_grid=self.min_on_grid,
                min_bars=self.min_bars,
                max_bars=self.max_bars,
            ),
            Augmentation(self.transpose or usual.transpose, self.stretch or usual.stretch),
            self.validation,
            self.test,
        )


class CardFile(Settings):
    """What the weights file says of itself besides its figures."""

    name: str | None = Field(default=None, description="a title for people; the file's name without it")
    licence: str = Field(default="not stated", description="licence of the weights, such as CC BY 4.0")
    credits: tuple[str, ...] = Field(default=(), description="who made what it is trained on, one line each")
    training_data: tuple[str, ...] = Field(
        default=(), description="the data sets, one line each; without, the names of the sources"
    )
    description: str = Field(default="", description="a sentence or two")


class TrainingFile(Settings):
    """A training: only `config` must be there; what is left out is chosen by how much music there is, and told."""

    config: Annotated[str, BeforeValidator(_config)] = Field(
        description="name of the network's config, like performance or drum_kit",
        examples=["performance"],
        json_schema_extra={"enum": list[JsonValue](trainable())},
    )
    dataset: DatasetFile = Field(default=DatasetFile(), description="what of the music it is trained on")
    sizes: SizesFile = Field(default=SizesFile(), description="sizes of the network")
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = Field(
        default="auto", description="excerpts per batch; auto: by memory and by how much music there is"
    )
    steps: int | None = Field(
        default=None,
        ge=16,
        le=8192,
        description="length of an excerpt, in sixteenths on a grid, else in events; autoencoders have their own",
    )
    batches: int | None = Field(
        default=None, ge=1, le=10_000_000, description="how many; the learning rate falls over them"
    )
    learning_rate: float | None = Field(default=None, gt=0, le=10, description="peak of the learning rate of Adam")
    warmup: int | None = Field(default=None, ge=0, description="batches over which the learning rate rises")
    clip: float = Field(default=1.0, gt=0, description="bound on the global norm of the gradient")
    dropout: float | None = Field(default=None, ge=0, lt=1, description="share of outputs dropped between layers")
    evaluate_every: int | None = Field(default=None, ge=1, description="batches between two held-out evaluations")
    patience: int | None = Field(
        default=None, ge=1, description="evaluations without a better held-out loss after which it stops"
    )
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="of weights, batches and dropout")
    source_weights: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={}, description="factors on how often sources are drawn, by the name of the source"
    )
    beta: float | None = Field(default=None, ge=0, description="autoencoders: weight of the KL divergence")
    free_bits: float | None = Field(
        default=None, ge=0, description="autoencoders: bits of the KL divergence that cost nothing"
    )
    sampling: float = Field(
        default=0.5, ge=0, le=1, description="autoencoders: share of events that the decoder is not told but samples"
    )
    start: str | None = Field(
        default=None,
        description="weights to go on from: the name of shipped ones, or a weights file; they decide the sizes",
        examples=["performance"],
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32",
        description="of the factors of products of TensorFlow on a CPU; bfloat16 is up to 1.6 times as fast",
    )
    card: CardFile = Field(default=CardFile(), description="what the weights file says of itself")
    cpu_hours: float | None = Field(default=None, gt=0, description="recipes: what it took, on one core of a CPU")
    expected: dict[str, float] = Field(default={}, description="recipes: figures that it comes to, by their names")


def find_settings(name: str) -> tuple[str, TrainingFile | None, list[Diagnostic]]:
    """The settings that a command line names.

    Args:
        name: a config; the path of a YAML file; or a recipe, such as "recipes/drum_kit".

    Returns:
        What a run and its weights are called after it, the settings, and what is wrong with the file; the settings are
        None if anything is.

    Raises:
        PerpetuumError: there is no such config and no such file, or it cannot be read.
    """
    path = Path(name)
    if name in CONFIGS and not path.is_file():
        if name not in trainable():
            raise PerpetuumError(
                f"networks of {name} cannot be trained yet, only imported (see docs/checkpoints.md)",
                f"Those that can be trained are {', '.join(trainable())}.",
            )
        return name, TrainingFile(config=name), []
    if not path.is_file():
        if configs := [config for config in trainable() if CONFIGS[config].family == name]:
            raise PerpetuumError(f"{name} is a family of networks; say which one", f"Take {listed(configs)}.")
        recipe = RECIPES / f"{path.stem}.yaml"
        if path.parent.name != RECIPES.name or not recipe.is_file():
            known = [*trainable(), *(f"recipes/{found.stem}" for found in sorted(RECIPES.glob("*.yaml")))]
            near = nearest(name, known)
            raise PerpetuumError(
                f"{name!r} is no config that can be trained, and there is no such file",
                f"Did you mean {near}?" if near else f"Take the path of a YAML file, or one of {', '.join(known)}.",
            )
        path = recipe
    settings, found = read_settings(path)
    return path.stem, settings, found


def read_settings(path: Path) -> tuple[TrainingFile | None, list[Diagnostic]]:
    """A training's file, and all that is wrong with it; None if anything is.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    source = SourceFile.read(path)
    settings: TrainingFile | Problem | None = None
    try:
        node = parse(source)
        if not source.ours:
            source.found.clear()
            source.error(Span(0, 1), "this is no training", "a YAML file, NAME.yaml, with a `config`")
            raise UnreadableError
        settings = validate(TrainingFile, node, source, "the training", Span(0, 1))
        if isinstance(settings, TrainingFile):
            _check_sizes(settings, node, source)
            _check_shares(settings, node, source)
    except UnreadableError:
        pass
    found = sorted(source.found, key=lambda one: (one.line, one.column, one.message))
    return (settings if source.sound and isinstance(settings, TrainingFile) else None), found


def _check_sizes(settings: TrainingFile, node: Node, source: SourceFile) -> None:
    """Note sizes that networks of this kind do not have."""
    is_vae = isinstance(CONFIGS[settings.config], VaeConfig)
    right = ("encoder", "decoder", "latent") if is_vae else ("layers",)
    sizes = node.get("sizes") if isinstance(node, MapNode) else None
    for name in settings.sizes.given():
        if name not in right and isinstance(sizes, MapNode):
            kind = "an autoencoder" if is_vae else "no autoencoder"
            source.error(sizes.key(name).span, f"`{name}`: {settings.config} is {kind}", listed(right))
    layers = settings.sizes.layers or ()
    if CONFIGS[settings.config].family == "ensemble" and len(layers) > 1 and isinstance(sizes, MapNode):
        said = f"`layers`: {settings.config} has one layer, not {len(layers)}"
        source.error(sizes.key("layers").span, said, "one number, like [160]")


def _check_shares(settings: TrainingFile, node: Node, source: SourceFile) -> None:
    """Note shares of pieces that leave none to train on."""
    dataset = node.get("dataset") if isinstance(node, MapNode) else None
    named = [name for name in ("validation", "test") if name in settings.dataset.model_fields_set]
    if settings.dataset.validation + settings.dataset.test >= 1 and named and isinstance(dataset, MapNode):
        said = "`validation` and `test` together leave nothing to train on"
        source.error(dataset.key(named[-1]).span, said, "smaller shares")


def training_schema() -> str:
    """The JSON Schema (draft 7) of a training's file, for editors."""
    from engine.scenes.schema.json_schema import file_schema

    return json.dumps(file_schema(TrainingFile, "Perpetuum training"), indent=2, ensure_ascii=False) + "\n"

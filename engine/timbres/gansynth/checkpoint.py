# pyright: strict
"""Magenta's checkpoints of GANSynth, as published: `experiment.json` beside folders `stage_00000` to `stage_00012`.

A checkpoint holds discriminator, optimizer and, for each weight of the generator, its moving average, which alone is
played. Everything is read by the bounded reader of `engine.networks.checkpoints`: no graph is built and nothing run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.checkpoints.files import Checkpoint, damaged, open_checkpoint
from engine.networks.checkpoints.wire import MalformedError
from engine.timbres.gansynth.configuration import FILE, Configuration, read_configuration
from engine.timbres.gansynth.pitches import PITCHES
from engine.timbres.gansynth.spectra.mel import Array

CHANNELS = 2
"""Of the image that is made: magnitude and instantaneous frequency."""
KERNEL = (3, 3)
"""Size of all kernels but the first, which is as large as the first image."""
LAYERS = ("conv0", "conv1", "to_rgb")
_SCOPE = "Generator/progressive_gan_generator/progressive_gan_block_"
_AVERAGE = "/ExponentialMovingAverage"
_STAGE = re.compile(r"stage_(\d{1,9})")
_STEP = "global_step"
_LARGEST_IMAGE = 2**24
"""Numbers of the last level's image, over all its filters: four times those of the released networks."""
_WHAT_FITS = (
    f"Give the folder of an unpacked checkpoint of GANSynth, such as acoustic_only, with {FILE} and stage_... folders."
)


@dataclass(frozen=True)
class GeneratorWeights:
    """The weights of a generator and what they mean.

    Attributes:
        configuration: see there.
        weights: by layer ("block_1/conv0/kernel", ".../bias"), float32.
        latent_size: numbers of a latent vector.
        start: (height, width) of the first level's image.
        blocks: levels of the network.
        progress: see `Configuration.progress`.
        remarks: sentences about what was chosen.
    """

    configuration: Configuration
    weights: Mapping[str, Array]
    latent_size: int
    start: tuple[int, int]
    blocks: int
    progress: float
    remarks: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """Of a spectrum."""
        return self.start[0] << (self.configuration.num_resolutions - 1)

    @property
    def bins(self) -> int:
        """Of a spectrum's frame."""
        return self.start[1] << (self.configuration.num_resolutions - 1)

    def level_share(self, block: int) -> float:
        """How much of what a level shows is in the image, 0..1."""
        return max(0.0, min(self.progress - (block - 2), block - self.progress))


def open_generator(folder: Path) -> GeneratorWeights:
    """Read the generator of a checkpoint.

    Args:
        folder: with `experiment.json` and the stages, or one of the stages.

    Raises:
        PerpetuumError: there is none, it is damaged, or of a kind that is not played here.
    """
    stage = _stage_of(folder)
    configuration, remarks = _configuration_of(stage)
    checkpoint = open_checkpoint(stage)
    try:
        return _read(checkpoint, configuration, remarks)
    except (MalformedError, MemoryError) as error:
        raise damaged(checkpoint.path, error) from error


def look_into(folder: Path) -> None:
    """Find out, without reading the weights, whether a folder is a checkpoint that can be played.

    Raises:
        PerpetuumError: as `open_generator`, but for what only the weights show.
    """
    stage = _stage_of(folder)
    configuration, _ = _configuration_of(stage)
    checkpoint = open_checkpoint(stage)
    try:
        _known(checkpoint, configuration)
    except (MalformedError, MemoryError) as error:
        raise damaged(checkpoint.path, error) from error


def checkpoint_files(folder: Path) -> tuple[Path, ...]:
    """The files that a generator is read from: they decide what is heard.

    Raises:
        PerpetuumError: as `open_generator`.
    """
    stage = _stage_of(folder)
    file = stage.parent / FILE
    return (*((file,) if file.exists() else ()), *open_checkpoint(stage).files)


def _configuration_of(stage: Path) -> tuple[Configuration, tuple[str, ...]]:
    file = stage.parent / FILE
    if file.exists():
        return read_configuration(file), ()
    remark = f"{stage.parent} has no {FILE}: taken for a network of mel spectra as Magenta published them"
    return Configuration(), (remark,)


def _stage_of(folder: Path) -> Path:
    """The folder of the last stage."""
    try:
        if not folder.is_dir():
            what = "a file" if folder.exists() else "not there"
            raise PerpetuumError(f"{folder}: {what}, not a checkpoint of GANSynth", _WHAT_FITS)
        if _STAGE.fullmatch(folder.resolve().name):
            return folder.resolve()
        stages = {int(match[1]): path for path in folder.iterdir() if (match := _STAGE.fullmatch(path.name))}
    except (OSError, ValueError) as error:
        raise PerpetuumError(f"{folder}: cannot be read ({error})", _WHAT_FITS) from error
    if not stages:
        inside = [path.name for path in folder.iterdir() if path.is_dir() and any(path.glob("stage_*"))]
        hint = f"Perhaps {folder / inside[0]} is meant." if inside else _WHAT_FITS
        raise PerpetuumError(f"{folder}: no checkpoint of GANSynth (no stage_... folders in it)", hint)
    return stages[max(stages)]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the list of variables says.

    Attributes:
        names: of each weight in the file, by what we call it.
        latent_size: see `GeneratorWeights`.
        start: likewise.
        blocks: likewise.
    """

    names: Mapping[str, str]
    latent_size: int
    start: tuple[int, int]
    blocks: int


def _known(checkpoint: Checkpoint, configuration: Configuration) -> _Known:
    variables = checkpoint.source.variables
    first = f"{_SCOPE}1/conv0/conv2d/kernel"
    if first not in variables:
        raise PerpetuumError(f"{checkpoint.path}: has no generator of GANSynth ({first})", _WHAT_FITS)
    if first + _AVERAGE not in variables:
        raise PerpetuumError(
            f"{checkpoint.path}: has no moving averages of its weights ({first + _AVERAGE}), which are what is played",
            "Take a checkpoint as training wrote it.",
        )
    blocks = 1
    while f"{_SCOPE}{blocks + 1}/conv0/conv2d/kernel" in variables:
        blocks += 1
    names = {
        f"block_{block}/{layer}/{weight}": f"{_SCOPE}{block}/{layer}/{stored}{_AVERAGE}"
        for block in range(1, blocks + 1)
        for layer in LAYERS
        for weight, stored in (("kernel", "conv2d/kernel"), ("bias", "bias"))
    }
    for stored in names.values():
        if stored not in variables:
            raise MalformedError(f"variable {stored!r} is missing")
    shapes = {name: variables[stored].shape for name, stored in names.items()}
    height, width, inputs, _ = _checked(shapes, blocks)
    latent = inputs - len(PITCHES)
    _agree(checkpoint.path, configuration, (height, width), latent, shapes, blocks)
    return _Known(names, latent, (height, width), blocks)


def _read(checkpoint: Checkpoint, configuration: Configuration, remarks: tuple[str, ...]) -> GeneratorWeights:
    known = _known(checkpoint, configuration)
    names, blocks = known.names, known.blocks
    step = _step(checkpoint)
    read = checkpoint.source.read(names.values())
    weights = {name: read[stored] for name, stored in names.items()}
    for name, numbers in weights.items():
        if numbers.dtype != np.float32 or not np.isfinite(numbers).all():
            raise MalformedError(f"variable {names[name]!r} has what is no finite number")
    progress = configuration.progress(step, blocks)
    return GeneratorWeights(configuration, weights, known.latent_size, known.start, blocks, progress, remarks)


def _checked(shapes: Mapping[str, tuple[int, ...]], blocks: int) -> tuple[int, ...]:
    """The shape of the first kernel, when all shapes fit each other.

    Raises:
        MalformedError: they do not.
    """
    first = shapes["block_1/conv0/kernel"]
    if len(first) != 4 or min(first) < 1 or first[2] <= len(PITCHES):
        raise MalformedError(f"block 1 begins with a kernel of shape {list(first)}")
    inputs = first[2]
    for block in range(1, blocks + 1):
        filters = (shapes[f"block_{block}/conv0/bias"] or (0,))[0]
        begin = first[:2] if block == 1 else KERNEL
        wanted = {
            "conv0": (*begin, inputs, filters),
            "conv1": (*KERNEL, filters, filters),
            "to_rgb": (1, 1, filters, CHANNELS),
        }
        for layer, shape in wanted.items():
            for weight, expected in (("kernel", shape), ("bias", shape[-1:])):
                found = shapes[f"block_{block}/{layer}/{weight}"]
                if found != expected or min(expected) < 1:
                    raise MalformedError(
                        f"{weight} of block {block}, {layer}, has the shape {list(found)}, not {list(expected)}"
                    )
        inputs = filters
    return first


def _agree(
    path: Path,
    configuration: Configuration,
    start: tuple[int, int],
    latent: int,
    shapes: Mapping[str, tuple[int, ...]],
    blocks: int,
) -> None:
    """Refuse weights that are not those of their configuration, or too large for any."""
    said = {
        "latent_vector_size": (configuration.latent_vector_size, latent),
        "start_height": (configuration.start_height, start[0]),
        "start_width": (configuration.start_width, start[1]),
    }
    for key, (stated, found) in said.items():
        if stated is not None and stated != found:
            raise PerpetuumError(
                f"{path}: its weights have {key} {found}, and {FILE} says {stated}",
                "The two files are of different checkpoints: copy both from the same place.",
            )
    resolutions = configuration.num_resolutions
    if blocks > resolutions:
        raise PerpetuumError(f"{path}: has {blocks} levels, and {FILE} says num_resolutions {resolutions}")
    frames, bins = (size << (resolutions - 1) for size in start)
    filters = shapes[f"block_{blocks}/conv1/bias"][0]
    if bins & (bins - 1) or not 16 <= bins <= 4096 or frames > 4096:
        raise MalformedError(f"its spectra have the size {frames} x {bins}, which none can be made of")
    if max(frames * bins * filters, frames * bins * CHANNELS) > _LARGEST_IMAGE:
        raise MalformedError(f"its last level has {filters} images of {frames} x {bins}, more than is played here")
    hop = bins // 2
    if hop * (frames - 1) + 2 * bins < configuration.audio_length:
        raise MalformedError(f"{frames} frames of {bins} bins are too few for {configuration.audio_length} samples")


def _step(checkpoint: Checkpoint) -> int:
    variable = checkpoint.source.variables.get(_STEP)
    if variable is None or variable.shape != () or variable.dtype not in ("int32", "int64"):
        raise MalformedError("it does not say how many images it was trained on (global_step)")
    return int(checkpoint.source.read([_STEP])[_STEP])

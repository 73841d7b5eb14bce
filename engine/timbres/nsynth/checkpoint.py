# pyright: strict
"""Checkpoints of NSynth, as Magenta published `wavenet-ckpt` and as a training of its own leaves them.

A training leaves three things for each weight: its raw value, the optimizer's, and a moving average. The original plays
the raw values, and so do we; the averages are an option. Only what is asked for is read: who encodes needs no decoder.
Everything goes through the bounded reader of `engine.networks.checkpoints`: no graph is built and nothing run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import PerpetuumError
from engine.networks.checkpoints.files import Checkpoint, damaged, open_checkpoint
from engine.networks.checkpoints.names import stranger
from engine.networks.checkpoints.wire import MalformedError
from engine.timbres.nsynth.decoder import WaveDecoder
from engine.timbres.nsynth.encoder import WaveEncoder
from engine.timbres.nsynth.layout import STAGES, Shape, WaveNetLayout, read_layout

AVERAGE = "/ExponentialMovingAverage"
WHAT_FITS = (
    "Give Magenta's wavenet-ckpt (its folder, its .tar, or a prefix such as wavenet-ckpt/model.ckpt-200000), "
    "or the checkpoint of a training of NSynth's WaveNet."
)


@dataclass(frozen=True)
class Autoencoder:
    """A checkpoint of an autoencoder that fits; its weights are read when a half of it is asked for.

    Attributes:
        checkpoint: where they are.
        layout: its sizes.
        averages: the moving averages of a training are taken instead of the raw weights.
        remarks: sentences about what was chosen on the user's behalf.
    """

    checkpoint: Checkpoint
    layout: WaveNetLayout
    averages: bool = False
    remarks: tuple[str, ...] = ()

    def encoder(self) -> WaveEncoder:
        """The half that hears; the other one is not read.

        Raises:
            PerpetuumError: its weights are damaged.
        """
        return WaveEncoder(self._read(self.layout.encoder_shapes()), self.layout)

    def decoder(self) -> WaveDecoder:
        """The half that plays; the other one is not read.

        Raises:
            PerpetuumError: its weights are damaged.
        """
        return WaveDecoder(self._read(self.layout.decoder_shapes()), self.layout)

    def digest(self) -> str:
        """What tells these weights from others: a hash of the file that lists them, with a checksum of each in it.

        Raises:
            PerpetuumError: it cannot be read any more.
        """
        digest = hashlib.sha256(repr((self.layout, self.averages)).encode())
        try:
            with self.checkpoint.files[0].open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise PerpetuumError(f"{self.checkpoint.path}: cannot be read ({error.strerror or error})") from error
        return digest.hexdigest()

    def _read(self, names: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        stored = {name: name + AVERAGE * self.averages for name in names}
        try:
            read = self.checkpoint.source.read(stored.values())
            for name in stored.values():
                if read[name].dtype != np.float32 or not np.isfinite(read[name]).all():
                    raise MalformedError(f"variable {name!r} has what is no finite number")
        except (MalformedError, MemoryError) as error:
            raise damaged(self.checkpoint.path, error) from error
        return {name: read[found] for name, found in stored.items()}


def open_model(
    path: Path, stages: int = STAGES, encoder_stages: int | None = None, averages: bool = False
) -> Autoencoder:
    """Open a checkpoint, and see whether it is one of NSynth's WaveNet.

    Args:
        path: a folder, a prefix without ending, an index or a tar file.
        stages: layers after which dilations begin anew, which no checkpoint says; 10 in all that were published.
        encoder_stages: the same of the encoder, where it differs.
        averages: take the moving averages of a training instead of the raw weights.

    Raises:
        PerpetuumError: it is none, it is damaged, or it has no averages.
    """
    checkpoint = open_checkpoint(path)
    variables = checkpoint.source.variables
    if "startconv/W" not in variables or "ae_startconv/W" not in variables:
        what = stranger(variables)
        halves = "a checkpoint without the two halves (startconv, ae_startconv)"
        known = halves if what is None or what.startswith("an NSynth") else f"{what} checkpoint"
        raise PerpetuumError(f"{path}: {known}, not NSynth's WaveNet autoencoder", WHAT_FITS)
    shapes: dict[str, Shape] = {name: variable.shape for name, variable in variables.items()}
    has_averages = f"startconv/W{AVERAGE}" in variables
    if averages and not has_averages:
        raise PerpetuumError(
            f"{path}: has no moving averages of its weights", "Only checkpoints of trainings do: leave the option out."
        )
    if averages:
        shapes |= {name.removesuffix(AVERAGE): shape for name, shape in shapes.items() if name.endswith(AVERAGE)}
    try:
        layout = read_layout(shapes, stages, encoder_stages)
        _check_size(checkpoint, layout, AVERAGE * averages)
    except MalformedError as error:
        raise damaged(path, error) from error
    except ValueError as error:
        raise PerpetuumError(f"{path}: not NSynth's WaveNet autoencoder: {error}", WHAT_FITS) from error
    return Autoencoder(checkpoint, layout, averages, tuple(_remarks(layout, averages, has_averages)))


def _check_size(checkpoint: Checkpoint, layout: WaveNetLayout, ending: str) -> None:
    """Refuse variables that lie over each other: more numbers than the files have would come out of them."""
    variables = checkpoint.source.variables
    total = 0
    for name in (*layout.encoder_shapes(), *layout.decoder_shapes()):
        variable = variables.get(name + ending)
        if variable is None:
            raise MalformedError(f"variable {name + ending!r} is missing")
        if not variable.dtype.startswith(("float", "bfloat")):
            raise MalformedError(f"variable {name + ending!r} has no real numbers")
        total += variable.size
    if total > checkpoint.size:
        raise MalformedError("its variables have more bytes than its files")


def _remarks(layout: WaveNetLayout, averages: bool, has_averages: bool) -> Iterable[str]:
    if has_averages and not averages:
        yield "a training's checkpoint: its raw weights are taken, as the original does (--averages takes the averages)"
    odd = {layers % stages for layers, stages in _cycles(layout).items()} != {0}
    if odd:
        yield (
            f"{layout.layers} layers are no whole number of cycles of {layout.stages}: if it was trained with other "
            "cycles, say --stages, or what comes out is noise"
        )


def _cycles(layout: WaveNetLayout) -> Mapping[int, int]:
    return {layout.layers: layout.stages, layout.encoder_layers: layout.encoder_stages}

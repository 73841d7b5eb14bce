"""Numbers made with the original Magenta 2.1.4 (TensorFlow 2.9.1), and the weights that they were made with.

`gansynth_small_ckpt` is a checkpoint written by the original's own saver, thinned: of its 312 variables it keeps the
generator's moving averages, beside each of them the raw weight, which differs, and `global_step`; discriminator and
optimizer are gone. It was written again by TensorFlow's own op.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np

from engine.timbres.gansynth.checkpoint import GeneratorWeights
from engine.timbres.gansynth.configuration import Configuration

FOLDER = Path(__file__).resolve().parents[1] / "golden"
SMALL = FOLDER / "gansynth_small_ckpt"
PUBLISHED_FILTERS = (256, 256, 256, 256, 128, 64, 32)


@cache
def gansynth(name: str) -> tuple[dict[str, np.ndarray], dict]:
    """Arrays of a golden, and what it says about them."""
    with np.load(FOLDER / f"gansynth__{name}.npz") as file:
        arrays = {key: file[key] for key in file.files}
    return arrays, json.loads(bytes(arrays.pop("info")).decode())


def made_up_generator(latent_size=256, filters=PUBLISHED_FILTERS, configuration=None, progress=None):
    """A generator with weights drawn as the reference run drew them: seeded by the crc32 of the variable's name."""
    weights, inputs = {}, latent_size + 61
    for block, count in enumerate(filters, 1):
        size = (2, 16) if block == 1 else (3, 3)
        shapes = {"conv0": (*size, inputs, count), "conv1": (3, 3, count, count), "to_rgb": (1, 1, count, 2)}
        for layer, shape in shapes.items():
            scope = f"Generator/progressive_gan_generator/progressive_gan_block_{block}/{layer}"
            weights[f"block_{block}/{layer}/kernel"] = _draw(f"{scope}/conv2d/kernel", shape)
            weights[f"block_{block}/{layer}/bias"] = _draw(f"{scope}/bias", shape[-1:]) * np.float32(0.3)
        inputs = count
    blocks = len(filters)
    progress = blocks - 1.0 if progress is None else progress
    return GeneratorWeights(configuration or Configuration(), weights, latent_size, (2, 16), blocks, progress)


def _draw(name, shape):
    return np.random.RandomState(crc32(name.encode())).standard_normal(shape).astype(np.float32)

"""How near a MusicVAE's decoding comes to its roof: its products at the rate at which large matrices are multiplied.

    python -m benchmarks.decoding [CONFIG...] [--batches 1,8,32] [--rounds 15]

Beside it the same shapes by a plain `numpy.dot`, which is no roof: BLAS copies a matrix anew for each few vectors, and
panels (`engine.networks.products`) are quicker. All in alternation in one run, on one thread, with the weights that are
shipped; the best of all rounds, in seconds of the processor, so that other work on the machine disturbs little. What is
beside the products are gates, chance and choices.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from engine.networks import load_network
from engine.networks.threads import one_thread
from engine.networks.vae.music_vae import MusicVae

_LARGE = 768
"""Rows and columns of a large matrix."""
CONFIGS = ("cat-drums_2bar_small", "cat-mel_2bar_small", "groovae_2bar_humanize")


def products(network: MusicVae, batch: int, steps: int) -> Callable[[], None]:
    """All products with weights of a decoding that depend on the step, with arrays that are there already."""
    (decoder,) = network.decoders
    pairs = [
        (up.matrix, cell.recurrent.matrix) for up, cell in zip(decoder.stack.above, decoder.stack.cells, strict=True)
    ]
    matrices = [matrix for pair in pairs for matrix in pair]
    rng = np.random.default_rng(0)
    vectors = [rng.standard_normal((batch, len(matrix)), np.float32) for matrix in matrices]
    rooms = [np.empty((batch, matrix.shape[1]), np.float32) for matrix in matrices]

    def multiply() -> None:
        for _ in range(steps):
            for vector, matrix, room in zip(vectors, matrices, rooms, strict=True):
                np.dot(vector, matrix, room)

    return multiply


def operations(network: MusicVae, batch: int, steps: int) -> int:
    """Multiplications and additions of these products."""
    stack = network.decoders[0].stack
    numbers = sum(
        up.matrix.size + cell.recurrent.matrix.size for up, cell in zip(stack.above, stack.cells, strict=True)
    )
    return 2 * numbers * batch * steps


def spent(what: Callable[[], object]) -> float:
    """Seconds of the processor that it takes."""
    before = time.process_time()
    what()
    return time.process_time() - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=[*CONFIGS])
    parser.add_argument("--batches", default="1,8,32")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    print("| network | sequences | call ms | plain products ms | roof ms | share of the roof |")
    print("|---|---:|---:|---:|---:|---:|")
    square = np.random.default_rng(0).standard_normal((_LARGE, _LARGE), np.float32)
    room = np.empty_like(square)
    for config in asked.configs:
        network = load_network(f"engine/weights/{config}.safetensors", config)
        assert isinstance(network, MusicVae)
        steps = network.config.steps
        for batch in map(int, asked.batches.split(",")):
            z = np.random.default_rng(1).standard_normal((batch, network.latent_size), np.float32)
            alone = products(network, batch, steps)

            def whole(z: np.ndarray = z, network: MusicVae = network) -> None:
                network.decode(z, temperature=1.0, rng=np.random.default_rng(2))

            with one_thread():
                rounds = [
                    (spent(whole), spent(alone), spent(lambda: np.dot(square, square, room)))
                    for _ in range(asked.rounds)
                ]
            call, plain, large = (min(column) for column in zip(*rounds, strict=True))
            roof = large * operations(network, batch, steps) / (2 * _LARGE**3)
            figures = f"{call * 1e3:.2f} | {plain * 1e3:.2f} | {roof * 1e3:.2f} | {roof / call:.0%}"
            print(f"| {config} | {batch} | {figures} |", flush=True)


if __name__ == "__main__":
    main()

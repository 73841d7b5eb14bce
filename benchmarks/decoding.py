"""How near a MusicVAE's decoding comes to its roof: its products at the rate at which large matrices are multiplied.

    python -m benchmarks.decoding [CONFIG...] [--batches 1,8,32] [--rounds 15]

Beside it the same shapes by a plain `numpy.dot`, which is no roof: BLAS copies a matrix anew for each few vectors, and
panels (`engine.networks.products`) are quicker. All in alternation in one run, with the weights that are shipped; the
best of all rounds. On one thread in seconds of the processor, so that other work on the machine disturbs little; on all
cores by the clock, beside large products on all cores, which says something of a quiet machine alone. What is beside
the products are gates, chance and choices.
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
_REST = 0.25
"""Seconds after which a thread of BLAS that waits for more to do has gone to sleep: until then it spins, and what it
takes would count."""
_IN_A_ROW = 4
"""Calls on all cores, of which the quickest counts: a core that slept takes milliseconds to be quick again."""
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


def spent(what: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Seconds that it takes."""
    before = clock()
    what()
    return clock() - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=[*CONFIGS])
    parser.add_argument("--batches", default="1,8,32")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    print(
        "| network | sequences | one thread ms | plain products ms | roof ms | share | all cores ms | roof ms | share |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    square = np.random.default_rng(0).standard_normal((_LARGE, _LARGE), np.float32)
    room = np.empty_like(square)

    def large() -> None:
        np.dot(square, square, room)

    for config in asked.configs:
        network = load_network(f"engine/weights/{config}.safetensors", config)
        assert isinstance(network, MusicVae)
        steps = network.config.steps
        for batch in map(int, asked.batches.split(",")):
            z = np.random.default_rng(1).standard_normal((batch, network.latent_size), np.float32)
            alone = products(network, batch, steps)

            def whole(z: np.ndarray = z, network: MusicVae = network) -> None:
                network.decode(z, temperature=1.0, rng=np.random.default_rng(2))

            rounds = []
            for _ in range(asked.rounds):
                with one_thread():
                    by_one = spent(whole), spent(alone), spent(large)
                by_all = min(spent(whole, time.perf_counter) for _ in range(_IN_A_ROW))
                rounds.append((*by_one, by_all, spent(large, time.perf_counter)))
                time.sleep(_REST)
            call, plain, rate, call_of_all, rate_of_all = (min(column) for column in zip(*rounds, strict=True))
            roof, roof_of_all = (
                one * operations(network, batch, steps) / (2 * _LARGE**3) for one in (rate, rate_of_all)
            )
            figures = f"{call * 1e3:.2f} | {plain * 1e3:.2f} | {roof * 1e3:.2f} | {roof / call:.0%}"
            figures += f" | {call_of_all * 1e3:.2f} | {roof_of_all * 1e3:.2f} | {roof_of_all / call_of_all:.0%}"
            print(f"| {config} | {batch} | {figures} |", flush=True)


if __name__ == "__main__":
    main()

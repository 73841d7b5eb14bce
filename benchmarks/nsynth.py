"""How fast NSynth plays and hears, beside what this machine allows.

    python -m benchmarks.nsynth --rounds 9                # on a quiet machine: two minutes
    python -m benchmarks.nsynth --quick --threads 1       # where others work, too: one thread of ours, and its roof

A step that plays one sample reads every weight once and uses it once for each note, so its roof is the longer of two
times: bytes of the weights over the rate at which a vector times a matrix of as many bytes reads them, and operations
over the rate of large products. Both rates, and ours, are measured in alternation, on the published sizes with weights
drawn at random. What came before the present sample is in part computed for many steps at once, which reads its weights
less often: so the first roof can be passed. `OPENBLAS_CORETYPE` and `OPENBLAS_L2_SIZE` should not be set.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import click
import numpy as np
from threadpoolctl import threadpool_limits

from engine.networks.threads import one_thread
from engine.timbres.nsynth.decoder import WaveDecoder, WaveSteps
from engine.timbres.nsynth.encoder import WaveEncoder
from engine.timbres.nsynth.layout import CHANNELS, RATE, WaveNetLayout
from engine.timbres.nsynth.playing import THREADS

PUBLISHED = WaveNetLayout(layers=30, width=512, skip_width=256, encoder_layers=30, encoder_width=128)
STEPS = {1: 256, 8: 64, 64: 16}
"""Steps of a round by notes of a batch: as many as the longest look-ahead, or more."""
_SIDE = 1536


def _drawn(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        name: random.standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(np.prod(shape[:-1]) or 10))
        for name, shape in shapes.items()
    }


def _numbers(shapes: dict[str, tuple[int, ...]]) -> int:
    """Multiplications of a step: numbers in the kernels, but those of the conditioning, which is that of a frame."""
    return sum(int(np.prod(shape)) for name, shape in shapes.items() if name.endswith("/W") and "cond_map" not in name)


class Rates:
    """Bytes and operations a second, the best that was seen on one thread or on so many."""

    def __init__(self, size: int, threads: int) -> None:
        self._threads = {1, threads}
        self._matrix = np.full((size // (4 * 8192), 8192), 0.5, np.float32)
        self._vector, self._below = np.ones(len(self._matrix), np.float32), np.empty(8192, np.float32)
        self._square, self._out = np.full((_SIDE, _SIDE), 0.5, np.float32), np.empty((_SIDE, _SIDE), np.float32)
        self.bandwidth, self.rate = 0.0, 0.0

    def measure(self) -> None:
        """Measure once more."""
        for threads in self._threads:
            with threadpool_limits(threads, user_api="blas"):
                for _ in range(2):
                    seconds = timed(lambda: np.dot(self._vector, self._matrix, out=self._below))
                    self.bandwidth = max(self.bandwidth, self._matrix.nbytes / seconds)
                    seconds = timed(lambda: np.dot(self._square, self._square, out=self._out))
                    self.rate = max(self.rate, 2 * _SIDE**3 / seconds)


def timed(work: Callable[[], object]) -> float:
    """Seconds that some work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class Batch:
    """So many notes, dealt to threads as `engine.timbres.nsynth.playing` does."""

    def __init__(self, decoder: WaveDecoder, notes: int, threads: int) -> None:
        count = min(threads, notes)
        self.steps = STEPS[notes]
        self._players = [WaveSteps(decoder, notes // count) for _ in range(count)]
        random = np.random.default_rng(1)
        for player in self._players:
            player.condition(random.standard_normal((player.batch, CHANNELS), dtype=np.float32))

    def play(self) -> None:
        """Play some steps."""
        with one_thread(), ThreadPoolExecutor(len(self._players)) as pool:
            for finished in [pool.submit(self._steps, player) for player in self._players]:
                finished.result()

    def _steps(self, player: WaveSteps) -> None:
        inputs = np.zeros(player.batch, np.float32)
        for _ in range(self.steps):
            player.step(inputs)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(1), help="Rounds of alternation.")
@click.option("--quick", is_flag=True, help="Two rounds.")
@click.option("--threads", default=THREADS, show_default=True, type=click.IntRange(1), help="Of ours, and of the roof.")
def main(rounds: int, quick: bool, threads: int) -> None:
    """Measure how fast NSynth plays and hears, beside what this machine allows."""
    rounds = 2 if quick else rounds
    shapes = PUBLISHED.decoder_shapes()
    decoder = WaveDecoder(_drawn(shapes), PUBLISHED)
    encoder = WaveEncoder(_drawn(PUBLISHED.encoder_shapes()), PUBLISHED)
    kernels = _numbers(shapes)
    rates = Rates(4 * kernels, threads)
    batches = {notes: Batch(decoder, notes, threads) for notes in STEPS}
    wave = np.random.default_rng(2).uniform(-0.5, 0.5, 4 * RATE).astype(np.float32)
    for batch in batches.values():
        batch.play()
    wall: dict[int, list[float]] = {notes: [] for notes in batches}
    cpu: dict[int, list[float]] = {notes: [] for notes in batches}
    heard: list[tuple[float, float]] = []
    for _ in range(rounds):
        rates.measure()
        for notes, batch in batches.items():
            begun = time.process_time()
            wall[notes].append(timed(batch.play) / batch.steps)
            cpu[notes].append((time.process_time() - begun) / batch.steps)
        begun = time.process_time()
        with threadpool_limits(threads, user_api="blas"):
            seconds = timed(lambda: encoder.encode(wave))
        heard.append((seconds, time.process_time() - begun))
    load = os.getloadavg()[0]
    click.echo(f"roof: {rates.bandwidth / 1e9:.1f} GB/s, {rates.rate / 1e9:.0f} GFLOP/s; load {load:.1f}")
    click.echo("notes  steps/s best (median)  samples/s  roof steps/s  of the roof  CPU ms/step")
    for notes in batches:
        roof = 1 / max(4 * kernels / rates.bandwidth, 2 * kernels * notes / rates.rate)
        best, median = 1 / min(wall[notes]), 1 / float(np.median(wall[notes]))
        click.echo(
            f"{notes:5}  {best:7.1f} ({median:6.1f})  {notes * best:18.0f}  {roof:12.1f}  {best / roof:11.0%}"
            f"  {1000 * min(cpu[notes]):11.1f}"
        )
    work = 2 * _numbers(PUBLISHED.encoder_shapes()) * len(wave)
    best = min(seconds for seconds, _ in heard)
    click.echo(
        f"hearing 4 s: {best:.2f} s best, {float(np.median([seconds for seconds, _ in heard])):.2f} s median, "
        f"{min(cpu for _, cpu in heard):.2f} CPU s; products alone would take {work / rates.rate:.2f} s"
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    click.echo(f"memory: {memory:.0f} MB at most, with 73 notes and the roof's matrices")


if __name__ == "__main__":
    main()

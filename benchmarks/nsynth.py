"""How fast NSynth plays and hears, beside what this machine allows.

    python -m benchmarks.nsynth --rounds 9                # on a quiet machine: two minutes
    python -m benchmarks.nsynth --quick --threads 1       # where others work, too: look at the processor's time

A step that plays one sample reads every weight once and uses it once for each note, so its roof is the longer of two
times: bytes of the weights over the best rate at which as many bytes are read, and operations over the best rate of
products, large ones or small ones in the cache. Both rates, and ours, are measured in alternation, on the published
sizes with weights drawn at random, by the clock and in time of the processor; the roof is that of the best rates of the
whole run, the shares are those of our best and our median. What came before the present sample is in part computed for
many steps at once, which reads its weights less often: so the first roof can be passed. Hearing may pass that of its
multiplications, since it makes fewer (`engine.timbres.nsynth.encoder`). By the clock, a machine that others use says
little; in time of the processor, several threads say little, because each of them reads all weights.
`OPENBLAS_CORETYPE` and `OPENBLAS_L2_SIZE` should not be set.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import click
import numpy as np
from threadpoolctl import threadpool_limits

from engine.networks.products import in_panels, panel_product
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


@dataclass
class Rate:
    """The best rates of anything, per second of the clock and of the processor."""

    wall: float = 0.0
    cpu: float = 0.0

    def see(self, work: float, watch: tuple[float, float]) -> None:
        """Take note of some work and the seconds that it took."""
        self.wall, self.cpu = max(self.wall, work / watch[0]), max(self.cpu, work / watch[1])


class Rates:
    """Bytes and operations a second, the best that was seen: by the clock on one thread or on so many, in time of the
    processor on one."""

    def __init__(self, size: int, threads: int) -> None:
        self._threads = sorted({1, threads})
        self._matrix = np.full((size // (4 * 8192), 8192), 0.5, np.float32)
        self._vector, self._below = np.ones(len(self._matrix), np.float32), np.empty(8192, np.float32)
        self._square, self._out = np.full((_SIDE, _SIDE), 0.5, np.float32), np.empty((_SIDE, _SIDE), np.float32)
        panels = np.ascontiguousarray(in_panels(np.full((512, 512), 0.5, np.float32)))
        self._near = panel_product(panels, np.empty((64, 512), np.float32), np.ones((64, 512), np.float32))
        self.bytes, self.operations = Rate(), Rate()

    def measure(self) -> None:
        """Measure once more."""
        flat = self._matrix.reshape(-1)
        for threads in self._threads:
            with threadpool_limits(threads, user_api="blas"):
                self.bytes.see(self._matrix.nbytes, timed(lambda: np.dot(self._vector, self._matrix, out=self._below)))
                self.bytes.see(self._matrix.nbytes, timed(lambda: np.dot(flat, flat)))
                self.operations.see(2 * _SIDE**3, timed(lambda: np.dot(self._square, self._square, out=self._out)))
        with threadpool_limits(1, user_api="blas"):
            alone = timed(lambda: [self._near() for _ in range(40)])
        # What one thread does in its own cache, as many threads do at once, each in its own.
        self.operations.see(40 * 2 * 64 * 512**2, (alone[0] / self._threads[-1], alone[1]))

    def seconds(self, size: int, operations: int) -> tuple[float, float]:
        """The least time that some work takes, by the clock and of the processor."""
        return (
            max(size / self.bytes.wall, operations / self.operations.wall),
            max(size / self.bytes.cpu, operations / self.operations.cpu),
        )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds that some work takes, by the clock and of the processor."""
    begun = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun[0], time.process_time() - begun[1]


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


def _tell(what: str, times: list[tuple[float, float]], roof: tuple[float, float]) -> None:
    """Say how long something took beside its roof: best, median and shares of either."""
    told: list[str] = []
    for which, clock in enumerate(("by the clock", "of the processor")):
        best, median = (1000 * float(pick([each[which] for each in times])) for pick in (min, np.median))
        least = 1000 * roof[which]
        told.append(
            f"{best:.1f} ms {clock} (median {median:.1f}), roof {least:.1f}: {least / best:.0%} ({least / median:.0%})"
        )
    click.echo(f"{what}: {'; '.join(told)}")


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
    played: dict[int, list[tuple[float, float]]] = {notes: [] for notes in batches}
    heard: list[tuple[float, float]] = []
    for _ in range(rounds):
        for notes, batch in batches.items():
            rates.measure()
            wall, cpu = timed(batch.play)
            played[notes].append((wall / batch.steps, cpu / batch.steps))
        rates.measure()
        with threadpool_limits(threads, user_api="blas"):
            heard.append(timed(lambda: encoder.encode(wave)))
    click.echo(
        f"roof of {threads} threads by the clock, of one in time of the processor: "
        f"{rates.bytes.wall / 1e9:.1f}, {rates.bytes.cpu / 1e9:.1f} GB/s; "
        f"{rates.operations.wall / 1e9:.0f}, {rates.operations.cpu / 1e9:.0f} GFLOP/s; load {os.getloadavg()[0]:.1f}"
    )
    for notes, times in played.items():
        _tell(f"{notes} notes, a step", times, rates.seconds(4 * kernels, 2 * kernels * notes))
    work = 2 * _numbers(PUBLISHED.encoder_shapes()) * len(wave)
    _tell("hearing 4 s", heard, rates.seconds(0, work))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    click.echo(f"memory: {memory:.0f} MB at most, with 73 notes and the roof's matrices")


if __name__ == "__main__":
    main()

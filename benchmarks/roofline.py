"""What the machine could do at most: how fast weights are read, how fast matrices are multiplied.

A step of a recurrent network reads every weight once and uses it for one multiplication and addition per sequence, so
its time is bounded below by bytes over bandwidth and by operations over the rate of large products (Williams et al.,
"Roofline: an insightful visual performance model", 2009). Weights of some megabytes stay in the caches, where reading
is several times faster than from memory: the bandwidth is measured on a working set of the weights' own size.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Work:
    """What one call has to do at least.

    Attributes:
        working_set: bytes that are read again and again.
        bytes: that are read in all.
        operations: multiplications and additions, for all sequences of the batch.
    """

    working_set: int
    bytes: int
    operations: int


def _matrices(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Numbers in each matrix that a step needs; see `work`."""
    needed = {}
    for name, shape in shapes.items():
        if len(shape) < 2 or name.startswith("encoder/"):
            continue
        if name.endswith(("attention_cell_wrapper/kernel", "initial_state/kernel")):
            continue
        rows, columns = shape[-2:] if shape[0] == 1 else (math.prod(shape[:-1]), shape[-1])
        if "cell_0/" in name and name.endswith("lstm_cell/kernel"):
            # The input's rows are left out: one-hot, or the same for a whole sequence (the latent vector).
            units = columns // 4
            inner = "cell_0/attention_cell_wrapper/" in name
            outer = name.startswith("rnn/attention_cell_wrapper/")
            rows = units * (2 if inner or outer else 1)
        needed[name] = rows * columns
    return needed


def work(shapes: Mapping[str, tuple[int, ...]], steps: int, rows: int, size: int = 4) -> Work:
    """The least that a call has to do: each weight once a step.

    Linear maps that follow each other count as one (the attention wrapper's kernel and the LSTM kernel after it), and
    rows of weights whose inputs are zero, or the same through a whole sequence, count as nothing.

    Args:
        shapes: of the network's variables; a MusicVAE counts its decoder alone.
        steps: of the network in a call, each for one or more sequences.
        rows: steps of single sequences.
        size: bytes per number.
    """
    needed = _matrices(shapes)
    # The levels of a hierarchical decoder above the last step once a bar.
    above = sum(count for name, count in needed.items() if "hierarchical_level" in name)
    every = sum(needed.values()) - above
    numbers = every * steps + above * (steps // 16)
    return Work(size * every, size * numbers, 2 * numbers * rows // steps)


class Machine:
    """Rates of this machine, measured when they are first asked for; in bytes and operations a second."""

    def __init__(self, cores: int) -> None:
        self._threads = sorted({1, cores})
        self._bandwidths: dict[int, float] = {}
        self._rate = 0.0

    def bandwidth(self, working_set: int) -> float:
        """Best rate of reading a matrix of about this many bytes, of a vector times a matrix on one or all threads."""
        columns = 1024 if working_set < 32e6 else 8192
        rows = max(working_set // (4 * columns), 1)
        if rows not in self._bandwidths:
            matrix = np.full((rows, columns), 0.5, np.float32)
            down, across = np.ones(rows, np.float32), np.ones(columns, np.float32)
            below, aside = np.empty_like(across), np.empty_like(down)
            repeat = max(1, int(2e7 / matrix.nbytes))

            def products() -> None:
                for _ in range(repeat):
                    np.dot(down, matrix, out=below)

            def transposed() -> None:
                for _ in range(repeat):
                    np.dot(matrix, across, out=aside)

            flat = matrix.reshape(-1)

            def squares() -> None:
                for _ in range(repeat):
                    np.dot(flat, flat)

            best = min(self._best(kernel) for kernel in (products, transposed, squares))
            self._bandwidths[rows] = matrix.nbytes * repeat / best
        return self._bandwidths[rows]

    def rate(self) -> float:
        """Best rate of multiplying large matrices on all threads, multiplications and additions counted singly."""
        if not self._rate:
            size = 768
            matrix = np.full((size, size), 0.5, np.float32)
            self._rate = 2 * size**3 / self._best(lambda: matrix @ matrix)
        return self._rate

    def seconds(self, work: Work) -> float:
        """The least time that some work can take."""
        return max(work.bytes / self.bandwidth(work.working_set), work.operations / self.rate())

    def _best(self, kernel: Callable[[], object]) -> float:
        best = float("inf")
        for threads in self._threads:
            with threadpool_limits(threads, user_api="blas"):
                kernel()
                for _ in range(_ROUNDS):
                    started = time.perf_counter()
                    kernel()
                    best = min(best, time.perf_counter() - started)
        return best

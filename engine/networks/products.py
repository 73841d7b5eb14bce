"""Products of a few vectors with a big matrix, as playing networks need them at every step.

One vector: BLAS reads the matrix once, as it lies in memory, at the speed of memory. A few vectors: a BLAS first copies
the matrix into another order, at every call, which costs several times the product itself; below a million
multiplications OpenBLAS (0.3.17 and later) does without. So the matrix is kept in panels of 64 columns, each in one
piece, and is multiplied piece by piece: four vectors then take as long as one, sixteen as long as four or five.

Threads of BLAS spin while they wait for each other, which on a machine that has other work to do costs more than the
second thread gains. `two_threads` is for big networks: halves of the columns, and a thread that sleeps while it waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import numpy as np

from engine.networks.threads import allowed_threads, one_thread

_PANEL = 64
"""Columns of a panel."""
_SMALL = 1_000_000
"""Multiplications up to which BLAS takes a matrix as it lies."""
_DEEPEST = 2048
"""Rows of a piece at most, so that it stays in the cache while the vectors pass."""
_SHALLOWEST, _FEWEST = 64, 4
"""Rows of a piece and vectors of a group below which calls cost more than they save."""
_HALVED = 2_000_000
"""Numbers of a matrix from which on a second thread gains more than it takes to wake it."""

_second: Executor | None = None


@cache
def _executor() -> Executor:
    return ThreadPoolExecutor(1, "product")


@contextmanager
def two_threads() -> Iterator[None]:
    """Context in which products with big matrices are made by two threads, if so many are allowed; not to be entered by
    two threads at once. The numbers are the same as of one thread."""
    global _second
    several = allowed_threads() > 1
    with one_thread():
        _second = _executor() if several else None
        try:
            yield
        finally:
            _second = None


class Product:
    """Multiplication by a matrix [K, N], float32, quick for any number of vectors.

    Args:
        matrix: used as it is; a copy in panels is made when several vectors come for the first time.

    Attributes:
        matrix: as given.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = matrix
        self._panels: np.ndarray | None = None
        self._cuts: dict[int, tuple[np.ndarray, int] | None] = {}
        self._room = np.empty(0, np.float32)

    def into(self, out: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Write vectors [B, K] times the matrix to `out` [B, N], which lies in one piece, and return it."""
        count = len(vectors)
        if count == 1:
            self._one(out[0], vectors[0])
            return out
        if count not in self._cuts:
            self._cuts[count] = self._cut(count)
        cut = self._cuts[count]
        if cut is None:
            return np.dot(vectors, self.matrix, out)
        pieces, groups = cut
        depth = pieces.shape[3]
        grouped = vectors.reshape(groups, count // groups, -1, depth).transpose(2, 0, 1, 3)
        panels = out.reshape(groups, count // groups, -1, _PANEL).transpose(2, 0, 1, 3)
        if len(self._room) < out.size * pieces.shape[1]:
            self._room = np.empty(out.size * pieces.shape[1], np.float32)
        parts = self._room[: out.size * pieces.shape[1]].reshape(len(pieces), -1, *panels.shape[1:])
        if _second is None or self.matrix.size < _HALVED:
            _multiply(panels, grouped, pieces, parts)
            return out
        half = len(pieces) // 2
        other = _second.submit(_multiply, panels[half:], grouped, pieces[half:], parts[half:])
        _multiply(panels[:half], grouped, pieces[:half], parts[:half])
        other.result()
        return out

    def _one(self, out: np.ndarray, vector: np.ndarray) -> None:
        if _second is None or self.matrix.size < _HALVED:
            np.dot(vector, self.matrix, out)
            return
        # matmul takes a part of the columns as it lies, where dot would copy it.
        half = self.matrix.shape[1] // 2
        other = _second.submit(np.matmul, vector, self.matrix[:, half:], out[half:])
        np.matmul(vector, self.matrix[:, :half], out[:half])
        other.result()

    def _cut(self, count: int) -> tuple[np.ndarray, int] | None:
        """Pieces [panels, n, 1, K / n, 64] of the matrix for so many vectors, and the number of groups that these come
        in; None where BLAS does as well with the matrix as it is."""
        length, columns = self.matrix.shape
        depth, groups = _depth_and_groups(length, count)
        if count * self.matrix.size <= _SMALL or columns % _PANEL or not depth:
            return None
        if self._panels is None:
            panels = self.matrix.reshape(length, -1, _PANEL).transpose(1, 0, 2)
            self._panels = np.ascontiguousarray(panels)
        return self._panels.reshape(columns // _PANEL, -1, 1, depth, _PANEL), groups


def _multiply(panels: np.ndarray, grouped: np.ndarray, pieces: np.ndarray, parts: np.ndarray) -> None:
    """Write products of vectors [n, groups, B, K / n] with pieces [P, n, 1, K / n, 64] to panels [P, groups, B, 64], by
    way of parts [P, n, groups, B, 64]."""
    if pieces.shape[1] == 1:
        np.matmul(grouped[0], pieces[:, 0], out=panels)
    else:
        np.add.reduce(np.matmul(grouped, pieces, out=parts), axis=1, out=panels)


def _depth_and_groups(length: int, count: int) -> tuple[int, int]:
    """Rows of a piece, and groups of vectors, that make products small: the rows by halving, and where that does not
    go on, the vectors in groups of equal size; (0, 1) where neither goes."""
    depth = length
    while depth % 2 == 0 and (depth > _DEEPEST or count * depth * _PANEL > _SMALL) and depth >= 2 * _SHALLOWEST:
        depth //= 2
    for groups in range(1, max(1, count // _FEWEST) + 1):
        if depth <= _DEEPEST and count % groups == 0 and count // groups * depth * _PANEL <= _SMALL:
            return depth, groups
    return 0, 1

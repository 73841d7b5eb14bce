"""Products of a few vectors with a big matrix, as playing networks need them at every step.

One vector: BLAS reads the matrix once, as it lies in memory, at the speed of memory. A few vectors: a BLAS first copies
the matrix into another order, at every call, which costs several times the product itself; below a million
multiplications OpenBLAS (0.3.17 and later) does without where the processor has AVX-512. So the matrix is kept in
panels of 64 columns, each in one piece, and is multiplied piece by piece: four vectors then take as long as one,
sixteen as long as four or five, and many, eight to sixteen at a time, less than in one large product.

Threads of BLAS spin while they wait for each other, which on a machine that has other work to do soon costs more than
the second thread gains. `two_threads` is for big networks: halves of the columns, and a thread that sleeps while it
waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial

import numpy as np

from engine.networks.threads import allowed_threads, blas_kernels, one_thread, second_thread, side_by_side

_PANEL = 64
"""Columns of a panel."""
_SMALL = 1_000_000
"""Multiplications up to which BLAS takes a matrix as it lies."""
_DEEPEST = 2048
"""Rows of a piece at most, so that it stays in the cache while the vectors pass."""
_SHALLOWEST, _FEWEST = 64, 4
"""Rows of a piece and vectors of a group below which calls cost more than they save."""
_GROUP = 8
"""Vectors of a group from which on more of them gain nothing, while pieces of a matrix have to be added up."""
_KERNELS = frozenset({"SkylakeX", "Cooperlake", "SapphireRapids"})
"""Of OpenBLAS, those that take a small matrix as it lies."""
_HALVED = 2_000_000
"""Numbers of a matrix from which on a second thread gains more than it takes to wake it."""

_second: Executor | None = None


@contextmanager
def two_threads() -> Iterator[None]:
    """Context in which products with big matrices are made by two threads, if so many are allowed; not to be entered by
    two threads at once. The numbers are the same as of one thread."""
    global _second
    several = allowed_threads() > 1
    with one_thread():
        _second = second_thread() if several else None
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
        """Write vectors [B, K] times the matrix to `out` [B, N], which lies in one piece, and return it. Not for
        use from two threads at once."""
        self._bound(out, vectors, self._kept)()
        return out

    def between(self, out: np.ndarray, vectors: np.ndarray) -> Callable[[], object]:
        """What does `into` each time that it is called, with whatever the vectors are by then: for products that are
        made again and again in the same places, within one context. Vectors, too, lie in one piece."""
        return self._bound(out, vectors, _empty)

    def _kept(self, size: int) -> np.ndarray:
        """Room for so many numbers, the same again and again."""
        if len(self._room) < size:
            self._room = np.empty(size, np.float32)
        return self._room[:size]

    def _bound(self, out: np.ndarray, vectors: np.ndarray, room: Callable[[int], np.ndarray]) -> Callable[[], object]:
        count = len(vectors)
        halved = _second is not None and self.matrix.size >= _HALVED
        if count == 1:
            if not halved:
                return partial(np.dot, vectors[0], self.matrix, out[0])
            # matmul takes a part of the columns as it lies, where dot would copy it.
            half = self.matrix.shape[1] // 2
            lower, upper = slice(half), slice(half, None)
            return partial(
                _both, *(partial(np.matmul, vectors[0], self.matrix[:, part], out[0, part]) for part in (lower, upper))
            )
        if count not in self._cuts:
            self._cuts[count] = self._cut(count)
        cut = self._cuts[count]
        if cut is None:
            return partial(np.dot, vectors, self.matrix, out)
        pieces, groups = cut
        return _bound(out, vectors, pieces, groups, room(out.size * pieces.shape[1]), halved)

    def _cut(self, count: int) -> tuple[np.ndarray, int] | None:
        """Pieces [panels, n, 1, K / n, 64] of the matrix for so many vectors, and the number of groups that these come
        in; None where BLAS does as well with the matrix as it is."""
        length, columns = self.matrix.shape
        depth, groups = _depth_and_groups(length, count)
        if count * self.matrix.size <= _SMALL or columns % _PANEL or not depth:
            return None
        if self._panels is None:
            self._panels = np.ascontiguousarray(_cut_up(self.matrix))
        return self._panels.reshape(columns // _PANEL, -1, 1, depth, _PANEL), groups


def in_panels(matrix: np.ndarray) -> np.ndarray:
    """A matrix [K, N] as panels [P, K, N / P], without copying: to be copied to where the panels are to lie. In one
    panel where BLAS would not gain by more, or N is no multiple of 64."""
    return _cut_up(matrix) if matrix.shape[1] % _PANEL == 0 and takes_small() else matrix[None]


def quick_count(count: int) -> int:
    """Vectors to come with to `panel_product`, for so many: two take less time than one where panels are taken as they
    lie, for a single one is left to another part of BLAS."""
    return max(count, 2) if takes_small() else count


def panel_product(panels: np.ndarray, out: np.ndarray, vectors: np.ndarray) -> Callable[[], object]:
    """What writes vectors [B, K] times a matrix that lies in panels alone to `out` [B, N], whatever the vectors are by
    then: for weights that fill much memory.

    Args:
        panels: [P, K, N / P], each in one piece; `in_panels` says how many there are.
        out, vectors: each row in one piece, and all of them equally far apart.
    """
    count, (number, length, columns) = len(vectors), panels.shape
    if number == 1:
        return partial(np.matmul, vectors, panels[0], out)
    depth, groups = _depth_and_groups(length, count)
    pieces = panels.reshape(number, -1, 1, depth or length, columns)
    return _bound(out, vectors, pieces, groups, _empty(out.size * pieces.shape[1]), False)


def multiplied(vectors: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Vectors [B, K] times a matrix [K, N]: a product that is made once, for which no copy of the matrix is worth
    keeping."""
    count, (length, columns) = len(vectors), matrix.shape
    if count == 1 or columns % _PANEL or length > _DEEPEST or count * length * _PANEL > _SMALL:
        return vectors @ matrix
    out = np.empty((count, columns), np.float32)
    panels = (array.reshape(len(array), -1, _PANEL).transpose(1, 0, 2) for array in (matrix, out))
    np.matmul(vectors, *panels)
    return out


def _empty(size: int) -> np.ndarray:
    return np.empty(size, np.float32)


def _both(own: Callable[[], object], others: Callable[[], object]) -> None:
    """Do one thing while the second thread does another."""
    assert _second is not None, "a product is made in the context that it was prepared in"
    side_by_side(own, others, threads=2)


def takes_small() -> bool:
    """Whether BLAS multiplies by a small matrix as it lies."""
    return blas_kernels() in _KERNELS


def _cut_up(matrix: np.ndarray) -> np.ndarray:
    """A matrix [K, N] as panels [N / 64, K, 64], without copying."""
    return matrix.reshape(len(matrix), -1, _PANEL).transpose(1, 0, 2)


def _bound(
    out: np.ndarray, vectors: np.ndarray, pieces: np.ndarray, groups: int, room: np.ndarray, halved: bool
) -> Callable[[], object]:
    """What writes vectors [B, K] times pieces [P, n, 1, K / n, N / P] to `out` [B, N]; see `Product.between`.

    Args:
        out, vectors, pieces: as said.
        groups: that the vectors come in.
        room: n * B * N numbers to compute in.
        halved: by two threads.
    """
    (count, _), (panels, _, _, depth, columns) = vectors.shape, pieces.shape
    grouped = vectors.reshape(groups, count // groups, -1, depth).transpose(2, 0, 1, 3)
    laid = out.reshape(groups, count // groups, panels, columns).transpose(2, 0, 1, 3)
    parts = room.reshape(panels, -1, *laid.shape[1:])
    if not halved:
        return _multiplying(laid, grouped, pieces, parts)
    half = panels // 2
    return partial(
        _both,
        _multiplying(laid[:half], grouped, pieces[:half], parts[:half]),
        _multiplying(laid[half:], grouped, pieces[half:], parts[half:]),
    )


def _multiplying(
    panels: np.ndarray, grouped: np.ndarray, pieces: np.ndarray, parts: np.ndarray
) -> Callable[[], object]:
    """What writes products of vectors [n, groups, B, K / n] with pieces [P, n, 1, K / n, 64] to panels
    [P, groups, B, 64], by way of parts [P, n, groups, B, 64]."""
    if pieces.shape[1] == 1:
        return partial(np.matmul, grouped[0], pieces[:, 0], panels)

    def multiply() -> None:
        np.add.reduce(np.matmul(grouped, pieces, parts), axis=1, out=panels)

    return multiply


def _depth_and_groups(length: int, count: int) -> tuple[int, int]:
    """Rows of a piece, and groups of vectors, that make products small: the vectors in groups of equal size, if those
    do not get too small; else the rows by halving, and where that does not go on, smaller groups; (0, 1) where neither
    goes."""
    for groups in range(1, count // _GROUP + 1):
        if length <= _DEEPEST and count % groups == 0 and count // groups * length * _PANEL <= _SMALL:
            return length, groups
    depth = length
    while depth % 2 == 0 and (depth > _DEEPEST or count * depth * _PANEL > _SMALL) and depth >= 2 * _SHALLOWEST:
        depth //= 2
    for groups in range(1, max(1, count // _FEWEST) + 1):
        if depth <= _DEEPEST and count % groups == 0 and count // groups * depth * _PANEL <= _SMALL:
            return depth, groups
    return 0, 1

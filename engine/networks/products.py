"""Products of a few vectors with a big matrix, as playing networks need them at every step.

One vector: BLAS reads the matrix once, as it lies in memory, at the speed of memory. A few vectors: a BLAS first copies
the matrix into another order, at every call, which costs several times the product itself; below a million
multiplications OpenBLAS (0.3.17 and later) does without. So the matrix is kept in panels of 64 columns, each in one
piece, and is multiplied piece by piece: four vectors then take as long as one, sixteen as long as four or five.
"""

from __future__ import annotations

import numpy as np

_PANEL = 64
"""Columns of a panel."""
_SMALL = 1_000_000
"""Multiplications up to which BLAS takes a matrix as it lies."""
_DEEPEST = 2048
"""Rows of a piece at most, so that it stays in the cache while the vectors pass."""
_SHALLOWEST, _FEWEST = 64, 4
"""Rows of a piece and vectors of a group below which calls cost more than they save."""


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
        self._pieces: dict[int, tuple[np.ndarray, np.ndarray] | None] = {}

    def into(self, out: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Write vectors [B, K] times the matrix to `out` [B, N], and return it; both lie in one piece."""
        count = len(vectors)
        if count == 1:
            np.dot(vectors[0], self.matrix, out[0])
            return out
        if count not in self._pieces:
            self._pieces[count] = self._cut(count)
        cut = self._pieces[count]
        if cut is None:
            return np.dot(vectors, self.matrix, out)
        pieces, partial = cut
        groups, size, depth = partial.shape[2], partial.shape[3], pieces.shape[3]
        grouped = vectors.reshape(groups, size, -1, depth).transpose(2, 0, 1, 3)
        panels = out.reshape(groups, size, -1, _PANEL).transpose(2, 0, 1, 3)
        if depth == len(self.matrix):
            np.matmul(grouped[0], pieces[:, 0], out=panels)
        else:
            np.add.reduce(np.matmul(grouped, pieces, out=partial), axis=1, out=panels)
        return out

    def _cut(self, count: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Pieces [panels, n, 1, K / n, 64] of the matrix for so many vectors, and room for their products [panels, n,
        groups, vectors of a group, 64]; None where BLAS does as well with the matrix as it is."""
        length, columns = self.matrix.shape
        depth, groups = _cuts(length, count)
        if count * self.matrix.size <= _SMALL or columns % _PANEL or not depth:
            return None
        if self._panels is None:
            panels = self.matrix.reshape(length, -1, _PANEL).transpose(1, 0, 2)
            self._panels = np.ascontiguousarray(panels)
        pieces = self._panels.reshape(columns // _PANEL, -1, 1, depth, _PANEL)
        return pieces, np.empty((*pieces.shape[:2], groups, count // groups, _PANEL), np.float32)


def _cuts(length: int, count: int) -> tuple[int, int]:
    """Rows of a piece, and groups of vectors, that make products small: the rows by halving, and where that does not
    go on, the vectors in groups of equal size; (0, 1) where neither goes."""
    depth = length
    while depth % 2 == 0 and (depth > _DEEPEST or count * depth * _PANEL > _SMALL) and depth >= 2 * _SHALLOWEST:
        depth //= 2
    for groups in range(1, max(1, count // _FEWEST) + 1):
        if depth <= _DEEPEST and count % groups == 0 and count // groups * depth * _PANEL <= _SMALL:
            return depth, groups
    return 0, 1

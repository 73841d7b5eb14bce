# pyright: strict
"""The mel scale of GANSynth: the matrix from linear to mel bands, and the one back, as the original makes them.

The original widens narrow bands in place, in three overlapping views of one array of band edges. So the widening of a
band moves the centre of the next one and the lower edge of the one after it before these are looked at, and the centre
and the upper edge of the two before it afterwards. Networks were trained on what comes of it, so it is kept.

Source: `spectral_ops.py` and `specgrams_helper.py` of Magenta's GANSynth; HTK's formula of the mel scale.
"""

from __future__ import annotations

from functools import cache

import numpy as np

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
"""float32."""
Doubles = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_BREAK_HZ = 700.0
_Q = 1127.0
_NARROWEST = 1.5
"""Width of a band at least, in bins."""
_BLOCK = 64
"""Columns of a piece of a matrix; larger pieces multiply more zeros, smaller ones cost more calls."""


def _to_mel(hertz: float) -> float:
    return _Q * float(np.log(1.0 + hertz / _BREAK_HZ))


def _to_hertz(mel: Doubles) -> Doubles:
    return _BREAK_HZ * (np.exp(mel / _Q) - 1.0)


def _edges(bands: int, bins: int, nyquist: float) -> Doubles:
    """Edges of the bands in mel, [bands + 2]: band i lies from i to i + 2, its centre at i + 1."""
    edges = np.linspace(0.0, _to_mel(nyquist), bands + 2)
    narrowest = _NARROWEST * nyquist / bins
    for band in range(bands):
        lower, centre, upper = _to_hertz(edges[band : band + 3])
        if upper - lower < narrowest:
            half = 0.5 * narrowest / (centre + _BREAK_HZ)
            reach = _Q * np.log(half + np.sqrt(1.0 + half**2))
            middle = edges[band + 1]
            edges[band], edges[band + 2] = middle - reach, middle + reach
    return edges


def linear_to_mel(bins: int = 1024, sample_rate: int = 16000) -> Doubles:
    """Matrix [bins, bands] from powers or phases of linear bins to as many mel bands.

    The bins are those of an STFT without DC, yet they are taken for 0 ... Nyquist, and the first is left out for DC.
    """
    nyquist = sample_rate / 2.0
    edges = _to_hertz(_edges(bins, bins, nyquist))
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    frequencies = np.linspace(0.0, nyquist, bins)[1:, np.newaxis]
    rising = (frequencies - lower) / (centre - lower)
    falling = (upper - frequencies) / (upper - centre)
    matrix = np.zeros((bins, bins))
    matrix[1:] = np.maximum(0.0, np.minimum(rising, falling))
    return matrix


def mel_to_linear(bins: int = 1024, sample_rate: int = 16000) -> Doubles:
    """Matrix [bands, bins] back to linear bins: the transpose, its columns scaled."""
    forth = linear_to_mel(bins, sample_rate)
    sums = forth @ forth.sum(axis=0)
    scale = np.divide(1.0, sums, out=sums.copy(), where=np.abs(sums) > 1e-8)
    return forth.T * scale


class BandedMatrix:
    """A matrix whose numbers lie around a curve: a product multiplies little but these.

    Args:
        matrix: [rows, columns], most of it zero.
    """

    def __init__(self, matrix: Doubles) -> None:
        self._columns = matrix.shape[1]
        self._pieces: list[tuple[slice, slice, Array]] = []
        for start in range(0, self._columns, _BLOCK):
            columns = slice(start, min(start + _BLOCK, self._columns))
            used = np.flatnonzero(matrix[:, columns].any(axis=1))
            rows = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0)
            self._pieces.append((rows, columns, np.ascontiguousarray(matrix[rows, columns], np.float32)))

    def multiplied(self, vectors: Array) -> Array:
        """Vectors [n, rows] times the matrix: [n, columns], float32."""
        out = np.empty((len(vectors), self._columns), np.float32)
        for rows, columns, piece in self._pieces:
            out[:, columns] = vectors[:, rows] @ piece
        return out


@cache
def linear_to_mel_bands(bins: int = 1024, sample_rate: int = 16000) -> BandedMatrix:
    """`linear_to_mel` for products in single precision."""
    return BandedMatrix(linear_to_mel(bins, sample_rate))


@cache
def mel_to_linear_bands(bins: int = 1024, sample_rate: int = 16000) -> BandedMatrix:
    """`mel_to_linear` for products in single precision."""
    return BandedMatrix(mel_to_linear(bins, sample_rate))

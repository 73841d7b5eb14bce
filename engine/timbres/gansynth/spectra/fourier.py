# pyright: strict
"""Fourier transforms as inexact as those that the original runs on.

TensorFlow 2.9 transforms with Eigen on a processor, whose twiddle factors are products of products in single precision.
What comes of it is up to 4e-5 of the largest sample beside the true transform, -88 dB: nobody hears that, but it is
more than all else in which a wave of ours differs from the original's. The factors of the last three steps have most of
it. So those are made as there, and numpy does the rest.

Source: the radix-2 merge of Eigen's `TensorFFT.h`; Cooley and Tukey, 1965.
"""

from __future__ import annotations

from functools import cache

import numpy as np

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
Complex = np.ndarray[tuple[int, ...], np.dtype[np.complex64]]

_STEPS = 3
"""Steps with the original's factors: each earlier one has half the error."""
_SMALLEST = 16
"""Smaller transforms have exact factors there, too."""


def transformed(rows: Array) -> Complex:
    """Transforms [n, size // 2 + 1] of real rows [n, size]; size is a power of two."""
    size = rows.shape[1]
    return _merged(rows.astype(np.complex64), -1, _STEPS)[:, : size // 2 + 1]


def rows_of(transforms: Complex) -> Array:
    """The real rows [n, size] of which these are the transforms [n, size // 2 + 1]."""
    whole = np.concatenate([transforms, np.conj(transforms[:, -2:0:-1])], axis=1)
    made = _merged(whole, 1, _STEPS)
    return made.real * np.float32(1.0 / whole.shape[1])


def _merged(rows: Complex, sign: int, steps: int) -> Complex:
    """Transforms with `sign` in the exponent, not normalised."""
    size = rows.shape[1]
    if steps == 0 or size < _SMALLEST:
        made = np.fft.fft(rows) if sign < 0 else np.fft.ifft(rows, norm="forward")
        return made.astype(np.complex64, copy=False)
    even, odd = (_merged(rows[:, first::2], sign, steps - 1) for first in (0, 1))
    odd *= _factors(size, sign)
    made = np.empty(rows.shape, np.complex64)
    np.add(even, odd, out=made[:, : size // 2])
    np.subtract(even, odd, out=made[:, size // 2 :])
    return made


@cache
def _factors(size: int, sign: int) -> Complex:
    """The factors of a step, [size // 2]: powers of a root of one, multiplied up in fours."""
    turn = np.float32(-2.0 * np.sin(np.pi / size) ** 2) + np.float32(1.0)
    root = (turn, np.float32(sign * np.sin(2.0 * np.pi / size)))
    powers = [(np.float32(1.0), np.float32(0.0)), root, _product(root, root)]
    powers.append(_product(powers[2], root))
    four, at = _product(powers[3], root), powers[0]
    found: list[complex] = []
    for _ in range(0, size // 2, 4):
        found += [complex(*_product(at, power)) for power in powers]
        at = _product(at, four)
    factors = np.array(found, np.complex64)
    factors.setflags(write=False)
    return factors


def _product(one: tuple[np.float32, np.float32], other: tuple[np.float32, np.float32]) -> tuple[np.float32, np.float32]:
    (a, b), (c, d) = one, other
    return a * c - b * d, a * d + b * c

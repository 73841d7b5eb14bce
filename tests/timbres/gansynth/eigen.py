"""The Fourier transform that the original runs on (Eigen's, in TensorFlow 2.9 on a processor), as an oracle.

It multiplies its twiddle factors up in single precision, four by four, and so is 3e-5 of the largest sample beside the
true one: more than anything else in which our spectra and waves differ from the original's. Rebuilt from the maths of
Eigen's `TensorFFT.h`; blocks of eight are transformed exactly.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.timbres.gansynth.spectrogram import Spectrogram

_ONE = np.float32(1)


def _times(a, b):
    """A product of two complex numbers, each step of it rounded to single precision."""
    f = np.float32
    return np.complex64(complex(f(a.real * b.real) - f(a.imag * b.imag), f(a.real * b.imag) + f(a.imag * b.real)))


@cache
def _twiddles(size, sign):
    real, imaginary = np.float32(-2 * np.sin(np.pi / size) ** 2), np.float32(sign * np.sin(2 * np.pi / size))
    step = np.complex64(complex(real + _ONE, imaginary))
    steps = [np.complex64(1), step, _times(step, step)]
    steps.append(_times(steps[2], step))
    four, at, found = _times(steps[3], step), np.complex64(1), []
    for _ in range(0, size // 2, 4):
        found += [_times(at, each) for each in steps]
        at = _times(at, four)
    return np.array(found, np.complex64)


@cache
def _reversed_bits(size):
    return np.array([int(f"{number:0{size.bit_length() - 1}b}"[::-1], 2) for number in range(size)])


def transform(rows, sign):
    """Fourier transforms of rows whose length is a power of two, from 8 on; `sign` of the exponent, not normalised."""
    size = rows.shape[-1]
    blocks = rows.astype(np.complex64)[:, _reversed_bits(size)].reshape(-1, size // 8, 8)[..., _reversed_bits(8)]
    eighths = np.exp(sign * 2j * np.pi * np.outer(np.arange(8), np.arange(8)) / 8)
    made = (blocks.astype(np.complex128) @ eighths).astype(np.complex64).reshape(rows.shape)
    half = 8
    while half < size:
        pairs = made.reshape(len(rows), -1, 2, half)
        turned = pairs[:, :, 1] * _twiddles(2 * half, sign)
        made = np.stack([pairs[:, :, 0] + turned, pairs[:, :, 0] - turned], axis=2).reshape(rows.shape)
        half *= 2
    return made


class EigenSpectrogram(Spectrogram):
    """Our spectra, by the original's Fourier transform."""

    def _forward(self, windows):
        return transform(windows, -1)[:, : self.bins + 1]

    def _inverse(self, whole):
        full = np.concatenate([whole, np.conj(whole[:, -2:0:-1])], axis=1)
        return transform(full, 1).real / np.float32(self.window_length)

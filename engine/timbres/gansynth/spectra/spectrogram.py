# pyright: strict
"""Sound to GANSynth's spectra and back: short-time Fourier transform, log magnitude and instantaneous frequency, mel.

A spectrum is an array [frames, bins, 2] of float32: the natural logarithm of the magnitude (mel: of the power), and the
instantaneous frequency in units of pi a frame; the first frame has the phase itself. DC is left out and the Nyquist
frequency kept. All the padding of a wave is in front of it, and what the window leaves unfinished is at its end: the
last 1.5 hops, 3 of 4 overlaps, fade out.

Single precision as in the original, whose sums over time would come out otherwise in double; see `fourier`, too.

Source: `specgrams_helper.py` and `spectral_ops.py` of Magenta's GANSynth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.timbres.gansynth.spectra import fourier
from engine.timbres.gansynth.spectra.mel import Array, BandedMatrix, linear_to_mel_bands, mel_to_linear_bands

Complex = np.ndarray[tuple[int, ...], np.dtype[np.complex64]]
"""complex64."""

OVERLAP = 4
"""Frames that share a sample."""
_EPSILON = np.float32(1e-6)
_PI = np.float32(np.pi)


@dataclass(frozen=True)
class Spectrogram:
    """The transforms for waves of one length and spectra of one size.

    Attributes:
        frames: of a spectrum.
        bins: of a frame, a power of two.
        length: samples of a wave.
        sample_rate: Hz; the mel scale needs it.
    """

    frames: int = 128
    bins: int = 1024
    length: int = 64000
    sample_rate: int = 16000

    @property
    def window_length(self) -> int:
        """Samples of a frame's window."""
        return 2 * self.bins

    @property
    def hop(self) -> int:
        """Samples from a frame to the next."""
        return self.window_length // OVERLAP

    @property
    def padding(self) -> int:
        """Zeros in front of a wave; below 0 where so many frames are too few for it."""
        return self.hop * (self.frames - 1) + self.window_length - self.length

    @cached_property
    def _window(self) -> Array:
        """The periodic Hann window, in single precision throughout as TensorFlow has it: near its ends the difference
        of two nearly equal numbers leaves three digits of it, and some spectra have most of their sound there."""
        turns = np.arange(self.window_length, dtype=np.float32) * np.float32(2.0 * np.pi)
        turns /= np.float32(self.window_length)
        half = np.float32(0.5)
        return (half - half * np.cos(turns)).astype(np.float32)

    @cached_property
    def _inverse_window(self) -> Array:
        """What makes the windows' products sum up to one, where all overlap."""
        squares = (self._window**2).reshape(OVERLAP, self.hop).sum(axis=0)
        return (self._window / np.tile(squares, OVERLAP)).astype(np.float32)

    @cached_property
    def _to_mel(self) -> BandedMatrix:
        return linear_to_mel_bands(self.bins, self.sample_rate)

    @cached_property
    def _from_mel(self) -> BandedMatrix:
        return mel_to_linear_bands(self.bins, self.sample_rate)

    def prepare(self, mel: bool) -> None:
        """Make windows and matrices now that making waves would make when it is first asked to.

        Args:
            mel: of mel spectra.
        """
        _ = self._inverse_window, mel and self._from_mel

    def stft(self, wave: Array) -> Complex:
        """Transform of a wave [length]: [frames, bins]."""
        padded = np.concatenate([np.zeros(self.padding, np.float32), wave.astype(np.float32, copy=False)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.window_length)[:: self.hop]
        return fourier.transformed(windows * self._window)[:, 1:].astype(np.complex64, copy=False)

    def inverse_stft(self, stft: Complex) -> Array:
        """The wave [length] of a transform [frames, bins]."""
        whole = np.zeros((self.frames, self.bins + 1), np.complex64)
        whole[:, 1:] = stft
        return self._overlapped(whole)

    def _overlapped(self, whole: Complex) -> Array:
        """The wave of a transform with DC, [frames, bins + 1]."""
        parts = fourier.rows_of(whole) * self._inverse_window
        quarters = parts.reshape(self.frames, OVERLAP, self.hop)
        wave = np.zeros((self.frames + OVERLAP - 1, self.hop), np.float32)
        for quarter in range(OVERLAP):
            wave[quarter : quarter + self.frames] += quarters[:, quarter]
        return wave.reshape(-1)[self.padding :]

    def to_linear(self, stft: Complex) -> Array:
        """Linear spectrum of a transform."""
        magnitude = np.log(np.abs(stft) + _EPSILON)
        return np.stack([magnitude, instantaneous_frequency(np.angle(stft))], axis=-1)

    def from_linear(self, spectrum: Array) -> Complex:
        """Transform of a linear spectrum."""
        return _polar(np.exp(spectrum[..., 0]), np.cumsum(spectrum[..., 1] * _PI, axis=0))

    def linear_to_mel(self, spectrum: Array) -> Array:
        """Mel spectrum of a linear one; phases are summed up before they are mixed."""
        power = np.exp(np.float32(2.0) * spectrum[..., 0])
        phase = np.cumsum(spectrum[..., 1] * _PI, axis=0)
        magnitude = np.log(self._to_mel.multiplied(power) + _EPSILON)
        return np.stack([magnitude, instantaneous_frequency(self._to_mel.multiplied(phase))], axis=-1)

    def mel_to_linear(self, spectrum: Array) -> Array:
        """Linear spectrum of a mel one."""
        power, phase = self._unmixed(spectrum)
        magnitude = np.float32(0.5) * np.log(power + _EPSILON)
        return np.stack([magnitude, instantaneous_frequency(phase)], axis=-1)

    def _unmixed(self, spectrum: Array) -> tuple[Array, Array]:
        """Powers and summed-up phases of the linear bins of a mel spectrum."""
        power = self._from_mel.multiplied(np.exp(spectrum[..., 0]))
        phase = self._from_mel.multiplied(np.cumsum(spectrum[..., 1] * _PI, axis=0))
        return power, phase

    def wave_of_linear(self, spectrum: Array) -> Array:
        """The wave [length] of a linear spectrum."""
        return self.inverse_stft(self.from_linear(spectrum))

    def wave_of_mel(self, spectrum: Array) -> Array:
        """The wave [length] of a mel spectrum.

        The way round by `mel_to_linear` unwraps phases, which changes them by whole turns alone: no wave hears that.
        """
        power, phase = self._unmixed(spectrum)
        power += _EPSILON
        whole = np.zeros((self.frames, self.bins + 1), np.complex64)
        _polar(np.sqrt(power, out=power), phase, whole[:, 1:])
        return self._overlapped(whole)


def _polar(magnitude: Array, phase: Array, out: Complex | None = None) -> Complex:
    made = np.empty(magnitude.shape, np.complex64) if out is None else out
    np.multiply(magnitude, np.cos(phase), out=made.real)
    np.multiply(magnitude, np.sin(phase), out=made.imag)
    return made


def instantaneous_frequency(phase: Array) -> Array:
    """How fast phases [frames, bins] turn, in units of pi a frame; the first frame keeps its phase.

    Steps between frames are taken the short way round, and a step of exactly half a turn as the sign of the difference
    says, as `numpy.unwrap` does.
    """
    steps = np.diff(phase, axis=0)
    short = np.mod(steps + _PI, 2 * _PI) - _PI
    short[(short == -_PI) & (steps > 0)] = _PI
    corrections = np.where(np.abs(steps) < _PI, np.float32(0.0), short - steps)
    unwrapped = phase.copy()
    unwrapped[1:] += np.cumsum(corrections, axis=0)
    return np.concatenate([unwrapped[:1], np.diff(unwrapped, axis=0)]) / _PI

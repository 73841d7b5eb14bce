# pyright: strict
"""Pairs of notes for training: two keys of one instrument, and of instruments that lie between those of the font.

Ninety groups of programs are few. In decibels a mix of two instruments is a straight line between their envelopes, and
an equaliser, a slower attack or a faster decay is a sum, so all of that is done on principal components.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.timbres.neural.layout import (
    BAND_MIDDLES,
    Array,
    audible,
    moment_weights,
    partial_hertz,
    pitch_features,
)
from engine.timbres.neural.tone import envelope_shapes, laid, without_inaudible

_FARTHEST = 12
"""Semitones between the two notes of a pair at most."""

_CURVES = 6
_MIXED, _SHAPED = 0.6, 0.7
"""Shares of the pairs that are mixed, and that are shaped."""

_STRENGTHS = np.array([8.0, 6.0, 6.0, 5.0, 4.0, 3.0, 10.0, 8.0, 8.0], np.float32)
"""Decibels by which shapes are applied: of curves over frequency, of decay, of attack, of noise."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Principal components of envelopes.

    Attributes:
        mean: [SIZE].
        basis: [components, SIZE], orthonormal.
        scale: [components], spread of each.
    """

    mean: Array
    basis: Array
    scale: Array

    def compressed(self, vectors: Array) -> Array:
        """[notes, components], in units of each one's spread."""
        return np.asarray(((vectors - self.mean) * moment_weights()) @ self.basis.T / self.scale, np.float32)


def principal(vectors: Array, components: int) -> Basis:
    """The principal components of notes [notes, SIZE]."""
    heard = audible(vectors)
    mean = heard.mean(axis=0)
    _, spread, basis = np.linalg.svd((heard - mean) * moment_weights(), full_matrices=False)
    scale = spread[:components] / np.sqrt(len(vectors))
    # A component that hardly varies is not made as large as the others: it would be nothing but rounding.
    scale = np.maximum(scale, 1e-3 * scale[0])
    return Basis(mean.astype(np.float32), basis[:components].astype(np.float32), scale.astype(np.float32))


class Pairs:
    """Draws pairs.

    Args:
        components: [notes, components] of all notes that are learnt from.
        pitches: [notes].
        programs: [notes].
        group_of: group of each program; groups are drawn alike often.
        basis: of the components.
    """

    def __init__(
        self,
        components: Array,
        pitches: NDArray[np.int64],
        programs: NDArray[np.int64],
        group_of: dict[int, int],
        basis: Basis,
    ) -> None:
        self._components = components
        self._keys = np.unique(pitches)
        self._features = pitch_features(self._keys.astype(np.float64))
        self._programs = np.unique(programs)
        groups = [group_of[int(program)] for program in self._programs]
        chance = np.array([1.0 / groups.count(group) for group in groups])
        self._chance = chance / chance.sum()
        self._table = np.full((len(self._programs), len(self._keys)), -1, np.int64)
        row = np.searchsorted(self._programs, programs)
        self._table[row, np.searchsorted(self._keys, pitches)] = np.arange(len(pitches))
        self._shapes = np.stack([basis_shapes(int(key), basis) for key in self._keys])

    def forever(self, batch: int, seed: int) -> Iterator[tuple[tuple[Array, Array], Array]]:
        """((heard [batch, components], pitch features [batch, 2, features]), wanted [batch, 2, components])."""
        chance = np.random.default_rng(seed)
        while True:
            yield self._drawn(batch, chance)

    def plain(self) -> tuple[tuple[Array, Array], Array]:
        """Every note once, as it is, with itself: to judge by."""
        rows, columns = np.nonzero(self._table >= 0)
        heard = self._components[self._table[rows, columns]]
        pitches = np.repeat(self._features[columns][:, None], 2, axis=1)
        return (heard, pitches), np.repeat(heard[:, None], 2, axis=1)

    def _drawn(self, batch: int, chance: np.random.Generator) -> tuple[tuple[Array, Array], Array]:
        first = chance.choice(len(self._programs), batch, p=self._chance)
        second = chance.choice(len(self._programs), batch, p=self._chance)
        keys = len(self._keys)
        step = (self._keys[1] - self._keys[0]) if keys > 1 else 1
        near = chance.integers(keys, size=batch)
        reach = int(_FARTHEST // step)
        other = np.clip(near + chance.integers(-reach, reach + 1, size=batch), 0, keys - 1)
        # Half of the pairs are one note twice.
        other = np.where(chance.random(batch) < 0.5, near, other)
        mixed = np.where(chance.random(batch) < _MIXED, chance.beta(0.6, 0.6, size=batch), 0.0)[:, None]
        strength = chance.standard_normal((batch, len(_STRENGTHS))).astype(np.float32) * _STRENGTHS
        strength *= (chance.random(batch) < _SHAPED)[:, None]
        made: list[Array] = []
        for key in (near, other):
            one, two = self._table[first, key], self._table[second, key]
            # The font has no sound on some keys of some programs: what there is stands for both.
            one, two = np.where(one < 0, two, one), np.where(two < 0, one, two)
            missing = one < 0
            one, two = np.where(missing, 0, one), np.where(missing, 0, two)
            notes = (1.0 - mixed) * self._components[one] + mixed * self._components[two]
            shaped = notes + np.einsum("bs,bsc->bc", strength, self._shapes[key])
            made.append(shaped.astype(np.float32))
        pitches = np.stack([self._features[near], self._features[other]], axis=1)
        return (made[0], pitches), np.stack(made, axis=1)


def basis_shapes(pitch: int, basis: Basis) -> Array:
    """[shapes, components]: what an equaliser's curves, a decay, an attack and a level of noise add, for 1 dB each."""
    hertz = partial_hertz(pitch, 0.0)
    made: list[Array] = []
    for number in range(1, _CURVES + 1):
        curves = [
            np.cos(np.pi * number * np.log2(np.maximum(where, 20.0) / 20.0) / 10.0) for where in (hertz, BAND_MIDDLES)
        ]
        made.append(laid(*curves))
    shapes = without_inaudible(np.stack([*made, *envelope_shapes()]), pitch)
    return np.asarray((shapes * moment_weights()) @ basis.basis.T / basis.scale, np.float32)

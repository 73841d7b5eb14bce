# pyright: strict
"""The network in numpy: places of the latent space to envelopes and back.

Envelopes are written as a few hundred numbers, by their principal components; a small perceptron says these for a place
and a pitch. So no step of it is recurrent, and a note is three products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.networks.threads import one_thread
from engine.timbres.neural.layout import (
    PITCH_FEATURES,
    SIZE,
    Array,
    Doubles,
    Envelopes,
    as_envelopes,
    as_vector,
    audible,
    moment_weights,
    pitch_features,
)

LATENT = 16
"""Dimensions of the latent space; each has the normal distribution."""

_STEPS = 12
"""Steps by which an encoding is refined."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of a network, as its weights have them.

    Attributes:
        components: principal components of the envelopes.
        hidden: units of each layer.
    """

    components: int
    hidden: int


def shapes_of(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """The shapes of all weights, by name."""
    components, hidden = sizes.components, sizes.hidden
    made: dict[str, tuple[int, ...]] = {
        "mean": (SIZE,),
        "basis": (components, SIZE),
        "scale": (components,),
        "home": (LATENT,),
        "frame": (LATENT, LATENT),
    }
    layers = {
        "decoder/0": (LATENT + PITCH_FEATURES, hidden),
        "decoder/1": (hidden, hidden),
        "decoder/2": (hidden, hidden),
        "decoder/out": (hidden, components),
        "encoder/0": (components + PITCH_FEATURES, hidden),
        "encoder/1": (hidden, hidden),
        "encoder/out": (hidden, 2 * LATENT),
    }
    for name, shape in layers.items():
        made[f"{name}/kernel"] = shape
        made[f"{name}/bias"] = shape[1:]
    return made


class TimbreNetwork:
    """A network that is loaded.

    Args:
        weights: by name, float32, of the shapes that `shapes_of` gives.

    Attributes:
        sizes: of it.
    """

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.sizes = Sizes(weights["basis"].shape[0], weights["decoder/1/bias"].shape[0])
        self._weights = weights
        self._important = moment_weights()
        self._back = np.linalg.inv(weights["frame"].astype(np.float64))

    def decode(self, places: Array | Doubles, pitches: Sequence[float]) -> list[Envelopes]:
        """Envelopes of notes.

        Args:
            places: [notes, LATENT].
            pitches: [notes], MIDI.
        """
        with one_thread():
            found = self.components(places, pitches) * self._weights["scale"]
            vectors = found @ self._weights["basis"] / self._important + self._weights["mean"]
        return [as_envelopes(vector) for vector in vectors]

    def components(self, places: Array | Doubles, pitches: Sequence[float]) -> Array:
        """[notes, components]: what the perceptron says, in units of each component's spread."""
        inner = np.asarray(places, np.float64) @ self._weights["frame"] + self._weights["home"]
        features = pitch_features(np.asarray(pitches, np.float64))
        return self._layers("decoder", np.concatenate([inner.astype(np.float32), features], axis=1), (0, 1, 2))

    def encode(self, notes: Sequence[Envelopes], pitches: Sequence[float], refined: bool = True) -> Doubles:
        """[notes, LATENT]: the place of each note.

        Args:
            notes: taken apart.
            pitches: of each, MIDI.
            refined: the encoder's guess is made better by how the decoder moves around it.
        """
        vectors = audible(np.stack([as_vector(one) for one in notes]))
        with one_thread():
            wanted = self.compressed(vectors)
            places = self.guessed(wanted, pitches)
            if refined:
                places = np.stack([self._refined(*one) for one in zip(places, wanted, pitches, strict=True)])
        return places

    def guessed(self, components: Array, pitches: Sequence[float] | NDArray[np.int64]) -> Doubles:
        """[notes, LATENT]: where the encoder takes notes to be, out of their components [notes, components]."""
        features = pitch_features(np.asarray(pitches, np.float64))
        guess = self._layers("encoder", np.concatenate([components, features], axis=1), (0, 1))[:, :LATENT]
        return (guess.astype(np.float64) - self._weights["home"]) @ self._back

    def compressed(self, vectors: Array) -> Array:
        """[notes, components]: vectors by their principal components, in units of each one's spread."""
        weights = self._weights
        found = ((vectors - weights["mean"]) * self._important) @ weights["basis"].T / weights["scale"]
        return np.asarray(found, np.float32)

    def _refined(self, place: Doubles, wanted: Array, pitch: float) -> Doubles:
        """By Levenberg's damped steps, with the prior as a part of what is made small: nobody is sent into nowhere."""
        scale = self._weights["scale"].astype(np.float64)
        # The prior weighs as an error of some decibels in every one of the component's numbers does.
        prior = _PRIOR * np.sqrt(SIZE)
        damping = 1.0
        step = 1e-2 * np.eye(LATENT)

        def misfit(places: Doubles) -> Doubles:
            found = self.components(places, [pitch] * len(places))
            return np.concatenate([(found - wanted) * scale, prior / np.sqrt(LATENT) * places], axis=1)

        rest = misfit(place[None])[0]
        for _ in range(_STEPS):
            slope = (misfit(place + step) - rest) / 1e-2
            square, down = slope @ slope.T, slope @ rest
            there = place - self._step(square, damping, down)
            tried = misfit(there[None])[0]
            if tried @ tried < rest @ rest:
                place, rest, damping = there, tried, max(damping / 4.0, 1e-3)
            else:
                damping = min(damping * 4.0, 1e3)
        return place

    @staticmethod
    def _step(square: Doubles, damping: float, down: Doubles) -> Doubles:
        damped = square + damping * np.diag(square.diagonal())
        return np.asarray(np.linalg.inv(damped), np.float64) @ down

    def _layers(self, name: str, values: Array, hidden: Sequence[int]) -> Array:
        for number in hidden:
            now = values @ self._weights[f"{name}/{number}/kernel"] + self._weights[f"{name}/{number}/bias"]
            with np.errstate(over="ignore"):
                now = now / (1.0 + np.exp(-now))
            values = np.asarray(values + now if number else now, np.float32)
        last = values @ self._weights[f"{name}/out/kernel"] + self._weights[f"{name}/out/bias"]
        return np.asarray(last, np.float32)


_PRIOR = 0.3
"""Decibels of error in all of a note that weigh as much as a place one standard deviation away from the middle."""

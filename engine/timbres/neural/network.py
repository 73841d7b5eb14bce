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
from engine.timbres.neural.refining import refined
from engine.timbres.neural.tone import TONE, tone_shapes

LATENT = 16
"""Dimensions of the latent space; each has the normal distribution."""

PLACE = LATENT + TONE
"""Numbers of a place: where in the latent space, and the levels of its tone (`tone`)."""


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
            places: [notes, PLACE].
            pitches: [notes], MIDI.
        """
        with one_thread():
            vectors = self._decoded(places, pitches)
            tones = [place[LATENT:] @ tone_shapes(pitch) for place, pitch in zip(places, pitches, strict=True)]
        return [as_envelopes(np.asarray(one + tone, np.float32)) for one, tone in zip(vectors, tones, strict=True)]

    def _decoded(self, places: Array | Doubles, pitches: Sequence[float]) -> Array:
        """[notes, SIZE]: what the latent space alone says."""
        found = self.components(places, pitches) * self._weights["scale"]
        vectors = found @ self._weights["basis"] / self._important + self._weights["mean"]
        return np.asarray(vectors, np.float32)

    def components(self, places: Array | Doubles, pitches: Sequence[float]) -> Array:
        """[notes, components]: what the perceptron says, in units of each component's spread.

        Args:
            places: [notes, LATENT or more], of which the first numbers count.
            pitches: [notes], MIDI.
        """
        inner = np.asarray(places, np.float64)[:, :LATENT] @ self._weights["frame"] + self._weights["home"]
        features = pitch_features(np.asarray(pitches, np.float64))
        return self._layers("decoder", np.concatenate([inner.astype(np.float32), features], axis=1), (0, 1, 2))

    def encode(self, notes: Sequence[Envelopes], pitches: Sequence[float], toned: bool = True) -> Doubles:
        """[notes, PLACE]: the place of each note, first guessed by the encoder, then looked for around there.

        Args:
            notes: taken apart.
            pitches: of each, MIDI.
            toned: with a tone of their own; otherwise all is said by the latent space.
        """
        vectors = audible(np.stack([as_vector(one) for one in notes]))
        with one_thread():
            guesses = self.guessed(self.compressed(vectors), pitches)
            places = [self._found(*one, toned) for one in zip(guesses, vectors, pitches, strict=True)]
        return np.stack(places)

    def _found(self, guess: Doubles, wanted: Array, pitch: float, toned: bool) -> Doubles:
        tones = tone_shapes(pitch)[: TONE if toned else 0]
        found = refined(guess, wanted, lambda places: self._decoded(places, [pitch] * len(places)), tones)
        return np.pad(found, (0, PLACE - len(found)))

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

    def _layers(self, name: str, values: Array, hidden: Sequence[int]) -> Array:
        for number in hidden:
            now = values @ self._weights[f"{name}/{number}/kernel"] + self._weights[f"{name}/{number}/bias"]
            with np.errstate(over="ignore"):
                now = now / (1.0 + np.exp(-now))
            values = np.asarray(values + now if number else now, np.float32)
        last = values @ self._weights[f"{name}/out/kernel"] + self._weights[f"{name}/out/bias"]
        return np.asarray(last, np.float32)

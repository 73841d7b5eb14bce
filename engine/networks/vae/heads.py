"""What the numbers mean that a decoder gives: how one chooses from them, what the next step is told, what they cost.

A *choice* is what one step of one part says, in its smallest form: a class, or a vector of numbers. Chance comes as
uniform numbers in [0, 1) that the caller has drawn for all steps, so that a step decoded twice says the same. What they
mean at a temperature is worked out before the first step: noise that outputs are compared with.

Sources: Roberts et al. 2018, section 3.2; Gillick et al. 2019, "Learning to Groove with Inverse Sequence
Transformations", section 4 (losses of hits, velocities and offsets).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from engine.networks.polyphonic.nade import Nade
from engine.networks.sampling import sigmoid, thresholds

NONE = -1
"""The choice of a class before the first step: nothing."""
_NEAREST_0, _NEAREST_1 = np.float32(1e-30), np.float32(1 - 2**-24)
"""Uniform numbers in single precision are at least and at most this, so that noise is finite."""
_EPSILON = 1e-7
"""What TensorFlow 1's `log_loss` adds to probabilities before it takes their logarithm."""


class VaeHead(Protocol):
    """What the outputs of one part's decoder mean."""

    size: int
    """Numbers of a sample, D."""
    draws: int
    """Uniform numbers that one choice takes."""

    def noise(self, uniforms: np.ndarray, temperature: float) -> np.ndarray:
        """What `choose` takes, [..., draws], of uniform numbers [..., draws] in [0, 1)."""
        ...

    def choose(self, outputs: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        """Choices [B, ...] from outputs [B, N]; the likeliest where noise [B, draws] is None."""
        ...

    def feeder(self, kernel: np.ndarray, rows: int) -> Callable[[np.ndarray, np.ndarray], None]:
        """What adds to gates [B, 4H] what choices [B, ...] give to them through a kernel [D, 4H]."""
        ...

    def samples(self, choices: np.ndarray) -> np.ndarray:
        """Vectors [..., D] float32 of choices."""
        ...

    def losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Costs [...] in nats of targets [..., D] under outputs [..., N]."""
        ...


class CategoricalHead:
    """One of D classes; see `VaeHead`. A choice is a class, or `NONE`."""

    def __init__(self, size: int) -> None:
        self.size = self.draws = size

    def noise(self, uniforms: np.ndarray, temperature: float) -> np.ndarray:
        """See `VaeHead.noise`: numbers of Gumbel's distribution. The class whose logit plus such a number is largest
        is drawn with the probability that softmax gives it (Maddison et al. 2014, "A* Sampling", section 2)."""
        noise = uniforms.astype(np.float32)
        np.clip(noise, _NEAREST_0, _NEAREST_1, out=noise)
        np.log(noise, noise)
        np.negative(noise, noise)
        np.log(noise, noise)
        return np.multiply(noise, np.float32(-temperature), noise)

    def choose(self, outputs: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        """See `VaeHead.choose`."""
        return (outputs if noise is None else np.add(outputs, noise)).argmax(axis=1)

    def feeder(self, kernel: np.ndarray, rows: int) -> Callable[[np.ndarray, np.ndarray], None]:
        """See `VaeHead.feeder`: one row of the kernel each."""
        if rows == 1:

            def feed_one(choices: np.ndarray, gates: np.ndarray) -> None:
                choice = choices.item()
                if choice != NONE:
                    np.add(gates, kernel[choice], gates)

            return feed_one
        looked_up = np.empty((rows, kernel.shape[1]), np.float32)

        def feed(choices: np.ndarray, gates: np.ndarray) -> None:
            np.take(kernel, choices, axis=0, out=looked_up, mode="clip")
            if NONE in choices.tolist():
                looked_up[choices == NONE] = 0.0
            np.add(gates, looked_up, gates)

        return feed

    def samples(self, choices: np.ndarray) -> np.ndarray:
        """See `VaeHead.samples`."""
        found = np.zeros((*choices.shape, self.size), np.float32)
        known = choices != NONE
        found.reshape(-1, self.size)[np.flatnonzero(known), choices[known]] = 1.0
        return found

    def losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """See `VaeHead.losses`: minus the log-likelihood."""
        largest = outputs.max(axis=-1, keepdims=True)
        total = np.log(np.exp(outputs - largest).sum(axis=-1)) + largest[..., 0]
        return total - (outputs * targets).sum(axis=-1)


class _VectorHead:
    size: int

    def feeder(self, kernel: np.ndarray, rows: int) -> Callable[[np.ndarray, np.ndarray], None]:
        """See `VaeHead.feeder`."""
        fed = np.empty((rows, kernel.shape[1]), np.float32)

        def feed(choices: np.ndarray, gates: np.ndarray) -> None:
            np.dot(choices, kernel, fed)
            np.add(gates, fed, gates)

        return feed

    def samples(self, choices: np.ndarray) -> np.ndarray:
        """See `VaeHead.samples`."""
        return choices


class GrooveHead(_VectorHead):
    """Nine hits, their velocities and their offsets; see `VaeHead`. A choice is all 27: hits 0 or 1, velocities 0 to 1,
    offsets -1 to 1."""

    def __init__(self, size: int) -> None:
        self.size, self.draws = size, size // 3
        # sigmoid(x) = tanh(x / 2) / 2 + 1/2 for hits and velocities, tanh(x) for offsets.
        self._scale = np.repeat(np.array([0.5, 0.5, 1.0], np.float32), self.draws)
        self._shift = np.repeat(np.array([0.5, 0.5, 0.0], np.float32), self.draws)

    def noise(self, uniforms: np.ndarray, temperature: float) -> np.ndarray:
        """See `VaeHead.noise`: what the logit of a hit has to exceed."""
        return thresholds(uniforms, temperature).astype(np.float32)

    def choose(self, outputs: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        """See `VaeHead.choose`: hits by chance, or where they are likelier than not; the rest as it is."""
        choices = outputs * self._scale
        np.tanh(choices, choices)
        np.multiply(choices, self._scale, choices)
        np.add(choices, self._shift, choices)
        np.greater(outputs[:, : self.draws], 0.0 if noise is None else noise, choices[:, : self.draws])
        return choices

    def hold(self, choices: np.ndarray, hits: np.ndarray) -> None:
        """Put hits [B, 9] that are known into choices [B, 27], and nothing where there is none; NaN leaves it free."""
        known = ~np.isnan(hits)
        np.copyto(choices[:, : self.draws], hits, where=known)
        silent = np.tile(known & (hits == 0), 2)
        np.copyto(choices[:, self.draws :], 0.0, where=silent)

    def losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """See `VaeHead.losses`: log-loss of the hits, squared errors of velocities and offsets."""
        hit, velocity, offset = np.split(outputs, 3, axis=-1)
        hits, velocities, offsets = np.split(targets, 3, axis=-1)
        hit = sigmoid(hit)
        costs = -hits * np.log(hit + _EPSILON) - (1.0 - hits) * np.log(1.0 - hit + _EPSILON)
        costs += (velocities - sigmoid(velocity)) ** 2 + (offsets - np.tanh(offset)) ** 2
        return costs.sum(axis=-1)


class VaeNadeHead(_VectorHead):
    """Any set of D classes, each depending on those before it; see `VaeHead`. A choice is D numbers of 0 and 1."""

    def __init__(self, nade: Nade) -> None:
        self._nade = nade
        self.size = self.draws = nade.num_bits

    def noise(self, uniforms: np.ndarray, temperature: float) -> np.ndarray:
        """See `VaeHead.noise`: what the logit of a class has to exceed."""
        return thresholds(uniforms, temperature)

    def choose(self, outputs: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        """See `VaeHead.choose`; without chance a class is set if that is likelier than not."""
        hidden = self._nade.num_hidden
        noise = np.zeros((len(outputs), self.draws)) if noise is None else noise
        rows = zip(outputs, noise, strict=True)
        return np.stack([self._nade.exceeding(row[:hidden], row[hidden:], bounds)[0] for row, bounds in rows])

    def losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """See `VaeHead.losses`: minus the log-likelihood."""
        hidden, lead = self._nade.num_hidden, outputs.shape[:-1]
        rows = zip(outputs.reshape(-1, outputs.shape[-1]), targets.reshape(-1, self.size), strict=True)
        costs = [-self._nade.log_probability(row[:hidden], row[hidden:], bits) for row, bits in rows]
        return np.array(costs).reshape(lead)


def classes_of(outputs: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """The likeliest classes [...] of outputs [..., N], or the classes of one-hot samples; of several parts, whose
    outputs of `sizes` lie side by side, [..., parts]."""
    parts = np.split(outputs, np.cumsum(sizes)[:-1], axis=-1)
    return parts[0].argmax(axis=-1) if len(parts) == 1 else np.stack([part.argmax(axis=-1) for part in parts], axis=-1)


def heads_of(config: Any, weights: Mapping[str, np.ndarray], scopes: tuple[str, ...]) -> tuple[VaeHead, ...]:
    """The head of each part's decoder."""
    if config.head == "categorical":
        return tuple(CategoricalHead(size) for size in config.output_sizes)
    if config.head == "groove":
        return tuple(GrooveHead(size) for size in config.output_sizes)
    return tuple(
        VaeNadeHead(Nade(weights[f"{scope}/nade/w_enc"], weights[f"{scope}/nade/w_dec_t"])) for scope in scopes
    )

"""A neural autoregressive distribution over bits: each bit depends on those before it.

Source: Larochelle & Murray, "The neural autoregressive distribution estimator" (2011), section 2; with biases that an
RNN gives, Boulanger-Lewandowski, Bengio & Vincent 2012, section 5.
"""

from __future__ import annotations

import numpy as np

from engine.networks.contract import Random
from engine.networks.sampling import sigmoid, thresholds

FLOOR = 1e-6
"""Added to probabilities before their logarithm, as Magenta does: no log-likelihood is minus infinity."""


class Nade:
    """D bits with H hidden units.

    Args:
        encoder: weights "w_enc" [D, 1, H] of Magenta's checkpoints: what a set bit adds to the hidden units.
        decoder: weights "w_dec_t" [D, H, 1]: from the hidden units to the logit of a bit.
    """

    def __init__(self, encoder: np.ndarray, decoder: np.ndarray) -> None:
        self._encoder = np.ascontiguousarray(encoder[:, 0, :], np.float32)
        self._decoder = np.ascontiguousarray(decoder[:, :, 0], np.float32)
        self.num_bits, self.num_hidden = self._encoder.shape

    def conditionals(self, hidden: np.ndarray, biases: np.ndarray, bits: np.ndarray) -> np.ndarray:
        """Logits [D] of each bit after the bits before it.

        Args:
            hidden: biases of the hidden units [H].
            biases: of the bits [D].
            bits: [D] of 0 and 1.
        """
        added = np.zeros_like(self._encoder)
        np.cumsum(self._encoder[:-1] * bits[:-1, None], axis=0, out=added[1:])
        return biases + np.einsum("dh,dh->d", sigmoid(hidden + added), self._decoder)

    def log_probability(
        self, hidden: np.ndarray, biases: np.ndarray, bits: np.ndarray, temperature: float = 1.0
    ) -> float:
        """Log-probability of bits [D] in nats; biases as in `conditionals`."""
        return _log_probability(self.conditionals(hidden, biases, bits) / temperature, bits)

    def sample(
        self, hidden: np.ndarray, biases: np.ndarray, rng: Random, temperature: float = 1.0
    ) -> tuple[np.ndarray, float]:
        """Draw bits in their order: (bits [D] float32, their log-probability in nats).

        Args:
            hidden, biases: as in `conditionals`.
            rng: one uniform number is drawn per bit.
            temperature: divides the logits; towards 0 a bit is set if that is likelier than not.
        """
        uniforms = np.array([rng.random() for _ in range(self.num_bits)])
        bits, logits = self.exceeding(hidden, biases, thresholds(uniforms, temperature))
        return bits, _log_probability(logits / temperature, bits)

    def exceeding(self, hidden: np.ndarray, biases: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bits in their order, set where the logit exceeds a bound [D]: (bits [D] float32, their logits [D]).

        Hidden units change only after a set bit, so one product with all bits that are left finds the next set one:
        as many products as there are set bits, and one. Other arguments as in `conditionals`.
        """
        bits = np.zeros(self.num_bits, np.float32)
        logits = np.empty(self.num_bits)
        first = 0
        while first < self.num_bits:
            logits[first:] = biases[first:] + self._decoder[first:] @ sigmoid(hidden)
            set_bits = logits[first:] > bounds[first:]
            ahead = int(set_bits.argmax())
            if not set_bits[ahead]:
                break
            bits[first + ahead] = 1.0
            hidden = hidden + self._encoder[first + ahead]
            first += ahead + 1
        return bits, logits


def _log_probability(logits: np.ndarray, bits: np.ndarray) -> float:
    return float(np.log(sigmoid(np.where(bits > 0, logits, -logits)) + FLOOR).sum())

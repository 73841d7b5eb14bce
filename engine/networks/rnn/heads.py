"""What the numbers at the end of an RNN mean: one softmax. Others stand with the families that have them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.networks.contract import Random, Sampling
from engine.networks.sampling import choose, log_probabilities


class Categorical:
    """One softmax over the classes; see `engine.networks.contract.Head`. A label is the index of a class."""

    def __init__(self, num_classes: int) -> None:
        self.output_size = num_classes

    def sample(self, outputs: np.ndarray, sampling: Sampling, rng: Random) -> tuple[list[int], np.ndarray]:
        """See `Head.sample`."""
        uniforms = np.array([rng.random() for _ in range(len(outputs))])
        chosen, scores = choose(outputs, sampling, uniforms)
        return chosen.tolist(), scores

    def log_probability(self, outputs: np.ndarray, label: int, temperature: float = 1.0) -> float:
        """See `Head.log_probability`."""
        return float(log_probabilities(outputs, temperature)[label])

    def log_probabilities(self, outputs: np.ndarray, labels: Sequence[int]) -> np.ndarray:
        """See `Head.log_probabilities`."""
        return log_probabilities(outputs, 1.0)[np.arange(len(outputs)), list(labels)]

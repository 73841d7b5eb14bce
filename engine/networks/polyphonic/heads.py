"""What the outputs of polyphonic networks mean, beside one softmax: several softmaxes, or a NADE."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.networks.contract import Random, Sampling
from engine.networks.encodings.pianoroll import frame_of, mask_of
from engine.networks.polyphonic.nade import Nade
from engine.networks.rnn.heads import Categorical


class Categoricals:
    """Several softmaxes side by side, drawn independently; a label is a tuple with a class of each.

    Args:
        sizes: classes of each.
    """

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.output_size = sum(sizes)
        ends = np.cumsum(sizes).tolist()
        self._parts = [(slice(end - size, end), Categorical(size)) for size, end in zip(sizes, ends, strict=True)]

    def sample(self, outputs: np.ndarray, sampling: Sampling, rng: Random) -> tuple[list[tuple[int, ...]], np.ndarray]:
        """See `Head.sample`."""
        labels, log_probabilities = [], np.zeros(len(outputs))
        for row in range(len(outputs)):
            label = []
            for part, head in self._parts:
                chosen, likely = head.sample(outputs[row : row + 1, part], sampling, rng)
                label.append(chosen[0])
                log_probabilities[row] += likely[0]
            labels.append(tuple(label))
        return labels, log_probabilities

    def log_probability(self, outputs: np.ndarray, label: tuple[int, ...], temperature: float = 1.0) -> float:
        """See `Head.log_probability`."""
        return sum(
            head.log_probability(outputs[part], chosen, temperature)
            for (part, head), chosen in zip(self._parts, label, strict=True)
        )

    def log_probabilities(self, outputs: np.ndarray, labels: Sequence[tuple[int, ...]]) -> np.ndarray:
        """See `Head.log_probabilities`."""
        columns = zip(*labels, strict=True)
        parts = zip(self._parts, columns, strict=True)
        return np.sum([head.log_probabilities(outputs[:, part], chosen) for (part, head), chosen in parts], axis=0)


class NadeHead:
    """A NADE over the keys of a piano; a label is a mask of them. Outputs are its biases: hidden units, then keys.

    top-k and top-p mean nothing here. A temperature towards 0 gives what Magenta makes, every key that is likelier down
    than not.
    """

    def __init__(self, nade: Nade) -> None:
        self.nade = nade
        self.output_size = nade.num_hidden + nade.num_bits

    def sample(self, outputs: np.ndarray, sampling: Sampling, rng: Random) -> tuple[list[int], np.ndarray]:
        """See `Head.sample`; one uniform number is drawn per key and sequence."""
        hidden = self.nade.num_hidden
        drawn = [self.nade.sample(row[:hidden], row[hidden:], rng, sampling.temperature) for row in outputs]
        return [mask_of(bits) for bits, _ in drawn], np.array([likely for _, likely in drawn])

    def log_probability(self, outputs: np.ndarray, label: int, temperature: float = 1.0) -> float:
        """See `Head.log_probability`."""
        hidden = self.nade.num_hidden
        return self.nade.log_probability(outputs[:hidden], outputs[hidden:], frame_of(label), temperature)

    def log_probabilities(self, outputs: np.ndarray, labels: Sequence[int]) -> np.ndarray:
        """See `Head.log_probabilities`."""
        return np.array([self.log_probability(row, label) for row, label in zip(outputs, labels, strict=True)])

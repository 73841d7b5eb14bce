# pyright: strict
"""A step of a gated recurrent unit in numpy; its twin for training is in `scan`."""

from __future__ import annotations

import numpy as np

from engine.networks.sampling import sigmoid


def gru_step(projected: np.ndarray, state: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """States [B, units] after a step (Cho et al. 2014 in the variant of cuDNN: reset after the product).

    Args:
        projected: [B, 3 * units] what the input gives to the gates, in the order update, reset, new.
        state: [B, units] before it.
        recurrent: [units, 3 * units].
        bias: [3 * units], of the recurrent product.
    """
    units = state.shape[1]
    inner = state @ recurrent + bias
    gates = sigmoid(projected[:, : 2 * units] + inner[:, : 2 * units])
    update, reset = gates[:, :units], gates[:, units:]
    return update * state + (1 - update) * np.tanh(projected[:, 2 * units :] + reset * inner[:, 2 * units :])

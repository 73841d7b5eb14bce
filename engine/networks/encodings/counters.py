"""Binary counters: where in the bars an event stands."""

from __future__ import annotations

import numpy as np


def counter_table(bits: int) -> np.ndarray:
    """[2**bits, bits] of +-1: the binary digits of n, lowest first."""
    n = np.arange(2**bits)[:, None]
    return np.where((n >> np.arange(bits)) & 1, 1.0, -1.0).astype(np.float32)

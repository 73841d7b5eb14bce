# pyright: strict
"""How long to wait before something that failed is tried again."""

from __future__ import annotations

import random


class Backoff:
    """Delays that grow with every failure in a row: 0.1, 0.2, 0.4 ... up to a longest one.

    Args:
        first: seconds before the first retry.
        longest: seconds; they grow no further.
        jitter: share of each delay, 0..1, by which chance shortens it, so that those who lost the same thing do not
            all come back at once.
    """

    def __init__(self, first: float = 0.1, longest: float = 30.0, jitter: float = 0.0) -> None:
        self._first = first
        self._longest = longest
        self._jitter = jitter
        self.failures = 0

    def next_delay(self) -> float:
        """Seconds to wait now, after one more failure."""
        delay = min(self._first * 2.0 ** min(self.failures, 30), self._longest)
        self.failures += 1
        return delay * (1.0 - self._jitter * random.random())

    def reset(self) -> None:
        """It works again."""
        self.failures = 0

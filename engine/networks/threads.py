"""How many threads matrix products run on."""

from __future__ import annotations

from functools import cache


@cache
def _pools():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread():
    """Context in which matrix products run on one thread: those of playing are small, and their sums keep one order."""
    return _pools().limit(limits=1, user_api="blas")

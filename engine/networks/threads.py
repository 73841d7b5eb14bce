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


def allowed_threads() -> int:
    """Threads that matrix products may run on here: the machine's, the environment's, or a context's limit."""
    return max((pool["num_threads"] for pool in _pools().info() if pool["user_api"] == "blas"), default=1)

"""How many threads matrix products run on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")


@cache
def _pools():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread():
    """Context in which matrix products run on one thread: those of playing are small, and their sums keep one order."""
    return _pools().limit(limits=1, user_api="blas")


def close_threads():
    """Context in which matrix products run on two threads, if so many are allowed, that spin while they wait for each
    other: for a millisecond or two of products of one vector, which BLAS divides by columns, so that the numbers are
    those of one thread. Where other work wants both cores it is no quicker than one thread, and may be slower."""
    return _pools().limit(limits=min(2, allowed_threads()), user_api="blas")


@cache
def second_thread() -> Executor:
    """A thread beside the caller's, which sleeps while there is nothing to do."""
    return ThreadPoolExecutor(1, "second")


def side_by_side(first: Callable[[], T], other: Callable[[], T], threads: int) -> tuple[T, T]:
    """What two functions return, made at the same time if there are two threads, else one after the other. When this
    ends, both have ended, whatever one of them raised."""
    if threads < 2:
        return first(), other()
    waited_for = second_thread().submit(other)
    try:
        found = first()
    except BaseException:
        waited_for.exception()
        raise
    return found, waited_for.result()


def allowed_threads() -> int:
    """Threads that matrix products may run on here: the machine's, the environment's, or a context's limit."""
    return max((pool["num_threads"] for pool in _pools().info() if pool["user_api"] == "blas"), default=1)


@cache
def blas_kernels() -> str:
    """The name that OpenBLAS gives to what it multiplies with on this processor; empty where it gives none."""
    return next((str(pool.get("architecture", "")) for pool in _pools().info() if pool["user_api"] == "blas"), "")

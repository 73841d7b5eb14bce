"""How far work is that may take long: whoever does it tells, whoever waits for it listens.

    with heard_by(lambda share: print(f"{share:.0%}")):
        long_work()                  # calls tell(done / of) now and then

Work tells nothing to nobody where nobody listens, at the cost of one look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")

Listener = Callable[[float], None]
"""Told the share of some work that is done, 0..1."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Let somebody hear how far the work in a `with` is."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def part(begin: float, end: float, of: float) -> Iterator[None]:
    """What tells how far it is, in a `with`, is a part of a work: from one place in it to another, of a length."""
    listener = _listener.get()
    if listener is None:
        yield
        return
    with heard_by(lambda share: listener((begin + share * (end - begin)) / of)):
        yield


def tell(share: float) -> None:
    """Say how far the work is, 0..1."""
    listener = _listener.get()
    if listener is not None:
        listener(share)


def each(items: Sequence[Item]) -> Iterator[Item]:
    """The pieces of a work, each told when it is begun."""
    for number, item in enumerate(items):
        tell(number / len(items))
        yield item

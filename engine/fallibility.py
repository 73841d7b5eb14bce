# pyright: strict
"""What may fail, and what may not: two marks that classes inherit, so that a type checker tells them apart.

A chain that is to hold, of makers of phrases or of outputs, goes from what is fallible down to one thing that is not.
"""

from __future__ import annotations

from collections.abc import Iterable


class Fallible:
    """Its work may raise, come late, never come or be wrong. Whoever uses it has something else at hand."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        _not_both(cls)


class Infallible:
    """Its work never raises, never waits for anybody, and what it gives can be used as it is."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        _not_both(cls)


def check_chain(what: str, fallible: Iterable[object], last: object) -> None:
    """See to it, where no type checker did, that a chain holds.

    Args:
        what: name of the chain, for the message.
        fallible: its members, from the top down.
        last: what is left when all of them fail.

    Raises:
        TypeError: a member is not marked as fallible, or the last is not infallible.
    """
    for member in fallible:
        if not isinstance(member, Fallible):
            raise TypeError(f"{what} takes what is Fallible above its floor; {type(member).__name__} is not")
    if not isinstance(last, Infallible):
        raise TypeError(f"{what} must end in something Infallible; {type(last).__name__} may fail")


def _not_both(cls: type) -> None:
    if issubclass(cls, Fallible) and issubclass(cls, Infallible):
        raise TypeError(f"{cls.__name__} cannot be both Fallible and Infallible")

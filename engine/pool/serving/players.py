# pyright: strict
"""Who may ask: a token for each player."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping

from engine.errors import PerpetuumError

log = logging.getLogger(__name__)

ANYBODY = "anybody"
"""Name of whoever asks where no tokens are asked for."""


class Players:
    """Tells players by their tokens.

    Args:
        tokens: of the players by name, each read anew for each request, so that it can be changed or revoked. None:
            no token is asked for.
    """

    def __init__(self, tokens: Mapping[str, Callable[[], str]]) -> None:
        self._tokens = dict(tokens)
        self._told: set[str] = set()

    def of(self, authorization: str) -> str | None:
        """The player that a header `Authorization: Bearer TOKEN` is of; None for nobody.

        Takes as long for every token that is wrong: all are compared, each in constant time.
        """
        if not self._tokens:
            return ANYBODY
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        given = token.encode() if scheme.lower() == "bearer" and token.isascii() else b""
        found = None
        for name, reveal in self._tokens.items():
            try:
                right = _plain(reveal())
            except PerpetuumError as error:
                self._tell(name, error)
                continue
            self._told.discard(name)
            if hmac.compare_digest(given, right):
                found = name
        return found

    def _tell(self, name: str, error: PerpetuumError) -> None:
        if name not in self._told:
            self._told.add(name)
            log.warning("player %s cannot ask: %s", name, error.message)


def _plain(token: str) -> bytes:
    """A token as it travels.

    Raises:
        PerpetuumError: no header can carry it.
    """
    if not (token.isascii() and token.isprintable()):
        raise PerpetuumError("its token is no plain ASCII, which HTTP needs", "give it another one")
    return token.encode()

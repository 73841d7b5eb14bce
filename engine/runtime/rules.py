"""Phrases by rules, in the conductor's process: given to the conductor, which knows generators by contract only."""

from __future__ import annotations

from engine.generators import chain
from engine.generators.contract import Request
from engine.score.phrase import Phrase


class LocalRules:
    """The conductor's `Rules`."""

    def __init__(self) -> None:
        self._cache: chain.Cache = {}

    def make(self, kind: str, request: Request) -> tuple[Phrase, Phrase]:
        """(raw, phrase) by a rule-based kind."""
        return chain.make_phrase(kind, request, self._cache)

    def stand_in(self, request: Request, reason: str) -> tuple[Phrase, Phrase]:
        """(raw, phrase) by the rules of the request's role; never fails."""
        return chain.stand_in(request, reason)

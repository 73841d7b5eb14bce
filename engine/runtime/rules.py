# pyright: strict
"""Phrases by rules, in the conductor's process: given to the conductor, which knows generators by contract only."""

from __future__ import annotations

from collections.abc import Callable

from engine.conductor.makers.contract import Floor, Job, Made, PromptRung, SlowRung
from engine.conductor.makers.ladder import Ladder, unheard
from engine.events import Event
from engine.generators import chain
from engine.generators.contract import Request


class LocalRules(PromptRung):
    """Rule-based generators; a plug-in's may fail like anything else."""

    name = "rules"

    def __init__(self) -> None:
        self._cache: chain.Cache = {}

    def takes(self, job: Job) -> bool:
        """Chains that need no network."""
        return not job.network

    def make(self, job: Job) -> Made:
        """A phrase by a rule-based kind."""
        return Made(*chain.make_phrase(job.kind, job.request, self._cache))


class StandIns(Floor):
    """The rules of each role, and under them a phrase that cannot fail."""

    name = "stand-in"

    def make(self, request: Request, reason: str) -> Made:
        """A phrase by the rules of the request's role; never fails."""
        return Made(*chain.stand_in(request, reason))


def ladder_over(networks: SlowRung, publish: Callable[[Event], None] = unheard, pool: SlowRung | None = None) -> Ladder:
    """The ladder of a performance: other machines where there are some, networks, rules, and what stands in for all."""
    above = [pool] if pool is not None else []
    return Ladder([*above, networks, LocalRules()], StandIns(), publish)

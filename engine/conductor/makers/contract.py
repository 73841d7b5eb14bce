# pyright: strict
"""What the conductor needs from the makers of phrases around it. Free of everything heavy.

A *rung* of the ladder is fallible, the *floor* is not, and they share no base: a type checker refuses one in place of
the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.fallibility import Fallible, Infallible
from engine.generators.contract import Request
from engine.score.phrase import Phrase


@dataclass(frozen=True, slots=True)
class Job:
    """One phrase to make.

    Attributes:
        ticket: number of the job, given back in its reply.
        kind: kind of the generator.
        request: what to make.
        deadline: frame of the output at which the phrase must be known.
        network: its generator or one of its transforms needs a network.
    """

    ticket: int
    kind: str
    request: Request
    deadline: int
    network: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a job.

    Attributes:
        ticket: of the job.
        raw: what the generator made, before transforms; None if it failed.
        phrase: after the transforms; None if it failed.
        problem: why it failed; empty if it did not.
        seconds: time that it took.
    """

    ticket: int
    raw: Phrase | None
    phrase: Phrase | None
    problem: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Made:
    """A phrase that can be played.

    Attributes:
        raw: what the generator made, before transforms.
        phrase: after the transforms.
        rung: name of what made it.
        reason: why no higher rung made it; empty if none had to.
        seconds: time that it took.
    """

    raw: Phrase
    phrase: Phrase
    rung: str = ""
    reason: str = ""
    seconds: float = 0.0


class Rung(Fallible, ABC):
    """A maker of phrases that may fail. Inherit from `PromptRung` or `SlowRung`.

    Attributes:
        name: for events and logs; no two rungs of a ladder share one.
    """

    name: str = "rung"

    @property
    def ready(self) -> bool:
        """Whether it is up. What is late of one that still loads is not held against it."""
        return True

    def takes(self, job: Job) -> bool:
        """Whether a job is one for it."""
        return True


class PromptRung(Rung):
    """Makes phrases at once."""

    @abstractmethod
    def make(self, job: Job) -> Made:
        """A phrase.

        Raises:
            Exception: whatever goes wrong; the next rung takes over.
        """


class SlowRung(Rung):
    """Makes phrases somewhere else, and answers when they are there. Nothing of it blocks longer than asked."""

    def follow(self, now: Callable[[], int]) -> None:
        """Be told what gives the frames of sound made so far, against which deadlines stand. Most need not know."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Take a job.

        Raises:
            Exception: it cannot be taken; the next rung takes over.
        """

    @abstractmethod
    def poll(self, timeout: float) -> Sequence[Reply]:
        """Replies that have come in; waits up to `timeout` seconds for the first one."""

    @abstractmethod
    def cancel(self, tickets: Sequence[int]) -> None:
        """Nobody waits for these any more; their replies may be dropped."""


class Floor(Infallible, ABC):
    """Makes a phrase for any request, here and at once, when every rung has failed or there is no time for them."""

    name: str = "floor"

    @abstractmethod
    def make(self, request: Request, reason: str) -> Made:
        """A phrase that can be played. Never raises, never waits.

        Args:
            request: as it was made for the rungs.
            reason: why it comes to this; noted in the provenance.
        """

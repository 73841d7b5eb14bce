"""What the conductor needs from the processes around it. Free of everything heavy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

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
    """

    ticket: int
    kind: str
    request: Request
    deadline: int


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


class PhraseMakers(Protocol):
    """Where jobs are done: the worker processes. Never blocks longer than asked, never raises for a job's failure."""

    def submit(self, job: Job) -> None:
        """Take a job."""
        ...

    def poll(self, timeout: float) -> Sequence[Reply]:
        """Replies that have come in; waits up to `timeout` seconds for the first one."""
        ...

    def cancel(self, tickets: Sequence[int]) -> None:
        """Nobody waits for these any more; their replies may be dropped."""
        ...


class Rules(Protocol):
    """Phrases by rules, made in the conductor's own process, at once."""

    def make(self, kind: str, request: Request) -> tuple[Phrase, Phrase]:
        """(raw, phrase) by a rule-based kind of generator.

        Raises:
            Exception: whatever a plug-in's rules raise; `stand_in` then takes over.
        """
        ...

    def stand_in(self, request: Request, reason: str) -> tuple[Phrase, Phrase]:
        """(raw, phrase) by the rules of the request's role. Infallible."""
        ...

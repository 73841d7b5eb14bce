# pyright: strict
"""The ladder: makers of phrases from the best one down to a floor that never fails. So it never fails itself.

A job begins at the first rung that takes it. A rung that raises, gives what cannot be played or has been failing is
passed over for the next one; whoever is late is replaced by what can be made at once. The floor is there for the rest.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from engine.conductor.makers.breaker import CircuitBreaker
from engine.conductor.makers.contract import Floor, Job, Made, PromptRung, Reply, Rung, SlowRung
from engine.events import Event, StepCause, SteppedDown, SteppedUp
from engine.fallibility import Infallible, check_chain
from engine.generators.contract import Request
from engine.generators.playable import UnplayableError, validated


@dataclass(frozen=True, slots=True)
class Answer:
    """A phrase that was waited for.

    Attributes:
        ticket: of its job.
        made: the phrase.
    """

    ticket: int
    made: Made


@dataclass(frozen=True, slots=True)
class Standing:
    """Where on the ladder a job is.

    Attributes:
        rung: name of the rung that has it.
        problems: of the rungs above, in order.
    """

    rung: str
    problems: tuple[str, ...] = ()


def unheard(event: Event) -> None:
    """Tells nobody."""


class Ladder(Infallible):
    """Makers of phrases, the best first, and a floor.

    Each rung has a circuit breaker for each part: the network of one part may be broken while another's plays.

    Args:
        rungs: from the top down, with different names.
        floor: when all of them fail.
        publish: told of every step down and up; never raises.

    Raises:
        TypeError: a rung is not fallible, or the floor is.
        ValueError: two rungs share a name.
    """

    def __init__(self, rungs: Sequence[Rung], floor: Floor, publish: Callable[[Event], None] = unheard) -> None:
        check_chain("a ladder", rungs, floor)
        names = [rung.name for rung in rungs]
        if len(set(names)) < len(names):
            raise ValueError(f"the rungs of a ladder need names of their own: {', '.join(names)}")
        self._rungs = tuple(rungs)
        self._slow = tuple(rung for rung in rungs if isinstance(rung, SlowRung))
        self._floor = floor
        self._publish = publish
        self._tickets = itertools.count()
        self._waiting: dict[int, tuple[Job, int, tuple[str, ...]]] = {}  # job, place of its rung, problems above
        self._breakers: dict[tuple[str, str], CircuitBreaker] = {}

    def ask(self, kind: str, request: Request, deadline: int, network: bool) -> Made | Job:
        """Have a phrase made.

        Args:
            kind: of the generator.
            request: what to make.
            deadline: frame at which it must be known.
            network: its chain needs a network.

        Returns:
            the phrase, or the job that is waited for: `poll` brings its phrase, and `give_up` does not wait longer.
        """
        job = Job(next(self._tickets), kind, request, deadline, network)
        return self._descend(job, 0, ()) or job

    def ask_again(self, kind: str, request: Request, deadline: int, network: bool, standing: Standing) -> Made | Job:
        """Have a phrase made that another ladder was asked for, from the rung on that had it there."""
        job = Job(next(self._tickets), kind, request, deadline, network)
        places = [place for place, rung in enumerate(self._rungs) if rung.name == standing.rung]
        return self._descend(job, places[0] if places else 0, standing.problems if places else ()) or job

    def standing(self, job: Job) -> Standing:
        """Where a job is that is waited for."""
        _, place, problems = self._waiting[job.ticket]
        return Standing(self._rungs[place].name, problems)

    def poll(self, timeout: float) -> Sequence[Answer]:
        """Phrases that have come in; waits up to `timeout` seconds for the first."""
        answers: list[Answer] = []
        for reply in self._replies(timeout):
            waiting = self._waiting.pop(reply.ticket, None)
            if waiting is None:
                continue  # nobody waits for it any more
            job, place, problems = waiting
            rung = self._rungs[place]
            try:
                if reply.problem or reply.raw is None or reply.phrase is None:
                    raise ValueError(reply.problem or "it came back empty")
                made = self._judged(Made(reply.raw, reply.phrase, seconds=reply.seconds), job, rung, problems)
            except Exception as error:
                made = self._descend(job, place + 1, (*problems, self._failed(rung, job, error)))
            if made is not None:
                answers.append(Answer(job.ticket, made))
        return answers

    def give_up(self, job: Job, reason: str) -> Made:
        """A phrase at once for a job that is waited for, whatever its rung may still answer."""
        waiting = self._waiting.pop(job.ticket, None)
        problems = waiting[2] if waiting is not None else ()
        place = len(self._rungs)
        if waiting is not None:
            rung = self._rungs[waiting[1]]
            place = waiting[1] + 1
            self._cancel(rung, [job.ticket])
            if rung.ready:
                self._failed(rung, job, TimeoutError(reason))
            else:
                self._breaker(rung, job).abandoned()
                self._step_down(rung, job, reason, StepCause.UNREADY)
        made = self._descend(job, place, (*problems, reason), at_once=True)
        assert made is not None
        return made

    def stand_in(self, request: Request, reason: str) -> Made:
        """What the floor makes: planned where there is no reason, and else because nothing better could be asked."""
        return replace(self._floor.make(request, reason), rung=self._floor.name, reason=reason)

    def cancel(self, jobs: Iterable[Job]) -> None:
        """Nobody waits for these any more."""
        for job in jobs:
            waiting = self._waiting.pop(job.ticket, None)
            if waiting is not None:
                rung = self._rungs[waiting[1]]
                self._cancel(rung, [job.ticket])
                self._breaker(rung, job).abandoned()

    @property
    def breakers(self) -> dict[tuple[str, str], CircuitBreaker]:
        """Those that count failures, by rung and part."""
        return {names: breaker for names, breaker in sorted(self._breakers.items()) if breaker.failures}

    def renew(self, breakers: dict[tuple[str, str], CircuitBreaker] | None = None) -> None:
        """Forget failures, because the parts may be others now; or take up those of another ladder."""
        self._breakers = dict(breakers or {})

    def _descend(self, job: Job, place: int, problems: tuple[str, ...], at_once: bool = False) -> Made | None:
        """Let the first rung from a place on make a phrase; None if that one is slow and has been asked."""
        for lower in range(place, len(self._rungs)):
            rung = self._rungs[lower]
            if (at_once and isinstance(rung, SlowRung)) or not rung.takes(job):
                continue
            breaker = self._breaker(rung, job)
            if not breaker.admits(job.deadline):
                reason = f"it failed {breaker.failures} times in a row, the last time: {breaker.reason}"
                self._step_down(rung, job, reason, StepCause.SPARED)
                problems = (*problems, reason)
                continue
            try:
                if isinstance(rung, SlowRung):
                    self._waiting[job.ticket] = job, lower, problems
                    rung.submit(job)
                    return None
                if isinstance(rung, PromptRung):
                    return self._judged(rung.make(job), job, rung, problems)
                raise TypeError(f"{type(rung).__name__} is neither a PromptRung nor a SlowRung")
            except Exception as error:
                self._waiting.pop(job.ticket, None)
                problems = (*problems, self._failed(rung, job, error))
        return self.stand_in(job.request, "; ".join(problems) or "nobody is there to make it")

    def _judged(self, made: Made, job: Job, rung: Rung, problems: tuple[str, ...]) -> Made:
        """What a rung made, if it can be played.

        Raises:
            Exception: it cannot.
        """
        raw = validated(made.raw, job.request, job.kind)
        phrase = raw if made.phrase is made.raw else validated(made.phrase, job.request, job.kind)
        if self._breaker(rung, job).succeeded():
            self._publish(SteppedUp(job.request.part, job.request.place.first_bar, rung.name))
        return Made(raw, phrase, rung.name, "; ".join(problems), made.seconds)

    def _failed(self, rung: Rung, job: Job, error: Exception) -> str:
        reason = str(error) or repr(error)
        self._breaker(rung, job).failed(job.deadline, reason)
        self._step_down(rung, job, reason, _cause_of(error))
        return reason

    def _step_down(self, rung: Rung, job: Job, reason: str, cause: StepCause) -> None:
        self._publish(SteppedDown(job.request.part, job.request.place.first_bar, rung.name, reason, cause))

    def _breaker(self, rung: Rung, job: Job) -> CircuitBreaker:
        return self._breakers.setdefault((rung.name, job.request.part), CircuitBreaker())

    def _replies(self, timeout: float) -> list[Reply]:
        """Replies of all slow rungs; those that owe some share the time to wait, and whoever owes none is looked at."""
        owing = {self._rungs[place].name for _, place, _ in self._waiting.values()}
        waited = [rung for rung in self._slow if rung.name in owing] or list(self._slow[:1])
        if not waited:
            time.sleep(timeout)
        replies: list[Reply] = []
        for rung in self._slow:
            patience = 0.0 if replies or rung not in waited else timeout / len(waited)
            try:
                replies += rung.poll(patience)
            except Exception as error:
                replies += self._all_fail(rung, error)
        return replies

    def _all_fail(self, rung: Rung, error: Exception) -> list[Reply]:
        """A rung that cannot even be polled has lost all its jobs."""
        jobs = [job for job, place, _ in self._waiting.values() if self._rungs[place] is rung]
        return [Reply(job.ticket, None, None, f"{rung.name}: {str(error) or repr(error)}") for job in jobs]

    def _cancel(self, rung: Rung, tickets: Sequence[int]) -> None:
        if isinstance(rung, SlowRung):
            with suppress(Exception):  # its reply is dropped all the same
                rung.cancel(tickets)


def _cause_of(error: Exception) -> StepCause:
    match error:
        case TimeoutError():
            return StepCause.LATE
        case UnplayableError():
            return StepCause.UNPLAYABLE
        case _:
            return StepCause.FAILED

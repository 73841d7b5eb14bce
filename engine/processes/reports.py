# pyright: strict
"""What supervision finds out about child processes, as values. Events, logs and metrics derive from these."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

log = logging.getLogger(__name__)


R = TypeVar("R")


class Cause(StrEnum):
    """Why a child was lost."""

    DIED = "died"
    HUNG = "hung"
    OVER_BUDGET = "over its memory budget"
    SILENT = "made silence"  # though notes were to sound
    BROKE_PROTOCOL = "broke the protocol"  # sent what cannot be read, or makes no sense


@dataclass(frozen=True, slots=True)
class ChildStarted:
    """A child runs and does its work.

    Attributes:
        process: what it is: "audio", "audio spare", "worker 1", "player".
    """

    process: str


@dataclass(frozen=True, slots=True)
class ChildLost:
    """A child ended, or was ended because of what it did.

    Attributes:
        process: what it is.
        cause: why it was lost.
        reason: the same for people, with what is known of its end.
        retry_in: seconds until the next one is started; None: none will be.
    """

    process: str
    cause: Cause
    reason: str
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class IntensityExceeded:
    """A child was lost more often than its restart intensity allows.

    Attributes:
        process: what it is.
        restarts: that are allowed ...
        period: ... within so many seconds.
        given_up: True: it is not started again. False: it is, after pauses that grow even if it worked in between.
    """

    process: str
    restarts: int
    period: float
    given_up: bool


@dataclass(frozen=True, slots=True)
class BudgetRaised:
    """One child after the other came to use more than the memory budget: that much is needed.

    Attributes:
        process: what it is.
        budget: bytes that it may use from now on.
    """

    process: str
    budget: int


@dataclass(frozen=True, slots=True)
class ChildRenewed:
    """A child that did its work was replaced where nobody heard it.

    Attributes:
        process: what it is.
        reason: for people.
    """

    process: str
    reason: str


Report = ChildStarted | ChildLost | IntensityExceeded | BudgetRaised | ChildRenewed
Reporter = Callable[[Report], None]


class Relay(Generic[R]):
    """Passes reports on to whoever is there by then: processes are started before what listens to them.

    Attributes:
        to: takes the reports from now on.
    """

    def __init__(self, to: Callable[[R], None]) -> None:
        self.to = to

    def __call__(self, report: R) -> None:
        """Pass one on."""
        self.to(report)


def log_report(report: Report) -> None:
    """Write a report to the log."""
    match report:
        case ChildStarted(process):
            log.debug("%s: it works", process)
        case ChildLost(process, _, reason, None):
            log.info("%s: %s", process, reason)  # whoever owns it says that it has given up
        case ChildLost(process, _, reason, retry_in):
            log.warning("%s: %s; another is started in %.1f s", process, reason, retry_in)
        case IntensityExceeded(process, restarts, period, given_up):
            then = "it is not started again" if given_up else "it is started again more slowly"
            log.warning("%s: lost more than %d times in %g s; %s", process, restarts, period, then)
        case ChildRenewed(process, reason):
            log.warning("%s: %s; another takes its place", process, reason)
        case BudgetRaised(process, budget):
            log.warning("%s: it needs more memory than it had; its budget is %d MB now", process, budget // 1_000_000)

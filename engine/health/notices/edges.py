# pyright: strict
"""When somebody is told: once when something breaks, once when all is well again, once a week that all is well.

Whatever else breaks before the recovery makes no further message; the recovery names it. Who is woken every ten minutes
stops reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from engine.health.checks import Check
from engine.health.clock import known
from engine.health.notices.notice import Notice, NoticeKind

PATIENCE: dict[str, float] = {"heartbeat": 20.0, "sound": 15.0, "output": 30.0, "ladder": 600.0, "state": 300.0}
"""Seconds for which a check must fail before anybody is told. What heals itself sooner is no news."""

DEFAULT_PATIENCE = 5.0
"""The same for all others: the fire alarm."""

STEADY = 60.0
"""Seconds for which all must be well again before the recovery is told: what comes and goes is one message."""

ALL_CLEAR = (0, 9)
"""Day of the week (0: Monday) and hour at which it is said that all is well."""


@dataclass(frozen=True, slots=True)
class ToldNotices:
    """What has been told, so that whoever starts anew neither says it again nor forgets to say that it is over.

    Attributes:
        since: seconds since 1970 at which what was told broke; None where all was well.
        broken: what broke, and how each thing was.
        week: year and number of the last week in which it was looked.
    """

    since: float | None = None
    broken: dict[str, str] = field(default_factory=dict[str, str])
    week: tuple[int, int] | None = None


class Edges:
    """Makes messages of checks. Call it about once a second.

    Args:
        title: of the installation.
        zone: whose clock says when the week begins.
        weekly: whether it is said once a week that all is well.
        told: what was told before.
    """

    def __init__(self, title: str, zone: tzinfo, weekly: bool = True, told: ToldNotices | None = None) -> None:
        self._title = title
        self._zone = zone
        self._weekly = weekly
        self._failing: dict[str, float] = {}  # checks, and the monotonic second at which they began to fail
        before = told or ToldNotices()
        self._broken = dict(before.broken)  # what was told, or would have been, since the last recovery
        self._broke_at: tuple[float, float] | None = None  # monotonic, and on the wall
        self._since = before.since  # the last of these of another start, until it is known how long ago that is
        self._well_since: float | None = None
        self._week = before.week

    @property
    def told(self) -> ToldNotices:
        """What has been told so far."""
        return ToldNotices(
            self._broke_at[1] if self._broke_at is not None else self._since, dict(self._broken), self._week
        )

    def look(self, checks: Sequence[Check], monotonic: float, at: float) -> list[Notice]:
        """What is to be told now.

        Args:
            checks: as they are.
            monotonic: seconds of a clock that nobody sets.
            at: seconds since 1970.
        """
        if self._since is not None:
            self._broke_at, self._since = (monotonic - max(0.0, at - self._since), self._since), None
        failing = {check.name: check.text for check in checks if not check.ok}
        self._failing = {name: self._failing.get(name, monotonic) for name in failing}
        ripe = {
            name: failing[name]
            for name, since in self._failing.items()
            if monotonic - since >= PATIENCE.get(name, DEFAULT_PATIENCE)
        }
        told: list[Notice] = []
        if ripe and self._broke_at is None:
            since = min(self._failing[name] for name in ripe)
            self._broke_at = since, at - (monotonic - since)
            told.append(self._breaks(ripe, self._broke_at[1]))
        if self._broke_at is not None:
            self._broken |= ripe
            told += self._recovery(failing, monotonic, at)
        return told + self._all_clear(failing, at)

    def _breaks(self, ripe: Mapping[str, str], at: float) -> Notice:
        names = " and ".join(ripe)
        lines = [f"{self._title}, since {self._time(at)}:", *(f"- {name}: {text}" for name, text in ripe.items())]
        return Notice(NoticeKind.BROKEN, at, f"{self._title}: {names}", "\n".join(lines))

    def _recovery(self, failing: Mapping[str, str], monotonic: float, at: float) -> list[Notice]:
        if failing:
            self._well_since = None
            return []
        if self._well_since is None:
            self._well_since = monotonic
        if monotonic - self._well_since < STEADY or self._broke_at is None:
            return []
        lasted = timedelta(seconds=round(self._well_since - self._broke_at[0]))
        lines = [
            f"{self._title}: all is well again. It lasted {lasted} (h:mm:ss), from {self._time(self._broke_at[1])}.",
            "It was:",
        ]
        lines += [f"- {name}: {text}" for name, text in self._broken.items()]
        self._broke_at, self._well_since, self._broken = None, None, {}
        return [Notice(NoticeKind.RECOVERED, at, f"{self._title}: all is well again", "\n".join(lines))]

    def _all_clear(self, failing: Mapping[str, str], at: float) -> list[Notice]:
        local = datetime.fromtimestamp(at, self._zone)
        if not known(local):
            return []
        day, hour = ALL_CLEAR
        week = (local - timedelta(days=day, hours=hour)).isocalendar()[:2]
        first, before, self._week = self._week is None, self._week, week
        if first or not self._weekly or week == before or failing or self._broke_at is not None:
            return []
        text = f"{self._title}: all is well at {self._time(at)}. The next such message comes in a week, or look."
        return [Notice(NoticeKind.ALL_CLEAR, at, f"{self._title}: all is well", text)]

    def _time(self, at: float) -> str:
        return datetime.fromtimestamp(at, self._zone).strftime("%Y-%m-%d %H:%M:%S %Z")

# pyright: strict
"""Local clocks: from what a clock on the wall shows to moments, also on the days on which it is put forward or back."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.errors import PerpetuumError

LOCAL_TIME = Path("/etc/localtime")
"""Where the machine keeps its time zone."""

_SECOND = timedelta(seconds=1)


def find_zone(name: str) -> ZoneInfo:
    """A zone of the tz database by its name.

    Raises:
        PerpetuumError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    # Names are looked up as paths: one may name a folder, or be too long for a path.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PerpetuumError(f"there is no time zone {name!r}", "take one like Europe/Berlin") from None


def zone_of_the_machine(file: Path = LOCAL_TIME) -> tzinfo:
    """The time zone of this machine: what `TZ` names, or else what the system says; UTC where it says nothing."""
    name = os.environ.get("TZ", "").lstrip(":")
    if name:
        try:
            return find_zone(name)
        except PerpetuumError:
            pass  # a rule like CET-1CEST, which the system's own clock follows
    try:
        with file.open("rb") as data:
            return ZoneInfo.from_file(data, key=_name_of(file))
    except (OSError, ValueError):
        return UTC


def _name_of(file: Path) -> str:
    """The name of a zone by where its file lies."""
    _, found, name = str(file.resolve()).partition("zoneinfo/")
    return name if found else "local time"


def on_the_wall(day: date, seconds: float) -> datetime:
    """What a clock shows, without a zone, some seconds after midnight; beyond 86,400 of the next day."""
    return datetime.combine(day, time()) + timedelta(seconds=seconds)


def first_moment(shown: datetime, zone: tzinfo) -> datetime:
    """The first moment, in UTC, at which a clock in a zone shows a time or a later one.

    Of an hour that passes twice it is in the first; of one that is left out, the moment at which the clock leaps.
    """
    early, late = _readings(shown, zone)
    return early if early <= late else _leap(late, early, zone)


def last_moment(shown: datetime, zone: tzinfo) -> datetime:
    """The moment, in UTC, after which a clock in a zone never again shows less than a time.

    Of an hour that passes twice it is in the second; of one that is left out, the moment at which the clock leaps.
    """
    early, late = _readings(shown, zone)
    if early > late:
        return _leap(late, early, zone)
    # Where the hour that passes twice begins at this very time, the clock does not fall below it.
    return late if _shown(late - _SECOND, zone) < shown else early


def time_of_day(moment: datetime, zone: tzinfo) -> float:
    """Seconds since midnight that a clock in a zone shows."""
    local = moment.astimezone(zone)
    return 3600.0 * local.hour + 60.0 * local.minute + local.second + local.microsecond / 1e6


def leap_between(first: datetime, last: datetime, zone: tzinfo) -> datetime | None:
    """The moment at which a clock is put forward or back between two moments; None where it is not.

    Args:
        first: in UTC.
        last: in UTC; near enough that there is one such moment at most.
        zone: of the clock.
    """
    if first.astimezone(zone).utcoffset() == last.astimezone(zone).utcoffset():
        return None
    return _leap(first, last, zone)


def _readings(shown: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The two moments that a clock's face may mean: with the offset before a leap nearby, and with the one after it."""
    return (
        shown.replace(tzinfo=zone, fold=0).astimezone(UTC),
        shown.replace(tzinfo=zone, fold=1).astimezone(UTC),
    )


def _shown(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _leap(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Where between two moments the offset of a zone becomes that of the second, to the second."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after

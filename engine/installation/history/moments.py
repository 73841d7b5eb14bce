# pyright: strict
"""Moments as people type them, on the clock of an installation."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from dateutil import parser

from engine.errors import PerpetuumError
from engine.installation.hours.walltime import first_moment

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

HINT = "write 2026-11-20 15:32, 15:32, yesterday 15:32, Tuesday 15:32, or 20 Nov 15:32"

YEARS = range(1971, 9999)

_NUMBERS_ALONE = re.compile(r"\d{1,4}[./-]\d{1,2}([./-]\d{1,4})?\.?(\s|$)")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SOMETIME = re.compile(r"\d:\d\d|\d\s*[ap]\.?m\b|[a-z]{3}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AskedMoment:
    """A moment that somebody means.

    Attributes:
        at: in UTC.
        note: how it was understood, where that is not plain; empty otherwise.
    """

    at: datetime
    note: str = ""

    @property
    def seconds(self) -> float:
        """Of UTC since 1970."""
        return self.at.timestamp()


def parse_moment(text: str, zone: tzinfo, now: datetime, latest: bool = False) -> AskedMoment:
    """The moment that a text means.

    Args:
        text: as people type it. Without a date it is the last time at which the clock showed that; without a time the
            day begins then, or ends.
        zone: of the clock that is meant, where the text does not say another.
        now: with its zone; nothing later is meant where the text leaves that open.
        latest: of a day without a time its end is meant.

    Raises:
        PerpetuumError: it means none, or one that the clock never showed.
    """
    if not (text.isprintable() and text.strip()[:1].isalnum()):
        raise _unreadable(text)
    shown, whole_day = _shown(text.strip(), now.astimezone(zone).replace(tzinfo=None, fold=0))
    if shown.tzinfo is not None:
        return AskedMoment(shown.astimezone(UTC))
    if whole_day:
        day = shown + timedelta(days=1) if latest else shown
        return AskedMoment(first_moment(day, zone))
    first, last = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None, fold=0) != shown:
        raise PerpetuumError(
            f"no clock showed {shown:%Y-%m-%d %H:%M}: it was put forward that night",
            f"{first_moment(shown, zone).astimezone(zone):%H:%M} is the first time after it",
        )
    if last == first:
        return AskedMoment(first)
    one, other = (moment.astimezone(zone) for moment in (first, last))
    return AskedMoment(
        first,
        f"the clock showed {shown:%Y-%m-%d %H:%M} twice; this is the first time ({one:%Z}), "
        f"say {other.isoformat(' ', 'minutes')} for the second ({other:%Z})",
    )


def _shown(text: str, now: datetime) -> tuple[datetime, bool]:
    """What a clock shows at the moment that a text means, and whether it says no time of day."""
    word, _, rest = text.partition(" ")
    day = _day_of(word.lower().rstrip(","), now.date())
    if day is not None:
        if not rest.strip():
            return datetime.combine(day, time()), True
        found = _parsed(rest.strip(), datetime.combine(day, time()), text)
        if found.date() != day:
            raise _unreadable(text)
        if found > now and word.lower() not in ("today", "yesterday"):
            found -= timedelta(days=7)
        return found, False
    midnight = datetime.combine(now.date(), time())
    if _ISO_DATE.fullmatch(text):
        return _parsed(text, midnight, text), True
    iso = _ISO_DATE.match(text)
    if iso is None and (_NUMBERS_ALONE.match(text) or not _SOMETIME.search(text)):
        raise _unreadable(text)
    found = _parsed(text, midnight, text)
    if found.tzinfo is None and found > now and iso is None:
        # It was meant to be in the past: the last time that the clock showed it.
        if found.date() == now.date():
            found -= timedelta(days=1)
        elif str(found.year) not in text:
            found = found.replace(year=found.year - 1)
    whole_day = found.time() == time() and not re.search(r"\d:\d\d|[ap]\.?m", text, re.IGNORECASE)
    return found, whole_day


def _day_of(word: str, today: date) -> date | None:
    if word in ("today", "yesterday"):
        return today - timedelta(days=word == "yesterday")
    for place, name in enumerate(DAYS):
        if len(word) >= 3 and name.startswith(word):
            return today - timedelta(days=(today.weekday() - place) % 7)
    return None


def _parsed(text: str, default: datetime, whole: str) -> datetime:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", parser.UnknownTimezoneWarning)
            found = parser.parse(text, default=default)
    except (ValueError, OverflowError, parser.UnknownTimezoneWarning):
        raise _unreadable(whole) from None
    if found.year not in YEARS:
        raise _unreadable(whole)
    return found


def _unreadable(text: str) -> PerpetuumError:
    return PerpetuumError(f"{text[:60]!r} is no moment", HINT)

# pyright: strict
"""Days and hours of an installation file: `{every_day: 10:00..18:00, monday: closed}`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from engine.errors import WrongValueError
from engine.installation.hours.opening import WEEK, ExceptionDays, Hours
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Span, good, problems
from engine.scenes.text.source import SourceFile, clipped
from engine.score.time import DAY
from engine.units import parse_time_of_day

CLOSED = "closed"
GROUPS = {"every_day": tuple(range(7)), "weekdays": tuple(range(5)), "weekend": (5, 6)}
"""Names of several days."""

DAYS_WANTED = "a day, `monday`, a stretch, `tuesday..friday`, or " + listed(list(GROUPS))
HOURS_WANTED = "hours like `10:00..18:00`, a list of such, or `closed`"
EXCEPTIONS_WANTED = "a date, `2026-12-24`, one of every year, `12-25`, or a stretch, `2026-12-20..2027-01-06`"
MOST_EXCEPTIONS = 400
MOST_HOURS = 24

_END = re.compile(r"\s*24:00\s*")
_DATE = re.compile(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})")


def read_hours(source: SourceFile, node: Node, at: Span, closed: bool = True) -> tuple[Hours, ...] | Problem:
    """Hours of a day, in order.

    Args:
        source: the file.
        node: what stands there.
        at: where to say that nothing does.
        closed: whether the day may be `closed`.
    """
    if closed and isinstance(node, ScalarNode) and node.value == CLOSED:
        return ()
    items: Sequence[Node] = node.items if isinstance(node, ListNode) else [node]
    if isinstance(node, ListNode) and not items:
        return source.error(node.span, "no hours stand here", HOURS_WANTED)
    if len(items) > MOST_HOURS:
        return source.error(node.span, f"more than {MOST_HOURS} stretches of a day", "the hours of one day")
    read = [(item, _read_stretch(source, item, at, closed)) for item in items]
    wrong = problems(one for _, one in read)
    stretches = sorted(((one, item) for item, one in read if isinstance(one, Hours)), key=lambda pair: pair[0].start)
    for (before, _), (after, item) in pairwise(stretches):
        if after.start < before.end:
            message = f"`{after}` overlaps with `{before}`"
            wrong.append(source.error(item.span, message, hint="write one stretch for both"))
    if wrong:
        return wrong[0]
    return tuple(one for one, _ in stretches)


def read_days(source: SourceFile, node: Node | None) -> tuple[int, ...] | Problem:
    """Days of the week (0: Monday), in order; all where nothing says which."""
    if node is None:
        return GROUPS["every_day"]
    items: Sequence[Node] = node.items if isinstance(node, ListNode) else [node]
    if not items:
        return source.error(node.span, "no day stands here", DAYS_WANTED)
    read = [_read_group(source, item) for item in items]
    wrong = problems(read)
    return wrong[0] if wrong else tuple(sorted({day for one in good(read) for day in one}))


class _Named(NamedTuple):
    """Hours of some days: how many these are, where they are named, and the hours."""

    days: tuple[int, ...]
    key: ScalarNode
    hours: tuple[Hours, ...] | Problem


def read_week(source: SourceFile, node: Node, at: Span) -> tuple[tuple[Hours, ...], ...] | Problem:
    """Hours of Monday to Sunday. A narrower name counts more than a wider one; a day that is not named is closed."""
    if not isinstance(node, MapNode) or not list(node.meant()):
        return source.error(
            at, "`hours` needs days and their hours", "like `{every_day: 10:00..18:00, monday: closed}`"
        )
    named: list[_Named] = []
    wrong: list[Problem] = []
    for _, key, value in node.meant():
        days = _read_group(source, key)
        hours = read_hours(source, value, key.span)
        wrong += problems((days, hours))
        if not isinstance(days, Problem):
            named.append(_Named(days, key, hours))
    week: list[tuple[Hours, ...]] = []
    told: set[tuple[str, str]] = set()
    for day in range(7):
        mine = sorted((one for one in named if day in one.days), key=lambda one: len(one.days))
        if len(mine) > 1 and len(mine[0].days) == len(mine[1].days):
            first, second = sorted(mine[:2], key=lambda one: one.key.span.start)
            pair = first.key.text, second.key.text
            if pair not in told:
                message = f"{WEEK[day]} is in `{clipped(second.key.text)}` and in `{clipped(first.key.text)}`"
                hint = "name each day once, or name single days for themselves, which count more"
                wrong.append(source.error(second.key.span, message, hint=hint))
            told.add(pair)
        week.append(mine[0].hours if mine and not isinstance(mine[0].hours, Problem) else ())
    if wrong:
        return wrong[0]
    for day, hours in enumerate(week):
        tomorrow = week[(day + 1) % 7]
        if hours and tomorrow and hours[-1].end - DAY > tomorrow[0].start:
            message = f"the night of {WEEK[day]} reaches into {WEEK[(day + 1) % 7]}: `{hours[-1]}` overlaps"
            return source.error(at, message + f" with `{tomorrow[0]}`", hint="end the first one earlier")
    return tuple(week)


def read_exceptions(source: SourceFile, node: Node, at: Span) -> tuple[ExceptionDays, ...] | Problem:
    """Days that differ, those that count more first: single days, then stretches, dated before yearly."""
    if not isinstance(node, MapNode):
        return source.error(at, "`exceptions` needs dates and their hours", "like `{12-25: closed}`")
    entries = list(node.meant())
    if len(entries) > MOST_EXCEPTIONS:
        return source.error(at, f"more than {MOST_EXCEPTIONS} exceptions", "stretches of days, where many are alike")
    found: list[tuple[ExceptionDays, ScalarNode]] = []
    wrong: list[Problem] = []
    for _, key, value in entries:
        dates = _read_dates(source, key)
        hours = read_hours(source, value, key.span)
        wrong += problems((dates, hours))
        if not isinstance(dates, Problem) and not isinstance(hours, Problem):
            found.append((ExceptionDays(*dates, hours), key))
    for number, (one, key) in enumerate(found):
        for other, earlier in found[:number]:
            if _rank(one) == _rank(other) and _meet(one, other):
                message = f"`{clipped(key.text)}` and `{clipped(earlier.text)}` have days in common"
                wrong.append(source.error(key.span, message, hint="let one of them end earlier"))
    return wrong[0] if wrong else tuple(sorted((one for one, _ in found), key=_rank))


def _read_stretch(source: SourceFile, item: Node, at: Span, closed: bool) -> Hours | Problem:
    wanted = HOURS_WANTED if closed else "hours like `13:00..14:00`, or a list of such"
    span = item.span if item.span.end > item.span.start else at
    if not isinstance(item, ScalarNode) or not isinstance(item.value, str):
        return source.error(span, "these are no hours", wanted)
    if item.text in (CLOSED, "open"):
        return source.error(span, f"`{item.text}` stands for a whole day, not among hours", wanted)
    opening, dots, closing = item.text.partition("..")
    if not dots:
        hint = f"write `{clipped(item.text)}` with two dots" if re.search(r"\d\s*[-–]\s*\d", item.text) else ""
        return source.error(span, f"`{clipped(item.text)}` are no hours", wanted, hint=hint)
    try:
        start = parse_time_of_day(opening)
        end = DAY if _END.fullmatch(closing) else parse_time_of_day(closing)
    except WrongValueError as error:
        return source.error(span, f"{error.message} of these hours", "times like `06:00`; a day ends at `24:00`")
    if start == end:
        return source.error(span, f"`{clipped(item.text)}` begins when it ends", "`00:00..24:00` for a whole day")
    return Hours(start, end if end > start else end + DAY)


def _read_group(source: SourceFile, node: Node) -> tuple[int, ...] | Problem:
    """The days that a name means."""
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
        return source.error(node.span, "this is no day", DAYS_WANTED)
    text = node.text.strip()
    if text in GROUPS:
        return GROUPS[text]
    first, dots, last = (part.strip() for part in text.partition(".."))
    unknown = next((one for one in ((first, last) if dots else (first,)) if one not in WEEK), None)
    if unknown is not None:
        meant = nearest(unknown, WEEK if dots else (*WEEK, *GROUPS))
        return source.error(node.span, f"`{clipped(unknown)}` is no day", DAYS_WANTED, meant)
    start, end = WEEK.index(first), WEEK.index(last if dots else first)
    return tuple(sorted((start + step) % 7 for step in range((end - start) % 7 + 1)))


def _read_dates(source: SourceFile, key: ScalarNode) -> tuple[tuple[int, int, int], tuple[int, int, int]] | Problem:
    first, dots, last = (part.strip() for part in key.text.partition(".."))
    read = [_read_date(source, key, text) for text in ((first, last) if dots else (first,))]
    if wrong := problems(read):
        return wrong[0]
    dates = good(read)
    start, end = dates[0], dates[-1]
    if bool(start[0]) != bool(end[0]):
        return source.error(key.span, "one of these dates has a year, the other has none", EXCEPTIONS_WANTED)
    if start[0] and start > end:
        return source.error(key.span, f"`{clipped(key.text)}` ends before it begins", EXCEPTIONS_WANTED)
    return start, end


def _read_date(source: SourceFile, key: ScalarNode, text: str) -> tuple[int, int, int] | Problem:
    match = _DATE.fullmatch(text)
    if not match:
        return source.error(key.span, f"`{clipped(text)}` is no date", EXCEPTIONS_WANTED)
    year, month, day = int(match[1] or 0), int(match[2]), int(match[3])
    try:
        date(year or 2024, month, day)  # 29 February comes in some years
    except ValueError:
        return source.error(key.span, f"there is no day `{clipped(text)}`", EXCEPTIONS_WANTED)
    if year and not 2000 <= year <= 2199:
        return source.error(key.span, f"the year of `{clipped(text)}` is out of range: 2000 to 2199")
    return year, month, day


def _rank(days: ExceptionDays) -> tuple[bool, bool]:
    return not days.single, days.yearly


def _meet(one: ExceptionDays, other: ExceptionDays) -> bool:
    """Whether two exceptions of one rank have a day in common."""
    if one.first <= one.last and other.first <= other.last:
        return one.first <= other.last and other.first <= one.last
    # Over New Year's Eve: stretches on a circle meet where one of them begins in the other.
    return any(a.holds(date(2024, *b.first[1:])) for a, b in ((one, other), (other, one)))

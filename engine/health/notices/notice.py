# pyright: strict
"""What somebody is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoticeKind(StrEnum):
    """What it is about."""

    BROKEN = "broken"
    """Something that was so is not so any more."""

    RECOVERED = "recovered"
    """All is as it should be again."""

    ALL_CLEAR = "all clear"
    """All is well; said so that silence is not taken for it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message.

    Attributes:
        kind: what it is about.
        at: seconds since 1970 of what it tells, which may be long before it arrives.
        subject: one line.
        text: the whole, several lines.
    """

    kind: NoticeKind
    at: float
    subject: str
    text: str

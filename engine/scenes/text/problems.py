# pyright: strict
"""What is wrong with a place in a file, as a value: a draft holds one where what should stand there is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

Good = TypeVar("Good")


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The file is not valid: nothing could play it."""

    UNAVAILABLE = "unavailable"
    """The file is right but not playable here as it is meant, because something is not installed; rules stand in."""

    WARNING = "warning"
    """It plays, but perhaps not as it was meant."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the text: indexes of its first character and of the first one after it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was found and noted. `SourceFile.note` makes them and nobody else, so each has been told.

    Attributes:
        severity: how bad it is.
        span: where it stands.
        message: what is wrong.
        expected: what would be right there; empty where the message says it.
        suggestion: the name that was probably meant; empty where nothing is near.
        hint: what to do; empty where it is plain.
    """

    severity: Severity
    span: Span
    message: str
    expected: str = ""
    suggestion: str = ""
    hint: str = ""


def good(found: Iterable[Good | Problem]) -> list[Good]:
    """What of some values is right."""
    return [one for one in found if not isinstance(one, Problem)]


def problems(found: Iterable[object]) -> list[Problem]:
    """What of some values is wrong."""
    return [one for one in found if isinstance(one, Problem)]


def good_items(found: Mapping[str, Good | Problem]) -> dict[str, Good]:
    """What of some named values is right."""
    return {name: one for name, one in found.items() if not isinstance(one, Problem)}

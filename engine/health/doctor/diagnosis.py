# pyright: strict
"""What an examination comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How it is."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    """It plays, but something will go wrong one day."""

    BAD = "bad"
    """It will not do what the installation asks."""

    UNKNOWN = "unknown"
    """This machine does not say."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at.

    Attributes:
        subject: what: "sound card", "clock".
        grade: how it is.
        text: how it is, for people.
        remedy: what to do; empty where nothing is.
    """

    subject: str
    grade: Grade
    text: str
    remedy: str = ""

# pyright: strict
"""How an installation's log is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LogFormat(StrEnum):
    """How an entry is written."""

    AUTO = "auto"
    """`journal` where systemd's journal takes what we print, `text` elsewhere."""

    TEXT = "text"
    """A line for people; what to do stands below it."""

    JSON = "json"
    """A line of JSON."""

    JOURNAL = "journal"
    """Fields of systemd's journal."""


@dataclass(frozen=True, slots=True)
class LogChoice:
    """How an installation's log is written.

    Attributes:
        format: of what is printed.
        file: whether it is also kept in `log/` of the state folder, as lines of JSON.
        size: bytes of a file, after which another begins.
        files: that are kept besides the one that grows.
    """

    format: LogFormat = LogFormat.AUTO
    file: bool = False
    size: int = 5_000_000
    files: int = 4

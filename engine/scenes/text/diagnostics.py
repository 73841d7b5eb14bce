# pyright: strict
"""What `check` says: messages with a place in a file, the quoted line, what was expected and what to do."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.scenes.text.problems import Severity


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message about one place of a file.

    Attributes:
        path: the file.
        line: counted from 1.
        column: in characters, counted from 1.
        end_column: first column after the place, on the same line.
        severity: how bad it is.
        message: what is wrong.
        expected: what would be right there; empty where the message says it.
        suggestion: the name that was probably meant; empty where nothing is near.
        hint: what to do; empty where it is plain.
        quoted: the line; empty where it must not be shown.
    """

    path: Path
    line: int
    column: int
    end_column: int
    severity: Severity
    message: str
    expected: str = ""
    suggestion: str = ""
    hint: str = ""
    quoted: str = ""

    @property
    def snippet(self) -> str:
        """The quoted line with a caret under the place: two lines."""
        return "\n".join(self._snippet(lambda text: text)) if self.quoted else ""

    def as_json(self) -> dict[str, Any]:
        """Plain values, for `--format json`."""
        plain = {"path": str(self.path), "severity": str(self.severity), "quoted": self.quoted[:1000]}
        return {**asdict(self), **plain, "snippet": self.snippet}

    def text(self, colour: bool = False) -> str:
        """As the command line prints it: several lines, without a newline at the end."""
        paint = _paint if colour else _plain
        hue = {Severity.ERROR: "31;1", Severity.UNAVAILABLE: "31;1", Severity.WARNING: "33;1"}[self.severity]
        kind = "error" if self.severity is Severity.UNAVAILABLE else str(self.severity)
        place = paint(printable(f"{self.path}:{self.line}:{self.column}"), "1")
        lines = [f"{place}: {paint(kind + ':', hue)} {printable(self.message)}"]
        lines += self._snippet(lambda text: paint(text, hue)) if self.quoted else []
        if self.expected:
            lines.append(f"      = expected {printable(self.expected)}")
        if self.suggestion:
            lines.append(f"      = did you mean {paint(f'`{printable(self.suggestion)}`', '32;1')}?")
        if self.hint:
            lines.append(f"      = {printable(self.hint)}")
        return "\n".join(lines)

    def _snippet(self, paint: Callable[[str], str]) -> list[str]:
        start, stop = self.column - 1, max(self.end_column - 1, self.column)
        text = self.quoted
        # Of a very long line only the surroundings of the place are shown.
        left = max(0, start - 60) if len(text) > 140 else 0
        right = min(len(text), left + 140)
        before, inside = text[left:start], text[start : min(stop, right)]
        shown = ("…" if left else "") + printable(text[left:right]) + ("…" if right < len(text) else "")
        pad = ("…" if left else "") + printable(before)
        gap = "".join("\t" if char == "\t" else " " * _width(char) for char in pad)
        caret = "^" * max(1, sum(_width(char) for char in printable(inside)))
        return [f"{self.line:5} | {shown}", f"      | {gap}{paint(caret)}"]


def nearest(word: str, candidates: Iterable[str]) -> str:
    """The candidate that was probably meant by a misspelt word; empty if none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    close = difflib.get_close_matches(word[:64].casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else ""


def listed(names: Sequence[str], limit: int = 12) -> str:
    """Names in prose: "`a`, `b` or `c`", cut off after some."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) > limit:
        return ", ".join(quoted[:limit]) + f" (and {len(quoted) - limit} more)"
    return " or ".join(filter(None, [", ".join(quoted[:-1]), *quoted[-1:]]))


def _paint(text: str, codes: str) -> str:
    return f"\x1b[{codes}m{text}\x1b[0m"


def _plain(text: str, codes: str) -> str:
    return text


def printable(text: str) -> str:
    """Nothing that would move a terminal's cursor or colour: control characters show as a replacement mark."""
    return "".join(char if char == "\t" or not _is_control(char) else "\N{REPLACEMENT CHARACTER}" for char in text)


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _width(char: str) -> int:
    """Columns that a character takes on a terminal."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1

# pyright: strict
"""The text of a file: read with limits, and what is said about places in it."""

from __future__ import annotations

import bisect
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import PerpetuumError
from engine.files import folder_of, is_standard_input, read_bytes, reason
from engine.scenes.text.diagnostics import Diagnostic
from engine.scenes.text.problems import Problem, Severity, Span

LARGEST = 256 * 1024
"""Bytes of the largest file that is read; scenes have a few thousand."""

MOST_TOLD = 200
"""Messages of one severity about one file."""

_OURS = re.compile(r"^[ \t{\"']*perpetuum[\"']?\s*:", re.MULTILINE)
"""What every scene and every instrument says."""

SECRET = re.compile(r"token|secret|passw|credential|api_?key", re.IGNORECASE)
"""In the name of a key: its value may be a secret."""

_SECRET_LINE = re.compile(rf"(?:{SECRET.pattern})[\w-]*[\"']?\s*:\s*([^\s{{#].*)", re.IGNORECASE)
"""A line that says what a secret is, rather than where it lies."""

_QUOTED = re.compile(r"`([^`]*)`")
_BREAK = re.compile(r"\r\n|\r|\n")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnreadableError(Exception):
    """The file is no text that can be looked into further; the one diagnostic has been noted."""


@dataclass
class SourceFile:
    """A file's text, and what has been found wrong in it.

    Attributes:
        path: of the file.
        text: decoded, without byte order mark.
        found: diagnostics so far, in the order of finding.
        named: another file names this one, which may be anything then.
        hidden: what no message may show: what may be secrets, besides the values of keys that are called so.
    """

    path: Path
    text: str = ""
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])
    named: bool = False
    hidden: list[Span] = field(default_factory=list[Span])
    _starts: list[int] = field(default_factory=list[int], repr=False)
    _counts: dict[Severity, int] = field(default_factory=dict[Severity, int], repr=False)
    _line: tuple[int, str] = (0, "")

    def __post_init__(self) -> None:
        self._set_text(self.text)

    @classmethod
    def read(cls, path: Path, pipes: bool = False, named: bool = False) -> SourceFile:
        """Read a file; what is wrong with its bytes is noted, and the text is what could be decoded.

        Args:
            path: of the file.
            pipes: it may also be a pipe (see `engine.files.read_bytes`).
            named: another file names it.

        Raises:
            PerpetuumError: there is no such file, it may not be read, or it is no regular file.
        """
        try:
            data = read_bytes(path, LARGEST, pipes)
        except (OSError, ValueError) as error:
            shown = os.fsencode(path).decode(errors="replace")
            raise PerpetuumError(f"cannot read {shown}: {reason(error)}", "give the path of a YAML file") from error
        return cls.of(path, data, named)

    @classmethod
    def of(cls, path: Path, data: bytes, named: bool = False) -> SourceFile:
        """What a file at a path would be if these bytes were in it; see `read`."""
        source = cls(path, named=named)
        source._take(data)
        return source

    @property
    def folder(self) -> Path:
        """Where relative paths in it begin."""
        return folder_of(self.path)

    @property
    def readable(self) -> bool:
        """Whether the text is worth parsing."""
        return not self.found

    @property
    def ours(self) -> bool:
        """Whether messages may quote it.

        No line of a file is shown that is not what it should be: it may be anybody's, and secret. What the command line
        names is believed by its suffix, too.
        """
        by_name = not self.named and (self.path.suffix.lower() in (".yaml", ".yml") or is_standard_input(self.path))
        return by_name or _OURS.search(self.text) is not None

    @property
    def sound(self) -> bool:
        """Whether no error has been found so far."""
        return all(one.severity is not Severity.ERROR for one in self.found)

    def place(self, index: int) -> tuple[int, int]:
        """Line and column, both counted from 1, of a character; the end of the text for an index beyond it."""
        index = min(max(index, 0), len(self.text))
        line = bisect.bisect_right(self._starts, index) - 1
        return line + 1, min(index - self._starts[line], len(self.line(line + 1))) + 1

    def line(self, number: int) -> str:
        """A line, counted from 1, without its break."""
        if self._line[0] != number:
            start = self._starts[number - 1]
            end = self._starts[number] if number < len(self._starts) else len(self.text)
            # Kept, so that many messages about one very long line share it.
            self._line = (number, self.text[start:end].rstrip("\r\n"))
        return self._line[1]

    def error(self, span: Span, message: str, expected: str = "", suggestion: str = "", hint: str = "") -> Problem:
        """Note an error."""
        return self.note(Problem(Severity.ERROR, span, message, expected, suggestion, hint))

    def warning(self, span: Span, message: str, hint: str = "") -> Problem:
        """Note something that plays, but perhaps not as it was meant."""
        return self.note(Problem(Severity.WARNING, span, message, hint=hint))

    def note(self, problem: Problem) -> Problem:
        """Note what is wrong with a stretch of the text (the caret stays on its first line); gives it back.

        Of a file with hundreds of errors the first are told, with a word that there are more.
        """
        severity, span = problem.severity, problem.span
        self._counts[severity] = self._counts.get(severity, 0) + 1
        if self._counts[severity] > MOST_TOLD:
            return problem
        told = problem
        if self._counts[severity] == MOST_TOLD:
            told = Problem(severity, span, "there is more of this kind; the rest is left out", hint=problem.hint)
        line, column = self.place(span.start)
        end_line, end_column = self.place(span.end)
        quoted, secrets = self.line(line), self._secrets(line)
        if end_line != line:
            end_column = len(quoted.rstrip()) + 1
        end_column = max(end_column, column + 1)
        self.found.append(
            Diagnostic(
                self.path,
                line,
                column,
                end_column,
                severity,
                # Messages quote the author, who may have written anything at any length.
                message=clipped(_without(secrets, told.message), 400),
                expected=clipped(told.expected, 1200),
                suggestion="" if secrets else clipped(told.suggestion, 200),
                hint=clipped(_without(secrets, told.hint), 600),
                quoted=quoted if self.ours and not secrets else "",
            )
        )
        return problem

    def _secrets(self, number: int) -> list[str]:
        """What on a line may be secret."""
        line = self.line(number)
        start = self._starts[number - 1]
        end = start + len(line)
        # Of what stands on several lines, all of them.
        found = [self.text[one.start : one.end] for one in self.hidden if one.start <= end and start <= one.end]
        return found + [match[1] for match in _SECRET_LINE.finditer(line)]

    def _take(self, data: bytes) -> None:
        for mark, name in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"), (b"\x00\x00\xfe\xff", "UTF-32")):
            if data.startswith(mark):
                self._set_text("")
                self.error(Span(0, 0), f"the file is encoded in {name}", "UTF-8", hint="save it again as UTF-8")
                return
        too_large = len(data) > LARGEST
        try:
            # A character cut in two by the limit is no wrong encoding.
            self._set_text(data.decode("utf-8-sig", "ignore" if too_large else "strict"))
        except UnicodeDecodeError as error:
            good = data[: error.start].decode("utf-8-sig", "replace")
            self._set_text(data.decode("utf-8-sig", "replace"))
            self.error(
                Span(len(good), len(good) + 1),
                f"the byte 0x{data[error.start]:02x} is not UTF-8",
                "a text file encoded in UTF-8",
                hint="save it again as UTF-8",
            )
            return
        if too_large:
            self.error(Span(0, 0), f"the file is larger than {LARGEST // 1024} KiB", "a file of a few hundred lines")
            return
        bad = _FORBIDDEN.search(self.text)
        if bad:
            name = "a NUL byte" if bad[0] == "\0" else f"the control character U+{ord(bad[0]):04X}"
            self.error(Span(bad.start(), bad.end()), f"the file contains {name}", "plain text", hint="delete it")
        elif not self.text.strip():
            self.error(
                Span(0, 0),
                "the file is empty",
                "a scene, an installation or a training (see `docs/`)",
            )

    def _set_text(self, text: str) -> None:
        self.text = text
        self._line = (0, "")
        self._starts = [0, *(match.end() for match in _BREAK.finditer(text))]


def clipped(text: str, limit: int = 60) -> str:
    """A text of the author's for a message: on one line, cut off if long."""
    flat = " ".join(str(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _without(secrets: Sequence[str], text: str) -> str:
    """A message without the words of a file that may be secret."""
    if not secrets:
        return text
    return _QUOTED.sub(lambda match: "`…`" if any(match[1].rstrip("…") in one for one in secrets) else match[0], text)

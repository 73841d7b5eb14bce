"""Bytes of ABC into tunes, and tunes into lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.training.datasets.score import UnusableError

LARGEST = 1 << 20
"""Characters of the longest tune: hours of music for many voices."""
FIELD = re.compile(r"\s*([A-Za-z+]):(.*)", re.DOTALL)
_REPEAT = re.compile(r"\s*[A-Gacdefgbxz]:[|:]")
"""What looks like a field is a note before a repeat: no such field may stand among music."""
_IN_FILE_HEADER = frozenset("ABCDFGHILMNORSUZmr+")
_CHARSET = re.compile(rb"(?m)^(?:I:|%%)\s*abc-charset\s+([\w.-]+)")
_LINE = "%%line "
"""Says where in its file a tune begins that was cut out of it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its comment.

    Attributes:
        number: in its file, from 1; 0 in the file's header.
        text: without the end of the line.
    """

    number: int
    text: str


def decoded(data: bytes) -> str:
    """The text of ABC: UTF-16 where it begins so, else as its charset field says, else UTF-8, else Latin-1."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    said = _CHARSET.search(data[: 1 << 16])
    for encoding in ("utf-8-sig", said[1].decode() if said else "latin-1"):
        try:
            return data.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            continue
    return data.decode("latin-1")


def split_tunes(data: bytes) -> list[tuple[str, bytes]]:
    """Number ("X:") and text of each tune of a book, each with the header of the book.

    Raises:
        UnusableError: there are none, or the header is too long to be given to all.
    """
    lines = re.split(r"\r\n|\r|\n", decoded(data))
    starts = [k for k, line in enumerate(lines) if line.startswith("X:")]
    if not starts:
        raise UnusableError("no tunes in it (a tune begins with X:)")
    header = "".join(line + "\n" for line in _file_header(lines[: starts[0]]))
    if len(header) * len(starts) > 64 * LARGEST:
        raise UnusableError("no book of tunes: what stands before them is too long")
    found = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        text = f"{header}{_LINE}{start + 1}\n" + "\n".join(lines[start:end])
        found.append((lines[start][2:].partition("%")[0].strip(), text.encode("utf-8", "replace")))
    return found


def lines_of(text: str) -> Iterator[Line]:
    """Lines of one tune, without comments and blocks of typeset text, fields with their continuations ("+:").

    A directive ("%%") keeps its signs. The header of the file goes first.

    Raises:
        UnusableError: the tune is too long, or no text.
    """
    if len(text) > LARGEST:
        raise UnusableError(f"a tune of more than {LARGEST >> 20} MB")
    if "\0" in text:
        raise UnusableError("not text")
    number, until, field = 0, "", None
    directed = _LINE not in text
    for line in re.split(r"\r\n|\r|\n", text):
        number += directed
        if until:
            until = "" if line.startswith(until) else until
            continue
        if line.startswith("%%"):
            if line.startswith(_LINE) and not directed and line[len(_LINE) :].isdecimal():
                number, directed = int(line[len(_LINE) :]) - 1, True
            elif block := re.match(r"%%\s*begin(\w+)", line):
                until = f"%%end{block[1]}"
            elif field is None:
                yield Line(number, line)
            continue
        kept = re.sub(r"(?<!\\)%.*", "", line, flags=re.DOTALL)
        if "%" in line and not kept.strip():
            continue  # a line of comment only is none at all
        if field is not None and kept.startswith("+:"):
            field = Line(field.number, f"{field.text} {kept[2:].strip()}")
            continue
        if field is not None:
            yield field
            field = None
        if field_of(kept) is not None:
            field = Line(number, kept)
        else:
            yield Line(number, kept)
    if field is not None:
        yield field


def field_of(text: str) -> tuple[str, str] | None:
    """Letter and value of the field that a line is; None for music."""
    found = FIELD.match(text)
    return None if found is None or _REPEAT.match(text) else (found[1], found[2].strip())


def _file_header(lines: list[str]) -> Iterator[str]:
    """Fields and directives of the block that a file begins with; free text is not among them."""
    began = False
    for line in lines:
        found = field_of(line)
        if line.startswith("%%") or (found is not None and found[0] in _IN_FILE_HEADER):
            began = True
            yield line
        elif began and not line.strip():
            return

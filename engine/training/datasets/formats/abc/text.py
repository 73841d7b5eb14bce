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
BEFORE = "%%before-the-first-tune "
"""Says the number of a line that belongs to no tune, with the line behind it."""

_MUSIC = re.compile(r'(?:"[^"]*"|[\sA-Ga-gxyzXZ\d,\'/^_=|:\[\](){}<>~.&!+*`\\-])*')
"""A line without a bar line that nevertheless looks like music."""


@dataclass(frozen=True, slots=True)
class AbcLine:
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
    kept = _file_header(lines[: starts[0]])
    header = "".join(lines[k] + "\n" for k in kept)
    others = [k for k in range(starts[0]) if k not in kept and re.sub(r"^%.*", "", lines[k]).strip()]
    if len(header) * len(starts) > 64 * LARGEST:
        raise UnusableError("no book of tunes: what stands before them is too long")
    found = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        before = "".join(f"{BEFORE}{k + 1} {lines[k]}\n" for k in others) if start == starts[0] else ""
        text = f"{header}{before}{_LINE}{start + 1}\n" + "\n".join(lines[start:end])
        found.append((lines[start][2:].partition("%")[0].strip(), text.encode("utf-8", "replace")))
    return found


def lines_of(text: str) -> Iterator[AbcLine]:
    """Lines of one tune, without comments and blocks of typeset text, fields with their continuations ("+:").

    A directive ("%%") keeps its signs. The header of the file goes first.

    Raises:
        UnusableError: the tune is too long, or no text, or a block of typeset text has no end.
    """
    if len(text) > LARGEST:
        raise UnusableError(f"a tune of more than {LARGEST >> 20} MB")
    if "\0" in text:
        raise UnusableError("not text")
    number, until, block_began, field = 0, "", 0, None
    behind: list[AbcLine] = []  # directives after a field, which may go on after them
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
                until, block_began = f"%%end{block[1]}", number
            elif field is None:
                yield AbcLine(number, line)
            else:
                behind.append(AbcLine(number, line))
            continue
        kept = re.sub(r"(?<!\\)%.*", "", line, flags=re.DOTALL)
        if "%" in line and not kept.strip():
            continue  # a line of comment only is none at all
        if field is not None and kept.startswith("+:"):
            field = AbcLine(field.number, f"{field.text} {kept[2:].strip()}")
            continue
        if field is not None:
            yield from (field, *behind)
            field, behind = None, []
        if field_of(kept) is not None:
            field = AbcLine(number, kept)
        else:
            yield AbcLine(number, kept)
    if until:
        raise UnusableError(f"%%begin{until[5:]} without its {until}", f"{block_began}:1")
    if field is not None:
        yield from (field, *behind)


def field_of(text: str) -> tuple[str, str] | None:
    """Letter and value of the field that a line is; None for music."""
    found = FIELD.match(text)
    return None if found is None or _REPEAT.match(text) else (found[1], found[2].strip())


def _file_header(lines: list[str]) -> list[int]:
    """Places of the fields and directives of the block that a file begins with; free text is not among them."""
    found = []
    for k, line in enumerate(lines):
        field = field_of(line)
        if line.startswith("%%") or (field is not None and field[0] in _IN_FILE_HEADER):
            found.append(k)
        elif found and not line.strip():
            break
    return found


def without_breaks(line: str) -> str:
    """A line without its "!" but those in texts, where these end the lines of the printed music (I:linebreak !)."""
    return re.sub(r'("[^"]*")|!', lambda found: found[1] or " ", line)


def kind_of_line(line: str) -> str:
    """What a line seems to be that belongs to no tune."""
    if line.startswith("%%") or field_of(line) is not None:
        return "fields or directives"
    return "music" if "|" in line or _MUSIC.fullmatch(line) else "text"

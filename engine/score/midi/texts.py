# pyright: strict
"""Texts of files that do not say how their letters are encoded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CONTROLS = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode's categories of what moves the cursor, turns the writing round or is not shown."""
_JOINERS = "\u200c\u200d"
"""Format characters that scripts and emoji need."""

_SHORT = 60
"""Letters of a name that a sentence holds."""


def decoded(raw: bytes, encoding: str = "cp1252") -> str:
    """A text of a file, without control characters.

    Args:
        raw: its bytes.
        encoding: what it is in where it is no Unicode; see `encoding_of`.
    """
    for start, name in _BOMS:
        if raw.startswith(start):
            return printable(raw.decode(name, "replace"))
    if wide := _wide(raw):
        return printable(raw.decode(wide, "replace"))
    try:
        return printable(raw.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    try:
        return printable(raw.decode(encoding))
    except UnicodeDecodeError:
        return printable(raw.decode("latin-1"))


def encoding_of(texts: Sequence[bytes]) -> str:
    """The encoding of the texts of one file that are no Unicode: Shift-JIS, Windows' Cyrillic or its Latin letters.

    All are judged together: one name alone is short.
    """
    foreign = [raw for raw in texts if not raw.isascii() and not _is_unicode(raw)]
    joined = b"\n".join(foreign)
    if not joined:
        return "cp1252"
    if _is_japanese(joined):
        return "cp932"
    # Letters above ASCII stand alone between others in Latin writing, and side by side in Cyrillic.
    letters = re.findall(rb"[\xc0-\xff\xa8\xb8]", joined)
    beside = sum(len(run) for run in re.findall(rb"[\xc0-\xff\xa8\xb8]{2,}", joined))
    return "cp1251" if 2 * beside > len(letters) else "cp1252"


def printable(text: str) -> str:
    """The text with a space for each control character: none reaches a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if unicodedata.category(letter) in _CONTROLS and letter not in _JOINERS else letter for letter in text
    )


def in_short(text: str) -> str:
    """The text for a sentence: its beginning, where it is long."""
    return text if len(text) <= _SHORT else text[:_SHORT] + "…"


def same_text(one: str, other: str) -> bool:
    """Whether two texts are the same to a reader: neither capitals nor ways of composing letters count."""

    def plain(text: str) -> str:
        return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())

    return plain(one) == plain(other)


def _is_unicode(raw: bytes) -> bool:
    if any(raw.startswith(start) for start, _ in _BOMS) or _wide(raw):
        return True
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wide(raw: bytes) -> str | None:
    """UTF-16 without a mark at its beginning: every other byte of what is mostly Latin is 0."""
    if len(raw) < 4 or len(raw) % 2:
        return None
    for zeros, others, name in ((raw[1::2], raw[::2], "utf-16-le"), (raw[::2], raw[1::2], "utf-16-be")):
        if 2 * zeros.count(0) >= len(zeros) and not others.count(0):
            return name
    return None


def _is_japanese(raw: bytes) -> bool:
    """Whether texts read as Shift-JIS, and mean kana or the commoner signs in it."""
    try:
        text = raw.decode("cp932")
    except UnicodeDecodeError:
        return False
    foreign = [letter for letter in text if not letter.isascii()]
    if any(unicodedata.category(letter) in _CONTROLS for letter in foreign):
        return False
    # Bytes 0x81 to 0x9F begin kana and most signs, and are hardly ever letters elsewhere; kana of half width are
    # single bytes, which no other language has in rows with its punctuation.
    leads = sum(0x81 <= letter.encode("cp932")[0] <= 0x9F for letter in foreign)
    half = sum("\uff61" <= letter <= "\uff9f" for letter in foreign)
    if half == len(foreign):
        return bool(re.search(rb"[\xa1-\xdf]{2,}", raw)) and any(
            letter in b"\xb1\xb2\xb3\xb4\xb6\xb7\xb9" for letter in raw
        )
    return 2 * (leads + half) >= len(foreign) and leads > 0

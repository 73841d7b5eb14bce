"""A line of music as the symbols of ABC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from engine.training.datasets.formats.abc.fields import MOST

_LENGTH = r"\d*(?:/+\d*)?"
_NOTES = rf"(?:(?:\^\^?|__?|=)?[A-Ga-g][,']*{_LENGTH}-?\s*)"
"""One of those that make up a chord as ABC wrote it before version 2: "+GB+", "+E3 c3 +"."""
_SYMBOL = re.compile(
    "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in {
            "space": r"[\s`$\\\x7f\x00-\x1f]+",
            "note": rf"(?:\^\^?|__?|=)?[A-Ga-g][,']*{_LENGTH}",
            "bar": r"(?:\.?(?:\[(?=[|:])|\|)|::|:(?=[|\]])|\])(?:[|:\]]|\[(?=\|))*(?:\s*\d+(?:[,-]\d+)*)?",
            "text": r'"[^"]*"',
            "ending": r"\[\d+(?:[,-]\d+)*",
            "field": r"\[[A-Za-z]:[^\]]*\]",
            "chord": r"\[",
            "tuplet": r"\(\d+(?::\d*){0,2}",
            "overlay": r"&",
            "overlays": r"\(&|&\)",
            "tie": r"\.?-",
            "slur": r"\.?[()]",
            "broken": r">+|<+",
            "grace": r"\{[^{}]*\}",
            "rest": rf"[zx]{_LENGTH}",
            "bars": r"[ZX]\d*",
            "spacer": rf"y{_LENGTH}",
            "decoration": r"![^!\s\[\]|]*!",
            "plus": rf"\+{_NOTES}{{2,}}\+|\+[^+\s|]+\+",
            "shorthand": r"[.~H-Wh-w]",
            "reserved": r"[#*;?@!]",
        }.items()
    )
)
_IN_CHORD = re.compile(r"\](" + _LENGTH + ")")
_NOTE = re.compile(r"(\^\^?|__?|=)?([A-Ga-g])([,']*)(.*)", re.DOTALL)
_WRONG = {
    '"': "a text without its closing quote",
    "[": "a chord without its ]",
    "{": "grace notes without their }",
    "^": "an accidental without a note",
    "_": "an accidental without a note",
    "=": "an accidental without a note",
    "/": "a length without a note",
    ",": "an octave mark without a note",
    "'": "an octave mark without a note",
}
_WORDED = re.compile(r"!([A-Za-z. ]+)!")
_WORDS = frozenset(("dacapo", "dacoda", "dalsegno", "dc", "ds", "dcalfine", "dsalfine", "dcalcoda", "dsalcoda", "fine"))
_DYNAMICS = frozenset(("p", "pp", "ppp", "pppp", "mp", "mf", "f", "ff", "fff", "ffff", "sfz", "trill", "d.c.", "d.s."))


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol of music.

    Attributes:
        kind: a name in the table of symbols; in a chord "]" ends it.
        text: as it is written.
        column: from 0.
    """

    kind: str
    text: str
    column: int


class SymbolError(Exception):
    """Something in a line that cannot be read, and its column from 0."""

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(reason)
        self.column = column


def symbols_of(line: str) -> Iterator[Symbol]:
    """The symbols of a line, but spaces.

    Raises:
        SymbolError: something that would change notes cannot be read.
    """
    at, chord = 0, -1
    while at < len(line):
        if chord >= 0 and (end := _IN_CHORD.match(line, at)):
            yield Symbol("]", end[1], at)
            at, chord = end.end(), -1
            continue
        found = _SYMBOL.match(line, at)
        if found is None:
            yield Symbol("unknown", _unknown(line, at), at)
            at += 1
            continue
        kind = str(found.lastgroup)
        if kind == "chord":
            if chord >= 0:
                raise SymbolError("a chord within a chord", at)
            chord = at
        elif chord >= 0 and kind in ("bar", "ending", "field", "overlay", "overlays", "bars", "tuplet", "broken"):
            raise SymbolError(_WRONG["["], chord)
        words = _WORDED.match(line, at) if kind == "reserved" else None
        if words is not None and re.sub(r"[ .]", "", words[1]).lower() in _WORDS:
            found, kind = words, "decoration"  # names have no spaces, but some write them
        if kind == "decoration" and _is_music(found[0]):
            at += 1  # the "!" ended lines once, and what follows are notes
            continue
        if kind == "plus" and _is_old_chord(found[0]):
            yield Symbol("chord", "[", at)
            yield from symbols_of(found[0][1:-1])
            yield Symbol("]", "", found.end())
        elif kind != "space":
            yield Symbol(kind, found[0], at)
        at = found.end()
    if chord >= 0:
        raise SymbolError(_WRONG["["], chord)


def _is_old_chord(text: str) -> bool:
    """Whether what stands between two "+" is a chord, as ABC wrote it before version 2, and no decoration."""
    return text[1:-1] not in _DYNAMICS and bool(re.fullmatch(rf"{_NOTES}{{2,}}", text[1:-1]))


def _is_music(text: str) -> bool:
    """Whether what stands between two "!" are notes, and no decoration."""
    return text[1:-1] not in _DYNAMICS and bool(re.fullmatch(rf"{_NOTES}{{3,}}", text[1:-1]))


def _unknown(line: str, at: int) -> str:
    """A character that is no symbol, if it can be left out.

    Raises:
        SymbolError: notes would be read wrongly without it.
    """
    if line[at].isdecimal():
        raise SymbolError("a number without a note", at)
    if line[at] in _WRONG:
        raise SymbolError(_WRONG[line[at]], at)
    return line[at]


@dataclass(frozen=True, slots=True)
class AbcWritten:
    """A note as it is written.

    Attributes:
        accidental: "^", "^^", "_", "__", "=" or empty.
        letter: A..G.
        octave: 0 is the one that begins with middle C.
        length: in unit note lengths.
    """

    accidental: str
    letter: str
    octave: int
    length: Fraction


def written(symbol: Symbol) -> AbcWritten:
    """What the symbol of a note says.

    Raises:
        SymbolError: its length is none.
    """
    found = _NOTE.match(symbol.text)
    assert found is not None
    octave = found[2].islower() + found[3].count("'") - found[3].count(",")
    return AbcWritten(found[1] or "", found[2].upper(), octave, length_of(found[4], symbol.column))


def length_of(text: str, column: int) -> Fraction:
    """A length like "3", "3/2", "/" or "//", in unit note lengths.

    Raises:
        SymbolError: it is none.
    """
    top, slashes, bottom = re.fullmatch(r"(\d*)(/*)(\d*)", text).groups()  # type: ignore[union-attr]
    if len(top) > 5 or len(bottom) > 5 or len(slashes) > 10 or (len(slashes) > 1 and bottom):
        raise SymbolError("a length that is not understood", column)
    above = int(top or 1)
    below = int(bottom) if bottom else 2 ** len(slashes)
    if not 0 < below <= MOST or above > MOST:
        raise SymbolError("a length that is not understood", column)
    return Fraction(above, below)

"""Values of the fields that decide pitches and lengths: K, M, L, Q and the parameters of V."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from engine.training.datasets.score import UnusableError

LETTERS = "FCGDAEB"
"""Notes in the order of their sharps."""
ALTERATIONS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
_MODES = {"maj": 0, "ion": 0, "min": -3, "m": -3, "aeo": -3, "mix": -1, "dor": -2, "phr": -4, "lyd": 1, "loc": -5}
"""Fifths from the major key of the same tonic, by the first three letters."""
_TONIC = re.compile(
    r"([A-Ga-g])([#b♯♭]?)(?:\s*(?:(maj|ion|min|aeo|mix|dor|phr|lyd|loc|exp)[a-z]*|(m)(?![\w=])))?", re.I
)
_WORD = re.compile(r'([\w:-]+)\s*=\s*("[^"]*"|\S*)|"[^"]*"|((?:\^\^?|__?|=)[A-Ga-g])|(\S+)')
_CLEF = re.compile(r"(?:treble|alto|tenor|bass|perc|none|soprano|mezzosoprano|baritone|[GCFP])?\d?([+-]8|[+-]15)?")
MOST = 10_000
"""Of any number in a length or a meter."""


@dataclass(frozen=True, slots=True)
class Staff:
    """What the parameters of K: and V: say; None for what they leave as it is.

    Attributes:
        clef_octave: octaves that the clef's 8 or 15 moves by.
        octave: octaves that notes are moved by.
        transpose: semitones that they sound higher.
        is_drum: the clef is that of drums.
        unknown: words that are not understood.
    """

    clef_octave: int | None = None
    octave: int | None = None
    transpose: int | None = None
    is_drum: bool | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """A key signature.

    Attributes:
        alterations: semitones by letter (A..G).
        fifths: sharps, or flats below 0; None where there is no key.
    """

    alterations: Mapping[str, int] = field(default_factory=dict)
    fifths: int | None = None


def parse_key(text: str) -> tuple[Signature | None, Staff]:
    """Signature (None where K: says only a clef) and parameters of a K: field."""
    text = text.strip()
    if re.match(r"(?:none\b(?!\s*=)|$)", text, re.I):
        return Signature(), parse_staff(text[4:])
    if re.match(r"H[Pp]\b", text):
        return Signature({"F": 1, "C": 1}, 2), parse_staff(text[2:])
    found = _TONIC.match(text)
    # "bass" and "alto" begin like keys; so does "d" of a name that is none.
    if found is None or re.match(r"[\w=]", text[found.end() :]):
        named, rest = None, text
    else:
        named, rest = found, text[found.end() :]
    accidentals = [word[3] for word in _WORD.finditer(rest) if word[3]]
    mode = (named[3] or named[4] or "maj").lower() if named else ""
    if "exp" in rest.lower().split():
        mode = "exp"
    staff = parse_staff(rest)
    if named is None and not accidentals and mode != "exp":
        return None, staff
    fifths, alterations = None, {}
    if named is not None and mode != "exp":
        sign = {"#": 7, "♯": 7, "b": -7, "♭": -7}.get(named[2].lower(), 0)
        fifths = LETTERS.index(named[1].upper()) - 1 + sign + _MODES[mode]
        for k in range(abs(fifths)):
            letter = LETTERS[k % 7] if fifths > 0 else LETTERS[-1 - k % 7]
            alterations[letter] = alterations.get(letter, 0) + (1 if fifths > 0 else -1)
    for each in accidentals:
        alterations[each[-1].upper()] = ALTERATIONS[each[:-1]]
    if accidentals or mode == "exp":
        fifths = sum(alterations.values())
    return Signature(alterations, fifths), staff


def parse_staff(text: str) -> Staff:
    """Clef, octave and transposition among the parameters of K: and V:."""
    clef_octave = octave = transpose = is_drum = None
    unknown = []
    for word in _WORD.finditer(text):
        name, value, plain = (word[1] or "").lower(), (word[2] or "").strip('"'), word[4]
        if plain is not None and plain.lower() == "exp":
            continue
        clef = value if name == "clef" else plain
        if clef is not None and (shape := _CLEF.fullmatch(clef)) is not None:
            clef_octave = {"8": 1, "15": 2}[shape[1][1:]] * (1 if shape[1][0] == "+" else -1) if shape[1] else 0
            is_drum = clef.startswith(("perc", "P"))
        elif name in ("octave", "o", "transpose", "t"):
            if not re.fullmatch(r"[+-]?\d{1,3}", value):
                raise UnusableError(f"{name}= is not a number")
            if name[0] == "o":
                octave = int(value)
            else:
                transpose = int(value)
        elif name in ("score", "sound", "shift"):
            raise UnusableError(f"{name}= is not understood")
        elif plain is not None:
            unknown.append(plain)
    return Staff(clef_octave, octave, transpose, is_drum, tuple(unknown))


def parse_meter(text: str) -> tuple[int, int] | None:
    """Numerator and denominator; None for free meter.

    Raises:
        UnusableError: it is not understood, for lengths may depend on it.
    """
    text = text.strip()
    if text.lower() in ("", "none", "free"):
        return None
    if text in ("C", "c"):
        return 4, 4
    if text in ("C|", "c|"):
        return 2, 2
    found = re.fullmatch(r"\(?\s*(\d{1,4}(?:\s*[+ ]\s*\d{1,4})*)\s*\)?\s*/\s*(\d{1,4})", text)
    top = sum(int(number) for number in re.findall(r"\d+", found[1])) if found else 0
    bottom = int(found[2]) if found else 0
    if not (0 < top <= MOST and 0 < bottom <= MOST):
        raise UnusableError("meter (M:) is not understood")
    return top, bottom


def parse_unit(text: str) -> Fraction:
    """Unit note length, in whole notes.

    Raises:
        UnusableError: it is none.
    """
    found = re.fullmatch(r"\s*(\d{1,4})\s*(?:/\s*(\d{1,4}))?\s*", text)
    top, bottom = (int(found[1]), int(found[2] or 1)) if found else (0, 0)
    if not top or not bottom:
        raise UnusableError("unit note length (L:) is not understood")
    return Fraction(top, bottom)


def default_unit(meter: tuple[int, int] | None) -> Fraction:
    """Unit note length, in whole notes, where no L: says it."""
    return Fraction(1, 16) if meter is not None and 4 * meter[0] < 3 * meter[1] else Fraction(1, 8)


def parse_tempo(text: str, unit: Fraction) -> float | None:
    """Quarter notes per minute; None where Q: says words only, or nothing sensible.

    Args:
        text: value of Q:, in today's form ("1/4=120") or an older one ("120", "C=120", "C3=40").
        unit: unit note length, in whole notes.
    """
    said = re.sub(r'"[^"]*"', "", text).strip()
    beats, equals, number = said.rpartition("=")
    lengths = [(int(top), int(bottom)) for top, bottom in re.findall(r"(\d{1,4})\s*/\s*(\d{1,4})", beats)]
    if not re.fullmatch(r"\s*\d{1,5}(\.\d*)?\s*", number) or any(not bottom for _, bottom in lengths):
        return None
    if lengths:
        beat = sum((Fraction(*length) for length in lengths), Fraction(0))
    else:
        times = re.search(r"\d{1,3}", beats)
        beat = unit * int(times[0]) if times and equals else unit
    qpm = float(number) * float(beat) * 4
    return qpm if 1 <= qpm <= 2000 else None

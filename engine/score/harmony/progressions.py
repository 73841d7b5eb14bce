# pyright: strict
"""Progressions: chords in the order in which they are heard, written in a line.

`Am F C G` is a bar of each. Bar lines let chords share a bar, `Am | F C | G`, and must stand where a bar ends; `%`
repeats the bar before. Behind a colon stands a length in beats, `Am:6 F:2`; without bar lines, a chord without a length
has that of the one before. Chords are those of lead sheets or Roman numerals, which follow the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from engine.score.harmony.chords import QUALITIES, Chord, parse_chord
from engine.score.harmony.keys import Key
from engine.score.harmony.numerals import Numeral, is_numeral, parse_numeral
from engine.score.notation import LONGEST, NotationError, check_bar_line, read_length
from engine.score.phrase import ChordSpan
from engine.score.time import STEPS_PER_BEAT, Meter

WANTED = "chords like `Am F C G`, `Am | F C | G` or `i VI III VII`"
_LONGEST_TEXT = 20_000
"""Characters; a chord on every sixteenth of the longest progression needs fewer."""
_TOKEN = re.compile(r"\|+|[^\s|]+")
_GERMAN = re.compile(r"(?:(H)(?:is)?|([CDFGAcdfga])(is|es)|(As|Es|as|es))(.*)")
_NOTE = re.compile(r"[A-G](?:##|bb|#|b)?-?[01348]")
_LOWER = re.compile(r"([a-g])(##|bb|#|b)?(.*)")


@dataclass(frozen=True, slots=True)
class Progression:
    """Some chords that follow each other again and again.

    Attributes:
        text: as it is written.
        chords: (chord or numeral, start in beats), ascending, the first at 0.
        length: beats after which it begins again.
    """

    text: str
    chords: tuple[tuple[Chord | Numeral, float], ...]
    length: float

    def __str__(self) -> str:
        return " ".join(self.text.split())

    def spans(self, key: Key, start: float, beats: float) -> tuple[ChordSpan, ...]:
        """The chords that hold over some beats, gapless.

        Args:
            key: that numerals follow.
            start: where the beats begin, counted from a beginning of the progression; at least 0.
            beats: how many.
        """
        starts = [begin for _, begin in self.chords]
        ends = [*starts[1:], self.length]
        found: list[ChordSpan] = []
        turn = int(start / self.length + 1e-9)
        while (offset := turn * self.length - start) < beats - 1e-9:
            for (one, _), begin, end in zip(self.chords, starts, ends, strict=True):
                left, right = max(begin + offset, 0.0), min(end + offset, beats)
                if right - left < 1e-9:
                    continue
                chord = one if isinstance(one, Chord) else one.chord(key)
                if found and found[-1].chord == chord:
                    found[-1] = ChordSpan(found[-1].start, right, chord, written=True)
                else:
                    found.append(ChordSpan(left, right, chord, written=True))
            turn += 1
        return tuple(found)


class _Item(NamedTuple):
    chord: Chord | Numeral
    length: Fraction | None
    start: int
    end: int


def parse_progression(text: str, meter: Meter) -> Progression:
    """Read chords and their lengths.

    Raises:
        NotationError: says what is wrong at which index of the text.
    """
    if len(text) > _LONGEST_TEXT:
        raise NotationError("the progression is too long", 0, 1, f"{LONGEST} beats at most")
    bar = Fraction(meter.beats_per_bar)
    bars: list[tuple[list[_Item], int]] = [([], 0)]
    for match in _TOKEN.finditer(text):
        if match[0][0] == "|":
            bars.append(([], match.start()))
        elif match[0] == "%":
            bars[-1][0].extend(_repeated(bars, match))
        else:
            bars[-1][0].append(_item(text, match))
    lengths = _in_bars(bars, bar, text) if len(bars) > 1 else _in_line(bars[0][0], bar)
    found: list[tuple[Chord | Numeral, float]] = []
    now = Fraction(0)
    for item, length in lengths:
        if (length * STEPS_PER_BEAT).denominator > 1:
            message = f"`{text[item.start : item.end]}` would last {float(length):.3g} beats"
            raise NotationError(message, item.start, item.end, "lengths in sixteenths, like `F:2 C:1 G:1`")
        found.append((item.chord, float(now)))
        now += length
        if now > LONGEST:
            raise NotationError("the progression is too long", item.start, item.end, f"{LONGEST} beats at most")
    if not found:
        raise NotationError("there are no chords", 0, max(1, len(text)), WANTED)
    return Progression(text, tuple(found), float(now))


def looks_like_chords(text: str) -> bool:
    """Whether a text is meant as chords, right or not, and not as the name of a part."""
    return bool(re.search(r"[\s|:%~]", text.strip())) or (
        len(text) < 8 and re.match(r"[A-H](?![A-Za-z]{3})|[b#♭♯]?[IVX]+\b|[ivx]+\b|\d", text.strip()) is not None
    )


def _in_line(items: list[_Item], bar: Fraction) -> list[tuple[_Item, Fraction]]:
    length = bar
    found: list[tuple[_Item, Fraction]] = []
    for item in items:
        length = item.length or length
        found.append((item, length))
    return found


def _in_bars(bars: list[tuple[list[_Item], int]], bar: Fraction, text: str) -> list[tuple[_Item, Fraction]]:
    """Chords of each bar with their lengths; those that say none share what the others leave."""
    found: list[tuple[_Item, Fraction]] = []
    lines = [at for _, at in bars[1:]] + [len(text)]
    for place, ((items, _), line) in enumerate(zip(bars, lines, strict=True)):
        if not items:
            if 0 < place < len(bars) - 1:
                raise NotationError("this bar is empty", line, line + 1, "a chord, or `%` for the bar before once more")
            continue
        taken = sum((item.length for item in items if item.length is not None), Fraction(0))
        free = [item for item in items if item.length is None]
        if free and taken >= bar:
            message = f"`{text[free[0].start : free[0].end]}` finds no room in its bar of {float(bar):g} beats"
            raise NotationError(message, free[0].start, free[0].end, "shorter lengths, or a bar line")
        if not free:
            check_bar_line(taken, min(line, len(text) - 1), float(bar))
        found += [(item, item.length or (bar - taken) / len(free)) for item in items]
    return found


def _repeated(bars: list[tuple[list[_Item], int]], match: re.Match[str]) -> list[_Item]:
    if len(bars) < 2 or bars[-1][0] or not bars[-2][0]:
        expected = "it alone between bar lines, like `Am | % | F`"
        raise NotationError("`%` repeats the bar before, and there is none", match.start(), match.end(), expected)
    return [item._replace(start=match.start(), end=match.end()) for item in bars[-2][0]]


def _item(text: str, match: re.Match[str]) -> _Item:
    word, colon, _ = match[0].partition(":")
    start, end = match.start(), match.start() + len(word)
    length = None
    if colon:
        length, behind = read_length(text, end + 1)
        if behind < match.end():
            raise NotationError(
                f"`{text[behind : match.end()]}` stands behind a length", behind, match.end(), "a space, then a chord"
            )
    return _Item(read_symbol(word, start), length, start, match.end())


def is_chord(word: str) -> bool:
    """Whether a word is a chord of a lead sheet."""
    try:
        return parse_chord(word) is not None
    except ValueError:
        return False


def read_symbol(word: str, start: int = 0) -> Chord | Numeral:
    """Read a chord of a lead sheet or a Roman numeral.

    Raises:
        NotationError: it is neither; its indexes count from `start`.
    """
    if is_numeral(word):
        return parse_numeral(word, start)
    try:
        chord = None if _NOTE.fullmatch(word) else parse_chord(word)
    except ValueError:
        chord = None
    if chord is not None:
        return chord
    message, meant = _misread(word)
    expected = "a chord like `Am7` or `C/E`, or a numeral like `iv` or `V7`"
    raise NotationError(message, start, start + max(1, len(word)), expected, meant or word, _candidates(word, meant))


def _misread(word: str) -> tuple[str, str]:
    """What to say of a word that is no chord, and the chord that was meant, if that is known."""
    shown = word[:40]
    if not word:
        return "a chord is missing here", ""
    if german := _GERMAN.fullmatch(word):
        meant = _from_german(german)
        if is_chord(meant):
            return f"`{shown}` is German; here B natural is `B`, B flat `Bb`, a sharp `#` and a flat `b`", meant
    if _NOTE.fullmatch(word):
        return f"`{shown}` is a note, not a chord", word.rstrip("-0123456789")
    if word[0] in "~_" or word.upper().rstrip(".") in ("N.C", "NC", "N"):
        return "a progression has a chord at every moment", ""
    if word.isdigit() and 1 <= int(word[:3]) <= 7:
        return f"`{shown}` is no chord", ("I", "ii", "iii", "IV", "V", "vi", "viio")[int(word) - 1]
    if lower := _LOWER.fullmatch(word):
        root = lower[1].upper() + (lower[2] or "")
        meant = root + (lower[3] or "m")
        if is_chord(meant):
            return f"`{shown}` is no chord: its root is a capital letter", meant
    return f"`{shown}` is no chord", ""


def _from_german(match: re.Match[str]) -> str:
    h, letter, ending, short, rest = match.groups()
    if h:
        root = "B#" if match[0].startswith("His") else "B"
    elif short:
        root = short[0].upper() + "b"
    else:
        root = letter.upper() + ("#" if ending == "is" else "b")
    minor = match[0][0].islower() and not rest.startswith(("m", "d"))
    return root + ("m" if minor else "") + rest


def _candidates(word: str, meant: str) -> tuple[str, ...]:
    if meant:
        return (meant,)
    root = re.match(r"[A-G](?:#|b)?", word)
    return tuple(root[0] + quality for quality in QUALITIES) if root else ()

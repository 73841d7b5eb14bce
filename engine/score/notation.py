# pyright: strict
"""What is shared by the short notations that scenes write music in: the error, and lengths in beats."""

from __future__ import annotations

import re
from fractions import Fraction

LONGEST = 256
"""Beats of the longest pattern or progression: 64 bars of 4/4."""

NUMBER = re.compile(r"\d+\.\d+|\d+/\d+|\d+|\.\d+")
_LENGTH = re.compile(r"[^\s\[\]|@?]*")


class NotationError(ValueError):
    """Music is written wrongly.

    Attributes:
        message: what is wrong.
        start: index of the first character that is wrong.
        end: index of the first character after it.
        expected: what would be right.
        word: the name that is wrong, where a name is.
        candidates: names that could have been meant.
        key: where the music is a mapping, the key whose value is wrong.
    """

    def __init__(
        self,
        message: str,
        start: int,
        end: int,
        expected: str = "",
        word: str = "",
        candidates: tuple[str, ...] = (),
        key: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = max(end, start + 1)
        self.expected = expected
        self.word = word
        self.candidates = candidates
        self.key = key


def read_length(text: str, place: int) -> tuple[Fraction, int]:
    """(length in beats, index behind it) of a length that begins at an index: "1", "1/2" or "0.75".

    Raises:
        NotationError: it is none, or too long.
    """
    match = _LENGTH.match(text, place)
    assert match is not None
    value = Fraction(0)
    # Digits without end would cost time without end.
    if len(match[0]) <= 12 and NUMBER.fullmatch(match[0]):
        top, _, bottom = match[0].partition("/")
        value = Fraction(top) / Fraction(bottom or 1) if not bottom or Fraction(bottom) else value
    if not 0 < value <= LONGEST:
        expected = "a length in beats, like `1`, `1/2` or `0.75`"
        raise NotationError(f"`{match[0]}` is no length", place, max(match.end(), place + 1), expected)
    return value, match.end()


def check_bar_line(now: Fraction, place: int, beats_per_bar: float) -> None:
    """A bar line must stand where a bar ends.

    Raises:
        NotationError: it does not.
    """
    over = now % Fraction(beats_per_bar)
    if over:
        message = f"no bar ends here: {float(over):g} of {beats_per_bar:g} beats are filled"
        raise NotationError(message, place, place + 1, f"bar lines every {beats_per_bar:g} beats")

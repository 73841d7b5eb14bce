"""Macros (m:) of ABC: texts that stand for other texts of music."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.training.datasets.formats.abc.text import LARGEST
from engine.training.datasets.score import UnusableError

MOST = 100
"""Macros of a tune: every place of its music is held against each."""
_SCALE = "CDEFGAB"
_NOTE = r"([A-Ga-g])([,']*)"
_KEPT = r'"[^"]*"|\[[A-Za-z]:[^\]]*\]|![^!\s]*!'
"""What is no music: texts, fields and decorations."""


def parse_macro(text: str) -> tuple[str, str] | None:
    """What is replaced, and by what; None where m: says no such thing."""
    target, equals, replacement = text.partition("=")
    return (target.strip(), replacement.strip()) if equals and target.strip() else None


def expand(line: str, macros: Mapping[str, str]) -> tuple[str, list[int] | None]:
    """A line with its macros replaced, once: what they give is not looked through again.

    In a transposing macro "n" is any note, and "h" to "z" are those around it.

    Returns:
        The line, and for each of its characters the place in the line as it was; None where nothing was replaced.

    Raises:
        UnusableError: it grows too long.
    """
    found, places, at, grown = [], [], 0, len(line)
    ordered = sorted(macros, key=len, reverse=True)
    choices = [re.escape(target).replace("n", _NOTE, 1) for target in ordered]
    for match in re.finditer("|".join([_KEPT, *(f"(?P<m{k}>{choice})" for k, choice in enumerate(choices))]), line):
        if match.lastgroup is None:
            continue
        place = int(match.lastgroup[1:])
        replacement = macros[ordered[place]]
        if "n" in ordered[place]:
            inner = match.re.groupindex[match.lastgroup]
            replacement = _around(replacement, match[inner + 1], match[inner + 2])
        grown += len(replacement)
        if grown > LARGEST:
            raise UnusableError("macros grow too long")
        found += [line[at : match.start()], replacement]
        places += [*range(at, match.start()), *[match.start()] * len(replacement)]
        at = match.end()
    if not at:
        return line, None
    return "".join([*found, line[at:]]), [*places, *range(at, len(line))]


def _around(replacement: str, letter: str, marks: str) -> str:
    """A replacement whose letters h to z are the notes around one."""
    octave = letter.islower() + marks.count("'") - marks.count(",")
    base = _SCALE.index(letter.upper()) + 7 * octave

    def note(match: re.Match[str]) -> str:
        octaves, step = divmod(base + ord(match[0]) - ord("n"), 7)
        if octaves >= 1:
            return _SCALE[step].lower() + "'" * (octaves - 1)
        return _SCALE[step] + "," * -octaves

    return re.sub(r'(?:"[^"]*"|![^!]*!)|[h-z]', lambda m: note(m) if len(m[0]) == 1 else m[0], replacement)

# pyright: strict
"""Reading chord figures of lead sheets.

Many spellings, one meaning: "Cm7", "C-7", "Cmin7" and "CMI7" are the same chord. A figure is a root, a kind (major,
minor, ...), a number (6, 7, 9, 11, 13), perhaps a suspension, then alterations and additions, and perhaps a bass after
a slash.
"""

from __future__ import annotations

import re
from functools import cache

from engine.errors import WrongValueError
from engine.score.harmony.keys import parse_pitch_class

_SEMITONES = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11, 9: 14, 11: 17, 13: 21}
"""Of the degrees of the major scale above the root."""

_SPELLINGS = str.maketrans(
    {"♭": "b", "♯": "#", "−": "-", "–": "-", "°": "o", "º": "o", "Δ": "^", "△": "^", "∆": "^", "Ø": "ø"}
)
_FIGURE = re.compile(r"([A-G](?:##|bb|#|b)?)(.*?)(?:/([A-Ga-g])(##|bb|#|b|\+|-)?)?")
_SUFFIX = re.compile(
    r"(?P<kind>(?:minmaj|min?|m|-)(?=(?:maj|ma(?!j|dd)|M|\^)\d?)|major|maj|ma(?!j|dd)|M(?!I)|\^|minor|min|mi|MI|m|-"
    r"|dim|o(?!mit)|ø|/o|augmented|aug|\+|)"
    r"(?P<major>maj|ma|M|\^|)"
    r"(?P<number>6/9|69|13|11|9|7|6|5|2|)"
    r"(?P<sus>sus(?:24|42|2/4|4/2|2|4|)|)"
    r"(?P<later>13|11|9|7|)"
    r"(?P<rest>.*)"
)
_CHANGE = re.compile(r"(add|no|omit|)(maj|#|b|\+|-|)(13|11|[1-79])|(alt)|(\+)|(sus[24]?)")
_KINDS = {
    "major": "major",
    "maj": "major",
    "ma": "major",
    "M": "major",
    "^": "major",
    "": "dominant",
    "dim": "diminished",
    "o": "diminished",
    "ø": "half",
    "/o": "half",
    "augmented": "augmented",
    "aug": "augmented",
    "+": "augmented",
}
"""Every other kind is minor."""


def split_figure(figure: str) -> tuple[int, str, int | None]:
    """Root, suffix and bass of a figure: pitch classes and the text between, in a plain spelling.

    Raises:
        ValueError: it does not begin with a root.
    """
    text = re.sub(r"\s", "", figure.translate(_SPELLINGS))
    text = re.sub(r"Maj|Min|Sus|Dim|Aug|Add", lambda word: word[0].lower(), text)
    match = _FIGURE.fullmatch(text)
    if not match:
        raise WrongValueError(f"{figure!r} is not a chord", example="C, Dm7, F#m7b5 or G7/B")
    root, suffix, bass, accidental = match.groups()
    suffix = re.sub(r"[(),\[\]]", "", suffix)
    try:
        intervals(suffix)
    except ValueError:
        raise ValueError(f"{figure!r} is not a chord that is known: what is {suffix!r}?") from None
    if bass is None:
        return parse_pitch_class(root), suffix, None
    # Some corpora write a sharp bass as "f+" and a flat one as "b-", which can mean nothing else there.
    accidental = {"+": "#", "-": "b", None: ""}.get(accidental, accidental)
    return parse_pitch_class(root), suffix, parse_pitch_class(bass.upper() + accidental)


@cache
def intervals(suffix: str) -> tuple[int, ...]:
    """Semitones 0..11 above the root that a suffix means ("m7b5" is 0, 3, 6, 10), in order of their degrees.

    Raises:
        ValueError: it is not understood.
    """
    match = _SUFFIX.fullmatch(suffix)
    assert match is not None  # the rest takes anything
    kind = _KINDS.get(match["kind"], "minor")
    if suffix == "ped":
        return (0,)
    tones = {
        "major": [(1, 0), (3, 0), (5, 0)],
        "dominant": [(1, 0), (3, 0), (5, 0)],
        "minor": [(1, 0), (3, -1), (5, 0)],
        "diminished": [(1, 0), (3, -1), (5, -1)],
        "half": [(1, 0), (3, -1), (5, -1), (7, -1)],
        "augmented": [(1, 0), (3, 0), (5, 1)],
    }[kind]
    number = match["number"] or match["later"]
    seventh = 0 if kind == "major" or match["major"] else -2 if kind == "diminished" else -1
    if match["major"] and not number:
        number = "7"  # "CmM"
    if match["kind"] == "^" and not number:
        number = "7"
    if number in ("7", "9", "11", "13"):
        tones = [tone for tone in tones if tone[0] != 7] + [(7, seventh)]
        tones += [(degree, 0) for degree in (9, 11, 13) if degree <= int(number)]
    elif number in ("6", "69", "6/9"):
        tones += [(6, 0)] + [(9, 0)] * (number != "6")
    elif number == "5":
        tones = [tone for tone in tones if tone[0] != 3]
    elif number == "2":
        tones.append((2, 0))
    if match["sus"]:
        tones = _suspended(tones, match["sus"])
    for change in _changes(suffix, match["rest"]):
        tones = _changed(tones, change)
    steps = [(_SEMITONES[degree] + alteration) % 12 for degree, alteration in sorted(tones)]
    return tuple(dict.fromkeys(steps))


def _changes(suffix: str, rest: str) -> list[re.Match[str]]:
    """The alterations and additions at the end of a suffix; a slash before one means nothing ("7/b9")."""
    found: list[re.Match[str]] = []
    rest = re.sub(r"/(?=[#b+\-0-9])", "", rest)
    while rest:
        match = _CHANGE.match(rest)
        if not match:
            raise ValueError(f"{suffix!r} is not a kind of chord")
        found.append(match)
        rest = rest[match.end() :]
    return found


def _suspended(tones: list[tuple[int, int]], how: str) -> list[tuple[int, int]]:
    new = [(int(degree), 0) for degree in how.removeprefix("sus") if degree != "/"] or [(4, 0)]
    return [tone for tone in tones if tone[0] != 3] + new


def _changed(tones: list[tuple[int, int]], change: re.Match[str]) -> list[tuple[int, int]]:
    how, sign, number, altered, plus, sus = change.groups()
    if sus:
        return _suspended(tones, sus)
    if altered:
        return [tone for tone in tones if tone[0] not in (5, 9)] + [(5, 1), (7, -1), (9, -1), (9, 1)]
    if plus:
        return [tone for tone in tones if tone[0] != 5] + [(5, 1)]
    degree, alteration = int(number), {"#": 1, "+": 1, "b": -1, "-": -1}.get(sign, 0)
    if how in ("no", "omit"):
        return [tone for tone in tones if tone[0] != degree]
    if degree == 7 and sign != "maj":
        alteration -= 1  # a seventh that is added is a minor one
    if not how and alteration:
        tones = [tone for tone in tones if tone != (degree, 0)]
    return [*tones, (degree, alteration)]

# pyright: strict
"""Roman numerals: chords by their degree of the key, `i VI III VII`.

Capitals are major chords, small letters minor ones; what stands behind a numeral is what would stand behind a chord of
a lead sheet (`V7`, `IVmaj7`, `viio7`, `iim7b5`). A degree without an accidental is that of the key's own mode; `b` and
`#` alter it, unless the mode has it so already (`bVII` of a minor key is its VII). In minor keys `vi` and `vii` stand
on the raised degrees, as is usual (`viio` of A minor is G# dim). `V/V` is the dominant of the key on V.
Figures of thorough bass invert a chord: `I63`, `I64`; `V65`, `ii43`, `V42` are chords of the seventh, the key's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from engine.score.figures import intervals
from engine.score.harmony.chords import Chord, parse_chord
from engine.score.harmony.keys import MODES, Key
from engine.score.notation import NotationError

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII")
_NUMERAL = re.compile(r"([b#♭♯]?)([IVXivx]+)(.*)")
_MAJOR = MODES["major"]
_MINOR_MODES = ("minor", "aeolian", "harmonic minor", "melodic minor")
_DIMINISHED = re.compile(r"[o°ºøØ]|dim")
_FIGURED = re.compile(r"(.*?)(63|64|65|43|42)")
_PLACES = {"63": 1, "64": 2, "65": 1, "43": 2, "42": 3}
"""Which tone of the chord lies lowest, by the figure."""
_TRIADS_OF_FIGURES = ("", "m", "dim", "aug", "m7b5")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A chord on a degree of a key.

    Attributes:
        name: as it is written.
        degree: 0 (the tonic) to 6.
        accidental: -1 for `b`, 1 for `#`, else 0.
        minor: small letters.
        quality: what stands behind the root in the name of its chord on a lead sheet.
        of: the chord that is tonic for the moment (`V/V`); None for that of the key.
        figure: of its inversion ("63", "64", "65", "43", "42"), or nothing in root position.
    """

    name: str
    degree: int
    accidental: int
    minor: bool
    quality: str
    of: Numeral | None = None
    figure: str = ""

    def chord(self, key: Key) -> Chord:
        """The chord that it is in a key."""
        if self.of is not None:
            key = Key(self.of.root(key), "minor" if self.of.minor else "major")
        root = self.root(key)
        if not self.figure:
            return Chord(root, self.quality)
        chord = Chord(root, self.quality if self.figure in ("63", "64") else self._with_seventh(key, root))
        return replace(chord, bass=chord.pitch_classes[_PLACES[self.figure]])

    def _with_seventh(self, key: Key, root: int) -> str:
        """Its quality with the seventh that the key has above its root."""
        if self.quality == "m7b5":
            return self.quality
        if self.quality == "dim":
            return "dim7"
        major = (key.tonic + _steps(key)[(self.degree + 6) % 7] - root) % 12 == 11
        return self.quality + ("maj7" if major else "7")

    def root(self, key: Key) -> int:
        """Pitch class of its root in a key."""
        own = _steps(key)[self.degree]
        usual = _MAJOR[self.degree]
        if key.mode in _MINOR_MODES and self.degree in (5, 6) and not self.accidental:
            # The sixth and the seventh degree of minor have two forms: VI and VII lie low, vi and vii high.
            own = usual if self.minor else usual - 1
        if self.accidental < 0 and own >= usual:
            own -= 1
        elif self.accidental > 0 and own <= usual:
            own += 1
        return (key.tonic + own) % 12


def _steps(key: Key) -> tuple[int, ...]:
    """Semitones of the seven degrees; modes without seven borrow those of the major or minor scale."""
    steps = MODES[key.mode]
    if len(steps) == 7:
        return steps
    return MODES["minor" if 3 in steps and 4 not in steps else "major"]


def is_numeral(word: str) -> bool:
    """Whether a word is meant as a Roman numeral, right or not."""
    return re.match(r"[b#♭♯]?[IViv]", word) is not None


def parse_numeral(word: str, start: int = 0) -> Numeral:
    """Read a Roman numeral.

    Raises:
        NotationError: it is none; its indexes count from `start`.
    """
    end = start + len(word)
    head, slash, target = word.rpartition("/")
    of = None
    if slash and is_numeral(target):
        of = parse_numeral(target, start + len(head) + 1)
        if of.of is not None or "/" in head:
            raise NotationError(f"`{word}` has too many slashes", start, end, "one slash, like `V7/V`")
    elif slash and not head.endswith("6"):
        expected = "a numeral behind the slash, like `V/V`; with another bass, a chord like `C/E`"
        raise NotationError(f"`{target}` is no degree", start + len(head) + 1, end, expected)
    else:
        head = word
    match = _NUMERAL.fullmatch(head)
    degrees = "degrees from `I` to `VII`, in capitals for major and in small letters for minor chords"
    if match is None or match[2] not in (*_ROMAN, *map(str.lower, _ROMAN)):
        letters = re.sub(r"[^IVXivx].*", "", head.lstrip("b#♭♯"))
        cased = letters.upper() if letters[:1].isupper() else letters.lower()
        meant = (cased,) if cased.upper() in _ROMAN else ()
        raise NotationError(f"`{head}` is no degree of a key", start, start + len(head), degrees, head, meant)
    accidental = {"": 0, "b": -1, "♭": -1, "#": 1, "♯": 1}[match[1]]
    minor, behind, figure = match[2].islower(), match[3], ""
    if figured := _FIGURED.fullmatch(behind):
        behind, figure = figured.groups()
    quality = f"m{behind}" if minor and not _DIMINISHED.match(behind) else behind
    try:
        # Spelled as on a lead sheet, so that it gets the name that it has there.
        chord = parse_chord(f"C{quality}")
        intervals(quality if chord is None else chord.quality)
    except ValueError:
        chord = None
    if chord is None or chord.bass is not None:
        place = start + match.start(3)
        expected = "what may stand behind a chord, like `7`, `maj7`, `o` or `sus4`"
        raise NotationError(f"`{behind}` says nothing about a chord", place, max(end, place + 1), expected)
    if figure and chord.quality not in _TRIADS_OF_FIGURES:
        place = start + match.start(3)
        expected = "figures behind a plain triad: `I63`, `I64`, `V65`, `viio43`, `ii42`"
        raise NotationError(f"`{behind}{figure}` is no figure of an inversion", place, max(end, place + 1), expected)
    return Numeral(word, _ROMAN.index(match[2].upper()), accidental, minor, chord.quality, of, figure)

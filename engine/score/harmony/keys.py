# pyright: strict
"""Keys, modes and note names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import WrongValueError

MODES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}
"""Semitones above the tonic, by the mode's usual name."""

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1, "##": 2, "bb": -2}
_SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_NOTE = re.compile(r"([A-Ga-g])(##|bb|#|♯|b|♭|)(-?\d)?")


def parse_pitch_class(text: str) -> int:
    """Read "C", "F#" or "Bb" as 0..11.

    Raises:
        ValueError: not a note name.
    """
    match = _NOTE.fullmatch(text.strip())
    if not match or match[3] is not None:
        raise WrongValueError(f"{text!r} is not a note name", example="C, F# or Bb")
    return (_LETTERS[match[1].upper()] + _ACCIDENTALS[match[2]]) % 12


def parse_pitch(text: str) -> int:
    """Read "C4" (middle C, 60), "F#3" or "Bb-1" as a MIDI pitch 0..127.

    Raises:
        ValueError: not a note name with octave, or outside MIDI's range.
    """
    match = _NOTE.fullmatch(text.strip())
    if not match or match[3] is None:
        raise ValueError(f"{text!r} is not a pitch; write a note name with its octave, like C4 (middle C) or F#3")
    pitch = _LETTERS[match[1].upper()] + _ACCIDENTALS[match[2]] + 12 * (int(match[3]) + 1)
    if not 0 <= pitch <= 127:
        raise ValueError(f"{text!r} is outside MIDI's range C-1..G9")
    return pitch


def pitch_name(pitch: int, flats: bool = False) -> str:
    """Name of a MIDI pitch: 60 is C4."""
    return f"{(_FLAT_NAMES if flats else _SHARP_NAMES)[pitch % 12]}{pitch // 12 - 1}"


_FOREIGN_KEY = re.compile(
    r"(?P<letter>[A-Ha-h])(?P<accidental>(?:is|es|##|bb|#|♯|b|♭|s(?![a-z])|[ -]?sharp|[ -]?flat)?)"
    r"[\s_-]*(?P<mode>[^\W\d].*)?"
)
_FOREIGN_MODES = {
    **dict.fromkeys(("m", "mi", "min", "moll", "mineur", "minore"), "minor"),
    **dict.fromkeys(("ma", "maj", "dur", "majeur", "maggiore"), "major"),
}
_FOREIGN_ACCIDENTALS = {"is": "#", "es": "b", "s": "b", "sharp": "#", "flat": "b"}


def meant_key(text: str) -> str:
    """Our spelling of a key as others write it: "Am", "Cmaj", "f#-moll", "Cis-Moll", "H-Dur"; empty if it is none.

    Beside `dur` and `moll`, and with the endings -is and -es, B is B flat and H is B, as in German.
    """
    match = _FOREIGN_KEY.fullmatch(text.strip()[:64])
    if not match:
        return ""
    letter, accidental = match["letter"].upper(), match["accidental"].lstrip(" -")
    word = " ".join(re.split(r"[\s_-]+", (match["mode"] or "").strip().lower())).rstrip(".")
    if not word:
        mode = "minor" if match["letter"].islower() else "major"
    elif (match["mode"] or "").strip() == "M":
        mode = "major"
    else:
        begun = [mode for mode in MODES if len(word) in (3, 4) and mode.startswith(word)]
        mode = _FOREIGN_MODES.get(word) or (word if word in MODES else begun[0] if len(begun) == 1 else "")
    if not mode or (accidental == "s" and letter not in "AE"):
        return ""
    if letter == "H":
        letter = "B"
    elif letter == "B" and not accidental and word in ("dur", "moll"):
        accidental = "b"
    return f"{letter}{_FOREIGN_ACCIDENTALS.get(accidental, accidental)} {mode}"


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic and a mode.

    Attributes:
        tonic: pitch class 0..11 (C is 0).
        mode: one of `MODES`.
    """

    tonic: int = 0
    mode: str = "major"

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read "D dorian", "Bb major", "F# minor" or just "C" (major).

        Raises:
            ValueError: unknown tonic or mode.
        """
        words = text.split(None, 1)
        if not words:
            raise WrongValueError("a key is empty", example="D dorian")
        tonic = parse_pitch_class(words[0])
        mode = " ".join(words[1].lower().replace("_", " ").split()) if len(words) > 1 else "major"
        if mode not in MODES:
            raise WrongValueError(f"{mode!r} is not a mode; known are {', '.join(MODES)}")
        return cls(tonic, mode)

    @property
    def scale(self) -> tuple[int, ...]:
        """Pitch classes of the scale, from the tonic upwards."""
        return tuple((self.tonic + step) % 12 for step in MODES[self.mode])

    def __contains__(self, pitch: int) -> bool:
        return pitch % 12 in self.scale

    def nearest(self, pitch: int) -> int:
        """The pitch of the scale nearest to a pitch; of two equally near, the lower."""
        for distance in range(12):
            for candidate in (pitch - distance, pitch + distance):
                if candidate in self and 0 <= candidate <= 127:
                    return candidate
        return pitch

    def __str__(self) -> str:
        flats = self.tonic in (1, 3, 5, 8, 10)
        return f"{(_FLAT_NAMES if flats else _SHARP_NAMES)[self.tonic]} {self.mode}"

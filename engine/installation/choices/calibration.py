# pyright: strict
"""What a meter in the room shows, against what leaves for the output: one reading turns LUFS into dB(A)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Calibration:
    """One reading of a meter while pink noise sounded (`perpetuum calibrate`).

    It holds for that place of the meter and that volume of amplifier and mixer. Both scales are logarithmic, so that
    one reading is enough. Music with much bass shows a little less on a meter than noise that is as loud in LUFS.

    Attributes:
        reading: of the meter, in dB(A).
        at: loudness of the noise, in LUFS.
    """

    reading: float
    at: float

    def decibels_a(self, lufs: float) -> float:
        """What the meter shows, in dB(A), at so many LUFS."""
        return lufs + self.reading - self.at

    def lufs(self, decibels_a: float) -> float:
        """The LUFS at which the meter shows so many dB(A)."""
        return decibels_a - self.reading + self.at


def loudness_words(lufs: float, calibration: Calibration | None) -> str:
    """A loudness for people: "-21.0 LUFS", and what a meter shows where that is known: "-21.0 LUFS (62.0 dBA)"."""
    words = f"{lufs:.1f} LUFS"
    return words if calibration is None else f"{words} ({calibration.decibels_a(lufs):.1f} dBA)"

# pyright: strict
"""What staff may do about the volume."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StaffChoice:
    """By how much staff may move the volume, until the next opening.

    Attributes:
        step: dB of one `louder` or `softer`.
        louder: dB by which it may be raised at most.
        softer: dB by which it may be lowered at most.
    """

    step: float = 2.0
    louder: float = 4.0
    softer: float = 12.0


@dataclass(frozen=True, slots=True)
class ButtonPins:
    """Buttons and a light at GPIO pins, as Broadcom counts; each None where there is none.

    Attributes:
        louder, softer: a step each.
        mute, quiet: on, and at the next press off.
        light: on while all is as it should be, blinking slowly while it is muted or the alarm is on, quickly while
            something is wrong.
    """

    louder: int | None = None
    softer: int | None = None
    mute: int | None = None
    quiet: int | None = None
    light: int | None = None

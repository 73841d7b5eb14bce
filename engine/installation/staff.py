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

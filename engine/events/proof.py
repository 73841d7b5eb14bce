# pyright: strict
"""What is found out about the way of the sound behind the output, as events."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MixerFound:
    """A mixer between the output and the loudspeaker is not as it should be, or is again.

    Attributes:
        fault: what is not as it should be, for people; empty: all has been for a while.
        restored: whether it was put back at once.
    """

    fault: str
    restored: bool


@dataclass(frozen=True, slots=True)
class RoomFound:
    """The microphone in the room does not hear what is sent, or hears it again.

    Attributes:
        fault: what is wrong, for people; empty: it is heard, or nothing is meant to be.
        delay: seconds from what is sent to what is heard, buffers included; None where nobody knows.
    """

    fault: str
    delay: float | None

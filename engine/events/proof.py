# pyright: strict
"""What is found out about what lies beyond the output, as events: the way of the sound, the room, the mains."""

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


@dataclass(frozen=True, slots=True)
class MainsFound:
    """The mains have failed, as a UPS says, or are back.

    Attributes:
        fault: what is so, for people; empty: there is power again.
        seconds: after which the machine is shut down, unless they come back; 0: it is not.
    """

    fault: str
    seconds: float

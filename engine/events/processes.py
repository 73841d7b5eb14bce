# pyright: strict
"""Events of what carries the music: processes that come and go, notes that they lose, outputs that fail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessStarted:
    """A child process runs and does its work.

    Attributes:
        process: what it is: "audio", "worker 1".
    """

    process: str


@dataclass(frozen=True, slots=True)
class ProcessDied:
    """A child process ended, hung or made no sense, and is replaced.

    Attributes:
        process: what it is: "audio", "worker 1".
        reason: what is known of its end.
        retry_in: seconds until the next one is started; None where none will be.
    """

    process: str
    reason: str
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class NotesLeftOut:
    """Audio processes died at one place of the music, so what was to sound there is left out.

    Attributes:
        frame: where the last of them died.
        until: notes that begin before this frame are left out.
        deaths: how many died there.
    """

    frame: int
    until: int
    deaths: int


@dataclass(frozen=True, slots=True)
class NotesLate:
    """Notes came after their frame, and were played at once.

    Attributes:
        count: how many since the event before.
    """

    count: int


@dataclass(frozen=True, slots=True)
class SoundStarved:
    """The output wanted sound and none was there.

    Attributes:
        frame: of the pipe, that it waits for.
    """

    frame: int


@dataclass(frozen=True, slots=True)
class SoundResumed:
    """There is sound again.

    Attributes:
        frame: of the pipe, with which it goes on.
        seconds: how long there was none.
    """

    frame: int
    seconds: float


@dataclass(frozen=True, slots=True)
class OutputFailed:
    """An output, or one that follows it, takes no sound; what it missed is lost to it alone.

    Attributes:
        output: its description.
        reason: why.
        dropped: frames that it missed since the event before.
    """

    output: str
    reason: str
    dropped: int

"""A running performance: the stage, which sounds, and the mind, which decides, held together by messages alone."""

from engine.runtime.performance.commands import (
    Alarm,
    ChangeScene,
    Command,
    GoToSection,
    Mute,
    MutePart,
    Reseed,
    SetControl,
    SetGain,
    Solo,
    Stop,
    When,
)
from engine.runtime.performance.course import Course, Snapshot
from engine.runtime.performance.performance import Performance

__all__ = [
    "Alarm",
    "ChangeScene",
    "Command",
    "Course",
    "GoToSection",
    "Mute",
    "MutePart",
    "Performance",
    "Reseed",
    "SetControl",
    "SetGain",
    "Snapshot",
    "Solo",
    "Stop",
    "When",
]

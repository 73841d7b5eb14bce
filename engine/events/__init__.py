"""What happens in a performance, as values, and how it is told: the vocabulary and the bus.

Whatever counts, logs, records or shows something subscribes here; whoever makes music only publishes.
"""

from engine.events.bus import Bus, Subscription
from engine.events.vocabulary import (
    BarSealed,
    Commanded,
    Event,
    NetworksLoaded,
    NotesLate,
    NotesLeftOut,
    OutputFailed,
    PartBar,
    PhraseDecided,
    ProcessDied,
    ProcessStarted,
    SceneRefused,
    SceneTookOver,
    SectionBegan,
    SoundResumed,
    SoundStarved,
    StepCause,
    SteppedDown,
    SteppedUp,
    WeightsFound,
)

__all__ = [
    "BarSealed",
    "Bus",
    "Commanded",
    "Event",
    "NetworksLoaded",
    "NotesLate",
    "NotesLeftOut",
    "OutputFailed",
    "PartBar",
    "PhraseDecided",
    "ProcessDied",
    "ProcessStarted",
    "SceneRefused",
    "SceneTookOver",
    "SectionBegan",
    "SoundResumed",
    "SoundStarved",
    "StepCause",
    "SteppedDown",
    "SteppedUp",
    "Subscription",
    "WeightsFound",
]

"""What happens in a performance, as values, and how it is told: the vocabulary and the bus.

Whatever counts, logs, records or shows something subscribes here; whoever makes music only publishes.
"""

from engine.events.bus import Bus, Subscription
from engine.events.vocabulary import (
    BarSealed,
    Commanded,
    Event,
    GainMoved,
    GraphBegan,
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
    SoundTold,
    SteppedDown,
    SteppedUp,
    ToldLate,
    WeightsFound,
)

__all__ = [
    "BarSealed",
    "Bus",
    "Commanded",
    "Event",
    "GainMoved",
    "GraphBegan",
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
    "SoundTold",
    "SteppedDown",
    "SteppedUp",
    "Subscription",
    "ToldLate",
    "WeightsFound",
]

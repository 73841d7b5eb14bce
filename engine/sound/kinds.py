"""The built-in kinds of instruments. Free of pyo."""

from engine.sound.contract import InstrumentKind
from engine.sound.settings import DrumKitSettings, FmSettings, PluckSettings, SamplerSettings, SubtractiveSettings

DRUM_KIT = InstrumentKind(
    "drum_kit",
    "recorded drums, one for each drum class",
    DrumKitSettings,
    "engine.sound.drum_kit:DrumKit",
    drums=True,
)
SAMPLER = InstrumentKind(
    "sampler", "recorded notes, each played at the pitches nearest to it", SamplerSettings, "engine.sound.sampler:build"
)
SUBTRACTIVE = InstrumentKind(
    "subtractive",
    "oscillators, a low-pass filter, envelopes: pads, basses, leads",
    SubtractiveSettings,
    "engine.sound.subtractive:build",
)
FM = InstrumentKind("fm", "frequency modulation: bells, electric pianos", FmSettings, "engine.sound.fm:build")
PLUCK = InstrumentKind("pluck", "a plucked string", PluckSettings, "engine.sound.pluck:build")

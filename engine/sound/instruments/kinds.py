"""The built-in kinds of instruments. Free of pyo, which is imported where an instrument is built."""

# pyright: strict

from __future__ import annotations

from pathlib import Path

from engine.sound.contract import Instrument, InstrumentKind
from engine.sound.settings import DrumKitSettings, FmSettings, PluckSettings, SamplerSettings, SubtractiveSettings


def _drum_kit(settings: DrumKitSettings, folder: Path, seed: int) -> Instrument:
    from engine.sound.instruments.drum_kit import DrumKit

    return DrumKit(settings, folder, seed)


def _sampler(settings: SamplerSettings, folder: Path, seed: int) -> Instrument:
    from engine.sound.instruments.sampler import build

    return build(settings, folder, seed)


def _subtractive(settings: SubtractiveSettings, folder: Path, seed: int) -> Instrument:
    from engine.sound.instruments.subtractive import build

    return build(settings, folder, seed)


def _fm(settings: FmSettings, folder: Path, seed: int) -> Instrument:
    from engine.sound.instruments.fm import build

    return build(settings, folder, seed)


def _pluck(settings: PluckSettings, folder: Path, seed: int) -> Instrument:
    from engine.sound.instruments.pluck import build

    return build(settings, folder, seed)


DRUM_KIT = InstrumentKind("drum_kit", "recorded drums, one for each drum class", DrumKitSettings, _drum_kit, drums=True)
SAMPLER = InstrumentKind(
    "sampler", "recorded notes, each played at the pitches nearest to it", SamplerSettings, _sampler
)
SUBTRACTIVE = InstrumentKind(
    "subtractive", "oscillators, a low-pass filter, envelopes: pads, basses, leads", SubtractiveSettings, _subtractive
)
FM = InstrumentKind("fm", "frequency modulation: bells, electric pianos", FmSettings, _fm)
PLUCK = InstrumentKind("pluck", "a plucked string", PluckSettings, _pluck)

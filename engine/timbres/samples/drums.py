# pyright: strict
"""A kit of recorded drums, or a kit that is there with some of its drums replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from ruamel.yaml import YAML

from engine.errors import PerpetuumError
from engine.files import read_bytes, reason
from engine.score.drums import CLASSES
from engine.sound.instruments.instrument_file import LARGEST, load_instrument
from engine.sound.instruments.samples import read_sample
from engine.sound.settings import DrumKitSettings
from engine.timbres.samples.instrument import About, MadeInstrument, header
from engine.timbres.samples.loudness import Sound, loudness
from engine.timbres.samples.recordings import read_sound
from engine.timbres.samples.trimming import trimmed

_PEAK = 10.0 ** (-1.0 / 20.0)
_LONGEST = 6.0
_STROKE = 0.2
"""Seconds by whose loudness a drum is compared with the one that it replaces."""

_LARGEST_SAMPLE = 64 << 20
"""Bytes of a sample of a kit that is taken over."""

_GAIN = -5.0
"""Decibels of a new kit: about as loud as the shipped ones (instruments/README.md)."""

_GAINS = {
    "kick": 0.0,
    "snare": -5.0,
    "closed_hat": -14.0,
    "open_hat": -15.0,
    "low_tom": -4.0,
    "mid_tom": -5.0,
    "high_tom": -5.0,
    "crash": -14.0,
    "ride": -16.0,
}
"""Decibels of each drum in a new kit, at the same peak."""


@dataclass(frozen=True, slots=True)
class DrumRecordings:
    """The recordings of one drum.

    Attributes:
        drum: name of its class.
        files: of which each stroke plays the next.
    """

    drum: str
    files: tuple[Path, ...]


def make_kit(
    drums: Sequence[DrumRecordings], about: About, base: Path | None = None, fold: bool = False
) -> tuple[MadeInstrument, list[str]]:
    """A kit, and a line on each of its new drums.

    Args:
        drums: what is recorded.
        about: what the kit says of itself.
        base: file of the kit whose other drums are taken over; without it there are no others.
        fold: both sides of a recording become one.

    Raises:
        PerpetuumError: a file cannot be read or is silent, or the base is no kit.
    """
    document: dict[str, Any] = header("drum_kit", about, _GAIN) | {"velocity": "80 %", "tone": "45 %"}
    slots: dict[str, dict[str, Any]] = {}
    copies: dict[str, bytes] = {}
    replaced: dict[str, float] = {}
    if base is not None:
        document, slots, copies, replaced = _taken_over(base, about, [one.drum for one in drums])
    sounds: dict[str, Sound] = {}
    lines: list[str] = []
    for one in drums:
        strokes = [_stroke(file, fold) for file in one.files]
        names = [
            f"{one.drum}_{number}.flac" if len(strokes) > 1 else f"{one.drum}.flac" for number in _from_one(strokes)
        ]
        gain = _GAINS[one.drum]
        if one.drum in replaced:
            gain = min(12.0, replaced[one.drum] - max(loudness(sound, _STROKE) for sound in strokes))
        choke: dict[str, Any] = {"choke": "hat"} if one.drum in ("closed_hat", "open_hat") else {}
        kept = {key: slots.get(one.drum, {})[key] for key in ("pan", "choke") if key in slots.get(one.drum, {})}
        slots[one.drum] = {"samples": names, "gain": f"{gain:.1f} dB"} | choke | kept
        sounds |= dict(zip(names, strokes, strict=True))
        seconds = ", ".join(f"{len(sound) / 48_000:.2f} s" for sound in strokes)
        lines.append(f"{one.drum}: {seconds}, {gain:+.1f} dB")
    ordered = {name: slots[name] for name in CLASSES if name in slots}
    effects = document.pop("effects", {"high_pass": "45 Hz"})
    return MadeInstrument(document | {"drums": ordered, "effects": effects}, sounds, copies, about.notice), lines


def _from_one(strokes: Sequence[Sound]) -> range:
    return range(1, len(strokes) + 1)


def _stroke(file: Path, fold: bool) -> Sound:
    sound, _ = read_sound(file, fold)
    if float(np.ptp(sound)) <= 0.0:
        raise PerpetuumError(f"the sample {file} is silent", "give it another recording")
    kept = trimmed(sound, _LONGEST)
    return (kept * np.float32(_PEAK / float(np.abs(kept).max()))).astype(np.float32)


def _taken_over(
    base: Path, about: About, without: Sequence[str]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]], dict[str, bytes], dict[str, float]]:
    """(first keys, drums, samples by name, loudness of each drum that is replaced) of a kit that is there."""
    _, settings = load_instrument(base)
    if not isinstance(settings, DrumKitSettings):
        raise PerpetuumError(
            f"{base} is no drum kit: its kind is {settings.kind}", "`perpetuum instruments` lists kits"
        )
    written = cast("dict[str, Any]", YAML(typ="safe", pure=True).load(read_bytes(base, LARGEST).decode("utf-8-sig")))  # pyright: ignore[reportUnknownMemberType]
    ours = ", ".join(filter(None, (about.credits.rstrip("."), about.licence)))
    thanks = "; ".join(filter(None, (ours, f"the other drums: {settings.credits.rstrip('.')}")))
    document = header("drum_kit", About(about.title, thanks, "", about.notice, about.made), settings.gain)
    document |= {key: written[key] for key in ("velocity", "tone", "voices", "effects") if key in written}
    slots: dict[str, dict[str, Any]] = {}
    copies: dict[str, bytes] = {}
    replaced: dict[str, float] = {}
    for name, drum in settings.drums.items():
        slots[name] = dict(cast("Mapping[str, Any]", written["drums"][name]))
        if name in without:
            takes = [read_sample(base.parent / one.file, drum.tune) for one in drum.samples]
            replaced[name] = drum.gain + max(loudness(take, _STROKE) for take in takes)
            continue
        taken: list[dict[str, Any]] = []
        for number, one in enumerate(drum.samples, 1):
            file = base.parent / one.file
            copy = f"{name}_{number}{file.suffix}"
            try:
                copies[copy] = read_bytes(file, _LARGEST_SAMPLE)
            except (OSError, ValueError) as error:
                raise PerpetuumError(f"the sample {file}: {reason(error)}", "choose another kit") from error
            span = {"low": one.low, "high": one.high} if (one.low, one.high) != (1, 127) else {}
            taken.append({"file": copy} | span)
        slots[name]["samples"] = taken
    return document, slots, copies, replaced

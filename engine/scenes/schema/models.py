# pyright: strict
"""The scene file's own keys as pydantic models. What generators, transforms and instruments add has its own models."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from engine.form.scene import PERIOD
from engine.generators.contract import Role, Settings
from engine.generators.rules.patterns.written import Chords, Notes
from engine.scenes.schema.form import FormFile, ModulationFile
from engine.scenes.schema.values import (
    DelayTime,
    DynamicsText,
    Feedback,
    KeyText,
    MeterText,
    Pan,
    ReverbTime,
    SectionKeyText,
    TempoText,
)
from engine.score.time import Meter
from engine.units import (
    PERCENT,
    SECONDS,
    BarRange,
    Bars,
    BarsOrNone,
    Decibels,
    Percent,
    Range,
    Seconds,
    TimesRange,
    Unit,
    parse,
    unit_schema,
)

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""Names of parts and sections."""

MOST_PARTS = 32
MOST_SECTIONS = 128
LARGEST_SEED = 2**63 - 1


class Sends(Settings):
    """How much of a part goes to the shared effects."""

    reverb: Decibels = Field(
        default=float("-inf"), description="Send level to the reverb, like `-10 dB`; `off` for none."
    )
    delay: Decibels = Field(
        default=float("-inf"), description="Send level to the delay, like `-18 dB`; `off` for none."
    )


def _instrument(value: object) -> object:
    """What is no mapping; a mapping is a timbre, which is read by itself."""
    return "timbre" if isinstance(value, dict) else value


class TimbreFile(Settings):
    """What every timbre says besides its own settings."""

    stand_in: str = Field(
        description="The instrument that plays until the bank of notes is made, and for ever if that fails.",
        examples=["glass_bell"],
        min_length=1,
    )


class PartFile(Settings):
    """A part: a chain of a generator, transforms and an instrument."""

    generator: Any = Field(
        description="What makes the notes: the name of a generator, or a mapping of `kind` and its settings.",
        examples=["chord_walk"],
    )
    role: Role | None = Field(
        default=None, description="What the part plays, where its generator can play several things."
    )
    phrase: Bars = Field(
        default=4, description="How many bars the generator is asked for at once, like `8 bars`.", le=64
    )
    transforms: Any = Field(default=(), description="What is done to the notes, in order.")
    instrument: Annotated[str, BeforeValidator(_instrument)] = Field(
        description="What plays the notes: the name of an instrument, the path of an instrument file, or a mapping of "
        "the `kind` of a timbre, its settings, and the instrument that is its `stand_in`.",
        examples=["warm_pad"],
        min_length=1,
    )
    level: Decibels = Field(default=0.0, description="Loudness, like `-14 dB`.")
    pan: Pan = Field(
        default=0.0,
        description="Place between the speakers: `center`, `20 % left`, `35 % right`.",
        json_schema_extra={"default": "center"},
    )
    sends: Sends = Field(default=Sends(), description="How much goes to the shared reverb and delay.")
    brightness: Percent | None = Field(
        default=None,
        ge=0,
        le=1,
        description="How far the instrument is let through: `100 %` wholly, `50 %` up to 1.6 kHz, `0 %` up to 125 Hz.",
        examples=["60 %"],
    )


class SectionFile(Settings):
    """A section: some bars in which some parts play."""

    bars: BarRange = Field(
        description="Its length: `16 bars`, or a range that each pass draws from, `16..24 bars`.", examples=["16 bars"]
    )
    parts: list[str] = Field(description="The parts that play; the others rest.", examples=["[pad]"])
    repeat: TimesRange = Field(
        default=Range(1, 1), description="How many times in a row it is played: `2 times`, or a range, `1..3 times`."
    )
    next: Any = Field(
        default=None,
        description="The section that follows, or several with weights, `{bloom: 3, drift: 1}`; "
        "without it the next in the file.",
    )
    move: Any = Field(
        default_factory=dict,
        description="Settings that move along a curve over the section, `melody.temperature: 0.8 -> 1.2`, "
        "or differ in it.",
    )
    theme: str | tuple[str, ...] = Field(
        default=(),
        description="The theme that it has, or several of which each pass has one; without, any.",
        examples=["dawn"],
    )
    tempo: TempoText | None = Field(default=None, description="Its own tempo.")
    key: SectionKeyText | None = Field(
        default=None,
        description="Its own key, or how it stands to the home key: `fifth up`, `fifth down`, `major third up`, "
        "`minor third up`, `major third down`, `minor third down`, `step up`, `step down`, `relative` or `parallel`.",
        examples=["F major", "fifth up"],
    )
    dynamics: DynamicsText | None = Field(
        default=None, description="How loud it is played, from `pp` to `ff`, or a curve over it, `mp -> f`."
    )


class ReverbFile(Settings):
    """The shared reverb."""

    time: ReverbTime = Field(default=2.5, description="How long it rings, like `4 s`.")
    brightness: Percent = Field(default=0.5, description="From dark, `0 %`, to bright, `100 %`.")


class DelayFile(Settings):
    """The shared delay."""

    time: DelayTime = Field(
        default=(0.5, "seconds"),
        description="Time between echoes: `3/4 beats` of the scene's tempo, or `350 ms`.",
        json_schema_extra={"default": "500 ms"},
    )
    feedback: Feedback = Field(default=0.35, description="How much of each echo comes back, like `35 %`.")


class DuckFile(Settings):
    """A part that gives way while another strikes."""

    under: str = Field(
        description="Whose notes turn it down: a part, or one drum of a part, `drums.kick`.", examples=["drums.kick"]
    )
    depth: Decibels = Field(
        default=6.0, ge=0, le=24, description="By how much, at a stroke of velocity 80 or more, like `6 dB`."
    )
    release: Seconds = Field(default=0.15, ge=0.02, le=2, description="How long it takes to come back, like `150 ms`.")


class MixFile(Settings):
    """The shared effects and the master."""

    reverb: ReverbFile = Field(default=ReverbFile(), description="The shared reverb.")
    delay: DelayFile = Field(default=DelayFile(), description="The shared delay.")
    duck: dict[str, DuckFile] = Field(
        default_factory=dict,
        description="Parts that give way to others, by name: `{bass: {under: drums.kick, depth: 6 dB}}`.",
    )
    level: Decibels = Field(default=0.0, description="Loudness of the whole, before the limiter.", le=24)


STUCK = replace(SECONDS, noun="a time", example="`60 s`", low=5, words={"off": math.inf})
LIMIT = replace(PERCENT, words={"off": math.inf})
DENSITY = Unit(
    "a density",
    {"notes/s": 1},
    "`40 notes/s`",
    low=1,
    high=1000,
    words={"off": math.inf},
    foreign=dict.fromkeys(("notes a second", "notes per second", "notes/sec", "nps"), "notes/s"),
)


def _in(unit: Unit) -> Callable[[object], float]:
    return lambda value: parse(value, unit)


Stuck = Annotated[float, BeforeValidator(_in(STUCK)), unit_schema(STUCK), STUCK]
Limit = Annotated[float, BeforeValidator(_in(LIMIT)), unit_schema(LIMIT), LIMIT]
Density = Annotated[float, BeforeValidator(_in(DENSITY)), unit_schema(DENSITY), DENSITY]


class NoteLimitsFile(Settings):
    """What the ear takes for a fault of a part. `off`: that is none here."""

    one_pitch: Stuck = Field(
        default=60.0, description="For how long a part may play one pitch, or one chord, over and over, or hold it."
    )
    loop: Stuck = Field(
        default=40.0, description="For how long a part may play the same one or two bars over and over."
    )
    empty: Stuck = Field(default=25.0, description="For how long its generator may make nothing.")
    crowd: Density = Field(default=40.0, description="How many notes a part may play in each of two bars in a row.")
    noise: Limit = Field(
        default=0.45, description="Share of notes beside the tones of the chords, where they belong to no key either."
    )
    repetition: Limit = Field(
        default=0.98,
        description="Share of ten minutes of a melody that may have been heard in the hours before, where it takes up "
        "no theme or other idea.",
    )
    answers: bool = Field(
        default=True, description="Whether anything is done about what is heard; otherwise it is only told."
    )


class EarFile(NoteLimitsFile):
    """What the ear takes for a fault in a scene. What it leaves out, the installation says."""

    left_out: list[str] = Field(default=[], description="Parts that it does not judge.", examples=["[drone]"])


class ThemeFile(Settings):
    """A theme that is written: what it is in each role; a role that is left out is found."""

    melody: Notes | None = Field(default=None, description="Its melody: up to four bars in the key of the scene.")
    bass: Notes | None = Field(default=None, description="Its bass line, likewise.")
    drums: Notes | None = Field(default=None, description="Its groove: a drum grid.")
    chords: Chords | None = Field(default=None, description="Its progression, in figures or in numerals.")


class SceneFile(Settings):
    """A scene: one file of music without end."""

    perpetuum: Literal[1] = Field(description="Version of the scene language: 1.", examples=[1])
    title: str = Field(description="Name of the piece.", min_length=1, examples=["Slow Groove"])
    credits: str = Field(default="", description="Who made it, with what; free text.")
    seed: int | None = Field(
        default=None,
        description="Decides every choice: with it the whole performance repeats. Without, each time differs.",
        ge=0,
        le=LARGEST_SEED,
    )
    meter: MeterText = Field(default=Meter(), description="Time signature, like `4/4` or `6/8`.")
    tempo: TempoText = Field(
        description="`90 qpm` fixed; `84..92 qpm` drawn anew each time through a section; "
        "`84 -> 92 qpm` drifting over each section.",
        examples=["90 qpm"],
    )
    key: KeyText = Field(description="Tonic and mode, like `D dorian`.", examples=["D dorian"])
    opening: BarsOrNone = Field(
        default=0,
        description="Bars at the start that rules play in place of networks, for networks that take long to load.",
        le=256,
    )
    begin: str = Field(
        default="",
        description="A file that `perpetuum fork` wrote, beside the scene: it begins where a performance stood then.",
    )
    period: BarsOrNone = Field(
        default=PERIOD,
        description="Bars of a period: sections last whole ones where they can, and close each with a cadence; "
        "`0 bars` for cadences at their ends only.",
        le=64,
    )
    rubato: Percent = Field(
        default=0.0,
        description="How much slower all play together in the bar in which a section closes; half of it where a period "
        "closes, a third of that in the bar before. `0 %` keeps the beat.",
        le=0.25,
    )
    modulation: ModulationFile | None = Field(default=None, description="How the home key, `key`, wanders.")
    form: FormFile | None = Field(default=None, description="What stands above the sections.")
    parts: dict[str, Any] = Field(description="Who plays: parts by name.", min_length=1, max_length=MOST_PARTS)
    sections: dict[str, Any] = Field(
        description="The form: sections by name; the first is played first.", min_length=1, max_length=MOST_SECTIONS
    )
    themes: Any = Field(
        default_factory=dict,
        description="The ideas that the piece is known by, 3 to 7 by name: notes, a drum grid, `{melody: …, bass: …, "
        "drums: …, chords: …}`, or `found` for one that the engine finds; without, it finds four.",
    )
    day: Any = Field(
        default_factory=dict,
        description="Settings that follow the time of day, `piano.level: {08:00: -20 dB, 14:00: -12 dB}`, in all "
        "sections that do not move them.",
    )
    mix: MixFile = Field(default=MixFile(), description="Shared effects and the master.")
    ear: EarFile = Field(default=EarFile(), description="What the ear takes for a fault.")

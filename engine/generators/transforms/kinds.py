"""The built-in kinds of transforms and their settings. Light."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field

from engine.generators.contract import TransformKind, TransformSettings
from engine.units import Amount, Percent, Pitches, PitchRange, Seconds, Semitones


class TransposeSettings(TransformSettings):
    """All notes (and the chords that are meant) move by an interval."""

    by: Semitones = Field(default=0, description="the interval, like `7 semitones` or `-1 octave`")


class FitToKeySettings(TransformSettings):
    """Notes outside the key move to the nearest note of it."""

    strength: Percent = Field(default=1.0, description="share of the foreign notes that are moved")


class FitToChordsSettings(TransformSettings):
    """Notes on strong beats move to the nearest note of the chord that sounds."""

    strength: Percent = Field(default=1.0, description="share of the foreign notes on strong beats that are moved")


class ThinSettings(TransformSettings):
    """Notes are left out, those on weak beats first."""

    share: Percent = Field(default=0.3, description="share of the notes left out")


class DoubleSettings(TransformSettings):
    """Notes are doubled at an interval."""

    at: Literal["octave", "lower octave", "third", "sixth", "fifth"] = Field(
        default="octave", description="the interval above (thirds, fifths and sixths are those of the key)"
    )
    share: Percent = Field(default=1.0, description="share of the notes that are doubled, those on strong beats first")
    softer: int = Field(default=12, ge=0, le=60, description="how much lower the velocity of the added notes is")


class HumanizeSettings(TransformSettings):
    """Small deviations of timing and velocity, as a player has them."""

    timing: Seconds = Field(default=0.012, le=0.2, description="standard deviation of the starts")
    velocity: int = Field(default=6, ge=0, le=40, description="standard deviation of the velocities")


class VelocitySettings(TransformSettings):
    """Velocities are scaled, bent along the phrase, and accented."""

    scale: Percent = Field(default=1.0, description="all velocities times this")
    offset: int = Field(default=0, ge=-100, le=100, description="added after scaling")
    shape: Literal["flat", "swell", "rise", "fall"] = Field(
        default="flat", description="course over the phrase; swell rises to the middle and falls"
    )
    depth: Percent = Field(default=0.3, description="how far the shape goes down from full velocity")
    accent: int = Field(default=0, ge=-40, le=40, description="added on strong beats, taken from weak ones")


class OctaveRangeSettings(TransformSettings):
    """Notes outside a range move into it by octaves, a whole line together where that is possible."""

    range: Pitches = Field(default=PitchRange(60, 84), description="lowest and highest pitch")


class LegatoSettings(TransformSettings):
    """Notes sound on until the next one begins."""

    amount: Percent = Field(default=1.0, description="how much of the gap to the next onset is filled")


class StaccatoSettings(TransformSettings):
    """Notes are cut short."""

    length: Percent = Field(default=0.4, description="share of its length that a note keeps")


class RestSettings(TransformSettings):
    """Whole bars are left empty, so that a part breathes."""

    share: Percent = Field(
        default=0.25,
        description="share of the bars left empty, towards the end of the phrase first; with `every` all of those are",
    )


class SwingSettings(TransformSettings):
    """Off-beats come late, as in swung eighths or sixteenths; the beats that are felt never move."""

    amount: Percent = Field(default=0.3, description="0 % is straight, 100 % is a triplet")
    grid: Literal["eighths", "sixteenths"] = Field(
        default="eighths",
        description="which off-beats are late. In beats of three eighths, as in 6/8, eighths have no off-beat: only "
        "`sixteenths` swing there",
    )


class QuantizeSettings(TransformSettings):
    """Starts move towards the grid."""

    strength: Percent = Field(default=1.0, description="how far they move")
    grid: Literal["sixteenths", "eighths", "quarters"] = Field(default="sixteenths", description="the grid")


class GrooveSettings(TransformSettings):
    """Drums as a drummer plays them: a neural network gives each stroke its velocity and its time."""

    style: Literal["humanize", "hits_control", "replay", "tap", "add_closed_hh"] = Field(
        default="humanize",
        description="humanize: the same strokes, played with feel; hits_control: likewise, by a network that is told "
        "the strokes as it plays; replay: by one that hears their velocities and timing, four bars at a time; tap: a "
        "new groove to the rhythm of the strokes; add_closed_hh: the network plays the closed hat",
    )
    amount: Amount = Field(
        default=1.0,
        description="how much of the network's timing and velocities is taken over; a network plays what is likely, "
        "which is narrower than what drummers do: 130 % is about as wide",
    )
    temperature: float = Field(
        default=0.5, ge=0.01, le=3.0, description="chance in sampling: below 1 more predictable, above 1 wilder"
    )
    weights: str | None = Field(
        default=None,
        description="name or path of the weights file, perhaps one of Magenta's (.tar); without, the shipped ones of "
        "the style",
    )

    @property
    def config(self) -> str:
        """The configuration of the network that plays the style."""
        return {
            "humanize": "groovae_2bar_humanize",
            "hits_control": "groovae_2bar_hits_control_tfds",
            "replay": "groovae_4bar",
            "tap": "groovae_2bar_tap_fixed_velocity",
            "add_closed_hh": "groovae_2bar_add_closed_hh",
        }[self.style]


def _kind(name: str, summary: str, settings: type[TransformSettings], shorthand: str | None) -> TransformKind:
    return TransformKind(name, summary, settings, shorthand, f"engine.generators.transforms.functions:{name}")


TRANSPOSE = _kind("transpose", "moves all notes by an interval", TransposeSettings, "by")
FIT_TO_KEY = _kind("fit_to_key", "moves notes outside the key into it", FitToKeySettings, "strength")
FIT_TO_CHORDS = _kind("fit_to_chords", "moves strong notes onto the chord", FitToChordsSettings, "strength")
THIN = _kind("thin", "leaves notes out, weak beats first", ThinSettings, "share")
DOUBLE = _kind("double", "doubles notes at the octave or an interval of the key", DoubleSettings, "at")
HUMANIZE = _kind("humanize", "small deviations of timing and velocity", HumanizeSettings, "timing")
VELOCITY = _kind("velocity", "scales, shapes and accents velocities", VelocitySettings, "scale")
OCTAVE_RANGE = _kind("octave_range", "moves notes into a range by octaves", OctaveRangeSettings, "range")
LEGATO = _kind("legato", "lets notes sound on until the next", LegatoSettings, "amount")
STACCATO = _kind("staccato", "cuts notes short", StaccatoSettings, "length")
REST = replace(_kind("rest", "leaves whole bars empty", RestSettings, "share"), heeds_bars=True)
SWING = replace(
    _kind("swing", "makes off-beats late", SwingSettings, "amount"),
    examine="engine.generators.neural.examination:swing",
)
QUANTIZE = _kind("quantize", "moves starts onto the grid", QuantizeSettings, "strength")
GROOVE = TransformKind(
    "groove",
    "GrooVAE: a neural network plays drums with feel",
    GrooveSettings,
    "amount",
    "engine.generators.neural.groove:Groove",
    network=True,
    stand_in="engine.generators.neural.groove:by_rules",
    weights=lambda settings: settings.weights or settings.config,
    examine="engine.generators.neural.examination:groove",
)

"""Settings of instruments: what stands in `instruments/NAME.yaml`. One root model a kind. Free of pyo.

An instrument file has the keys that every kind shares (`InstrumentSettings`) and those of its `kind`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from engine.generators.contract import Settings
from engine.score.drums import CLASSES
from engine.units import Cents, Decibels, Hertz, Percent, Pitch, Seconds, Semitones

Velocity = Annotated[int, Field(ge=1, le=127)]


class Drive(Settings):
    """Soft saturation, kept at the same loudness."""

    amount: Percent = Field(default=0.3, description="How hard it saturates.")


class Chorus(Settings):
    """A slow doubling that widens the stereo image."""

    rate: Hertz = Field(default=0.5, le=10, description="Of the movement.")
    depth: Percent = Field(default=0.4, description="How far the doubled voice wanders.")
    mix: Percent = Field(default=0.4, description="Share of the doubled voice.")


class Tremolo(Settings):
    """A pulsating level; at full width it wanders between left and right."""

    rate: Hertz = Field(default=4.0, le=20, description="Of the pulsation.")
    depth: Percent = Field(default=0.3, description="How deep the level falls.")
    width: Percent = Field(default=0.0, description="0 %: both sides together; 100 %: left against right.")


class Vowel(Settings):
    """The resonances of a singing mouth."""

    sound: Literal["a", "e", "i", "o", "u"] = Field(default="a", description="Which vowel.")
    amount: Percent = Field(default=0.6, description="Share of the resonances; the rest passes as it is.")


class HighShelf(Settings):
    """Lifts or lowers the treble."""

    frequency: Hertz = Field(default=3000.0, ge=200, le=16000, description="From where on.")
    gain: Decibels = Field(default=3.0, ge=-24, le=24, description="How much.")


class Effects(Settings):
    """An instrument's own effects, in this order."""

    drive: Drive | None = Field(default=None, description="Soft saturation.")
    high_pass: Hertz | None = Field(default=None, ge=10, le=18000, description="Takes away what lies below.")
    low_pass: Hertz | None = Field(default=None, ge=40, le=20000, description="Takes away what lies above.")
    high_shelf: HighShelf | None = Field(default=None, description="Lifts or lowers the treble.")
    vowel: Vowel | None = Field(default=None, description="The resonances of a singing mouth.")
    chorus: Chorus | None = Field(default=None, description="A slow doubling.")
    tremolo: Tremolo | None = Field(default=None, description="A pulsating level.")


class InstrumentSettings(Settings):
    """The keys that every kind of instrument shares."""

    perpetuum: Literal[1] = Field(description="Version of the file format.")
    kind: str = Field(description="Kind of instrument.")
    title: str = Field(description="One line that says what it sounds like.")
    credits: str = Field(default="", description="Where its samples are from, and their licence.")
    gain: Decibels = Field(
        default=0.0, ge=-60, description="Trim, so that instruments are equally loud at the same level."
    )
    effects: Effects = Field(default_factory=Effects, description="Its own effects.")


class Envelope(Settings):
    """Attack, decay, sustain, release."""

    attack: Seconds = Field(default=0.01, ge=0.001, le=30, description="From silence to full.")
    decay: Seconds = Field(default=0.3, ge=0.002, le=60, description="From full to the sustained level.")
    sustain: Percent = Field(default=0.7, description="The sustained level.")
    release: Seconds = Field(default=0.3, ge=0.005, le=30, description="To silence after the note's end.")


class Pitched(InstrumentSettings):
    """Keys of the kinds that play pitches."""

    voices: int = Field(default=8, ge=1, le=32, description="How many notes sound at once, ends of notes included.")
    velocity: Percent = Field(default=0.7, description="How much the velocity moves the loudness.")
    width: Percent = Field(default=0.0, description="How far successive notes stand apart, left and right.")


class Oscillator(Settings):
    """One oscillator of a subtractive voice."""

    wave: Literal["saws", "saw", "square", "triangle", "sine", "hollow"] = Field(
        default="saw", description="`saws` is seven detuned saws; `hollow` a soft wave of few odd partials."
    )
    level: Decibels = Field(default=0.0, ge=-60, le=6, description="In the mix of the oscillators.")
    tune: Semitones = Field(default=0, description="Transposition.")
    detune: Cents = Field(default=0.0, ge=-100, le=100, description="Fine tuning; of `saws`, how far they spread.")


class Filter(Settings):
    """The low-pass filter of a subtractive voice, with its envelope."""

    slope: Literal["12 dB", "24 dB"] = Field(default="24 dB", description="Per octave.")
    cutoff: Hertz = Field(
        default=1200.0, ge=20, le=18000, description="Of middle C at velocity 80 before the envelope."
    )
    resonance: Percent = Field(default=0.1, le=0.85, description="Emphasis at the cutoff.")
    track: Percent = Field(default=0.5, description="How far the cutoff follows the pitch.")
    envelope: Hertz | None = Field(default=None, le=16000, description="How far the envelope opens it at velocity 80.")
    attack: Seconds = Field(default=0.01, ge=0.001, le=30, description="Of its envelope.")
    decay: Seconds = Field(default=0.4, ge=0.002, le=60, description="Of its envelope.")
    sustain: Percent = Field(default=0.3, description="Of its envelope.")
    release: Seconds = Field(default=0.4, ge=0.005, le=30, description="Of its envelope.")
    velocity: Percent = Field(default=0.4, description="How much the velocity moves the cutoff.")


class Vibrato(Settings):
    """A periodic movement of the pitch."""

    rate: Hertz = Field(default=5.0, le=12, description="Of the movement.")
    depth: Cents = Field(default=8.0, ge=0, le=100, description="To either side.")


class Breath(Settings):
    """Noise that comes and goes with the tone, like air over a reed or a bow over a string."""

    level: Decibels = Field(default=-30.0, ge=-90, le=0, description="Beside the oscillators before their filter.")
    low: Hertz = Field(default=4000.0, ge=100, le=16000, description="It lies above this frequency.")


class SubtractiveSettings(Pitched):
    """Oscillators, a low-pass filter, envelopes: pads, basses, leads."""

    kind: Literal["subtractive"] = Field(description="Kind of instrument.")
    oscillators: tuple[Oscillator, ...] = Field(min_length=1, max_length=4, description="Mixed together.")
    filter: Filter | None = Field(default=None, description="None: the oscillators as they are.")
    envelope: Envelope = Field(default_factory=Envelope, description="Of the loudness.")
    vibrato: Vibrato | None = Field(default=None, description="None: a straight tone.")
    breath: Breath | None = Field(default=None, description="None: a tone without noise.")


class Operator(Settings):
    """A carrier and its modulator."""

    harmonic: float = Field(
        default=1.0, gt=0, le=16, description="Frequency of the carrier, as a multiple of the pitch."
    )
    ratio: float = Field(
        default=1.0, gt=0, le=24, description="Frequency of the modulator, as a multiple of the carrier's."
    )
    index: float = Field(
        default=1.0, ge=0, le=12, description="Strength of the modulation at its peak, at velocity 80."
    )
    index_decay: Seconds = Field(default=0.8, ge=0.005, le=60, description="In which the modulation falls.")
    index_sustain: Percent = Field(default=0.2, description="What remains of the modulation.")
    level: Decibels = Field(default=0.0, ge=-60, le=6, description="In the mix of the operators.")
    envelope: Envelope = Field(default_factory=Envelope, description="Of its loudness.")


class FmSettings(Pitched):
    """Frequency modulation: bells, electric pianos."""

    kind: Literal["fm"] = Field(description="Kind of instrument.")
    operators: tuple[Operator, ...] = Field(min_length=1, max_length=4, description="Mixed together.")
    index_track: Percent = Field(default=0.4, description="How much the modulation falls with rising pitch.")
    index_velocity: Percent = Field(default=0.5, description="How much the velocity moves the modulation.")


class PluckSettings(Pitched):
    """A plucked string (a waveguide, after Karplus and Strong 1983)."""

    kind: Literal["pluck"] = Field(description="Kind of instrument.")
    ring: Seconds = Field(default=4.0, ge=0.1, le=30, description="Time in which middle C falls by 40 dB.")
    track: Percent = Field(default=0.5, description="How much sooner high notes die away.")
    damp: Seconds = Field(default=0.15, ge=0.01, le=10, description="Fade after the note's end.")
    brightness: Percent = Field(default=0.5, description="Of the pluck, at velocity 80.")
    position: Percent = Field(default=0.2, ge=0.02, le=0.5, description="Where the string is plucked, from its end.")


class PitchedSample(Settings):
    """One recorded note."""

    file: str = Field(description="Sound file, from the folder of this file.")
    pitch: Pitch = Field(description="The recorded pitch.")
    tune: Cents = Field(default=0.0, ge=-100, le=100, description="Correction of the recording.")
    gain: Decibels = Field(default=0.0, ge=-60, description="Correction of the loudness.")
    low: Velocity = Field(default=1, description="Lowest velocity that plays it.")
    high: Velocity = Field(default=127, description="Highest velocity that plays it.")
    loop: tuple[Seconds, Seconds] | None = Field(
        default=None, description="Start and end of a loop; it must be seamless."
    )

    @model_validator(mode="after")
    def _ordered(self) -> PitchedSample:
        if self.low > self.high:
            raise ValueError("`low` must not lie above `high`")
        if self.loop and self.loop[1] - self.loop[0] < 0.01:
            raise ValueError("the loop must last 10 ms at least, its start first")
        return self


class SamplerSettings(Pitched):
    """Recorded notes, each played at the pitches nearest to its own."""

    kind: Literal["sampler"] = Field(description="Kind of instrument.")
    samples: tuple[PitchedSample, ...] = Field(min_length=1, max_length=256, description="The recorded notes.")
    stereo: Percent = Field(
        default=1.0, description="How wide the recordings are heard: `0 %` is mono, `100 %` as they were recorded."
    )
    envelope: Envelope = Field(
        default_factory=lambda: Envelope.model_validate(
            {"attack": "1 ms", "decay": "10 ms", "sustain": "100 %", "release": "300 ms"}
        ),
        description="Of the loudness, over the recording's own.",
    )
    brightness: Hertz | None = Field(
        default=None,
        ge=200,
        le=18000,
        description="Soft notes are darker: low-pass at velocity 1; none where it is absent.",
    )

    @model_validator(mode="after")
    def _every_velocity(self) -> SamplerSettings:
        heard = {v for sample in self.samples for v in range(sample.low, sample.high + 1)}
        if len(heard) < 127:
            silent = min(set(range(1, 128)) - heard)
            raise ValueError(f"no sample plays velocity {silent}")
        return self


class DrumSample(Settings):
    """One recorded hit."""

    file: str = Field(description="Sound file, from the folder of this file.")
    low: Velocity = Field(default=1, description="Lowest velocity that plays it.")
    high: Velocity = Field(default=127, description="Highest velocity that plays it.")

    @model_validator(mode="after")
    def _ordered(self) -> DrumSample:
        if self.low > self.high:
            raise ValueError("`low` must not lie above `high`")
        return self


class Drum(Settings):
    """One drum of a kit."""

    samples: tuple[DrumSample, ...] = Field(
        min_length=1, max_length=32, description="Recorded hits; several for one velocity take turns."
    )
    gain: Decibels = Field(default=0.0, ge=-60, description="In the kit.")
    pan: float = Field(default=0.0, ge=-1, le=1, description="-1 left .. 1 right.")
    tune: Annotated[float, Field(ge=-24, le=24)] = Field(default=0.0, description="Transposition in semitones.")
    length: Seconds | None = Field(default=None, ge=0.02, description="Shortens it with a fade.")
    choke: str = Field(default="", description="A hit silences the other drums of the same choke group.")

    @field_validator("samples", mode="before")
    @classmethod
    def _bare_names(cls, value: object) -> object:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple):
            return names
        return [{"file": one} if isinstance(one, str) else one for one in names]


class DrumKitSettings(InstrumentSettings):
    """Recorded drums, one for each drum class."""

    kind: Literal["drum_kit"] = Field(description="Kind of instrument.")
    drums: dict[str, Drum] = Field(min_length=1, description="By drum class.")
    velocity: Percent = Field(default=0.8, description="How much the velocity moves the loudness.")
    tone: Percent = Field(default=0.5, description="How much darker soft hits are.")
    variation: Percent = Field(
        default=0.3,
        description="How much hits of one short recording differ in pitch, brightness and level, so that a roll is no "
        "machine gun; at 0 % all are the same.",
    )
    voices: int = Field(default=24, ge=4, le=64, description="How many hits sound at once.")

    @field_validator("drums")
    @classmethod
    def _classes(cls, drums: dict[str, Drum]) -> dict[str, Drum]:
        for name in drums:
            if name not in CLASSES:
                raise ValueError(f"`{name}` is not a drum class; they are {', '.join(CLASSES)}")
        return drums


@dataclass(frozen=True, slots=True)
class SampleUse:
    """A sound file where an instrument names it.

    Attributes:
        keys: keys and places of the YAML value that names it.
        path: of the file.
        semitones: by which it is transposed in memory.
        loop: seconds of the end of its loop; None without one.
    """

    keys: tuple[str | int, ...]
    path: Path
    semitones: float = 0.0
    loop: float | None = None


def sample_files(settings: Settings, folder: Path) -> list[SampleUse]:
    """Every sound file that an instrument needs.

    Args:
        settings: of the instrument.
        folder: of its YAML file.
    """
    found: list[SampleUse] = []
    if isinstance(settings, SamplerSettings):
        for k, sample in enumerate(settings.samples):
            end = sample.loop[1] if sample.loop else None
            found.append(SampleUse(("samples", k, "file"), folder / sample.file, loop=end))
    if isinstance(settings, DrumKitSettings):
        for name, drum in settings.drums.items():
            for k, one in enumerate(drum.samples):
                found.append(SampleUse(("drums", name, "samples", k, "file"), folder / one.file, drum.tune))
    return found


def unheard_samples(settings: Settings) -> list[int]:
    """Places of a sampler's samples that never play, since earlier ones of their pitch have all their velocities."""
    unheard: list[int] = []
    taken: dict[float, set[int]] = {}
    for k, sample in enumerate(settings.samples if isinstance(settings, SamplerSettings) else ()):
        before = taken.setdefault(sample.pitch + sample.tune / 100, set())
        own = set(range(sample.low, sample.high + 1))
        if own <= before:
            unheard.append(k)
        before |= own
    return unheard

"""The built-in kinds of generators and their settings. Light: needs neither numpy code nor networks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.generators.contract import GeneratorKind, Link, Role, Settings
from engine.units import Bars, Percent, Pitches, PitchRange, Steps


class ChordWalkSettings(Settings):
    """A walk through the chords of the key, with voice leading."""

    chord_length: Bars = Field(default=1, le=16, description="how long each chord holds")
    voices: int = Field(default=4, ge=2, le=6, description="notes of a chord, 2 to 6")
    range: Pitches = Field(default=PitchRange(50, 74), description="lowest and highest pitch of the voices")
    style: Literal["held", "tied", "spread", "pulsed", "broken"] = Field(
        default="held",
        description="held: all voices begin together; tied: common tones sound on; spread: voices enter one after "
        "another; pulsed: repeated on the beats; broken: one note after another in eighths",
    )
    colour: Percent = Field(
        default=0.35, description="how many chords are coloured by a seventh, a ninth or a suspension"
    )
    recall: Percent = Field(
        default=0.6,
        description="how often a phrase takes up the primer's progression, or the section's own, instead of walking on",
    )


class BassLineSettings(Settings):
    """A bass under the chords, in the rhythm of the kick if it follows one."""

    style: Literal["held", "root_fifth", "walking", "pulse"] = Field(
        default="root_fifth",
        description="held: long roots; root_fifth: roots and fifths on the strong beats; walking: a step on every "
        "beat; pulse: repeated eighths. With a `rhythm` the onsets are that part's",
    )
    range: Pitches = Field(default=PitchRange(28, 50), description="lowest and highest pitch")
    approach: Percent = Field(default=0.4, description="how many chord changes are prepared by a note of approach")
    density: Percent = Field(default=0.6, description="how many of the possible onsets are played")


class MelodyRulesSettings(Settings):
    """A melody of motifs, repeated and varied, that breathes."""

    range: Pitches = Field(default=PitchRange(60, 81), description="lowest and highest pitch")
    density: Percent = Field(
        default=0.45, description="how many notes: 20 % is long notes, 80 % runs of eighths and sixteenths"
    )
    syncopation: Percent = Field(default=0.2, description="how many notes fall off the beat")
    leaps: Percent = Field(default=0.25, description="how wide the line moves: 0 % by step, 100 % in leaps")
    breath: Percent = Field(default=0.15, description="how much of the time the melody is silent between its ideas")
    recall: Percent = Field(default=0.7, description="how often a phrase takes up the section's own motif again")


class ArpeggioSettings(Settings):
    """Chords broken into a steady pulse that changes slowly."""

    pattern: Literal["up", "down", "updown", "walk", "euclid"] = Field(
        default="updown",
        description="order of the notes; walk: a random walk over them; euclid: hits spread evenly, with rests",
    )
    rate: Steps = Field(default=2, le=16, description="sixteenth steps from note to note")
    range: Pitches = Field(default=PitchRange(60, 84), description="lowest and highest pitch")
    notes: int = Field(default=5, ge=2, le=12, description="notes of a cycle; odd numbers drift against the bar")
    gate: Percent = Field(default=0.7, description="how much of its step a note sounds")
    density: Percent = Field(default=0.85, description="how many steps of the pulse sound")
    evolve: Percent = Field(default=0.3, description="how much a phrase changes the cycle of the one before")


class DrumRulesSettings(Settings):
    """Grooves by style, with ghost notes and fills."""

    style: Literal["straight", "half_time", "brushed", "four_on_floor", "minimal", "broken"] = Field(
        default="straight", description="the groove"
    )
    density: Percent = Field(default=0.6, description="how full the groove is; 20 % leaves its skeleton")
    ghost: Percent = Field(default=0.3, description="how many soft extra notes")
    fills: Percent = Field(
        default=0.5, description="how often a phrase ends in a fill; the end of a section mostly does"
    )


class NetworkSettings(Settings):
    """What all sampled networks have in common."""

    temperature: float = Field(
        default=1.0, ge=0.1, le=3.0, description="chance in sampling: below 1 more predictable, above 1 wilder"
    )
    weights: str | None = Field(
        default=None, description="name or path of the weights file; without, the shipped ones of the config"
    )
    steps: Steps | None = Field(
        default=None,
        le=1024,
        description="new sixteenth steps made per phrase, repeated to fill it; without, the whole phrase",
    )
    history: Bars = Field(default=4, le=16, description="how much of its own past it continues from")
    backend: Literal["numpy", "tensorflow"] = Field(
        default="numpy",
        description="what computes the network: numpy, which is the fastest for one part at a time, or tensorflow",
    )


class DrumsRnnSettings(NetworkSettings):
    """Drums RNN: grooves of nine drum classes on the grid of sixteenths."""

    config: Literal["drum_kit"] = Field(default="drum_kit", description="configuration of the network")


class MelodyRnnSettings(NetworkSettings):
    """Melody RNN: a melody on the grid of sixteenths, fitted to the key (and chords) of its part."""

    config: Literal["attention_rnn"] = Field(default="attention_rnn", description="configuration of the network")
    range: Pitches = Field(default=PitchRange(57, 83), description="lowest and highest pitch")
    breath: Percent = Field(default=0.1, description="how much of the end of each phrase is kept silent, to breathe")


CHORD_WALK = GeneratorKind(
    name="chord_walk",
    summary="chords that walk through the key, with voice leading",
    settings=ChordWalkSettings,
    roles=(Role.CHORDS,),
    factory="engine.generators.chord_walk:ChordWalk",
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)
BASS_LINE = GeneratorKind(
    name="bass_line",
    summary="a bass under the chords, on the kick's onsets if it follows them",
    settings=BassLineSettings,
    roles=(Role.BASS,),
    factory="engine.generators.bass_line:BassLine",
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)
MELODY_RULES = GeneratorKind(
    name="melody_rules",
    summary="a melody of motifs, repeated and varied, that breathes",
    settings=MelodyRulesSettings,
    roles=(Role.MELODY,),
    factory="engine.generators.melody_rules:MelodyRules",
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)
ARPEGGIO = GeneratorKind(
    name="arpeggio",
    summary="chords broken into a steady pulse that changes slowly",
    settings=ArpeggioSettings,
    roles=(Role.MELODY, Role.CHORDS),
    factory="engine.generators.arpeggio:Arpeggio",
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)
DRUM_RULES = GeneratorKind(
    name="drum_rules",
    summary="grooves by style, with ghost notes and fills",
    settings=DrumRulesSettings,
    roles=(Role.DRUMS,),
    factory="engine.generators.drum_rules:DrumRules",
    takes=frozenset({Link.RHYTHM, Link.PRIMER}),
)


def _weights(settings: NetworkSettings) -> str:
    config: str = getattr(settings, "config", "")
    return settings.weights or config


def _extra(settings: NetworkSettings) -> str | None:
    return "models" if settings.backend == "tensorflow" else None


DRUMS_RNN = GeneratorKind(
    name="drums_rnn",
    summary="Drums RNN: a neural network plays drums, continuing what it played",
    settings=DrumsRnnSettings,
    roles=(Role.DRUMS,),
    factory="engine.generators.event_rnn:DrumsRnn",
    network=True,
    takes=frozenset({Link.RHYTHM, Link.PRIMER}),
    weights=_weights,
    extra=_extra,
)
MELODY_RNN = GeneratorKind(
    name="melody_rnn",
    summary="Melody RNN: a neural network sings, continuing what it sang, fitted to key and chords",
    settings=MelodyRnnSettings,
    roles=(Role.MELODY,),
    factory="engine.generators.event_rnn:MelodyRnn",
    network=True,
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
    weights=_weights,
    extra=_extra,
)

_RULES = {
    Role.DRUMS: DRUM_RULES,
    Role.MELODY: MELODY_RULES,
    Role.CHORDS: CHORD_WALK,
    Role.BASS: BASS_LINE,
}


def rules_for(role: Role) -> GeneratorKind:
    """The rule-based kind that can always stand in for a role."""
    return _RULES[role]

"""The built-in kinds of generators and their settings. Light: needs neither numpy code nor networks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, model_validator

from engine.generators.contract import GeneratorKind, Link, Reading, Role, Settings
from engine.generators.rules.written import Notes
from engine.score.patterns import Pattern
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
        description="how often a phrase takes up the primer's progression, or the section's own, instead of walking "
        "on; at 100 % each time through a section has the same chords",
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
    density: Percent = Field(
        default=0.6, description="how many of the possible onsets are played; those on strong beats always are"
    )


class MelodyRulesSettings(Settings):
    """A melody of motifs, repeated and varied, that breathes."""

    range: Pitches = Field(default=PitchRange(60, 81), description="lowest and highest pitch")
    density: Percent = Field(
        default=0.45, description="how many notes: 20 % is long notes, 80 % runs of eighths and sixteenths"
    )
    syncopation: Percent = Field(default=0.2, description="how many of a motif's beats begin without a note on them")
    leaps: Percent = Field(default=0.25, description="how wide the line moves: 0 % by step, 100 % in leaps")
    breath: Percent = Field(
        default=0.15,
        description="how much of the time the melody is silent between its ideas; 0 % leaves no bar silent",
    )
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
    density: Percent = Field(default=0.85, description="how many steps of the pulse sound; strong beats always do")
    evolve: Percent = Field(default=0.3, description="how much a phrase changes the cycle of the one before")


class DrumRulesSettings(Settings):
    """Grooves by style, with ghost notes and fills."""

    style: Literal["straight", "half_time", "brushed", "four_on_floor", "minimal", "broken"] = Field(
        default="straight", description="the groove"
    )
    density: Percent = Field(default=0.6, description="how full the groove is; 20 % leaves its skeleton")
    ghost: Percent = Field(default=0.3, description="how many soft extra notes")
    fills: Percent = Field(
        default=0.5,
        description="how often a phrase of four bars ends in a fill, up to always; the end of a section mostly does",
    )


class PatternSettings(Settings):
    """Notes that are written in the scene or in a MIDI file, played as they are written or varied."""

    notes: Notes | None = Field(
        default=None,
        description="what is played, again and again: notes like `D4:1 F4:1/2`, a drum grid like `bd: x...x...`, or "
        "`{midi: FILE, track: NAME, bars: 1..8}`; must be there",
    )
    restart: Literal["section", "phrase", "bar"] = Field(
        default="section",
        description="when it begins anew. section: with each section, and runs through all bars at its own length; "
        "phrase: with each phrase, too; bar: at bar lines only, with a rest to fill its last bar",
    )
    variation: Percent = Field(
        default=0.0,
        description="how many notes differ each time: 0 % is note for note, 100 % leaves only the outline. A varied "
        "note moves to a neighbour in key or chord, comes early or late, is split, or left out; a stroke likewise",
    )


class NetworkSettings(Settings):
    """What all networks have in common."""

    weights: str | None = Field(
        default=None,
        description="name or path of the weights file, perhaps one of Magenta's (.mag, .tar); without, the shipped "
        "ones of the config",
    )


class RnnSettings(NetworkSettings):
    """What all networks have in common that go on event by event from what they played."""

    temperature: float = Field(
        default=1.0, ge=0.1, le=3.0, description="chance in sampling: below 1 more predictable, above 1 wilder"
    )
    top_k: int | None = Field(
        default=None, ge=1, le=1024, description="choose among so many of the likeliest events only"
    )
    top_p: Percent | None = Field(
        default=None, ge=0.01, description="choose among the likeliest events that together have this probability"
    )
    candidates: int = Field(
        default=1, ge=1, le=64, description="phrases made at once, of which the best is played; costs time"
    )
    beam_size: int = Field(
        default=1, ge=1, le=32, description="sequences followed at once, of which the likeliest is played; costs time"
    )
    branch_factor: int = Field(default=1, ge=1, le=32, description="ways to go on that are tried from each of them")
    steps_per_iteration: int = Field(
        default=1, ge=1, le=256, description="events between two selections of the likeliest"
    )
    steps: Steps | None = Field(
        default=None,
        le=1024,
        description="new sixteenth steps made per phrase, repeated to fill it; without, the whole phrase",
    )
    history: Bars = Field(default=4, le=16, description="how much of its own past it continues from")


class DrumsRnnSettings(RnnSettings):
    """Drums RNN: grooves of nine drum classes on the grid of sixteenths (one_drum: of eighths)."""

    config: Literal["drum_kit", "one_drum"] = Field(default="drum_kit", description="configuration of the network")


class SungSettings(RnnSettings):
    """What all networks have in common that sing a melody."""

    range: Pitches = Field(default=PitchRange(57, 83), description="lowest and highest pitch")
    breath: Percent = Field(default=0.1, description="how much of the end of each phrase is kept silent, to breathe")


class MelodyRnnSettings(SungSettings):
    """Melody RNN: a melody on the grid of sixteenths, fitted to the key (and chords) of its part."""

    config: Literal["attention_rnn", "lookback_rnn", "basic_rnn", "mono_rnn"] = Field(
        default="attention_rnn", description="configuration of the network"
    )


class ImprovRnnSettings(SungSettings):
    """Improv RNN: a melody that the network makes over the chords of the part that it follows."""

    config: Literal["chord_pitches_improv", "attention_improv", "basic_improv"] = Field(
        default="chord_pitches_improv", description="configuration of the network"
    )


class PolyphonicSettings(RnnSettings):
    """What all networks have in common that play several notes at once."""

    range: Pitches = Field(default=PitchRange(43, 84), description="lowest and highest pitch")
    in_key: bool = Field(default=True, description="whether notes outside the key move into it")
    voices: int = Field(default=6, ge=1, le=16, description="notes that sound at once, at most; the outer ones stay")


class PolyphonyRnnSettings(PolyphonicSettings):
    """Polyphony RNN: chorales and other music of several voices on the grid of sixteenths."""

    config: Literal["polyphony"] = Field(default="polyphony", description="configuration of the network")
    inject_primer: bool = Field(
        default=False,
        description="whether the primer sounds on as a voice, which the network accompanies, again and again",
    )


class PerformanceRnnSettings(PolyphonicSettings):
    """Performance RNN: piano as it is played, with its own timing and, in most configs, velocities."""

    config: Literal[
        "performance_with_dynamics",
        "performance_with_dynamics_compact",
        "performance",
        "performance_with_dynamics_and_modulo_encoding",
        "density_conditioned_performance_with_dynamics",
        "pitch_conditioned_performance_with_dynamics",
        "multiconditioned_performance_with_dynamics",
        "optional_multiconditioned_performance_with_dynamics",
        "performance_with_dynamics_and_note_encoding",
    ] = Field(default="multiconditioned_performance_with_dynamics", description="configuration of the network")
    notes_per_second: float | None = Field(
        default=None, ge=0, le=64, description="density that a density_ or multiconditioned_ config is asked for"
    )
    pitch_classes: Literal["key", "chords", "free"] = Field(
        default="key", description="pitches that a pitch_ or multiconditioned_ config is asked for"
    )


class PianorollRnnNadeSettings(PolyphonicSettings):
    """Pianoroll RNN-NADE: music of several voices, frame by frame on the grid of sixteenths."""

    config: Literal["rnn-nade", "rnn-nade_attn"] = Field(default="rnn-nade", description="configuration of the network")


class MusicVaeSettings(NetworkSettings):
    """MusicVAE: phrases out of a space of melodies, grooves or trios, in which near points sound alike."""

    config: Literal[
        "cat-mel_2bar_big",
        "cat-mel_2bar_small",
        "cat-mel_2bar_med_chords",
        "cat-drums_2bar_small",
        "nade-drums_2bar_full",
        "hierdec-mel_16bar",
        "hierdec-trio_16bar",
    ] = Field(
        default="cat-mel_2bar_small",
        description="configuration of the network; in a part that says `role: drums` it is `cat-drums_2bar_small` "
        "without it",
    )
    mode: Literal["sample", "interpolate", "walk"] = Field(
        default="walk",
        description="sample: phrases that have nothing to do with each other; interpolate: through the points from the "
        "first to the last over the section; walk: from point to point without end",
    )
    points: tuple[str | int, ...] = Field(
        default=(),
        max_length=64,
        description="where the way leads: paths of MIDI files, or numbers that each stand for a point of their own; "
        "the primer comes first, where the weights can hear it",
    )
    pace: Bars = Field(default=8, le=1024, description="how long a walk takes from point to point, on average")
    way: int | None = Field(
        default=None,
        ge=0,
        description="number of the way that is walked where there are no points: the same in all sections that say the "
        "same; without, each section has its own",
    )
    temperature: float = Field(
        default=0.5, ge=0.01, le=3.0, description="chance in sampling: below 1 more predictable, above 1 wilder"
    )
    range: Pitches | None = Field(
        default=None, description="lowest and highest pitch; without, one for the role. Drums have none"
    )
    breath: Percent = Field(default=0.0, description="how much of the end of each phrase is kept silent, to breathe")
    in_key: bool = Field(default=True, description="whether notes outside the key move into it")

    @model_validator(mode="before")
    @classmethod
    def _config_of_the_role(cls, given: object, info: ValidationInfo) -> object:
        drums = isinstance(info.context, Reading) and info.context.role == Role.DRUMS
        return {"config": "cat-drums_2bar_small", **given} if drums and isinstance(given, dict) else given


CHORD_WALK = GeneratorKind(
    name="chord_walk",
    summary="chords that walk through the key, with voice leading",
    settings=ChordWalkSettings,
    roles=(Role.CHORDS,),
    factory="engine.generators.rules.chord_walk:ChordWalk",
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)
BASS_LINE = GeneratorKind(
    name="bass_line",
    summary="a bass under the chords, on the kick's onsets if it follows them",
    settings=BassLineSettings,
    roles=(Role.BASS,),
    factory="engine.generators.rules.bass_line:BassLine",
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)
MELODY_RULES = GeneratorKind(
    name="melody_rules",
    summary="a melody of motifs, repeated and varied, that breathes",
    settings=MelodyRulesSettings,
    roles=(Role.MELODY,),
    factory="engine.generators.rules.melody_rules:MelodyRules",
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)
ARPEGGIO = GeneratorKind(
    name="arpeggio",
    summary="chords broken into a steady pulse that changes slowly",
    settings=ArpeggioSettings,
    roles=(Role.MELODY, Role.CHORDS),
    factory="engine.generators.rules.arpeggio:Arpeggio",
    own_chords=True,
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
)
DRUM_RULES = GeneratorKind(
    name="drum_rules",
    summary="grooves by style, with ghost notes and fills",
    settings=DrumRulesSettings,
    roles=(Role.DRUMS,),
    factory="engine.generators.rules.drum_rules:DrumRules",
    takes=frozenset({Link.RHYTHM, Link.PRIMER}),
)


def _pattern_plays(settings: PatternSettings) -> Role | None:
    is_drums = isinstance(settings.notes, Pattern) and settings.notes.is_drums
    return Role.DRUMS if is_drums else None


PATTERN = GeneratorKind(
    name="pattern",
    summary="notes as they are written in the scene or in a MIDI file, or varied",
    settings=PatternSettings,
    roles=(Role.MELODY, Role.BASS, Role.CHORDS, Role.DRUMS),
    factory="engine.generators.rules.pattern:PatternPlayer",
    takes=frozenset({Link.CHORDS}),
    examine="engine.generators.neural.examination:pattern",
    plays=_pattern_plays,
)


def _weights(settings: NetworkSettings) -> str:
    config: str = getattr(settings, "config", "")
    return settings.weights or config


def _network(
    name: str,
    summary: str,
    settings: type[NetworkSettings],
    roles: tuple[Role, ...],
    factory: str,
    takes: frozenset[Link] = frozenset(Link),
    examine: str = "network",
    needs: frozenset[Link] = frozenset(),
) -> GeneratorKind:
    return GeneratorKind(
        name=name,
        summary=summary,
        settings=settings,
        roles=roles,
        factory=f"engine.generators.{factory}",
        network=True,
        takes=takes,
        needs=needs,
        weights=_weights,
        examine=f"engine.generators.neural.examination:{examine}",
    )


DRUMS_RNN = _network(
    "drums_rnn",
    "Drums RNN: a neural network plays drums, continuing what it played",
    DrumsRnnSettings,
    (Role.DRUMS,),
    "monophonic:DrumsRnn",
    frozenset({Link.RHYTHM, Link.PRIMER}),
)
MELODY_RNN = _network(
    "melody_rnn",
    "Melody RNN: a neural network sings, continuing what it sang, fitted to key and chords",
    MelodyRnnSettings,
    (Role.MELODY,),
    "monophonic:MelodyRnn",
)
IMPROV_RNN = _network(
    "improv_rnn",
    "Improv RNN: a neural network sings over the chords that it follows",
    ImprovRnnSettings,
    (Role.MELODY,),
    "monophonic:ImprovRnn",
    needs=frozenset({Link.CHORDS}),
)
POLYPHONY_RNN = _network(
    "polyphony_rnn",
    "Polyphony RNN: a neural network plays several voices, continuing or accompanying",
    PolyphonyRnnSettings,
    (Role.CHORDS, Role.MELODY),
    "polyphonic:PolyphonyRnn",
    frozenset({Link.PRIMER}),
)
PERFORMANCE_RNN = _network(
    "performance_rnn",
    "Performance RNN: a neural network plays the piano, with its own timing and touch",
    PerformanceRnnSettings,
    (Role.MELODY, Role.CHORDS),
    "polyphonic:PerformanceRnn",
    frozenset({Link.CHORDS, Link.PRIMER}),
    examine="performance",
)
PIANOROLL_RNN_NADE = _network(
    "pianoroll_rnn_nade",
    "Pianoroll RNN-NADE: a neural network plays several voices, frame by frame",
    PianorollRnnNadeSettings,
    (Role.CHORDS, Role.MELODY),
    "polyphonic:PianorollRnnNade",
    frozenset({Link.PRIMER}),
    examine="pianoroll",
)
MUSIC_VAE = _network(
    "music_vae",
    "MusicVAE: a neural network plays its way from one idea to another",
    MusicVaeSettings,
    (Role.MELODY, Role.DRUMS, Role.BASS),
    "music_vae:MusicVaeGenerator",
    examine="music_vae",
)

BUILT_IN_RULES = (CHORD_WALK, BASS_LINE, MELODY_RULES, ARPEGGIO, DRUM_RULES, PATTERN)
"""The rule-based kinds that come with the engine."""

_RULES = {
    Role.DRUMS: DRUM_RULES,
    Role.MELODY: MELODY_RULES,
    Role.CHORDS: CHORD_WALK,
    Role.BASS: BASS_LINE,
}


def rules_for(role: Role) -> GeneratorKind:
    """The rule-based kind that can always stand in for a role."""
    return _RULES[role]

"""Settings of the generators and the transform that are neural networks. Light."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import Field, ValidationInfo, model_validator

from engine.generators.contract import Role, Settings, SettingsContext, TransformSettings
from engine.generators.neural.curating.settings import ChoirTaste, CuratedSettings
from engine.generators.recall import RecallSettings
from engine.units import Amount, Bars, BarsOrNone, Percent, Pitches, PitchRange, Steps


class NamesNetwork(Protocol):
    """Settings by which a network is known."""

    @property
    def config(self) -> str:
        """Magenta's config id."""
        ...

    @property
    def weights(self) -> str | None:
        """Name or path of the weights file; None for the shipped ones of the config."""
        ...


class NetworkSettings(Settings):
    """What all networks have in common."""

    weights: str | None = Field(
        default=None,
        description="name or path of the weights file, perhaps one of Magenta's (.mag, .tar); without, the shipped "
        "ones of the config",
    )


class RnnSettings(NetworkSettings, CuratedSettings, RecallSettings):
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
    beam_size: int = Field(
        default=1,
        ge=1,
        le=32,
        description="sequences followed at once, of which the likeliest is played, whatever `candidates` says; costs "
        "time",
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


class MusicVaeSettings(NetworkSettings, CuratedSettings, RecallSettings):
    """MusicVAE: phrases out of a space of melodies, grooves or trios, in which near points sound alike."""

    config: Literal[
        "cat-mel_2bar_big",
        "cat-mel_2bar_small",
        "cat-mel_2bar_med_chords",
        "cat-drums_2bar_small",
        "nade-drums_2bar_full",
        "hierdec-mel_16bar",
        "hierdec-trio_16bar",
        "trio_4bar",
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

    @property
    def shared_way(self) -> str:
        """See `RecallSettings.shared_way`: the parts of a trio that walk one way come back to its places together."""
        walks = "trio" in self.config and self.mode == "walk" and self.way is not None
        return f"{self.config}, way {self.way}" if walks else ""

    @model_validator(mode="before")
    @classmethod
    def _config_of_the_role(cls, given: object, info: ValidationInfo) -> object:
        drums = isinstance(info.context, SettingsContext) and info.context.role == Role.DRUMS
        return {"config": "cat-drums_2bar_small", **given} if drums and isinstance(given, dict) else given


class GrooveSettings(TransformSettings):
    """Drums as a drummer plays them: a neural network gives each stroke its velocity and its time."""

    style: Literal["humanize", "humanize_tempo", "hits_control", "replay", "tap", "add_closed_hh"] = Field(
        default="humanize",
        description="humanize: the same strokes, played with feel; humanize_tempo: likewise, by a network of our own "
        "that is told the tempo and what comes, nearer to drummers; hits_control: by one that is told the strokes as "
        "it plays; replay: by one that hears their velocities and timing, four bars at a time; tap: a new groove to "
        "the rhythm of the strokes; add_closed_hh: the network plays the closed hat",
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
            "humanize_tempo": "groovae_2bar_humanize_tempo",
            "hits_control": "groovae_2bar_hits_control_tfds",
            "replay": "groovae_4bar",
            "tap": "groovae_2bar_tap_fixed_velocity",
            "add_closed_hh": "groovae_2bar_add_closed_hh",
        }[self.style]


class ChoraleSettings(NetworkSettings, CuratedSettings):
    """A choir of four voices that a network leads, in the key of the part; it stops where periods end."""

    config: Literal["chorale"] = Field(default="chorale", description="configuration of the network")
    temperature: float = Field(
        default=0.9, ge=0.1, le=3.0, description="chance in sampling: below 1 more predictable, above 1 wilder"
    )
    top_p: Percent | None = Field(
        default=None, ge=0.01, description="choose among the likeliest notes that together have this probability"
    )
    candidates: int = Field(
        default=8,
        ge=1,
        le=64,
        description="phrases that grow side by side, of which the one that suits best is played; costs time",
    )
    taste: ChoirTaste = Field(
        default_factory=ChoirTaste,
        description="what counts when one of them is chosen: weights from 0 on for `typical`, `leading` (8 without "
        "it), `novelty` and the others",
    )
    passes: int = Field(default=1, ge=1, le=16, description="how often the voices around a melody are drawn")
    period: BarsOrNone = Field(
        default=2,
        le=64,
        description="bars from stop to stop, where all voices hold for two beats; `0 bars` for no stops",
    )
    chromatic: Percent = Field(
        default=0.25, description="how far notes outside the key are let in: 0 % hardly ever, 100 % as learnt"
    )
    strict: bool = Field(default=True, description="whether parallel fifths and octaves are avoided as they arise")
    history: Bars = Field(default=4, le=16, description="how much of its own past it continues from")
    sings: Literal["soprano", "alto", "tenor", "bass"] | None = Field(
        default=None,
        description="the voice that sings the primer, around which the others are written; without, the choir answers "
        "the primer",
    )


class EnsembleSettings(NetworkSettings, CuratedSettings, RecallSettings):
    """A bass that a network plays while it hears the chords and the drums of its phrase; 4/4 alone."""

    config: Literal["ensemble"] = Field(default="ensemble", description="configuration of the network")
    temperature: float = Field(
        default=0.9, ge=0.1, le=3.0, description="chance in sampling: below 1 more predictable, above 1 wilder"
    )
    top_p: Percent | None = Field(
        default=None, ge=0.01, description="choose among the likeliest that together have this probability"
    )
    range: Pitches = Field(default=PitchRange(28, 50), description="lowest and highest pitch")
    density: Percent = Field(
        default=0.5, description="how much it plays: 50 % as it has learnt, 25 % about half as many notes"
    )
    chromatic: Percent = Field(
        default=0.25, description="how far notes outside key and chord are let in: 0 % hardly ever, 100 % as learnt"
    )
    history: Bars = Field(default=4, le=16, description="how much of its own past it continues from")

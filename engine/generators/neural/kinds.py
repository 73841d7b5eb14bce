"""The kinds of generators that are neural networks, and the transform that is one.

Light: networks are imported where one is built.
"""

# pyright: strict

from __future__ import annotations

from engine.generators.contract import Generator, GeneratorKind, Link, Role, Transform, TransformKind
from engine.generators.neural import examination
from engine.generators.neural.settings import (
    ChoraleSettings,
    DrumsRnnSettings,
    EnsembleSettings,
    GrooveSettings,
    ImprovRnnSettings,
    MelodyRnnSettings,
    MusicVaeSettings,
    NamesNetwork,
    PerformanceRnnSettings,
    PianorollRnnNadeSettings,
    PolyphonyRnnSettings,
)
from engine.generators.transforms.feel import feel_by_rules


def _drums_rnn(settings: DrumsRnnSettings) -> Generator[DrumsRnnSettings]:
    from engine.generators.neural.monophonic import DrumsRnnGenerator

    return DrumsRnnGenerator(settings)


def _melody_rnn(settings: MelodyRnnSettings) -> Generator[MelodyRnnSettings]:
    from engine.generators.neural.monophonic import MelodyRnnGenerator

    return MelodyRnnGenerator(settings)


def _improv_rnn(settings: ImprovRnnSettings) -> Generator[ImprovRnnSettings]:
    from engine.generators.neural.monophonic import ImprovRnnGenerator

    return ImprovRnnGenerator(settings)


def _polyphony_rnn(settings: PolyphonyRnnSettings) -> Generator[PolyphonyRnnSettings]:
    from engine.generators.neural.polyphonic import PolyphonyRnnGenerator

    return PolyphonyRnnGenerator(settings)


def _performance_rnn(settings: PerformanceRnnSettings) -> Generator[PerformanceRnnSettings]:
    from engine.generators.neural.polyphonic import PerformanceRnnGenerator

    return PerformanceRnnGenerator(settings)


def _pianoroll_rnn_nade(settings: PianorollRnnNadeSettings) -> Generator[PianorollRnnNadeSettings]:
    from engine.generators.neural.polyphonic import PianorollRnnNadeGenerator

    return PianorollRnnNadeGenerator(settings)


def _music_vae(settings: MusicVaeSettings) -> Generator[MusicVaeSettings]:
    from engine.generators.neural.vae.music_vae import MusicVaeGenerator

    return MusicVaeGenerator(settings)


def _chorale(settings: ChoraleSettings) -> Generator[ChoraleSettings]:
    from engine.generators.neural.chorale import ChoraleGenerator

    return ChoraleGenerator(settings)


def _ensemble(settings: EnsembleSettings) -> Generator[EnsembleSettings]:
    from engine.generators.neural.ensemble import EnsembleGenerator

    return EnsembleGenerator(settings)


def _groove(settings: GrooveSettings) -> Transform[GrooveSettings]:
    from engine.generators.neural.vae.groove import Groove

    return Groove(settings)


def _weights(settings: NamesNetwork) -> str:
    return settings.weights or settings.config


DRUMS_RNN = GeneratorKind(
    name="drums_rnn",
    summary="Drums RNN: a neural network plays drums, continuing what it played",
    settings=DrumsRnnSettings,
    roles=(Role.DRUMS,),
    factory=_drums_rnn,
    network=True,
    takes=frozenset({Link.RHYTHM, Link.PRIMER}),
    weights=_weights,
    examine=examination.network,
)
MELODY_RNN = GeneratorKind(
    name="melody_rnn",
    summary="Melody RNN: a neural network sings, continuing what it sang, fitted to key and chords",
    settings=MelodyRnnSettings,
    roles=(Role.MELODY,),
    factory=_melody_rnn,
    network=True,
    takes=frozenset(Link),
    weights=_weights,
    examine=examination.network,
)
IMPROV_RNN = GeneratorKind(
    name="improv_rnn",
    summary="Improv RNN: a neural network sings over the chords that it follows",
    settings=ImprovRnnSettings,
    roles=(Role.MELODY,),
    factory=_improv_rnn,
    network=True,
    takes=frozenset(Link),
    needs=frozenset({Link.CHORDS}),
    weights=_weights,
    examine=examination.network,
)
POLYPHONY_RNN = GeneratorKind(
    name="polyphony_rnn",
    summary="Polyphony RNN: a neural network plays several voices, continuing or accompanying",
    settings=PolyphonyRnnSettings,
    roles=(Role.CHORDS, Role.MELODY),
    factory=_polyphony_rnn,
    network=True,
    takes=frozenset({Link.PRIMER}),
    weights=_weights,
    examine=examination.network,
)
PERFORMANCE_RNN = GeneratorKind(
    name="performance_rnn",
    summary="Performance RNN: a neural network plays the piano, with its own timing and touch",
    settings=PerformanceRnnSettings,
    roles=(Role.MELODY, Role.CHORDS),
    factory=_performance_rnn,
    network=True,
    takes=frozenset({Link.CHORDS, Link.PRIMER}),
    weights=_weights,
    examine=examination.performance,
)
PIANOROLL_RNN_NADE = GeneratorKind(
    name="pianoroll_rnn_nade",
    summary="Pianoroll RNN-NADE: a neural network plays several voices, frame by frame",
    settings=PianorollRnnNadeSettings,
    roles=(Role.CHORDS, Role.MELODY),
    factory=_pianoroll_rnn_nade,
    network=True,
    takes=frozenset({Link.PRIMER}),
    weights=_weights,
    examine=examination.pianoroll,
)
MUSIC_VAE = GeneratorKind(
    name="music_vae",
    summary="MusicVAE: a neural network plays its way from one idea to another",
    settings=MusicVaeSettings,
    roles=(Role.MELODY, Role.DRUMS, Role.BASS),
    factory=_music_vae,
    network=True,
    takes=frozenset(Link),
    weights=_weights,
    examine=examination.music_vae,
)
CHORALE = GeneratorKind(
    name="chorale",
    summary="Chorale: a neural network leads four voices in the key, with cadences, perhaps around a melody",
    settings=ChoraleSettings,
    roles=(Role.CHORDS, Role.MELODY),
    factory=_chorale,
    network=True,
    takes=frozenset({Link.PRIMER}),
    weights=_weights,
    examine=examination.chorale,
)
ENSEMBLE = GeneratorKind(
    name="ensemble",
    summary="Ensemble: a neural network plays a bass, hearing the chords and the drums of its phrase",
    settings=EnsembleSettings,
    roles=(Role.BASS,),
    factory=_ensemble,
    network=True,
    takes=frozenset({Link.CHORDS, Link.RHYTHM, Link.PRIMER}),
    needs=frozenset({Link.CHORDS}),
    weights=_weights,
    examine=examination.network,
)
GROOVE = TransformKind(
    name="groove",
    summary="GrooVAE: a neural network plays drums with feel",
    settings=GrooveSettings,
    shorthand="amount",
    apply=feel_by_rules,
    factory=_groove,
    weights=_weights,
    examine=examination.groove,
)

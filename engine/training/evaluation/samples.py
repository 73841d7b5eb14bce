"""Stretches of music of one length, made by a network or taken from pieces, as notes: what is compared with what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from engine.networks.chorale.network import ChoraleNetwork
from engine.networks.chorale.notes import to_notes, voices_of
from engine.networks.chorale.writing import Writing, write
from engine.networks.configs import AnyConfig
from engine.networks.contract import NO_CONDITIONS, Conditions, Passage, Sampling
from engine.networks.encodings import drums, melody
from engine.networks.encodings.performance import performance
from engine.networks.encodings.performance.windows import densities, histograms
from engine.networks.ensemble.configs import EnsembleConfig
from engine.networks.ensemble.encoding import BASS, PITCHES, around
from engine.networks.ensemble.network import EnsembleNetwork
from engine.networks.rnn.configs import RnnConfig
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.vae.configs import VaeConfig
from engine.networks.vae.heads import classes_of
from engine.networks.vae.music_vae import MusicVae
from engine.score.phrase import ChordSpan, in_order, notes_between
from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets import DatasetPiece
from engine.training.datasets.music.ensembles import LINE, PART
from engine.training.datasets.music.kinds import augmentation_of, corpus_of
from engine.training.datasets.music.trios import is_trio
from engine.training.datasets.pieces import STEPS_PER_BAR
from engine.training.lines import LineTable
from engine.training.material import clean_start, known_chord
from engine.training.tasks.vae_windows import CLASS_WINDOWS

BARS, SECONDS = 8, 20.0
"""Length of the samples of RNNs on a grid, and of performances."""
PRIMER_BARS, PRIMER_SECONDS = 2, 5.0
_PER_PRIMER = 4
"""Continuations of each primer, and samples under the same conditions: they are made in one batch."""
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Sample:
    """Some bars of music.

    Attributes:
        notes: array [n] of `NOTE`, in beats; performances are in seconds.
        length: in the same unit.
        chords: under it, where the network is told them.
        source: what it is taken from, a data set and a piece; of a network's music what it was told something of.
        qpm: quarter notes per minute of that.
        beside: the bars of the piece, where a network hears what other parts play in them.
    """

    notes: np.ndarray
    length: float
    chords: tuple[ChordSpan, ...] = ()
    source: str = ""
    qpm: float = 120.0
    beside: DatasetPiece | None = None

    def taken_from(self, piece: DatasetPiece) -> Sample:
        """The same with its source."""
        return replace(self, source=f"{piece.source}, {piece.name}", qpm=piece.qpm)


def heard_as(config: str) -> str:
    """The kind of music that what a network makes is compared as: chorales are polyphony to whom only hears them, and
    so are melody and bass of a trio, whose drums are left out; a line that hears others is a melody."""
    kind = corpus_of(config)
    return {"chorale": "polyphony", "trio": "polyphony", "ensemble": "melody"}.get(kind, kind)


def corpus_samples(config: AnyConfig, pieces: Sequence[DatasetPiece], count: int, seed: int) -> list[Sample]:
    """Stretches of pieces, each piece with the same chance, brought into the range and key of the network.

    MusicVAEs of melodies and trios learn every key, so their windows are transposed by chance, as in training. Of lines
    beside others it is basses, where there are any.

    Args:
        config: of the network, which decides on the length: two, four or eight bars, or 20 seconds.
        pieces: of one split.
        count: how many, if there are so many pieces that are long enough; two of them may overlap.
        seed: decides on pieces and places.
    """
    rng = np.random.default_rng([seed, len(pieces)])
    take = _taker(config)
    if isinstance(config, EnsembleConfig):
        pieces = [piece for piece in pieces if piece.events[0, PART] == BASS] or pieces
    samples: list[Sample] = []
    for _ in range(20):
        for place in rng.permutation(len(pieces)).tolist():
            if len(samples) == count:
                return samples
            sample = take(pieces[place], rng)
            if sample is not None and len(sample.notes) >= 4:
                samples.append(sample.taken_from(pieces[place]))
    return samples


def sample_music(
    network: Any,
    held_out: Sequence[Sample],
    count: int,
    temperature: float | None = 1.0,
    primed: bool = False,
    seed: int = 0,
    advance: Callable[[float], object] | None = None,
) -> list[Sample]:
    """Music that a network makes: from nothing, or going on from the beginning of held-out samples.

    What a network is told besides (chords, density, pitch classes, other parts) is that of held-out samples.

    Args:
        network: an RNN, or a MusicVAE whose steps are classes.
        held_out: as `corpus_samples` gives them.
        count: how many samples.
        temperature: > 0; None for the likeliest, of a MusicVAE.
        primed: RNNs go on from two bars, or five seconds, of held-out samples.
        seed: decides on all of it.
        advance: told which share of them is there.
    """
    rng = np.random.default_rng([seed, round(1000 * (temperature or 0.0)), primed])
    if isinstance(network, MusicVae):
        return _decoded(network, count, temperature, rng, advance)
    if isinstance(network, ChoraleNetwork):
        return _written(network, held_out, count, temperature or 1.0, primed, rng, advance)
    assert temperature is not None
    if isinstance(network, EnsembleNetwork):
        return _played(network, held_out, count, temperature, primed, rng, advance)
    return _continued(network, held_out, count, temperature, primed, rng, advance)


def _decoded(
    network: MusicVae,
    count: int,
    temperature: float | None,
    rng: np.random.Generator,
    advance: Callable[[float], object] | None,
) -> list[Sample]:
    """Points of the prior, decoded."""
    samples = []
    for first in range(0, count, _AT_ONCE):
        size = min(_AT_ONCE, count - first)
        z = rng.standard_normal((size, network.latent_size), np.float32)
        classes = classes_of(network.decode(z, temperature=temperature, rng=rng), network.config.output_sizes)
        samples += [window_sample(network.config, row) for row in classes]
        if advance:
            advance(len(samples) / count)
    return samples


def _written(
    network: ChoraleNetwork,
    held_out: Sequence[Sample],
    count: int,
    temperature: float,
    primed: bool,
    rng: np.random.Generator,
    advance: Callable[[float], object] | None,
) -> list[Sample]:
    """Chorales from their beginning on, or going on from held-out ones."""
    samples: list[Sample] = []
    heard = PRIMER_BARS * STEPS_PER_BAR
    while len(samples) < count:
        like = held_out[len(samples) % len(held_out)]
        past = voices_of(notes_between(like.notes, 0.0, heard / STEPS_PER_BEAT), heard) if primed else None
        size = min(_PER_PRIMER if primed else _AT_ONCE, count - len(samples))
        found = write(network, Writing(BARS * STEPS_PER_BAR, temperature=temperature, particles=size), rng, past)
        source = like.source if primed else ""
        samples += [Sample(to_notes(made.piece), 4.0 * BARS, source=source, qpm=like.qpm) for made in found]
        if advance:
            advance(min(1.0, len(samples) / count))
    return samples


def _played(
    network: EnsembleNetwork,
    held_out: Sequence[Sample],
    count: int,
    temperature: float,
    primed: bool,
    rng: np.random.Generator,
    advance: Callable[[float], object] | None,
) -> list[Sample]:
    """Lines beside what other parts play in held-out samples: behind a primer, as many bars as those have left."""
    samples: list[Sample] = []
    while len(samples) < count:
        like = held_out[len(samples) // _PER_PRIMER % len(held_out)]
        assert like.beside is not None, "a line is told of others"
        table = LineTable(like.beside)
        heard, past = around(table.others, len(table)), table.events[: PRIMER_BARS * STEPS_PER_BAR * primed]
        size = min(_PER_PRIMER, count - len(samples))
        free = np.zeros((len(table) - len(past), PITCHES))
        made = network.play(table.part, past, heard, free, Sampling(temperature), rng, size)
        for events in made.events:
            length = len(events) / STEPS_PER_BEAT
            samples.append(Sample(melody.to_notes(events.tolist()), length, source=like.source, qpm=like.qpm))
        if advance:
            advance(len(samples) / count)
    return samples


def window_sample(config: VaeConfig, classes: np.ndarray) -> Sample:
    """The music that classes [T], or [T, parts], of a MusicVAE mean; of a trio, melody and bass."""
    events, length = CLASS_WINDOWS[config.name].events(classes), len(classes) / STEPS_PER_BEAT
    if is_trio(events):
        return Sample(trio_notes(events), length)
    to_notes = drums.to_notes if corpus_of(config.name) == "drums" else melody.to_notes
    return Sample(to_notes(events.tolist()), length)


def trio_notes(events: np.ndarray) -> np.ndarray:
    """Melody and bass of events [T, 3] of a trio: array of `NOTE`."""
    return in_order(np.concatenate([melody.to_notes(events[:, line].tolist()) for line in range(2)]))


def drum_notes(config: RnnConfig | VaeConfig, events: np.ndarray) -> np.ndarray:
    """The notes of bit masks [T] on the grid of sixteenths, as a network knows them: array of `NOTE`."""
    notes = drums.to_notes(events.tolist())
    if isinstance(config, VaeConfig):
        return notes
    # Back through the encoding, which may know fewer drums, on a coarser grid.
    encoding, grid = config.make_encoding(), config.steps_per_quarter
    assert isinstance(encoding, drums.DrumsEncoding)
    return encoding.to_notes(encoding.from_notes(notes, len(events) / STEPS_PER_BEAT, grid), grid)


def _continued(
    network: EventSequenceRnn,
    held_out: Sequence[Sample],
    count: int,
    temperature: float,
    primed: bool,
    rng: np.random.Generator,
    advance: Callable[[float], object] | None,
) -> list[Sample]:
    config = network.config
    free = config.family == "performance_rnn"
    length, heard = (SECONDS, PRIMER_SECONDS) if free else (4.0 * BARS, 4.0 * PRIMER_BARS)
    told = primed or bool(set(config.conditions) & {"chords", "notes_per_second", "pitch_classes"})
    size = _PER_PRIMER if told else count
    samples: list[Sample] = []
    for place in range(-(-count // size)):
        like = held_out[place % len(held_out)]
        passage = Passage(np.zeros(0, like.notes.dtype), 0.0, 60.0 if free else 120.0)
        if primed:
            passage = Passage(notes_between(like.notes, 0.0, heard), heard, passage.qpm)
        made = network.extend(
            passage, length, _conditions(config, like, passage.length), Sampling(temperature), rng, size
        )
        chords = tuple(span.moved(-passage.length) for span in like.chords if span.start >= passage.length)
        source = like.source if told else ""
        samples += [Sample(found.notes, length, chords, source, like.qpm) for found in made]
        if advance:
            advance(min(1.0, len(samples) / count))
    return samples[:count]


def _conditions(config: RnnConfig, like: Sample, heard: float) -> Conditions:
    """What a network is asked for: what a sample is like; its chords again from the beginning where more are needed."""
    match config.family:
        case "improv_rnn":
            later = tuple(span.moved(like.length) for span in like.chords) if heard else ()
            return Conditions(chords=like.chords + later)
        case "performance_rnn":
            events = performance.from_notes(like.notes, 60.0)
            return Conditions(
                notes_per_second=float(np.mean(densities(events))),
                pitch_classes=tuple(np.mean(histograms(events), axis=0).tolist()),
            )
        case "polyphony_rnn":
            return Conditions(inject_primer=False, condition_on_primer=True)
    return NO_CONDITIONS


def _taker(
    config: AnyConfig,
) -> Callable[[DatasetPiece, np.random.Generator], Sample | None]:
    """What takes a sample out of a piece, or None where the piece is too short."""
    if isinstance(config, VaeConfig):
        return partial(_window, config)
    match config.family:
        case "chorale":
            return _voices
        case "polyphony_rnn":
            return partial(_stretch, 4.0 * BARS, 1.0)
        case "performance_rnn":
            return partial(_stretch, SECONDS, 0.0)
        case "ensemble":
            return _line
    assert isinstance(config, RnnConfig)
    return partial(_bars, config)


def _window(config: VaeConfig, piece: DatasetPiece, rng: np.random.Generator) -> Sample | None:
    kind = CLASS_WINDOWS[config.name]
    starts = range(0, len(piece.events) - config.steps + 1, STEPS_PER_BAR)
    if not starts:
        return None
    start = starts[int(rng.integers(len(starts)))]
    window = piece.events[start : start + config.steps]
    if corpus_of(config.name) in ("melody", "trio"):
        shift = augmentation_of(config.name).transposition(rng)
        moved = np.where(window >= 0, window + shift, window)
        window = np.column_stack([moved[:, :2], window[:, 2]]) if is_trio(window) else moved
    return window_sample(config, kind.tensors(window)[1]) if kind.enough(window) else None


def _bars(config: RnnConfig, piece: DatasetPiece, rng: np.random.Generator) -> Sample | None:
    steps, encoding = BARS * STEPS_PER_BAR, config.make_encoding()
    bars = (len(piece.events) - steps) // STEPS_PER_BAR + 1
    if bars < 1:
        return None
    start = STEPS_PER_BAR * int(rng.integers(bars))
    events = piece.events[start : start + steps]
    if isinstance(encoding, drums.DrumsEncoding):
        return Sample(drum_notes(config, events), 4.0 * BARS)
    squashed, shift = encoding.squash(events.tolist())
    chords = []
    if piece.chords is not None:
        figures = piece.chords[start : start + steps]
        edges = [0, *(np.flatnonzero(figures[1:] != figures[:-1]) + 1).tolist(), steps]
        for first, last in pairwise(edges):
            chord = known_chord(str(figures[first]))
            if chord is not None:
                chords.append(ChordSpan(first / STEPS_PER_BEAT, last / STEPS_PER_BEAT, chord.transposed(shift)))
    return Sample(melody.to_notes(squashed), 4.0 * BARS, tuple(chords))


def _line(piece: DatasetPiece, rng: np.random.Generator) -> Sample | None:
    """Eight bars of a line, with what is beside it."""
    steps = BARS * STEPS_PER_BAR
    bars = (len(piece.events) - steps) // STEPS_PER_BAR + 1
    if bars < 1 or piece.chords is None:
        return None
    part = slice(start := STEPS_PER_BAR * int(rng.integers(bars)), start + steps)
    beside = replace(piece, events=piece.events[part], chords=piece.chords[part])
    notes = melody.to_notes(clean_start(beside.events[:, LINE]).tolist())
    return Sample(notes, 4.0 * BARS, beside=beside)


def _voices(piece: DatasetPiece, rng: np.random.Generator) -> Sample | None:
    """Eight bars of four voices, from a beat on."""
    steps = BARS * STEPS_PER_BAR
    beats = (len(piece.events) - steps) // STEPS_PER_BEAT + 1
    if beats < 1:
        return None
    start = STEPS_PER_BEAT * int(rng.integers(beats))
    return Sample(to_notes(piece.events[start : start + steps]), 4.0 * BARS)


def _stretch(length: float, grid: float, piece: DatasetPiece, rng: np.random.Generator) -> Sample | None:
    """So many beats or seconds, from a beat on, or from anywhere where there is no grid."""
    rest = float(piece.events["end"].max()) - length
    if rest < 0:
        return None
    start = float(rng.integers(int(rest / grid) + 1)) * grid if grid else rng.uniform(0.0, rest)
    notes = notes_between(piece.events, start, start + length)
    notes["end"] = np.minimum(notes["end"], length)
    return Sample(notes[notes["end"] > notes["start"]], length)

"""Windows of pieces as what the MusicVAEs hear and give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, cast

import numpy as np

from engine.networks.encodings.melody import NO_EVENT, NOTE_OFF
from engine.networks.vae.configs import HUMANIZE_TEMPO
from engine.networks.vae.converters import converter_of
from engine.networks.vae.converters.contract import one_hot
from engine.networks.vae.converters.groove import GrooveConverter
from engine.networks.vae.converters.melody import CLASSES as MELODY_CLASSES
from engine.networks.vae.converters.melody import FIRST_PITCH, HELD, HIGHEST, LOWEST, OFF
from engine.score.drums import CLASSES
from engine.training.datasets import Augmentation
from engine.training.datasets.music.trios import VOICES
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece
from engine.training.material import clean_start, reorchestrate

MIN_HITS, MIN_NOTES = 4, 3
"""Windows of fewer are not trained on: they teach silence."""
HELD_OUT_WINDOWS = 1536
CROSSED = 0.75
"""Share of windows that are made of two, where that makes sense. Without, drums of the training split came back at 84 %
of the steps and others at 70 %: there are too few drummers to learn what goes with what from."""
LEFT_OUT, TEMPO_SPREAD = 0.1, 0.02
"""Of windows that are told the tempo: share of groups of drums that are left out, where others are crossed; and how far
off the tempo is (standard deviation of its logarithm)."""
_USUAL_QPM = 120.0
DRUM_GROUPS = tuple(
    sum(1 << CLASSES.index(name) for name in names)
    for names in (
        ("kick",),
        ("snare",),
        ("closed_hat", "open_hat"),
        ("low_tom", "mid_tom", "high_tom"),
        ("crash", "ride"),
    )
)
"""Drums that are left together when windows are crossed, as bit masks."""


class WindowKind(Protocol):
    """How windows of events become what a VAE hears and gives."""

    def material(self, piece: DatasetPiece) -> np.ndarray:
        """The events of a piece [T, ...], with what else windows of it have to know."""
        ...

    def augmented(self, events: np.ndarray, rng: np.random.Generator, augmentation: Augmentation) -> np.ndarray:
        """The same music in another guise."""
        ...

    def crossed(self, events: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One window with something of the other, where that still is music; else as it is."""
        ...

    def enough(self, events: np.ndarray) -> bool:
        """Whether there is something to learn from a window."""
        ...

    def tensors(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the encoder hears [T, input_size], and what the decoder is to give: classes [T], of several parts
        [T, parts], or [T, output_size]."""
        ...

    def controls(self, events: np.ndarray) -> np.ndarray | None:
        """What both are told besides [T, control_size]; None for nothing."""
        ...

    def weight(self, events: np.ndarray) -> float:
        """How much a window counts, above 0."""
        ...

    def bias(self, targets: np.ndarray) -> np.ndarray:
        """Where the output layer's bias [output_size] begins, from many targets [n, ...]."""
        ...


class ClassWindows(WindowKind, Protocol):
    """Windows whose steps are classes.

    Attributes:
        voices: names of the parts; empty where there is one alone.
    """

    voices: tuple[str, ...]

    def events(self, classes: np.ndarray) -> np.ndarray:
        """Events of a piece that classes mean, both [T], of several parts [T, parts]."""
        ...


class UntoldWindows:
    """Windows of events alone, of networks that are told nothing besides; one counts as much as another."""

    def material(self, piece: DatasetPiece) -> np.ndarray:
        """See `WindowKind.material`."""
        return piece.events

    def controls(self, events: np.ndarray) -> np.ndarray | None:
        """See `WindowKind.controls`."""
        return None

    def weight(self, events: np.ndarray) -> float:
        """See `WindowKind.weight`."""
        return 1.0


class MelodyWindows(UntoldWindows):
    """What `MelodyConverter` makes of melodies."""

    voices: tuple[str, ...] = ()

    def augmented(self, events: np.ndarray, rng: np.random.Generator, augmentation: Augmentation) -> np.ndarray:
        """Transposed."""
        return np.where(events >= 0, events + augmentation.transposition(rng), events)

    def crossed(self, events: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """As it is: melodies that were not heard in training come back as well as those that were."""
        return events

    def enough(self, events: np.ndarray) -> bool:
        """Some notes, all on a piano."""
        notes = events[events >= 0]
        return len(notes) >= MIN_NOTES and notes.min() >= LOWEST and notes.max() <= HIGHEST

    def tensors(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `WindowKind.tensors`."""
        events = clean_start(events)
        classes = np.where(events >= 0, events - LOWEST + FIRST_PITCH, HELD)
        classes[events == NOTE_OFF] = OFF
        return one_hot(classes, MELODY_CLASSES), classes.astype(np.int32)

    def bias(self, targets: np.ndarray) -> np.ndarray:
        """See `WindowKind.bias`."""
        return log_shares(targets, MELODY_CLASSES)

    def events(self, classes: np.ndarray) -> np.ndarray:
        """See `ClassWindows.events`."""
        return np.select([classes == HELD, classes == OFF], [NO_EVENT, NOTE_OFF], classes - FIRST_PITCH + LOWEST)


class DrumWindows(UntoldWindows):
    """What `DrumsConverter` makes of nine classes of drums: a roll with a "nothing" bit in, their combination out."""

    voices: tuple[str, ...] = ()

    def augmented(self, events: np.ndarray, rng: np.random.Generator, augmentation: Augmentation) -> np.ndarray:
        """See `reorchestrate`."""
        return reorchestrate(events, rng)

    def crossed(self, events: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A bar of each, or some drums of each."""
        return _crossed(events, others, rng, lambda kept: (events & kept) | (others & ~kept))

    def enough(self, events: np.ndarray) -> bool:
        """Some hits."""
        return int((events > 0).sum()) >= MIN_HITS

    def tensors(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `WindowKind.tensors`."""
        bits = (events[:, None].astype(int) >> np.arange(len(CLASSES))) & 1
        roll = np.concatenate([bits, events[:, None] == 0], axis=1)
        return roll.astype(np.float32), events.astype(np.int32)

    def bias(self, targets: np.ndarray) -> np.ndarray:
        """See `WindowKind.bias`."""
        return log_shares(targets, 1 << len(CLASSES))

    def events(self, classes: np.ndarray) -> np.ndarray:
        """The classes themselves."""
        return classes


class TrioWindows(UntoldWindows):
    """What our `TrioConverter` makes of melody, bass and drums."""

    voices: tuple[str, ...] = VOICES

    def __init__(self) -> None:
        self._parts = MelodyWindows(), MelodyWindows(), DrumWindows()

    def augmented(self, events: np.ndarray, rng: np.random.Generator, augmentation: Augmentation) -> np.ndarray:
        """Melody and bass transposed together, and other drums in the place of some, see `reorchestrate`."""
        shift = augmentation.transposition(rng)
        lines = np.where(events[:, :2] >= 0, events[:, :2] + shift, events[:, :2])
        return np.column_stack([lines, reorchestrate(events[:, 2], rng)])

    def crossed(self, events: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """With the drums of the other: what melody and bass are to each other is left as it is."""
        return np.column_stack([events[:, :2], others[:, 2]])

    def enough(self, events: np.ndarray) -> bool:
        """Something in each of the three."""
        return all(part.enough(voice) for part, voice in self._each(events))

    def tensors(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `WindowKind.tensors`."""
        heard, classes = zip(*(part.tensors(voice) for part, voice in self._each(events)), strict=True)
        return np.concatenate(heard, axis=1), np.stack(classes, axis=1)

    def bias(self, targets: np.ndarray) -> np.ndarray:
        """See `WindowKind.bias`."""
        return np.concatenate([part.bias(voice) for part, voice in self._each(targets)])

    def events(self, classes: np.ndarray) -> np.ndarray:
        """See `ClassWindows.events`."""
        return np.stack([part.events(voice) for part, voice in self._each(classes)], axis=1)

    def _each(self, values: np.ndarray) -> Iterator[tuple[ClassWindows, np.ndarray]]:
        return zip(self._parts, values.T, strict=True)


class GrooveWindows(UntoldWindows):
    """What a `GrooveConverter` makes of strokes.

    Args:
        converter: of the config.
    """

    def __init__(self, converter: GrooveConverter) -> None:
        self.converter = converter

    def augmented(self, events: np.ndarray, rng: np.random.Generator, augmentation: Augmentation) -> np.ndarray:
        """Louder or softer by up to a tenth."""
        hits, velocities, offsets = np.split(events, 3, axis=1)
        return np.concatenate([hits, np.clip(velocities * rng.uniform(0.9, 1.1), 0.0, 1.0), offsets], axis=1)

    def crossed(self, events: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A bar of each, or some drums of each: how a drummer plays a stroke hangs on its drum and place above all."""

        def some_of_each(kept: int) -> np.ndarray:
            drums = (kept >> np.arange(len(CLASSES))) & 1 == 1
            return np.where(np.tile(drums, 3), events, others)

        return _crossed(events, others, rng, some_of_each)

    def enough(self, events: np.ndarray) -> bool:
        """Some strokes."""
        return int(events[:, : len(CLASSES)].sum()) >= MIN_HITS

    def tensors(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `WindowKind.tensors`."""
        return self.converter.heard(events), events.astype(np.float32)

    def bias(self, targets: np.ndarray) -> np.ndarray:
        """Strokes as rare as they are; velocities and offsets in the middle."""
        shares = targets[:, : len(CLASSES)].mean(axis=0).clip(1e-3, 1 - 1e-3)
        return np.concatenate([np.log(shares / (1 - shares)), np.zeros(2 * len(CLASSES))])


class TempoGrooveWindows(GrooveWindows):
    """What a `GrooveConverter` makes of strokes that tells the tempo: a 28th column of the events holds it (qpm)."""

    def material(self, piece: DatasetPiece) -> np.ndarray:
        """See `WindowKind.material`."""
        return np.column_stack([piece.events, np.full(len(piece.events), piece.qpm, np.float32)])

    def augmented(self, events: np.ndarray, rng: np.random.Generator, augmentation: Augmentation) -> np.ndarray:
        """Louder or softer, and told a tempo that is a little off, so that no piece is known by its tempo."""
        strokes = super().augmented(events[:, :-1], rng, augmentation)
        return np.column_stack([strokes, events[:, -1:] * np.exp(rng.normal(0.0, TEMPO_SPREAD))])

    def crossed(self, events: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Without some drums: those of another piece would be early or late by another tempo."""
        left = sum(group for group in DRUM_GROUPS if rng.random() > LEFT_OUT)
        strokes = events.copy()
        strokes[:, :-1] *= np.tile((left >> np.arange(len(CLASSES))) & 1, 3)
        return strokes

    def enough(self, events: np.ndarray) -> bool:
        """Some strokes."""
        return super().enough(events[:, :-1])

    def tensors(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `WindowKind.tensors`."""
        return super().tensors(events[:, :-1])

    def controls(self, events: np.ndarray) -> np.ndarray | None:
        """See `WindowKind.controls`."""
        return self.converter.told(events[:, :-1].astype(np.float32), float(events[0, -1]))

    def weight(self, events: np.ndarray) -> float:
        """The longer a sixteenth lasts, the more: what is late by a share of it is late by more milliseconds."""
        return _USUAL_QPM / float(events[0, -1])


def _crossed(
    events: np.ndarray, others: np.ndarray, rng: np.random.Generator, some_of_each: Callable[[int], np.ndarray]
) -> np.ndarray:
    """A bar of each, or the drums of a bit mask (of whole `DRUM_GROUPS`) of `events` and the rest of `others`."""
    if rng.random() < 0.3:
        return np.concatenate([events[:STEPS_PER_BAR], others[STEPS_PER_BAR:]])
    return some_of_each(sum(group for group in DRUM_GROUPS if rng.random() < 0.5))


def _groove_windows(config: str) -> GrooveWindows:
    converter = cast(GrooveConverter, converter_of(config))
    return (TempoGrooveWindows if converter.told_tempo else GrooveWindows)(converter)


def log_shares(classes: np.ndarray, count: int) -> np.ndarray:
    """Logarithms [count] of how often classes occur, smoothed."""
    shares = np.bincount(classes, minlength=count) + 0.5
    return np.log(shares / shares.sum())


CLASS_WINDOWS: dict[str, ClassWindows] = {
    "cat-mel_2bar_small": MelodyWindows(),
    "cat-drums_2bar_small": DrumWindows(),
    "trio_4bar": TrioWindows(),
}
GROOVES = ("groovae_2bar_humanize", HUMANIZE_TEMPO, "groovae_2bar_tap_fixed_velocity", "groovae_2bar_add_closed_hh")
WINDOWS: dict[str, WindowKind] = {**CLASS_WINDOWS, **{name: _groove_windows(name) for name in GROOVES}}
"""Kinds of windows of the configs that can be trained."""


def held_out_windows(
    kind: WindowKind, pieces: Sequence[DatasetPiece], steps: int, count: int = HELD_OUT_WINDOWS
) -> list[np.ndarray]:
    """Windows of pieces that do not overlap, evenly thinned out to at most `count`."""
    found = [
        window
        for events in map(kind.material, pieces)
        for start in range(0, len(events) - steps + 1, steps)
        if kind.enough(window := events[start : start + steps])
    ]
    return [found[k] for k in np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)]

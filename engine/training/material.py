"""How pieces become excerpts: what a network is trained on, augmented, and what it is judged on, as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.encodings import polyphony
from engine.networks.encodings.drums import DrumKitEncoding, OneDrumEncoding
from engine.networks.encodings.improv import ImprovEncoding
from engine.networks.encodings.melody import NO_EVENT, NOTE_OFF, MelodyEncoding
from engine.networks.encodings.performance import performance
from engine.networks.encodings.performance.performance import PerformanceEncoding
from engine.networks.encodings.performance.windows import Measured
from engine.networks.encodings.polyphony import PolyphonyEncoding
from engine.networks.rnn.configs import RnnConfig
from engine.score.drums import CLASSES
from engine.score.harmony.chords import Chord, parse_chord
from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets import Augmentation, augmentation_of
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece

CLOSED_HAT, RIDE = CLASSES.index("closed_hat"), CLASSES.index("ride")
MIN_BEATS = 8
"""Polyphonic excerpts begin so many beats before the end at the latest."""
MIN_EVENTS = 32
TOMS = tuple(k for k, name in enumerate(CLASSES) if name.endswith("tom"))


@dataclass(frozen=True, slots=True)
class TrainingExcerpt:
    """Events in the network's range.

    Attributes:
        events: [T], of the network's encoding.
        conditions: what its stream is told besides; see `EventEncoding.stream`.
        from_start: whether the first event is to be predicted too, from "nothing yet".
    """

    events: np.ndarray
    conditions: Any = None
    from_start: bool = True


class Material(Protocol):
    """Excerpts of one kind of pieces for one encoding.

    Attributes:
        longest: events of the longest excerpt.
    """

    longest: int

    @property
    def bar(self) -> int | None:
        """Events of a bar; None where bars have no fixed number of them."""
        ...

    def draw(self, piece: DatasetPiece, rng: np.random.Generator) -> TrainingExcerpt:
        """An excerpt to train on, augmented."""
        ...

    def cut(self, piece: DatasetPiece) -> list[TrainingExcerpt]:
        """The whole piece, as it is, in stretches; what is too short to judge is left out."""
        ...

    def notes(self, excerpt: TrainingExcerpt) -> int:
        """How many notes begin in it."""
        ...


class DrumMaterial:
    """Drums, re-orchestrated now and then in training (`reorchestrate`); half of the excerpts from "nothing yet" on.

    Args:
        steps: sixteenths of an excerpt, whole bars.
    """

    def __init__(self, steps: int) -> None:
        self.steps = self.longest = steps
        self.bar = STEPS_PER_BAR

    def draw(self, piece: DatasetPiece, rng: np.random.Generator) -> TrainingExcerpt:
        """See `Material.draw`."""
        events = bars_of(piece.events, self.steps, rng)
        from_start = rng.random() < 0.5
        return TrainingExcerpt(self.heard(reorchestrate(events, rng)), from_start=from_start)

    def cut(self, piece: DatasetPiece) -> list[TrainingExcerpt]:
        """See `Material.cut`."""
        return [TrainingExcerpt(self.heard(events)) for events in stretches(piece.events, self.steps)]

    def notes(self, excerpt: TrainingExcerpt) -> int:
        """See `Material.notes`: strokes."""
        return sum(int(event).bit_count() for event in excerpt.events)

    def heard(self, events: np.ndarray) -> np.ndarray:
        """The events as the network has them."""
        return events


class OneDrumMaterial(DrumMaterial):
    """Drums as one drum on the grid of eighths: 1 where anything is struck."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.longest, self.bar = -(-steps // 2), STEPS_PER_BAR // 2

    def heard(self, events: np.ndarray) -> np.ndarray:
        """Strokes at the nearest eighth, halves upwards."""
        late = np.concatenate([[0], events[1:-1:2]])
        return ((events[::2] | late) != 0).astype(int)


class MelodyMaterial:
    """Melodies in the network's key and range, as generation brings them there: by a primer.

    In training that is a prefix of one to eight bars in half of the excerpts, all of it in the others; one in ten is in
    another key on purpose. Half of the excerpts begin from "nothing yet".

    Args:
        encoding: of the network.
        steps: sixteenths of an excerpt, whole bars.
        augmentation: how far away the other keys are.
    """

    def __init__(self, encoding: MelodyEncoding, steps: int, augmentation: Augmentation) -> None:
        self.encoding, self.steps, self.longest, self.augmentation = encoding, steps, steps, augmentation
        self.bar = STEPS_PER_BAR

    def draw(self, piece: DatasetPiece, rng: np.random.Generator) -> TrainingExcerpt:
        """See `Material.draw`."""
        events = clean_start(bars_of(piece.events, self.steps, rng))
        from_start, prefix = rng.random() < 0.5, int(rng.integers(1, 17))
        shift = self.augmentation.transposition(rng)
        other_key = rng.random() < 0.1
        known = events[: prefix * STEPS_PER_BAR] if prefix <= 8 else events
        _, transposition = self.encoding.squash((known if (known >= 0).any() else events).tolist())
        return TrainingExcerpt(shifted(self.encoding, events, transposition + shift * other_key), from_start=from_start)

    def cut(self, piece: DatasetPiece) -> list[TrainingExcerpt]:
        """See `Material.cut`."""
        found = []
        for events in stretches(piece.events, self.steps):
            squashed, _ = self.encoding.squash(clean_start(events).tolist())
            found.append(TrainingExcerpt(np.array(squashed)))
        return found

    def notes(self, excerpt: TrainingExcerpt) -> int:
        """See `Material.notes`."""
        return int((excerpt.events >= 0).sum())


class LeadSheetMaterial:
    """Melodies over chords, in training in any key; half of the excerpts from "nothing yet" on.

    Args:
        encoding: of the network.
        steps: sixteenths of an excerpt, whole bars.
        augmentation: into which keys they are put.
    """

    def __init__(self, encoding: ImprovEncoding, steps: int, augmentation: Augmentation) -> None:
        self.encoding, self.steps, self.longest, self.augmentation = encoding, steps, steps, augmentation
        self.bar = STEPS_PER_BAR

    def draw(self, piece: DatasetPiece, rng: np.random.Generator) -> TrainingExcerpt:
        """See `Material.draw`."""
        bars = max(1, (len(piece.events) - self.steps) // STEPS_PER_BAR + 1)
        start = int(rng.integers(bars)) * STEPS_PER_BAR
        transposition, from_start = self.augmentation.transposition(rng), rng.random() < 0.5
        return self._excerpt(piece, slice(start, start + self.steps), transposition, from_start)

    def cut(self, piece: DatasetPiece) -> list[TrainingExcerpt]:
        """See `Material.cut`."""
        starts = range(0, len(piece.events) - 2 * STEPS_PER_BAR + 1, self.steps)
        return [self._excerpt(piece, slice(start, start + self.steps), 0, True) for start in starts]

    def notes(self, excerpt: TrainingExcerpt) -> int:
        """See `Material.notes`."""
        return int((excerpt.events >= 0).sum())

    def _excerpt(self, piece: DatasetPiece, place: slice, transposition: int, from_start: bool) -> TrainingExcerpt:
        assert piece.chords is not None
        chords = [known_chord(figure) for figure in piece.chords[place].tolist()]
        moved, shift = self.encoding.squash(
            [event + transposition if event >= 0 else event for event in clean_start(piece.events[place]).tolist()]
        )
        heard = [chord and chord.transposed(transposition + shift) for chord in chords]
        return TrainingExcerpt(np.array(moved), heard, from_start)


class PolyphonyMaterial:
    """Several voices, in training in any key and from any beat on.

    Args:
        steps: events of an excerpt.
        augmentation: into which keys they are put.
    """

    def __init__(self, steps: int, augmentation: Augmentation) -> None:
        self.longest, self.bar, self.augmentation = steps, None, augmentation

    def draw(self, piece: DatasetPiece, rng: np.random.Generator) -> TrainingExcerpt:
        """See `Material.draw`."""
        notes = piece.events.copy()
        first = int(rng.integers(max(1, int(notes["end"].max()) - MIN_BEATS + 1)))
        notes["pitch"] = np.clip(notes["pitch"] + self.augmentation.transposition(rng), 0, 127)
        # Most steps have several events; where there are too few of them, all steps that could be needed.
        for steps in (self.longest // 4, self.longest):
            if len(events := self._events(notes, first, steps)) >= self.longest:
                break
        return TrainingExcerpt(np.array(events[: self.longest]), from_start=False)

    def cut(self, piece: DatasetPiece) -> list[TrainingExcerpt]:
        """See `Material.cut`."""
        return chunks(self._events(piece.events, 0), self.longest)

    def notes(self, excerpt: TrainingExcerpt) -> int:
        """See `Material.notes`."""
        return int(((excerpt.events >= polyphony.NEW) & (excerpt.events < polyphony.CONTINUED)).sum())

    def _events(self, notes: np.ndarray, first: int, steps: int | None = None) -> list[int]:
        """All events from a beat on, or those of so many steps; what sounds on from before begins there."""
        kept = notes[notes["end"] > first].copy()
        whole = round(float(kept["end"].max() - first) * STEPS_PER_BEAT)
        if steps is not None:
            kept = kept[kept["start"] < first + steps / STEPS_PER_BEAT]
        kept["start"] = np.maximum(kept["start"] - first, 0.0)
        kept["end"] -= first
        if steps is not None and steps < whole:
            return polyphony.from_notes(kept, steps)
        return [*polyphony.from_notes(kept, whole), polyphony.END]


class PerformanceMaterial:
    """Performances, in training a little faster or slower and higher or lower; half of them from "nothing yet" on.

    Args:
        encoding: of the network; what it is controlled by is measured in the music.
        steps: events of an excerpt.
        augmentation: how much faster or slower, higher or lower.
    """

    def __init__(self, encoding: PerformanceEncoding, steps: int, augmentation: Augmentation) -> None:
        self.encoding, self.longest, self.bar, self.augmentation = encoding, steps, None, augmentation

    def draw(self, piece: DatasetPiece, rng: np.random.Generator) -> TrainingExcerpt:
        """See `Material.draw`."""
        first = int(rng.integers(max(1, len(piece.events) - self.longest // 3)))
        notes = piece.events[first : first + self.longest].copy()
        stretch, pitch = rng.uniform(*self.augmentation.stretch), self.augmentation.transposition(rng)
        from_start = rng.random() < 0.5
        begin = notes["start"].min()
        for edge in ("start", "end"):
            notes[edge] = (notes[edge] - begin) * stretch
        notes["pitch"] = np.clip(notes["pitch"] + pitch, 0, 127)
        events = self._events(notes)
        conditions = self._measured(events, bool(rng.random() < 0.5))
        return TrainingExcerpt(np.array(events[: self.longest]), conditions, from_start)

    def cut(self, piece: DatasetPiece) -> list[TrainingExcerpt]:
        """See `Material.cut`."""
        found = chunks(self._events(piece.events), self.longest)
        return [replace(excerpt, conditions=self._measured(excerpt.events.tolist(), False)) for excerpt in found]

    def notes(self, excerpt: TrainingExcerpt) -> int:
        """See `Material.notes`."""
        return int((excerpt.events < performance.NOTE_OFF).sum())

    def _events(self, notes: np.ndarray) -> list[int]:
        return performance.from_notes(notes, 60.0, self.encoding.dynamics)

    def _measured(self, events: list[int], disabled: bool) -> Measured | None:
        encoding = self.encoding
        if not encoding.controls:
            return None
        return Measured(events, encoding.controls, disabled if encoding.optional else None)


def material_of(config: RnnConfig, steps: int, augmentation: Augmentation | None = None) -> Material:
    """What a network is trained on, from pieces of its corpus (`engine.training.datasets.corpus_of`).

    Args:
        config: of the network.
        steps: of an excerpt: sixteenths on a grid, else events.
        augmentation: as the data set says; what is usual for its kind of music without it.

    Raises:
        PerpetuumError: its training is not known.
    """
    encoding = config.make_encoding()
    varied = augmentation or augmentation_of(config.name)
    match encoding:
        case OneDrumEncoding():
            return OneDrumMaterial(steps)
        case DrumKitEncoding():
            return DrumMaterial(steps)
        case MelodyEncoding():
            return MelodyMaterial(encoding, steps, varied)
        case ImprovEncoding():
            return LeadSheetMaterial(encoding, steps, varied)
        case PolyphonyEncoding():
            return PolyphonyMaterial(steps, varied)
        case PerformanceEncoding():
            return PerformanceMaterial(encoding, steps, varied)
    raise PerpetuumError(f"{config.name}: networks of this kind cannot be trained yet")


@cache
def known_chord(figure: str) -> Chord | None:
    """The chord of a figure; None for none, and for one that nobody understands."""
    try:
        return parse_chord(figure) if figure else None
    except ValueError:
        return None


def chunks(events: list[int], size: int) -> list[TrainingExcerpt]:
    """Events in stretches of at most so many, whose first is given; a rest too short to tell anything is left out."""
    parts = [events[start : start + size] for start in range(0, len(events), size)]
    return [TrainingExcerpt(np.array(part), from_start=False) for part in parts if len(part) >= MIN_EVENTS]


def shifted(encoding: MelodyEncoding, events: np.ndarray, shift: int) -> np.ndarray:
    """A melody transposed; notes that leave the network's range move by octaves."""
    return np.array([encoding.into_range(event + shift) if event >= 0 else event for event in events])


def bars_of(events: np.ndarray, steps: int, rng: np.random.Generator) -> np.ndarray:
    """So many steps of a piece, from a bar line on; all of it where it is shorter."""
    bars = max(1, (len(events) - steps) // STEPS_PER_BAR + 1)
    start = int(rng.integers(bars)) * STEPS_PER_BAR
    return events[start : start + steps]


def stretches(events: np.ndarray, steps: int) -> list[np.ndarray]:
    """A piece in stretches of at most so many steps; a rest of less than two bars is left out."""
    parts = [events[start : start + steps] for start in range(0, len(events), steps)]
    return [part for part in parts if len(part) >= 2 * STEPS_PER_BAR]


def clean_start(events: np.ndarray) -> np.ndarray:
    """A melody cut inside a note begins with a rest: note-offs before the first note mean nothing."""
    first = int(np.argmax(events >= 0)) if (events >= 0).any() else len(events)
    cut = events.copy()
    cut[:first][cut[:first] == NOTE_OFF] = NO_EVENT
    return cut


def reorchestrate(events: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Drums as another drummer might set them: closed hat and ride, or the toms, change places in one crop of five."""
    places = np.arange(len(CLASSES))
    if rng.random() < 0.2:
        places[[CLOSED_HAT, RIDE]] = RIDE, CLOSED_HAT
    if rng.random() < 0.2:
        places[list(TOMS)] = rng.permutation(TOMS)
    bits = (events[:, None].astype(int) >> np.arange(len(CLASSES))) & 1
    return bits @ (1 << places)

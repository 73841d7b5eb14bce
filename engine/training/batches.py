"""Batches for training and evaluation: crops of pieces, augmented, encoded and padded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.networks.encodings import NO_EVENT, NOTE_OFF, EventEncoding, KeyMelodyEncoding, encode
from engine.score.drums import CLASSES
from engine.training.pieces import STEPS_PER_BAR, Piece

CLOSED_HAT, RIDE = CLASSES.index("closed_hat"), CLASSES.index("ride")
TOMS = tuple(k for k, name in enumerate(CLASSES) if name.endswith("tom"))


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs [B, T, input_size] float32, labels [B, T] int32, weights [B, T] float32 (0 where padded)."""

    inputs: np.ndarray
    labels: np.ndarray
    weights: np.ndarray


def pad(encoded: Sequence[tuple[np.ndarray, np.ndarray]], steps: int) -> Batch:
    """Stack encoded sequences, each of at most `steps` rows."""
    size = len(encoded), steps
    inputs = np.zeros((*size, encoded[0][0].shape[-1]), np.float32)
    labels, weights = np.zeros(size, np.int32), np.zeros(size, np.float32)
    for k, (x, y) in enumerate(encoded):
        inputs[k, : len(y)] = x
        labels[k, : len(y)] = y
        weights[k, : len(y)] = 1.0
    return Batch(inputs, labels, weights)


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


class Crops:
    """Random crops of whole bars, sampled by length and by a weight per source; deterministic in the generator.

    Drums are re-orchestrated now and then (`reorchestrate`).
    A melody is brought into the network's key and range as generation does it: by a primer, here a prefix of one to
    eight bars in half of the crops, all of the crop in the others; one crop in ten is in another key on purpose.
    Half of the crops begin with the "nothing yet" input.

    Args:
        pieces: pieces of one split.
        encoding: of the network.
        steps: length of the crops, a multiple of a bar.
        source_weights: factors on the sampling weight of sources, 1 where absent.
    """

    def __init__(
        self, pieces: Sequence[Piece], encoding: EventEncoding, steps: int, source_weights: Mapping[str, float]
    ) -> None:
        self.pieces, self.encoding, self.steps = pieces, encoding, steps
        weights = np.array([len(piece.events) * source_weights.get(piece.source, 1.0) for piece in pieces])
        self.probabilities = weights / weights.sum()

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """A batch of `size` crops."""
        chosen = rng.choice(len(self.pieces), size, p=self.probabilities)
        return pad([self._crop(self.pieces[k].events, rng) for k in chosen], self.steps)

    def _crop(self, events: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        bars = max(1, (len(events) - self.steps) // STEPS_PER_BAR + 1)
        start = int(rng.integers(bars)) * STEPS_PER_BAR
        crop = events[start : start + self.steps]
        from_start, prefix, shift = rng.random() < 0.5, int(rng.integers(1, 17)), int(rng.integers(-5, 7))
        other_key = rng.random() < 0.1
        if isinstance(self.encoding, KeyMelodyEncoding):
            crop = clean_start(crop)
            known = crop[: prefix * STEPS_PER_BAR] if prefix <= 8 else crop
            _, transposition = self.encoding.squash((known if (known >= 0).any() else crop).tolist())
            shift = transposition + shift * other_key
            crop = np.array([self.encoding.into_range(event + shift) if event >= 0 else event for event in crop])
        else:
            crop = reorchestrate(crop, rng)
        inputs, labels = encode(self.encoding, crop.tolist(), from_start=True)
        return (inputs[:-1], labels) if from_start else (inputs[1:-1], labels[1:])


def held_out(pieces: Sequence[Piece], encoding: EventEncoding, steps: int) -> list[np.ndarray]:
    """Whole pieces cut into stretches of at most `steps` for evaluation, each in the network's key and range.

    Stretches shorter than two bars are left out.
    """
    stretches = []
    for piece in pieces:
        for start in range(0, len(piece.events), steps):
            events = piece.events[start : start + steps]
            if len(events) >= 2 * STEPS_PER_BAR:
                if isinstance(encoding, KeyMelodyEncoding):
                    events = clean_start(events)
                stretches.append(np.array(encoding.squash(events.tolist())[0]))
    return stretches


def held_out_batches(
    stretches: Sequence[np.ndarray], encoding: EventEncoding, steps: int, size: int
) -> Iterator[Batch]:
    """Batches of stretches as `held_out` cuts them: each predicts its events from "nothing yet" on.

    The last batch is filled up with sequences of weight 0, so that all have one shape.
    """
    for k in range(0, len(stretches), size):
        encoded = []
        for events in stretches[k : k + size]:
            inputs, labels = encode(encoding, events.tolist(), from_start=True)
            encoded.append((inputs[:-1], labels))
        encoded += [(encoded[0][0][:0], encoded[0][1][:0])] * (size - len(encoded))
        yield pad(encoded, steps)

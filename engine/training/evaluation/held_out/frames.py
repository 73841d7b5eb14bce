"""An estimate of how likely Polyphony RNN finds frames on a grid of quarters: what frames do not say is summed out.

The bound of `chorales` counts all that the written events say. Here the sixteenths between the frames, and whether the
notes of a frame begin or are held on, are summed out by sequential importance resampling: N particles sing the frames,
which are given, and draw the rest from the network; each is weighted by how likely it found the frames. The mean of the
product of weights is an unbiased estimate of the probability of the frames, so the expected value of its logarithm is
at most that of the probability, by Jensen's inequality: in expectation the figure is an upper bound, too, which comes
down with N. A note that is said to go on counts as sounding, whether it sounded before or not; to count such as
silent, as `to_notes` does, made a difference of 0.02 nats a frame (four chorales, 64 particles).

Source: Maddison et al., "Filtering variational objectives" (2017), section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.networks.encodings.polyphony import CONTINUED, END, NEW, NUM_CLASSES, START, STEP_END, by_step
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.threads import one_thread
from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets import DatasetPiece
from engine.training.evaluation.held_out.chorales import chorale_events
from engine.training.evaluation.held_out.rnn import log_softmax

_MOST_NOTES = 8
"""In a step between frames; a particle that sings more has its step ended."""


def frame_estimate(
    network: EventSequenceRnn,
    chorales: Sequence[DatasetPiece],
    particles: int,
    seed: int = 0,
    advance: Callable[[float], object] | None = None,
) -> float:
    """Nats per frame, all frames of all chorales counted alike, the first ones as any other.

    Args:
        network: of config "polyphony".
        chorales: one split of the benchmark.
        particles: N.
        seed: of what is drawn.
        advance: told which share of the chorales has been judged.
    """
    rng = np.random.default_rng([seed, particles])
    total, count = 0.0, 0
    for place, piece in enumerate(chorales):
        steps = by_step(chorale_events(piece))[::STEPS_PER_BEAT]
        total -= _Particles(network, particles, rng).log_probability(
            [[(e - NEW) % 128 for e in step] for step in steps]
        )
        count += len(steps)
        if advance:
            advance((place + 1) / len(chorales))
    return total / count


class _Particles:
    """Ways to sing some frames."""

    def __init__(self, network: EventSequenceRnn, count: int, rng: np.random.Generator) -> None:
        self.stack, self.count, self.rng = network.stack, count, rng
        self.weights = np.zeros(count)
        self.logs = np.zeros((count, NUM_CLASSES))
        self.everyone = np.arange(count)

    def log_probability(self, frames: Sequence[Sequence[int]]) -> float:
        """Estimate, in nats, for frames as pitches from the highest down."""
        total = 0.0
        with one_thread():
            self.stack.reset(self.count)
            self._feed(np.full(self.count, START), self.everyone)
            for place, frame in enumerate(frames):
                if place:
                    for _ in range(STEPS_PER_BEAT - 1):
                        self._sing()
                self._sound(frame)
                total += self._resample()
        return total

    def _sound(self, frame: Sequence[int]) -> None:
        """A frame: each of its notes begins or is held on, as each particle likes; then the step ends."""
        for pitch in frame:
            begun, held = self.logs[:, NEW + pitch], self.logs[:, CONTINUED + pitch]
            either = np.logaddexp(begun, held)
            self.weights += either
            begins = self.rng.random(self.count) < np.exp(begun - either)
            self._feed(np.where(begins, NEW + pitch, CONTINUED + pitch), self.everyone)
        self.weights += self.logs[:, STEP_END]
        self._feed(np.full(self.count, STEP_END), self.everyone)

    def _sing(self) -> None:
        """A step between frames: anything but the end of the piece, drawn from the network."""
        going = self.everyone
        for notes in range(_MOST_NOTES + 1):
            if notes == _MOST_NOTES:
                events = np.full(len(going), STEP_END)
                self.weights[going] += self.logs[going, STEP_END]
            else:
                shares = np.exp(self.logs[going])
                shares[:, [START, END]] = 0.0
                edges = np.cumsum(shares, axis=1)
                self.weights[going] += np.log(edges[:, -1])
                drawn = self.rng.random(len(going)) * edges[:, -1]
                events = (edges <= drawn[:, None]).sum(axis=1)
            self._feed(events, going)
            going = going[events != STEP_END]
            if not len(going):
                return

    def _feed(self, events: np.ndarray, rows: np.ndarray) -> None:
        inputs = np.zeros((len(rows), NUM_CLASSES), np.float32)
        inputs[np.arange(len(rows)), events] = 1.0
        self.logs[rows] = log_softmax(self.stack.step(inputs, None if len(rows) == self.count else rows))

    def _resample(self) -> float:
        """Log of the mean weight; the particles go on in proportion to their weights, all with the same."""
        highest = self.weights.max()
        shares = np.exp(self.weights - highest)
        found = float(highest + np.log(shares.mean()))
        places = (self.rng.random() + self.everyone) / self.count
        kept = np.searchsorted(np.cumsum(shares / shares.sum()), places).clip(0, self.count - 1)
        self.stack.take(kept)
        self.logs, self.weights = self.logs[kept], np.zeros(self.count)
        return found

"""Facts about the likelihood of frames on a grid of quarters, which is what the literature gives for chorales."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from engine.networks.encodings import polyphony
from engine.networks.encodings.polyphony import CONTINUED, END, NEW, NUM_CLASSES, START, STEP_END
from engine.networks.rnn.heads import Categorical
from engine.training.datasets import DatasetPiece
from engine.training.evaluation.evaluate import held_out_figures
from engine.training.evaluation.held_out.chorales import chorale_events, chorale_figures
from engine.training.evaluation.held_out.frames import frame_estimate
from tests.training.evaluation.pieces import chorales, notes, small_rnn

C, E, G = 60, 64, 67


class SameShares:
    """A network that expects the same of every event, so that probabilities can be told with a pencil."""

    def __init__(self, shares: dict[int, float]) -> None:
        logs = np.full(NUM_CLASSES, -40.0, np.float32)
        for event, share in shares.items():
            logs[event] = np.log(share)
        self.encoding, self.head = polyphony.PolyphonyEncoding(), Categorical(NUM_CLASSES)
        self.stack = SimpleNamespace(reset=lambda batch: None, take=lambda rows: None, step=self._step)
        self._logs = logs

    def _step(self, inputs: np.ndarray, rows=None) -> np.ndarray:
        assert inputs.shape[1] == NUM_CLASSES
        return np.tile(self._logs, (len(inputs), 1))


SHARES = {STEP_END: 0.4, END: 0.1, NEW + C: 0.2, CONTINUED + C: 0.1, NEW + G: 0.15, CONTINUED + G: 0.05}


def two_quarters() -> DatasetPiece:
    """C held for two beats under an off-beat G: frames {C} and {C}."""
    return DatasetPiece("c", "jsb_chorales", "test", notes([(0.0, 2.0, C, 100), (0.5, 1.0, G, 100)]))


def test_events_are_counted_to_the_last_frame_and_no_further():
    figures = chorale_figures(SameShares(SHARES), [two_quarters()])
    events = chorale_events(two_quarters())
    assert events[:3] == [START, NEW + C, STEP_END]
    assert figures["chorale_frames"] == 2
    off_beats = [CONTINUED + C, STEP_END, NEW + G, CONTINUED + C, STEP_END, CONTINUED + G, CONTINUED + C, STEP_END]
    said = [NEW + C, STEP_END, *off_beats, CONTINUED + C, STEP_END]
    assert events[1 : 1 + len(said)] == said
    assert figures["chorale_frame"] == pytest.approx(-sum(np.log(SHARES[event]) for event in said) / 2, abs=1e-4)
    whole = -sum(np.log(SHARES[event]) for event in events[1:])
    assert figures["chorale_sixteenth"] == pytest.approx(whole / 8, abs=1e-4)
    assert figures["chorale_note"] == pytest.approx(whole / 2, abs=1e-4)


def test_the_estimate_sums_out_what_frames_do_not_say():
    # A step between frames: up to eight notes of any kind, then its end.
    note = sum(share for event, share in SHARES.items() if event >= NEW)
    between = sum(note**count * SHARES[STEP_END] for count in range(9))
    frame = (SHARES[NEW + C] + SHARES[CONTINUED + C]) * SHARES[STEP_END]
    exact = -(2 * np.log(frame) + 3 * np.log(between)) / 2
    found = frame_estimate(SameShares(SHARES), [two_quarters()], 2000, seed=1)
    assert found == pytest.approx(exact, abs=0.01)
    assert found < chorale_figures(SameShares(SHARES), [two_quarters()])["chorale_frame"]


def test_the_estimate_of_a_network_comes_down_with_the_particles_and_stays_under_the_bound():
    network, judged = small_rnn("polyphony"), [two_quarters(), *chorales(1)]
    told = []
    few, many = (frame_estimate(network, judged, count, advance=told.append) for count in (1, 48))
    assert many < few
    assert many < chorale_figures(network, judged)["chorale_frame"]
    assert told == [0.5, 1.0] * 2
    assert frame_estimate(network, judged, 4, seed=2) == frame_estimate(network, judged, 4, seed=2)


def test_only_the_chorales_of_the_benchmark_count_as_such():
    network = small_rnn("polyphony")
    figures = held_out_figures(network, chorales() + chorales(4, "others"))
    assert figures["chorale_frames"] == 34
    assert "chorale_frame_estimate" not in figures
    assert "chorale_frame" not in held_out_figures(network, chorales(4, "others"))

"""Polyphony RNN beside the literature: Bach's chorales on a grid of quarters.

The benchmark (Boulanger-Lewandowski et al., "Modeling temporal dependencies in high-dimensional sequences", ICML 2012)
asks of a network how likely each frame of a chorale is after the frames before it: which of 88 keys sound on each
quarter, as a sum of negative log-likelihoods in nats, averaged over frames. Bai et al. (2018) give 8.45 for an LSTM and
8.10 for a TCN. Its 77 test chorales are the test split of the data set `jsb_chorales`; there they are in their own keys
(the benchmark brings them to C), and on a grid of sixteenths, of which every fourth is a frame.

Polyphony RNN says more than frames: all sixteenths, and which notes begin or are held on. Frames are a function of its
events, so the probability of the frames is the sum over all sequences of events that lead to them, and at least that of
the one sequence that is written: -log p(frames) <= -log p(events). What comes after the last frame's notes need not be
counted, because the frames do not depend on it. Nothing is left out for what the frames do not say, so the figure is
an upper bound, and the true figure of the network is lower.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.networks.encodings import polyphony
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets import DatasetPiece
from engine.training.evaluation.held_out.rnn import event_losses
from engine.training.material import TrainingExcerpt

CHORALES = "jsb_chorales"
"""The source whose pieces are the benchmark's, by their split."""


def chorale_figures(
    network: EventSequenceRnn, chorales: Sequence[DatasetPiece], advance: Callable[[float], object] | None = None
) -> dict[str, float]:
    """How likely a network finds chorales.

    Args:
        network: of config "polyphony".
        chorales: one split of the benchmark.
        advance: told which share of them has been judged.

    Returns:
        "chorale_frame": nats per frame on the grid of quarters, an upper bound, see above; the first frame is counted
        as any other. "chorale_sixteenth": nats per sixteenth of all events, and "chorale_note": per note;
        "chorale_frames": how many frames.
    """
    excerpts = [TrainingExcerpt(np.array(chorale_events(piece)), from_start=False) for piece in chorales]
    total = whole = 0.0
    frames = sixteenths = notes = 0
    for excerpt, (losses, _) in zip(excerpts, event_losses(network, excerpts, advance), strict=True):
        # Where each step ends, of the events that are predicted: all but START.
        ends = np.flatnonzero(excerpt.events[1:] == polyphony.STEP_END)
        count = -(-len(ends) // STEPS_PER_BEAT)
        total += float(losses[: ends[STEPS_PER_BEAT * (count - 1)] + 1].sum())
        whole += float(losses.sum())
        frames += count
        sixteenths += len(ends)
        notes += int(((excerpt.events >= polyphony.NEW) & (excerpt.events < polyphony.CONTINUED)).sum())
    return {
        "chorale_frame": total / frames,
        "chorale_sixteenth": whole / sixteenths,
        "chorale_note": whole / max(1, notes),
        "chorale_frames": float(frames),
    }


def chorale_events(piece: DatasetPiece) -> list[int]:
    """All events of a piece, from `START` to `END`."""
    steps = round(float(piece.events["end"].max()) * STEPS_PER_BEAT)
    return [*polyphony.from_notes(piece.events, steps), polyphony.END]

"""Pianoroll RNN-NADE: going on after frames of a piano roll."""

from __future__ import annotations

import numpy as np

from engine.networks.contract import DEFAULT_SAMPLING, NO_CONDITIONS, Conditions, Extension, Passage, Random, Sampling
from engine.networks.encodings.pianoroll import from_notes, to_notes
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.rnn.generation import generate
from engine.score.time import STEPS_PER_BEAT


class PianorollRnnNade(EventSequenceRnn):
    """A network that plays frames of a piano roll."""

    def extend(
        self,
        passage: Passage,
        beats: float,
        conditions: Conditions = NO_CONDITIONS,
        sampling: Sampling = DEFAULT_SAMPLING,
        rng: Random | None = None,
        count: int = 1,
    ) -> list[Extension]:
        """New music after a passage; keys of the passage that are held down begin anew at its end.

        Magenta draws the first new frame from the state before the primer, by an oversight, and every key by a
        threshold; here the primer counts, and keys are drawn by their probabilities.

        Args:
            passage: what is gone on after.
            beats: length of what is made.
            conditions: none that it takes.
            sampling: the temperature of each key, towards 0 the likelier of up and down; and beam search.
            rng: source of chance.
            count: how many ways to go on.
        """
        primer = from_notes(passage.notes, round(passage.length * STEPS_PER_BEAT))
        steps = round(beats * STEPS_PER_BEAT)
        found = generate(self, self.encoding.stream(), primer, steps, sampling, rng or np.random.default_rng(), count)
        return [
            Extension(to_notes(made.stream.events[len(primer) :]), made.log_likelihood, made.learnt) for made in found
        ]

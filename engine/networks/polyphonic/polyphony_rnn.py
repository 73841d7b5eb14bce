"""Polyphony RNN: going on after music in several voices, or with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.networks.contract import (
    DEFAULT_SAMPLING,
    NO_CONDITIONS,
    Conditions,
    EventStream,
    Extension,
    Passage,
    Random,
    Sampling,
)
from engine.networks.encodings.polyphony import NEW, START, PolyphonyStream, by_step, from_notes, to_notes
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.rnn.generation import Continuation, generate
from engine.score.time import STEPS_PER_BEAT

_EVENTS_PER_STEP = 5
"""How many events a step is taken to need, as Magenta takes it; what a round of beam search is long."""
_MOST_PER_STEP = 40
"""A network that makes more events than this in each step does not find their ends: it is stopped."""


class PolyphonyRnn(EventSequenceRnn):
    """A network that sings several voices on the grid of sixteenths."""

    def extend(
        self,
        passage: Passage,
        beats: float,
        conditions: Conditions = NO_CONDITIONS,
        sampling: Sampling = DEFAULT_SAMPLING,
        rng: Random | None = None,
        count: int = 1,
    ) -> list[Extension]:
        """New music after a passage; notes of the passage that are held on begin anew at its end.

        Args:
            passage: music that is gone on after, or sung again within what is made, as `conditions` say.
            beats: length of what is made.
            conditions: inject_primer and condition_on_primer.
            sampling: how events are chosen.
            rng: source of chance.
            count: how many ways to go on.
        """
        steps = round(beats * STEPS_PER_BEAT)
        primer = from_notes(passage.notes, round(passage.length * STEPS_PER_BEAT))
        found = compose(self, primer, steps, conditions, sampling, rng or np.random.default_rng(), count)
        if not conditions.condition_on_primer:
            return [Extension(to_notes(made.stream.events, steps), made.log_likelihood, made.learnt) for made in found]
        last = (by_step(primer) or [[]])[-1]
        held = [(event - NEW) % 128 for event in last]
        return [
            Extension(to_notes(made.stream.events[len(primer) :], steps, held), made.log_likelihood, made.learnt)
            for made in found
        ]


def compose(
    network: EventSequenceRnn,
    primer: Sequence[int],
    steps: int,
    conditions: Conditions,
    sampling: Sampling,
    rng: Random,
    count: int = 1,
) -> list[Continuation]:
    """Sequences of events that are so many steps longer, at least, than what they go on after.

    Args:
        network, conditions, sampling, rng, count: as in `EventSequenceRnn.extend`.
        primer: events from `START` to the last `STEP_END`. Conditioned on them, what is made begins with them;
            otherwise with `START` alone.
        steps: sixteenths.
    """
    sung = by_step(primer)
    given, before = (primer, len(sung)) if conditions.condition_on_primer else ([START], 0)
    injected = [[]] * before + sung if conditions.inject_primer else []
    most = len(given) + sum(map(len, injected)) + steps * _MOST_PER_STEP

    def wanted(stream: EventStream) -> int:
        assert isinstance(stream, PolyphonyStream)
        missing = before + steps - stream.num_steps
        return _EVENTS_PER_STEP * missing if len(stream.events) < most else 0

    return generate(network, network.encoding.stream(injected), given, wanted, sampling, rng, count)

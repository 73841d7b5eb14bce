"""How an idea leads a network through a phrase: it is stated, the network is primed with it and goes on from it, and of
its candidates kinship with the idea speaks for the one that is played (`engine.generators.neural.curating`). Nothing
that the network made is overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic

import numpy as np

from engine.generators.contract import Request, S_co
from engine.generators.statement import Statement, as_primer, stated
from engine.ideas.idea import Variation
from engine.score.phrase import NOTE, Phrase, in_order, moved
from engine.units import PitchRange

_NEAR = (Variation.EXACT, Variation.TRANSPOSED)


@dataclass(frozen=True, slots=True)
class Leading(Generic[S_co]):
    """An idea at the head of a phrase.

    Attributes:
        head: the statement.
        past: the idea, as the network is primed with it.
        rest: what is asked of the network: the bars behind the statement.
    """

    head: Statement
    past: Phrase
    rest: Request[S_co]

    def joined(self, notes: np.ndarray) -> np.ndarray:
        """The statement, and notes of the network behind it."""
        return in_order(np.concatenate([self.head.notes, moved(notes, self.head.beats)]).astype(NOTE))


def leading(request: Request[S_co], span: PitchRange | None) -> Leading[S_co] | None:
    """How an idea leads through a phrase; None where it is free, or too short to state and go on.

    Args:
        request: what is wanted.
        span: range of the part.
    """
    taken = request.taken
    if taken is None or request.bars < 2:
        return None
    # What is near to the theme is stated at length; what goes far away soon goes its own way.
    head = stated(request, span, 0.75 if taken.variation in _NEAR else 0.5)
    past = as_primer(request)
    if head is None or past is None:
        return None
    bars = round(head.beats / request.meter.beats_per_bar)
    if bars >= request.bars:
        return None
    past = past.slice(0.0, min(head.beats, past.length))
    if not len(past.notes):
        return None
    place = replace(
        request.place,
        bar=request.place.bar + bars,
        first_bar=request.place.first_bar + bars,
        cadences=tuple((end - bars, how) for end, how in request.place.cadences if end > bars),
    )
    # The same idea goes on in the same way, as far as the harmony lets it: so it is known again as a whole.
    seed = int(taken.idea.digest, 16) >> 1 if taken.variation in _NEAR else request.seed
    return Leading(
        head,
        past,
        replace(
            request,
            bars=request.bars - bars,
            place=place,
            seed=seed,
            history=Phrase.of(head.notes, head.beats, past.provenance),
            keys=(),  # the idea stands in the key that holds
            sources={link: _after(source, head.beats, request) for link, source in request.sources.items()},
            taken=None,
        ),
    )


def _after(source: Phrase, beats: float, request: Request) -> Phrase:
    """What another part plays behind the statement; a primer may be of any length, and stays whole."""
    return source.slice(beats, source.length) if abs(source.length - request.beats) < 1e-6 else source

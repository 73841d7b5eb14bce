# pyright: strict
"""The curator: what speaks against a phrase is out, and of the rest the one that suits best is taken.

The same request and the same candidates give the same choice everywhere: scores are rounded, and of equal ones the
first counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from engine.errors import PerpetuumError
from engine.generators.contract import Request
from engine.generators.neural.curating.candidate import Choice, PhraseCandidate
from engine.generators.neural.curating.judging import Judge
from engine.generators.neural.curating.qualities import QUALITIES, Stand
from engine.generators.neural.curating.settings import Taste
from engine.score.phrase import Provenance

ATTEMPTS = 3
"""A degenerate or doubtful phrase is made again with another seed, the last time from a fresh primer, not the past."""

_PLACES = 3
"""Decimals of scores and doubts: less is not heard, and differs between processors."""


def curated(
    attempt: Callable[[int], Sequence[PhraseCandidate]],
    judge: Judge,
    request: Request[Any],
    taste: Taste,
    stand: Stand,
    attempts: int = ATTEMPTS,
) -> Choice:
    """The best of the least doubtful candidates; the first attempt that has one which nothing speaks against is the
    last one.

    Args:
        attempt: makes candidates; called with 0, 1, ...
        judge: looks at each.
        request: for which they are made.
        taste: weights of the qualities.
        stand: where they stand.
        attempts: how many there are at the most. After `ATTEMPTS` of them what is doubtful is good enough.

    Raises:
        PerpetuumError: none can be played.
    """
    problem, kept, least = "", None, float("inf")
    for number in range(attempts):
        made = list(attempt(number))
        doubts: list[float] = []
        for one in made:
            found, doubt = judge(one.notes, request)
            problem = found or problem
            doubts.append(float("inf") if found else round(doubt, _PLACES))
        lowest = min(doubts, default=float("inf"))
        if lowest < least:
            least, kept = lowest, chosen(made, doubts, taste, stand)
        if least <= 0 or (kept is not None and number + 1 >= ATTEMPTS):
            break
    if kept is None:
        raise PerpetuumError(
            f"part {request.part!r}: the network made {problem} in {attempts} attempts",
            "a temperature nearer to 1 or another primer mostly helps",
        )
    return kept


def chosen(candidates: Sequence[PhraseCandidate], doubts: Sequence[float], taste: Taste, stand: Stand) -> Choice:
    """The candidate with the best score among those of least doubt; of equal ones the first.

    Args:
        candidates: at least one.
        doubts: of each; infinite where one cannot be played.
        taste: weights of the qualities.
        stand: where they stand.
    """
    if len(candidates) == 1:
        return Choice(candidates[0])
    measures = {name: measure for name, quality in QUALITIES.items() if (measure := quality(stand)) is not None}
    weights = {name: float(getattr(taste, name)) for name in measures}
    measures = {name: measure for name, measure in measures.items() if weights[name] > 0}
    total = sum(weights[name] for name in measures)
    scores: list[float] = []
    found: list[tuple[tuple[str, float], ...]] = []
    for one, doubt in zip(candidates, doubts, strict=True):
        playable = bool(len(one.notes)) and doubt < float("inf")
        values = {name: _rounded(measure(one)) if playable else 0.0 for name, measure in measures.items()}
        found.append(tuple(values.items()))
        scores.append(_rounded(sum(weights[name] * value for name, value in values.items()) / total) if total else 0.0)
    lowest = min(doubts)
    place = max((place for place, doubt in enumerate(doubts) if doubt == lowest), key=lambda p: (scores[p], -p))
    return Choice(candidates[place], place, tuple(scores), found[place])


def told(provenance: Provenance, choice: Choice) -> Provenance:
    """A provenance that says which candidate was taken, and why."""
    return replace(
        provenance,
        snapped=choice.candidate.snapped,
        chosen=choice.place,
        scores=choice.scores,
        qualities=choice.qualities,
    )


def _rounded(value: float) -> float:
    return round(min(1.0, max(0.0, float(value))), _PLACES) + 0.0

# pyright: strict
"""Which idea a phrase takes up, and how: decided before it is made, from what is remembered and written."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from engine.ideas.idea import DISTANCES, Idea, IdeaKind, TakenUp, Variation, kind_of_role
from engine.ideas.memory import IdeaMemory
from engine.ideas.themes import Theme

_SPREAD = 0.22
"""How far from the wanted distance a variation may lie before it is unlikely."""

_OF_KIND: dict[IdeaKind, frozenset[Variation]] = {
    IdeaKind.MOTIF: frozenset(Variation),
    IdeaKind.GROOVE: frozenset({Variation.EXACT, Variation.ENDING, Variation.THINNED, Variation.TOWARDS}),
    IdeaKind.PROGRESSION: frozenset({Variation.EXACT, Variation.ENDING}),
    IdeaKind.POINT: frozenset({Variation.EXACT, Variation.TOWARDS}),
}
"""What can become of which ideas."""


def known_ideas(
    memory: IdeaMemory, themes: Mapping[str, Theme], role: str, part: str, peers: Collection[str], points: bool = False
) -> dict[str, Idea]:
    """The themes that a part can take up, by name: as they are written, or as they are remembered.

    Args:
        memory: at the bar that counts.
        themes: of the scene, by the names that they go by in this pass.
        role: that the part plays.
        part: who plays.
        peers: parts of the same role, of which it takes up what it has not played itself.
        points: it goes the same way through a network's space as its peers, and all come back to the same places.
    """
    if points:
        places = {name: memory.theme(name, IdeaKind.POINT, "", peers) for name in themes}
        return {name: idea for name, idea in places.items() if idea is not None}
    kind = kind_of_role(role)
    found = {name: theme.written.get(role) or memory.theme(name, kind, part, peers) for name, theme in themes.items()}
    return {name: idea for name, idea in found.items() if idea is not None}


def take_up(
    known: Mapping[str, Idea],
    theme: str,
    recall: float,
    vary: float,
    variations: Sequence[Variation],
    opening: bool,
    rng: np.random.Generator,
) -> TakenUp | None:
    """What a phrase takes up; None where it is free, or where nothing is known of its theme.

    Args:
        known: themes by name.
        theme: of the passage.
        recall: how often a phrase takes up its theme, 0..1.
        vary: how far it is varied, 0..1.
        variations: those that may be; none means all.
        opening: the phrase opens a section, which is known by its theme.
        rng: decides; always draws the same number of times.
    """
    chance, which, how_far, whom = rng.random(4).tolist()
    idea = known.get(theme)
    if idea is None or recall <= 0 or (chance >= recall and not opening):
        return None
    others = [other for name, other in known.items() if name != theme]
    allowed = [
        one
        for one in Variation
        if one in _OF_KIND[idea.kind]
        and (not variations or one in variations)
        and (others or one is not Variation.TOWARDS)
    ]
    if vary <= 0 or not allowed:
        return TakenUp(idea)
    # Now nearer to the theme, now up to twice as far as on average; a section opens with what is easily known again.
    wanted = min(1.0, vary * 2 * how_far) * (0.5 if opening else 1.0)
    weights = [float(np.exp(-abs(DISTANCES[one] - wanted) / _SPREAD * 2)) for one in allowed]
    sums = list(itertools.accumulate(weights))
    variation = allowed[next((place for place, total in enumerate(sums) if which * sums[-1] < total), -1)]
    other = others[min(int(whom * len(others)), len(others) - 1)] if variation is Variation.TOWARDS else None
    return TakenUp(idea, variation, wanted, other)

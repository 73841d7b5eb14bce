"""Which idea a phrase takes up, and how far it goes from it."""

import itertools

import numpy as np
import pytest

from engine.ideas.choice import take_up
from engine.ideas.idea import DISTANCES, Variation
from tests.ideas.making import idea

KNOWN = {"A": idea(), "B": idea((72, 71, 69, 67), theme="B")}


def taken(recall=1.0, vary=0.5, variations=(), opening=False, theme="A", count=300):
    return [
        take_up(KNOWN, theme, recall, vary, variations, opening, np.random.default_rng(seed)) for seed in range(count)
    ]


def test_how_often_is_how_often():
    share = np.mean([one is not None for one in taken(recall=0.4, count=2000)])
    assert 0.36 < share < 0.44


@pytest.mark.parametrize(("recall", "always"), [(0.01, True), (0.0, False)])
def test_a_section_opens_with_its_theme_unless_the_part_never_recalls(recall, always):
    assert all((one is not None) == always for one in taken(recall=recall, opening=True))


def test_nothing_is_known_of_a_theme_that_was_not_heard():
    assert not any(taken(theme="C"))


def test_the_more_is_varied_the_farther_it_goes():
    means = [np.mean([DISTANCES[one.variation] for one in taken(vary=vary)]) for vary in (0.0, 0.2, 0.5, 1.0)]
    assert means[0] == 0.0
    assert all(after > before + 0.05 for before, after in itertools.pairwise(means))


def test_only_the_variations_that_may_be_are():
    found = {one.variation for one in taken(variations=(Variation.INVERTED, Variation.EXACT))}
    assert found == {Variation.INVERTED, Variation.EXACT}


def test_it_goes_towards_another_idea_only_where_there_is_one():
    assert {one.other.theme for one in taken(vary=1.0) if one.variation is Variation.TOWARDS} == {"B"}
    alone = [take_up({"A": KNOWN["A"]}, "A", 1.0, 1.0, (), False, np.random.default_rng(seed)) for seed in range(99)]
    assert all(one.variation is not Variation.TOWARDS for one in alone)

"""Writing chorales around what is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.networks import build_network
from engine.networks.chorale.configs import CHORALE
from engine.networks.chorale.network import ChoraleNetwork
from engine.networks.chorale.notes import line_of, to_notes, voices_of
from engine.networks.chorale.writing import FREE, HOLD, Writing, write
from engine.score.harmony.counterpoint import found
from tests.networks.chorale.test_network import random_piece, random_weights


@pytest.fixture(scope="module")
def network() -> ChoraleNetwork:
    weights = random_weights()
    # Quiet enough that all notes have a chance.
    return build_network(CHORALE, {name: 0.3 * value for name, value in weights.items()})


def test_what_is_given_is_sung(network):
    given = np.full((12, 4), FREE)
    given[:, 0] = random_piece(12)[:, 0]
    given[8:, 1] = HOLD
    classes = np.ones((12, 4, 12), bool)
    classes[4:, 3] = np.arange(12) == 7
    for made in write(network, Writing(12, given, classes, particles=4, passes=2), np.random.default_rng(0)):
        assert (made.piece[:, 0] == given[:, 0]).all()
        assert (made.piece[4:, 3] % 12 == 7).all()
        assert (made.piece[8:, 1] == made.piece[7, 1]).all()


def test_the_same_seed_writes_the_same(network):
    one, other = (
        [made.piece.tolist() for made in write(network, Writing(6, particles=3), np.random.default_rng(5))]
        for _ in range(2)
    )
    assert one == other
    assert one[0] != one[1]


def test_without_rests_nobody_is_silent_and_all_stay_in_their_ranges(network):
    for made in write(network, Writing(20, rests=False, particles=4), np.random.default_rng(1)):
        assert (made.piece >= [60, 52, 46, 36]).all()
        assert (made.piece <= [81, 76, 70, 65]).all()


def test_free_pieces_are_as_likely_as_the_network_finds_them(network):
    (made,) = write(network, Writing(9), np.random.default_rng(2))
    heard = network.hear(made.piece)
    assert made.log_likelihood == pytest.approx(-heard.losses[:-1].sum(), rel=1e-4)


def test_particles_follow_what_the_network_finds_likely_given_the_future():
    """Two sixteenths whose tenor may be of a class, and voices that are given: its shares are those of the exact
    posterior, which is enumerated."""
    network = build_network(CHORALE, random_weights(seed=4))
    given = np.full((2, 4), FREE)
    given[0] = [70, 64, FREE, 50]
    given[1] = [71, 64, HOLD, 52]
    wanted = {}
    classes = np.ones((2, 4, 12), bool)
    classes[0, 2] = np.arange(12) == 10
    for tenor in (46, 58, 70):
        piece = np.array([[70, 64, tenor, 50], [71, 64, tenor, 52]])
        wanted[tenor] = float(np.exp(-network.hear(piece).losses[:-1].sum()))
    shares = {tenor: value / sum(wanted.values()) for tenor, value in wanted.items()}
    rng = np.random.default_rng(0)
    counts: dict[int, int] = dict.fromkeys(wanted, 0)
    for _ in range(20):
        found = write(network, Writing(2, given, classes, particles=32), rng)
        weights = np.exp([one.log_weight for one in found])
        for one in rng.choice(len(found), 8, p=weights / weights.sum()).tolist():
            counts[int(found[one].piece[0, 2])] += 1
    for tenor, share in shares.items():
        assert counts[tenor] / 160 == pytest.approx(share, abs=0.12)


def test_a_past_is_gone_on_from(network):
    past = random_piece(7)
    (made,) = write(network, Writing(3), np.random.default_rng(3), past)
    whole = network.hear(np.concatenate([past, made.piece]))
    assert made.log_likelihood == pytest.approx(-whole.losses[28:40].sum(), rel=1e-4)


def test_parallels_that_cost_much_are_not_sung_and_nobody_goes_above_the_highest(network):
    """As the judge of counterpoint counts them, which knows nothing of how they are avoided."""
    asked = Writing(60, rests=False, highest=75, particles=4, temperature=8.0)
    free = write(network, asked, np.random.default_rng(6))
    strict = write(network, replace(asked, parallels=30.0), np.random.default_rng(6))
    assert sum(found(made.piece).fifths + found(made.piece).octaves for made in free) > 5
    assert sum(found(made.piece).fifths + found(made.piece).octaves for made in strict) == 0
    assert max(int(made.piece.max()) for made in free) <= 75


def test_pieces_may_end(network):
    found = write(network, Writing(200, may_end=True, particles=4), np.random.default_rng(4))
    ended = [made for made in found if made.ended]
    assert ended
    assert all(0 < len(made.piece) < 200 for made in ended)


def test_notes_come_back_as_the_voices_that_sang_them():
    piece = np.array([[70, 64, 58, 50]] * 4 + [[72, 64, 57, 41]] * 4)
    assert (voices_of(to_notes(piece), 8) == piece).all()
    assert (line_of(to_notes(piece), 8) == piece[:, 0]).all()

"""Which corpus a melody is nearest to is told by how it moves, never by its key."""

import numpy as np
import pytest

from tests.proofs.nearest import BEATS, decoys, features, learnt, windows


def scales(rng, count):
    """Pieces that go up and down by steps, in eighths."""
    made = []
    for _ in range(count):
        steps = np.cumsum(rng.choice([-2, -1, 1, 2], 64))
        made.append(windows(zip(np.arange(64) / 2, (64 + steps).tolist(), strict=True)))
    return made


def test_windows_are_those_with_notes_enough_and_begin_at_their_own_bar():
    line = [(beat, 60 + int(beat) % 5) for beat in np.arange(0, 2 * BEATS, 1.0)] + [(2 * BEATS + 1, 60)]
    found = windows(line)
    assert [len(one) for one in found] == [16, 16]
    assert found[1][0].tolist() == [0.0, 61.0]


@pytest.mark.parametrize("shift", [1, 5, 11])
def test_features_are_the_same_in_every_key(shift):
    one = scales(np.random.default_rng(1), 1)[0][0]
    assert features(one + np.array([0, shift])) == pytest.approx(features(one))


def test_what_moves_by_steps_is_told_from_the_same_notes_in_another_order():
    rng = np.random.default_rng(2)
    pieces = scales(rng, 40)
    _, right = learnt({"steps": pieces, **decoys(pieces, rng)}, rng)
    assert right > 0.6  # by chance a third

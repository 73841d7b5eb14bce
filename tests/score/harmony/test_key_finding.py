"""Facts about finding keys."""

from __future__ import annotations

import numpy as np
import pytest

from engine.score.harmony.key_finding import find_key


@pytest.mark.parametrize(
    ("tonic", "mode", "steps"),
    [
        (7, "major", (0, 4, 7, 0, 5, 9, 7, 11, 2, 7, 12, 4, 0)),
        (9, "minor", (0, 3, 7, 0, 5, 8, 7, 11, 2, 7, 12, 3, 0)),
        (1, "major", (0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0)),
    ],
)
def test_tunes_are_in_their_keys(tonic, mode, steps):
    key = find_key(60 + tonic + np.array(steps), np.ones(len(steps)))
    assert key is not None
    assert (key.tonic, key.mode) == (tonic, mode)


def test_nothing_and_everything_alike_have_no_key():
    assert find_key(np.zeros(0, int), np.zeros(0)) is None
    assert find_key(np.arange(60, 72), np.ones(12)) is None

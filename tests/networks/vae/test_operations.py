"""What one does with a latent space."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.networks.sphere import slerp
from engine.networks.vae import operations
from engine.networks.vae.operations import Loop, Wander, interpolate
from tests.networks.vae.golden import VaeGolden, small_network

FLAT = "cat-mel_2bar_small"
A, B = np.random.default_rng(5).standard_normal((2, 16))


def angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))


def test_a_way_begins_and_ends_at_its_ends():
    way = interpolate(A, B, 7)
    assert way.shape == (7, 16)
    assert np.allclose(way[[0, -1]], [A, B])


def test_a_way_turns_evenly():
    unit = interpolate(A / np.linalg.norm(A), B / np.linalg.norm(B), 9)
    turns = [angle(a, b) for a, b in pairwise(unit)]
    assert np.allclose(turns, angle(A, B) / 8, atol=1e-3)
    assert np.allclose(np.linalg.norm(unit, axis=1), 1.0)


def test_between_identical_ends_nothing_moves():
    assert np.allclose(interpolate(A, A, 5), A)
    assert np.allclose(interpolate(A, 2 * A, 3), [A, 1.5 * A, 2 * A])


def test_between_opposite_ends_there_is_a_way_at_the_same_radius():
    way = interpolate(A, -A, 5)
    assert np.isfinite(way).all()
    assert np.allclose(way[[0, -1]], [A, -A], atol=1e-6)
    assert np.allclose(np.linalg.norm(way, axis=1), np.linalg.norm(A))


def test_from_nothing_the_way_is_straight():
    assert np.allclose(interpolate(np.zeros(4), np.ones(4), 3), [np.zeros(4), np.full(4, 0.5), np.ones(4)])
    assert np.array_equal(slerp(np.zeros(4), np.zeros(4), 0.3), np.zeros(4))


def test_a_way_of_one_step_is_refused():
    with pytest.raises(ValueError, match="two steps"):
        interpolate(A, B, 1)


def test_a_loop_passes_its_points_and_comes_back():
    points = np.random.default_rng(1).standard_normal((4, 16))
    loop = Loop(points)
    for point, time in zip(points, loop.times, strict=False):
        assert np.allclose(loop.at(time), point, atol=1e-5)
        assert np.allclose(loop.at(time + 3), point, atol=1e-4)
        assert np.allclose(loop.at(time - 1), point, atol=1e-4)


def test_a_loop_turns_evenly_however_far_its_points_are():
    points = [np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([0.1, 1.0, 0])]
    loop = Loop([point / np.linalg.norm(point) for point in points])
    way = [loop.at(time) for time in np.linspace(0, 1, 241)]
    turns = np.array([angle(a, b) for a, b in pairwise(way)])
    inside = turns[np.abs(turns - np.median(turns)) < 1e-3]
    assert len(inside) >= 236, "all but those that a point lies in"


def test_a_loop_can_be_paced_and_of_one_point_stands_still():
    assert np.allclose(Loop([A, B], pace=[3.0, 1.0]).at(0.75), B)
    assert np.allclose(Loop([A, B], pace=[0.0, 0.0]).at(0.5), B)
    assert np.allclose(Loop([A]).at(0.4), A)


@pytest.mark.parametrize(("points", "pace"), [([], None), ([A, B], [1.0]), ([A, B], [1.0, -1.0])])
def test_a_loop_without_points_or_with_other_paces_is_refused(points, pace):
    with pytest.raises(ValueError, match=r"walk passes|legs"):
        Loop(points, pace)


def test_wandering_is_decided_by_seed_and_time_alone():
    times = [0.0, 5.5, 1234567.25, -3.75]
    first = [Wander(7, 64).at(time) for time in times]
    again = [Wander(7, 64).at(time) for time in reversed(times)][::-1]
    assert np.array_equal(first, again)
    assert not np.allclose(first[0], Wander(8, 64).at(0.0))
    assert len({vector.tobytes() for vector in first}) == 4


def test_wandering_stays_where_the_prior_is_and_moves_without_jumps():
    wander = Wander(3, 2048)
    way = np.array([wander.at(time) for time in np.arange(-2, 6, 0.05)])
    assert np.abs(way.std(axis=1) - 1).max() < 0.06
    assert np.abs(way.mean(axis=1)).max() < 0.1
    strides = np.linalg.norm(np.diff(way, axis=0), axis=1)
    assert strides.max() < 1.6 * strides.min()
    assert abs(np.corrcoef(way[0], way[-1])[0, 1]) < 0.1


def test_samples_differ_by_z_and_with_one_z_by_chance_alone():
    network = small_network(FLAT)

    def made(same_z: bool, temperature: float | None) -> np.ndarray:
        rng = np.random.default_rng(1)
        return operations.sample(network, 6, rng, temperature=temperature, same_z=same_z)

    assert made(False, 1.0).shape == (6, 32, 90)
    assert len({music.tobytes() for music in made(False, None)}) > 1
    assert len({music.tobytes() for music in made(True, None)}) == 1
    assert len({music.tobytes() for music in made(True, 1.0)}) == 6


def test_music_that_is_heard_and_said_again_is_the_decoded_mean():
    known = VaeGolden(f"{FLAT}_small")
    again = operations.reconstruct(known.network, known["enc_inputs"])
    assert np.array_equal(again, known.network.decode(known["enc_mu"]))


def test_changes_are_counted_along_the_way():
    network = VaeGolden("cat-mel_2bar_small_full").network
    a, b = np.random.default_rng(3).standard_normal((2, 256))
    there, back = operations.changes(network, [a, b])
    assert there == back >= 1
    ends = network.decode(np.stack([a, b]).astype(np.float32)).argmax(axis=2)
    assert there >= (ends[0] != ends[1]).sum()
    assert operations.changes(network, [a]).tolist() == [0.01]

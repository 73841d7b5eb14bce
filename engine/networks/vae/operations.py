"""What one does with a latent space: sample it, hear music again through it, go from point to point, walk without end.

    z = interpolate(mu_a, mu_b, 5)                 # ends included
    walk = Loop([mu_a, mu_b, mu_c])                # walk.at(t): any t, one round is 1
    walk = Wander(seed=7, size=256)                # walk.at(t): never the same again
    outputs = network.decode(walk.at(0.25)[None])

Source: Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music", sections 5
and 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.networks.contract import Random
from engine.networks.sphere import angle_between, slerp
from engine.networks.vae.music_vae import MusicVae


def sample(
    network: MusicVae,
    count: int,
    rng: np.random.Generator,
    length: int | None = None,
    temperature: float | None = 1.0,
    same_z: bool = False,
    controls: np.ndarray | None = None,
) -> np.ndarray:
    """New music from the prior, [count, T, output_size].

    Args:
        network: what decodes.
        count: how many sequences.
        rng: draws z, then the choices.
        length: steps; None for an example's.
        temperature: None for the likeliest choices.
        same_z: one z for all, so that they differ by the choices alone.
        controls: as in `MusicVae.decode`.
    """
    z = rng.standard_normal((1 if same_z else count, network.latent_size))
    return network.decode(np.broadcast_to(z, (count, network.latent_size)), length, controls, temperature, rng)


def reconstruct(
    network: MusicVae,
    inputs: np.ndarray,
    lengths: np.ndarray | None = None,
    controls: np.ndarray | None = None,
    temperature: float | None = None,
    rng: Random | None = None,
) -> np.ndarray:
    """Sequences as the network hears and says them again, [B, T, output_size]; arguments as in `MusicVae`."""
    mu, _ = network.encode(inputs, lengths, controls)
    return network.decode(mu, np.shape(inputs)[1], controls, temperature, rng)


def interpolate(first: np.ndarray, last: np.ndarray, steps: int) -> np.ndarray:
    """Vectors [steps, Z] from one to another by `slerp`, both ends included.

    Raises:
        ValueError: less than two steps.
    """
    if steps < 2:
        raise ValueError(f"both ends make two steps at least, not {steps}")
    return np.stack([slerp(first, last, share) for share in np.linspace(0.0, 1.0, steps)]).astype(np.float32)


class Loop:
    """A walk from point to point and back to the first, round and round at even speed.

    Even means: equal times turn z by equal angles; or, with `pace`, change the music equally much.

    Args:
        points: latent vectors [Z] to pass, in order; one alone is a walk on the spot.
        pace: how much changes on each leg, from point i to i + 1, and from the last to the first; None for the angles
            between them. `changes` measures it.

    Raises:
        ValueError: there is no point, or not as many paces as legs.
    """

    def __init__(
        self, points: Sequence[np.ndarray] | np.ndarray, pace: Sequence[float] | np.ndarray | None = None
    ) -> None:
        if not len(points):
            raise ValueError("a walk passes one point at least")
        self._points = [np.asarray(point, np.float64) for point in points]
        self._next = [*self._points[1:], self._points[0]]
        legs = zip(self._points, self._next, strict=True)
        costs = np.array([angle_between(a, b) for a, b in legs] if pace is None else pace, np.float64)
        if costs.shape != (len(points),) or not (costs >= 0.0).all():
            raise ValueError(f"a loop of {len(points)} points has {len(points)} legs, each of some length")
        edges = np.concatenate([[0.0], costs.cumsum()])
        self.times = edges / edges[-1] if edges[-1] else np.linspace(0.0, 1.0, len(edges))
        """[n + 1], when each point is passed: 0 for the first, 1 for the first again."""

    def at(self, time: float) -> np.ndarray:
        """The vector [Z] at a time; one round lasts from 0 to 1, and every whole number is the first point."""
        place = time - math.floor(time)
        leg = min(int(np.searchsorted(self.times, place, side="right")) - 1, len(self._points) - 1)
        start, end = self.times[leg], self.times[leg + 1]
        share = (place - start) / (end - start) if end > start else 0.0
        return slerp(self._points[leg], self._next[leg], share).astype(np.float32)


class Wander:
    """A walk that nothing ends and nothing repeats: at every time a vector as the prior draws it, near times near.

    Between times that are 4 apart nothing is left of where it was. It is decided by seed and time alone: a cubic
    B-spline over normal vectors, one per whole number, scaled to the deviation of 1 at every time.

    Args:
        seed: decides the way.
        size: Z.
    """

    def __init__(self, seed: int, size: int) -> None:
        self._seed, self._size = seed, size

    def at(self, time: float) -> np.ndarray:
        """The vector [Z] at a time."""
        whole = math.floor(time)
        u = time - whole
        weights = np.array([(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, 3 * (u + u**2 - u**3) + 1, u**3])
        knots = np.stack([self._knot(whole + number) for number in range(4)])
        return (weights @ knots / np.linalg.norm(weights)).astype(np.float32)

    def _knot(self, number: int) -> np.ndarray:
        # Seeds are made of numbers that are not negative; times before 0 are a way of their own.
        entropy = (self._seed & 0xFFFFFFFFFFFFFFFF, abs(number), int(number < 0))
        return np.random.default_rng(entropy).standard_normal(self._size)


def changes(network: MusicVae, points: Sequence[np.ndarray], controls: np.ndarray | None = None) -> np.ndarray:
    """How much the music changes on each leg of a loop, [n]: sixteenths whose likeliest choice is another, counted
    along the way, not between its ends; a leg without any change counts as a hundredth of one.

    Args:
        network: what decodes.
        points: of the loop.
        controls: as in `MusicVae.decode`.
    """
    parts = 8
    following = [*points[1:], points[0]]
    way = [slerp(a, b, part / parts) for a, b in zip(points, following, strict=True) for part in range(parts)]
    heard = network.decode(np.stack([*way, way[0]]).astype(np.float32), controls=controls)
    changed = (np.abs(np.diff(heard, axis=0)).max(axis=2) > 0.5).sum(axis=1)
    return np.maximum(changed.reshape(len(points), parts).sum(axis=1), 0.01)

"""Ways through the latent space of a MusicVAE: where a stretch of music lies on them is decided by its place alone.

So a scene's music is the same however it is cut into phrases, and a way that is left is found again further along.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.generators.chance import stream
from engine.generators.contract import Place
from engine.generators.neural.settings import MusicVaeSettings
from engine.networks.sphere import slerp
from engine.networks.vae.operations import Loop, Wander


def latent_at(
    settings: MusicVaeSettings,
    place: Place,
    bar: int,
    bars: int,
    points: Sequence[np.ndarray],
    size: int,
    seed: Sequence[object],
) -> np.ndarray:
    """The latent vector [Z] of a window of music.

    Args:
        settings: mode, pace and way.
        place: of the phrase that is asked for.
        bar: first bar of the window, counted from the start of the section; a multiple of `bars`.
        bars: length of all windows.
        points: latent vectors on the way, each [Z]; may be empty.
        size: Z.
        seed: what decides on points that are not given: (number, word, ...).
    """
    if settings.mode == "sample":
        return _drawn(size, seed, "sample", place.pass_index, bar)
    if settings.mode == "interpolate":
        known = [*points, *(_drawn(size, seed, "end", number) for number in range(2 - len(points)))]
        # The section's last window is at the last point; a section of one window stays at the first.
        last = (place.section_bars - 1) // bars * bars
        share = min(1.0, bar / last) if last else 0.0
        return _between(known, share * (len(known) - 1))
    # A walk goes on through all sections: it is measured in bars of the performance.
    stride = max(0, place.first_bar - place.bar + bar) / settings.pace
    if not points:
        number = int(_chance(seed, "walk").integers(2**63))
        return Wander(number, size).at(stride)
    if len(points) == 1:
        # Away from the one known point and back again, each time to another one.
        far = _drawn(size, seed, "far", int(stride // 2))
        return Loop([points[0], far]).at(stride / 2)
    return Loop(points).at(stride / len(points))


def numbered_point(number: int, size: int) -> np.ndarray:
    """The point [Z] that a number stands for: the same in every scene with the same network."""
    return _drawn(size, (number,), "point")


def _chance(seed: Sequence[object], *words: object) -> np.random.Generator:
    number, *more = seed
    assert isinstance(number, int)
    return stream(number, *more, *words)


def _drawn(size: int, seed: Sequence[object], *words: object) -> np.ndarray:
    return _chance(seed, *words).standard_normal(size).astype(np.float32)


def _between(points: Sequence[np.ndarray], position: float) -> np.ndarray:
    """The vector at a position 0..n-1 on the arcs from point to point."""
    if len(points) == 1:
        return points[0]
    left = min(int(position), len(points) - 2)
    return slerp(points[left], points[left + 1], position - left).astype(np.float32)

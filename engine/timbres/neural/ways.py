# pyright: strict
"""Where a position on the way through several points lies. Light."""

from __future__ import annotations


def leg_at(points: int, position: float) -> tuple[int, float]:
    """(number of the point that it lies behind, share of the way from that to the next one).

    Args:
        points: of the way, evenly far from each other.
        position: 0 at the first, 1 at the last; beyond them it stands still.
    """
    way = min(max(position, 0.0), 1.0) * (points - 1)
    leg = min(int(way), max(0, points - 2))
    return leg, way - leg

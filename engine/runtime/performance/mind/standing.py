# pyright: strict
"""How a performance stands, as whoever decides sees it."""

from __future__ import annotations

from collections.abc import Set

from engine.conductor.conductor import Conductor
from engine.runtime.performance.course import Snapshot
from engine.runtime.performance.messages import SoundProgress


def snapshot_of(conductor: Conductor, progress: SoundProgress, muted: Set[str]) -> Snapshot:
    """The performance now.

    Args:
        conductor: that decides it.
        progress: of its sound.
        muted: names of parts that a hand has silenced.
    """
    plan = conductor.plan
    visit = plan.pass_at(conductor.next_bar)
    return Snapshot(
        title=plan.scene.title,
        seed=plan.seed,
        section=visit.section.name,
        pass_index=visit.index,
        next_bar=conductor.next_bar,
        made=progress.made,
        heard=progress.heard,
        parts=visit.players,
        muted=tuple(sorted(muted)),
        solo=conductor.solo,
    )

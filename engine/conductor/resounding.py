# pyright: strict
"""What a sound graph that is built anew needs to go on at a bar line: where controls stand, and the notes that ring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.conductor.phrases.lines import PlayedLine
from engine.conductor.sealing import RING, Controls
from engine.form.plan import Plan
from engine.sound.messages import NOTE_EVENT, Notes

SHORTEST = 0.125
"""Beats; what rings on for less is not struck again."""


@dataclass(frozen=True, slots=True)
class Resounding:
    """What sounds at a bar line.

    Attributes:
        start: frame of the bar line.
        controls: where levels, pans and sends stand.
        notes: those that began before and end after, as if they began at the bar line.
    """

    start: int
    controls: Controls
    notes: tuple[Notes, ...]


def resounding(
    plan: Plan, index: int, lines: Mapping[str, PlayedLine], controls: Controls, solo: str | None
) -> Resounding:
    """What sounds when a bar begins.

    Args:
        plan: that is played.
        index: of the bar.
        lines: what the parts have played, and play next.
        controls: where they stand there.
        solo: the only part that is heard; None for all.
    """
    visit = plan.pass_at(index)
    heard = plan.sounding(visit) if solo is None else plan.sounding(visit) & {solo}
    found: list[Notes] = []
    for name, line in lines.items():
        rows: list[tuple[int, int, int, int]] = []
        for decided in line.decided if name in heard else ():
            if not decided.first_bar < index:
                continue
            past = (index - decided.first_bar) * decided.beats_per_bar
            # As it was sealed: what belongs to a pass before this one rings on for `RING` beats at most.
            ended = decided.first_bar < visit.first_bar
            limit = (visit.first_bar - decided.first_bar) * decided.beats_per_bar + RING if ended else float("inf")
            for start, end, pitch, velocity in decided.phrase.notes.tolist():
                left = min(end, limit) - past
                if start < past and left >= SHORTEST:
                    rows.append((plan.bar(index).start, plan.frame_at(index, left), pitch, velocity))
        if rows:
            found.append(Notes(name, np.array(rows, NOTE_EVENT)))
    return Resounding(plan.bar(index).start, dict(controls), tuple(found))

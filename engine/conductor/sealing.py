# pyright: strict
"""What a decided bar is to the sound: notes on the sample clock, and ramps of what moves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.conductor.phrases.requests import sound_settings_at, values_at
from engine.events import PartBar
from engine.form.passes import Pass
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.score.time import SAMPLE_RATE, Bar
from engine.sound.messages import NOTE_EVENT, Control, Notes, Ramp

SETTLE = SAMPLE_RATE // 20
"""Frames over which a control moves to its new value when a section begins (50 ms: heard as at once, without click)."""

RING = 2.0
"""Beats by which a note may ring on beyond the end of its section."""

Controls = Mapping[tuple[str, Control], float]
"""Where the controls of the parts stand at a bar line, by part and control; none before the first bar."""


def notes_of(plan: Plan, index: int, sealed: PartBar) -> Notes:
    """The notes of a part in a bar on the sample clock."""
    bar = plan.bar(index)
    limit = (plan.pass_at(index).end_bar - index) * bar.beats + RING
    rows: list[tuple[float, float, int, int]] = sealed.phrase.notes.tolist()
    events = np.zeros(len(rows), NOTE_EVENT)
    for place, (start, end, pitch, velocity) in enumerate(rows):
        on = bar.frame_at(start)
        off = plan.frame_at(bar.index, min(end, max(limit, start + 0.25)))
        events[place] = (on, max(off, on + 1), pitch, velocity)
    return Notes(sealed.part, events)


def ramps_over(
    scene: Scene, bar: Bar, visit: Pass, times: tuple[float, float], controls: Controls
) -> tuple[list[Ramp], Controls]:
    """Ramps of levels, pans and sends that move in a bar or differ from where they stand, and where they end.

    Args:
        scene: what plays.
        bar: on the clock.
        visit: the pass that it lies in.
        times: of the day, in seconds, at its beginning and its end.
        controls: where they stand.
    """
    ramps: list[Ramp] = []
    after = dict(controls)
    moved = {(move.part, move.target) for move in visit.section.moves if move.transform is None}
    daily = {(move.part, move.target) for move in scene.day if move.transform is None} - moved
    for name, part in scene.parts.items():
        begin, finish = (
            sound_settings_at(
                part,
                values_at(scene, name, visit, visit.progress(index), time_of_day),
                *visit.levels(index, index),
            )
            for index, time_of_day in zip((bar.index, bar.index + 1), times, strict=True)
        )
        for control, value in begin.items():
            known = after.get((name, control))
            if known is not None and (name, control) in daily:
                value = known  # where the clock leaps, a level takes a bar to follow
            start = bar.start
            if known != value:
                ramps.append(Ramp(name, control, value, start, start + SETTLE))
                start += SETTLE
            if finish[control] != value:
                ramps.append(Ramp(name, control, finish[control], start, bar.end))
            after[name, control] = finish[control]
    return ramps, after

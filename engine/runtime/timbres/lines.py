# pyright: strict
"""What sections and the time of day say of timbres at a section line."""

from __future__ import annotations

from collections.abc import Mapping

from engine.conductor.phrases.requests import values_at
from engine.form.curves import timbre_setting
from engine.form.plan import Plan
from engine.form.scene import Scene

MovedTimbres = Mapping[str, Mapping[str, float]]
"""Settings of timbres that are moved, by part and name."""


def moved_parts(scene: Scene) -> frozenset[str]:
    """The parts whose timbre a section or the time of day moves."""
    moves = (*scene.day, *(move for section in scene.sections.values() for move in section.moves))
    return frozenset(move.part for move in moves if timbre_setting(move.target))


def moved_at(plan: Plan, bar: int) -> MovedTimbres:
    """What the section that a bar belongs to, or else the time of day at that section's first bar, moves.

    Args:
        plan: is laid out up to there, if anything moves at all.
        bar: of the performance.
    """
    parts = moved_parts(plan.scene)
    if not parts:
        return {}
    visit = plan.pass_at(bar)
    now = plan.time_of_day(visit.first_bar)
    found: dict[str, dict[str, float]] = {}
    for part in sorted(parts):
        for (target, _), value in values_at(plan.scene, part, visit, 0.0, now).items():
            if name := timbre_setting(target):
                found.setdefault(part, {})[name] = value
    return found


def section_lines(plan: Plan, frames: int) -> list[tuple[int, MovedTimbres]]:
    """The bars at which sections begin, up to a frame, and what is moved of timbres there."""
    bars = [plan.tempo_map.first_index]
    while plan.bar((end := plan.pass_at(bars[-1]).end_bar) - 1).end < frames:
        bars.append(end)
    return [(bar, moved_at(plan, bar)) for bar in bars]

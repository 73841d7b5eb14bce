# pyright: strict
"""What the conductor remembers of the ideas that were heard, and what of it a phrase is asked to take up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from engine.conductor.phrases.lines import DecidedPhrase, Line
from engine.form.passes import Slot
from engine.form.plan import Plan
from engine.form.scene import Part, Scene, Tempo
from engine.form.seeds import derive_seed
from engine.form.themes import theme_of, themes_in
from engine.generators.contract import Role, Settings
from engine.generators.neural.curating.settings import CuratedSettings
from engine.generators.recall import RecallSettings
from engine.ideas.choice import known_ideas, take_up
from engine.ideas.idea import IdeaKind, TakenUp, idea_of, kind_of_role
from engine.ideas.memory import HeardIdea, IdeaMemory
from engine.ideas.wear import HeardFigures, figures_of

_AHEAD = 24.0
"""Seconds ahead that phrases are asked for: what is heard less than that before a phrase cannot be known yet. It is
the same for every conductor, or a rendering would remember other things than a performance."""


def lag_of(scene: Scene) -> int:
    """Bars that lie at least between what is remembered and the phrase that remembers it.

    They cover the time that phrases are asked for ahead, at the fastest tempo, and the phrases by which a part may be
    further ahead than the one that listens to it.
    """
    fastest = max(_fastest(scene)) * (max(scene.form.tempo.high, 1.0) if scene.form is not None else 1.0)
    bars = math.ceil(_AHEAD * fastest / 60.0 / scene.meter.beats_per_bar)
    reach: dict[str, int] = {}
    for name in reversed(scene.playing_order()):
        part = scene.parts[name]
        reach[name] = reach.get(name, 0) + part.phrase_bars
        for source in part.sources.values():
            reach[source.part] = max(reach.get(source.part, 0), reach[name])
    return bars + max(reach.values())


def _fastest(scene: Scene) -> Iterator[float]:
    for tempo in (scene.tempo, *(section.tempo for section in scene.sections.values())):
        if isinstance(tempo, Tempo):
            yield tempo.qpm.high
    if scene.day_tempo is not None:
        yield from (qpm for _, qpm in scene.day_tempo.points)


def _ending(plan: Plan, lines: Mapping[str, Line], bar: int) -> Iterator[tuple[Line, DecidedPhrase]]:
    """The phrases that end with a bar and were heard, as they were decided, whoever made them."""
    sounding = plan.sounding(plan.pass_at(bar))
    for name, line in lines.items():
        item = line.covering(bar)
        if name in sounding and item is not None and item.end_bar == bar + 1:
            yield line, item


def figures_in(plan: Plan, lines: Mapping[str, Line], bar: int) -> list[HeardFigures]:
    """The figures of the phrases that end with a bar and were heard, of parts that a curator chooses for."""
    return [
        HeardFigures(item.end_bar, line.part.name, figures_of(item.raw.notes, line.part.role is Role.DRUMS))
        for line, item in _ending(plan, lines, bar)
        if isinstance(line.part.settings, CuratedSettings)
    ]


def heard_in(plan: Plan, lines: Mapping[str, Line], bar: int) -> list[HeardIdea]:
    """The ideas of the phrases that end with a bar and were heard, of parts that come back to what they say.

    Of the others nobody would take anything up: a bass that goes from root to root is no theme, and neither is an
    arpeggio.
    """
    visit = plan.pass_at(bar)
    theme = theme_of(plan.scene, plan.seed, visit)
    found: list[HeardIdea] = []
    for line, item in _ending(plan, lines, bar):
        if not isinstance(line.part.settings, RecallSettings):
            continue
        name = line.part.name
        kind = IdeaKind.POINT if line.part.settings.shared_way else kind_of_role(line.part.role)
        idea = idea_of(item.raw, kind, theme, name, item.first_bar, visit.key, item.beats_per_bar)
        if idea is not None:
            found.append(HeardIdea(item.end_bar, idea))
    return found


def taken_by(plan: Plan, line: Line, slot: Slot, settings: Settings, memory: IdeaMemory) -> TakenUp | None:
    """What the phrase of a slot takes up.

    Args:
        plan: the form.
        line: of the part.
        slot: to be filled.
        settings: of the part's generator at this moment.
        memory: at the bar that counts for the slot.
    """
    if not isinstance(settings, RecallSettings):
        return None
    part, visit = line.part, slot.visit
    way = settings.shared_way
    peers = [one.name for one in plan.scene.parts.values() if (_way_of(one) == way if way else one.role is part.role)]
    known = known_ideas(memory, themes_in(plan.scene, visit), part.role, part.name, peers, points=bool(way))
    known = {name: idea for name, idea in known.items() if idea.beats_per_bar == plan.scene.meter.beats_per_bar}
    return take_up(
        known,
        theme_of(plan.scene, plan.seed, visit),
        settings.recall,
        settings.vary,
        settings.variations,
        slot.first_bar == visit.first_bar,
        # Who goes one way with others comes back with them, or one would play the theme and the others something else.
        np.random.default_rng(
            derive_seed(plan.seed, "idea", visit.index, slot.first_bar) if way else derive_seed(slot.seed, "idea")
        ),
    )


def _way_of(part: Part) -> str:
    return part.settings.shared_way if isinstance(part.settings, RecallSettings) else ""

"""Questions to generators: what a part is asked for, out of the plan and of what the other parts play."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

from engine.conductor.lines import Line
from engine.generators.contract import Place, Request, Settings
from engine.scenes.plan import Pass, Plan, Slot, derive_seed
from engine.scenes.scene import Move, Part
from engine.score.phrase import Origin, Phrase, Provenance
from engine.sound.messages import Control


def request_for(plan: Plan, line: Line, slot: Slot, lines: Mapping[str, Line], complete: bool = True) -> Request | None:
    """What to ask a part for in a slot.

    Args:
        plan: the form.
        line: of the part.
        slot: to be filled.
        lines: of all parts.
        complete: None is returned while a source is not known; False takes a rest for it instead.
    """
    scene, part, visit = plan.scene, line.part, slot.visit
    sources = {}
    for link, source in part.sources.items():
        phrase = lines[source.part].heard(slot.first_bar, slot.end_bar, source.drum)
        if phrase is None:
            if complete:
                return None
            phrase = Phrase.empty(slot.bars * scene.meter.beats_per_bar, Provenance("rest", Origin.RULES))
        sources[link] = phrase
    position = visit.position(slot.first_bar)
    moves = [move for move in visit.section.moves if move.part == part.name]
    return Request(
        part=part.name,
        role=part.role,
        bars=slot.bars,
        meter=scene.meter,
        qpm=plan.bar(slot.first_bar).qpm,
        key=visit.key,
        seed=slot.seed,
        settings=_moved(part.settings, [m for m in moves if m.transform is None], position),
        place=Place(
            section=visit.section.name,
            pass_index=visit.index,
            bar=slot.first_bar - visit.first_bar,
            section_bars=visit.bars,
            first_bar=slot.first_bar,
        ),
        theme=derive_seed(plan.seed, "theme", visit.section.name),
        history=line.history(slot.first_bar),
        sources=sources,
        primer=part.primer,
        transforms=tuple(
            (name, _moved(settings, [m for m in moves if m.transform == place], position))
            for place, (name, settings) in enumerate(part.transforms)
        ),
    )


def sound_settings_at(part: Part, visit: Pass, position: float) -> dict[Control, float]:
    """Level (dB), pan and sends (dB) of a part at a position of a pass."""
    values = {
        Control.LEVEL: part.sound.level,
        Control.PAN: part.sound.pan,
        Control.REVERB: part.sound.reverb,
        Control.DELAY: part.sound.delay,
    }
    for move in visit.section.moves:
        if move.part == part.name and move.transform is None and move.target in values:
            value = move.curve.at(position)
            values[Control(move.target)] = value if math.isfinite(value) else -math.inf
    return values


def _moved(settings: Settings, moves: list[Move], position: float) -> Settings:
    """Settings with the curves of a section applied; `check` has seen that every point of them is valid."""
    changes: dict[str, Any] = {}
    for move in moves:
        if move.target in type(settings).model_fields:
            value = move.curve.at(position)
            changes[move.target] = (
                round(value) if isinstance(value, float) and _is_whole(settings, move.target) else value
            )
    return settings.model_copy(update=changes) if changes else settings


def _is_whole(settings: Settings, name: str) -> bool:
    """Whether a setting is a whole number (or may be one, where it is unset), so that a curve over it is rounded."""
    kinds = [type(settings).model_fields[name].annotation]
    for kind in kinds:  # grows: unions and annotated types are opened up
        kinds += get_args(kind)
    return int in kinds and float not in kinds

# pyright: strict
"""Questions to generators: what a part is asked for, out of the plan and of what the other parts play."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from engine.conductor.phrases.lines import Line, of_drum
from engine.conductor.phrases.remembering import taken_by
from engine.form.course import between
from engine.form.passes import Pass, Slot
from engine.form.plan import Plan
from engine.form.scene import Part, Scene
from engine.form.seeds import derive_seed
from engine.form.themes import theme_of
from engine.generators.contract import Link, Place, Request, Role, Settings
from engine.generators.transforms.density import ThinSettings
from engine.generators.transposing import phrase_in
from engine.ideas.memory import IdeaMemory
from engine.score.dynamics import LOUDEST
from engine.score.harmony.keys import Key
from engine.score.harmony.progressions import Progression
from engine.score.harmony.relations import KeySpan
from engine.score.phrase import Origin, Phrase, Provenance
from engine.sound.messages import Control
from engine.units import PitchRange

Values = Mapping[tuple[str, int | None], Any]
"""Settings of a part that move, as they are at a moment, by setting and transform (None: of generator or sound)."""


def request_for(
    plan: Plan,
    line: Line,
    slot: Slot,
    lines: Mapping[str, Line],
    memory: IdeaMemory,
    time_of_day: float,
    complete: bool = True,
) -> Request | None:
    """What to ask a part for in a slot.

    Args:
        plan: the form.
        line: of the part.
        slot: to be filled.
        lines: of all parts.
        memory: of ideas, at the bar that counts for the slot.
        time_of_day: seconds since midnight, for curves of the day.
        complete: None is returned while a source is not known; False takes a rest for it instead.
    """
    scene, part, visit = plan.scene, line.part, slot.visit
    sources: dict[Link, Phrase] = {}
    values = values_at(scene, part.name, visit, visit.progress(slot.first_bar), time_of_day)
    settings = _with_values(part.settings, values, None)
    for link, source in part.sources.items():
        if link is Link.LEADER:
            phrase = _led(lines[source.part], slot, source.drum, float(getattr(settings, "after", 0.0)))
        else:
            phrase = lines[source.part].heard(slot.first_bar, slot.end_bar, source.drum)
        if phrase is None:
            if complete:
                return None
            phrase = Phrase.empty(slot.bars * scene.meter.beats_per_bar, Provenance("rest", Origin.RULES))
        sources[link] = phrase
    past, keys = line.history(slot.first_bar) or (None, ())
    first, levels = slot.first_bar - visit.first_bar, visit.levels(slot.first_bar, slot.end_bar)
    progression: Progression | None = values.get((Link.CHORDS, None), part.chords)
    if progression is not None:
        bar, beats = scene.meter.beats_per_bar, slot.bars * scene.meter.beats_per_bar
        spans = progression.spans(visit.key, (slot.first_bar - visit.first_bar) * bar, beats)
        sources[Link.CHORDS] = Phrase.of((), beats, Provenance("written", Origin.RULES), spans)
    return Request(
        part=part.name,
        role=part.role,
        bars=slot.bars,
        meter=scene.meter,
        qpm=plan.bar(slot.first_bar).qpm,
        key=visit.key,
        seed=slot.seed,
        settings=_as_the_form_wants(scene, visit, levels, settings),
        place=Place(
            section=visit.section.name,
            pass_index=visit.index,
            bar=first,
            section_bars=visit.bars,
            first_bar=slot.first_bar,
            time_of_day=time_of_day,
            cadences=tuple((end - first, how) for end, how in visit.cadences if first < end <= first + slot.bars),
            movement=visit.course.movement.index if visit.course.movement is not None else 0,
            intensity=visit.intensity,
        ),
        theme=derive_seed(plan.seed, "theme", theme_of(scene, plan.seed, visit)),
        taken=taken_by(plan, line, slot, settings, memory),
        history=past,
        keys=keys,
        dynamics=levels,
        worn=memory.wear.of(part.name),
        sources=sources,
        primer=_in_the_key(part, scene.key, visit.key),
        transforms=(
            *((name, _with_values(one, values, place)) for place, (name, one) in enumerate(part.transforms)),
            *_thinned_by_the_form(scene, part, visit, levels),
        ),
    )


def _led(leader: Line, slot: Slot, drum: int | None, after: float) -> Phrase | None:
    """What a part's leader played some beats before a slot, in the slot's key; None while it is not known."""
    found = leader.earlier(slot.first_bar, slot.bars, after)
    if found is None:
        return None
    phrase, keys = found
    return of_drum(phrase, drum) if leader.part.role is Role.DRUMS else phrase_in(phrase, keys, slot.visit.key)


def _in_the_key(part: Part, written: Key, key: Key) -> Phrase | None:
    """The primer of a part, which stands in the key that the scene is written in, in the key that holds now."""
    if part.primer is None or part.role is Role.DRUMS or key == written:
        return part.primer
    return phrase_in(part.primer, (KeySpan(0.0, part.primer.length, written),), key)


_DENSITY_PER_LEVEL = 0.08
"""By how much parts that have a density play more from level to level."""
_DENSITIES = {"density": 1.0, "notes_per_second": 64.0}
"""Settings of generators that are densities, and the most that each can be."""
_SPARSEST = 0.4
"""Share of their strokes that drums without a density keep at least."""


def _fullness(scene: Scene, visit: Pass, levels: Sequence[float]) -> float:
    """By what the form and the level of playing multiply densities."""
    wanted = 1.0 + _DENSITY_PER_LEVEL * (sum(levels) / len(levels) if levels else 0.0)
    return wanted * between(scene.form.density, visit.intensity) if scene.form is not None else wanted


def _as_the_form_wants(scene: Scene, visit: Pass, levels: Sequence[float], settings: Settings) -> Settings:
    """Settings of a generator whose density and range follow the form and the level of playing."""
    fields, changes = type(settings).model_fields, dict[str, Any]()
    form = scene.form
    for name, most in _DENSITIES.items():
        density = getattr(settings, name, None) if name in fields else None
        if isinstance(density, float):
            changes[name] = min(most, density * _fullness(scene, visit, levels))
    span = getattr(settings, "range", None) if "range" in fields else None
    if isinstance(span, PitchRange) and form is not None and form.reach:
        top = span.high - round((1.0 - visit.intensity) * form.reach)
        changes["range"] = PitchRange(span.low, max(top, min(span.high, span.low + 12)))
    return settings.model_copy(update=changes) if changes else settings


def _thinned_by_the_form(
    scene: Scene, part: Part, visit: Pass, levels: Sequence[float]
) -> tuple[tuple[str, Settings], ...]:
    """What leaves strokes out of drums whose generator knows no density, where the form wants fewer; else nothing.

    Melodies of such generators stay whole: a theme without some of its notes would be another one.
    """
    fields = type(part.settings).model_fields
    if scene.form is None or part.role is not Role.DRUMS or any(name in fields for name in _DENSITIES):
        return ()
    share = 1.0 - max(_SPARSEST, _fullness(scene, visit, levels))
    return (("thin", ThinSettings().model_copy(update={"share": share})),) if share > 0 else ()


def values_at(scene: Scene, part: str, visit: Pass, position: float, time_of_day: float) -> Values:
    """The settings of a part that move, as they are at a moment: where a section moves one, the day does not count.

    Args:
        scene: has the curves of the day.
        part: name.
        visit: pass of a section.
        position: in it, 0..1.
        time_of_day: seconds since midnight.
    """
    values = {(move.target, move.transform): move.curve.at(time_of_day) for move in scene.day if move.part == part}
    moves = (move for move in visit.section.moves if move.part == part)
    return values | {(move.target, move.transform): move.curve.at(position) for move in moves}


_DULLER_PER_LEVEL = 0.05
"""By how much the brightness of a part falls from level to level under ff."""


def sound_settings_at(part: Part, values: Values, level: float = LOUDEST) -> dict[Control, float]:
    """Level (dB), pan, sends (dB), and brightness where it has one, of a part where some settings move.

    Args:
        part: whose sound.
        values: of the settings that move.
        level: of playing; the softer, the duller.
    """
    settled = {
        Control.LEVEL: part.sound.level,
        Control.PAN: part.sound.pan,
        Control.REVERB: part.sound.reverb,
        Control.DELAY: part.sound.delay,
    }
    if part.sound.brightness is not None:
        settled[Control.BRIGHTNESS] = part.sound.brightness
    for control in settled:
        value = values.get((str(control), None), settled[control])
        settled[control] = value if math.isfinite(value) else -math.inf
    if Control.BRIGHTNESS in settled:
        settled[Control.BRIGHTNESS] = max(0.0, settled[Control.BRIGHTNESS] - _DULLER_PER_LEVEL * (LOUDEST - level))
    return settled


def _with_values(settings: Settings, values: Values, transform: int | None) -> Settings:
    """Settings of a generator or transform where some move; `check` has seen that every point of them is valid."""
    changes: dict[str, Any] = {}
    for (target, place), value in values.items():
        if place == transform and target in type(settings).model_fields:
            whole = isinstance(value, float) and _is_whole(settings, target)
            changes[target] = round(value) if whole else value
    return settings.model_copy(update=changes) if changes else settings


def _is_whole(settings: Settings, name: str) -> bool:
    """Whether a setting is a whole number (or may be one, where it is unset), so that a curve over it is rounded."""
    kinds = [type(settings).model_fields[name].annotation]
    for kind in kinds:  # grows: unions and annotated types are opened up
        kinds += get_args(kind)
    return int in kinds and float not in kinds

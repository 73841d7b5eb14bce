# pyright: strict
"""Settings that a hand holds: a scene in which they stand still where the hand wants them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from engine.errors import PerpetuumError
from engine.form.curves import DayMove, Move
from engine.form.scene import Part, Scene
from engine.generators.chain import rules_for, settings_for
from engine.generators.contract import GENERATORS
from engine.scenes.reading.moving.targets import SoundSettings
from engine.sound.messages import Control

GENERATOR = "generator"
"""The setting of a part that lets another kind play in place of its own."""

Holds = Mapping[tuple[str, str], "str | float | int"]
"""Values as a scene writes them, by part and setting."""


def with_holds(scene: Scene, holds: Holds, muted: Iterable[str] = ()) -> Scene:
    """The scene as it is under a hand: what that holds counts more than what section, day and scene say.

    Args:
        scene: as it was written.
        holds: settings of the sound or of generators. Those of parts that the scene does not have are left alone.
        muted: names of parts that are silent.

    Raises:
        PerpetuumError: a part has no such setting, or the value will not do.
    """
    # A generator that plays in place of another last, for it may not have the settings of that one.
    for (name, setting), value in sorted(holds.items(), key=lambda hold: hold[0][1] == GENERATOR):
        if name in scene.parts:
            scene = _held(scene, name, setting, _changed(scene.parts[name], setting, value))
    for name in muted:
        if name in scene.parts:
            part = scene.parts[name]
            silent = replace(part, sound=replace(part.sound, level=-math.inf))
            scene = _held(scene, name, Control.LEVEL, silent)
    return scene


def check_part(scene: Scene, part: str | None) -> None:
    """Refuse the name of a part that a scene does not have; None names none.

    Raises:
        PerpetuumError: there is no such part.
    """
    if part is not None and part not in scene.parts:
        raise PerpetuumError(f"there is no part {part!r}", "one of " + ", ".join(scene.parts))


def _held(scene: Scene, name: str, setting: str, part: Part) -> Scene:
    """The scene with a part in which one setting neither moves over a section nor follows the day.

    Where another generator plays, none of the settings of the one before moves.
    """
    given = type(scene.parts[name].settings).model_fields

    def stands(move: Move | DayMove) -> bool:
        if move.part != name or move.transform is not None:
            return False
        return move.target == setting or (setting == GENERATOR and move.target in given)

    sections = {
        key: replace(
            section,
            moves=tuple(move for move in section.moves if not stands(move)),
        )
        for key, section in scene.sections.items()
    }
    day = tuple(move for move in scene.day if not stands(move))
    return replace(scene, parts={**scene.parts, name: part}, sections=sections, day=day)


def _changed(part: Part, setting: str, value: str | float | int) -> Part:
    if setting == Control.BRIGHTNESS and part.sound.brightness is None:
        hint = "write `brightness: 100 %` in that part of the scene"
        raise PerpetuumError(f"part {part.name} was built without a filter that could move", hint)
    if setting in {control.value for control in Control}:
        number = _read(SoundSettings.model_fields[setting], f"{part.name}.{setting}", value)
        return replace(part, sound=replace(part.sound, **{setting: float(number)}))
    if setting == GENERATOR:
        return _played_by(part, str(value))
    field = type(part.settings).model_fields.get(setting)
    if field is None:
        known = ", ".join([*Control, GENERATOR, *type(part.settings).model_fields])
        raise PerpetuumError(f"part {part.name} has no setting {setting!r}", f"one of {known}")
    changes = {setting: _read(field, f"{part.name}.{setting}", value)}
    return replace(part, settings=part.settings.model_copy(update=changes))


def _played_by(part: Part, name: str) -> Part:
    """The part with another generator, which plays by rules; the settings that both know are kept."""
    kind = GENERATORS.get(name)
    if kind.network or part.role not in kind.roles:
        raise PerpetuumError(
            f"part {part.name} cannot be played by {name}: it plays {part.role}, by rules alone",
            f"say {rules_for(part.role).name}",
        )
    return replace(part, generator=name, settings=settings_for(kind, part.settings))


def _read(field: FieldInfo, where: str, value: str | float | int) -> Any:
    """A value as the field of a scene file reads it."""
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, *field.metadata])  # pyright: ignore
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise PerpetuumError(f"{where} cannot be {value!r}: {reason}") from error

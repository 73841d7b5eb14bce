"""Settings that can move, by the names that `move` and `day` use: `melody.temperature`, `pad.level`, `kit.thin`."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from engine.errors import PerpetuumError
from engine.generators.contract import GeneratorKind, Link, Settings, TransformKind, TransformSettings, UnfitError
from engine.generators.rules.written import Chords
from engine.scenes.chains import NO_DRUMS, context_of, doubts_of, names_drums_in_vain, settings_with
from engine.scenes.diagnostics import listed, nearest
from engine.scenes.drafts import PartDraft, Reading
from engine.scenes.models import Pan
from engine.scenes.nodes import MapNode, Node, ScalarNode
from engine.scenes.positions import span_within
from engine.scenes.source import Span, clipped
from engine.scenes.validation import PLUG_IN_HINT, notation_error, problem
from engine.sound.contract import INSTRUMENTS
from engine.units import Decibels

SILENT = -72.0
"""dB that `off` stands for at the end of a fade: a straight line cannot lead to minus infinity."""


class SoundSettings(Settings):
    """What of a part's sound can move."""

    level: Decibels = 0.0
    pan: Pan = 0.0
    reverb: Decibels = -math.inf
    delay: Decibels = -math.inf


class ChordSettings(Settings):
    """The chords of a part, where a section has its own."""

    chords: Chords


_OF_SECTIONS = {
    "tempo": ("a section has its own tempo beside `move`", "`tempo: 84 -> 92 qpm` in the section itself"),
    "key": ("a section has its own key beside `move`", "`key: F major` in the section itself"),
    "meter": ("the meter is the same in all sections", "a setting of a part"),
}
_FIXED = ("instrument", "generator", "kind", "role", "phrase", "rhythm", "primer")
"""Keys of a part that no section can change."""


@dataclass(frozen=True)
class Target:
    """The setting that a name means.

    Attributes:
        part: it is of.
        model: the settings that it is among.
        raw: these as they stand in the file.
        setting: its name among them.
        transform: index of the transform that it is of; None for generator and sound.
        kind: of the generator or transform; None for the sound.
        settings: of the generator or transform; None for the sound, or where they are wrong.
        told: doubts about its values that have been told.
    """

    part: PartDraft
    model: type[BaseModel]
    raw: dict[str, Any]
    setting: str
    transform: int | None = None
    kind: GeneratorKind | TransformKind | None = None
    settings: Settings | None = None
    told: set[str] = field(default_factory=set)

    @property
    def place(self) -> tuple[str, str, int | None]:
        """Part, setting and transform: what tells it from others."""
        return self.part.name, self.setting, self.transform


def read_targets(
    reading: Reading, node: Node | None, at: Span, parts: dict[str, PartDraft], word: str, form: str
) -> Iterator[tuple[str, ScalarNode, Node, Target]]:
    """What a mapping of settings names: its key as text and as node, its value, and the setting that it means.

    Args:
        reading: the file; it is told what is no setting.
        node: the mapping; nothing where it is absent or empty.
        at: its key.
        parts: of the scene.
        word: the key's name.
        form: what the mapping is to look like.
    """
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return
    if not isinstance(node, MapNode):
        reading.source.error(at, f"`{word}` must be a mapping", form)
        return
    for name, key, value in node.meant():
        target = find_target(reading, key, parts)
        if target is not None:
            yield name, key, value, target


def find_target(reading: Reading, key: ScalarNode, parts: dict[str, PartDraft]) -> Target | None:
    """The setting that a key names; None if it names none, and that is noted, or if it is of something wrong."""
    name = key.text
    words = name.split(".")
    draft = parts.get(words[0])
    if len(words) == 1 and draft is None and name in _OF_SECTIONS:
        reading.source.error(key.span, *_OF_SECTIONS[name])
        return None
    if draft is None:
        reading.source.error(
            span_within(reading.source, key, 0, len(words[0])),
            f"unknown part `{clipped(words[0])}`",
            listed(list(parts)) or "a part of the scene",
            nearest(words[0], parts),
        )
        return None
    rest = span_within(reading.source, key, len(words[0]) + (len(words) > 1), len(name))
    candidates = _candidates(draft)
    if len(words) > 1 and words[1] not in candidates:
        apart = "make a part of its own with it, and let sections choose between the two"
        if words[1] in _FIXED:
            message = f"`{words[1]}` of a part is the same in all sections"
            reading.source.error(rest, message, _way(draft, candidates), hint=apart)
            return None
        if words[1] in _settings_of_instruments():
            message = f"`{clipped(words[1])}` is a setting of instruments, which are the same in all sections"
            expected = listed([f"{words[0]}.{field}" for field in SoundSettings.model_fields])
            reading.source.error(rest, message, expected, hint=f"{apart}: an instrument file beside the scene")
            return None
    if len(words) not in (2, 3) or not all(words):
        reading.source.error(key.span, f"`{clipped(name)}` names no setting", _way(draft, candidates))
        return None
    if len(words) == 2 and words[1] in SoundSettings.model_fields:
        return Target(draft, SoundSettings, {}, words[1])
    if len(words) == 2 and draft.kind is not None and words[1] == Link.CHORDS and Link.CHORDS in draft.kind.takes:
        return Target(draft, ChordSettings, {}, words[1])
    if len(words) == 2 and draft.kind is not None and words[1] in draft.kind.settings.model_fields:
        if draft.settings is None:
            return None
        return Target(draft, draft.kind.settings, draft.raw, words[1], None, draft.kind, draft.settings)
    if draft.kind is None or None in draft.transforms:
        return None  # what is unknown there could be the one that is meant
    places = [i for i, item in enumerate(draft.transforms) if item is not None and item.kind.name == words[1]]
    if not places:
        found = nearest(".".join(words[1:]), candidates)
        suggestion = f"{words[0]}.{found}" if found else ""
        reading.source.error(
            rest, f"part `{words[0]}` has no `{clipped(words[1])}`", _way(draft, candidates), suggestion
        )
        return None
    if len(places) > 1:
        reading.source.error(
            rest, f"`{words[1]}` stands {len(places)} times in part `{words[0]}`", hint="one that moves can stand once"
        )
        return None
    item = draft.transforms[places[0]]
    assert item is not None
    fields = list(item.kind.settings.model_fields)
    setting = words[2] if len(words) == 3 else item.kind.shorthand
    if setting is None or setting not in fields:
        options = [f"{words[0]}.{words[1]}.{field}" for field in _movable(item.kind, item.settings)]
        reading.source.error(
            rest,
            f"`{words[1]}` has no setting of that name",
            listed(options),
            nearest(name, options) if setting else "",
        )
        return None
    if item.settings is None:
        return None
    return Target(draft, item.kind.settings, item.raw, setting, places[0], item.kind, item.settings)


def read_value(
    reading: Reading, target: Target, text: Any, span: Span, key: Span, node: ScalarNode | None = None
) -> tuple[Any] | None:
    """(value,) in its base unit that a setting is to have; None if it cannot have it, and that is noted.

    Args:
        reading: the file.
        target: the setting.
        text: the value as it stands in the file.
        span: where it stands.
        key: where the setting is named.
        node: the value, where it is the whole of a value of the file.
    """
    setting = target.setting
    try:
        context = context_of(reading, target.part)
        moved = settings_with(target.model, target.raw, setting, text, context)
        if target.kind is not None and _network_of(target.kind, moved) != _network_of(
            target.kind, target.model.model_validate(target.raw, context=context)
        ):
            reading.source.error(
                span,
                f"`{setting}` cannot differ from section to section: another network would have to play",
                hint="make a part of its own with it, and let sections choose between the two",
            )
            return None
    except ValidationError as error:
        written = notation_error(error.errors(include_url=False)[0])
        if written is not None and node is not None:
            span = span_within(reading.source, node, written.start, written.end)
        message, expected, suggestion = problem(error, target.model)
        reading.source.error(span, f"`{setting}`: {message}", expected, suggestion)
        return None
    except Exception as error:  # a plug-in's validators may raise anything
        message = f"`{clipped(f'{target.part.name}.{setting}')}` cannot be read: {clipped(repr(error))}"
        reading.source.error(span, message, hint=PLUG_IN_HINT)
        return None
    value = getattr(moved, setting)
    return (value,) if _examine(reading, target, value, span, key) else None


def number_of(target: Target, value: Any) -> float | None:
    """A value as a number on a curve; None for what is none and so cannot move."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return SILENT if value == -math.inf and target.model is SoundSettings else value


def _examine(reading: Reading, target: Target, value: Any, span: Span, key: Span) -> bool:
    """Whether the setting can have a value; what may sound wrong then, but not without it, is told."""
    if target.kind is None or target.settings is None:
        return True
    moved = target.settings.model_copy(update={target.setting: value})
    if target.setting == "only" and names_drums_in_vain(moved, target.part):
        reading.source.error(span, *NO_DRUMS)
        return False
    try:
        before = doubts_of(reading, target.kind, target.settings, target.part)
        doubts = doubts_of(reading, target.kind, moved, target.part)
    except UnfitError as error:
        reading.source.error(span, error.message, hint=error.hint or "")
        return False
    except PerpetuumError:
        return True  # what is wrong with the weights has been said where they are named
    for doubt in doubts:
        if doubt not in before and doubt not in target.told:
            reading.source.warning(key, doubt)
            target.told.add(doubt)
    return True


def _network_of(kind: GeneratorKind | TransformKind | None, settings: Any) -> tuple[str, str] | None:
    """The network that plays some settings; None for rules."""
    if kind is None or kind.weights is None:
        return None
    return kind.weights(settings), str(getattr(settings, "config", ""))


def _movable(kind: GeneratorKind | TransformKind, settings: Settings | None) -> list[str]:
    """Settings that a section can change: all but those that decide which network plays."""
    # `move` and `day` hold single values, no lists.
    fields = {name: one for name, one in kind.settings.model_fields.items() if get_origin(one.annotation) is not tuple}
    if isinstance(kind, TransformKind):
        fields = dict(sorted(fields.items(), key=lambda one: one[0] in TransformSettings.model_fields))
    if kind.weights is None or settings is None:
        return [name for name in fields if kind.weights is None or name not in ("config", "weights")]

    def decides(name: str) -> bool:
        choices = [choice for choice in get_args(fields[name].annotation) if isinstance(choice, str)]
        others = [settings.model_copy(update={name: choice}) for choice in (*choices, "another")]
        try:
            return any(_network_of(kind, other) != _network_of(kind, settings) for other in others)
        except Exception:  # a plug-in may raise anything, and what it says of its own settings is only a hint
            return False

    return [name for name in fields if not decides(name)]


@functools.cache
def _settings_of_instruments() -> frozenset[str]:
    """Names of all settings that stand in instrument files."""
    found: set[str] = set()
    models: list[Any] = [kind.settings for kind in INSTRUMENTS.kinds().values()]
    for model in models:  # grows: unions, lists and models in models are opened up
        if isinstance(model, type) and issubclass(model, BaseModel):
            found |= set(model.model_fields)
            models += [field.annotation for field in model.model_fields.values()]
        else:
            models += get_args(model)
    return frozenset(found)


def _candidates(draft: PartDraft) -> list[str]:
    names = list(SoundSettings.model_fields)
    if draft.kind is not None:
        names += _movable(draft.kind, draft.settings)
        names += [str(Link.CHORDS)] if Link.CHORDS in draft.kind.takes else []
    kinds = [item.kind.name for item in draft.transforms if item is not None]
    for item in draft.transforms:
        if item is not None and kinds.count(item.kind.name) == 1:
            names += [item.kind.name, *(f"{item.kind.name}.{name}" for name in _movable(item.kind, item.settings))]
    return list(dict.fromkeys(names))


def _way(draft: PartDraft, candidates: list[str]) -> str:
    return listed([f"{draft.name}.{name}" for name in candidates if "." not in name], 24)

# pyright: strict
"""Settings that can move, by the names that `move` and `day` use: `melody.temperature`, `pad.level`, `kit.thin`."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError

from engine.errors import PerpetuumError
from engine.form.curves import TIMBRE
from engine.generators.contract import GeneratorKind, Link, Settings, TransformKind, TransformSettings, UnfitError
from engine.generators.rules.patterns.written import Chords
from engine.scenes.reading.drafts import ChainDraft, GeneratorDraft, SceneReader
from engine.scenes.reading.parts.chains import NO_DRUMS, context_of, names_drums_in_vain, settings_with
from engine.scenes.reading.parts.examining import doubts_of
from engine.scenes.schema.validation import PLUG_IN_HINT, notation_error, problem
from engine.scenes.schema.values import Pan
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.positions import span_within
from engine.scenes.text.problems import Problem, Span, good
from engine.scenes.text.source import clipped
from engine.sound.contract import INSTRUMENTS
from engine.timbres.contract import TIMBRES
from engine.units import Decibels, Percent

SILENT = -72.0
"""dB that `off` stands for at the end of a fade: a straight line cannot lead to minus infinity."""


class SoundSettings(Settings):
    """What of a part's sound can move."""

    level: Decibels = 0.0
    pan: Pan = 0.0
    reverb: Decibels = -math.inf
    delay: Decibels = -math.inf
    brightness: Annotated[Percent, Field(ge=0, le=1)] = 1.0


class ChordSettings(Settings):
    """The chords of a part, where a section has its own."""

    chords: Chords


_OF_SECTIONS = {
    "tempo": ("a section has its own tempo beside `move`", "`tempo: 84 -> 92 qpm` in the section itself"),
    "key": ("a section has its own key beside `move`", "`key: F major` in the section itself"),
    "dynamics": ("a section has its own dynamics beside `move`", "`dynamics: mp -> f` in the section itself"),
    "meter": ("the meter is the same in all sections", "a setting of a part"),
}
_FIXED = ("instrument", "generator", "kind", "role", "phrase", "rhythm", "primer", "leader")
"""Keys of a part that no section can change."""


Place = tuple[str, str, int | None]
"""Part, setting and transform: what tells a setting that can move from others."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A generator or transform with the settings that it has in all sections.

    Attributes:
        kind: of it.
        settings: with the paths of the files that they name.
    """

    kind: GeneratorKind | TransformKind
    settings: Settings


@dataclass(frozen=True)
class MoveTarget:
    """The setting that a name means.

    Attributes:
        part: it is of.
        model: the settings that it is among.
        raw: these as they stand in the file.
        setting: its name among them.
        transform: index of the transform that it is of; None for generator and sound.
        tuned: the generator or transform; None for the sound, for chords and for a timbre.
        timbre: it is of the part's timbre, whose notes change at section lines alone.
        told: doubts about its values that have been told.
    """

    part: ChainDraft
    model: type[BaseModel]
    raw: Mapping[str, Any]
    setting: str
    transform: int | None = None
    tuned: Tuned | None = None
    told: set[str] = field(default_factory=set[str])
    timbre: bool = False

    @property
    def place(self) -> Place:
        """Part, setting and transform."""
        return self.part.name, f"{TIMBRE}{self.setting}" if self.timbre else self.setting, self.transform


@dataclass(frozen=True, slots=True)
class Aim:
    """An entry of `move` or `day`.

    Attributes:
        name: its key.
        key: where that stands.
        value: of the entry.
        target: the setting that the key means.
    """

    name: str
    key: ScalarNode
    value: Node
    target: MoveTarget


@dataclass(frozen=True, slots=True)
class Value:
    """A value that a setting can have, in its base unit."""

    value: Any


def read_targets(
    reader: SceneReader, node: Node | None, at: Span, parts: Mapping[str, ChainDraft], word: str, form: str
) -> Iterator[Aim | Problem]:
    """The entries of a mapping of settings.

    Args:
        reader: the file; it is told what is no setting.
        node: the mapping; nothing where it is absent or empty.
        at: its key.
        parts: of the scene.
        word: the key's name.
        form: what the mapping is to look like.
    """
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return
    if not isinstance(node, MapNode):
        yield reader.source.error(at, f"`{word}` must be a mapping", form)
        return
    for name, key, value in node.meant():
        target = find_target(reader, key, parts)
        yield target if isinstance(target, Problem) else Aim(name, key, value, target)


def find_target(reader: SceneReader, key: ScalarNode, parts: Mapping[str, ChainDraft]) -> MoveTarget | Problem:
    """The setting that a key names; where it is of something wrong, what is wrong with that."""
    source = reader.source
    name = key.text
    words = name.split(".")
    chain = parts.get(words[0])
    if len(words) == 1 and chain is None and name in _OF_SECTIONS:
        return source.error(key.span, *_OF_SECTIONS[name])
    if chain is None:
        return source.error(
            span_within(source, key, 0, len(words[0])),
            f"unknown part `{clipped(words[0])}`",
            listed(list(parts)) or "a part of the scene",
            nearest(words[0], parts),
        )
    rest = span_within(source, key, len(words[0]) + (len(words) > 1), len(name))
    candidates = _candidates(chain)
    if len(words) == 3 and f"{words[1]}." == TIMBRE and isinstance(chain.written.node.get(words[1]), MapNode):
        return _find_in_timbre(reader, chain, words[2], rest)
    if len(words) > 1 and words[1] not in candidates:
        apart = "make a part of its own with it, and let sections choose between the two"
        if words[1] in _FIXED:
            message = f"`{words[1]}` of a part is the same in all sections"
            return source.error(rest, message, _way(chain, candidates), hint=apart)
        if words[1] in _settings_of_instruments():
            message = f"`{clipped(words[1])}` is a setting of instruments, which are the same in all sections"
            expected = listed([f"{words[0]}.{field}" for field in SoundSettings.model_fields])
            return source.error(rest, message, expected, hint=f"{apart}: an instrument file beside the scene")
    if len(words) not in (2, 3) or not all(words):
        return source.error(key.span, f"`{clipped(name)}` names no setting", _way(chain, candidates))
    if len(words) == 2 and words[1] in SoundSettings.model_fields:
        return MoveTarget(chain, SoundSettings, {}, words[1])
    generator = chain.generator
    if isinstance(generator, Problem):
        return generator  # what is unknown there could be the one that is meant
    if len(words) == 2 and words[1] == Link.CHORDS and Link.CHORDS in generator.kind.takes:
        return MoveTarget(chain, ChordSettings, {}, words[1])
    if len(words) == 2 and words[1] in generator.kind.settings.model_fields:
        if isinstance(generator.settings, Problem):
            return generator.settings
        tuned = Tuned(generator.kind, generator.settings)
        return MoveTarget(chain, generator.kind.settings, generator.raw, words[1], None, tuned)
    return _find_in_transforms(reader, key, chain, rest, candidates)


def _find_in_timbre(reader: SceneReader, chain: ChainDraft, setting: str, rest: Span) -> MoveTarget | Problem:
    """A setting of the timbre that a part has in place of an instrument."""
    node = chain.written.node.get("instrument")
    name = node.get("kind") if isinstance(node, MapNode) else None
    kind = TIMBRES.kinds().get(name.text) if isinstance(name, ScalarNode) else None
    if kind is None or not isinstance(node, MapNode):
        return reader.source.error(rest, f"the timbre of part `{chain.name}` is none that is known")
    raw = {key: value for key, value in node.plain().items() if key in kind.settings.model_fields}
    movable: Mapping[str, int] = {}
    with suppress(Exception):  # what is wrong with it has been said where it stands
        movable = kind.movable(kind.settings.model_validate(raw))
    if setting not in movable:
        found = [f"{chain.name}.{TIMBRE}{one}" for one in movable]
        message = f"`{clipped(setting)}` of this timbre does not move"
        hint = "`at` does, between two places or more (`to` of a GANSynth), where `over` does not move it already"
        return reader.source.error(rest, message, listed(found), nearest(setting, movable), hint)
    return MoveTarget(chain, kind.settings, raw, setting, timbre=True)


def _find_in_transforms(
    reader: SceneReader, key: ScalarNode, chain: ChainDraft, rest: Span, candidates: list[str]
) -> MoveTarget | Problem:
    source = reader.source
    words = key.text.split(".")
    transforms = () if isinstance(chain.transforms, Problem) else chain.transforms
    for item in transforms:
        if isinstance(item, Problem):
            return item  # what is unknown there could be the one that is meant
    places = [i for i, item in enumerate(good(transforms)) if item.kind.name == words[1]]
    if not places:
        found = nearest(".".join(words[1:]), candidates)
        suggestion = f"{words[0]}.{found}" if found else ""
        message = f"part `{words[0]}` has no `{clipped(words[1])}`"
        return source.error(rest, message, _way(chain, candidates), suggestion)
    if len(places) > 1:
        message = f"`{words[1]}` stands {len(places)} times in part `{words[0]}`"
        return source.error(rest, message, hint="one that moves can stand once")
    item = good(transforms)[places[0]]
    setting = words[2] if len(words) == 3 else item.kind.shorthand
    if setting is None or setting not in item.kind.settings.model_fields:
        options = [f"{words[0]}.{words[1]}.{field}" for field in _movable(item.kind, item.settings)]
        return source.error(
            rest,
            f"`{words[1]}` has no setting of that name",
            listed(options),
            nearest(key.text, options) if setting else "",
        )
    if isinstance(item.settings, Problem):
        return item.settings
    return MoveTarget(chain, item.kind.settings, item.raw, setting, places[0], Tuned(item.kind, item.settings))


def read_value(
    reader: SceneReader, target: MoveTarget, text: Any, span: Span, key: Span, node: ScalarNode | None = None
) -> Value | Problem:
    """What a setting is to have, in its base unit, or why it cannot.

    Args:
        reader: the file.
        target: the setting.
        text: the value as it stands in the file.
        span: where it stands.
        key: where the setting is named.
        node: the value, where it is the whole of a value of the file.
    """
    setting = target.setting
    kind = target.tuned.kind if target.tuned else None
    try:
        context = context_of(reader, target.part.written)
        moved = settings_with(target.model, target.raw, setting, text, context)
        if kind is not None and _network_of(kind, moved) != _network_of(
            kind, target.model.model_validate(target.raw, context=context)
        ):
            return reader.source.error(
                span,
                f"`{setting}` cannot differ from section to section: another network would have to play",
                hint="make a part of its own with it, and let sections choose between the two",
            )
    except ValidationError as error:
        written = notation_error(error.errors(include_url=False)[0])
        if written is not None and node is not None:
            span = span_within(reader.source, node, written.start, written.end)
        message, expected, suggestion = problem(error, target.model)
        return reader.source.error(span, f"`{setting}`: {message}", expected, suggestion)
    except Exception as error:  # a plug-in's validators may raise anything
        message = f"`{clipped(f'{target.part.name}.{setting}')}` cannot be read: {clipped(repr(error))}"
        return reader.source.error(span, message, hint=PLUG_IN_HINT)
    value = Value(getattr(moved, setting))
    return (target.tuned and _unfit(reader, target, target.tuned, value, span, key)) or value


def number_of(target: MoveTarget, value: Any) -> float | None:
    """A value as a number on a curve; None for what is none and so cannot move."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return SILENT if value == -math.inf and target.model is SoundSettings else value


def _unfit(
    reader: SceneReader, target: MoveTarget, tuned: Tuned, value: Value, span: Span, key: Span
) -> Problem | None:
    """Why a setting cannot have a value; what may sound wrong with it, but not without it, is told."""
    chain = target.part
    moved = tuned.settings.model_copy(update={target.setting: value.value})
    if target.setting == "only" and names_drums_in_vain(moved, chain.role):
        return reader.source.error(span, *NO_DRUMS)
    try:
        before = doubts_of(reader, tuned.kind, tuned.settings, chain.role, chain.links)
        doubts = doubts_of(reader, tuned.kind, moved, chain.role, chain.links)
    except UnfitError as error:
        return reader.source.error(span, error.message, hint=error.hint or "")
    except PerpetuumError:
        return None  # what is wrong with the weights has been said where they are named
    for doubt in doubts:
        if doubt not in before and doubt not in target.told:
            reader.source.warning(key, doubt)
            target.told.add(doubt)
    return None


def _network_of(kind: GeneratorKind | TransformKind, settings: Any) -> tuple[str, str] | None:
    """The network that plays some settings; None for rules."""
    if kind.weights is None:
        return None
    return kind.weights(settings), str(getattr(settings, "config", ""))


def _is_single(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return False
    return get_origin(annotation) is not tuple


def _movable(kind: GeneratorKind | TransformKind, settings: Settings | Problem) -> list[str]:
    """Settings that a section can change: all but those that decide which network plays."""
    # `move` and `day` hold single values: no lists, no settings within settings.
    fields = {name: one for name, one in kind.settings.model_fields.items() if _is_single(one.annotation)}
    if isinstance(kind, TransformKind):
        fields = dict(sorted(fields.items(), key=lambda one: one[0] in TransformSettings.model_fields))
    if kind.weights is None or isinstance(settings, Problem):
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


def _candidates(chain: ChainDraft) -> list[str]:
    names = list(SoundSettings.model_fields)
    generator = chain.generator
    if isinstance(generator, GeneratorDraft):
        names += _movable(generator.kind, generator.settings)
        names += [str(Link.CHORDS)] if Link.CHORDS in generator.kind.takes else []
    transforms = [] if isinstance(chain.transforms, Problem) else good(chain.transforms)
    kinds = [item.kind.name for item in transforms]
    for item in transforms:
        if kinds.count(item.kind.name) == 1:
            names += [item.kind.name, *(f"{item.kind.name}.{name}" for name in _movable(item.kind, item.settings))]
    return list(dict.fromkeys(names))


def _way(chain: ChainDraft, candidates: list[str]) -> str:
    return listed([f"{chain.name}.{name}" for name in candidates if "." not in name], 24)

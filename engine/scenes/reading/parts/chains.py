# pyright: strict
"""Chains of a scene file: generators, roles and transforms; each part for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.generators.contract import (
    GENERATORS,
    TRANSFORMS,
    GeneratorKind,
    Link,
    Role,
    Settings,
    TransformKind,
    TransformSettings,
)
from engine.generators.contract import SettingsContext as Context
from engine.scenes.reading.drafts import ChainDraft, GeneratorDraft, SceneReader, TransformDraft, Written
from engine.scenes.reading.parts.examining import Examination, examined
from engine.scenes.schema.kinds import find_kind
from engine.scenes.schema.models import NAME, PartFile
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import listed
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Span
from engine.scenes.text.source import SourceFile, clipped

LINKS = tuple(str(link) for link in Link)
"""Keys that stand among the settings of every generator."""

NO_DRUMS = ("`only` names drums, and this part plays none", "a part of drums, or no `only`")


def read_written(
    source: SourceFile, node: Node | None, noun: str, inside: str, most: int | None = None
) -> list[Written]:
    """The parts or sections of a scene, or what else has names, as they stand in the file.

    What is no mapping is noted and left out.

    Args:
        source: the file.
        node: value of `parts` or `sections`; what is no mapping has been noted by the file's model.
        noun: "part" or "section".
        inside: what each has, for messages.
        most: how many are looked at; None for all.
    """
    found: list[Written] = []
    for name, key, value in list(node.meant())[:most] if isinstance(node, MapNode) else ():
        if not NAME.fullmatch(name):
            source.error(
                key.span,
                f"`{clipped(name)}` cannot be the name of a {noun}",
                "letters, digits, `-` and `_`, a letter first",
            )
        if isinstance(value, MapNode):
            found.append(Written(name, value, key.span))
        else:
            span = value.span if value.span.end > value.span.start else key.span
            source.error(span, f"{noun} `{clipped(name)}` must be a mapping", inside)
    return found


def read_chains(reader: SceneReader, node: Node | None) -> dict[str, ChainDraft]:
    """All parts of a scene by name, without what they take from each other."""
    parts = read_written(reader.source, node, "part", "its `generator` and `instrument`")
    return {written.name: _read_chain(reader, written) for written in parts}


def context_of(reader: SceneReader, written: Written) -> Context:
    """What the settings of a part are read in."""
    role = written.node.get("role")
    return Context(reader.meter, reader.folder, role.text if isinstance(role, ScalarNode) else None)


def names_drums_in_vain(settings: Settings, role: Role | None) -> bool:
    """Whether a transform of a part that plays no drums is to change some drums only."""
    given = isinstance(settings, TransformSettings) and settings.only is not None
    return given and role not in (Role.DRUMS, None)


def settings_with(model: type[Any], raw: Mapping[str, Any], name: str, value: Any, context: Context) -> Any:
    """Settings in which one setting has another value.

    Raises:
        pydantic.ValidationError: that is not valid.
    """
    return model.model_validate({**raw, name: value}, context=context)


@dataclass(frozen=True, slots=True)
class _Named:
    """A kind of generator, and where it is named."""

    kind: GeneratorKind
    span: Span


def _read_chain(reader: SceneReader, written: Written) -> ChainDraft:
    node = written.node.get("generator")
    mapping = node if isinstance(node, MapNode) else None
    links = frozenset(link for link in Link if mapping is not None and link in mapping.entries)
    named = _read_kind(reader, written, node) if node is not None else None
    right = named if isinstance(named, _Named) else None
    shown = mapping or MapNode(written.span, {})
    settings = _read_settings(reader, written, right, shown) if right else None
    noun = f"part `{clipped(written.name)}`"
    elsewhere = _elsewhere(right.kind if right else None)
    file = validate(PartFile, written.node, reader.source, noun, written.span, elsewhere=elsewhere)
    generator: GeneratorDraft | Problem
    if right is not None and settings is not None:
        role = _read_role(reader, written, right.kind, settings, file)
        if not isinstance(settings, Problem):
            from engine.generators.rules.kinds import rules_for

            rules = f"without it `{rules_for(role).name}` plays this part by rules"
            at = Examination(reader, right.kind, role, links, mapping, right.span, rules)
            settings = examined(at, settings)
        raw = {key: value for key, value in shown.plain().items() if key not in ("kind", *LINKS)}
        generator = GeneratorDraft(right.kind, right.span, mapping, raw, settings, role)
    else:
        # That a part has none, its own keys have said.
        missing = named if isinstance(named, Problem) else file
        generator = missing if isinstance(missing, Problem) else reader.source.error(written.span, f"{noun} is silent")
    role = generator.role if isinstance(generator, GeneratorDraft) else None
    return ChainDraft(written, file, generator, links, _read_transforms(reader, written, role, links))


def _read_kind(reader: SceneReader, written: Written, node: Node) -> _Named | Problem:
    at = written.node.key("generator").span
    name: Node | None = node
    if isinstance(node, MapNode):
        name = node.get("kind")
        if name is None:
            return reader.source.error(
                at,
                f"the generator of part `{written.name}` has no `kind`",
                "its name and settings, like `{kind: chord_walk, chord_length: 2 bars}`",
                hint="add `kind: …`",
            )
        at = node.key("kind").span
    if not isinstance(name, ScalarNode):
        return reader.source.error(
            at, "a generator is a name or a mapping", "`chord_walk` or `{kind: chord_walk, chord_length: 2 bars}`"
        )
    kind = find_kind(reader.source, GENERATORS, name)
    span = name.span if name.span.end > name.span.start else at
    return kind if isinstance(kind, Problem) else _Named(kind, span)


def _read_settings(reader: SceneReader, written: Written, named: _Named, node: MapNode) -> Settings | Problem:
    keys = ("kind", *LINKS)
    noun, context = f"generator `{named.kind.name}`", context_of(reader, written)
    return validate(named.kind.settings, node, reader.source, noun, named.span, keys, keys, context=context)


def _elsewhere(kind: GeneratorKind | None) -> dict[str, str]:
    """Keys that are wrong in a part, but right in its generator or transforms."""
    settings = list(kind.settings.model_fields) if kind is not None else []
    shown = kind.name if kind is not None else "…"
    right = {
        name: f"it in the generator, like `generator: {{kind: {shown}, {name}: …}}`" for name in (*LINKS, *settings)
    }
    transforms = TRANSFORMS.names()
    return right | {name: f"it among the transforms, like `transforms: [{name}: …]`" for name in transforms}


def _read_role(
    reader: SceneReader, written: Written, kind: GeneratorKind, settings: Settings | Problem, file: PartFile | Problem
) -> Role:
    """What a part plays: what it says, if its generator can, else what that usually does."""
    wanted = written.node.get("role")
    if isinstance(file, PartFile) and file.role is not None and wanted is not None:
        if file.role in kind.roles:
            return file.role
        names = [str(role) for role in kind.roles]
        reader.source.error(wanted.span, f"`{kind.name}` cannot play the role `{file.role}`", listed(names))
    if kind.plays is None or isinstance(settings, Problem):
        return kind.roles[0]
    try:
        return kind.plays(settings) or kind.roles[0]
    except Exception:  # a plug-in may raise anything
        return kind.roles[0]


def _read_transforms(
    reader: SceneReader, written: Written, role: Role | None, links: frozenset[Link]
) -> tuple[TransformDraft | Problem, ...] | Problem:
    node = written.node.get("transforms")
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return ()
    if not isinstance(node, ListNode):
        key = written.node.key("transforms").span
        return reader.source.error(
            key, "`transforms` must be a list", "one transform a line, like `- transpose: 1 octave`"
        )
    return tuple(_read_transform(reader, item, role, links) for item in node.items)


def _read_transform(
    reader: SceneReader, item: Node, role: Role | None, links: frozenset[Link]
) -> TransformDraft | Problem:
    value: Node | None = None
    if isinstance(item, MapNode):
        entries = list(item.meant())
        if len(entries) != 1:
            span = entries[1][1].span if entries else item.span
            crowded = reader.source.error(
                span, "each transform is an item of its own", "`- ` and one transform, like `- thin: 30 %`"
            )
            if not entries:
                return crowded
        _, name, value = entries[0]
    elif isinstance(item, ScalarNode):
        name = item
    else:
        return reader.source.error(item.span, "a transform cannot be a list", "a transform, like `- thin: 30 %`")
    kind = find_kind(reader.source, TRANSFORMS, name)
    if isinstance(kind, Problem):
        return kind
    node = _spelled_out(reader, kind, name, value)
    if isinstance(node, Problem):
        return node
    settings = validate(kind.settings, node, reader.source, f"`{kind.name}`", name.span)
    if not isinstance(settings, Problem):
        if names_drums_in_vain(settings, role):
            reader.source.error(node.key("only").span, *NO_DRUMS)
        fallback = "without it rules do its work" if kind.apply else "without it the transform is left out"
        settings = examined(Examination(reader, kind, role, links, node, name.span, fallback), settings)
    return TransformDraft(kind, node.plain(), settings)


def _spelled_out(reader: SceneReader, kind: TransformKind, name: ScalarNode, value: Node | None) -> MapNode | Problem:
    """The settings of a transform as a mapping; a bare value stands for its shorthand."""
    if value is None or (isinstance(value, ScalarNode) and value.value is None):
        return MapNode(name.span, {})
    if isinstance(value, MapNode):
        return value
    if kind.shorthand is None:
        return reader.source.error(
            value.span,
            f"`{kind.name}` has no single setting",
            f"a mapping of {listed(list(kind.settings.model_fields))}",
        )
    key = ScalarNode(Span(value.span.start, value.span.end), kind.shorthand, kind.shorthand, "")
    return MapNode(value.span, {kind.shorthand: (key, value)})

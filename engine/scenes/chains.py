"""Parts of a scene file: generator, transforms, sound; each checked on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import assets
from engine.errors import PerpetuumError
from engine.generators.contract import (
    GENERATORS,
    TRANSFORMS,
    GeneratorKind,
    Link,
    Role,
    Settings,
    Surroundings,
    TransformKind,
    TransformSettings,
    UnfitError,
)
from engine.generators.contract import SettingsContext as Context
from engine.scenes.diagnostics import Severity, listed, nearest
from engine.scenes.drafts import PartDraft, Reading, TransformDraft
from engine.scenes.models import NAME, PartFile
from engine.scenes.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.source import Span, clipped
from engine.scenes.validation import PLUG_IN_HINT, validate

LINKS = tuple(str(link) for link in Link)
"""Keys that stand among the settings of every generator."""


def read_parts(reading: Reading, node: Node | None) -> dict[str, PartDraft]:
    """All parts of a scene by name, without what they take from each other."""
    drafts: dict[str, PartDraft] = {}
    if not isinstance(node, MapNode):
        return drafts  # the scene's model has noted that
    for name, key, value in node.meant():
        if not NAME.fullmatch(name):
            reading.source.error(
                key.span,
                f"`{clipped(name)}` cannot be the name of a part",
                "letters, digits, `-` and `_`, a letter first",
            )
        if not isinstance(value, MapNode):
            span = value.span if value.span.end > value.span.start else key.span
            reading.source.error(span, f"part `{clipped(name)}` must be a mapping", "its `generator` and `instrument`")
            continue
        draft = drafts[name] = PartDraft(name, value, key.span)
        _read_generator(reading, draft)
        noun = f"part `{clipped(name)}`"
        draft.file = validate(PartFile, value, reading.source, noun, key.span, elsewhere=_elsewhere(draft))
        if draft.kind is not None:
            _read_role(reading, draft)
            _check_playable(reading, draft)
        _read_transforms(reading, draft)
    return drafts


def _read_generator(reading: Reading, draft: PartDraft) -> None:
    node = draft.node.get("generator")
    if node is None:
        return
    at = draft.node.key("generator").span
    name: Node | None = node
    if isinstance(node, MapNode):
        draft.generator = node
        name = node.get("kind")
        if name is None:
            reading.source.error(
                at,
                f"the generator of part `{draft.name}` has no `kind`",
                "its name and settings, like `{kind: chord_walk, chord_length: 2 bars}`",
                hint="add `kind: …`",
            )
            return
        at = node.key("kind").span
    if not isinstance(name, ScalarNode):
        reading.source.error(
            at, "a generator is a name or a mapping", "`chord_walk` or `{kind: chord_walk, chord_length: 2 bars}`"
        )
        return
    draft.kind_span = name.span if name.span.end > name.span.start else at
    draft.kind = reading.find_kind(GENERATORS, name)
    if draft.kind is None:
        return
    empty = MapNode(node.span, {})
    mapping = draft.generator or empty
    draft.raw = {key: value for key, value in mapping.plain().items() if key not in ("kind", *LINKS)}
    settings = draft.kind.settings
    keys = ("kind", *LINKS)
    draft.settings = validate(
        settings,
        mapping,
        reading.source,
        f"generator `{draft.kind.name}`",
        draft.kind_span,
        keys,
        keys,
        context=context_of(reading, draft),
    )


def context_of(reading: Reading, draft: PartDraft) -> Context:
    """What the settings of a part are read in."""
    role = draft.node.get("role")
    return Context(reading.meter, reading.folder, role.text if isinstance(role, ScalarNode) else None)


def _elsewhere(draft: PartDraft) -> dict[str, str]:
    """Keys that are wrong in a part, but right in its generator or transforms."""
    settings = list(draft.kind.settings.model_fields) if draft.kind is not None else []
    kind = draft.kind.name if draft.kind is not None else "…"
    right = {
        name: f"it in the generator, like `generator: {{kind: {kind}, {name}: …}}`" for name in (*LINKS, *settings)
    }
    transforms = TRANSFORMS.names()
    return right | {name: f"it among the transforms, like `transforms: [{name}: …]`" for name in transforms}


def _read_role(reading: Reading, draft: PartDraft) -> None:
    assert draft.kind is not None
    roles = draft.kind.roles
    wanted = draft.node.get("role")
    draft.role = _usual_role(draft.kind, draft.settings)
    if draft.file is not None and draft.file.role is not None and wanted is not None:
        if draft.file.role in roles:
            draft.role = draft.file.role
        else:
            names = [str(role) for role in roles]
            reading.source.error(
                wanted.span, f"`{draft.kind.name}` cannot play the role `{draft.file.role}`", listed(names)
            )


def _usual_role(kind: GeneratorKind, settings: Settings | None) -> Role:
    """What a part plays that does not say it."""
    if kind.plays is None or settings is None:
        return kind.roles[0]
    try:
        return kind.plays(settings) or kind.roles[0]
    except Exception:  # a plug-in may raise anything
        return kind.roles[0]


def _check_playable(reading: Reading, draft: PartDraft) -> None:
    """Is there what the generator needs? Where it is not installed, rules would play, so the scene itself is right."""
    assert draft.kind is not None
    if draft.settings is not None:
        fallback = f"without it `{_fallback_name(draft)}` plays this part by rules" if draft.role else ""
        place = (draft.generator, draft.kind_span)
        draft.settings = _examined(reading, draft.kind, draft.settings, draft, *place, fallback)


def doubts_of(reading: Reading, kind: GeneratorKind | TransformKind, settings: Settings, draft: PartDraft) -> list[str]:
    """What may sound wrong with the settings that a part has at times; nothing where its weights are not here.

    Args:
        reading: the file.
        kind: of its generator or transform.
        settings: of that, with the paths of the files that they name.
        draft: the part.

    Raises:
        UnfitError: they cannot be played.
        PerpetuumError: the weights are damaged.
    """
    path = assets.find("weights", kind.weights(settings), ".safetensors", reading.folder) if kind.weights else None
    if kind.examine is None or (path is None and kind.weights is not None):
        return []
    return kind.examine(settings, _surroundings(reading, path, draft))[1]


def _surroundings(reading: Reading, weights: Path | None, draft: PartDraft, hidden: Path | None = None) -> Surroundings:
    given = draft.generator.entries if draft.generator else ()
    links = frozenset(link for link in Link if link in given)
    return Surroundings(weights, reading.folder, reading.meter, draft.role, links, hidden)


def _examined(
    reading: Reading,
    kind: GeneratorKind | TransformKind,
    settings: Settings,
    draft: PartDraft,
    node: MapNode | None,
    span: Span,
    fallback: str,
) -> Settings:
    """The settings with the paths of the files that they name, after a look into those files.

    Args:
        reading: the file.
        kind: of the generator or transform.
        settings: as they stand in the file.
        draft: the part.
        node: where they stand; None for a bare name.
        span: where the kind is named.
        fallback: what plays without the network, for messages.
    """
    path, named, hidden = None, None, None
    if kind.weights is not None:
        found = _weights_of(reading, kind, settings, node, span, fallback)
        if found is None:
            return settings
        path, named, hidden = found
    if path is not None and (named is not None or path.parent != assets.shipped("weights")):
        # The worker that loads them does not know where the scene lies, and is to load what has been looked into.
        settings = settings.model_copy(update={"weights": str(path.resolve())})
    if kind.examine is None:
        return settings
    try:
        settings, doubts = kind.examine(settings, _surroundings(reading, path, draft, hidden))
    except UnfitError as error:
        for one in (error, *error.others):
            wrong = node.get(one.setting) if node else None
            if isinstance(wrong, ListNode) and one.item is not None and one.item < len(wrong.items):
                wrong = wrong.items[one.item]
            reading.source.error(wrong.span if wrong else span, one.message, hint=one.hint or "")
    except PerpetuumError as error:
        reading.source.error(named.span if named else span, error.message, hint=error.hint or "")
    except Exception as error:  # a plug-in may raise anything
        reading.source.error(span, f"`{kind.name}` cannot be examined: {clipped(repr(error))}", hint=PLUG_IN_HINT)
    else:
        for doubt in doubts:
            reading.source.warning(span, doubt)
    return settings


def _weights_of(
    reading: Reading,
    kind: GeneratorKind | TransformKind,
    settings: Settings,
    node: MapNode | None,
    span: Span,
    fallback: str,
) -> tuple[Path, Node | None, Path | None] | None:
    """(the weights file, where the scene names it, the shipped one that it hides); None, noted, where there is none."""
    assert kind.weights is not None
    try:
        name = kind.weights(settings)
    except Exception as error:  # a plug-in may raise anything
        message = f"`{kind.name}` cannot name its weights: {clipped(repr(error))}"
        reading.source.error(span, message, hint=PLUG_IN_HINT)
        return None
    named = node.get("weights") if node else None
    # What no scene names is the network of a config, wherever the scene lies.
    path = assets.find("weights", name, ".safetensors", beside=reading.folder if named is not None else None)
    if path is not None:
        return path, named, assets.hidden_by("weights", path) if path.name == f"{name}.safetensors" else None
    known = list(assets.names("weights", ".safetensors"))
    if named is not None:
        expected = f"{listed(known)} or the path of a file" if known else "the path of a file"
        reading.source.error(named.span, f"no weights `{clipped(name)}`", expected, nearest(name, known))
    else:
        message = f"there are no shipped weights for `{clipped(name)}` of `{kind.name}`"
        hint = (
            "name a file with `weights:`, perhaps one of Magenta's, or a `config` that has some "
            f"(`perpetuum models list`); {fallback}"
        )
        reading.source.note(Severity.UNAVAILABLE, span, message, hint=hint)
    return None


def _fallback_name(draft: PartDraft) -> str:
    from engine.generators.rules.kinds import rules_for

    assert draft.role is not None
    return rules_for(draft.role).name


def _read_transforms(reading: Reading, draft: PartDraft) -> None:
    node = draft.node.get("transforms")
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return
    if not isinstance(node, ListNode):
        key = draft.node.key("transforms").span
        reading.source.error(key, "`transforms` must be a list", "one transform a line, like `- transpose: 1 octave`")
        return
    for item in node.items:
        draft.transforms.append(_read_transform(reading, item, draft))


def _read_transform(reading: Reading, item: Node, draft: PartDraft) -> TransformDraft | None:
    value: Node | None = None
    if isinstance(item, MapNode):
        entries = list(item.meant())
        if len(entries) != 1:
            span = entries[1][1].span if entries else item.span
            reading.source.error(
                span, "each transform is an item of its own", "`- ` and one transform, like `- thin: 30 %`"
            )
            if not entries:
                return None
        _, name, value = entries[0]
    elif isinstance(item, ScalarNode):
        name = item
    else:
        reading.source.error(item.span, "a transform cannot be a list", "a transform, like `- thin: 30 %`")
        return None
    kind = reading.find_kind(TRANSFORMS, name)
    if kind is None:
        return None
    node = _spelled_out(reading, kind, name, value)
    if node is None:
        return None
    settings = validate(kind.settings, node, reading.source, f"`{kind.name}`", name.span)
    if settings is not None and names_drums_in_vain(settings, draft):
        reading.source.error(node.key("only").span, *NO_DRUMS)
    if settings is not None:
        fallback = "without it rules do its work" if kind.apply else "without it the transform is left out"
        settings = _examined(reading, kind, settings, draft, node, name.span, fallback)
    return TransformDraft(kind, node.plain(), settings)


NO_DRUMS = ("`only` names drums, and this part plays none", "a part of drums, or no `only`")


def names_drums_in_vain(settings: Settings, draft: PartDraft) -> bool:
    """Whether a transform of a part that plays no drums is to change some drums only."""
    given = isinstance(settings, TransformSettings) and settings.only is not None
    return given and draft.role not in (Role.DRUMS, None)


def _spelled_out(reading: Reading, kind: TransformKind, name: ScalarNode, value: Node | None) -> MapNode | None:
    """The settings of a transform as a mapping; a bare value stands for its shorthand."""
    if value is None or (isinstance(value, ScalarNode) and value.value is None):
        return MapNode(name.span, {})
    if isinstance(value, MapNode):
        return value
    if kind.shorthand is None:
        reading.source.error(
            value.span,
            f"`{kind.name}` has no single setting",
            f"a mapping of {listed(list(kind.settings.model_fields))}",
        )
        return None
    key = ScalarNode(Span(value.span.start, value.span.end), kind.shorthand, kind.shorthand, "")
    return MapNode(value.span, {kind.shorthand: (key, value)})


def settings_with(model: type[Any], raw: dict[str, Any], name: str, value: Any, context: Context) -> Any:
    """Settings in which one setting has another value.

    Raises:
        pydantic.ValidationError: that is not valid.
    """
    return model.model_validate({**raw, name: value}, context=context)

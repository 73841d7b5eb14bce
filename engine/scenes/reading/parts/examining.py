# pyright: strict
"""Settings with what they name: weights found, and the files looked into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine import assets
from engine.errors import PerpetuumError
from engine.generators.contract import GeneratorKind, Link, Role, Settings, Surroundings, TransformKind, UnfitError
from engine.scenes.reading.drafts import SceneReader
from engine.scenes.schema.validation import PLUG_IN_HINT
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import ListNode, MapNode, Node
from engine.scenes.text.problems import Problem, Severity, Span
from engine.scenes.text.source import clipped


@dataclass(frozen=True, slots=True)
class Examination:
    """What is looked at.

    Attributes:
        reader: of the file.
        kind: of the generator or transform.
        role: of the part; None where that is wrong.
        links: that the part names.
        node: where the settings stand; None for a bare name.
        span: where the kind is named.
        fallback: what plays without the network, for messages.
    """

    reader: SceneReader
    kind: GeneratorKind | TransformKind
    role: Role | None
    links: frozenset[Link]
    node: MapNode | None
    span: Span
    fallback: str


@dataclass(frozen=True, slots=True)
class _Weights:
    """Weights that were found.

    Attributes:
        path: of the file.
        named: where the scene names it; None where it does not.
        hidden: the shipped ones of the same name.
    """

    path: Path
    named: Node | None
    hidden: Path | None


def examined(at: Examination, settings: Settings) -> Settings:
    """The settings with the paths of the files that they name, after a look into those files.

    What these lack is noted, and not the settings' own fault.
    """
    source, kind = at.reader.source, at.kind
    weights = None
    if kind.weights is not None:
        weights = _weights_of(at, settings)
        if isinstance(weights, Problem):
            return settings
        if weights.named is not None or weights.path.parent != assets.shipped("weights"):
            # The worker that loads them does not know where the scene lies, and is to load what has been looked into.
            settings = settings.model_copy(update={"weights": str(weights.path.resolve())})
    if kind.examine is None:
        return settings
    found, hidden = (weights.path, weights.hidden) if weights else (None, None)
    try:
        around = _surroundings(at.reader, found, at.role, at.links, hidden)
        settings, doubts = kind.examine(settings, around)
    except UnfitError as error:
        for one in (error, *error.others):
            wrong = at.node.get(one.setting) if at.node else None
            if isinstance(wrong, ListNode) and one.item is not None and one.item < len(wrong.items):
                wrong = wrong.items[one.item]
            source.error(wrong.span if wrong else at.span, one.message, hint=one.hint or "")
    except PerpetuumError as error:
        span = weights.named.span if weights and weights.named else at.span
        source.error(span, error.message, hint=error.hint or "")
    except Exception as error:  # a plug-in may raise anything
        source.error(at.span, f"`{kind.name}` cannot be examined: {clipped(repr(error))}", hint=PLUG_IN_HINT)
    else:
        for doubt in doubts:
            source.warning(at.span, doubt)
    return settings


def doubts_of(
    reader: SceneReader,
    kind: GeneratorKind | TransformKind,
    settings: Settings,
    role: Role | None,
    links: frozenset[Link],
) -> list[str]:
    """What may sound wrong with the settings that a part has at times; nothing where its weights are not here.

    Args:
        reader: of the file.
        kind: of its generator or transform.
        settings: of that, with the paths of the files that they name.
        role: of the part.
        links: that the part names.

    Raises:
        UnfitError: they cannot be played.
        PerpetuumError: the weights are damaged.
    """
    path = assets.find("weights", kind.weights(settings), ".safetensors", reader.folder) if kind.weights else None
    if kind.examine is None or (path is None and kind.weights is not None):
        return []
    return kind.examine(settings, _surroundings(reader, path, role, links))[1]


def _surroundings(
    reader: SceneReader, weights: Path | None, role: Role | None, links: frozenset[Link], hidden: Path | None = None
) -> Surroundings:
    return Surroundings(weights, reader.folder, reader.meter, role, links, hidden)


def _weights_of(at: Examination, settings: Settings) -> _Weights | Problem:
    source, kind, reader = at.reader.source, at.kind, at.reader
    try:
        name = kind.weights(settings) if kind.weights else ""
    except Exception as error:  # a plug-in may raise anything
        message = f"`{kind.name}` cannot name its weights: {clipped(repr(error))}"
        return source.error(at.span, message, hint=PLUG_IN_HINT)
    named = at.node.get("weights") if at.node else None
    # What no scene names is the network of a config, wherever the scene lies.
    path = assets.find("weights", name, ".safetensors", beside=reader.folder if named is not None else None)
    if path is not None:
        hidden = assets.hidden_by("weights", path) if path.name == f"{name}.safetensors" else None
        return _Weights(path, named, hidden)
    known = list(assets.names("weights", ".safetensors"))
    if named is not None:
        expected = f"{listed(known)} or the path of a file" if known else "the path of a file"
        return source.error(named.span, f"no weights `{clipped(name)}`", expected, nearest(name, known))
    message = f"there are no shipped weights for `{clipped(name)}` of `{kind.name}`"
    hint = (
        "name a file with `weights:`, perhaps one of Magenta's, or a `config` that has some "
        f"(`perpetuum models list`); {at.fallback}"
    )
    return source.note(Problem(Severity.UNAVAILABLE, at.span, message, hint=hint))

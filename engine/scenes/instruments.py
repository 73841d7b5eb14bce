"""Instrument files as far as `check` looks into them: settings and samples, with places in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine import assets
from engine.errors import PerpetuumError
from engine.generators.contract import Role, Settings
from engine.scenes.diagnostics import Diagnostic, Severity, listed, nearest
from engine.scenes.drafts import PartDraft, Reading
from engine.scenes.nodes import ListNode, MapNode, Node, ScalarNode, parse
from engine.scenes.source import Source, Span, UnreadableError, clipped
from engine.scenes.validation import validate
from engine.score.time import Meter
from engine.sound.contract import InstrumentKind
from engine.sound.settings import sample_files


@dataclass
class Instruments:
    """Instrument files that were looked into; each is read once, however many parts play it.

    Attributes:
        found: diagnostics of each file.
        kinds: kind of each instrument; None if it is not known.
    """

    found: dict[Path, list[Diagnostic]] = field(default_factory=dict)
    kinds: dict[Path, InstrumentKind | None] = field(default_factory=dict)

    def look_into(self, path: Path) -> list[Diagnostic]:
        """What is wrong with an instrument file."""
        if path not in self.found:
            source = Source.read(path)
            self.kinds[path] = _check(source)
            self.found[path] = source.found
        return self.found[path]


def read_instrument(reading: Reading, draft: PartDraft, instruments: Instruments) -> None:
    """Find the instrument of a part and look into its file."""
    node = draft.node.get("instrument")
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or not node.text:
        return
    path = assets.find("instruments", node.text, beside=reading.folder) if "\0" not in node.text else None
    if path is None:
        known = list(assets.names("instruments"))
        reading.source.error(
            node.span,
            f"no instrument `{clipped(node.text)}`",
            listed(known, 24) or "the name or path of an instrument file",
            nearest(node.text, known),
            "`perpetuum instruments` tells what there is",
        )
        return
    draft.instrument = path.resolve()
    try:
        wrong = [one for one in instruments.look_into(path) if one.severity is Severity.ERROR]
    except PerpetuumError as error:
        reading.source.error(node.span, error.message, hint=error.hint or "")
        return
    if wrong:
        reading.source.error(
            node.span,
            f"the instrument `{clipped(node.text)}` is not valid",
            hint=f"see {path}:{wrong[0].line}:{wrong[0].column}",
        )
        return
    kind = instruments.kinds[path]
    if kind is not None and draft.role is not None and kind.drums != (draft.role is Role.DRUMS):
        plays = "drums alone" if kind.drums else "pitches, no drums"
        reading.source.warning(
            node.span,
            f"`{clipped(node.text)}` plays {plays}, part `{draft.name}` plays {draft.role}",
            "choose another instrument",
        )


def is_instrument(node: Node) -> bool:
    """Whether a file looks like an instrument rather than like a scene."""
    return isinstance(node, MapNode) and "kind" in node.entries and not {"parts", "sections"} & set(node.entries)


def check_instrument(source: Source, node: Node) -> InstrumentKind | None:
    """Note what is wrong with a parsed instrument file; gives its kind, if there is one such."""
    if not isinstance(node, MapNode):
        source.error(node.span, "an instrument must be a mapping", "keys and values, like `kind: subtractive`")
        return None
    name = node.get("kind")
    start = Span(node.span.start, node.span.start + 1)
    if not isinstance(name, ScalarNode):
        source.error(start, "the instrument has no `kind`", hint="add `kind: …`; `perpetuum instruments` tells which")
        return None
    reading = Reading(source, Meter())
    kind: InstrumentKind | None = reading.find_kind("perpetuum.instruments", "kind of instrument", name)
    if kind is None:
        return None
    for _, _, value in node.meant():
        _refuse_free_keys(source, value)
    settings = validate(kind.settings, node, source, "the instrument", start)
    if settings is not None:
        _check_samples(source, node, settings)
    return kind


def _check(source: Source) -> InstrumentKind | None:
    try:
        return check_instrument(source, parse(source))
    except UnreadableError:
        return None


def _refuse_free_keys(source: Source, node: Node) -> None:
    """The audio process reads instruments by itself, and knows free keys at their top alone."""
    if isinstance(node, MapNode):
        for name, (key, value) in node.entries.items():
            if name.startswith("x-"):
                source.error(
                    key.span, f"`{clipped(name)}` stands inside a value", "free keys at the top of the file only"
                )
            _refuse_free_keys(source, value)
    for item in node.items if isinstance(node, ListNode) else ():
        _refuse_free_keys(source, item)


def _check_samples(source: Source, node: MapNode, settings: Settings) -> None:
    for keys, path in sample_files(settings, source.path.parent):
        if not assets.is_file(path):
            where = f"it should lie at {clipped(str(path), 200)}"
            source.error(_span_of(node, keys), f"no sample `{clipped(path.name)}`", hint=where)


def _span_of(node: Node, keys: Sequence[str | int]) -> Span:
    """Where the value stands that a path of keys and places leads to; as far as it can be followed."""
    span = node.span
    for step in keys:
        if isinstance(node, MapNode) and str(step) in node.entries:
            key, node = node.entries[str(step)]
            span = node.span if isinstance(node, ScalarNode) else key.span
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            span = node.span
    return span

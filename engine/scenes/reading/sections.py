"""Sections of a scene file: who plays, what follows, what moves."""

from __future__ import annotations

from collections.abc import Iterable

from engine.generators.contract import Link, Role
from engine.scenes.reading.drafts import PartDraft, Reading, SectionDraft
from engine.scenes.reading.moves import read_moves
from engine.scenes.schema.models import MOST_SECTIONS, NAME, SectionFile
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.source import clipped

_NEXT_EXPECTED = "the name of a section, or weights, like `{bloom: 3, drift: 1}`"


def read_sections(reading: Reading, node: Node | None, parts: dict[str, PartDraft]) -> dict[str, SectionDraft]:
    """All sections of a scene by name."""
    drafts: dict[str, SectionDraft] = {}
    if not isinstance(node, MapNode):
        return drafts  # the scene's model has noted that
    for name, key, value in list(node.meant())[:MOST_SECTIONS]:
        if not NAME.fullmatch(name):
            reading.source.error(
                key.span,
                f"`{clipped(name)}` cannot be the name of a section",
                "letters, digits, `-` and `_`, a letter first",
            )
        if not isinstance(value, MapNode):
            span = value.span if value.span.end > value.span.start else key.span
            reading.source.error(span, f"section `{clipped(name)}` must be a mapping", "its `bars` and `parts`")
            continue
        draft = drafts[name] = SectionDraft(name, value, key.span)
        draft.file = validate(SectionFile, value, reading.source, f"section `{clipped(name)}`", key.span)
        _read_players(reading, draft, parts)
        if "move" in value.entries:
            heard = set(listeners_and_sources(draft.parts, parts))
            draft.moves = read_moves(reading, value.get("move"), value.key("move").span, parts, heard)
    for draft in drafts.values():
        _read_next(reading, draft, drafts)
    if reading.source.sound:
        _warn_of_the_unheard(reading, drafts, parts)
        _warn_of_two_harmonies(reading, drafts, parts)
    return drafts


def listeners_and_sources(names: Iterable[str], parts: dict[str, PartDraft]) -> list[str]:
    """Some parts and those that they listen to, directly or not."""
    found: dict[str, None] = {}
    todo = list(names)
    while todo:
        name = todo.pop(0)
        if name in found or name not in parts:
            continue
        found[name] = None
        todo += [link.source.part for link in parts[name].links.values()]
    return list(found)


def _read_players(reading: Reading, draft: SectionDraft, parts: dict[str, PartDraft]) -> None:
    node = draft.node.get("parts")
    if not isinstance(node, ListNode):
        return
    if not node.items:
        reading.source.error(
            draft.node.key("parts").span, f"section `{draft.name}` has no parts: it would be silent", "parts that play"
        )
    for item in node.items:
        if not isinstance(item, ScalarNode) or not isinstance(item.value, str):
            continue
        if item.text not in parts:
            reading.source.error(
                item.span,
                f"unknown part `{clipped(item.text)}`",
                listed(list(parts)) or "a part of the scene",
                nearest(item.text, parts),
            )
        elif item.text in draft.parts:
            reading.source.warning(item.span, f"part `{item.text}` stands twice", "delete one of them")
        else:
            draft.parts.append(item.text)


def _read_next(reading: Reading, draft: SectionDraft, sections: dict[str, SectionDraft]) -> None:
    node = draft.node.get("next")
    if node is None:
        return
    key = draft.node.key("next").span
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.text:
        if _is_section(reading, node, sections):
            draft.next = {node.text: 1.0}
        return
    if not isinstance(node, MapNode) or not list(node.meant()):
        reading.source.error(key, "`next` names no section", _NEXT_EXPECTED)
        return
    weights: dict[str, float] = {}
    for name, name_node, value in node.meant():
        if not _is_section(reading, name_node, sections):
            continue
        weight = value.value if isinstance(value, ScalarNode) else None
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1e6:
            span = value.span if value.span.end > value.span.start else name_node.span
            reading.source.error(span, f"the weight of `{name}` will not do", "a number from 0 up, like `3`")
            continue
        weights[name] = float(weight)
    if weights and sum(weights.values()) <= 0:
        reading.source.error(key, "all weights are 0: nothing could follow", "a weight above 0")
    draft.next = weights


def _is_section(reading: Reading, node: ScalarNode, sections: dict[str, SectionDraft]) -> bool:
    if node.text in sections:
        return True
    reading.source.error(
        node.span,
        f"unknown section `{clipped(node.text)}`",
        listed(list(sections)),
        nearest(node.text, sections),
    )
    return False


def default_next(sections: Iterable[str]) -> dict[str, str]:
    """For each section the one behind it in the file; the last leads to the first."""
    names = list(sections)
    return dict(zip(names, [*names[1:], *names[:1]], strict=True))


def _warn_of_the_unheard(reading: Reading, sections: dict[str, SectionDraft], parts: dict[str, PartDraft]) -> None:
    follows = default_next(sections)
    reached: set[str] = set()
    todo = list(sections)[:1]
    while todo:
        name = todo.pop()
        if name in reached or name not in sections:
            continue
        reached.add(name)
        weights = sections[name].next
        todo += [follows[name]] if weights is None else [other for other, weight in weights.items() if weight > 0]
    for name, section in sections.items():
        if name not in reached:
            reading.source.warning(
                section.span, f"section `{name}` is never reached", f"let a section lead to it: `next: {name}`"
            )
    needed = set(listeners_and_sources([name for section in sections.values() for name in section.parts], parts))
    for name, part in parts.items():
        if sections and name not in needed:
            reading.source.warning(part.span, f"part `{name}` never plays", "add it to the `parts` of a section")


def _warn_of_two_harmonies(reading: Reading, sections: dict[str, SectionDraft], parts: dict[str, PartDraft]) -> None:
    """Note parts that make chords of their own in one section, which nothing holds together; each pair once."""
    told: set[tuple[str, str]] = set()
    for section in sections.values():
        written = {move.part: str(move.curve.points[0]) for move in section.moves if move.target == Link.CHORDS}
        makers: dict[str, str] = {}
        for name in section.parts:
            harmony = written.get(name) or _harmony_of(parts[name])
            if harmony:
                makers[name] = harmony
        first, *others = makers or [""]
        for other in others:
            if makers[other] == makers[first] or (first, other) in told:
                continue
            told.add((first, other))
            node = section.node.get("parts")
            items = node.items if isinstance(node, ListNode) else []
            span = next((item.span for item in items if isinstance(item, ScalarNode) and item.text == other), None)
            reading.source.warning(
                span or section.span,
                f"`{first}` and `{other}` each make chords of their own in section `{section.name}`",
                hint=_way_together(parts[first], parts[other]),
            )


def _way_together(first: PartDraft, other: PartDraft) -> str:
    for one, leader in ((other, first), (first, other)):
        if one.kind is not None and Link.CHORDS in one.kind.takes and one.kind.name != "pattern":
            follow = f"with `chords: {leader.name}` in the generator of `{one.name}`"
            return f"let one follow the other, {follow}, or give both the same chords"
    return "let them play in different sections: neither can follow the other"


def _harmony_of(part: PartDraft) -> str:
    """What the chords of a part come from: the same text means the same chords; empty for a part that makes none."""
    if part.kind is None or part.role is Role.DRUMS or (Link.CHORDS in part.links and Link.CHORDS in part.kind.takes):
        return ""
    if part.role is not Role.CHORDS and not part.kind.own_chords:
        return ""
    if part.chords is not None and Link.CHORDS in part.kind.takes:
        return str(part.chords)
    # Patterns are written as they are meant; only against chords that are made up they cannot be.
    return "written" if part.kind.name == "pattern" else f"of {part.name}"

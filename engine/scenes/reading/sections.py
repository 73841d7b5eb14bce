# pyright: strict
"""Sections of a scene file: who plays, what follows, what moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.form.curves import Move
from engine.generators.contract import Link, Role
from engine.ideas.themes import Theme
from engine.scenes.reading.drafts import PartDraft, SceneReader, SectionDraft, Written
from engine.scenes.reading.following import reachable, read_next
from engine.scenes.reading.moving.moves import read_moves
from engine.scenes.reading.parts.chains import read_written
from engine.scenes.reading.themes import read_names
from engine.scenes.schema.models import MOST_SECTIONS, SectionFile
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import ListNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, good
from engine.scenes.text.source import clipped
from engine.score.harmony.progressions import Progression


def read_sections(
    reader: SceneReader,
    node: Node | None,
    parts: Mapping[str, PartDraft],
    themes: tuple[Theme, ...] | Problem,
    called: Iterable[str] = (),
) -> dict[str, SectionDraft]:
    """All sections of a scene by name.

    Args:
        reader: the file.
        node: value of `sections`.
        parts: of the scene.
        themes: of the scene.
        called: names of sections that its form calls for, whether there are such or not.
    """
    written = read_written(reader.source, node, "section", "its `bars` and `parts`", MOST_SECTIONS)
    names = [one.name for one in written]
    drafts = {one.name: _read_section(reader, one, names, parts, themes) for one in written}
    if reader.source.sound:
        _warn_of_the_unheard(reader, drafts, parts, called)
        _warn_of_two_harmonies(reader, drafts, parts)
    return drafts


def listeners_and_sources(names: Iterable[str], parts: Mapping[str, PartDraft]) -> list[str]:
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


def _read_section(
    reader: SceneReader,
    written: Written,
    names: Sequence[str],
    parts: Mapping[str, PartDraft],
    themes: tuple[Theme, ...] | Problem,
) -> SectionDraft:
    node = written.node
    file = validate(SectionFile, node, reader.source, f"section `{clipped(written.name)}`", written.span)
    players = _read_players(reader, written, parts)
    moves: tuple[Move | Problem, ...] = ()
    if "move" in node.entries:
        heard = set(listeners_and_sources(good(players), parts))
        chains = {name: part.chain for name, part in parts.items()}
        moves = read_moves(reader, node.get("move"), node.key("move").span, chains, heard)
    follows = read_next(reader.source, node, "section", names)
    return SectionDraft(written, file, players, follows, moves, read_names(reader, node.get("theme"), themes))


def _read_players(reader: SceneReader, written: Written, parts: Mapping[str, PartDraft]) -> tuple[str | Problem, ...]:
    node = written.node.get("parts")
    if not isinstance(node, ListNode):
        return ()  # the section's model has noted that
    if not node.items:
        message = f"section `{written.name}` has no parts: it would be silent"
        return (reader.source.error(written.node.key("parts").span, message, "parts that play"),)
    found: list[str | Problem] = []
    for item in node.items:
        if not isinstance(item, ScalarNode) or not isinstance(item.value, str):
            continue  # the same
        if item.text not in parts:
            expected = listed(list(parts)) or "a part of the scene"
            message = f"unknown part `{clipped(item.text)}`"
            found.append(reader.source.error(item.span, message, expected, nearest(item.text, parts)))
        elif item.text in found:
            reader.source.warning(item.span, f"part `{item.text}` stands twice", "delete one of them")
        else:
            found.append(item.text)
    return tuple(found)


def default_next(sections: Iterable[str]) -> dict[str, str]:
    """For each section the one behind it in the file; the last leads to the first."""
    names = list(sections)
    return dict(zip(names, [*names[1:], *names[:1]], strict=True))


def _warn_of_the_unheard(
    reader: SceneReader,
    sections: Mapping[str, SectionDraft],
    parts: Mapping[str, PartDraft],
    called: Iterable[str],
) -> None:
    follows = default_next(sections)

    def following(name: str) -> list[str]:
        weights = sections[name].next
        if weights is None:
            return [follows[name]]
        return [] if isinstance(weights, Problem) else [other for other, weight in weights.items() if weight > 0]

    reached = reachable([*list(sections)[:1], *(name for name in called if name in sections)], following)
    for name, section in sections.items():
        if name not in reached:
            reader.source.warning(
                section.written.span, f"section `{name}` is never reached", f"let a section lead to it: `next: {name}`"
            )
    needed = set(listeners_and_sources([name for section in sections.values() for name in section.parts], parts))
    for name, part in parts.items():
        if sections and name not in needed:
            reader.source.warning(
                part.chain.written.span, f"part `{name}` never plays", "add it to the `parts` of a section"
            )


def _warn_of_two_harmonies(
    reader: SceneReader, sections: Mapping[str, SectionDraft], parts: Mapping[str, PartDraft]
) -> None:
    """Note parts that make chords of their own in one section, which nothing holds together; each pair once."""
    told: set[tuple[str, str]] = set()
    for section in sections.values():
        written = {move.part: str(move.curve.points[0]) for move in good(section.moves) if move.target == Link.CHORDS}
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
            node = section.written.node.get("parts")
            items = node.items if isinstance(node, ListNode) else []
            span = next((item.span for item in items if isinstance(item, ScalarNode) and item.text == other), None)
            reader.source.warning(
                span or section.written.span,
                f"`{first}` and `{other}` each make chords of their own in section `{section.written.name}`",
                hint=_way_together(parts[first], parts[other]),
            )


def _way_together(first: PartDraft, other: PartDraft) -> str:
    for one, leader in ((other, first), (first, other)):
        kind = one.chain.kind
        if kind is not None and Link.CHORDS in kind.takes and kind.name != "pattern":
            follow = f"with `chords: {leader.chain.name}` in the generator of `{one.chain.name}`"
            return f"let one follow the other, {follow}, or give both the same chords"
    return "let them play in different sections: neither can follow the other"


def _harmony_of(part: PartDraft) -> str:
    """What the chords of a part come from: the same text means the same chords; empty for a part that makes none."""
    kind, role = part.chain.kind, part.chain.role
    if kind is None or role is Role.DRUMS or (Link.CHORDS in part.links and Link.CHORDS in kind.takes):
        return ""
    if role is not Role.CHORDS and not kind.own_chords:
        return ""
    if isinstance(part.taken.chords, Progression) and Link.CHORDS in kind.takes:
        return str(part.taken.chords)
    # Patterns are written as they are meant; only against chords that are made up they cannot be.
    return "written" if kind.name == "pattern" else f"of {part.chain.name}"

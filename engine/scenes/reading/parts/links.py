# pyright: strict
"""What parts take from each other, and primers: links, patterns, MIDI files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.form.scene import PartSource
from engine.generators.contract import Link, Role
from engine.scenes.reading.drafts import ChainDraft, GeneratorDraft, LinkDraft, LinksDraft, SceneReader
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.positions import span_within
from engine.scenes.text.problems import Problem, Span, good
from engine.scenes.text.source import clipped
from engine.score import drums
from engine.score.excerpt import read_excerpt
from engine.score.harmony.progressions import WANTED, Progression, is_chord, looks_like_chords, parse_progression
from engine.score.notation import LONGEST, NotationError
from engine.score.patterns import (
    grid_from_mapping,
    is_grid,
    parse_grid,
    parse_pattern,
)
from engine.score.phrase import Origin, Phrase, Provenance

_PRIMER_EXPECTED = "a pattern like `D4:1 F4:1/2`, a drum grid like `bd: x...x...`, `{midi: FILE}` or `{part: NAME}`"


def read_links(reader: SceneReader, parts: Mapping[str, ChainDraft]) -> dict[str, LinksDraft]:
    """The links and primers of all parts, by the names of the parts; circles are noted."""
    drafts = {name: _read_taken(reader, chain, parts) for name, chain in parts.items()}
    _check_circles(reader, drafts)
    return drafts


def _read_taken(reader: SceneReader, chain: ChainDraft, parts: Mapping[str, ChainDraft]) -> LinksDraft:
    generator = chain.generator
    if not isinstance(generator, GeneratorDraft):
        return LinksDraft({})
    _check_needs(reader, chain, generator, parts)
    links: dict[Link, LinkDraft | Problem] = {}
    chords: Progression | Problem | None = None
    primer: Phrase | Problem | None = None
    for link in Link:
        node = generator.node.get(link) if generator.node else None
        if generator.node is None or node is None:
            continue
        key = generator.node.key(link).span
        if link is Link.PRIMER:
            found = _read_primer(reader, chain, key, node, parts)
            if isinstance(found, LinkDraft):
                links[link] = found
            else:
                primer = found
        elif link is Link.CHORDS and isinstance(node, ScalarNode) and _is_progression(node, parts):
            chords = _read_chords(reader, node)
        elif isinstance(node, ScalarNode) and isinstance(node.value, str):
            links[link] = _read_link(reader, chain, link, node, parts)
        else:
            what = "a part, or chords" if link is Link.CHORDS else "a part"
            links[link] = reader.source.error(key, f"`{link}` must name {what}", _wanted(link))
        if link not in generator.kind.takes:
            reader.source.warning(
                key,
                f"`{generator.kind.name}` does not listen to `{link}`",
                "delete it, or choose another generator",
            )
    return LinksDraft(links, chords, primer)


def _check_needs(
    reader: SceneReader, chain: ChainDraft, generator: GeneratorDraft, parts: Mapping[str, ChainDraft]
) -> None:
    kind = generator.kind
    for link in Link:
        if link in kind.needs and link not in chain.links:
            drums = link is Link.LEADER and chain.role is Role.DRUMS
            others = [name for name, one in parts.items() if one.role is Role.DRUMS and one is not chain]
            others = others if drums else _tonal(parts, chain)
            named = f"{link}: {others[0] if others else '…'}"
            reader.source.error(
                generator.span,
                f"`{kind.name}` needs `{link}`: a part to follow",
                listed(others) or ("a part with drums" if drums else "a part with pitches"),
                hint=f"write `generator: {{kind: {kind.name}, {named}}}`",
            )


def _tonal(parts: Mapping[str, ChainDraft], chain: ChainDraft) -> list[str]:
    """Names of the parts that another could follow for their pitches."""
    return [part.name for part in parts.values() if part.role not in (Role.DRUMS, None) and part is not chain]


def _wanted(link: Link) -> str:
    return f"the name of another part, or {WANTED}" if link is Link.CHORDS else "the name of another part"


def _is_progression(node: ScalarNode, parts: Mapping[str, ChainDraft]) -> bool:
    """Whether `chords` are written out; a word that is the name of a part, or nearly one, is that part."""
    if not isinstance(node.value, str | int) or isinstance(node.value, bool):
        return False
    name = node.text.partition(".")[0]
    return name not in parts and looks_like_chords(node.text) and (is_chord(node.text) or not nearest(name, parts))


def _read_chords(reader: SceneReader, node: ScalarNode) -> Progression | Problem:
    try:
        return parse_progression(node.text, reader.meter)
    except NotationError as error:
        return _note(reader, span_within(reader.source, node, error.start, error.end), error)


def _read_link(
    reader: SceneReader, chain: ChainDraft, link: Link, node: ScalarNode, parts: Mapping[str, ChainDraft]
) -> LinkDraft | Problem:
    name, dot, drum_name = node.text.partition(".")
    other = parts.get(name)
    if other is None:
        return reader.source.error(
            span_within(reader.source, node, 0, len(name)),
            f"unknown part `{clipped(name)}`",
            _wanted(link),
            nearest(name, parts),
        )
    if other is chain:
        return reader.source.error(node.span, f"part `{name}` cannot listen to itself", _wanted(link))
    drum = drums.index_of(drum_name) if dot else None
    after = span_within(reader.source, node, len(name) + 1, len(node.text))
    if dot and drum is None:
        names = (*drums.CLASSES, *drums.SYMBOLS)
        expected = "one of " + ", ".join(f"`{name}`" for name in drums.CLASSES)
        return reader.source.error(after, f"unknown drum `{clipped(drum_name)}`", expected, nearest(drum_name, names))
    if dot and other.role not in (Role.DRUMS, None):
        return reader.source.error(after, f"part `{name}` plays no drums", f"`{link}: {name}`, or a drums part")
    if link is Link.CHORDS and other.role is Role.DRUMS:
        expected = listed(_tonal(parts, chain)) or "a part with pitches"
        return reader.source.error(node.span, f"part `{name}` plays drums, which have no chords", expected)
    plays_drums = chain.role is Role.DRUMS
    if link is Link.LEADER and None not in (other.role, chain.role) and plays_drums != (other.role is Role.DRUMS):
        expected = "a part with drums" if plays_drums else listed(_tonal(parts, chain)) or "a part with pitches"
        hint = "" if plays_drums else "or say `role: drums`"
        return reader.source.error(node.span, f"part `{name}` plays {'no ' * plays_drums}drums", expected, hint=hint)
    return LinkDraft(PartSource(name, drum), node.span)


def _read_primer(
    reader: SceneReader, chain: ChainDraft, key: Span, node: Node, parts: Mapping[str, ChainDraft]
) -> Phrase | LinkDraft | Problem:
    source = reader.source
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.text.strip():
        if node.text.strip() in parts:
            meant = f"{{part: {node.text.strip()}}}"
            return source.error(node.span, "a primer is a pattern", _PRIMER_EXPECTED, meant)
        return _read_pattern(reader, chain, node)
    if not isinstance(node, MapNode) or not list(node.meant()):
        return source.error(key, "this is no primer", _PRIMER_EXPECTED)
    names = [name for name, _, _ in node.meant()]
    special = [name for name in names if name in ("midi", "part")]
    if not special:
        return _read_grid_mapping(reader, chain, node)
    for name, name_node, _ in node.meant():
        if name != special[0]:
            source.error(name_node.span, f"unknown key `{clipped(name)}` in a primer", f"`{special[0]}` alone")
    value = node.get(special[0])
    if not isinstance(value, ScalarNode) or not isinstance(value.value, str):
        what = "the path of a MIDI file" if special[0] == "midi" else "the name of another part"
        return source.error(node.key(special[0]).span, f"`{special[0]}` needs {what}", what)
    if special[0] == "part":
        return _read_link(reader, chain, Link.PRIMER, value, parts)
    return _read_midi(reader, chain, value)


def _read_pattern(reader: SceneReader, chain: ChainDraft, node: ScalarNode) -> Phrase | Problem:
    unfit = _unfit_for_role(reader, chain, node.span, is_grid(node.text))
    if unfit is not None:
        return unfit
    try:
        return parse_pattern(node.text, reader.meter).phrase()
    except NotationError as error:
        return _note(reader, span_within(reader.source, node, error.start, error.end), error)


def _read_grid_mapping(reader: SceneReader, chain: ChainDraft, node: MapNode) -> Phrase | Problem:
    rows: dict[str, ScalarNode] = {}
    for name, key, value in node.meant():
        if not isinstance(value, ScalarNode) or not isinstance(value.value, str):
            return reader.source.error(key.span, f"the lane `{clipped(name)}` needs steps", "steps, like `x...x...`")
        if drums.index_of(name) is None:
            names = (*drums.SYMBOLS, *drums.CLASSES)
            expected = "`midi`, `part` or drums: " + ", ".join(f"`{symbol}`" for symbol in drums.SYMBOLS)
            return reader.source.error(
                key.span, f"unknown drum `{clipped(name)}`", expected, nearest(name, ("midi", "part", *names))
            )
        rows[name] = value
    unfit = _unfit_for_role(reader, chain, node.span, grid=True)
    if unfit is not None:
        return unfit
    try:
        return parse_grid(grid_from_mapping({name: row.text for name, row in rows.items()})).phrase()
    except NotationError as error:
        row = rows.get(error.key)
        span = span_within(reader.source, row, error.start, error.end) if row is not None else node.span
        return _note(reader, span, error)


def _note(reader: SceneReader, span: Span, error: NotationError) -> Problem:
    return reader.source.error(span, error.message, error.expected, nearest(error.word, error.candidates))


def _unfit_for_role(reader: SceneReader, chain: ChainDraft, span: Span, grid: bool) -> Problem | None:
    """Notes for drums, or a grid for what plays none; None where the pattern fits, or the role is not known."""
    if chain.role is None or grid == (chain.role is Role.DRUMS):
        return None
    if grid:
        return reader.source.error(span, f"part `{chain.name}` plays no drums", "notes, like `D4:1 F4:1/2`")
    return reader.source.error(
        span, f"part `{chain.name}` plays drums", "a drum grid, like `bd: x...x... | sn: ....x...`"
    )


def _read_midi(reader: SceneReader, chain: ChainDraft, node: ScalarNode) -> Phrase | Problem:
    path = Path(node.text)
    if not path.is_absolute():
        path = reader.folder / path
    try:
        excerpt = read_excerpt(path, reader.meter, chain.role is Role.DRUMS)
    except NotationError as error:
        return _note(reader, node.span, error)
    if excerpt.shortened:
        reader.source.warning(node.span, f"only the first {LONGEST:g} beats of the file are used", "shorten the file")
    return Phrase.of(excerpt.notes, excerpt.length, Provenance("midi", Origin.RULES))


def _check_circles(reader: SceneReader, parts: Mapping[str, LinksDraft]) -> None:
    """Note each circle of parts that listen to each other, once, at its first link in the file."""
    done: set[str] = set()
    for start in parts:
        trail: list[str] = []

        def visit(name: str, trail: list[str]) -> None:
            if name in trail:
                circle = trail[trail.index(name) :]
                links = good(parts[circle[-1]].links.values())
                link = next(link for link in links if link.source.part == name)
                reader.source.error(
                    link.span,
                    f"parts listen to each other in a circle: {' -> '.join([*circle, name])}",
                    hint="one of them must not listen to the others",
                )
                return
            if name in done or name not in parts:
                return
            for link in good(parts[name].links.values()):
                visit(link.source.part, [*trail, name])
            done.add(name)

        visit(start, trail)

"""What parts take from each other, and primers: links, patterns, MIDI files."""

from __future__ import annotations

from pathlib import Path

from engine.form.scene import PartSource
from engine.generators.contract import Link, Role
from engine.scenes.reading.drafts import LinkDraft, PartDraft, Reading
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.positions import span_within
from engine.scenes.text.problems import Span
from engine.scenes.text.source import clipped
from engine.score import drums
from engine.score.excerpt import read_excerpt
from engine.score.notation import LONGEST, NotationError
from engine.score.patterns import (
    grid_from_mapping,
    is_grid,
    parse_grid,
    parse_pattern,
)
from engine.score.phrase import Origin, Phrase, Provenance
from engine.score.progressions import WANTED, is_chord, looks_like_chords, parse_progression

_PRIMER_EXPECTED = "a pattern like `D4:1 F4:1/2`, a drum grid like `bd: x...x...`, `{midi: FILE}` or `{part: NAME}`"


def read_links(reading: Reading, parts: dict[str, PartDraft]) -> None:
    """Read the links and primers of all parts, and look for circles."""
    for draft in parts.values():
        _check_needs(reading, draft, parts)
        if draft.generator is None or draft.kind is None:
            continue
        for link in Link:
            node = draft.generator.get(link)
            if node is None:
                continue
            if link is Link.PRIMER:
                _read_primer(reading, draft, node, parts)
            elif link is Link.CHORDS and _is_progression(node, parts):
                _read_chords(reading, draft, node)
            elif isinstance(node, ScalarNode) and isinstance(node.value, str):
                _read_link(reading, draft, link, node, parts)
            else:
                key = draft.generator.key(link).span
                what = "a part, or chords" if link is Link.CHORDS else "a part"
                reading.source.error(key, f"`{link}` must name {what}", _wanted(link))
            if link not in draft.kind.takes:
                reading.source.warning(
                    draft.generator.key(link).span,
                    f"`{draft.kind.name}` does not listen to `{link}`",
                    "delete it, or choose another generator",
                )
    _check_circles(reading, parts)


def _check_needs(reading: Reading, draft: PartDraft, parts: dict[str, PartDraft]) -> None:
    needs = draft.kind.needs if draft.kind is not None else ()
    for link in Link:
        if link in needs and (draft.generator is None or link not in draft.generator.entries):
            assert draft.kind is not None
            tonal = _tonal(parts, draft)
            named = f"{link}: {tonal[0] if tonal else '…'}"
            reading.source.error(
                draft.kind_span,
                f"`{draft.kind.name}` needs `{link}`: a part to follow",
                listed(tonal) or "a part with pitches",
                hint=f"write `generator: {{kind: {draft.kind.name}, {named}}}`",
            )


def _tonal(parts: dict[str, PartDraft], draft: PartDraft) -> list[str]:
    """Names of the parts that another could follow for their pitches."""
    return [part.name for part in parts.values() if part.role not in (Role.DRUMS, None) and part is not draft]


def _wanted(link: Link) -> str:
    return f"the name of another part, or {WANTED}" if link is Link.CHORDS else "the name of another part"


def _is_progression(node: Node, parts: dict[str, PartDraft]) -> bool:
    """Whether `chords` are written out; a word that is the name of a part, or nearly one, is that part."""
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str | int) or isinstance(node.value, bool):
        return False
    name = node.text.partition(".")[0]
    return name not in parts and looks_like_chords(node.text) and (is_chord(node.text) or not nearest(name, parts))


def _read_chords(reading: Reading, draft: PartDraft, node: Node) -> None:
    assert isinstance(node, ScalarNode)
    try:
        draft.chords = parse_progression(node.text, reading.meter)
    except NotationError as error:
        _note(reading, span_within(reading.source, node, error.start, error.end), error)


def _read_link(reading: Reading, draft: PartDraft, link: Link, node: ScalarNode, parts: dict[str, PartDraft]) -> None:
    name, dot, drum_name = node.text.partition(".")
    other = parts.get(name)
    if other is None:
        reading.source.error(
            span_within(reading.source, node, 0, len(name)),
            f"unknown part `{clipped(name)}`",
            _wanted(link),
            nearest(name, parts),
        )
        return
    if other is draft:
        reading.source.error(node.span, f"part `{name}` cannot listen to itself", _wanted(link))
        return
    drum = drums.index_of(drum_name) if dot else None
    after = span_within(reading.source, node, len(name) + 1, len(node.text))
    if dot and drum is None:
        names = (*drums.CLASSES, *drums.SYMBOLS)
        expected = "one of " + ", ".join(f"`{name}`" for name in drums.CLASSES)
        reading.source.error(after, f"unknown drum `{clipped(drum_name)}`", expected, nearest(drum_name, names))
        return
    if dot and other.role not in (Role.DRUMS, None):
        reading.source.error(after, f"part `{name}` plays no drums", f"`{link}: {name}`, or a drums part")
        return
    if link is Link.CHORDS and other.role is Role.DRUMS:
        expected = listed(_tonal(parts, draft)) or "a part with pitches"
        reading.source.error(node.span, f"part `{name}` plays drums, which have no chords", expected)
        return
    draft.links[link] = LinkDraft(PartSource(name, drum), node.span)


def _read_primer(reading: Reading, draft: PartDraft, node: Node, parts: dict[str, PartDraft]) -> None:
    assert draft.generator is not None
    key = draft.generator.key(Link.PRIMER).span
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.text.strip():
        if node.text.strip() in parts:
            reading.source.error(node.span, "a primer is a pattern", _PRIMER_EXPECTED, f"{{part: {node.text.strip()}}}")
        else:
            _read_pattern(reading, draft, node)
        return
    if not isinstance(node, MapNode) or not list(node.meant()):
        reading.source.error(key, "this is no primer", _PRIMER_EXPECTED)
        return
    names = [name for name, _, _ in node.meant()]
    special = [name for name in names if name in ("midi", "part")]
    if not special:
        _read_grid_mapping(reading, draft, node)
        return
    for name, name_node, _ in node.meant():
        if name != special[0]:
            reading.source.error(name_node.span, f"unknown key `{clipped(name)}` in a primer", f"`{special[0]}` alone")
    value = node.get(special[0])
    if not isinstance(value, ScalarNode) or not isinstance(value.value, str):
        what = "the path of a MIDI file" if special[0] == "midi" else "the name of another part"
        reading.source.error(node.key(special[0]).span, f"`{special[0]}` needs {what}", what)
    elif special[0] == "part":
        _read_link(reading, draft, Link.PRIMER, value, parts)
    else:
        _read_midi(reading, draft, value)


def _read_pattern(reading: Reading, draft: PartDraft, node: ScalarNode) -> None:
    grid = is_grid(node.text)
    if not _fits_role(reading, draft, node.span, grid):
        return
    try:
        draft.primer = parse_pattern(node.text, reading.meter).phrase()
    except NotationError as error:
        _note(reading, span_within(reading.source, node, error.start, error.end), error)


def _read_grid_mapping(reading: Reading, draft: PartDraft, node: MapNode) -> None:
    rows: dict[str, str] = {}
    for name, key, value in node.meant():
        if not isinstance(value, ScalarNode) or not isinstance(value.value, str):
            reading.source.error(key.span, f"the lane `{clipped(name)}` needs steps", "steps, like `x...x...`")
            return
        if drums.index_of(name) is None:
            names = (*drums.SYMBOLS, *drums.CLASSES)
            expected = "`midi`, `part` or drums: " + ", ".join(f"`{symbol}`" for symbol in drums.SYMBOLS)
            reading.source.error(
                key.span, f"unknown drum `{clipped(name)}`", expected, nearest(name, ("midi", "part", *names))
            )
            return
        rows[name] = value.text
    if not _fits_role(reading, draft, node.span, grid=True):
        return
    try:
        draft.primer = parse_grid(grid_from_mapping(rows)).phrase()
    except NotationError as error:
        value = node.get(error.key)
        inside = isinstance(value, ScalarNode)
        _note(reading, span_within(reading.source, value, error.start, error.end) if inside else node.span, error)


def _note(reading: Reading, span: Span, error: NotationError) -> None:
    reading.source.error(span, error.message, error.expected, nearest(error.word, error.candidates))


def _fits_role(reading: Reading, draft: PartDraft, span: Span, grid: bool) -> bool:
    if draft.role is None or grid == (draft.role is Role.DRUMS):
        return True
    if grid:
        reading.source.error(span, f"part `{draft.name}` plays no drums", "notes, like `D4:1 F4:1/2`")
    else:
        reading.source.error(
            span, f"part `{draft.name}` plays drums", "a drum grid, like `bd: x...x... | sn: ....x...`"
        )
    return False


def _read_midi(reading: Reading, draft: PartDraft, node: ScalarNode) -> None:
    path = Path(node.text)
    if not path.is_absolute():
        path = reading.folder / path
    try:
        excerpt = read_excerpt(path, reading.meter, draft.role is Role.DRUMS)
    except NotationError as error:
        _note(reading, node.span, error)
        return
    if excerpt.shortened:
        reading.source.warning(node.span, f"only the first {LONGEST:g} beats of the file are used", "shorten the file")
    draft.primer = Phrase.of(excerpt.notes, excerpt.length, Provenance("midi", Origin.RULES))


def _check_circles(reading: Reading, parts: dict[str, PartDraft]) -> None:
    """Note each circle of parts that listen to each other, once, at its first link in the file."""
    done: set[str] = set()
    for start in parts:
        trail: list[str] = []

        def visit(name: str, trail: list[str]) -> None:
            if name in trail:
                circle = trail[trail.index(name) :]
                links = parts[circle[-1]].links.values()
                link = next(link for link in links if link.source.part == name)
                reading.source.error(
                    link.span,
                    f"parts listen to each other in a circle: {' -> '.join([*circle, name])}",
                    hint="one of them must not listen to the others",
                )
                return
            if name in done or name not in parts:
                return
            for link in parts[name].links.values():
                visit(link.source.part, [*trail, name])
            done.add(name)

        visit(start, trail)

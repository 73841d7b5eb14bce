# pyright: strict
"""Themes of a scene file: written as music, or found by the engine."""

from __future__ import annotations

from collections.abc import Sequence

from engine.generators.contract import Role, SettingsContext
from engine.ideas.idea import IDEA_BARS, MOST_NOTES, Idea, kind_of_role
from engine.ideas.themes import FOUND, Theme
from engine.scenes.reading.drafts import SceneReader
from engine.scenes.schema.models import NAME, ThemeFile
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Span, problems
from engine.scenes.text.source import clipped
from engine.score.harmony.keys import Key
from engine.score.patterns import Pattern, is_grid
from engine.score.phrase import Origin, Phrase, Provenance

FEWEST, MOST = 3, 7
"""Themes that a scene is known by: fewer are soon worn out, of more none is known again."""

_EXPECTED = "notes like `D4:1 F4:1/2`, a drum grid, a mapping of `melody`, `bass`, `drums` and `chords`, or `found`"
_BY_AUTHOR = Provenance("theme", Origin.RULES)


def read_themes(reader: SceneReader, node: Node | None, key: Key) -> tuple[Theme, ...] | Problem:
    """The themes of a scene; four that are found where it has none.

    Args:
        reader: of the file.
        node: value of `themes`; None without.
        key: of the scene, that they are written in.
    """
    if node is None:
        return FOUND
    if not isinstance(node, MapNode):
        return reader.source.error(node.span, "`themes` must be a mapping", f"names, each with {_EXPECTED}")
    entries = list(node.meant())
    if not FEWEST <= len(entries) <= MOST:
        message = f"{len(entries)} themes are too {'few' if len(entries) < FEWEST else 'many'}"
        return reader.source.error(node.span, message, f"{FEWEST} to {MOST}; some of them may be `found`")
    found: list[Theme | Problem] = []
    for name, at, value in entries:
        if not NAME.fullmatch(name):
            expected = "letters, digits, `-` and `_`, a letter first"
            found.append(reader.source.error(at.span, f"`{clipped(name)}` cannot be the name of a theme", expected))
            continue
        found.append(_read_theme(reader, name, at.span, value, key))
    wrong = problems(found)
    return wrong[0] if wrong else tuple(one for one in found if isinstance(one, Theme))


def read_names(
    reader: SceneReader, node: Node | None, themes: tuple[Theme, ...] | Problem
) -> tuple[str | Problem, ...]:
    """The themes that a section may have, by name; none means all.

    Args:
        reader: of the file.
        node: value of `theme` of a section; None without.
        themes: of the scene.
    """
    items: Sequence[Node] = node.items if isinstance(node, ListNode) else [node] if node is not None else []
    known = [] if isinstance(themes, Problem) else [theme.name for theme in themes]
    found: list[str | Problem] = []
    for item in items:
        if not isinstance(item, ScalarNode) or not isinstance(item.value, str) or isinstance(themes, Problem):
            continue  # the section's model, or whoever read the themes, has noted that
        if item.text in known:
            found.append(item.text)
            continue
        message = f"unknown theme `{clipped(item.text)}`"
        found.append(reader.source.error(item.span, message, listed(known), nearest(item.text, known)))
    return tuple(found)


def _read_theme(reader: SceneReader, name: str, at: Span, value: Node, key: Key) -> Theme | Problem:
    if isinstance(value, ScalarNode) and value.text.strip() == "found":
        return Theme(name)
    noun = f"theme `{clipped(name)}`"
    file = validate(ThemeFile, _by_role(value), reader.source, noun, at, context=_context(reader))
    if isinstance(file, Problem):
        return file
    written: dict[str, Idea] = {}
    for role in Role:
        music = getattr(file, role)
        if music is None:
            continue
        if role is Role.CHORDS:
            phrase = Phrase.of((), music.length, _BY_AUTHOR, music.spans(key, 0.0, music.length))
        else:
            assert isinstance(music, Pattern)
            if music.is_drums != (role is Role.DRUMS):
                expected = "a drum grid" if role is Role.DRUMS else "notes"
                return reader.source.error(at, f"the {role} of {noun} are of the wrong kind", expected)
            phrase = music.phrase()
        found = _as_idea(reader, name, at, role, phrase, key)
        if isinstance(found, Problem):
            return found
        written[str(role)] = found
    return Theme(name, written) if written else reader.source.error(at, f"{noun} is empty", _EXPECTED)


def _as_idea(reader: SceneReader, name: str, at: Span, role: Role, phrase: Phrase, key: Key) -> Idea | Problem:
    """Music of a theme, filled up with a rest to whole bars."""
    bar = reader.meter.beats_per_bar
    bars = -(-phrase.length // bar)
    most = 64 if role is Role.CHORDS else IDEA_BARS
    if bars > most:
        return reader.source.error(at, f"theme `{name}` has {bars:g} bars of {role}", f"{most} bars at most")
    if (count := len(phrase.notes)) > MOST_NOTES:
        return reader.source.error(at, f"theme `{name}` has {count} notes of {role}", f"{MOST_NOTES} notes at most")
    if not len(phrase.notes) and not phrase.chords:
        return reader.source.error(at, f"theme `{name}` is silent", "notes that sound")
    whole = Phrase.of(phrase.notes, bars * bar, phrase.provenance, phrase.chords)
    return Idea(kind_of_role(role), name, "", 0, key, bar, whole)


def _by_role(value: Node) -> Node:
    """A theme as a mapping by role: bare notes are its melody, a bare grid its drums."""
    if isinstance(value, ScalarNode) and isinstance(value.value, str):
        role = str(Role.DRUMS if is_grid(value.text) else Role.MELODY)
    elif isinstance(value, MapNode) and "midi" in value.entries:
        role = str(Role.MELODY)
    else:
        return value
    return MapNode(value.span, {role: (ScalarNode(value.span, role, role, ""), value)})


def _context(reader: SceneReader) -> SettingsContext:
    return SettingsContext(reader.meter, reader.folder)

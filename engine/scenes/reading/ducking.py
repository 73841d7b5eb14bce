# pyright: strict
"""Who gives way to whom: the ducking of a scene's mix, with places in the file."""

from __future__ import annotations

from collections.abc import Mapping

from engine.form.scene import PartSource
from engine.generators.contract import Role
from engine.scenes.reading.drafts import ChainDraft, SceneReader
from engine.scenes.schema.models import DuckFile
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import MapNode, ScalarNode
from engine.scenes.text.positions import span_within
from engine.scenes.text.problems import Problem
from engine.scenes.text.source import clipped
from engine.score import drums
from engine.sound.messages import Duck


def read_ducks(
    reader: SceneReader, node: MapNode, ducks: Mapping[str, DuckFile], parts: Mapping[str, ChainDraft]
) -> tuple[Duck | Problem, ...]:
    """The ducks of a valid `mix`; names that no part has are noted.

    Args:
        reader: the file.
        node: of the whole scene.
        ducks: as the mix gives them, by the part that gives way.
        parts: by name.
    """
    mix = node.get("mix")
    entries = mix.get("duck") if isinstance(mix, MapNode) else None
    if not isinstance(entries, MapNode):
        return ()
    return tuple(_read_duck(reader, entries, name, settings, parts) for name, settings in ducks.items())


def _read_duck(
    reader: SceneReader, entries: MapNode, name: str, settings: DuckFile, parts: Mapping[str, ChainDraft]
) -> Duck | Problem:
    key = entries.key(name).span
    if name not in parts:
        return reader.source.error(key, f"unknown part `{clipped(name)}`", "the name of a part", nearest(name, parts))
    entry = entries.get(name)
    under = entry.get("under") if isinstance(entry, MapNode) else None
    if not isinstance(under, ScalarNode):
        return reader.source.error(key, f"`{clipped(name)}` gives way to nothing", "`under: ` and a part")
    found = _read_under(reader, name, under, parts)
    if isinstance(found, Problem):
        return found
    return Duck(name, found.part, found.drum, settings.depth, settings.release)


def _read_under(
    reader: SceneReader, name: str, node: ScalarNode, parts: Mapping[str, ChainDraft]
) -> PartSource | Problem:
    """Whose notes turn a part down."""
    other, dot, drum_name = node.text.partition(".")
    if other not in parts:
        span = span_within(reader.source, node, 0, len(other))
        expected = "the name of another part"
        return reader.source.error(span, f"unknown part `{clipped(other)}`", expected, nearest(other, parts))
    if other == name:
        return reader.source.error(node.span, f"part `{name}` cannot give way to itself", "the name of another part")
    if not dot:
        return PartSource(other)
    after = span_within(reader.source, node, len(other) + 1, len(node.text))
    drum = drums.index_of(drum_name)
    if drum is None:
        names = (*drums.CLASSES, *drums.SYMBOLS)
        return reader.source.error(
            after, f"unknown drum `{clipped(drum_name)}`", listed(drums.CLASSES), nearest(drum_name, names)
        )
    if parts[other].role not in (Role.DRUMS, None):
        return reader.source.error(after, f"part `{other}` plays no drums", f"`under: {other}`, or a drums part")
    return PartSource(other, drum)

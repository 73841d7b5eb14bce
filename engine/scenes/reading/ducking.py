"""Who gives way to whom: the ducking of a scene's mix, with places in the file."""

from __future__ import annotations

from collections.abc import Mapping

from engine.generators.contract import Role
from engine.scenes.reading.drafts import PartDraft, Reading
from engine.scenes.schema.models import DuckFile
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import MapNode, ScalarNode
from engine.scenes.text.positions import span_within
from engine.scenes.text.source import clipped
from engine.score import drums
from engine.sound.messages import Duck


def read_ducks(
    reading: Reading, node: MapNode, ducks: Mapping[str, DuckFile], parts: Mapping[str, PartDraft]
) -> tuple[Duck, ...]:
    """The ducks of a valid `mix`; names that no part has are noted.

    Args:
        reading: the file.
        node: of the whole scene.
        ducks: as the mix gives them, by the part that gives way.
        parts: by name.
    """
    mix = node.get("mix")
    entries = mix.get("duck") if isinstance(mix, MapNode) else None
    if not isinstance(entries, MapNode):
        return ()
    found = []
    for name, settings in ducks.items():
        if name not in parts:
            span = entries.key(name).span
            reading.source.error(span, f"unknown part `{clipped(name)}`", "the name of a part", nearest(name, parts))
            continue
        entry = entries.get(name)
        under = entry.get("under") if isinstance(entry, MapNode) else None
        if isinstance(under, ScalarNode):
            drum = _read_under(reading, name, under, parts)
            found.append(Duck(name, settings.under.partition(".")[0], drum, settings.depth, settings.release))
    return tuple(found)


def _read_under(reading: Reading, name: str, node: ScalarNode, parts: Mapping[str, PartDraft]) -> int | None:
    """Which drum turns a part down; None for all notes of the other part. What is wrong is noted."""
    other, dot, drum_name = node.text.partition(".")
    if other not in parts:
        span = span_within(reading.source, node, 0, len(other))
        expected = "the name of another part"
        reading.source.error(span, f"unknown part `{clipped(other)}`", expected, nearest(other, parts))
        return None
    if other == name:
        reading.source.error(node.span, f"part `{name}` cannot give way to itself", "the name of another part")
        return None
    if not dot:
        return None
    after = span_within(reading.source, node, len(other) + 1, len(node.text))
    drum = drums.index_of(drum_name)
    if drum is None:
        names = (*drums.CLASSES, *drums.SYMBOLS)
        reading.source.error(
            after, f"unknown drum `{clipped(drum_name)}`", listed(drums.CLASSES), nearest(drum_name, names)
        )
    elif parts[other].role not in (Role.DRUMS, None):
        reading.source.error(after, f"part `{other}` plays no drums", f"`under: {other}`, or a drums part")
    return drum

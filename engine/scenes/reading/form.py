# pyright: strict
"""What a scene file says of hours: the form above the sections, and how the home key wanders."""

from __future__ import annotations

from collections.abc import Sequence

from engine.form.scene import Form, Modulation, PlannedQuiet
from engine.scenes.reading.drafts import SceneReader
from engine.scenes.schema.form import FormFile
from engine.scenes.schema.models import SceneFile
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import MapNode
from engine.scenes.text.problems import Problem, Span
from engine.scenes.text.source import clipped

_SHORTEST = 60.0
"""Seconds of a movement at least, and from one planned quiet to the next."""
_CALLED = ("opening", "closing", "refrain", "tutti")


def called_sections(file: SceneFile | Problem) -> list[str]:
    """Names of the sections that the form of a scene calls for."""
    if isinstance(file, Problem) or file.form is None:
        return []
    form = file.form
    names = [form.opening, form.closing, form.refrain, form.tutti, form.quiet.section if form.quiet else None]
    return [name for name in names if name is not None]


def read_form(reader: SceneReader, node: MapNode, file: FormFile, sections: Sequence[str]) -> Form | Problem:
    """The form of a scene.

    Args:
        reader: the file.
        node: of the scene.
        file: value of `form`.
        sections: names of those that the scene has.
    """
    place = node.get("form")
    assert isinstance(place, MapNode)
    named = {word: name for word in _CALLED if (name := getattr(file, word)) is not None}
    wrong = [_unknown(reader, place, word, name, sections) for word, name in named.items() if name not in sections]
    if file.movement.low < _SHORTEST:
        wrong.append(
            reader.source.error(_span(place, "movement"), "a movement lasts a minute at least", "`20..40 min`")
        )
    if file.quiet is not None:
        quiet = place.get("quiet")
        assert isinstance(quiet, MapNode)
        if file.quiet.section not in sections:
            wrong.append(_unknown(reader, quiet, "section", file.quiet.section, sections))
        if file.quiet.every.low < _SHORTEST:
            message = "planned quiets are a minute apart at least"
            wrong.append(reader.source.error(_span(quiet, "every"), message, "`40..55 min`"))
    if wrong:
        return wrong[0]
    return Form(
        movement=file.movement,
        shapes=file.shape,
        dynamics=file.dynamics,
        tempo=file.tempo,
        density=file.density,
        parts=file.parts,
        reach=file.reach,
        opening=file.opening,
        closing=file.closing,
        refrain=file.refrain,
        tutti=file.tutti,
        quiet=PlannedQuiet(file.quiet.section, file.quiet.every) if file.quiet is not None else None,
    )


def read_modulation(reader: SceneReader, node: MapNode, file: SceneFile, day_key: bool) -> Modulation | Problem | None:
    """How the home key of a scene wanders.

    Args:
        reader: the file.
        node: of the scene.
        file: its own keys.
        day_key: the key follows the time of day.
    """
    if file.modulation is None:
        return None
    span = node.key("modulation").span
    if day_key:
        message = "the key cannot wander and follow the time of day at once"
        return reader.source.error(span, message, "`modulation`, or `key` under `day`")
    if file.modulation.every.low <= 0:
        return reader.source.error(span, "the key cannot wander all the time", "`every: 6..10 min`")
    return Modulation(file.modulation.by, file.modulation.every, file.modulation.within)


def _unknown(reader: SceneReader, node: MapNode, word: str, name: str, sections: Sequence[str]) -> Problem:
    message = f"unknown section `{clipped(name)}`"
    return reader.source.error(_span(node, word), message, listed(sections), nearest(name, sections))


def _span(node: MapNode, word: str) -> Span:
    value = node.get(word)
    return value.span if value is not None else node.span

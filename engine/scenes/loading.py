# pyright: strict
"""From a scene file to a Scene, or to all that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.form.scene import Scene
from engine.scenes.instruments.files import Instruments, check_instrument, is_instrument
from engine.scenes.reading.drafts import DayDraft, InstrumentDraft, PartDraft, SceneDraft, SceneReader
from engine.scenes.reading.ducking import read_ducks
from engine.scenes.reading.form import called_sections, read_form, read_modulation
from engine.scenes.reading.moving.day import read_day
from engine.scenes.reading.parts.chains import read_chains
from engine.scenes.reading.parts.instruments import check_memory, read_instruments
from engine.scenes.reading.parts.links import read_links
from engine.scenes.reading.parts.note_lengths import check_articulation
from engine.scenes.reading.resolving import resolve
from engine.scenes.reading.sections import read_sections
from engine.scenes.reading.themes import read_themes
from engine.scenes.schema.models import SceneFile
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import Diagnostic
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.parsing import parse
from engine.scenes.text.problems import Problem, Severity, Span
from engine.scenes.text.source import SourceFile, UnreadableError
from engine.score.harmony.keys import Key
from engine.score.time import Meter


@dataclass(frozen=True)
class Checked:
    """What became of one file.

    Attributes:
        path: of the file.
        scene: None if the file is not valid, or is an instrument.
        diagnostics: all that was found, also in the instruments that it names; by file and place.
    """

    path: Path
    scene: Scene | None
    diagnostics: list[Diagnostic]

    @property
    def valid(self) -> bool:
        """Whether it is playable here as it is meant."""
        return all(one.severity is Severity.WARNING for one in self.diagnostics)


def load(path: Path, pipes: bool = False) -> tuple[Scene | None, list[Diagnostic]]:
    """Read a scene file.

    Args:
        path: of the file.
        pipes: it may also be a pipe.

    Returns:
        (scene, diagnostics): the scene is None if any diagnostic is an error. One that is only `unavailable` (the
        weights of a network are not here) leaves the scene whole: rules stand in.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    checked = check_file(path, Instruments(), pipes)
    return checked.scene, checked.diagnostics


def check_files(paths: Iterable[Path]) -> list[Checked]:
    """Look into files, scenes or instruments, each and what it names once.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    instruments = Instruments()
    return [check_file(path, instruments) for path in dict.fromkeys(paths)]


def check_file(path: Path, instruments: Instruments, pipes: bool = False) -> Checked:
    """Look into one file, a scene or an instrument.

    Args:
        path: of the file.
        instruments: what has been looked into so far.
        pipes: it may also be a pipe.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    source, node = read_tree(path, pipes)
    return look_into(source, node, instruments)


def read_tree(path: Path, pipes: bool = False, data: bytes | None = None) -> tuple[SourceFile, Node | None]:
    """A file as text and as nodes; None where it is no file of ours that can be looked into, which is noted.

    Args:
        path: of the file.
        pipes: it may also be a pipe.
        data: bytes that are to lie there; None: those that do.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    source = SourceFile.read(path, pipes) if data is None else SourceFile.of(path, data)
    try:
        node = parse(source)
    except UnreadableError:
        return source, None
    if source.ours:
        return source, node
    source.found.clear()
    expected = "a file that says `perpetuum: 1`"
    source.error(Span(0, 1), "this is neither a scene nor an instrument nor an installation", expected)
    return source, None


def look_into(source: SourceFile, node: Node | None, instruments: Instruments) -> Checked:
    """What is found in a scene or an instrument.

    Args:
        source: the file.
        node: what stands in it; None where that cannot be read.
        instruments: what has been looked into so far.
    """
    scene: Scene | None = None
    used: list[Path] = []
    if node is not None and is_instrument(node):
        check_instrument(source, node, instruments.samples)
    elif isinstance(node, MapNode):
        scene, used = _read_scene(source, node, instruments)
    elif node is not None:
        source.error(node.span, "a scene must be a mapping", "keys and values; the first is `perpetuum: 1`")
    found = sorted(source.found, key=lambda one: (one.line, one.column, one.message))
    for other in dict.fromkeys(used):
        found += sorted(instruments.found.get(other, []), key=lambda one: (one.line, one.column))
    if any(one.severity is Severity.ERROR for one in found):
        scene = None
    return Checked(source.path, scene, found)


def _read_scene(source: SourceFile, node: MapNode, instruments: Instruments) -> tuple[Scene | None, list[Path]]:
    """The scene, None where anything is wrong with it, and the instrument files that it plays."""
    reader, draft = read_draft(source, node, instruments)
    played = {part.instrument.path for part in draft.parts.values() if isinstance(part.instrument, InstrumentDraft)}
    used = [path for path in instruments.found if path.resolve() in played]
    # What is noted may spoil no field of any draft: two keys of one name, parts in a circle.
    scene = resolve(draft, source) if source.sound else []
    if not isinstance(scene, Scene):
        return None, used
    check_articulation(reader, scene, draft.parts, instruments.articulations)
    return scene, used


def read_draft(source: SourceFile, node: MapNode, instruments: Instruments) -> tuple[SceneReader, SceneDraft]:
    """The draft of a scene, and what read it; what is wrong is noted.

    Args:
        source: the file.
        node: its mapping.
        instruments: what has been looked into so far.
    """
    start = Span(node.span.start, node.span.start + 1)
    head = validate(SceneFile, node, source, "the scene", start)
    reader = SceneReader(source, _meter(node) if isinstance(head, Problem) else head.meter)
    chains = read_chains(reader, node.get("parts"))
    taken = read_links(reader, chains)
    played = read_instruments(reader, chains.values(), instruments)
    parts = {name: PartDraft(chain, taken[name], played[name]) for name, chain in chains.items()}
    check_memory(reader, parts.values(), instruments)
    key = Key() if isinstance(head, Problem) else head.key
    themes = read_themes(reader, node.get("themes"), key)
    sections = read_sections(reader, node.get("sections"), parts, themes, called_sections(head))
    day = read_day(reader, node.get("day"), node.key("day").span, chains) if "day" in node.entries else DayDraft()
    ducks = () if isinstance(head, Problem) else read_ducks(reader, node, head.mix.duck, chains)
    if isinstance(head, Problem):
        return reader, SceneDraft(node, head, parts, sections, day, ducks, themes)
    form = read_form(reader, node, head.form, list(sections)) if head.form is not None else None
    modulation = read_modulation(reader, node, head, day.key is not None)
    return reader, SceneDraft(node, head, parts, sections, day, ducks, themes, form, modulation)


def _meter(node: MapNode) -> Meter:
    """The meter of a scene whose head is wrong, so that the rest can be checked all the same."""
    value = node.get("meter")
    try:
        return Meter.parse(value.text) if isinstance(value, ScalarNode) else Meter()
    except ValueError:
        return Meter()

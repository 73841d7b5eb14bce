"""From a scene file to a Scene, or to all that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.form.scene import Part, Scene, Section, Tempo
from engine.generators.contract import Link
from engine.scenes.instruments.files import Instruments, check_instrument, check_memory, is_instrument, read_instrument
from engine.scenes.reading.chains import read_parts
from engine.scenes.reading.day import Day, read_day
from engine.scenes.reading.drafts import PartDraft, Reading, SectionDraft
from engine.scenes.reading.ducking import read_ducks
from engine.scenes.reading.links import read_links
from engine.scenes.reading.note_lengths import check_articulation
from engine.scenes.reading.sections import default_next, read_sections
from engine.scenes.schema.models import MixFile, SceneFile
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import Diagnostic
from engine.scenes.text.nodes import MapNode, ScalarNode, parse
from engine.scenes.text.problems import Severity, Span
from engine.scenes.text.source import SourceFile, UnreadableError
from engine.score.phrase import Phrase
from engine.score.time import Meter
from engine.sound.messages import Duck, MixSound, PartSound


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
    """Look into one file.

    Args:
        path: of the file.
        instruments: what has been looked into so far.
        pipes: it may also be a pipe.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    source = SourceFile.read(path, pipes)
    scene: Scene | None = None
    used: list[Path] = []
    try:
        node = parse(source)
        if not source.ours:
            source.found.clear()
            source.error(Span(0, 1), "this is neither a scene nor an instrument", "a file that says `perpetuum: 1`")
        elif is_instrument(node):
            check_instrument(source, node, instruments.samples)
        elif isinstance(node, MapNode):
            scene, used = _read_scene(source, node, instruments)
        else:
            source.error(node.span, "a scene must be a mapping", "keys and values; the first is `perpetuum: 1`")
    except UnreadableError:
        pass
    found = sorted(source.found, key=lambda one: (one.line, one.column, one.message))
    for other in dict.fromkeys(used):
        found += sorted(instruments.found.get(other, []), key=lambda one: (one.line, one.column))
    if any(one.severity is Severity.ERROR for one in found):
        scene = None
    return Checked(path, scene, found)


def _read_scene(source: SourceFile, node: MapNode, instruments: Instruments) -> tuple[Scene | None, list[Path]]:
    start = Span(node.span.start, node.span.start + 1)
    head = validate(SceneFile, node, source, "the scene", start)
    reading = Reading(source, head.meter if head is not None else _meter(node))
    parts = read_parts(reading, node.get("parts"))
    read_links(reading, parts)
    told: set[Path] = set()
    for draft in parts.values():
        read_instrument(reading, draft, instruments, told)
    used = [path for path in instruments.found if any(draft.instrument == path.resolve() for draft in parts.values())]
    check_memory(reading, parts.values(), instruments)
    sections = read_sections(reading, node.get("sections"), parts)
    day = read_day(reading, node.get("day"), node.key("day").span, parts) if "day" in node.entries else Day()
    ducks = read_ducks(reading, node, head.mix.duck, parts) if head is not None else ()
    if head is None or not source.sound:
        return None, used
    mix = _mix(head.mix, head.tempo, ducks)
    if not 0.01 <= mix.delay_time <= 4:
        source.error(_delay_span(node), f"the delay of {mix.delay_time:.3g} s is out of range", "10 ms to 4 s")
        return None, used
    scene = Scene(
        path=source.path,
        title=head.title,
        credits=head.credits,
        seed=head.seed,
        meter=head.meter,
        tempo=head.tempo,
        key=head.key,
        opening=head.opening,
        parts={name: _part(draft) for name, draft in parts.items()},
        sections=_sections(sections),
        mix=mix,
        day=tuple(day.moves),
        day_tempo=day.tempo,
        day_key=day.key,
    )
    check_articulation(reading, scene, parts, instruments.articulations)
    return scene, used


def _meter(node: MapNode) -> Meter:
    """The meter of a scene whose head is wrong, so that the rest can be checked all the same."""
    value = node.get("meter")
    try:
        return Meter.parse(value.text) if isinstance(value, ScalarNode) else Meter()
    except ValueError:
        return Meter()


def _part(draft: PartDraft) -> Part:
    assert draft.file is not None
    assert draft.kind is not None
    assert draft.settings is not None
    assert draft.role is not None
    assert draft.instrument is not None
    transforms = tuple(
        (item.kind.name, item.settings) for item in draft.transforms if item is not None and item.settings is not None
    )
    primer: Phrase | None = draft.primer
    return Part(
        name=draft.name,
        role=draft.role,
        generator=draft.kind.name,
        settings=draft.settings,
        sources={link: draft.links[link].source for link in Link if link in draft.links},
        primer=primer,
        phrase_bars=draft.file.phrase,
        transforms=transforms,
        sound=PartSound(
            name=draft.name,
            instrument=str(draft.instrument),
            revision=draft.revision,
            level=draft.file.level,
            pan=draft.file.pan,
            reverb=draft.file.sends.reverb,
            delay=draft.file.sends.delay,
        ),
        chords=draft.chords,
    )


def _sections(drafts: dict[str, SectionDraft]) -> dict[str, Section]:
    follows = default_next(drafts)
    sections: dict[str, Section] = {}
    for name, draft in drafts.items():
        assert draft.file is not None
        sections[name] = Section(
            name=name,
            bars=draft.file.bars,
            parts=tuple(draft.parts),
            repeat=draft.file.repeat,
            next=draft.next if draft.next is not None else {follows[name]: 1.0},
            moves=tuple(draft.moves),
            tempo=draft.file.tempo,
            key=draft.file.key,
        )
    return sections


def _mix(mix: MixFile, tempo: Tempo, ducks: tuple[Duck, ...]) -> MixSound:
    number, unit = mix.delay.time
    middle = (tempo.qpm.low + tempo.qpm.high) / 2
    return MixSound(
        reverb_time=mix.reverb.time,
        reverb_brightness=mix.reverb.brightness,
        delay_time=number * 60 / middle if unit == "beats" else number,
        delay_feedback=mix.delay.feedback,
        level=mix.level,
        ducks=ducks,
    )


def _delay_span(node: MapNode) -> Span:
    place: object = node
    for key in ("mix", "delay", "time"):
        place = place.get(key) if isinstance(place, MapNode) else None
    return place.span if isinstance(place, ScalarNode) else node.span

# pyright: strict
"""A scene while it is being read. Each draft is whole when it is made: what is wrong in it is a `Problem` in its place.

written (nodes with places) -> chains -> parts -> sections, day, ducks -> `SceneDraft` -> `resolving.resolve` -> Scene
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.form.curves import DayCurve, DayMove, DaySteps, Move
from engine.form.scene import Form, Modulation, PartSource, Timbre
from engine.generators.contract import GeneratorKind, Link, Role, Settings, TransformKind
from engine.ideas.themes import Theme
from engine.scenes.schema.models import PartFile, SceneFile, SectionFile
from engine.scenes.text.nodes import MapNode
from engine.scenes.text.problems import Problem, Span, good
from engine.scenes.text.source import SourceFile
from engine.score.harmony.progressions import Progression
from engine.score.phrase import Phrase
from engine.score.time import Meter
from engine.sound.messages import Duck


@dataclass(frozen=True, slots=True)
class Written:
    """A part or section as it stands in the file.

    Attributes:
        name: its key.
        node: its mapping.
        span: of its name.
    """

    name: str
    node: MapNode
    span: Span


@dataclass(frozen=True, slots=True)
class GeneratorDraft:
    """What makes the notes of a part.

    Attributes:
        kind: of the generator.
        span: where that is named.
        node: its mapping; None for a bare name.
        raw: its settings as they stand in the file, without links.
        settings: as they are played, with the paths of the files that they name.
        role: what the part plays.
    """

    kind: GeneratorKind
    span: Span
    node: MapNode | None
    raw: Mapping[str, Any]
    settings: Settings | Problem
    role: Role


@dataclass(frozen=True, slots=True)
class TransformDraft:
    """A transform of a part.

    Attributes:
        kind: of the transform.
        raw: its settings as they stand in the file.
        settings: as they are played, with the paths of the files that they name.
    """

    kind: TransformKind
    raw: Mapping[str, Any]
    settings: Settings | Problem


@dataclass(frozen=True, slots=True)
class ChainDraft:
    """A part, each for itself: without what it takes from others, and without its instrument.

    Attributes:
        written: where it stands.
        file: its own keys.
        generator: what makes its notes.
        links: those that its generator names, right or wrong, primer included.
        transforms: in order.
    """

    written: Written
    file: PartFile | Problem
    generator: GeneratorDraft | Problem
    links: frozenset[Link]
    transforms: tuple[TransformDraft | Problem, ...] | Problem

    @property
    def name(self) -> str:
        """Of the part."""
        return self.written.name

    @property
    def role(self) -> Role | None:
        """What the part plays; None where its generator is wrong."""
        return self.generator.role if isinstance(self.generator, GeneratorDraft) else None

    @property
    def kind(self) -> GeneratorKind | None:
        """Of its generator; None where that is wrong."""
        return self.generator.kind if isinstance(self.generator, GeneratorDraft) else None


@dataclass(frozen=True, slots=True)
class LinkDraft:
    """A part's ear for another part.

    Attributes:
        source: whom it listens to.
        span: where that stands.
    """

    source: PartSource
    span: Span


@dataclass(frozen=True, slots=True)
class LinksDraft:
    """What a part takes from elsewhere.

    Attributes:
        links: to other parts.
        chords: that are written for it; None without.
        primer: its pattern or MIDI file; None without.
    """

    links: Mapping[Link, LinkDraft | Problem]
    chords: Progression | Problem | None = None
    primer: Phrase | Problem | None = None


@dataclass(frozen=True, slots=True)
class InstrumentDraft:
    """The instrument of a part.

    Attributes:
        path: of its file.
        revision: what tells one saved state of the file, its samples included, from another; what is wrong with it.
        timbre: for which it stands in; None where it is what was meant.
    """

    path: Path
    revision: int | Problem
    timbre: Timbre | None = None


@dataclass(frozen=True, slots=True)
class PartDraft:
    """A part with all that it is made of.

    Attributes:
        chain: generator and transforms.
        taken: from other parts.
        instrument: what plays its notes.
    """

    chain: ChainDraft
    taken: LinksDraft
    instrument: InstrumentDraft | Problem

    @property
    def links(self) -> dict[Link, LinkDraft]:
        """The parts that it listens to, but for links that are wrong."""
        return {link: one for link, one in self.taken.links.items() if isinstance(one, LinkDraft)}


@dataclass(frozen=True, slots=True)
class SectionDraft:
    """A section.

    Attributes:
        written: where it stands.
        file: its own keys.
        players: names of its parts.
        next: weights of the sections that follow; None for the default.
        moves: what moves.
        themes: names of those that it may have.
    """

    written: Written
    file: SectionFile | Problem
    players: tuple[str | Problem, ...]
    next: Mapping[str, float] | Problem | None
    moves: tuple[Move | Problem, ...]
    themes: tuple[str | Problem, ...]

    @property
    def parts(self) -> list[str]:
        """Those of its parts that there are."""
        return good(self.players)


@dataclass(frozen=True, slots=True)
class DayDraft:
    """What of a scene follows the time of day.

    Attributes:
        moves: settings of parts.
        tempo: qpm; None where it does not follow.
        key: keys, which change in steps; None where it does not follow.
        dynamics: levels of playing; None where they do not follow.
    """

    moves: tuple[DayMove | Problem, ...] = ()
    tempo: DayCurve | Problem | None = None
    key: DaySteps | Problem | None = None
    dynamics: DayCurve | Problem | None = None


@dataclass(frozen=True, slots=True)
class SceneDraft:
    """A whole scene.

    Attributes:
        written: its mapping.
        head: its own keys.
        parts: by name, in the file's order.
        sections: by name, in the file's order.
        day: what follows the time of day.
        ducks: who gives way to whom.
        themes: the ideas that it is known by.
        form: what stands above the sections; None without.
        modulation: how the home key wanders; None where it stays.
    """

    written: MapNode
    head: SceneFile | Problem
    parts: Mapping[str, PartDraft]
    sections: Mapping[str, SectionDraft]
    day: DayDraft
    ducks: tuple[Duck | Problem, ...]
    themes: tuple[Theme, ...] | Problem
    form: Form | Problem | None = None
    modulation: Modulation | Problem | None = None


@dataclass(frozen=True)
class SceneReader:
    """What all readers of a file share.

    Attributes:
        source: the file; takes the diagnostics.
        meter: of the scene.
    """

    source: SourceFile
    meter: Meter

    @property
    def folder(self) -> Path:
        """Where relative paths begin."""
        return self.source.folder

"""Parts and sections while a scene is being read: what is known of them so far, right or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import PerpetuumError
from engine.form.scene import Move, Source
from engine.generators.contract import GeneratorKind, Link, Role, Settings, TransformKind
from engine.registry import K, Registry
from engine.scenes.diagnostics import listed, nearest
from engine.scenes.models import PartFile, SectionFile
from engine.scenes.nodes import MapNode, ScalarNode
from engine.scenes.source import Source as FileSource
from engine.scenes.source import Span, clipped
from engine.score.phrase import Phrase
from engine.score.progressions import Progression
from engine.score.time import Meter


@dataclass
class TransformDraft:
    """A transform of a part.

    Attributes:
        kind: of the transform.
        raw: its settings as they stand in the file.
        settings: None where they are wrong.
    """

    kind: TransformKind
    raw: dict[str, Any]
    settings: Settings | None


@dataclass
class LinkDraft:
    """A part's ear for another part.

    Attributes:
        source: whom it listens to.
        span: where that stands.
    """

    source: Source
    span: Span


@dataclass
class PartDraft:
    """A part.

    Attributes:
        name: of the part.
        node: its mapping.
        span: of its name.
        file: its own keys; None where they are wrong.
        kind: of its generator; None if there is none such.
        kind_span: where that is named.
        generator: the generator's mapping; None for a bare name.
        raw: the generator's settings as they stand in the file, without links.
        settings: None where they are wrong.
        role: what it plays; None if that is not known.
        links: to other parts.
        chords: that are written for it; None without.
        primer: its pattern or MIDI file.
        transforms: in order; None in the place of an unknown one.
        instrument: file of the instrument; None if there is none such.
    """

    name: str
    node: MapNode
    span: Span
    file: PartFile | None = None
    kind: GeneratorKind | None = None
    kind_span: Span = field(default_factory=lambda: Span(0, 0))
    generator: MapNode | None = None
    raw: dict[str, Any] = field(default_factory=dict)
    settings: Settings | None = None
    role: Role | None = None
    links: dict[Link, LinkDraft] = field(default_factory=dict)
    chords: Progression | None = None
    primer: Phrase | None = None
    transforms: list[TransformDraft | None] = field(default_factory=list)
    instrument: Path | None = None
    revision: int = 0


@dataclass
class SectionDraft:
    """A section.

    Attributes:
        name: of the section.
        node: its mapping.
        span: of its name.
        file: its own keys; None where they are wrong.
        parts: those of its parts that there are.
        next: weights of the sections that follow; None for the default.
        moves: what moves.
    """

    name: str
    node: MapNode
    span: Span
    file: SectionFile | None = None
    parts: list[str] = field(default_factory=list)
    next: dict[str, float] | None = None
    moves: list[Move] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """What all readers of a file share.

    Attributes:
        source: the file; takes the diagnostics.
        meter: of the scene.
    """

    source: FileSource
    meter: Meter

    @property
    def folder(self) -> Path:
        """Where relative paths begin."""
        return self.source.folder

    def find_kind(self, registry: Registry[K], node: ScalarNode) -> K | None:
        """The kind that a node names; None if there is none such, and that is noted."""
        name, known, noun = node.text, registry.names(), registry.noun
        if not isinstance(node.value, str) or name not in known:
            verb = "perpetuum instruments" if registry.group == "perpetuum.instruments" else "perpetuum generators"
            self.source.error(
                node.span,
                f"unknown {noun} `{clipped(name)}`",
                listed(known, 24) or f"a {noun}, but none is installed",
                nearest(name, known),
                f"`{verb}` tells what there is",
            )
            return None
        try:
            return registry.get(name)
        except PerpetuumError as error:
            self.source.error(node.span, error.message, hint=error.hint or "")
            return None

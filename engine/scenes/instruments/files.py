# pyright: strict
"""Instrument files as far as `check` looks into them: settings and samples, with places in the file."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import PerpetuumError
from engine.files import noting
from engine.scenes.instruments.samples import Samples, check_samples
from engine.scenes.schema.kinds import find_kind
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import Diagnostic
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.parsing import parse
from engine.scenes.text.problems import Problem, Span
from engine.scenes.text.source import SourceFile, UnreadableError, clipped
from engine.sound.contract import INSTRUMENTS, InstrumentKind
from engine.sound.instruments.articulation import Articulation, articulation


@dataclass
class Instruments:
    """Instrument files that were looked into; each is read once, however many parts play it.

    Attributes:
        found: diagnostics of each file.
        kinds: kind of each instrument; None if it is not known.
        frames: of the samples of each in memory, at 48 kHz.
        articulations: how each begins and ends its notes; None if it is not known.
        samples: sound files that were looked into.
        revisions: what tells one saved state of an instrument, its samples included, from another.
    """

    found: dict[Path, list[Diagnostic]] = field(default_factory=dict[Path, list[Diagnostic]])
    kinds: dict[Path, InstrumentKind | None] = field(default_factory=dict[Path, InstrumentKind | None])
    frames: dict[Path, int] = field(default_factory=dict[Path, int])
    articulations: dict[Path, Articulation | None] = field(default_factory=dict[Path, Articulation | None])
    samples: Samples = field(default_factory=Samples)
    revisions: dict[Path, int] = field(default_factory=dict[Path, int])

    def look_into(self, path: Path) -> list[Diagnostic]:
        """What is wrong with an instrument file.

        Raises:
            PerpetuumError: it cannot be read, or is no instrument; nothing of it is told then.
        """
        if path not in self.found:
            with noting() as used:
                source = SourceFile.read(path, named=True)
                if not source.ours:
                    raise PerpetuumError("this is no instrument file", "an instrument file says `perpetuum: 1`")
                self.kinds[path], self.frames[path], self.articulations[path] = _check(source, self.samples)
            self.found[path] = source.found
            self.revisions[path] = zlib.crc32(repr(sorted(used.items(), key=str)).encode())
        return self.found[path]


def is_instrument(node: Node) -> bool:
    """Whether a file looks like an instrument rather than like a scene."""
    return isinstance(node, MapNode) and "kind" in node.entries and not {"parts", "sections"} & set(node.entries)


def check_instrument(
    source: SourceFile, node: Node, samples: Samples
) -> tuple[InstrumentKind | None, int, Articulation | None]:
    """Note what is wrong with a parsed instrument file.

    Returns:
        Its kind, None if there is none such; the frames of its samples in memory; and how it begins and ends its
        notes, None if that is not known.
    """
    if not isinstance(node, MapNode):
        source.error(node.span, "an instrument must be a mapping", "keys and values, like `kind: subtractive`")
        return None, 0, None
    name = node.get("kind")
    start = Span(node.span.start, node.span.start + 1)
    if not isinstance(name, ScalarNode):
        source.error(start, "the instrument has no `kind`", hint="add `kind: …`; `perpetuum instruments` tells which")
        return None, 0, None
    kind = find_kind(source, INSTRUMENTS, name)
    if isinstance(kind, Problem):
        return None, 0, None
    for _, _, value in node.meant():
        _refuse_free_keys(source, value)
    settings = validate(kind.settings, node, source, "the instrument", start)
    if isinstance(settings, Problem):
        return kind, 0, None
    return kind, check_samples(source, node, settings, samples), articulation(settings)


def _check(source: SourceFile, samples: Samples) -> tuple[InstrumentKind | None, int, Articulation | None]:
    try:
        return check_instrument(source, parse(source), samples)
    except UnreadableError:
        return None, 0, None


def _refuse_free_keys(source: SourceFile, node: Node) -> None:
    """The audio process reads instruments by itself, and knows free keys at their top alone."""
    if isinstance(node, MapNode):
        for name, (key, value) in node.entries.items():
            if name.startswith("x-"):
                source.error(
                    key.span, f"`{clipped(name)}` stands inside a value", "free keys at the top of the file only"
                )
            _refuse_free_keys(source, value)
    for item in node.items if isinstance(node, ListNode) else ():
        _refuse_free_keys(source, item)

"""Instrument files as far as `check` looks into them: settings and samples, with places in the file."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine import assets
from engine.errors import PerpetuumError
from engine.files import noting, reason, status
from engine.generators.contract import Role, Settings
from engine.scenes.diagnostics import Diagnostic, Severity, listed, nearest
from engine.scenes.drafts import PartDraft, Reading
from engine.scenes.nodes import ListNode, MapNode, Node, ScalarNode, parse
from engine.scenes.source import Source, Span, UnreadableError, clipped
from engine.scenes.validation import validate
from engine.score.time import SAMPLE_RATE, Meter
from engine.sound.articulation import Articulation, articulation
from engine.sound.contract import INSTRUMENTS, InstrumentKind
from engine.sound.samples import SampleFacts, examine_sample
from engine.sound.settings import sample_files, unheard_samples

MOST_SECONDS = 600
"""Length of all samples of an instrument, at 48 kHz, stereo: some 350 MB while they are built."""

MOST_SECONDS_TOGETHER = 900
"""The same of all parts of a scene."""


@dataclass
class Samples:
    """Sound files that were looked into: each is decoded once, and again only if it has changed."""

    known: dict[tuple[Path, float, int, int], SampleFacts | PerpetuumError] = field(default_factory=dict)

    def examine(self, path: Path, semitones: float) -> SampleFacts:
        """What a sound file is.

        Raises:
            PerpetuumError: it cannot be played.
        """
        try:
            found = status(path)
        except (OSError, ValueError) as error:
            raise PerpetuumError(reason(error)) from error
        key = (path, semitones, found.st_mtime_ns, found.st_size)
        if key not in self.known:
            try:
                self.known[key] = examine_sample(path, semitones)
            except PerpetuumError as error:
                self.known[key] = error
        facts = self.known[key]
        if isinstance(facts, PerpetuumError):
            raise facts
        return facts


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

    found: dict[Path, list[Diagnostic]] = field(default_factory=dict)
    kinds: dict[Path, InstrumentKind | None] = field(default_factory=dict)
    frames: dict[Path, int] = field(default_factory=dict)
    articulations: dict[Path, Articulation | None] = field(default_factory=dict)
    samples: Samples = field(default_factory=Samples)
    revisions: dict[Path, int] = field(default_factory=dict)

    def look_into(self, path: Path) -> list[Diagnostic]:
        """What is wrong with an instrument file.

        Raises:
            PerpetuumError: it cannot be read, or is no instrument; nothing of it is told then.
        """
        if path not in self.found:
            with noting() as used:
                source = Source.read(path, named=True)
                if not source.ours:
                    raise PerpetuumError("this is no instrument file", "an instrument file says `perpetuum: 1`")
                self.kinds[path], self.frames[path], self.articulations[path] = _check(source, self.samples)
            self.found[path] = source.found
            self.revisions[path] = zlib.crc32(repr(sorted(used.items(), key=str)).encode())
        return self.found[path]


def read_instrument(reading: Reading, draft: PartDraft, instruments: Instruments, told: set[Path]) -> None:
    """Find the instrument of a part and look into its file.

    Args:
        reading: the scene.
        draft: the part.
        instruments: what has been looked into so far.
        told: instruments of which this scene has said that they are not valid; takes those that are.
    """
    node = draft.node.get("instrument")
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or not node.text:
        return
    path = assets.find("instruments", node.text, beside=reading.folder) if "\0" not in node.text else None
    if path is None:
        known = list(assets.names("instruments"))
        reading.source.error(
            node.span,
            f"no instrument `{clipped(node.text)}`",
            listed(known, 24) or "the name or path of an instrument file",
            nearest(node.text, known),
            "`perpetuum instruments` tells what there is",
        )
        return
    draft.instrument = path.resolve()
    if path.name == f"{node.text}.yaml" and assets.hidden_by("instruments", path) is not None:
        message = f"`{clipped(node.text)}` is not the shipped instrument here: {path} hides it"
        reading.source.warning(node.span, message, "give a file of yours a name of its own to have both")
    try:
        wrong = [one for one in instruments.look_into(path) if one.severity is Severity.ERROR]
        draft.revision = instruments.revisions[path]
    except PerpetuumError as error:
        if draft.instrument not in told:
            reading.source.error(node.span, error.message, hint=error.hint or "")
        told.add(draft.instrument)
        return
    if wrong and draft.instrument in told:
        return
    if wrong:
        told.add(draft.instrument)
        reading.source.error(
            node.span,
            f"the instrument `{clipped(node.text)}` is not valid",
            hint=f"see {path}:{wrong[0].line}:{wrong[0].column}",
        )
        return
    kind = instruments.kinds[path]
    if kind is not None and draft.role is not None and kind.drums != (draft.role is Role.DRUMS):
        plays = "drums alone" if kind.drums else "pitches, no drums"
        reading.source.warning(
            node.span,
            f"`{clipped(node.text)}` plays {plays}, part `{draft.name}` plays {draft.role}",
            "choose another instrument",
        )


def is_instrument(node: Node) -> bool:
    """Whether a file looks like an instrument rather than like a scene."""
    return isinstance(node, MapNode) and "kind" in node.entries and not {"parts", "sections"} & set(node.entries)


def check_instrument(
    source: Source, node: Node, samples: Samples
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
    reading = Reading(source, Meter())
    kind = reading.find_kind(INSTRUMENTS, name)
    if kind is None:
        return None, 0, None
    for _, _, value in node.meant():
        _refuse_free_keys(source, value)
    settings = validate(kind.settings, node, source, "the instrument", start)
    if settings is None:
        return kind, 0, None
    return kind, _check_samples(source, node, settings, samples), articulation(settings)


def _check(source: Source, samples: Samples) -> tuple[InstrumentKind | None, int, Articulation | None]:
    try:
        return check_instrument(source, parse(source), samples)
    except UnreadableError:
        return None, 0, None


def _refuse_free_keys(source: Source, node: Node) -> None:
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


def _check_samples(source: Source, node: MapNode, settings: Settings, samples: Samples) -> int:
    """Decode every sample; gives the frames that they take in memory, at 48 kHz."""
    told: set[Path] = set()
    facts: list[SampleFacts] = []
    frames = 0
    for use in sample_files(settings, source.folder):
        span = _span_of(node, use.keys)
        shown = f"the sample `{clipped(use.path.name)}`"
        if assets.is_shipped(use.path):
            continue
        if not assets.exists(use.path):
            if use.path not in told:
                where = f"it should lie at {clipped(str(use.path), 200)}"
                source.error(span, f"no sample `{clipped(use.path.name)}`", hint=where)
            told.add(use.path)
            continue
        try:
            found = samples.examine(use.path, use.semitones)
        except PerpetuumError as error:
            if use.path not in told:
                source.error(span, f"{shown} cannot be played: {error.message}", hint=error.hint or "")
            told.add(use.path)
            continue
        facts.append(found)
        frames += found.resampled(use.semitones)
        if use.loop is not None and use.loop > found.seconds:
            loop = _span_of(node, (*use.keys[:-1], "loop"))
            source.error(loop, f"the loop ends at {use.loop:g} s, and {shown} at {found.seconds:.6g} s")
        if found.silent and use.path not in told:
            told.add(use.path)
            source.warning(span, f"{shown} is silent")
    for place in unheard_samples(settings):
        span = _span_of(node, ("samples", place, "file"))
        source.warning(span, "this sample never plays: one above has its pitch and its velocities")
    if facts and len(facts) > 1 and all(found.silent for found in facts):
        source.warning(Span(node.span.start, node.span.start + 1), "all samples of this instrument are silent")
    if frames > MOST_SECONDS * SAMPLE_RATE:
        source.error(
            Span(node.span.start, node.span.start + 1),
            f"the samples of this instrument last {frames / SAMPLE_RATE:.0f} s together",
            f"{MOST_SECONDS} s at most, since they lie in memory",
        )
    return frames


def check_memory(reading: Reading, parts: Iterable[PartDraft], instruments: Instruments) -> None:
    """Note a scene whose samples would not fit into the memory of a small machine; each part has its own copy."""
    total = 0
    for part in parts:
        frames = {path.resolve(): frames for path, frames in instruments.frames.items()}
        total += frames.get(part.instrument, 0) if part.instrument is not None else 0
        if total > MOST_SECONDS_TOGETHER * SAMPLE_RATE:
            reading.source.error(
                part.span,
                f"with part `{part.name}` the samples of all parts last {total / SAMPLE_RATE:.0f} s together",
                f"{MOST_SECONDS_TOGETHER} s at most, since they lie in memory, once for each part",
            )
            return


def _span_of(node: Node, keys: Sequence[str | int]) -> Span:
    """Where the value stands that a path of keys and places leads to; as far as it can be followed."""
    span = node.span
    for step in keys:
        if isinstance(node, MapNode) and str(step) in node.entries:
            key, node = node.entries[str(step)]
            span = node.span if isinstance(node, ScalarNode) else key.span
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            span = node.span
    return span

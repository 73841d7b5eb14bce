# pyright: strict
"""Sound files that an instrument plays: each is decoded once, and what is wrong with it is noted where it is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine import assets
from engine.errors import PerpetuumError
from engine.files import reason, status
from engine.generators.contract import Settings
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Span
from engine.scenes.text.source import SourceFile, clipped
from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.samples import MOST_SECONDS, SampleFacts, examine_sample
from engine.sound.settings import sample_files, unheard_samples


@dataclass
class Samples:
    """Sound files that were looked into: each is decoded once, and again only if it has changed."""

    known: dict[tuple[Path, float, int, int], SampleFacts | PerpetuumError] = field(
        default_factory=dict[tuple[Path, float, int, int], SampleFacts | PerpetuumError]
    )

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


def check_samples(source: SourceFile, node: MapNode, settings: Settings, samples: Samples) -> int:
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

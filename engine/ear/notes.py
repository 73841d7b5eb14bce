# pyright: strict
"""What is played, measured: every part, and all together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engine.ear.part import PartEar, PartFigures
from engine.ear.windows import Window
from engine.events import BarSealed, PhraseDecided
from engine.generators.contract import Role
from engine.score.phrase import ChordSpan
from engine.score.time import SAMPLE_RATE

WRITTEN = frozenset({"pattern", "pedal"})
"""Kinds of generators whose notes stand in the scene: what it spells out, or one pitch that is held on purpose."""

FIGURATION = frozenset({"arpeggio", "canon"})
"""Kinds that follow another part, broken chords or a canon: where that comes again, so do they."""

LATELY = 600.0
"""Seconds of the chroma that is compared."""

HOURS = 3 * 3600.0
"""Seconds of the chroma that it is compared with."""


@dataclass(frozen=True, slots=True)
class WholeFigures:
    """How all parts together have played.

    Attributes:
        density: notes a second, in the last minute.
        silence: share of the last minute in which no part sounds.
        quiet: seconds for which no part has sounded.
        pitch_classes: how many there are, weighed by how long they sound: e to the entropy of the chroma of the last
            ten minutes, 1..12; 0 without any.
        likeness: cosine of that chroma and the one of the last hours, 0..1.
    """

    density: float
    silence: float
    quiet: float
    pitch_classes: float
    likeness: float


@dataclass(frozen=True, slots=True)
class NoteFigures:
    """How a performance has played up to a bar.

    Attributes:
        bar: the last one.
        seconds: of the performance at its end.
        section: that it lies in.
        whole: all parts together.
        parts: those that are heard in it, by name.
    """

    bar: int
    seconds: float
    section: str
    whole: WholeFigures
    parts: dict[str, PartFigures]


class NoteEar:
    """Listens to what is played.

    Args:
        roles: of the parts, by name.
    """

    def __init__(self, roles: Mapping[str, Role]) -> None:
        self._roles = roles
        self._parts: dict[str, PartEar] = {}
        self._minute = Window(60.0, 2)
        self._lately = Window(LATELY, 12)
        self._hours = Window(HOURS, 12)
        self._sounds_until = 0.0
        self._beat = 1.0

    def decided(self, event: PhraseDecided) -> None:
        """A generator has made a phrase."""
        self._part(event.part).made(event.phrase.length * self._beat, len(event.raw.notes))

    def sealed(self, event: BarSealed) -> NoteFigures:
        """A bar is heard; how the performance has played up to its end."""
        start, end = event.start / SAMPLE_RATE, event.end / SAMPLE_RATE
        self._beat = 60.0 / event.qpm
        beats = (end - start) / self._beat
        heard = {one.part: one for one in event.parts if one.heard}
        for name in self._parts.keys() - heard.keys():
            self._parts[name].rest()
        # Parts are sealed after those that they listen to: the first one that means chords is their source.
        source = next((one for one in event.parts if one.phrase.chords), None)
        chords: tuple[ChordSpan, ...] = source.phrase.chords if source is not None else ()
        chroma = [0.0] * 12
        count, spans = 0, list[tuple[float, float]]()
        for name, one in heard.items():
            notes: list[tuple[float, float, int, int]] = one.phrase.notes.tolist()
            recalled = bool(one.phrase.provenance.idea)
            sounding = source is not None and source.heard
            self._part(name).hear(start, end, beats, notes, chords, one is source, sounding, recalled)
            count += len(notes)
            spans += [(start + begin * self._beat, start + stop * self._beat) for begin, stop, _, _ in notes]
            if self._roles.get(name) is not Role.DRUMS:
                for begin, stop, pitch, _ in notes:
                    chroma[pitch % 12] += stop - begin
        self._minute.add(end - start, count, self._silence(start, end, spans))
        for window in (self._lately, self._hours):
            window.add(end - start, *chroma)
        figures = {
            name: self._parts[name].figures(made in WRITTEN, made in FIGURATION)
            for name, one in heard.items()
            for made in [one.phrase.provenance.generator]
        }
        return NoteFigures(event.bar, end, event.section, self._whole(end), figures)

    def begin_anew(self, part: str) -> None:
        """A part may play otherwise from here on."""
        self._part(part).begin_anew()

    def forget(self, roles: Mapping[str, Role]) -> None:
        """Another scene plays: its parts are others, though they may share a name."""
        self._roles = roles
        self._parts = {}

    def _part(self, name: str) -> PartEar:
        if name not in self._parts:
            self._parts[name] = PartEar(self._roles.get(name, Role.MELODY))
        return self._parts[name]

    def _silence(self, start: float, end: float, spans: list[tuple[float, float]]) -> float:
        """Seconds of a bar in which nothing sounds."""
        silence, until = 0.0, max(start, self._sounds_until)
        for begin, stop in sorted(spans):
            silence += max(0.0, min(begin, end) - until) if begin > until else 0.0
            until = max(until, stop)
        self._sounds_until = max(self._sounds_until, until if spans else self._sounds_until)
        return silence + max(0.0, end - until)

    def _whole(self, now: float) -> WholeFigures:
        minute = self._minute
        return WholeFigures(
            density=minute.sums[0] / minute.length,
            silence=minute.sums[1] / minute.length,
            quiet=max(0.0, now - self._sounds_until),
            pitch_classes=_width(self._lately.sums),
            likeness=_cosine(self._lately.sums, self._hours.sums),
        )


def _width(chroma: list[float]) -> float:
    total = sum(chroma)
    shares = [one / total for one in chroma if one > 1e-9] if total > 1e-6 else []
    return math.exp(-sum(one * math.log(one) for one in shares)) if shares else 0.0


def _cosine(one: list[float], other: list[float]) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths > 1e-9 else 0.0

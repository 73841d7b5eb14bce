# pyright: strict
"""What was played: who made each bar, and the notes for a MIDI file or a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from engine.events import BarSealed, PartBar, SectionBegan
from engine.form.scene import Scene
from engine.score.midi import writing as midi_writing
from engine.score.phrase import NOTE, ChordSpan, Origin, moved
from engine.score.piece import Piece, Track


class Tally:
    """Bars of each part by who made them; bars that only other parts listen to do not count."""

    def __init__(self) -> None:
        self.bars: dict[str, Counter[Origin]] = {}
        self.reasons: Counter[str] = Counter()
        self._networked: set[str] = set()

    def __call__(self, event: BarSealed) -> None:
        """Count a bar."""
        for one in event.parts:
            if one.heard:
                origin = one.phrase.provenance.origin
                self.bars.setdefault(one.part, Counter())[origin] += 1
                if one.network:
                    self._networked.add(one.part)
                if origin is Origin.FALLBACK:
                    self.reasons[f"{one.part}: {one.phrase.provenance.reason}"] += 1

    def network_share(self, part: str) -> float:
        """Share of a part's bars that a network made, 0..1."""
        bars = self.bars.get(part, Counter())
        return bars[Origin.NETWORK] / max(1, bars.total())

    def lines(self, order: Iterable[str]) -> list[str]:
        """One line for each part that was heard; those that are not in `order` come last."""
        rows: list[str] = []
        names = [name for name in dict.fromkeys((*order, *self.bars)) if name in self.bars]
        width = max(map(len, names), default=0)
        for name in names:
            bars = self.bars[name]
            opening, failed = bars[Origin.OPENING], bars[Origin.FALLBACK]
            # Rules play in place of what failed, and are counted as what they are.
            by_rules = bars[Origin.RULES] + opening + failed
            reasons = {"in the opening": opening, "in place of what failed": failed}
            of_them = ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
            why = f" (of them {of_them})" if of_them else ""
            # Who plays by rules as its scene says has no network that could be spoken of.
            network = f"{bars[Origin.NETWORK]} by its network, " if name in self._networked else ""
            rows.append(f"{name:<{width}}  {bars.total():>4} bars: {network}{by_rules} by rules{why}, {failed} failed")
        return rows


@dataclass
class Recording:
    """All notes of a performance, in beats from its start.

    Attributes:
        scene: what was played.
        notes: by part, pieces of arrays of `NOTE`.
        passes: the sections as they came.
        tempos: (beat, qpm) at each change.
        bars: number of bars.
        origins: by part and bar, who made what is heard there.
        chords: that were meant, in beats from the start; where several parts mean chords, those of the part that the
            others listen to.
    """

    scene: Scene
    notes: dict[str, list[np.ndarray]] = field(default_factory=dict[str, list[np.ndarray]])
    passes: list[SectionBegan] = field(default_factory=list[SectionBegan])
    tempos: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    bars: int = 0
    origins: dict[str, dict[int, Origin]] = field(default_factory=dict[str, dict[int, Origin]])
    chords: list[ChordSpan] = field(default_factory=list[ChordSpan])

    def __call__(self, event: SectionBegan | BarSealed) -> None:
        """Keep a section or a bar."""
        if isinstance(event, SectionBegan):
            self.passes.append(event)
            return
        self.bars = max(self.bars, event.bar + 1)
        begin = event.bar * self.scene.meter.beats_per_bar
        if not self.tempos or self.tempos[-1][1] != event.qpm:
            self.tempos.append((begin, event.qpm))
        for one in event.parts:
            self._keep(one, event.bar, begin)

    def _keep(self, one: PartBar, bar: int, begin: float) -> None:
        # Parts are sealed after those that they listen to: the first one that means chords is their source.
        if one.phrase.chords and not (self.chords and self.chords[-1].end > begin + 1e-9):
            for span in one.phrase.chords:
                self._add_chord(span.moved(begin))
        if not one.heard:
            return
        self.origins.setdefault(one.part, {})[bar] = one.phrase.provenance.origin
        if len(one.phrase.notes):
            self.notes.setdefault(one.part, []).append(moved(one.phrase.notes, begin))

    def _add_chord(self, span: ChordSpan) -> None:
        """Add a chord; one that goes on from before makes that one longer."""
        last = self.chords[-1] if self.chords else None
        if last is not None and last.chord == span.chord and abs(last.end - span.start) < 1e-9:
            self.chords[-1] = replace(last, end=span.end)
        else:
            self.chords.append(span)

    def part_notes(self, part: str) -> np.ndarray:
        """All notes of a part, array of `NOTE`."""
        pieces = self.notes.get(part)
        return np.concatenate(pieces) if pieces else np.zeros(0, NOTE)

    def write_midi(self, path: Path) -> None:
        """Write a MIDI file with a track for each part, tempi, meter and the sections as markers."""
        beats = self.scene.meter.beats_per_bar
        tracks = [
            Track(self.part_notes(name), name, is_drum=part.role == "drums") for name, part in self.scene.parts.items()
        ]
        markers = [(visit.first_bar * beats, visit.section) for visit in self.passes]
        midi_writing.write_piece(
            path,
            Piece(tuple(tracks), meter=self.scene.meter, tempos=tuple(self.tempos), markers=tuple(markers)),
        )

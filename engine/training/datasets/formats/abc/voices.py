"""A voice of ABC: what is written in it one after the other, and then when all of it sounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from engine.score.midi.reading import MAX_BEATS
from engine.training.datasets.formats.abc.fields import ALTERATIONS, Signature, Staff
from engine.training.datasets.formats.abc.symbols import AbcWritten
from engine.training.datasets.score import UnusableError

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FINEST = 1 << 32
"""Of a beat: lengths that need finer parts have no common measure."""


@dataclass
class AbcEvent:
    """Notes that begin together, or a rest.

    Attributes:
        length: in beats.
        notes: (pitch, length in beats, tied to the next) of each.
    """

    length: Fraction
    notes: tuple[tuple[int, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class AbcBar:
    """A bar line; an alternative ending may begin with it."""

    other_ending: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """A rest of whole bars, each of so many beats."""

    count: int
    length: Fraction


@dataclass(frozen=True, slots=True)
class Overlay:
    """The music goes back to the beginning of the bar, in another voice; place: "line:column"."""

    place: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that holds from here: a "chord", "meter", "key" or "tempo"."""

    kind: str
    value: object


@dataclass
class AbcVoice:
    """A voice while it is read.

    Attributes:
        name: after V:.
        unit: unit note length, in beats.
        meter: None in free meter.
        signature: of its key.
        program, is_drum: of its instrument.
        is_sung: it has words.
        items: what is written, in order.
    """

    name: str
    unit: Fraction
    meter: tuple[int, int] | None
    signature: Signature
    clef_octave: int = 0
    octave: int = 0
    transpose: int = 0
    played_higher: int = 0
    program: int | None = None
    is_drum: bool = False
    is_left_out: bool = False
    is_sung: bool = False
    items: list[AbcEvent | AbcBar | Bars | Overlay | Change] = field(default_factory=list)
    tuplets: list[tuple[Fraction, int]] = field(default_factory=list)
    broken: Fraction = Fraction(1)
    last: AbcEvent | None = None
    _bar: dict[tuple[str, int | None], int] = field(default_factory=dict)
    _tied: dict[tuple[str, int], int] = field(default_factory=dict)

    def apply(self, staff: Staff) -> None:
        """Take over the parameters of K: or V:."""
        self.clef_octave = self.clef_octave if staff.clef_octave is None else staff.clef_octave
        self.octave = self.octave if staff.octave is None else staff.octave
        self.transpose = self.transpose if staff.transpose is None else staff.transpose
        self.is_left_out = self.is_left_out if staff.is_drum is None else staff.is_drum

    @property
    def semitones(self) -> int:
        """How much higher it sounds than it is written."""
        return 12 * (self.clef_octave + self.octave) + self.transpose + self.played_higher

    @property
    def is_compound(self) -> bool:
        """Whether its meter is 6/8, 9/8 or 12/8."""
        return self.meter in ((6, 8), (9, 8), (12, 8))

    @property
    def bar_length(self) -> Fraction:
        """Beats of a bar; of 4/4 in free meter."""
        return Fraction(4 * self.meter[0], self.meter[1]) if self.meter else Fraction(4)

    def pitch(self, note: AbcWritten, propagation: str) -> int:
        """MIDI pitch of a note: its accidental, else one of its bar, else that of the note tied to it, else its key's.

        Args:
            note: as it is written.
            propagation: how far accidentals hold: to the end of the bar for the "pitch" (all octaves) or the "octave",
                or "not".
        """
        key = (note.letter, note.octave if propagation == "octave" else None)
        if note.accidental:
            alteration = ALTERATIONS[note.accidental]
            if propagation != "not":
                self._bar[key] = alteration
        elif (note.letter, note.octave) in self._tied:
            alteration = self._tied[note.letter, note.octave]
        else:
            alteration = self._bar.get(key, self.signature.alterations.get(note.letter, 0))
        return 60 + 12 * note.octave + _SEMITONES[note.letter] + alteration + self.semitones

    def add(self, length: Fraction, notes: list[tuple[int, AbcWritten]]) -> AbcEvent:
        """Append an event, whose length (in units) tuplets and a broken rhythm change."""
        length *= self.unit * self.broken
        self.broken = Fraction(1)
        left = []
        for ratio, count in self.tuplets:
            length *= ratio
            if count > 1:
                left.append((ratio, count - 1))
        self.tuplets = left
        event = AbcEvent(length, tuple((pitch, False) for pitch, _ in notes))
        self._tied = {}
        self.last = event
        self.items.append(event)
        return event

    def tie(self, event: AbcEvent, notes: list[tuple[int, AbcWritten]], which: set[int]) -> None:
        """Tie some notes of an event to the next."""
        event.notes = tuple((pitch, tied or k in which) for k, (pitch, tied) in enumerate(event.notes))
        for k in which:
            pitch, note = notes[k]
            natural = 60 + 12 * note.octave + _SEMITONES[note.letter] + self.semitones
            self._tied[note.letter, note.octave] = pitch - natural

    def bar(self, other_ending: bool) -> None:
        """End the bar, and with it what its accidentals say."""
        self._bar.clear()
        self.items.append(AbcBar(other_ending))

    def sign(self, signature: Signature) -> None:
        """Begin another key: it ends what accidentals of the bar say (the standard is silent; so does abc2midi)."""
        self.signature = signature
        self._bar.clear()

    def overlay(self, place: str) -> None:
        """Go back to the beginning of the bar."""
        self._bar.clear()
        self._tied = {}
        self.last = None
        self.items.append(Overlay(place))


@dataclass
class Timed:
    """A voice in time.

    Attributes:
        layers: rows [start, end, pitch] in beats of each voice of it.
        bars: where bars begin.
        changes: (beat, value) by the kind of change.
        uneven: "line:column" of the overlays that are not as long as their bar.
    """

    layers: list[list[list[Fraction | int]]] = field(default_factory=lambda: [[]])
    bars: list[Fraction] = field(default_factory=lambda: [Fraction(0)])
    changes: Mapping[str, list[tuple[Fraction, Any]]] = field(
        default_factory=lambda: {"chord": [], "meter": [], "key": [], "tempo": []}
    )
    uneven: list[str] = field(default_factory=list)


def timed(voice: AbcVoice) -> Timed:
    """When everything in a voice sounds; ties are joined.

    Raises:
        UnusableError: it is too long, or its lengths have no common measure.
    """
    found, now, layer = Timed(), Fraction(0), 0
    bar_start, bar_end, last_overlay = now, now, ""
    open_ties: dict[int, list[Fraction | int]] = {}
    for item in voice.items:
        match item:
            case AbcEvent(length, notes):
                end, ties = now + length, {}
                for pitch, tied in notes:
                    row = open_ties.pop(pitch, None)
                    if row is not None and row[1] == now:
                        row[1] = end
                    else:
                        row = [now, end, pitch]
                        found.layers[layer].append(row)
                    if tied:
                        ties[pitch] = row
                open_ties, now = ties, end
            case Bars(count, length):
                for _ in range(count):
                    found.bars.append(now)
                    now += length
                open_ties = {}
            case Overlay(last_overlay):
                bar_end, now = max(bar_end, now), bar_start
                layer += 1
                if layer == len(found.layers):
                    found.layers.append([])
                open_ties = {}
            case AbcBar(other_ending):
                if layer:
                    found.uneven += [last_overlay] * (now != bar_end)
                    now, layer, open_ties = max(now, bar_end), 0, {}
                if other_ending:
                    open_ties = {}
                bar_start = bar_end = now
                found.bars.append(now)
            case Change(kind, value):
                found.changes[kind].append((now, value))
        if now > MAX_BEATS:
            raise UnusableError(f"longer than {MAX_BEATS:.0f} beats")
        if now.denominator > FINEST:
            raise UnusableError("lengths without a common measure")
    return found

# pyright: strict
"""One part's line of music as the conductor keeps it: phrases that are known, and questions about them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from engine.conductor.makers.contract import Job
from engine.form.passes import Slot
from engine.form.scene import Part
from engine.generators.contract import HISTORY_BARS, Role
from engine.score.drums import CLASS_OF_PITCH
from engine.score.harmony.keys import Key
from engine.score.harmony.relations import KeySpan
from engine.score.phrase import Origin, Phrase, Provenance

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class DecidedPhrase:
    """Some bars of a part whose phrase is decided.

    Attributes:
        first_bar: counted from the start of the performance.
        bars: at least 1.
        raw: what the generator made, before transforms.
        phrase: what is heard.
        key: that they are in.
    """

    first_bar: int
    bars: int
    raw: Phrase
    phrase: Phrase
    key: Key

    @property
    def end_bar(self) -> int:
        """First bar after it."""
        return self.first_bar + self.bars

    @property
    def beats_per_bar(self) -> float:
        """Of its own meter, which an edit may have changed since."""
        return self.phrase.length / self.bars


@dataclass(frozen=True, slots=True)
class AskedPhrase:
    """Some bars of a part whose phrase is being made.

    Attributes:
        slot: where.
        job: what was asked for.
    """

    slot: Slot
    job: Job


class Line:
    """Phrases of one part in order, from a few bars before what is heard to as far as it has been made."""

    def __init__(self, part: Part, beats_per_bar: float) -> None:
        self.part = part
        self.asked: AskedPhrase | None = None
        self.decided: list[DecidedPhrase] = []
        self._beats_per_bar = beats_per_bar

    def add(self, slot: Slot, raw: Phrase, phrase: Phrase) -> None:
        """Decide a slot."""
        self.decided.append(DecidedPhrase(slot.first_bar, slot.bars, raw, phrase, slot.visit.key))

    def end(self, bar: int) -> int:
        """First bar at or after `bar` that is not decided yet."""
        for item in self.decided:
            if item.first_bar <= bar < item.end_bar:
                bar = item.end_bar
        return bar

    def covering(self, bar: int) -> DecidedPhrase | None:
        """The phrase that a bar belongs to."""
        for item in reversed(self.decided):
            if item.first_bar <= bar < item.end_bar:
                return item
        return None

    def history(self, bar: int) -> tuple[Phrase, tuple[KeySpan, ...]] | None:
        """What was made just before a bar without a gap, at most HISTORY_BARS, and the keys that it is in; None if
        nothing was made.
        """
        pieces: list[DecidedPhrase] = []
        bars = 0
        for item in reversed(self.decided):
            if item.end_bar == bar and bars < HISTORY_BARS:
                pieces.insert(0, item)
                bars += item.bars
                bar = item.first_bar
        if not pieces:
            return None
        past = Phrase.concatenate(item.raw for item in pieces)
        spare = max(0.0, past.length - HISTORY_BARS * self._beats_per_bar)
        keys: list[KeySpan] = []
        now = -spare
        for item in pieces:
            end = now + item.raw.length
            if end > 0:
                begin = max(0.0, now)
                if keys and keys[-1].key == item.key:
                    begin = keys.pop().start
                keys.append(KeySpan(begin, end, item.key))
            now = end
        return past.slice(spare, past.length) if spare > 0 else past, tuple(keys)

    def heard(self, first_bar: int, end_bar: int, drum: int | None = None) -> Phrase | None:
        """The phrase over some bars, for another part to listen to; None while any of them is not known.

        Args:
            first_bar: of the stretch.
            end_bar: first bar after it.
            drum: only notes of this drum class.
        """
        pieces: list[Phrase] = []
        bar = first_bar
        while bar < end_bar:
            item = self.covering(bar)
            if item is None:
                return None
            until = min(end_bar, item.end_bar)
            start = (bar - item.first_bar) * item.beats_per_bar
            pieces.append(item.phrase.slice(start, start + (until - bar) * item.beats_per_bar))
            bar = until
        return of_drum(Phrase.concatenate(pieces), drum)

    def earlier(self, first_bar: int, bars: int, beats: float) -> tuple[Phrase, tuple[KeySpan, ...]] | None:
        """What was heard some beats before a stretch, for as long as it, and the keys that it is in; None while any of
        it is not decided. Before the first bar, and where what was played is forgotten, there are rests.

        Args:
            first_bar: of the stretch.
            bars: of it.
            beats: how much earlier, more than 0.
        """
        bar = self._beats_per_bar
        back = math.ceil(beats / bar - _CLOSE)
        end_bar = first_bar + bars - math.floor(beats / bar + _CLOSE)
        pieces: list[Phrase] = []
        keys: list[KeySpan] = []
        for number in range(first_bar - back, end_bar):
            item = self.covering(number)
            if item is None and number >= 0 and not any(other.first_bar > number for other in self.decided):
                return None
            if item is None:
                pieces.append(Phrase.empty(bar, Provenance("rest", Origin.RULES)))
                continue
            start = (number - item.first_bar) * item.beats_per_bar
            piece = item.phrase.slice(start, start + item.beats_per_bar)
            now = sum(other.length for other in pieces)
            keys.append(KeySpan(now, now + piece.length, item.key))
            pieces.append(piece)
        whole = Phrase.concatenate(pieces)
        begin = back * bar - beats
        found = tuple(KeySpan(max(0.0, one.start - begin), one.end - begin, one.key) for one in keys if one.end > begin)
        return whole.slice(begin, begin + bars * bar), found

    def forget_before(self, bar: int) -> None:
        """Drop phrases that neither history nor listeners need any more."""
        while self.decided and self.decided[0].end_bar <= bar - HISTORY_BARS:
            del self.decided[0]


def of_drum(phrase: Phrase, drum: int | None) -> Phrase:
    """The notes of one drum class, or of all for None."""
    if drum is None:
        return phrase
    return phrase.with_notes(phrase.notes[[CLASS_OF_PITCH.get(int(pitch)) == drum for pitch in phrase.notes["pitch"]]])


@dataclass(frozen=True, slots=True)
class PlayedLine:
    """What is decided of a part: what it has played lately, and perhaps what it plays next.

    Attributes:
        role: that it plays.
        decided: in order.
    """

    role: Role
    decided: tuple[DecidedPhrase, ...]


def until(decided: Iterable[DecidedPhrase], bar: int) -> list[DecidedPhrase]:
    """What is decided of the bars before one; a phrase across it keeps its first bars."""
    kept: list[DecidedPhrase] = []
    for item in decided:
        if item.end_bar <= bar:
            kept.append(item)
        elif item.first_bar < bar:
            bars = bar - item.first_bar
            beats = bars * item.beats_per_bar
            cut = item.raw.slice(0, beats), item.phrase.slice(0, beats)
            kept.append(DecidedPhrase(item.first_bar, bars, *cut, item.key))
    return kept

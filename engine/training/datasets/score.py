"""Music as one file tells it, whatever its format: between the readers of files and the kinds of music."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.score.midi.reading import MAX_BEATS
from engine.score.midi.smf import MAX_NOTES
from engine.score.phrase import NOTE, in_order


class UnusableError(Exception):
    """Why a file, or what it holds, cannot be used; in few words, for they are counted.

    Args:
        reason: those words.
        place: where in the file, "line:column"; empty where that cannot be said.
    """

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.place = place


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in a file that its score has not.

    Attributes:
        what: in few words, for they are counted.
        count: how often.
        place: where the first is, "line:column"; empty where that cannot be said.
        file: its name; empty where there is only one.
    """

    what: str
    count: int = 1
    place: str = ""
    file: str = ""

    @property
    def where(self) -> str:
        """File, line and column of the first, as far as they are known."""
        return ":".join(part for part in (self.file, self.place) if part)


def counted(found: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """What was left out, all of the same in one, at its first place; in the order of these places."""
    together: dict[str, list[LeftOut]] = {}
    for each in sorted(found, key=lambda one: (one.file, [int(number) for number in one.place.split(":") if number])):
        together.setdefault(each.what, []).append(each)
    return tuple(replace(same[0], count=sum(each.count for each in same)) for same in together.values())


@dataclass(frozen=True, slots=True)
class ScorePart:
    """What one instrument or voice plays.

    Attributes:
        voices: arrays of `NOTE` in beats, each sorted by (start, pitch); one where the file tells no voices apart.
        program: General MIDI program 0..127; None where the file does not say.
        is_drum: pitches are drums.
        is_sung: it has words.
        performed: its notes as they were played, starts and ends in seconds, held by the pedal; None for what nobody
            played.
    """

    voices: tuple[np.ndarray, ...]
    program: int | None = None
    is_drum: bool = False
    is_sung: bool = False
    performed: np.ndarray | None = None

    @property
    def notes(self) -> np.ndarray:
        """All its notes, sorted by (start, pitch)."""
        return self.voices[0] if len(self.voices) == 1 else in_order(np.concatenate(self.voices))


@dataclass(frozen=True, slots=True)
class Score:
    """The music of one file, or of one tune of a book. Places are in beats from its beginning.

    Attributes:
        parts: those that have notes.
        meters: (beat, numerator, denominator) in order; empty where the file does not say.
        bars: where bars begin; empty for MIDI, whose bars follow from its meters.
        tempos: (beat, quarter notes per minute) in order; empty where the file does not say.
        chords: (beat, figure) in order.
        keys: (beat, sharps, or flats below 0) in order.
        is_played: somebody or something played it: a MIDI file, which knows no bars but those of its meters. Else it
            is written, and tells its bars.
        left_out: what was in the file and is not here.
        electronic_kit: drums are on the pads of the kit that the Groove MIDI Dataset was played on.
    """

    parts: tuple[ScorePart, ...]
    meters: tuple[tuple[float, int, int], ...] = ()
    bars: tuple[float, ...] = ()
    tempos: tuple[tuple[float, float], ...] = ()
    chords: tuple[tuple[float, str], ...] = ()
    keys: tuple[tuple[float, int], ...] = ()
    is_played: bool = False
    left_out: tuple[LeftOut, ...] = ()
    electronic_kit: bool = False

    @property
    def qpm(self) -> float:
        """Quarter notes per minute at its beginning; 120 where the file does not say."""
        return self.tempos[0][1] if self.tempos else 120.0

    @property
    def signatures(self) -> set[tuple[int, int]]:
        """All meters in it."""
        return {(numerator, denominator) for _, numerator, denominator in self.meters}

    @property
    def performed(self) -> np.ndarray:
        """All notes but the drums as they were played, in seconds, sorted by (start, pitch)."""
        found = [part.performed for part in self.parts if part.performed is not None]
        return in_order(np.concatenate(found)) if found else np.zeros(0, NOTE)

    def notes(self, is_drum: bool) -> np.ndarray:
        """All drums, or all other notes, sorted by (start, pitch)."""
        chosen = [part.notes for part in self.parts if part.is_drum == is_drum]
        return in_order(np.concatenate(chosen)) if chosen else np.zeros(0, NOTE)


def note_array(rows: Sequence[tuple[float, float, int, int]]) -> np.ndarray:
    """Array of `NOTE`, sorted by (start, pitch), of (start, end, pitch, velocity)."""
    return in_order(np.array(rows, NOTE))


def checked(score: Score) -> Score:
    """The score, if its size is that of music.

    Raises:
        UnusableError: it is not, or there are no notes.
    """
    notes = sum(len(voice) for part in score.parts for voice in part.voices)
    if not notes:
        raise UnusableError("no notes")
    if notes > MAX_NOTES:
        raise UnusableError(f"more than {MAX_NOTES} notes")
    if max(float(voice["end"].max()) for part in score.parts for voice in part.voices if len(voice)) > MAX_BEATS:
        raise UnusableError(f"longer than {MAX_BEATS:.0f} beats")
    return score


def off_grid(starts: np.ndarray) -> float:
    """Share of onsets (in sixteenths) farther than a third of a step from the grid: triplets, swing, loose playing."""
    return float(np.mean(np.abs(starts - np.floor(starts + 0.5)) > 1 / 3)) if len(starts) else 1.0

"""Melodies for MusicVAE: 90 classes on the grid of sixteenths, perhaps over chords.

Source: `OneHotMelodyConverter` of Magenta's MusicVAE; Roberts et al., "A Hierarchical Latent Vector Model for Learning
Long-Term Structure in Music" (2018), section 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.networks.encodings.melody import to_notes
from engine.networks.vae.converters.contract import (
    STEPS_PER_BAR,
    Slice,
    melodic,
    one_hot,
    quantised,
    step_of,
    whole_windows,
)
from engine.score.harmony.chords import Chord
from engine.score.phrase import NOTE, ChordSpan
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT

LOWEST, HIGHEST = 21, 108
"""The pitches of a piano."""
HELD, OFF, FIRST_PITCH = 0, 1, 2
"""Classes: nothing new; the note ends; LOWEST begins."""
CLASSES = FIRST_PITCH + HIGHEST - LOWEST + 1
CHORD_CLASSES = 1 + 4 * 12
"""No chord; then twelve each of major, minor, augmented and diminished triads."""
MELODY_PROGRAMS = range(32)
"""General MIDI: pianos, mallets, organs, guitars."""
BASS_PROGRAMS = range(32, 40)
_MOST_BARS = 100


class MelodyConverter:
    """One melody: class 0 nothing new, 1 the note ends, 2.. a pitch from 21 to 108 begins.

    Args:
        bars: length of an example.
        over_chords: the network follows chords: controls say the triad of each step.
        programs: General MIDI programs that count as melody; None for all.
    """

    input_size = output_size = CLASSES

    def __init__(self, bars: int = 2, over_chords: bool = False, programs: range | None = MELODY_PROGRAMS) -> None:
        self.steps = bars * STEPS_PER_BAR
        self.programs = programs
        self.control_size = CHORD_CLASSES if over_chords else 0

    def to_tensors(self, piece: Piece) -> list[Slice]:
        """See `Converter`. A bar without notes ends a melody; of 100 bars the rest is left out."""
        if piece.meter.steps_per_bar != STEPS_PER_BAR:
            return []
        found: dict[tuple[bytes, bytes], Slice] = {}
        for track in melodic(piece):
            if self.programs is not None and track.program not in self.programs:
                continue
            for first, classes in _melodies(in_range(track.notes)):
                classes = classes[: _MOST_BARS * STEPS_PER_BAR]
                for start in whole_windows(len(classes), self.steps, STEPS_PER_BAR):
                    window = _begun(classes[start : start + self.steps])
                    made = self._slice(window, piece.chords, (first + start) / STEPS_PER_BEAT)
                    if made is not None:
                        key = made.inputs.tobytes(), b"" if made.controls is None else made.controls.tobytes()
                        found.setdefault(key, made)
        return list(found.values())

    def window(self, piece: Piece, start: float = 0.0, steps: int | None = None) -> Slice:
        """See `Converter`. Of notes that begin together the highest counts, whatever their track; chords that are no
        triads are none."""
        notes = np.concatenate([np.zeros(0, NOTE), *(track.notes for track in melodic(piece))])
        classes = melody_from(in_range(notes), start, steps or self.steps)
        controls = self.controls(len(classes), _moved(piece.chords, -start))
        return Slice(one_hot(classes, CLASSES), one_hot(classes, CLASSES), controls, start)

    def controls(self, steps: int, chords: Sequence[ChordSpan] = ()) -> np.ndarray | None:
        """See `Converter`."""
        if not self.control_size:
            return None
        return one_hot([max(0, place) for place in chord_classes(steps, chords)], CHORD_CLASSES)

    def to_tracks(self, outputs: np.ndarray) -> tuple[Track, ...]:
        """One track; a note that is still held ends with the music."""
        return (Track(notes_of(outputs.argmax(axis=1)), "melody"),)

    def _slice(self, classes: np.ndarray, chords: Sequence[ChordSpan], start: float) -> Slice | None:
        controls = None
        if self.control_size:
            places = chord_classes(len(classes), _moved(chords, -start))
            if min(places) < 0:
                return None
            controls = one_hot(places, CHORD_CLASSES)
        vectors = one_hot(classes, CLASSES)
        return Slice(vectors, vectors, controls, start)


def in_range(notes: np.ndarray) -> np.ndarray:
    """The notes [m] whose pitch the network knows."""
    return notes[(notes["pitch"] >= LOWEST) & (notes["pitch"] <= HIGHEST)]


def _melodies(notes: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The melodies of a track, which a silent bar parts: pairs of first sixteenth (on a bar line) and classes [T], T in
    whole bars.

    Of notes that begin together the highest counts; a note ends where the next one begins.
    """
    starts, ends = quantised(notes)
    order = np.lexsort((-notes["pitch"].astype(int), starts))
    rows = np.stack([starts[order], ends[order], notes["pitch"][order]], axis=1).tolist()
    place = searched_from = 0
    while place < len(rows):
        first = rows[place][0] - (rows[place][0] - searched_from) % STEPS_PER_BAR
        line: list[tuple[int, int, int]] = []
        while place < len(rows):
            start, end, pitch = rows[place]
            if line and start - line[-1][1] >= STEPS_PER_BAR:
                break
            if not line or start > line[-1][0]:
                line.append((start, end, pitch))
            place += 1
        last = line[-1][1] - first
        classes = _classes(line, first, last + -last % STEPS_PER_BAR)
        yield first, classes
        searched_from = first + len(classes)


def melody_from(notes: np.ndarray, start: float, steps: int) -> np.ndarray:
    """Classes [steps] of the music from a beat on; silence, too."""
    starts, ends = quantised(notes)
    first = int(step_of(np.array(start)))
    inside = (starts >= first) & (starts < first + steps)
    line: list[tuple[int, int, int]] = []
    pitches = notes["pitch"].astype(int)
    for place in np.lexsort((-pitches, starts)):
        if inside[place] and (not line or starts[place] > line[-1][0]):
            line.append((int(starts[place]), int(ends[place]), int(pitches[place])))
    return _classes(line, first, steps)


def notes_of(classes: np.ndarray) -> np.ndarray:
    """Notes one after another, array of `NOTE`; one that is held to the end ends there."""
    return to_notes(np.where(classes < FIRST_PITCH, classes - FIRST_PITCH, classes - FIRST_PITCH + LOWEST).tolist())


def chord_classes(steps: int, chords: Sequence[ChordSpan]) -> list[int]:
    """The triad [steps] that holds at each sixteenth: 0 for none, -1 for a chord that is no standard triad."""
    found = [0] * steps
    for span in sorted(chords, key=lambda span: span.start):
        first, end = step_of(np.array([span.start, span.end])).tolist()
        for step in range(max(0, first), min(steps, end)):
            found[step] = _triad_class(span.chord)
    return found


def _triad_class(chord: Chord) -> int:
    steps = {(pitch - chord.root) % 12 for pitch in chord.pitch_classes}
    for place, (third, fifth) in enumerate(((4, 7), (3, 7), (4, 8), (3, 6))):
        if third in steps and fifth in steps:
            return 1 + 12 * place + chord.root
    return -1


def _moved(chords: Sequence[ChordSpan], beats: float) -> list[ChordSpan]:
    return [span.moved(beats) for span in chords]


def _classes(line: list[tuple[int, int, int]], first: int, length: int) -> np.ndarray:
    """Classes [length] of notes (start, end, pitch) one after another, in sixteenths, from `first` on."""
    classes = np.zeros(length, int)
    for place, (start, end, pitch) in enumerate(line):
        following = line[place + 1][0] if place + 1 < len(line) else first + length
        classes[start - first] = pitch - LOWEST + FIRST_PITCH
        if end < min(following, first + length):
            classes[end - first] = OFF
    return classes


def _begun(classes: np.ndarray) -> np.ndarray:
    """A window of a melody without the end of a note that began before it."""
    sung = np.flatnonzero(classes >= FIRST_PITCH)
    classes = classes.copy()
    classes[: sung[0] if len(sung) else len(classes)] = HELD
    return classes

"""Drums on the grid of sixteenths for MusicVAE: nine classes, or the 61 drums of General MIDI.

Source: `DrumsConverter` of Magenta's MusicVAE.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.networks.encodings.drums import to_notes
from engine.networks.vae.converters.contract import (
    STEPS_PER_BAR,
    Slice,
    drum_notes,
    one_hot,
    quantised,
    step_of,
    whole_windows,
)
from engine.score.drums import CLASS_OF_PITCH, PITCHES
from engine.score.phrase import ChordSpan
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT

_MOST_BARS = 100
# One class per drum, in the order of Magenta's checkpoints: that of its nine groups.
ALL_DRUMS: tuple[int, ...] = (
    *(36, 35),
    *(38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),
    *(42, 44, 54, 68, 69, 70, 71, 73, 78, 80),
    *(46, 67, 72, 74, 79, 81),
    *(45, 29, 41, 61, 64, 84),
    *(48, 47, 60, 63, 77, 86, 87),
    *(50, 30, 43, 62, 76, 83),
    *(49, 55, 57, 58),
    *(51, 52, 53, 59, 82),
)
"""Pitch of each class of `nade-drums_2bar_full`."""


class DrumsConverter:
    """Drums as a roll with a last column "nothing" in, and out as one of 2**9 combinations, or as a roll.

    Args:
        bars: length of an example.
        all_drums: 61 drums, and a roll out; else nine classes, and their combination out.
    """

    control_size = 0

    def __init__(self, bars: int = 2, all_drums: bool = False) -> None:
        self.steps = bars * STEPS_PER_BAR
        self.pitches = ALL_DRUMS if all_drums else PITCHES
        self._class_of = {pitch: k for k, pitch in enumerate(ALL_DRUMS)} if all_drums else CLASS_OF_PITCH
        self._combined = not all_drums
        self._bits = 1 << np.arange(len(self.pitches), dtype=np.int64)
        self.input_size = len(self.pitches) + 1
        self.output_size = 2 ** len(self.pitches) if self._combined else len(self.pitches)

    def to_tensors(self, piece: Piece) -> list[Slice]:
        """See `Converter`. A bar without drums ends an example's stretch."""
        if piece.meter.steps_per_bar != STEPS_PER_BAR:
            return []
        found: dict[bytes, Slice] = {}
        for first, roll in self._stretches(drum_notes(piece)):
            roll = roll[: _MOST_BARS * STEPS_PER_BAR]
            for start in whole_windows(len(roll), self.steps, STEPS_PER_BAR):
                window = roll[start : start + self.steps]
                found.setdefault(window.tobytes(), self._slice(window, (first + start) / STEPS_PER_BEAT))
        return list(found.values())

    def window(self, piece: Piece, start: float = 0.0, steps: int | None = None) -> Slice:
        """See `Converter`."""
        return self._slice(self._heard(piece, start, steps or self.steps), start)

    def classes(self, piece: Piece, start: float, steps: int) -> np.ndarray:
        """The combination [steps] of the nine at each sixteenth from a beat on, as a bit mask."""
        return self.combined(self._heard(piece, start, steps))

    def combined(self, roll: np.ndarray) -> np.ndarray:
        """Bit masks [T] of a roll [T, drums]."""
        return roll @ self._bits

    def slice_of(self, masks: np.ndarray) -> Slice:
        """Bit masks [T] as tensors."""
        return self._slice((masks[:, None] & self._bits) > 0, 0.0)

    def controls(self, steps: int, chords: Sequence[ChordSpan] = ()) -> np.ndarray | None:
        """None."""
        return None

    def to_tracks(self, outputs: np.ndarray) -> tuple[Track, ...]:
        """One track of drums, a sixteenth each."""
        masks = self.combined(self.roll_of(outputs))
        notes = to_notes(masks.tolist(), STEPS_PER_BEAT, self.pitches)
        notes.sort(order=["start", "pitch"])
        return (Track(notes, "drums", is_drum=True),)

    def roll_of(self, outputs: np.ndarray) -> np.ndarray:
        """Who strikes when, [T, drums] of bool, from outputs [T, output_size]."""
        if not self._combined:
            return outputs > 0.5
        return (outputs.argmax(axis=1)[:, None] >> np.arange(len(self.pitches))) & 1 > 0

    def targets(self, roll: np.ndarray) -> np.ndarray:
        """What the decoder is to say for a roll [T, drums]: [T, output_size] float32."""
        if not self._combined:
            return roll.astype(np.float32)
        return one_hot(self.combined(roll), self.output_size)

    def _stretches(self, notes: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Stretches of drums without a silent bar: pairs of first sixteenth (on a bar line) and roll [T, drums], T in
        whole bars."""
        known = notes[np.isin(notes["pitch"], list(self._class_of))]
        steps = np.unique(quantised(known)[0])
        searched_from = 0
        while len(steps := steps[steps >= searched_from]):
            first = int(steps[0] - (steps[0] - searched_from) % STEPS_PER_BAR)
            breaks = np.flatnonzero(np.diff(steps) > STEPS_PER_BAR)
            last = int(steps[breaks[0]] if len(breaks) else steps[-1]) + 1 - first
            length = last + -last % STEPS_PER_BAR
            yield first, self.roll(known, first, length)
            searched_from = first + length

    def roll(self, notes: np.ndarray, first: int, length: int) -> np.ndarray:
        """Who strikes when, [length, drums] of bool, from a sixteenth on."""
        roll = np.zeros((length, len(self.pitches)), bool)
        for step, pitch in zip((quantised(notes)[0] - first).tolist(), notes["pitch"].tolist(), strict=True):
            drum = self._class_of.get(pitch)
            if drum is not None and 0 <= step < length:
                roll[step, drum] = True
        return roll

    def _heard(self, piece: Piece, start: float, steps: int) -> np.ndarray:
        return self.roll(drum_notes(piece), int(step_of(np.array(start))), steps)

    def _slice(self, roll: np.ndarray, start: float) -> Slice:
        nothing = ~roll.any(axis=1, keepdims=True)
        return Slice(np.concatenate([roll, nothing], axis=1).astype(np.float32), self.targets(roll), None, start)

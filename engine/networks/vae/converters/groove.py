"""Drums as they are played, for GrooVAE: hits, velocities and how early or late each stroke is.

Source: Gillick et al., "Learning to Groove with Inverse Sequence Transformations" (2019), section 3; `GrooveConverter`
of Magenta's MusicVAE.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.networks.vae.converters.contract import STEPS_PER_BAR, Slice, drum_notes, step_of, whole_windows
from engine.score.drums import CLASS_OF_PITCH, CLASSES, PITCHES
from engine.score.phrase import NOTE, ChordSpan, in_order
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT

TAP_COLUMN = CLASSES.index("open_hat")
"""The column that holds a tapped rhythm."""
AHEAD = 8
"""Steps after its own whose hits a network is told that is told the tempo: how late a stroke is hangs on what comes,
and a decoder by itself only knows what was."""
TEMPO_CONTROLS = (AHEAD + 1) * len(CLASSES) + 1
"""Numbers per step that such a network is told."""
_USUAL_QPM = 120.0

_ROLAND = ((36,), (38, 37, 40), (42, 22, 44), (46, 26), (43, 58), (47, 45), (50, 48), (49, 52, 55, 57), (51, 53, 59))
ROLAND_CLASS_OF_PITCH = {pitch: k for k, pitches in enumerate(_ROLAND) for pitch in pitches}
"""Classes of the electronic kit that the training data was played on: its toms are 43, 47 and 50."""


class GrooveConverter:
    """27 numbers a step: hits 0 or 1, velocities 0..1 and offsets -1..1 (positive is early) of nine drum classes.

    A step holds one stroke of a class, the loudest.

    Args:
        bars: length of an example.
        humanize: the encoder hears hits alone, without velocities and offsets.
        tap: the encoder hears the loudest stroke of each step as one tapped rhythm.
        fixed_velocities: the encoder hears no velocities.
        added: classes that the encoder does not hear: the network adds them.
        hits_as_controls: the hits are given to the decoder, too.
        told_tempo: encoder and decoder are told the hits of each step and of the next `AHEAD`, first all drums of the
            step, then those of the one after it; and the tempo, in octaves above 120 quarter notes per minute.
        recorded: pitches are those of the training data's electronic kit, instead of General MIDI's.

    Attributes:
        class_of: class of each drum pitch.
        known: [9], of which drums the strokes are known when it plays; it adds those of the others.
        told_tempo: see above.
    """

    input_size = output_size = 3 * len(CLASSES)

    def __init__(
        self,
        bars: int = 2,
        humanize: bool = False,
        tap: bool = False,
        fixed_velocities: bool = False,
        added: tuple[int, ...] = (),
        hits_as_controls: bool = False,
        told_tempo: bool = False,
        recorded: bool = False,
    ) -> None:
        self.steps = bars * STEPS_PER_BAR
        self.told_tempo = told_tempo
        self.control_size = TEMPO_CONTROLS if told_tempo else len(CLASSES) if hits_as_controls else 0
        self._humanize, self._tap, self._fixed_velocities = humanize, tap, fixed_velocities
        self.added = list(added)
        self.known = np.array([not tap and drum not in added for drum in range(len(CLASSES))])
        self.class_of = ROLAND_CLASS_OF_PITCH if recorded else CLASS_OF_PITCH
        self._pitches = np.array([pitches[0] for pitches in _ROLAND] if recorded else PITCHES)

    def to_tensors(self, piece: Piece) -> list[Slice]:
        """See `Converter`. Examples follow one another without overlap; equal ones are all there."""
        notes = drum_notes(piece)
        if piece.meter.steps_per_bar != STEPS_PER_BAR or not len(notes):
            return []
        last = int(step_of(notes["start"]).max())
        length = (last // STEPS_PER_BAR + 1) * STEPS_PER_BAR
        starts = whole_windows(length, self.steps, self.steps)
        return [self.window(piece, start / STEPS_PER_BEAT) for start in starts]

    def window(self, piece: Piece, start: float = 0.0, steps: int | None = None) -> Slice:
        """See `Converter`."""
        strokes = self.strokes(drum_notes(piece), start, steps or self.steps)
        return Slice(self.heard(strokes), strokes, self.told(strokes, piece.qpm_at(start)), start)

    def told(self, strokes: np.ndarray, qpm: float) -> np.ndarray | None:
        """What encoder and decoder are told besides, [T, control_size] of strokes [T, 27]; None for nothing."""
        hits = strokes[:, : len(CLASSES)]
        if not self.told_tempo:
            return hits if self.control_size else None
        after = np.concatenate([hits, np.zeros((AHEAD, len(CLASSES)), np.float32)])
        near = [after[k : k + len(hits)] for k in range(AHEAD + 1)]
        tempo = np.full((len(hits), 1), np.log2(qpm / _USUAL_QPM), np.float32)
        return np.concatenate([*near, tempo], axis=1)

    def heard(self, strokes: np.ndarray) -> np.ndarray:
        """What the encoder hears of strokes: [T, 27] of [T, 27]."""
        hits, velocities, offsets = np.split(strokes, 3, axis=1)
        if self._tap:
            hits, velocities, offsets = _tapped(hits, velocities, offsets)
        if self._humanize or self._fixed_velocities:
            velocities = np.zeros_like(velocities)
        if self._humanize:
            offsets = np.zeros_like(offsets)
        inputs = np.stack([hits, velocities, offsets], axis=1)
        inputs[:, :, self.added] = 0.0
        return inputs.reshape(len(inputs), -1)

    def given(self, strokes: np.ndarray) -> np.ndarray:
        """Hits [..., 9] that are known when strokes [..., 27] are played with feel; NaN where the network adds some."""
        return np.where(self.known, strokes[..., : len(CLASSES)], np.float32(np.nan))

    def controls(self, steps: int, chords: Sequence[ChordSpan] = ()) -> np.ndarray | None:
        """None: hits come with the music, in `Slice.controls`."""
        return None

    def to_tracks(self, outputs: np.ndarray) -> tuple[Track, ...]:
        """One track of drums with velocities, a sixteenth each. An early first stroke begins before 0, by 1/8 beat at
        most."""
        hits, velocities, offsets = np.split(outputs, 3, axis=1)
        steps, classes = np.nonzero(hits > 0.5)
        notes = np.zeros(len(steps), NOTE)
        shift = np.clip(offsets[steps, classes].astype(float) / 2, -0.5, 0.5)
        notes["start"] = (steps - shift) / STEPS_PER_BEAT
        notes["end"] = notes["start"] + 1 / STEPS_PER_BEAT
        notes["pitch"] = self._pitches[classes]
        # A stroke sounds: MIDI's velocity 0 would silence it.
        notes["velocity"] = np.clip(np.rint(velocities[steps, classes] * 127), 1, 127)
        return (Track(in_order(notes), "drums", is_drum=True),)

    def strokes(self, notes: np.ndarray, start: float, steps: int) -> np.ndarray:
        """Hits, velocities and offsets [steps, 27] float32 of notes (array of `NOTE`, in beats) from a beat on."""
        hits, velocities, offsets = (np.zeros((steps, len(CLASSES)), np.float32) for _ in range(3))
        exact = (notes["start"] - start) * STEPS_PER_BEAT
        nearest = step_of(notes["start"] - start)
        for place in np.argsort(notes["velocity"], kind="stable").tolist():
            drum, step = self.class_of.get(int(notes["pitch"][place])), int(nearest[place])
            velocity = np.float32(notes["velocity"][place] / 127)
            # Louder strokes come later; of equally loud ones the first stays.
            if drum is not None and 0 <= step < steps and velocity > velocities[step, drum]:
                hits[step, drum], velocities[step, drum] = 1.0, velocity
                offsets[step, drum] = 2 * (step - exact[place])
        return np.concatenate([hits, velocities, offsets], axis=1)


def _tapped(*strokes: np.ndarray) -> list[np.ndarray]:
    """The loudest stroke of each step alone, in `TAP_COLUMN`."""
    rows, loudest = np.arange(len(strokes[0])), strokes[1].argmax(axis=1)
    tapped = [np.zeros_like(values) for values in strokes]
    for values, only in zip(strokes, tapped, strict=True):
        only[:, TAP_COLUMN] = values[rows, loudest]
    return tapped

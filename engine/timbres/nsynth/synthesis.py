# pyright: strict
"""Encodings played as sound, many at once; between any two samples it can be put aside and gone on with later.

A batch costs little more than one note until the arithmetic is what takes the time, so as many notes as there are go
through the network together. A note that is over leaves the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.timbres.nsynth.decoder import WaveDecoder, WaveSteps
from engine.timbres.nsynth.layout import CHANNELS, HOP
from engine.timbres.nsynth.mu_law import MIDDLE, choose, inverse_mu_law

Array = NDArray[np.float32]


class ChanceSource(Protocol):
    """Where chance comes from: numpy's `Generator` and `RandomState` are such."""

    def random(self, size: int) -> NDArray[np.float64]:
        """So many numbers from 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class SavedSynthesis:
    """A synthesis that was put aside.

    Attributes:
        time: samples of each note that are made.
        playing: numbers of the notes that still play, in the order of the rows of `arrays`.
        values: [notes, time] of all notes.
        arrays: what the player remembers; none where all notes are over.
    """

    time: int
    playing: list[int]
    values: NDArray[np.int16]
    arrays: list[Array]


class Synthesis:
    """Notes on their way from encodings to sound.

    Each note has a source of chance of its own, which draws 512 numbers a frame, whatever becomes of the others. What
    is played may depend on the notes that it is played with all the same: products of matrices of another size are
    rounded differently, and once in some ten thousand samples that turns one of them.

    Args:
        decoder: with its weights.
        encodings: [frames, 16] each, of any lengths.
        sources: of chance, one a note; None takes the likeliest value at every step, which the original does not offer
            and which soon falls silent.
        saved: where to go on; each source is then where it was when the frame that is not complete began.

    Attributes:
        time: samples of each note that are made.
    """

    def __init__(
        self,
        decoder: WaveDecoder,
        encodings: Sequence[Array],
        sources: Sequence[ChanceSource] | None,
        saved: SavedSynthesis | None = None,
    ) -> None:
        if sources is not None and len(sources) != len(encodings):
            raise ValueError(f"{len(sources)} sources of chance for {len(encodings)} encodings")
        self._encodings, self._sources = encodings, sources
        longest = max((len(encoding) for encoding in encodings), default=0)
        self._values = np.zeros((len(encodings), longest * HOP), np.int16)
        self._draws: NDArray[np.float64] | None = None
        self._conditioned = False
        if saved is None:
            self.time = 0
            self._playing = [note for note, encoding in enumerate(encodings) if len(encoding)]
            self._player = WaveSteps(decoder, len(self._playing))
            self._inputs = np.zeros(len(self._playing), np.float32)
        else:
            self.time, self._playing = saved.time, list(saved.playing)
            self._values[:, : self.time] = saved.values
            self._player = (
                WaveSteps.resumed(decoder, self.time, saved.arrays) if saved.arrays else WaveSteps(decoder, 1)
            )
            self._inputs = (saved.values[self._playing, -1] / MIDDLE).astype(np.float32)

    @property
    def finished(self) -> bool:
        """Whether all notes are over."""
        return not self._playing

    @property
    def over(self) -> list[int]:
        """Numbers of the notes that were played to their ends."""
        return [note for note in range(len(self._encodings)) if note not in self._playing]

    @property
    def work(self) -> tuple[int, int]:
        """Samples that are made, and samples that there will be, of all notes."""
        lengths = [len(encoding) * HOP for encoding in self._encodings]
        return sum(min(self.time, length) for length in lengths), sum(lengths)

    def advance(self, stop: Event | None = None) -> list[int]:
        """Play to the end of the frame, or until somebody wants it to stop; the numbers of the notes that are over."""
        player, inputs = self._player, self._inputs
        begin = self.time
        if begin % HOP == 0 or not self._conditioned:
            self._begin_frame()
        draws = self._draws
        made = np.empty((HOP, len(inputs)), np.int16)
        for step in range(begin % HOP, HOP):
            if stop is not None and stop.is_set():
                break
            probabilities = player.step(inputs)
            classes = probabilities.argmax(axis=1) if draws is None else choose(probabilities, draws[step])
            np.subtract(classes, MIDDLE, out=made[step], casting="unsafe")
            np.divide(made[step], MIDDLE, out=inputs, casting="unsafe")
            self.time += 1
        first = begin % HOP
        self._values[self._playing, begin : self.time] = made[first : first + self.time - begin].T
        return self._leave()

    def _begin_frame(self) -> None:
        """Take conditioning and chance of the frame in which the next sample lies."""
        frame = self.time // HOP
        rows = [self._encodings[note][frame] for note in self._playing]
        if self._sources is not None:
            self._draws = np.stack([self._sources[note].random(HOP) for note in self._playing], axis=1)
        self._player.condition(np.stack(rows).reshape(-1, CHANNELS))
        self._conditioned = True

    def _leave(self) -> list[int]:
        """Let the notes go that are over."""
        ends = [len(self._encodings[note]) * HOP for note in self._playing]
        over = [note for note, end in zip(self._playing, ends, strict=True) if self.time >= end]
        if over:
            rows = [row for row, end in enumerate(ends) if self.time < end]
            self._playing = [self._playing[row] for row in rows]
            if rows:
                self._player, self._inputs = self._player.take(rows), self._inputs[rows]
        return over

    def run(self) -> None:
        """Play all that is left."""
        while not self.finished:
            self.advance()

    def values(self, note: int) -> NDArray[np.int16]:
        """What a note is so far, -128..127 each."""
        return self._values[note, : min(self.time, len(self._encodings[note]) * HOP)]

    def wave(self, note: int) -> Array:
        """The same as sound at 16 kHz, about -1..1."""
        return inverse_mu_law(self.values(note))

    def saved(self) -> SavedSynthesis:
        """All that is needed to go on later as if nothing had been; its arrays change when this goes on meanwhile."""
        state = [] if self.finished else self._player.state()
        return SavedSynthesis(self.time, list(self._playing), self._values[:, : self.time], state)

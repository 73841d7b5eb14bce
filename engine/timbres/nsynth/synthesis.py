# pyright: strict
"""Encodings played as sound, many at once, a frame of 512 samples at a time; between two frames it can be put aside.

A batch costs little more than one note until the arithmetic is what takes the time, so as many notes as there are go
through the network together. A note that is over leaves the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.timbres.nsynth.decoder import Decoder, Player
from engine.timbres.nsynth.layout import CHANNELS, HOP
from engine.timbres.nsynth.mu_law import MIDDLE, choose, inverse_mu_law

Array = NDArray[np.float32]


class Source(Protocol):
    """Where chance comes from: numpy's `Generator` and `RandomState` are such."""

    def random(self, size: int) -> NDArray[np.float64]:
        """So many numbers from 0 to 1."""
        ...


@dataclass(slots=True)
class Saved:
    """A synthesis that was put aside between two frames.

    Attributes:
        frame: that comes next.
        playing: numbers of the notes that still play, in the order of the rows of `arrays`.
        values: [notes, samples so far] of all notes.
        arrays: what the player remembers.
    """

    frame: int
    playing: list[int]
    values: NDArray[np.int16]
    arrays: list[Array] = field(default_factory=list[Array])


class Synthesis:
    """Notes on their way from encodings to sound.

    Each note has a source of chance of its own; one that draws 512 numbers a frame, whatever becomes of the others.
    What is played depends on the notes it is played with all the same, if seldom: products of matrices of another size
    are rounded differently.

    Args:
        decoder: with its weights.
        encodings: [frames, 16] each, of any lengths.
        sources: of chance, one a note; None takes the likeliest value at every step, which the original does not offer
            and which soon falls silent.
        saved: where to go on; the sources are then where they were at that time.

    Attributes:
        frame: that comes next.
    """

    def __init__(
        self,
        decoder: Decoder,
        encodings: Sequence[Array],
        sources: Sequence[Source] | None,
        saved: Saved | None = None,
    ) -> None:
        if sources is not None and len(sources) != len(encodings):
            raise ValueError(f"{len(sources)} sources of chance for {len(encodings)} encodings")
        self._encodings, self._sources = encodings, sources
        self._frames = max((len(encoding) for encoding in encodings), default=0)
        self._values = np.zeros((len(encodings), self._frames * HOP), np.int16)
        if saved is None:
            self.frame = 0
            self._playing = [number for number, encoding in enumerate(encodings) if len(encoding)]
            self._player = Player(decoder, len(self._playing))
            self._inputs = np.zeros(len(self._playing), np.float32)
            return
        self.frame, self._playing = saved.frame, list(saved.playing)
        self._values[:, : self.frame * HOP] = saved.values
        self._player = Player.resumed(decoder, self.frame * HOP, saved.arrays)
        self._inputs = np.zeros(len(self._playing), np.float32)
        if self.frame:
            self._inputs[...] = self._values[self._playing, self.frame * HOP - 1] / MIDDLE

    @property
    def finished(self) -> bool:
        """Whether all notes are over."""
        return not self._playing

    @property
    def share(self) -> float:
        """How much of the work is done, 0..1: of the samples of all notes."""
        total = sum(len(encoding) for encoding in self._encodings)
        return sum(min(self.frame, len(encoding)) for encoding in self._encodings) / max(total, 1)

    def is_over(self, note: int) -> bool:
        """Whether a note has been played to its end."""
        return self.frame >= len(self._encodings[note])

    def advance(self) -> list[int]:
        """Play the next frame of all notes; the numbers of those that are over with it."""
        player, playing = self._player, self._playing
        frame = np.stack([self._encodings[note][self.frame] for note in playing]).reshape(-1, CHANNELS)
        draws = None
        if self._sources is not None:
            draws = np.stack([self._sources[note].random(HOP) for note in playing], axis=1)
        player.condition(frame)
        made = np.empty((HOP, len(playing)), np.int16)
        inputs = self._inputs
        for step in range(HOP):
            probabilities = player.step(inputs)
            classes = probabilities.argmax(axis=1) if draws is None else choose(probabilities, draws[step])
            np.subtract(classes, MIDDLE, out=made[step], casting="unsafe")
            np.divide(made[step], MIDDLE, out=inputs, casting="unsafe")
        self._values[playing, self.frame * HOP : (self.frame + 1) * HOP] = made.T
        self.frame += 1
        over = [note for note in playing if self.is_over(note)]
        if over:
            rows = [row for row, note in enumerate(playing) if not self.is_over(note)]
            self._playing = [playing[row] for row in rows]
            if rows:
                self._player, self._inputs = player.take(rows), inputs[rows]
        return over

    def run(self) -> None:
        """Play all that is left."""
        while not self.finished:
            self.advance()

    def values(self, note: int) -> NDArray[np.int16]:
        """What a note is so far, -128..127 each."""
        return self._values[note, : min(self.frame, len(self._encodings[note])) * HOP]

    def wave(self, note: int) -> Array:
        """The same as sound at 16 kHz, about -1..1."""
        return inverse_mu_law(self.values(note))

    def saved(self) -> Saved:
        """All that is needed to go on later, as if nothing had been; its arrays change when it goes on now."""
        return Saved(self.frame, list(self._playing), self._values[:, : self.frame * HOP], self._player.state())

# pyright: strict
"""Recursive filters over a stream, in numpy: exact, block by block, and nothing is allocated while they run.

Nothing that filters a stream comes with a permissive licence and wheels for our machines; scipy is large, and is the
oracle of the tests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

SECTIONS_OF_FOURTH_ORDER = (0.5411961001461969, 1.3065629648763766)
"""Qualities of the two sections of a Butterworth filter of order four: 1 / (2 cos(pi/8)) and 1 / (2 cos(3 pi/8))."""


def butterworth_high_pass(hertz: float, rate: int) -> Samples:
    """Coefficients [2, 2, 3] of a Butterworth high-pass of order four: 24 dB an octave, -3 dB at `hertz`.

    The analogue prototype, transformed bilinearly with the frequency kept.

    Args:
        hertz: above 0 and below half the rate.
        rate: frames a second.
    """
    k = math.tan(math.pi * hertz / rate)
    sections: list[list[list[float]]] = []
    for quality in SECTIONS_OF_FOURTH_ORDER:
        scale = 1.0 + k / quality + k * k
        sections.append(
            [
                [1.0 / scale, -2.0 / scale, 1.0 / scale],
                [1.0, 2.0 * (k * k - 1.0) / scale, (1.0 - k / quality + k * k) / scale],
            ]
        )
    return np.array(sections)


class BiquadCascade:
    """Sections of order two, one after the other, over a stream of any number of frames at a time.

    A recursive filter of order m is, over a piece of N frames, one matrix for what the piece itself gives and one for
    what the m numbers of the state before it still give: so numpy does what otherwise needs a loop over frames.

    Args:
        sections: coefficients [n, 2, 3], numerator and denominator of each, the denominators with a leading 1.
        channels: of the stream.
        piece: frames that are filtered at once.
        most: frames that a call brings at most; more are taken, but not without allocating.
    """

    def __init__(self, sections: Samples, channels: int, piece: int = 64, most: int = 1024) -> None:
        self._channels = channels
        self._piece = piece
        order = 2 * len(sections)
        self._state = np.zeros((channels, order))
        # Columns are what one unit of input, or of state, at the start of a piece gives.
        impulse = np.zeros((piece, 1 + order))
        impulse[0, 0] = 1.0
        states = np.zeros((order, 1 + order))
        states[:, 1:] = np.eye(order)
        powers = [np.eye(order)]
        answer = np.empty_like(impulse)
        for frame in range(piece):
            answer[frame : frame + 1], states = run_biquads(sections, impulse[frame : frame + 1], states)
            powers.append(states[:, 1:].T.copy())
        lags = np.subtract.outer(np.arange(piece), np.arange(piece))
        self._from_input = np.ascontiguousarray(np.where(lags >= 0, answer[np.maximum(lags, 0), 0], 0.0).T)
        self._from_state = np.ascontiguousarray(answer[:, 1:].T)
        self._advance = powers  # by how many frames, transposed
        # What each frame of a piece leaves in the state: one unit, then ever more frames without any.
        _, first = run_biquads(sections, np.ones((1, 1)), np.zeros((order, 1)))
        self._into_state = np.array([first[:, 0] @ powers[piece - 1 - frame] for frame in range(piece)])
        self._next = np.empty((channels, order))
        self._room(most)

    def reset(self) -> None:
        """Begin as after silence."""
        self._state[:] = 0.0

    def __call__(self, frames: npt.NDArray[np.floating], out: npt.NDArray[np.floating]) -> None:
        """The stream goes on.

        Args:
            frames: [n, channels].
            out: of the same shape, to be written; may be `frames`.
        """
        count = len(frames)
        whole = count // self._piece
        if whole > len(self._taken):
            self._room(count)
        if whole:
            end = whole * self._piece
            self._filter(frames[:end], out[:end], whole, self._piece)
        if end := count - whole * self._piece:
            self._filter(frames[-end:], out[-end:], 1, end)

    def _filter(
        self, frames: npt.NDArray[np.floating], out: npt.NDArray[np.floating], pieces: int, length: int
    ) -> None:
        channels = self._channels
        rows = pieces * channels
        shaped = (pieces, length, channels)
        taken = self._taken[:pieces] if length == self._piece else self._rest[:, :, :length]
        given = self._given[:rows, :length]
        gains = self._gains[:pieces]
        states = self._states[:pieces]
        np.copyto(taken, frames.reshape(shaped).transpose(0, 2, 1))
        line = taken.reshape(rows, length)
        np.matmul(line, self._into_state[self._piece - length :], out=gains.reshape(rows, -1))
        advance = self._advance[length]
        for piece in range(pieces):
            states[piece] = self._state
            np.matmul(self._state, advance, out=self._next)
            np.add(self._next, gains[piece], out=self._state)
        np.matmul(line, self._from_input[:length, :length], out=given)
        late = self._late[:rows, :length]
        np.matmul(states.reshape(rows, -1), self._from_state[:, :length], out=late)
        given += late
        np.copyto(out.reshape(shaped), given.reshape(pieces, channels, length).transpose(0, 2, 1), casting="same_kind")

    def _room(self, most: int) -> None:
        """Make room for so many frames at once."""
        pieces, channels, order = max(1, -(-most // self._piece)), self._channels, self._state.shape[1]
        self._taken = np.empty((pieces, channels, self._piece))
        self._rest = np.empty((1, channels, self._piece))
        self._given = np.empty((pieces * channels, self._piece))
        self._late = np.empty((pieces * channels, self._piece))
        self._gains = np.empty((pieces, channels, order))
        self._states = np.empty((pieces, channels, order))


def run_biquads(sections: Sequence[Samples] | Samples, frames: Samples, state: Samples) -> tuple[Samples, Samples]:
    """All sections, frame by frame (transposed direct form II): what the matrices are made of.

    Args:
        sections: coefficients [n, 2, 3].
        frames: [count, channels].
        state: [2 n, channels].

    Returns:
        (out, state): after the last frame.
    """
    out, state = frames.copy(), state.copy()
    for frame in range(len(frames)):
        value = frames[frame].copy()
        for place, (b, a) in enumerate(sections):
            low, high = 2 * place, 2 * place + 1
            given = b[0] * value + state[low]
            state[low] = b[1] * value - a[1] * given + state[high]
            state[high] = b[2] * value - a[2] * given
            value = given
        out[frame] = value
    return out, state

"""What a Performance RNN can be asked for, as inputs: how dense the music is, and which pitch classes it favours.

Source: the control signals of Magenta's Performance RNN (Simon & Oore, "Performance RNN", magenta.tensorflow.org,
2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

import numpy as np

from engine.networks.contract import Conditions

DENSITY_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
DEFAULT_DENSITY = 15.0
"""Notes per second."""


class PerformanceControl(Enum):
    """A control, by the name of its field in `Conditions`."""

    NOTES_PER_SECOND = "notes_per_second"
    PITCH_CLASSES = "pitch_classes"

    @property
    def size(self) -> int:
        """How many inputs it takes."""
        return len(DENSITY_BOUNDS) + 1 if self is PerformanceControl.NOTES_PER_SECOND else 12

    def rows(self, wanted: object) -> np.ndarray:
        """Inputs [n, size] for one wish or a tuple of n, each for an equal part of the music; None is the default.

        Raises:
            ValueError: no densities, or not twelve weights.
        """
        if self is PerformanceControl.NOTES_PER_SECOND:
            densities = np.atleast_1d(np.asarray(DEFAULT_DENSITY if wanted is None else wanted, float))
            if not len(densities) or densities.ndim > 1 or not (np.isfinite(densities) & (densities >= 0)).all():
                raise ValueError(f"notes per second must be numbers from 0 on, not {wanted}")
            return np.eye(self.size, dtype=np.float32)[np.searchsorted(DENSITY_BOUNDS, densities, side="right")]
        weights = np.atleast_2d(np.asarray(np.ones(12) if wanted is None else wanted, float))
        if weights.ndim > 2 or weights.shape[1] != 12 or not (np.isfinite(weights) & (weights >= 0)).all():
            raise ValueError(f"pitch classes must be twelve weights from 0 on, C first, not {wanted}")
        totals = weights.sum(axis=1, keepdims=True)
        return np.where(totals > 0, weights / np.where(totals > 0, totals, 1), 1 / 12).astype(np.float32)


class ControlSource(Protocol):
    """Where a stream has its controls from."""

    def at(self, position: int, step: int) -> np.ndarray:
        """Inputs [size] for the event at a position, which begins at a step of 10 ms."""
        ...


class Controls:
    """Controls over the length of the music.

    Args:
        curves: per control its inputs [n, size], each row for an equal part of the length.
        num_steps: length of the music in steps of 10 ms, what is given included; the last row holds beyond it.
        disabled: for optional controls, whether they are switched off, one or one per equal part; None where they are
            not optional.
    """

    def __init__(
        self, curves: Sequence[np.ndarray], num_steps: int = 1, disabled: Sequence[bool] | None = None
    ) -> None:
        self._curves = tuple(curves)
        self._num_steps = max(num_steps, 1)
        self._disabled = disabled
        self._made: dict[tuple[int, ...], np.ndarray] = {}

    @classmethod
    def of(
        cls,
        controls: tuple[PerformanceControl, ...],
        optional: bool,
        conditions: Conditions | None = None,
        num_steps: int = 1,
    ) -> Controls:
        """The controls that conditions ask for; optional ones are switched off where nothing is asked for.

        Raises:
            ValueError: a condition is not what its control takes.
        """
        wanted = {control: getattr(conditions, control.value, None) for control in controls}
        nothing = all(wish is None for wish in wanted.values())
        curves = [control.rows(wish) for control, wish in wanted.items()]
        return cls(curves, num_steps, (nothing,) if optional else None)

    def at(self, position: int, step: int) -> np.ndarray:
        """See `ControlSource.at`."""
        flags = () if self._disabled is None else (self._disabled,)
        place = tuple(min(step * len(c) // self._num_steps, len(c) - 1) for c in (*flags, *self._curves))
        if place not in self._made:
            self._made[place] = self._vector(place)
        return self._made[place]

    def _vector(self, place: tuple[int, ...]) -> np.ndarray:
        if self._disabled is None:
            return np.concatenate([curve[row] for curve, row in zip(self._curves, place, strict=True)])
        asked = np.concatenate([curve[row] for curve, row in zip(self._curves, place[1:], strict=True)])
        off = self._disabled[place[0]]
        return np.concatenate([[off], np.zeros_like(asked) if off else asked]).astype(np.float32)

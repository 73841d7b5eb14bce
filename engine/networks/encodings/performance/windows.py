"""How dense a performance is at each of its events, and which pitch classes sound: what controls learn from.

Source: the control signals of Magenta's Performance RNN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.networks.encodings.performance.controls import PerformanceControl
from engine.networks.encodings.performance.performance import NOTE_OFF, STEPS_PER_SECOND, TIME_SHIFT, VELOCITY, shift_of

DENSITY_SECONDS = 3
PITCH_SECONDS = 5
"""Length of the windows, from an event on, that are looked at."""
_PRIOR = 0.01
"""Seconds that every pitch class is taken to have sounded."""


class Measured:
    """A `ControlSource` for training: the controls that a performance itself has, event by event.

    Args:
        events: of the performance; at least one.
        controls: which ones.
        disabled: for optional controls, whether they are switched off; None where they are not optional.
    """

    def __init__(
        self, events: Sequence[int], controls: tuple[PerformanceControl, ...], disabled: bool | None = None
    ) -> None:
        measures = {PerformanceControl.NOTES_PER_SECOND: densities, PerformanceControl.PITCH_CLASSES: histograms}
        self._rows = np.concatenate([control.rows(measures[control](events)) for control in controls], axis=1)
        if disabled is not None:
            flags = np.full((len(events), 1), disabled, np.float32)
            self._rows = np.concatenate([flags, self._rows * np.float32(not disabled)], axis=1)

    def at(self, position: int, step: int) -> np.ndarray:
        """See `ControlSource.at`."""
        return self._rows[min(position, len(self._rows) - 1)]


def densities(events: Sequence[int]) -> np.ndarray:
    """Notes per second [n] in the three seconds from each event on, or until the end."""
    begins, window, times = _windows(events, DENSITY_SECONDS)
    begun = np.concatenate([[0], np.cumsum(np.array(events) < NOTE_OFF)])
    lasting = np.minimum(times[window] - times[begins], DENSITY_SECONDS * STEPS_PER_SECOND)
    count = begun[window] - begun[begins]
    return np.where(lasting > 0, count * STEPS_PER_SECOND / np.maximum(lasting, 1), 0.0)


def histograms(events: Sequence[int]) -> np.ndarray:
    """Seconds [n, 12] for which each pitch class sounds in the five seconds from each event on."""
    begins, window, _ = _windows(events, PITCH_SECONDS)
    sounding: set[int] = set()
    lasted = np.zeros((len(events) + 1, 12))
    for place, event in enumerate(events):
        if event < NOTE_OFF:
            sounding.add(event)
        elif event < TIME_SHIFT:
            sounding.discard(event - NOTE_OFF)
        elif event < VELOCITY:
            for pitch in sounding:
                lasted[place + 1, pitch % 12] += shift_of(event) / STEPS_PER_SECOND
    total = lasted.cumsum(axis=0)
    return total[window] - total[begins] + _PRIOR


def _windows(events: Sequence[int], seconds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each event: the first event at the same time (after a shift), the end of the window from there on; and the
    time [n + 1] before each event, in steps."""
    moved = np.array([shift_of(event) for event in events])
    times = np.concatenate([[0], moved.cumsum()])
    opens = np.concatenate([[True], moved[:-1] > 0])
    begins = np.maximum.accumulate(np.where(opens, np.arange(len(events)), 0))
    ends = np.searchsorted(times[:-1], times[begins] + seconds * STEPS_PER_SECOND, side="left")
    return begins, ends, times

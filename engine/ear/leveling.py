# pyright: strict
"""The slow hand on the gain: what is louder or softer than its target is corrected, over minutes."""

from __future__ import annotations

import math
from collections import deque

from engine.ear.loudness import GatedLoudness
from engine.events import SoundMeasured
from engine.form.hearing import SoundHearing
from engine.runtime.performance.commands import SetTrim

WINDOW = 180.0
"""Seconds of the loudness by which a level is judged: some sections, and not one."""

STEEPEST = 1.0
"""dB a minute."""

RAMP = 5.0
"""Seconds of one movement."""

SLIGHT = 0.5
"""dB off the target that nobody hears, and nothing is done about."""

FAINT = -40.0
"""dB of all gains together below which nothing is learnt of what comes before them."""


class Leveling:
    """Holds loudness to a target.

    It judges what comes before the gains, by taking them away again: mute, quiet hours and fades are no faults, and no
    correction is corrected. What it makes louder stays below the ceiling by what it knows of the peaks.

    Args:
        target: LUFS of what comes before the gains.
        ceiling: dB of true peak that nothing is lifted above.
        limits: what it may do.
    """

    def __init__(self, target: float, ceiling: float, limits: SoundHearing) -> None:
        self.target = target
        self._ceiling = ceiling
        self._limits = limits
        self._loudness = GatedLoudness(WINDOW)
        self._peaks: deque[float] = deque(maxlen=round(WINDOW))
        self._since = 0.0

    def forget(self) -> None:
        """Something else plays."""
        self._loudness.forget()
        self._peaks.clear()
        self._since = 0.0

    @property
    def measured(self) -> float | None:
        """LUFS of the last minutes, before the gains; None without sound."""
        return self._loudness.lufs

    def hear(self, second: SoundMeasured) -> SetTrim | None:
        """What is to be done after another second in which the music is meant to be as loud as it is."""
        if second.gain is None or second.gain < FAINT:
            return None
        self._loudness.take([power * 10 ** (-second.gain / 10) for power in second.powers])
        self._peaks.append(second.true_peak * 10 ** (-second.gain / 20))
        self._since += 1.0
        measured = self.measured
        if self._since < self._limits.after or measured is None:
            return None
        wanted = self.target - measured
        room = self._ceiling - 20 * math.log10(max(max(self._peaks), 1e-9))
        wanted = max(-self._limits.softer, min(wanted, self._limits.louder, max(room, 0.0)))
        if abs(wanted - second.trim) < SLIGHT:
            return None
        self._since = 0.0
        most = STEEPEST * self._limits.after / 60
        return SetTrim(round(second.trim + min(max(wanted - second.trim, -most), most), 2), RAMP)

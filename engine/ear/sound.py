# pyright: strict
"""What is remembered of the sound from second to second: for how long it has been silent, one tone, off zero."""

from __future__ import annotations

from dataclasses import dataclass

from engine.events import SoundMeasured

TONE_SHARE = 0.95
"""Of the power of a second, in one partial, that makes it one tone."""

NEAR = 1.0
"""Hz by which a steady tone may seem to move from second to second."""

STEADY = 1.12
"""Largest ratio of the powers of two seconds of a steady tone, half a decibel: what dies away is none."""

SLOWLY = 0.1
"""Weight of a new second in the mean offset: ten seconds."""


@dataclass(frozen=True, slots=True)
class SoundFigures:
    """How the sound has been up to a second.

    Attributes:
        silence: seconds for which sound was expected and nothing audible left.
        tone: seconds for which one steady tone, and nothing else, has sounded.
        offset: mean distance of the wave from zero, of full scale.
        true_peak: of the last second, linear.
    """

    silence: float
    tone: float
    offset: float
    true_peak: float


class SoundEar:
    """Listens to seconds of sound."""

    def __init__(self) -> None:
        self._silence = self._tone = self._offset = 0.0
        self._last: SoundMeasured | None = None

    def hear(self, second: SoundMeasured, expected: bool) -> SoundFigures:
        """Take in a second.

        Args:
            second: behind every gain.
            expected: whether something is meant to be heard in it.
        """
        self._silence = self._silence + 1.0 if expected and second.silent >= 1.0 else 0.0
        self._tone = self._tone + 1.0 if self._goes_on(second) else 0.0
        self._offset += SLOWLY * (second.offset - self._offset)
        self._last = second
        return SoundFigures(self._silence, self._tone, abs(self._offset), second.true_peak)

    def _goes_on(self, second: SoundMeasured) -> bool:
        """Whether it is one tone, the same as in the second before."""
        before = self._last
        if before is None or second.tonal < TONE_SHARE or abs(second.tone - before.tone) > NEAR:
            return False
        power, last = sum(second.powers), sum(before.powers)
        return last > 0 and 1 / STEADY < power / last < STEADY

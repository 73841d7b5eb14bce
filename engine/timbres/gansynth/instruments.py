# pyright: strict
"""Instruments as points of the latent space, and the way from one to the next.

An instrument is a vector of numbers from the normal distribution. Between two of them one goes along the sphere.

Source: `generate_util.py` of Magenta's GANSynth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.networks.sphere import slerp
from engine.timbres.gansynth.spectra.mel import Doubles

_BEFORE = -0.0001
"""Where the first instrument stands, in seconds: a note at 0 lies behind it."""


def draw_latents(count: int, latent_size: int, random: np.random.RandomState) -> Doubles:
    """Random instruments [count, latent_size], drawn as the original draws them from numpy's global generator."""
    return random.normal(size=(count, latent_size))


@dataclass(frozen=True)
class Slide:
    """Instruments at points in time.

    Attributes:
        latents: [n, latent_size], at least one.
        times: [n], in seconds, ascending.
    """

    latents: Doubles
    times: Doubles

    @classmethod
    def drawn(
        cls, seconds: float, seconds_per_instrument: float, latent_size: int, random: np.random.RandomState
    ) -> Slide:
        """Random instruments, evenly over a length of time; a single one where it is too short for two."""
        count = max(1, int(seconds / seconds_per_instrument))
        return cls.over(seconds, draw_latents(count, latent_size, random))

    @classmethod
    def over(cls, seconds: float, latents: Doubles) -> Slide:
        """Instruments [n, latent_size], evenly over a length of time."""
        return cls(latents, np.linspace(_BEFORE, seconds, latents.shape[0]))

    def at(self, moments: Doubles) -> Doubles:
        """Latent vectors [m, latent_size] of notes that begin at these moments; beyond the last instrument the way goes
        on as it came there."""
        if len(self.latents) == 1:
            return np.repeat(self.latents, len(moments), axis=0)
        made = np.empty((len(moments), self.latents.shape[1]))
        for number, moment in enumerate(map(float, moments)):
            left = int(np.searchsorted(self.times, moment, side="left")) - 1
            left = min(max(left, 0), len(self.times) - 2)
            begin, end = self.times[left], self.times[left + 1]
            position = (moment - begin) / (end - begin) if end > begin else 0.0
            made[number] = slerp(self.latents[left], self.latents[left + 1], float(position))
        return made

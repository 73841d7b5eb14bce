# pyright: strict
"""A bank of notes for an instrument: one place of the latent space, over the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.sphere import slerp
from engine.timbres.gansynth.instruments import draw_latents
from engine.timbres.gansynth.network import GanSynth
from engine.timbres.gansynth.pitches import PITCHES
from engine.timbres.gansynth.spectra.mel import Array, Doubles


@dataclass(frozen=True, slots=True)
class LatentPlace:
    """A place of the latent space.

    Attributes:
        seed: of an instrument.
        to: seed of another one; None for the first alone.
        position: on the way along the sphere, 0 the first, 1 the other.
    """

    seed: int
    to: int | None = None
    position: float = 0.0

    def latent(self, size: int) -> Doubles:
        """Its vector."""
        first = _drawn(self.seed, size)
        return first if self.to is None else slerp(first, _drawn(self.to, size), self.position)

    def in_words(self) -> str:
        """What it is called."""
        if self.to is None:
            return f"latent {self.seed}"
        return f"{self.position * 100:g} % of the way from latent {self.seed} to {self.to}"


def bank_pitches(lowest: int = PITCHES[0], highest: int = PITCHES[-1], every: int = 3) -> list[int]:
    """The pitches of a bank.

    Raises:
        PerpetuumError: the network does not know them, or there are none.
    """
    if lowest not in PITCHES or highest not in PITCHES or lowest > highest:
        raise PerpetuumError(
            f"no notes from pitch {lowest} to {highest}", f"GANSynth knows {PITCHES[0]} (C1) to {PITCHES[-1]} (C6)."
        )
    return list(range(lowest, highest + 1, every))


def bank(network: GanSynth, place: LatentPlace, pitches: Sequence[int]) -> dict[int, Array]:
    """Notes of one instrument by their pitch, float32 at the network's rate; tells its progress.

    Raises:
        PerpetuumError: as `GanSynth.notes`.
    """
    latents = np.repeat(place.latent(network.latent_size)[np.newaxis], len(pitches), axis=0)
    return dict(zip(pitches, network.notes(latents, pitches), strict=True))


def _drawn(seed: int, size: int) -> Doubles:
    return draw_latents(1, size, np.random.RandomState(seed))[0]

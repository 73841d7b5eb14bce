"""Decoding the bars of a hierarchical decoder side by side instead of one after the other.

Every bar begins with states of its own, made of its embedding; all that it learns of the bar before is that bar's last
choice. So all bars are decoded at once, each from a guess of the choice before it, and those whose guess was wrong once
more. The guess is how the first bar ends: music repeats itself. At batch 1 the time goes into reading the weights, and
so into how often they are read: 16 bars side by side read them once where bar after bar reads them 16 times.
"""

from __future__ import annotations

import numpy as np

from engine.networks.vae.decoder import LstmDecoder
from engine.networks.vae.heads import NONE

_ROUNDS = 2
"""So many times all doubtful bars are decoded at once; what is doubtful then is decoded bar after bar."""


def decode_bars(
    decoder: LstmDecoder, embeddings: np.ndarray, steps: int, noise: np.ndarray | None, keep: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Choices [bars * steps, B] of a part, and the outputs [bars * steps, B, N] that they were made from if these are
    to be kept: what decoding bar after bar gives.

    Args:
        decoder: of the part; its choices are classes.
        embeddings: of the bars, [bars, B, E].
        steps: of a bar.
        noise: of all steps, [bars * steps, B, draws]; None for the likeliest choices.
        keep: whether the outputs are wanted.
    """
    bars, rows, size = embeddings.shape
    flat = embeddings.reshape(bars * rows, size)
    noise = _by_bar(noise, bars)
    choices = np.empty((steps, bars, rows), np.int64)
    numbers: np.ndarray | None = None
    told = np.full((bars, rows), NONE)
    doubtful = np.zeros((bars, rows), bool)
    doubtful[0] = True
    rounds = 0
    while doubtful.any():
        places = np.flatnonzero(doubtful)
        of_places = None if noise is None else noise[:, places]
        said, made_from = decoder.decode(flat[places], steps, of_places, first=told.reshape(-1)[places], keep=keep)
        choices.reshape(steps, -1)[:, places] = said
        if made_from is not None:
            numbers = np.empty((steps, bars * rows, made_from.shape[2]), np.float32) if numbers is None else numbers
            numbers[:, places] = made_from
        if rounds == 0:
            choices[-1, 1:-1] = choices[-1, 0]
        before, rounds = choices[-1, :-1], rounds + 1
        doubtful[0], doubtful[1:] = False, told[1:] != before
        if rounds > _ROUNDS:
            doubtful &= doubtful.cumsum(axis=0) == 1
        told[1:] = np.where(doubtful[1:], before, told[1:])
    ordered = choices.swapaxes(0, 1).reshape(bars * steps, rows)
    if numbers is None:
        return ordered, None
    return ordered, numbers.reshape(steps, bars, rows, -1).swapaxes(0, 1).reshape(bars * steps, rows, -1)


def _by_bar(noise: np.ndarray | None, bars: int) -> np.ndarray | None:
    """Numbers [bars * steps, B, draws] as [steps, bars * B, draws]."""
    if noise is None:
        return None
    _, rows, draws = noise.shape
    return noise.reshape(bars, -1, rows, draws).swapaxes(0, 1).reshape(-1, bars * rows, draws)

"""Decoding many sequences in halves, each by a thread of its own.

Decoding does not know of other sequences, so rows may go any way; and the interpreter, which only one thread has at a
time, is wanted for some thirty short calls a step. For few sequences the threads mostly wait for it (eight take about
as long as on one thread), for many their products and gates go on side by side.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from engine.networks.threads import side_by_side
from engine.networks.vae.decoder import LstmDecoder

FEWEST = 32
"""Sequences from which on it pays."""


def decode_halves(
    decoder: LstmDecoder,
    embeddings: np.ndarray,
    steps: int,
    uniforms: np.ndarray | None,
    temperature: float | None,
    controls: np.ndarray | None,
    keep: bool,
    hits: np.ndarray | None,
    threads: int,
) -> tuple[np.ndarray, np.ndarray | None]:
    """See `LstmDecoder.decode`.

    Args:
        decoder: does it.
        embeddings, steps, controls, keep, hits: as there.
        uniforms: chance, [T, B, draws] in [0, 1); None for the likeliest choices.
        temperature: what it means; None without chance.
        threads: that there are. With one, halves follow each other: sums of products may depend on how many vectors
            come together, and music is not to depend on how many cores a machine has.
    """

    def part(rows: slice) -> tuple[np.ndarray, np.ndarray | None]:
        noise = None
        if uniforms is not None and temperature is not None:
            noise = decoder.head.noise(uniforms[:, rows], temperature)
        told = None if controls is None else controls[rows]
        known = None if hits is None else hits[:, rows]
        return decoder.decode(embeddings[rows], steps, noise, told, keep=keep, hits=known)

    middle = len(embeddings) // 2
    lower, upper = side_by_side(partial(part, slice(middle)), partial(part, slice(middle, None)), threads)
    choices = np.concatenate([lower[0], upper[0]], axis=1)
    if lower[1] is None or upper[1] is None:
        return choices, None
    return choices, np.concatenate([lower[1], upper[1]], axis=1)

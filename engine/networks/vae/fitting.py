"""Finding the latent vector of music by gradient descent, for weights that are a decoder alone and cannot hear.

The cost is that of the music given z, and of z given the prior. Its gradient is worked out here by going back through
the decoder's steps, because playing does without a framework that would.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.networks.vae.decoder import LstmDecoder, initial_states
from engine.networks.vae.lstm import Cell
from engine.networks.vae.music_vae import MusicVae

_DECAYS, _FLOOR = (0.9, 0.99), 1e-8
"""Of the averages that Adam keeps of gradients and of their squares (Kingma & Ba 2014, algorithm 1)."""


def fit_latent(
    network: MusicVae,
    targets: np.ndarray,
    controls: np.ndarray | None = None,
    rounds: int = 150,
    rate: float = 0.1,
    prior: float = 0.1,
) -> tuple[np.ndarray, np.ndarray]:
    """Latent vectors that a decoder makes sequences of.

    Args:
        network: with a flat decoder of classes.
        targets: [B, T, output_size], one 1 among zeros at each step.
        controls: as in `MusicVae.decode`.
        rounds: of gradient descent.
        rate: length of its steps in the beginning; it falls to nothing.
        prior: weight of the prior's cost beside that of the music: what is larger gives more usual, less exact vectors.

    Returns:
        z [B, Z], and the cost [B] in nats of the sequences given z.

    Raises:
        ValueError: the network is of another kind, or a shape does not fit.
    """
    if network.config.head != "categorical" or network.config.bars:
        raise ValueError(f"{network.config.name} has no flat decoder of classes")
    targets = np.asarray(targets, np.float32)
    rows, steps = targets.shape[:2]
    told = None if controls is None else np.broadcast_to(controls, (rows, steps, network.config.control_size))
    z = np.zeros((rows, network.latent_size), np.float32)
    mean, square = np.zeros_like(z), np.zeros_like(z)
    for number in range(1, rounds + 1):
        _, gradient = cost_gradient(network.decoders[0], z, targets, told)
        gradient += prior * z
        mean += (1 - _DECAYS[0]) * (gradient - mean)
        square += (1 - _DECAYS[1]) * (gradient**2 - square)
        unbiased = mean / (1 - _DECAYS[0] ** number)
        spread = np.sqrt(square / (1 - _DECAYS[1] ** number)) + _FLOOR
        z -= rate * 0.5 * (1 + np.cos(np.pi * number / rounds)) * unbiased / spread
    return z, network.teacher_forced(z, targets, controls)[1]


def cost_gradient(
    decoder: LstmDecoder, z: np.ndarray, targets: np.ndarray, controls: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Cost [B] in nats of sequences [B, T, D], and its gradient [B, Z] by z [B, Z]; controls are [B, T, C] or None."""
    cells = decoder.stack.cells
    times = targets.transpose(1, 0, 2)
    states = initial_states(z, decoder.state, cells)
    projected = np.repeat((z @ decoder.from_embedding + cells[0].bias)[None], len(times), axis=0)
    projected[1:] += times[:-1] @ decoder.from_previous
    if controls is not None:
        projected += controls.transpose(1, 0, 2) @ decoder.from_controls
    traces = []
    for layer, cell in enumerate(cells):
        if layer:
            projected = traces[-1].outputs @ cell.inputs + cell.bias
        traces.append(_forward(cell, projected, states[2 * layer], states[2 * layer + 1]))
    outputs = traces[-1].outputs @ decoder.stack.output_kernel + decoder.stack.output_bias
    costs = decoder.head.losses(outputs, times).sum(axis=0)
    likely = np.exp(outputs - outputs.max(axis=2, keepdims=True))
    above = (likely / likely.sum(axis=2, keepdims=True) - times) @ decoder.stack.output_kernel.T
    at_start: list[np.ndarray] = []
    gates = above
    for cell, trace in zip(reversed(cells), reversed(traces), strict=True):
        gates, c, h = _backward(cell, trace, above)
        above = gates @ cell.inputs.T if cell is not cells[0] else above
        at_start = [c, h, *at_start]
    through_states = np.concatenate(at_start, axis=1) * (1 - np.concatenate(states, axis=1) ** 2)
    gradient = gates.sum(axis=0) @ decoder.from_embedding.T + through_states @ decoder.state[0].T
    return costs, gradient


@dataclass(frozen=True, slots=True)
class _Trace:
    """A layer along sequences: its gates [T, 4, B, H], its cells [T + 1, B, H] and its outputs [T, B, H]."""

    gates: np.ndarray
    cells: np.ndarray
    outputs: np.ndarray


def _forward(cell: Cell, projected: np.ndarray, c: np.ndarray, h: np.ndarray) -> _Trace:
    steps, rows, _ = projected.shape
    activations = np.empty((steps, 4, rows, cell.units), np.float32)
    cells, outputs = np.empty((steps + 1, rows, cell.units), np.float32), np.empty_like(projected[..., : cell.units])
    cells[0] = c
    for step in range(steps):
        gates = (projected[step] + h @ cell.recurrent.matrix).reshape(rows, 4, cell.units).swapaxes(0, 1)
        activations[step] = 0.5 + 0.5 * np.tanh(0.5 * gates)
        activations[step, 1] = np.tanh(gates[1])
        i, j, f, o = activations[step]
        cells[step + 1] = f * cells[step] + i * j
        outputs[step] = h = o * np.tanh(cells[step + 1])
    return _Trace(activations, cells, outputs)


def _backward(cell: Cell, trace: _Trace, above: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients by gates [T, B, 4H] and by the first states c and h [B, H], from those by the outputs [T, B, H]."""
    gates = np.empty((*above.shape[:2], 4 * cell.units), np.float32)
    c, h = np.zeros_like(above[0]), np.zeros_like(above[0])
    for step in reversed(range(len(above))):
        i, j, f, o = trace.gates[step]
        h = h + above[step]
        squashed = np.tanh(trace.cells[step + 1])
        c = c + h * o * (1 - squashed**2)
        parts = (
            c * j * i * (1 - i),
            c * i * (1 - j**2),
            c * trace.cells[step] * f * (1 - f),
            h * squashed * o * (1 - o),
        )
        gates[step] = np.concatenate(parts, axis=1)
        h, c = gates[step] @ cell.recurrent.matrix.T, c * f
    return gates, c, h

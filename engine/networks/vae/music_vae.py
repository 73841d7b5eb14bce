"""A MusicVAE or GrooVAE ready to play: music to a latent vector z, z to music."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from engine.networks.contract import Random
from engine.networks.products import takes_small, two_threads
from engine.networks.threads import allowed_threads, close_threads, one_thread
from engine.networks.vae import halves
from engine.networks.vae.configs import VaeConfig
from engine.networks.vae.decoder import ConductorRnn, LstmDecoder
from engine.networks.vae.encoder import Encoder
from engine.networks.vae.heads import heads_of
from engine.networks.vae.hierarchy import decode_bars

_BIG = 64_000_000
"""Bytes of weights from which on two threads read them that sleep between products. What is smaller comes from the
processor's cache in less time than it takes to wake another thread."""


class MusicVae:
    """A variational autoencoder of short music. Not for use from two threads at once.

    The weights are used as they are: what is mapped from a file stays in the file. The decoder's matrices are copied
    into another order when several sequences are decoded for the first time. Networks of more than 64 MB use a second
    thread, as do smaller ones while they decode one sequence, or many; the numbers are the same on machines of one kind
    whatever they have of cores.

    Args:
        config: what kind of network it is.
        weights: by Magenta's names, float32; without any under `encoder/` it is a decoder alone.

    Raises:
        ValueError: weights are missing, left over or of another shape.

    Attributes:
        sizes: as the card says them, such as {"latent": 256, "encoder": [512], "decoder": [256, 256]}.
        latent_size: numbers of z, Z.
        bytes: of its weights, as float32.
        halves: whether many sequences are decoded in halves, however many threads there are for them.
        encoder: hears; None of a decoder alone.
        conductor: above the decoders; None without a hierarchy.
        decoders: of each part.
    """

    def __init__(self, config: VaeConfig, weights: Mapping[str, np.ndarray]) -> None:
        layout = config.read_layout({name: tuple(value.shape) for name, value in weights.items()})
        weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}
        self.config, self.sizes, self.latent_size = config, layout.sizes(), layout.latent
        self.encoder = Encoder(layout, weights) if layout.encoder else None
        self.conductor = ConductorRnn(layout, config.bars, weights) if config.bars else None
        self.bytes = sum(value.nbytes for value in weights.values())
        self.halves = self.bytes <= _BIG and self.conductor is None and takes_small()
        self._threads = two_threads if self.bytes > _BIG else one_thread
        self._threads_of_one = close_threads if self.bytes <= _BIG and self.conductor is None else self._threads
        scopes = layout.scopes
        heads = heads_of(config, weights, scopes)
        self.decoders: Sequence[LstmDecoder] = [
            LstmDecoder(scope, len(layout.decoder), head, weights) for scope, head in zip(scopes, heads, strict=True)
        ]

    @property
    def hears(self) -> bool:
        """Whether there is an encoder."""
        return self.encoder is not None

    def encode(
        self, inputs: np.ndarray, lengths: np.ndarray | None = None, controls: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What sequences mean: mean and standard deviation of z, each [B, Z].

        Args:
            inputs: [B, T, input_size].
            lengths: steps of each sequence that count, [B]; None for all.
            controls: [B, T, control_size], or [T, control_size] for all; None where the config has none.

        Raises:
            ValueError: a shape does not fit, or these weights are a decoder alone.
        """
        if self.encoder is None:
            raise ValueError(f"these weights of {self.config.name} are a decoder alone: they cannot hear music")
        inputs = _checked(inputs, self.config.input_size, "inputs")
        rows, steps = inputs.shape[:2]
        told = self._controls(controls, rows, steps)
        if told is not None:
            inputs = np.concatenate([inputs, told], axis=2)
        lengths = np.full(rows, steps) if lengths is None else np.asarray(lengths)
        if lengths.shape != (rows,) or lengths.min(initial=1) < 1 or lengths.max(initial=1) > steps:
            raise ValueError(f"lengths have to be {rows} numbers from 1 to {steps}")
        with self._threads():
            return self.encoder(inputs, lengths)

    def decode(
        self,
        z: np.ndarray,
        length: int | None = None,
        controls: np.ndarray | None = None,
        temperature: float | None = None,
        rng: Random | Sequence[Random] | None = None,
        hits: np.ndarray | None = None,
    ) -> np.ndarray:
        """Music that latent vectors mean, [B, T, output_size] float32: per part one 1 among zeros, or hits, velocities
        and offsets, or a set of ones.

        Args:
            z: [B, Z].
            length: steps; None for an example's. A hierarchical decoder knows no other.
            controls: [B, T, control_size], or [T, control_size] for all; None where the config has none.
            temperature: > 0: choose by chance; None: choose the likeliest.
            rng: source of chance; needed with a temperature. One for each sequence makes of it what it would be alone.
            hits: GrooVAE: [B, T, 9], strokes that are known, NaN where the network is free: only how they are played is
                left to it. Its own course then follows the music instead of what it guessed.

        Raises:
            ValueError: a shape does not fit, or there is a temperature without chance or one that is not positive.
        """
        return self.decode_with_outputs(z, length, controls, temperature, rng, keep=False, hits=hits)[0]

    def decode_with_outputs(
        self,
        z: np.ndarray,
        length: int | None = None,
        controls: np.ndarray | None = None,
        temperature: float | None = None,
        rng: Random | Sequence[Random] | None = None,
        keep: bool = True,
        hits: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """As `decode`, with the numbers [B, T, N] that the choices were made from."""
        z = self._latent(z)
        steps = self._steps(length)
        told = self._controls(controls, len(z), steps)
        if temperature is not None and (not 0.0 < temperature < float("inf") or rng is None):
            raise ValueError(f"a temperature has to be a positive number with a source of chance, not {temperature}")
        if isinstance(rng, Sequence) and len(rng) != len(z):
            raise ValueError(f"{len(rng)} sources of chance for {len(z)} latent vectors")
        known = None
        if hits is not None:
            if self.config.head != "groove" or hits.shape != (len(z), steps, self.config.output_size // 3):
                raise ValueError(f"{self.config.name} cannot be told hits of shape {hits.shape}")
            known = hits.transpose(1, 0, 2)
        many = self.halves and len(z) >= halves.FEWEST
        threads = allowed_threads() if many else 1
        samples, outputs = [], []
        with self._threads_of_one() if len(z) == 1 else self._threads():
            embeddings = self.conductor(z) if self.conductor else None
            for decoder in self.decoders:
                chance = None if temperature is None else _uniforms(rng, steps, len(z), decoder.head.draws)
                if many:
                    choices, numbers = halves.decode_halves(
                        decoder, z, steps, chance, temperature, told, keep, known, threads
                    )
                else:
                    noise = None if chance is None or temperature is None else decoder.head.noise(chance, temperature)
                    if embeddings is None:
                        choices, numbers = decoder.decode(z, steps, noise, told, keep=keep, hits=known)
                    else:
                        choices, numbers = decode_bars(decoder, embeddings, steps // len(embeddings), noise, keep)
                samples.append(decoder.head.samples(choices).swapaxes(0, 1))
                if numbers is not None:
                    outputs.append(numbers.swapaxes(0, 1))
        return _side_by_side(samples), _side_by_side(outputs) if keep else None

    def teacher_forced(
        self, z: np.ndarray, targets: np.ndarray, controls: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the decoder expects of sequences that it is told: its outputs [B, T, N], and the cost [B] of each
        sequence in nats; for GrooVAE log-loss of hits plus squared errors of velocities and offsets.

        Args:
            z: [B, Z].
            targets: [B, T, output_size].
            controls: as in `decode`.

        Raises:
            ValueError: a shape does not fit.
        """
        z, targets = self._latent(z), _checked(targets, self.config.output_size, "targets")
        rows, steps = targets.shape[:2]
        if len(z) != rows:
            raise ValueError(f"{len(z)} latent vectors for {rows} targets")
        if self.conductor:
            self._steps(steps)
        told = self._controls(controls, rows, steps)
        previous = np.zeros_like(targets)
        previous[:, 1:] = targets[:, :-1]
        outputs, costs, first = [], np.zeros(rows), 0
        with self._threads():
            embeddings = z
            if self.conductor:
                # All bars of all sequences side by side: each begins anew with its own embedding.
                bars = self.conductor.bars
                embeddings = self.conductor(z).swapaxes(0, 1).reshape(rows * bars, -1)
                previous = previous.reshape(rows * bars, steps // bars, -1)
            for decoder in self.decoders:
                part = slice(first, first + decoder.head.size)
                numbers = decoder.teach(embeddings, previous[:, :, part], told).reshape(rows, steps, -1)
                costs += decoder.head.losses(numbers, targets[:, :, part]).sum(axis=1)
                outputs.append(numbers)
                first = part.stop
        return np.concatenate(outputs, axis=2), costs

    def _latent(self, z: np.ndarray) -> np.ndarray:
        z = np.ascontiguousarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.latent_size:
            raise ValueError(f"z has to be [B, {self.latent_size}], not {list(z.shape)}")
        return z

    def _steps(self, length: int | None) -> int:
        steps = self.config.steps if length is None else length
        if steps < 1 or (self.conductor and steps != self.config.steps):
            raise ValueError(f"{self.config.name} decodes {self.config.steps} steps, not {steps}")
        return steps

    def _controls(self, controls: np.ndarray | None, rows: int, steps: int) -> np.ndarray | None:
        size = self.config.control_size
        if controls is None:
            if size:
                raise ValueError(f"{self.config.name} needs controls [{steps}, {size}]")
            return None
        shape = (rows, steps, size)
        if not size or np.shape(controls) not in (shape, shape[1:]):
            expected = f"controls [{steps}, {size}]" if size else "no controls"
            raise ValueError(f"{self.config.name} takes {expected}, not {list(np.shape(controls))}")
        return np.broadcast_to(np.asarray(controls, np.float32), shape)


def _checked(values: np.ndarray, size: int, name: str) -> np.ndarray:
    values = np.asarray(values, np.float32)
    if values.ndim != 3 or values.shape[2] != size or not values.shape[1]:
        raise ValueError(f"{name} have to be [B, T, {size}], not {list(values.shape)}")
    return values


def _side_by_side(parts: list[np.ndarray]) -> np.ndarray:
    """Arrays [B, T, N] as one; one alone is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _uniforms(rng: Random | Sequence[Random] | None, steps: int, rows: int, draws: int) -> np.ndarray:
    """Chance [T, B, draws] in [0, 1), of one source for all sequences or of one for each."""
    if isinstance(rng, Sequence):
        return np.concatenate([_drawn(one, (steps, 1, draws)) for one in rng], axis=1)
    assert rng is not None, "a temperature comes with chance"
    return _drawn(rng, (steps, rows, draws))


def _drawn(rng: Random, shape: tuple[int, ...]) -> np.ndarray:
    if isinstance(rng, (np.random.Generator, np.random.RandomState)):
        return rng.random(shape)
    return np.array([rng.random() for _ in range(math.prod(shape))]).reshape(shape)

"""A MusicVAE whose parts TensorFlow plays, and numpy again as soon as that fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from engine.networks.vae.heads import CategoricalHead
from engine.networks.vae.music_vae import MusicVae
from engine.networks.vae.twin.parts import ConductorTwin, DecoderTwin, EncoderTwin

log = logging.getLogger(__name__)

T = TypeVar("T")

TOLERANCE = 1e-3
"""By so much outputs may differ from numpy's, or the twin does not play. In float32 they do by some 1e-5; where a card
rounds the factors of products (TF32), by far more, and the music would be another than on the player."""


class TwinError(Exception):
    """What TensorFlow computes is no number, or another one than numpy's."""


class VaeTwin:
    """Takes the place of a network's parts, and gives it back for good when TensorFlow fails: no call fails of it.

    Chance stays ours: noise is made in numpy, and TensorFlow is told it. So choices are numpy's, unless two are all but
    equally likely.

    Args:
        network: whose parts are replaced; its decoders choose classes. It keeps its weights, to go on with.
        tf: the module `tensorflow`.
        device: as TensorFlow names it, such as "GPU:0".

    Raises:
        TwinError: the decoders choose something else.

    Attributes:
        device: as given.
        bytes: that its weights take on the device; 0 when it has failed.
        problem: why numpy plays instead; empty: it does not.
    """

    def __init__(self, network: MusicVae, tf: Any, device: str) -> None:
        if not all(isinstance(decoder.head, CategoricalHead) for decoder in network.decoders):
            raise TwinError(f"{network.config.name} chooses no classes")
        self.tf, self.device, self.bytes, self.problem = tf, device, 0, ""
        self._weights: dict[str, Any] = {}
        decoders = [DecoderTwin(self, f"decoder {place}", own) for place, own in enumerate(network.decoders)]
        conductor = None if network.conductor is None else ConductorTwin(self, network.conductor)
        encoder = None if network.encoder is None else EncoderTwin(self, network.encoder)
        self.attempt(lambda: _compare(network, decoders, conductor, encoder), lambda: None)
        network.decoders, network.conductor, network.encoder = list(decoders), conductor, encoder

    def give_up(self, problem: str) -> None:
        """Have numpy play from now on, and let go of what lies on the device."""
        self.problem = self.problem or problem
        self._weights, self.bytes = {}, 0

    def attempt(self, by_twin: Callable[[], T], by_numpy: Callable[[], T]) -> T:
        """What TensorFlow makes, or else numpy."""
        if not self.problem:
            try:
                with self.tf.device(self.device):
                    return by_twin()
            except Exception as error:  # of TensorFlow, CUDA or their versions: whatever it is, music goes on
                told = str(error).strip().splitlines()
                self.give_up(f"{type(error).__name__}: {told[0][:200]}" if told else type(error).__name__)
                log.warning("numpy plays what TensorFlow was to play: %s", self.problem)
        return by_numpy()

    def placed(self, name: str, arrays: Callable[[], Any]) -> Any:
        """Weights on the device, which come there when they are used for the first time.

        Raises:
            TwinError: the twin has been given up.
        """
        if self.problem:
            raise TwinError(self.problem)
        if name not in self._weights:
            made = self.tf.nest.map_structure(self.tf.constant, arrays())
            self.bytes += sum(4 * int(np.prod(one.shape)) for one in self.tf.nest.flatten(made))
            self._weights[name] = made
        return self._weights[name]


def _compare(
    network: MusicVae, decoders: list[DecoderTwin], conductor: ConductorTwin | None, encoder: EncoderTwin | None
) -> None:
    """Whether a step of each part is what it is in numpy. All weights come to the device by it.

    Raises:
        TwinError: it is not.
    """
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((1, network.latent_size)).astype(np.float32)
    if encoder is not None:
        heard = rng.random((1, 2, network.config.input_size + network.config.control_size), np.float32)
        for found, wanted in zip(*(one(heard, np.array([2])) for one in (encoder.by_twin, encoder.own)), strict=True):
            _require_equal(found, wanted)
    if conductor is not None:
        bars = conductor.own(embeddings)
        _require_equal(conductor.by_twin(embeddings), bars)
        embeddings = np.ascontiguousarray(bars[-1])
    first = np.zeros(1, np.int64)
    for decoder in decoders:
        told = np.ones((1, 1, len(decoder.from_controls)), np.float32) if len(decoder.from_controls) else None
        _, outputs = decoder.by_twin(embeddings, 1, None, told, first, True)
        _require_equal(outputs, decoder.own.decode(embeddings, 1, None, told, first, True)[1])


def _require_equal(found: Any, wanted: Any) -> None:
    difference = float(np.abs(found - wanted).max())
    if not difference <= TOLERANCE:
        raise TwinError(f"what TensorFlow computes differs from numpy by {difference:.3g}")

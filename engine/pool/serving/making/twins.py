# pyright: strict
"""Which networks of a replica TensorFlow plays: heavy ones of MusicVAE, where there is a GPU or the pool's file says
so. Whatever is wrong with TensorFlow or the GPU, numpy plays, and it is told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.errors import PerpetuumError
from engine.networks.vae.music_vae import MusicVae
from engine.networks.vae.twin.network import TwinError, VaeTwin
from engine.pool.serving.file.config import HEAVY, Compute
from engine.timbres.backend import has_gpu_device, tensorflow

log = logging.getLogger(__name__)

NUMPY = "numpy"

_LONGEST = 500
"""Letters of a problem."""


def size_of_weights(path: str) -> int:
    """Bytes of a weights file; 0 for what is none."""
    try:
        return Path(path).stat().st_size if path.startswith("/") else 0
    except (OSError, ValueError):
        return 0


def are_heavy(paths: Iterable[str], heavy: int) -> bool:
    """Whether any of these weights files has more than so many bytes."""
    return any(size_of_weights(path) > heavy for path in paths)


class Twins:
    """Has heavy networks played by TensorFlow.

    Args:
        compute: whether.
        heavy: bytes of a weights file above which they are.

    Attributes:
        problem: why TensorFlow plays none; empty: it does, or none was asked for yet.
    """

    def __init__(self, compute: Compute = Compute.NUMPY, heavy: int = HEAVY) -> None:
        self._compute, self._heavy = compute, heavy
        self.problem = "the pool's file says so" if compute is Compute.NUMPY else ""
        self._lock = threading.Lock()
        self._tf: Any = None
        self._device = ""
        self._twins: dict[str, VaeTwin] = {}

    @property
    def bytes(self) -> int:
        """That their weights take on the device."""
        return sum(one.bytes for one in list(self._twins.values()))

    def prepare(self) -> bool:
        """Import TensorFlow, if it is wanted and was not yet; whether it can play."""
        with self._lock:
            if not self.problem and self._tf is None:
                try:
                    self._begin()
                except Exception as error:  # a CUDA of another version raises anything
                    self.problem = _told(error.message if isinstance(error, PerpetuumError) else repr(error))
                    log.warning("numpy plays heavy networks: %s", self.problem)
            return not self.problem

    def _begin(self) -> None:
        if self._compute is Compute.AUTO and not has_gpu_device():
            self.problem = "there is no GPU"  # which is nothing to complain of
            return
        tf: Any = tensorflow("a heavy MusicVAE")
        has_gpu = bool(tf.config.list_physical_devices("GPU"))
        if self._compute is Compute.AUTO and not has_gpu:
            raise PerpetuumError("TensorFlow does not find the GPU that is there")
        self._tf, self._device = tf, "GPU:0" if has_gpu else "CPU:0"

    def expected(self, path: str, network: MusicVae) -> int:
        """Bytes that a network of a weights file will take on the device."""
        return network.bytes if are_heavy((path,), self._heavy) and self.prepare() else 0

    def take(self, path: str, network: MusicVae) -> None:
        """Have TensorFlow play a network from now on, if it is heavy and can be played by it."""
        if not self.expected(path, network):
            return
        try:
            self._twins[path] = VaeTwin(network, self._tf, self._device)
        except TwinError as error:
            log.warning("numpy plays %s: %s", path, error)

    def put_aside(self, path: str) -> None:
        """Let go of what a network has on the device; whoever still uses it goes on in numpy."""
        if (twin := self._twins.pop(path, None)) is not None:
            twin.give_up("its place was needed")

    def give_up(self, problem: str) -> None:
        """Play all in numpy from now on."""
        problem = _told(problem)
        if not self.problem:
            log.warning("numpy plays heavy networks: %s", problem)
        self.problem = self.problem or problem
        for one in list(self._twins.values()):
            one.give_up(problem)

    def played_by(self, paths: Iterable[str]) -> str:
        """What plays the heaviest of these weights: `tensorflow_gpu`, `tensorflow_cpu`, or `numpy: ` and why; empty
        where none is heavy."""
        path = max(paths, key=size_of_weights, default="")
        if not are_heavy((path,), self._heavy):
            return ""
        twin = self._twins.get(path)
        problem = self.problem if twin is None else twin.problem
        if twin is not None and not problem:
            return f"tensorflow_{self._device.partition(':')[0].lower()}"
        return f"{NUMPY}: {_told(problem or 'TensorFlow knows no such network')}"


def _told(problem: str) -> str:
    """A problem as logs can write it, and as players, to whom it travels, take it."""
    return problem[:_LONGEST].encode(errors="replace").decode()

# pyright: strict
"""A pool as values: what its file says, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from engine.installation.choices.access import Address
from engine.installation.choices.secret import Secret

GB = 1_000_000_000
MB = 1_000_000

HEAVY = 32 * MB
"""Bytes of a weights file above which they are heavy, unless the file of the pool says otherwise: half floats, which as
floats are more than a processor's cache holds. What is smaller comes from the cache in less time than many small
products take to be handed on; what is larger keeps a processor busy for long, and others must not wait for it."""


class Compute(StrEnum):
    """What plays the heavy networks that TensorFlow can play."""

    AUTO = "auto"
    """TensorFlow where there is a GPU, numpy elsewhere."""
    NUMPY = "numpy"
    TENSORFLOW = "tensorflow"
    """Also where it has no GPU."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Replicas that make some kinds of phrases.

    Attributes:
        name: for messages and Ray.
        kinds: of generators; empty: those that no other deployment makes.
        replicas: processes.
        models: bytes of memory in each that networks may take.
        memory: bytes that each may take in all; above, it is replaced.
        gpus: of each, as Ray shares them out.
        batch: phrases of MusicVAE whose calls of the network each makes as one; 1: each phrase alone.
        heavy: makes only what has heavy weights.
        compute: what plays those.
    """

    name: str = "all"
    kinds: tuple[str, ...] = ()
    replicas: int = 2
    models: int = GB
    memory: int = 3 * GB
    gpus: float = 0.0
    batch: int = 1
    heavy: bool = False
    compute: Compute = Compute.AUTO


DEPLOYMENTS = (Deployment(), Deployment("heavy", models=2 * GB, memory=4 * GB, heavy=True))
"""Those of a file that names none: who asks for a small network never waits for a big one."""


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """A whole pool.

    Attributes:
        weights: folder of weights that players hand over, absolute.
        limit: bytes that it may hold.
        listen: where players ask.
        tokens: of players by name; none: no token is asked for.
        deployments: exactly one is without kinds and not for heavy weights alone.
        checkpoints: folders of GANSynth's checkpoints, absolute.
        cluster: address of a Ray cluster; empty: Ray is started here.
        heavy: bytes of a weights file above which they are heavy.
    """

    weights: Path
    limit: int = 10 * GB
    listen: tuple[Address, ...] = (Address("127.0.0.1", 8480, True),)
    tokens: Mapping[str, Secret] = field(default_factory=dict[str, Secret])
    deployments: tuple[Deployment, ...] = DEPLOYMENTS
    checkpoints: tuple[Path, ...] = ()
    cluster: str = ""
    heavy: int = HEAVY

    def deployment_of(self, kind: str, heavy: bool = False) -> Deployment:
        """Who makes a kind, with heavy weights or without."""
        fitting = [one for one in self.deployments if (kind in one.kinds or not one.kinds) and one.heavy <= heavy]
        return max(fitting, key=lambda one: (one.heavy, bool(one.kinds)))

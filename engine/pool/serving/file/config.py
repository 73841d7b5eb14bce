# pyright: strict
"""A pool as values: what its file says, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.installation.choices.access import Address
from engine.installation.choices.secret import Secret

GB = 1_000_000_000


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
    """

    name: str = "all"
    kinds: tuple[str, ...] = ()
    replicas: int = 2
    models: int = GB
    memory: int = 3 * GB
    gpus: float = 0.0
    batch: int = 1


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """A whole pool.

    Attributes:
        weights: folder of weights that players hand over, absolute.
        limit: bytes that it may hold.
        listen: where players ask.
        tokens: of players by name; none: no token is asked for.
        deployments: exactly one is without kinds.
        cluster: address of a Ray cluster; empty: Ray is started here.
    """

    weights: Path
    limit: int = 10 * GB
    listen: tuple[Address, ...] = (Address("127.0.0.1", 8480, True),)
    tokens: Mapping[str, Secret] = field(default_factory=dict[str, Secret])
    deployments: tuple[Deployment, ...] = (Deployment(),)
    cluster: str = ""

    def deployment_of(self, kind: str) -> Deployment:
        """Who makes a kind."""
        own = (one for one in self.deployments if kind in one.kinds)
        return next(own, None) or next(one for one in self.deployments if not one.kinds)

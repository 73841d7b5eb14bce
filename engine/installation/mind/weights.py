# pyright: strict
"""Which weights the networks of a scene play with: what the journal says of who made a phrase."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from engine import assets
from engine.errors import PerpetuumError
from engine.events import Event, WeightsFound
from engine.form.scene import Scene
from engine.generators.contract import GENERATORS, TRANSFORMS
from engine.pool.wire.digests import digest_of

log = logging.getLogger(__name__)


def tell_weights(scene: Scene, publish: Callable[[Event], None]) -> None:
    """Publish the digests of the weights of each part; those that cannot be read are left out."""
    for part, kind, path in weights_of(scene):
        with suppress(PerpetuumError):
            publish(WeightsFound(part, kind, digest_of(path)))


def weights_of(scene: Scene) -> Iterator[tuple[str, str, Path]]:
    """For each part: the kind of its generator, or of a transform, that has weights, and their file."""
    for part in scene.parts.values():
        kind = GENERATORS.get(part.generator)
        found = [(kind.name, kind.weights(part.settings))] if kind.weights is not None else []
        for name, settings in part.transforms:
            transform = TRANSFORMS.get(name)
            if transform.weights is not None:
                found.append((name, transform.weights(settings)))
        for name, weights in found:
            with suppress(PerpetuumError):
                path = assets.find("weights", weights, ".safetensors", scene.path.parent)
                if path is not None and path.is_file():
                    yield part.name, name, path

# pyright: strict
"""Which weights the networks of a scene play with: what the journal says of who made a phrase."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from engine import assets
from engine.errors import PerpetuumError
from engine.events import Event, WeightsFound
from engine.form.scene import Scene
from engine.generators.contract import GENERATORS, TRANSFORMS

log = logging.getLogger(__name__)


def tell_weights(scene: Scene, publish: Callable[[Event], None]) -> None:
    """Publish the digests of the weights of each part; those that cannot be read are left out."""
    for part, kind, path in weights_of(scene):
        with suppress(OSError):
            found = path.stat()
            publish(WeightsFound(part, kind, _digest(path, found.st_mtime_ns, found.st_size)))


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


@lru_cache(maxsize=64)
def _digest(path: Path, changed: int, size: int) -> str:
    """SHA-256 of a file, computed once for each time that it changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

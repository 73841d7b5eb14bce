# pyright: strict
"""The weights that a pool has, by digest: the shipped ones, those of its own folders, and what players handed over."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from msgspec.structs import replace

from engine import assets
from engine.errors import PerpetuumError
from engine.files import reason
from engine.networks.card import read_card
from engine.pool.wire.digests import SUFFIX, digest_of
from engine.pool.wire.messages import WireModel

log = logging.getLogger(__name__)


class StoreFullError(PerpetuumError):
    """There is no room for more weights."""


class TooLargeError(PerpetuumError):
    """It is larger than anything that is taken."""


class WeightsStore:
    """Files by digest.

    Args:
        folder: where weights that are handed over are kept; made if it is not there.
        limit: bytes that it may hold.
        largest: bytes of one file.

    Raises:
        PerpetuumError: the folder cannot be made.
    """

    def __init__(self, folder: Path, limit: int, largest: int) -> None:
        self._folder = folder
        self._limit = limit
        self._largest = largest
        self._models: dict[str, tuple[WireModel, Path]] = {}
        self._coming: dict[str, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.glob("*.part"):  # of a process that was killed
                left.unlink()
        except OSError as error:
            raise PerpetuumError(f"{folder} cannot be used: {reason(error)}", "name another folder") from error
        self.look()

    def look(self) -> None:
        """Look for what there is now."""
        found: dict[str, tuple[WireModel, Path]] = {}
        for path in (*assets.names("weights", SUFFIX).values(), *sorted(self._folder.glob(f"*{SUFFIX}"))):
            try:
                digest = digest_of(path)
                if digest not in found:
                    found[digest] = _model(path, digest), path
            except (PerpetuumError, OSError) as error:
                log.warning("weights are left out: %s", error)
        self._models = found

    @property
    def models(self) -> tuple[WireModel, ...]:
        """What there is."""
        return tuple(model for model, _ in self._models.values())

    def played(self, digests: Iterable[str], by: str) -> WireModel | None:
        """Note what played the heaviest of some weights; what they are now, if that is new."""
        found = [self._models[digest] for digest in digests if digest in self._models]
        if not found:
            return None
        model, path = max(found, key=lambda one: one[0].bytes)
        if model.played_by == by:
            return None
        model = replace(model, played_by=by)
        self._models[model.digest] = model, path
        return model

    def paths(self, digests: tuple[str, ...]) -> dict[str, Path]:
        """Files by digest, as far as they are here; one that somebody has deleted is here no more."""
        for digest in digests:
            if digest in self._models and not self._models[digest][1].is_file():
                del self._models[digest]
        return {digest: self._models[digest][1] for digest in digests if digest in self._models}

    async def take(self, digest: str, chunks: AsyncIterator[bytes], announced: int | None) -> bool:
        """Keep a file that is handed over; whole and checked, or not at all. False: it is here already.

        Args:
            digest: that it must have.
            chunks: its bytes as they come.
            announced: its size as it was announced; None for not.

        Raises:
            TooLargeError: it is larger than `largest`.
            StoreFullError: there is no room.
            PerpetuumError: it has another digest, or is no weights file.
        """
        if self.paths((digest,)):
            return False
        name = ""
        try:
            # Where others come in at the same time, each has a file of its own, and what they have so far counts.
            self._require_room(announced or 0, "")
            number, name = tempfile.mkstemp(suffix=".part", dir=self._folder)
            sha, size = hashlib.sha256(), 0
            with os.fdopen(number, "wb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    self._require_room(size, name)
                    self._coming[name] = size
                    sha.update(chunk)
                    file.write(chunk)
                await asyncio.to_thread(_settle, file)
            if sha.hexdigest() != digest:
                raise PerpetuumError(f"these {size} bytes have the digest {sha.hexdigest()}")
            model = await asyncio.to_thread(_model, Path(name), digest)
            path = self._folder / f"{digest}{SUFFIX}"
            Path(name).replace(path)
            # What lay there under a name that was not its digest is gone.
            self._models = {other: found for other, found in self._models.items() if found[1] != path}
            self._models[digest] = model, path
        except OSError as error:
            raise StoreFullError(f"they cannot be kept: {error.strerror}") from error
        finally:
            self._coming.pop(name, None)
            if name:
                with suppress(OSError):
                    Path(name).unlink()
        return True

    def _require_room(self, size: int, name: str) -> None:
        """Whether a file may have so many bytes, beside those that are here and those that are coming in."""
        if size > self._largest:
            raise TooLargeError(f"more than {self._largest} bytes")
        kept = sum(coming for other, coming in self._coming.items() if other != name)
        for path in self._folder.glob(f"*{SUFFIX}"):
            with suppress(OSError):  # deleted just now
                kept += path.stat().st_size
        if kept + size > self._limit:
            raise StoreFullError(f"{self._folder} may hold {self._limit} bytes, and holds {kept}")


def _settle(file: IO[bytes]) -> None:
    """Have the disk hold what was written: a file by its digest must not come up empty after a power cut."""
    file.flush()
    os.fsync(file.fileno())


def _model(path: Path, digest: str) -> WireModel:
    """What a file is.

    Raises:
        PerpetuumError: it is no weights file; the message names no path of ours.
    """
    try:
        card = read_card(path)
    except PerpetuumError as error:
        message = error.message.replace(str(path), "it")
        raise PerpetuumError(f"this is no weights file: {message}", error.hint) from error
    name = path.stem if path.stem != digest and path.suffix == SUFFIX else card.name
    return WireModel(digest, name[:200], card.family[:200], card.config[:200], path.stat().st_size)

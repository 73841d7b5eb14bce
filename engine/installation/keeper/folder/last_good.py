# pyright: strict
"""The last installation file that could be played, kept for a start at which it is broken, or has not changed.

It lies in the folder that holds where the file says nothing, for where a broken file would put it nobody knows.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from engine import __version__
from engine.codec import Codec, CodecError
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.reading import FileRead
from engine.installation.state_place import default_state

NAME = "installation"

LARGEST = 1 << 20
"""Bytes of an installation file that is looked at; a longer one is read each time."""

_READ_FROM = ("STATE_DIRECTORY", "XDG_STATE_HOME", "HOME", "PERPETUUM_PATH")
"""Variables that count in what a file comes to."""


@dataclass(frozen=True, slots=True)
class LastGood:
    """What came of a file.

    Attributes:
        path: of the file.
        digest: of its bytes, and of all else that counted.
        read: what came of it; with an installation.
    """

    path: str
    digest: str
    read: FileRead


_CODEC: Codec[LastGood] = Codec(LastGood)


class LastGoodFile:
    """Keeps what came of an installation file.

    Args:
        path: of the installation file.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path.absolute())
        self._folder = StateFolder(default_state(path.stem))
        self._kept = self._recall()

    @property
    def kept(self) -> FileRead | None:
        """What came of it when it could be played last; None where nobody knows."""
        return self._kept.read if self._kept is not None else None

    @property
    def unchanged(self) -> bool:
        """Whether that is what would come of it now: nothing was saved since."""
        digest = self.digest()
        return self._kept is not None and bool(digest) and digest == self._kept.digest

    def digest(self) -> str:
        """Of the file as it is now; empty where it cannot be said."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(LARGEST + 1)
        except OSError:
            return ""
        if not data or len(data) > LARGEST:
            return ""
        about = "\0".join([__version__, self._path, *(os.environ.get(name, "") for name in _READ_FROM)])
        return hashlib.sha256(about.encode("utf-8", "surrogateescape") + b"\0" + data).hexdigest()

    def keep(self, read: FileRead, digest: str) -> None:
        """Keep what came of it; may take as long as a disk does.

        Args:
            read: with an installation.
            digest: of the file, from before it was read.
        """
        kept = LastGood(self._path, digest, read)
        if kept != self._kept:
            self._kept = kept
            self._folder.make()
            self._folder.write(NAME, _CODEC.encode(kept), "a broken file at the next start would play nothing")

    def _recall(self) -> LastGood | None:
        data = self._folder.read(NAME)
        if data is None:
            return None
        try:
            kept = _CODEC.decode(data)
        except CodecError:
            return None  # of another version
        return kept if kept.path == self._path and kept.read.installation is not None else None

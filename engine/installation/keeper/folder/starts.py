# pyright: strict
"""Starts that came to nothing, counted in the state folder: after too many in a row something safe is played."""

from __future__ import annotations

import json
from typing import cast

from engine.installation.keeper.folder.folder import StateFolder

NAME = "starts"

MOST = 5
"""Starts in a row that come to nothing, after which the next one plays something safe."""

HEALTHY = 5.0
"""Seconds of sound, or of intended silence, after which a start has come to something."""

SILENT = "it ended without a word"


class Starts:
    """Counts. Whatever lies in the file counts as nothing where it makes no sense.

    Args:
        folder: locked.

    Attributes:
        failed: starts in a row before this one that came to nothing.
        why: what the last of them said.
    """

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        self.failed, self.why = _read(folder.read(NAME))
        self._counted = False

    @property
    def reason(self) -> str:
        """Why something safe is to be played; empty where that is not so."""
        return f"{self.failed} starts in a row came to nothing; the last one: {self.why}" if self.failed >= MOST else ""

    def begin(self) -> None:
        """This one counts as failed until it has come to something."""
        self._counted = True
        self._write(SILENT)

    def fails(self, why: str) -> None:
        """This one comes to nothing, and says why."""
        self._write(why)

    def succeeds(self) -> None:
        """This one has come to something."""
        if self._counted:
            self._counted = False
            self._folder.remove(NAME)

    def _write(self, why: str) -> None:
        text = json.dumps({"failed": self.failed + 1, "why": why[:1000]})
        self._folder.write(NAME, text.encode(), "starts that fail are not counted")


def _read(data: bytes | None) -> tuple[int, str]:
    try:
        found: object = json.loads(data) if data is not None else None
    except ValueError:
        return 0, ""
    if not isinstance(found, dict):
        return 0, ""
    said = cast("dict[str, object]", found)
    failed, why = said.get("failed"), said.get("why")
    return (failed if isinstance(failed, int) and 0 <= failed < 1 << 31 else 0), why if isinstance(why, str) else ""

# pyright: strict
"""What has been told, kept on the disk: a restart amid a fault tells nothing twice, and its recovery is told all the
same."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from engine.errors import PerpetuumError
from engine.files import read_bytes
from engine.health.notices.edges import ToldNotices
from engine.output_file import output_folder, write_bytes

log = logging.getLogger(__name__)

NAME = "told.json"

LARGEST = 1 << 16
"""Bytes of the file."""


class ToldFile:
    """Keeps what has been told.

    Args:
        folder: where it lies; made if it is not there.

    Attributes:
        kept: what has been told; nothing where no file says so.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.kept = self._read()

    def _read(self) -> ToldNotices:
        try:
            return msgspec.json.decode(read_bytes(self._folder / NAME, LARGEST), type=ToldNotices)
        except FileNotFoundError:
            return ToldNotices()
        except (OSError, msgspec.MsgspecError, ValueError):
            log.warning("%s does not say what has been told; it may be told again", self._folder / NAME)
            return ToldNotices()

    def keep(self, told: ToldNotices) -> None:
        """Write it where it has changed, and not for other words of the same. Never raises."""
        if _kinds(told) == _kinds(self.kept):
            return
        self.kept = told
        try:
            output_folder(self._folder)
            write_bytes(self._folder / NAME, msgspec.json.encode(told))
        except (OSError, PerpetuumError) as error:
            log.warning("what has been told cannot be kept (%s); after a restart it may be told again", error)


def _kinds(told: ToldNotices) -> object:
    return told.since, told.broken.keys(), told.week

# pyright: strict
"""Folders of files that belong together, written whole or not at all; single files are written by `output_file`."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from engine.errors import PerpetuumError
from engine.output_file import cannot_write, check_folder, sync_folder

_NAME = re.compile(r"[^\W_][\w .+-]*")
"""Letters and digits of any script: what can be typed, listed and named in a scene."""

_LONGEST_NAME = 100
"""Bytes."""


class NewFolder:
    """A folder that is written, in a `with`: complete and under its name at the end, or not there at all.

    Args:
        path: of the folder; its parent is there.
        marker: name of a file that is in every folder of its kind.
        force: replace a folder that is there, if it has the marker in it.

    Raises:
        PerpetuumError: it can never be written, or it could not be; it is there already.
    """

    def __init__(self, path: Path, marker: str, force: bool = False) -> None:
        self.path = path
        self._marker = marker
        self._force = force
        self._look()
        try:
            self._growing = path.parent / f".{path.name}.{secrets.token_hex(4)}.partial"
            self._growing.mkdir()
        except OSError as error:
            raise cannot_write(path, error) from error

    def _look(self) -> None:
        path = self.path
        if not _NAME.fullmatch(path.name) or len(os.fsencode(path.name)) > _LONGEST_NAME:
            raise PerpetuumError(
                f"cannot make the folder {path.name[:_LONGEST_NAME]!r}: its name is none that one can write in a scene",
                f"letters, digits, `_`, `-`, `.` and spaces, {_LONGEST_NAME} bytes at most, a letter or digit first",
            )
        check_folder(path)
        try:
            if path.is_symlink():
                raise PerpetuumError(f"cannot write {path}: it is a link", "name the folder that it leads to")
            if not path.exists():
                return
            there = sorted(entry.name for entry in path.iterdir())
        except (OSError, ValueError) as error:
            raise cannot_write(path, error) from error
        if there and self._marker not in there:
            raise PerpetuumError(f"{path} is there already, and has other files in it", "choose another name")
        if there and not self._force:
            raise PerpetuumError(f"{path} is there already", "choose another name, or replace it with --force")

    def write(self, name: str, data: bytes) -> None:
        """Write a file into it, and its bytes to the disk.

        Raises:
            PerpetuumError: it cannot be written.
        """
        try:
            with (self._growing / name).open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise cannot_write(self.path / name, error) from error

    @property
    def growing(self) -> Path:
        """Where it lies until it is complete, to look at what was written."""
        return self._growing

    def __enter__(self) -> NewFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is None:
                self._take_place()
        except OSError as reason:
            raise cannot_write(self.path, reason) from reason
        finally:
            shutil.rmtree(self._growing, ignore_errors=True)

    def _take_place(self) -> None:
        sync_folder(self._growing)
        old = self._growing.with_suffix(".old")
        replaced = False
        if self._force:
            with suppress(FileNotFoundError):
                # From here on the name is free for a moment; an error gives the old folder its name back.
                self.path.rename(old)
                replaced = True
        try:
            self._growing.rename(self.path)
        except OSError:
            if replaced:
                old.rename(self.path)
            raise
        sync_folder(self.path.parent)
        if replaced:
            shutil.rmtree(old, ignore_errors=True)

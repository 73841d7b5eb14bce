"""Files and folders that a command line asks to be written, refused before any work is done for them."""

from __future__ import annotations

from pathlib import Path

import click

from engine.output_file import Target, check_folder


class OutputPath(click.ParamType):
    """A file to write.

    Args:
        endings: of names that are written, like ".mid"; none for any.
    """

    name = "file"

    def __init__(self, *endings: str) -> None:
        self.endings = endings

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path.

        Raises:
            PerpetuumError: it can never be written.
        """
        path = Path(str(value)) if not isinstance(value, Path) else value
        Target(path, self.endings)
        return path


class OutputFolder(click.ParamType):
    """A folder to write into; it is there, or it can be made."""

    name = "directory"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path.

        Raises:
            PerpetuumError: it can never be written into.
        """
        path = Path(str(value)) if not isinstance(value, Path) else value
        check_folder(path)
        return path

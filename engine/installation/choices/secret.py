# pyright: strict
"""Secrets: an installation says where they lie, never what they are. No value is kept, shown or sent."""

from __future__ import annotations

import os
from dataclasses import dataclass

from engine.errors import PerpetuumError
from engine.files import read_bytes, reason

LONGEST = 4096
"""Bytes of a secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies; exactly one of the two is said.

    Attributes:
        env: name of a variable of the environment; empty for none.
        file: path of a file, whose whole text it is but for white space at its ends; empty for none.
    """

    env: str = ""
    file: str = ""

    def __post_init__(self) -> None:
        if bool(self.env) == bool(self.file):
            raise ValueError("a secret lies in a variable of the environment or in a file")

    def __str__(self) -> str:
        return f"${self.env}" if self.env else self.file

    def reveal(self) -> str:
        """Its value, read anew each time, so that it can be changed.

        Raises:
            PerpetuumError: there is none; no message holds anything of it.
        """
        value = os.environ.get(self.env, "") if self.env else self._of_file()
        value = value.strip()
        if not value:
            if self.env:
                raise PerpetuumError(f"the secret in ${self.env} is not set", f"set {self.env} in the environment")
            raise PerpetuumError(f"the secret in {self.file} is empty", "write it into that file")
        if not value.isprintable():
            raise PerpetuumError(f"the secret in {self} has line breaks or control characters in it", "give one line")
        return value

    def _of_file(self) -> str:
        try:
            data = read_bytes(self.file, LONGEST)
        except (OSError, ValueError) as error:
            raise PerpetuumError(
                f"the secret in {self.file} cannot be read: {reason(error)}", "give the path of a file with one line"
            ) from None
        if len(data) > LONGEST:
            raise PerpetuumError(f"the secret in {self.file} is longer than {LONGEST} bytes", "give one line")
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise PerpetuumError(f"the secret in {self.file} is not UTF-8", "give one line of text") from None

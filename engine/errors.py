"""The failures that a user can cause and mend."""

from __future__ import annotations

from collections.abc import Sequence


class PerpetuumError(Exception):
    """An expected failure: what happened, where, and what to do about it.

    The command line prints it without a traceback.

    Args:
        message: what happened, and where (a file, a part, a device).
        hint: what the user can do about it; None where nothing useful can be said.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class WrongValueError(ValueError):
    """A value that cannot be what it is to be. It is kept in pieces, so that no sentence is ever taken apart again.

    Attributes:
        message: what is wrong; empty where the value is of another kind altogether.
        expected: what would be right instead, where `message` is empty.
        example: how such a value is written.
        word: the name that is wrong, where a name is.
        candidates: names that could stand there.
        wrong: the part of the value that is not our spelling, where it is plain what is meant.
        right: how we write that part.
    """

    def __init__(
        self,
        message: str = "",
        *,
        expected: str = "",
        example: str = "",
        word: str = "",
        candidates: Sequence[str] = (),
        wrong: str = "",
        right: str = "",
    ) -> None:
        way = f"; write it like {example}" if example else ""
        super().__init__(message + way if message else f"expected {expected}")
        self.message = message
        self.expected = expected
        self.example = example
        self.word = word
        self.candidates = tuple(candidates)
        self.wrong = wrong
        self.right = right


class StoppedError(PerpetuumError):
    """Ctrl-C came before it was done; the message says what is left of it."""


class Terminated(BaseException):
    """Somebody asked the process to end (SIGTERM, SIGHUP). Not to be caught but to clean up: it has two seconds.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

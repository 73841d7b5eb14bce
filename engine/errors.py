"""The failures that a user can cause and mend."""


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

# pyright: strict
"""What is asked from afar: read as if it were hostile, done once, answered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from engine.errors import PerpetuumError
from engine.fleet.messages import (
    VERSION,
    CommandAnswer,
    Outcome,
    Push,
    PushedFile,
    SteeringCommand,
    id_of,
    read_message,
)
from engine.installation.choices.steering import SteeringRight
from engine.installation.keeper.hands.hands import Ask, read_line
from engine.installation.keeper.steering.messages import AskAnswered
from engine.installation.steered.memory import DoneCommands
from engine.installation.steered.pushing import RefusedFileError, TakenFile

log = logging.getLogger(__name__)

RIGHTS = {
    Ask.MUTE: SteeringRight.MUTE,
    Ask.UNMUTE: SteeringRight.MUTE,
    Ask.QUIET: SteeringRight.QUIET,
    Ask.NORMAL: SteeringRight.QUIET,
    Ask.LOUDER: SteeringRight.VOLUME,
    Ask.SOFTER: SteeringRight.VOLUME,
    Ask.VOLUME: SteeringRight.VOLUME,
    Ask.SECTION: SteeringRight.SECTION,
    Ask.SCENE: SteeringRight.SCENE,
    Ask.ALARM: SteeringRight.ALARM,
    Ask.RELEASE: SteeringRight.ALARM,
    Ask.RELOAD: SteeringRight.PUSH_SCENES,
    Push.SCENE: SteeringRight.PUSH_SCENES,
    Push.INSTALLATION: SteeringRight.PUSH_INSTALLATION,
}
"""What must be allowed for what."""


class SteeringCommands:
    """Does commands. Thread-safe: while a file is checked, which takes long, others are done.

    Args:
        rights: what may be asked.
        done: those that were done.
        ask: has the keeper do something: id, line, who; None where it does not answer. One thread at a time calls it.
        take_file: checks a file and puts it where it is read.
    """

    def __init__(
        self,
        rights: tuple[SteeringRight, ...],
        done: DoneCommands,
        ask: Callable[[str, str, str], AskAnswered | None],
        take_file: Callable[[PushedFile], TakenFile],
    ) -> None:
        self._rights = rights
        self._lock = threading.Lock()
        self._done = done
        self._ask = ask
        self._take_file = take_file

    def take(self, payload: bytes, retained: bool) -> CommandAnswer:
        """Do what a message asks, unless it was done before. Never raises.

        Args:
            payload: as it came.
            retained: whether the broker has kept it, and would tell it again after every restart.
        """
        try:
            command = read_message(SteeringCommand, payload)
            with self._lock:
                known = self._done.answer(command.id)
            if known is not None:
                return known
            if retained:
                raise PerpetuumError("a command that is retained would come again for ever", "send it unretained")
            answer = self._do(command)
        except PerpetuumError as error:
            return CommandAnswer(VERSION, id_of(payload), Outcome.REFUSED, str(error))
        with self._lock:
            self._done.remember(answer)
        return answer

    def _do(self, command: SteeringCommand) -> CommandAnswer:
        """What came of a command.

        Raises:
            PerpetuumError: it is none, or may not be asked; it need not be remembered.
        """
        if bool(command.ask) == (command.push is not None):
            raise PerpetuumError("a command asks something, or pushes a file", "`ask` or `push`")
        wanted = command.push.kind if command.push is not None else read_line(command.ask)[0]
        right = RIGHTS[wanted]
        if right not in self._rights:
            allowed = ", ".join(self._rights) or "nothing"
            raise PerpetuumError(
                f"`{right}` is not allowed from afar", f"its installation file allows {allowed} (`mqtt: allow`)"
            )
        try:
            return self._push(command, command.push) if command.push is not None else self._tell(command)
        except RefusedFileError as error:
            return CommandAnswer(VERSION, command.id, Outcome.REFUSED, error.message, error.found, error.more)
        except PerpetuumError as error:
            return CommandAnswer(VERSION, command.id, Outcome.FAILED, str(error))
        except Exception as error:  # a message that breaks us would break the next process, too
            log.exception("a command failed")
            return CommandAnswer(VERSION, command.id, Outcome.FAILED, f"it failed: {error!r}"[:500])

    def _tell(self, command: SteeringCommand) -> CommandAnswer:
        with self._lock:
            answer = self._ask(command.id, command.ask, _who(command))
        if answer is None:
            return CommandAnswer(
                VERSION, command.id, Outcome.FAILED, "the keeper does not answer; it may be done all the same"
            )
        return CommandAnswer(VERSION, command.id, Outcome.DONE if answer.done else Outcome.REFUSED, answer.text)

    def _push(self, command: SteeringCommand, file: PushedFile) -> CommandAnswer:
        taken = self._take_file(file)
        with self._lock:
            answer = self._ask(command.id, f"{Ask.RELOAD} {taken.what}", _who(command))
        read = "it is being read" if answer is not None and answer.done else "it is read at the next start"
        return CommandAnswer(VERSION, command.id, Outcome.DONE, f"{taken.text}; {read}", taken.found, taken.more)


def _who(command: SteeringCommand) -> str:
    return f"mqtt:{command.by}" if command.by else "mqtt"

# pyright: strict
"""Commands that were done, remembered on the disk: what a broker sends again is answered again, and not done."""

from __future__ import annotations

import msgspec

from engine.fleet.messages import CommandAnswer
from engine.installation.keeper.folder.folder import StateFolder

NAME = "commands"

MOST = 200
"""Commands; a broker sends again only those that were not acknowledged, which are far fewer."""

LARGEST_ANSWER = 2048
"""Bytes of an answer that is remembered whole; of a longer one the problems of a file are only counted."""

COST = "a command that comes twice might be done twice after a restart"


class DoneCommands:
    """Answers by the ids of their commands, the oldest first. Whatever else lies in the file counts as nothing.

    Args:
        folder: of the state.
    """

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        self._answers = {one.id: one for one in _read(folder.read(NAME))}

    def answer(self, command: str) -> CommandAnswer | None:
        """What came of a command; None where it was not done."""
        return self._answers.get(command)

    def remember(self, answer: CommandAnswer) -> None:
        """Remember what came of one; waits for the disk, and goes on without one that takes nothing."""
        if len(msgspec.json.encode(answer)) > LARGEST_ANSWER:
            more = answer.more + len(answer.found)
            answer = msgspec.structs.replace(answer, text=answer.text[:500], found=(), more=more)
        self._answers[answer.id] = answer
        while len(self._answers) > MOST:
            del self._answers[next(iter(self._answers))]
        self._folder.write(NAME, msgspec.json.encode(list(self._answers.values())), COST)


def _read(data: bytes | None) -> list[CommandAnswer]:
    try:
        return msgspec.json.decode(data, type=list[CommandAnswer])[-MOST:] if data else []
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []

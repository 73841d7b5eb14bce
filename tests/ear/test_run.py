"""The ear of a running installation: in the recorder, a process of its own, with its reasons in the journal."""

from pathlib import Path

from engine.errors import PerpetuumError
from engine.events import Commanded, Heard
from engine.journal.reader import Journal
from engine.journal.schema import NAME
from tests.installation.keeper.test_run import running

STUCK = """
perpetuum: 1
title: Stuck
tempo: 240 qpm
key: C
parts:
  tune: {generator: {kind: bass_line, style: held, chords: C}, phrase: 1 bars, instrument: soft_lead}
sections:
  all: {bars: 8 bars, parts: [tune]}
ear: {one_pitch: 5 s, loop: off}
"""


def test_what_is_stuck_is_answered_by_the_mind_and_the_reason_is_in_the_journal(tmp_path):
    with running(tmp_path, "takes.wav", scene=STUCK) as run:
        run.sounds()
        run.until(lambda: any(isinstance(one, Commanded) for one in happened(run.state)), 90)
        reason, command = happened(run.state)[:2]
        assert isinstance(reason, Heard)
        assert isinstance(command, Commanded)
        assert (reason.part, reason.fault, reason.over) == ("tune", "one pitch", False)
        assert reason.figure >= reason.limit
        assert reason.answer == f"{command.command} {command.argument}"
        assert command.command == "Reseed"


def happened(state: Path) -> list[object]:
    """What the ear found, and what was commanded, as the journal has it."""
    try:
        with Journal(state / NAME) as journal:
            return [one.value for one in journal.happenings(kinds=["Heard", "Commanded"])]
    except PerpetuumError:
        return []  # it is just being made

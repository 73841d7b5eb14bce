"""The ear of a running installation: in the recorder, a process of its own, with its reasons in the journal."""

import math
from pathlib import Path
from typing import Any

import pytest

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


QUIET = """
perpetuum: 1
title: Too soft
tempo: 120 qpm
key: C
parts:
  pad: {generator: chord_walk, instrument: warm_pad, level: -30 dB}
sections:
  soft: {bars: 8 bars, parts: [pad]}
  dead: {bars: 12 bars, parts: [pad], move: {pad.level: -80 dB}}
"""

LISTENING = """
ear: {dead_air: 3 s, after: 5 s}
"""


def test_what_is_too_soft_is_lifted_with_its_figures_in_the_journal_and_dead_air_is_left_for_another_section(tmp_path):
    with running(tmp_path, "takes.wav", scene=QUIET, more=LISTENING) as run:
        run.sounds()
        run.until(lambda: any(one.fault == "dead air" for one in kinds(run.state, "Heard")), 180)
        run.until(lambda: any(one.command == "GoToSection" for one in kinds(run.state, "Commanded")), 60)
        trims = [one.decibels for one in kinds(run.state, "SetTrim")]
        assert len(trims) >= 2
        assert trims == sorted(trims)
        assert 0 < trims[0] <= 5 / 60 + 0.01  # a decibel a minute
        reasons = [one for one in kinds(run.state, "Heard") if one.fault == "loudness"]
        assert reasons[0].limit == -20.0
        assert -60 < reasons[0].figure < -21
        assert reasons[0].answer.startswith(f"SetTrim {trims[0]}")
        moved = [one for one in kinds(run.state, "GainMoved") if one.gain == "trim"]
        assert 20 * math.log10(moved[0].target) == pytest.approx(trims[0], abs=0.01)
        [dead] = [one for one in kinds(run.state, "Heard") if one.fault == "dead air" and not one.over][:1]
        assert dead.figure >= dead.limit == 3.0
        assert dead.answer == "GoToSection soft, bar"


def kinds(state: Path, kind: str) -> list[Any]:
    """What happened of a kind, as the journal has it."""
    try:
        with Journal(state / NAME) as journal:
            return [one.value for one in journal.happenings(kinds=[kind])]
    except PerpetuumError:
        return []  # it is just being made


def happened(state: Path) -> list[object]:
    """What the ear found, and what was commanded, as the journal has it."""
    try:
        with Journal(state / NAME) as journal:
            return [one.value for one in journal.happenings(kinds=["Heard", "Commanded"])]
    except PerpetuumError:
        return []  # it is just being made

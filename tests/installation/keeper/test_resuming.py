"""Whether the music goes on where the last keeper's stood, and what plays after starts that came to nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.installation.hours.opening import Opening
from engine.installation.hours.timetable import Timetable
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.folder.starts import MOST, NAME, Starts
from engine.installation.keeper.turns.resuming import SAFE_SCENE, made_safe, resumption
from engine.journal.entries import TurnBegan
from engine.journal.recalled import Recalled
from tests.installation.making import entry, hours, installation, programme

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HERE = installation(programme=programme(entry("drift"), entry("tide")))


def session(of=HERE, moment=NOON):
    found = Timetable(of).intent(moment).session
    assert found is not None
    return found.name


def stood(scene="tide", source="programme", ago=10.0, of=HERE):
    turn = TurnBegan(source, session(of), 3, scene, f"/scenes/{scene}.yaml", 600.0, 7)
    return Recalled(1, NOON.timestamp() - ago, turn, 100.0, turn.file, 7, "{}", 48_000, 4, "all")


def goes_on(recalled, of=HERE, moment=NOON, known=True):
    return resumption(recalled, of, Timetable(of).intent(moment), moment.timestamp(), known, 1000.0)


def test_the_music_goes_on_in_the_turn_that_played_for_as_long_as_it_had():
    found = goes_on(stood())
    assert found is not None
    assert (found.on.turn.scene, found.on.turn.number, found.on.since) == ("tide", 3, 900.0)
    play = found.play("/scenes/tide.yaml", 1, 6)
    assert (play.state, play.frame, play.seed) == (b"{}", 48_000, 7)
    assert found.play("/scenes/other.yaml", 1, 6).state == b""


def test_after_a_long_absence_the_next_turn_begins_and_a_clock_that_knows_no_time_says_nothing_about_it():
    found = goes_on(stood(ago=HERE.journal.resume + 1))
    assert found is not None
    assert found.recalled is None
    assert found.on.since == -math.inf
    unknown = goes_on(stood(ago=HERE.journal.resume + 1), known=False)
    assert unknown is not None
    assert unknown.recalled is not None


@pytest.mark.parametrize("source", ["programme", "fixed hours", "outside the hours"])
@pytest.mark.parametrize("scene", ["safe", "taken out of the file since"])
def test_a_scene_that_the_installation_has_not_is_nothing_to_go_on_with(scene, source):
    """Safe mode's own is such a one."""
    assert goes_on(stood(scene, source)) is None


def test_another_session_a_source_that_nobody_knows_and_no_journal_are_nothing_to_go_on_with():
    by_day = replace(HERE, opening=Opening(week=(hours((10, 18)),) * 7))
    assert goes_on(stood(of=by_day), by_day, datetime(2026, 3, 3, 12, tzinfo=UTC)) is None
    assert goes_on(stood(source="a later version's")) is None
    assert goes_on(None) is None


def test_safe_mode_has_one_scene_of_its_own_in_the_hours_of_the_installation():
    safe = made_safe(HERE)
    assert [one.file for one in safe.programme.scenes.values()] == [SAFE_SCENE]
    assert SAFE_SCENE.exists()
    assert safe.opening == HERE.opening
    assert safe.fallback_bank == 0.0


def test_five_starts_in_a_row_that_come_to_nothing_make_the_next_one_safe_and_one_that_works_ends_that(tmp_path):
    folder = StateFolder(tmp_path)
    for number in range(MOST):
        starts = Starts(folder)
        assert starts.failed == number
        assert starts.reason == ""
        starts.begin()
    starts.fails("no loudspeaker")
    starts = Starts(folder)
    assert starts.reason == "5 starts in a row came to nothing; the last one: no loudspeaker"
    starts.begin()
    assert Starts(folder).failed == MOST + 1  # were it cut off now, too
    starts.succeeds()
    assert Starts(folder).reason == ""


@pytest.mark.parametrize(
    "lies", [b"", b"{", b"[]", b'{"failed": -1}', b'{"failed": "9"}', b'{"failed": true, "why": 3}', b"\xff"]
)
def test_a_count_that_makes_no_sense_is_none(tmp_path, lies):
    (tmp_path / NAME).write_bytes(lies)
    assert Starts(StateFolder(tmp_path)).reason == ""

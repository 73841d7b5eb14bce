"""What the keeper decides, in pretended time: turns, levels, heartbeat, rungs, the last bars."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import BarSealed, SceneTookOver, SteppedDown, SteppedUp
from engine.form.curves import DayCurve
from engine.installation.hours.opening import Hours, Opening
from engine.installation.hours.timetable import Source, Timetable
from engine.installation.installation import (
    AfterRest,
    AtSection,
    Fades,
    Installation,
    Loudness,
    Outside,
    Programme,
    Quiet,
    SceneEntry,
)
from engine.installation.keeper.heartbeat import Heartbeat, Station
from engine.installation.keeper.mind.last_bars import LOOP, LastBars
from engine.installation.keeper.sound.rungs import Rungs
from engine.installation.keeper.turns.direction import Level, OnAir, file_of, level_wanted, turn_wanted
from engine.installation.keeper.turns.succession import Succession
from engine.runtime.performance.commands import ChangeScene, When
from engine.runtime.substitute import Substitute
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat
from engine.sound.messages import NOTE_EVENT, Notes

ALWAYS = Installation(
    path=Path("/i.yaml"),
    title="Test",
    programme=Programme(
        {
            "a": SceneEntry("a", Path("/a.yaml"), 600.0, 600.0),
            "b": SceneEntry("b", Path("/b.yaml"), 300.0, 300.0, transition=AfterRest(2.0, 3.0)),
            "noon": SceneEntry("noon", Path("/noon.yaml"), 60.0, 60.0, hours=(Hours(43200.0, 45000.0),)),
        }
    ),
    state=Path("/state"),
    time_zone="UTC",
)
DAY = (Hours(36000.0, 64800.0),)  # 10:00..18:00
BY_DAY = replace(ALWAYS, opening=Opening(week=(DAY,) * 7), fades=Fades(10.0, 60.0))


def at(hours: float) -> datetime:
    return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hours)


def wanted(installation: Installation, hours: float, on: OnAir | None, now: float) -> OnAir | None:
    return turn_wanted(installation, Timetable(installation).intent(at(hours)), at(hours), on, now)


def test_turns_follow_one_another_by_the_monotonic_clock_and_fixed_hours_come_between():
    first = wanted(BY_DAY, 10.5, None, 1000.0)
    assert first is not None
    assert first.turn.scene == "a"
    assert wanted(BY_DAY, 10.6, first, 1599.0) is first
    second = wanted(BY_DAY, 10.6, first, 1600.0)
    assert second is not None
    assert (second.turn.scene, second.turn.number, second.since) == ("b", 1, 1600.0)
    noon = wanted(BY_DAY, 12.1, second, 1700.0)
    assert noon is not None
    assert (noon.source, noon.turn.scene) == (Source.FIXED, "noon")
    assert file_of(BY_DAY, noon) == Path("/noon.yaml")
    assert wanted(BY_DAY, 12.4, noon, 2500.0) is noon
    back = wanted(BY_DAY, 12.6, noon, 2600.0)
    assert back is not None
    assert back.source is Source.PROGRAMME


def test_nothing_plays_while_it_is_closed_or_the_scene_for_that():
    on = wanted(BY_DAY, 10.5, None, 0.0)
    assert wanted(BY_DAY, 19.0, on, 100.0) is None
    quiet = replace(BY_DAY, outside=Outside("b", Path("/b.yaml")))
    outside = wanted(quiet, 19.0, on, 100.0)
    assert outside is not None
    assert (outside.source, outside.turn.scene) == (Source.OUTSIDE, "b")
    assert wanted(quiet, 20.0, outside, 1000.0) is outside


@given(st.lists(st.tuples(st.floats(-14 * 24, 14 * 24), st.floats(0, 3600)), max_size=12))
def test_however_the_wall_clock_leaps_a_turn_plays_while_it_is_open(leaps):
    """The monotonic clock never goes back; the wall shows what it wants."""
    on, now = None, 0.0
    timetable = Timetable(BY_DAY)
    for hours, seconds in leaps:
        now += seconds
        intent = timetable.intent(at(hours))
        on = turn_wanted(BY_DAY, intent, at(hours), on, now)
        assert (on is not None) is intent.sounds
        if on is not None:
            assert on.since <= now
            assert file_of(BY_DAY, on).suffix == ".yaml"


def test_a_clock_that_leaps_by_days_ends_no_turn_and_midnight_does():
    on = wanted(ALWAYS, 3.0, None, 0.0)
    for hours in (3.0 + 14 * 24, 3.0 - 14 * 24, 3.0, 3.5):
        assert wanted(ALWAYS, hours, on, 10.0) is on
    next_day = wanted(ALWAYS, 24.001, on, 20.0)
    assert next_day is not None
    assert next_day is not on


def test_a_scene_that_is_gone_from_the_file_gives_way_to_the_next_turn():
    on = wanted(ALWAYS, 3.0, None, 0.0)
    assert on is not None
    scenes = {name: entry for name, entry in ALWAYS.programme.scenes.items() if name != on.turn.scene}
    other = wanted(replace(ALWAYS, programme=replace(ALWAYS.programme, scenes=scenes)), 3.0, on, 1.0)
    assert other is not None
    assert other.turn.scene == "b"


def test_levels_follow_the_hours_and_a_hand_and_the_edges_of_the_day():
    loudness = Loudness(DayCurve(((28800.0, -20.0), (72000.0, -26.0))), steepest=3.0)
    installation = replace(BY_DAY, loudness=loudness, quiet=Quiet(level=-12.0))
    timetable = Timetable(installation)

    def level(hours: float, quiet: bool = False) -> Level:
        return level_wanted(installation, timetable.intent(at(hours)), quiet, 30.0)

    assert -6.0 < level(14).decibels < level(11).decibels < 0.0
    assert level(14, quiet=True).decibels == pytest.approx(level(14).decibels - 12.0)
    assert level(18 - 0.5 / 60) == Level(-math.inf, 30.0)
    assert level(10 + 1 / 3600).seconds == 10.0
    assert level(11).seconds == 2.0


def test_staff_move_the_level_as_far_as_the_limit_and_the_ceiling_let_them():
    """At noon only the limit keeps staff; at 22:00 the ceiling does, below which scenes are 5 dB less loud."""
    loudness = Loudness(
        limit=DayCurve(((0.0, -17.0),)), ceiling=DayCurve(((36000.0, -1.0), (64800.0, -1.0), (79200.0, -6.0)))
    )
    installation = replace(ALWAYS, loudness=loudness)
    timetable = Timetable(installation)

    def level(hours: float, volume: float, limit: DayCurve | None = loudness.limit) -> float:
        made = replace(installation, loudness=replace(loudness, limit=limit))
        return level_wanted(made, Timetable(made).intent(at(hours)), False, None, volume).decibels

    assert [level(12, volume) for volume in (-4.0, 0.0, 2.0, 6.0)] == pytest.approx([-4.0, 0.0, 2.0, 3.0])
    assert level(12, 20.0, None) == pytest.approx(6.0)
    assert [level(22, volume) for volume in (-4.0, 0.0, 6.0)] == pytest.approx([-9.0, -5.0, -5.0])
    assert timetable.while_unknown().most == pytest.approx(-25.0)


def test_the_last_scene_fades_out_before_the_next_one_and_nobody_waits_for_ever():
    told: list[ChangeScene] = []
    gains: list[tuple[float, float]] = []
    succession = Succession(told.append, lambda decibels, seconds: gains.append((decibels, seconds)))
    programme = replace(ALWAYS.programme, transition=AtSection(4.0), longest_wait=120.0)
    on = wanted(ALWAYS, 3.0, None, 0.0)
    assert on is not None
    succession.change(replace(ALWAYS, programme=programme), on, "/a.yaml", 100.0)
    assert told == [ChangeScene("/a.yaml", When.SECTION, on.turn.seed)]
    level = Level(-3.0, 1.0)
    succession.look(0, 219.0, level)
    assert len(told) == 1
    succession.look(0, 220.0, level)
    succession.look(0, 500.0, level)
    assert told[1:] == [ChangeScene("/a.yaml", When.BAR, on.turn.seed)]
    succession.hear(SceneTookOver(7, "A"))
    assert succession.waits
    start = 100 * SAMPLE_RATE
    for bar in (6, 7):
        succession.hear(BarSealed(bar, start, start + 96000, 120.0, 0, "a", ()))
    succession.look(start - 5 * SAMPLE_RATE, 501.0, level)
    assert not succession.waits
    assert gains == []
    succession.look(start - 4 * SAMPLE_RATE, 502.0, level)
    succession.look(start - 1 * SAMPLE_RATE, 505.0, level)
    assert gains == [(-math.inf, 4.0)]
    succession.look(start, 506.0, level)
    assert gains[1:] == [(-3.0, 0.3)]


def test_the_heartbeat_stands_still_only_where_something_is_due():
    heartbeat = Heartbeat(patience=10.0)

    def stations(sealed: int, made: int, rests: float | None = None) -> tuple[Station, ...]:
        return Station("sealed", sealed, rests), Station("rendered", made)

    for now in range(0, 4000, 5):  # a rest of an hour: sound is made, nothing else is due before 4000 s
        assert heartbeat.late(stations(9, now, 4000.0), float(now)) == []
    assert heartbeat.late(stations(9, 5000), 4004.0) == []
    assert heartbeat.late(stations(9, 5001), 4006.0) == ["sealed"]
    assert heartbeat.late(stations(10, 5001), 4007.0) == []
    assert heartbeat.late(stations(11, 5001), 4018.0) == ["rendered"]
    for now in range(5000, 9000, 5):  # closed: there are no stations
        assert heartbeat.late((), float(now)) == []
    assert heartbeat.late(stations(11, 5001), 9000.0) == []


def test_each_step_is_told_once():
    rungs = Rungs()
    assert rungs.steps({}, 0) == []
    assert rungs.steps({"output": "gone"}, 3) == [SteppedDown("", 3, "output", "gone")]
    assert rungs.steps({"output": "still gone"}, 4) == []
    assert rungs.steps({"audio": "dead"}, 5) == [SteppedDown("", 5, "audio", "dead"), SteppedUp("", 5, "output")]


def notes(*on: int) -> list[Notes]:
    events = np.zeros(len(on), NOTE_EVENT)
    for place, frame in enumerate(on):
        events[place] = (frame, frame + 100, 60, 80)
    return [Notes("pad", events)] if on else []


@given(
    st.lists(st.integers(1000, 5 * SAMPLE_RATE), min_size=1, max_size=30),
    st.integers(0, 100 * SAMPLE_RATE),
    st.integers(0, 3 * SAMPLE_RATE),
)
def test_bars_and_repetitions_leave_no_gap_and_never_overlap(lengths, away, later):
    bars, frame = LastBars(), 0
    for length in lengths:
        assert bars.seal(frame, frame + length, notes(frame, frame + length // 2))
        frame += length
    assert bars.repeat(frame) == []
    repeated = bars.repeat(frame + away)
    assert bars.until >= frame + away
    on = sorted(int(value) for piece in repeated for value in piece.notes["on"])
    assert all(frame <= value < bars.until for value in on)
    assert len(on) == len(set(on))
    if repeated:
        longest = max(lengths)
        assert np.diff([frame, *on, bars.until]).max() <= longest
        assert not bars.seal(bars.until - 1, bars.until + 10, [])
    start = bars.until + later
    gap = [int(value) for piece in bars.gap_before(start) for value in piece.notes["on"]]
    assert all(bars.until <= value < start for value in gap)
    assert bars.seal(start, start + 10, notes(start))
    assert not bars.repeating


def test_what_is_repeated_is_the_last_bars_of_the_scene_that_plays():
    bars = LastBars()
    for second in range(0, 60, 2):
        bars.seal(second * SAMPLE_RATE, (second + 2) * SAMPLE_RATE, notes(second * SAMPLE_RATE))
    assert len(bars) == LOOP // (2 * SAMPLE_RATE)
    bars.forget(59 * SAMPLE_RATE, {"other"})
    assert bars.until == 59 * SAMPLE_RATE
    assert bars.repeat(90 * SAMPLE_RATE) == []  # its parts are not there any more: a rest


def test_a_substitute_comes_in_and_gives_way_without_a_step():
    format = AudioFormat(2)
    substitute = Substitute(lambda frames: np.full((frames, 2), 0.5, np.float32), format)
    assert not substitute.playing
    alone = np.concatenate([np.frombuffer(substitute.alone(1024), np.float32).reshape(-1, 2) for _ in range(20)])
    assert substitute.playing
    assert abs(alone[0]).max() < 0.01
    assert alone[-1] == pytest.approx(0.5)
    music = np.full((1024, 2), -0.25, np.float32).tobytes()
    mixed = np.concatenate([np.frombuffer(substitute.beneath(music, 0), np.float32).reshape(-1, 2) for _ in range(60)])
    assert mixed[0] == pytest.approx(0.5, abs=0.01)
    assert mixed[-1] == pytest.approx(-0.25)
    assert np.abs(np.diff(np.concatenate([alone, mixed]), axis=0)).max() < 0.01
    assert not substitute.playing
    nothing = Substitute(lambda frames: None, format)
    assert nothing.alone(1024) == b""
    assert not nothing.playing


def test_after_the_bank_the_music_comes_in_at_a_bar_line():
    """Up to it the music is unheard; where the next one is far away, or nobody knows it, it comes in at once."""
    format = AudioFormat(2)
    music = np.full((1024, 2), -0.25, np.float32).tobytes()
    line = 20 * 1024

    def comes_in(bar_line) -> int | None:
        substitute = Substitute(lambda frames: np.full((frames, 2), 0.5, np.float32), format, bar_line)
        for _ in range(10):
            substitute.alone(1024)
        for chunk in range(200):
            mixed = np.frombuffer(substitute.beneath(music, chunk * 1024), np.float32)
            if mixed[-1] < 0.5 - 1e-4:
                return chunk
        return None

    assert comes_in(lambda frame: line if frame <= line else None) == 20
    assert comes_in(lambda frame: None) == comes_in(lambda frame: 60 * SAMPLE_RATE) == 0


def test_the_bar_lines_that_are_known_are_those_of_the_bars():
    bars = LastBars()
    assert bars.line_after(0) is None
    for place in range(4):
        bars.seal(place * 1000, (place + 1) * 1000, [])
    assert [bars.line_after(frame) for frame in (0, 1, 1000, 2999, 3001)] == [0, 1000, 1000, 3000, None]

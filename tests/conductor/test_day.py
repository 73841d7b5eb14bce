"""What follows the time of day, and what a clock that leaps can do to it."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from engine.conductor.clocks import FastClock
from engine.conductor.daytime import CountedDay, WallDay
from engine.form.curves import Curve, DayCurve, DayMove, Move
from engine.score.time import DAY, SAMPLE_RATE
from engine.sound.messages import Control, Ramps
from tests.conductor.stage import Performance, kinds, part, scene, section  # noqa: F401

pytestmark = pytest.mark.usefixtures("kinds")

HOUR = 3600.0
BY_THE_HOUR = DayCurve(tuple((hour * HOUR, float(hour)) for hour in range(24)))
LEVEL = DayCurve(((0.0, -30.0), (12 * HOUR, -6.0)))


class Leaping:
    """A wall clock that shows another time each time it is asked for."""

    def __init__(self, *hours: float) -> None:
        self.hours = list(hours)

    def at(self, frame: int) -> float:
        return (self.hours.pop(0) if len(self.hours) > 1 else self.hours[0]) * HOUR


def following(target="temperature", curve=BY_THE_HOUR, move=()):
    made = scene([part("pad", "rule", phrase_bars=2)], [section("a", "pad", move=move)])
    return replace(made, day=(DayMove("pad", target, None, curve),))


def settings(performance):
    return [request.settings.temperature for request in performance.rules.requests]


def levels(performance):
    messages = [message for message in performance.sent if isinstance(message, Ramps)]
    return [ramp for message in messages for ramp in message.ramps if ramp.control is Control.LEVEL]


def test_a_render_counts_the_hours_on_from_its_start_by_its_own_sound():
    """At 120 qpm two bars are four seconds: 900 phrases are an hour of music, whatever the machine's clock says."""
    played = Performance(following(), clock=FastClock(), day=CountedDay(9 * HOUR)).play(1802)
    assert settings(played)[0] == 9.0
    assert settings(played)[450] == pytest.approx(9.5)
    assert settings(played)[900] == pytest.approx(10.0)
    again = Performance(following(), clock=FastClock(), day=CountedDay(9 * HOUR)).play(1802)
    assert again.notes("pad") == played.notes("pad")


def test_without_another_word_it_is_noon():
    assert settings(Performance(following()).play(2))[0] == 12.0


def test_a_performance_reads_the_wall_clock_when_it_asks_for_a_phrase_and_keeps_what_it_read():
    played = Performance(following(), day=Leaping(7.0)).play(8)
    assert set(settings(played)) == {7.0}
    assert {request.place.time_of_day for request in played.rules.requests} == {7 * HOUR}


def test_a_section_that_moves_the_setting_itself_does_not_follow_the_day():
    move = (Move("pad", "temperature", None, Curve((0.5,))),)
    assert set(settings(Performance(following(move=move), day=CountedDay(9 * HOUR)).play(8))) == {0.5}


def test_nobody_asks_for_the_time_in_a_scene_that_does_not_follow_it():
    class Broken:
        def at(self, frame):
            raise AssertionError("asked")

    plain = replace(following(), day=())
    assert Performance(plain, day=Broken()).play(8).notes("pad") == Performance(plain).play(8).notes("pad")


def test_a_clock_that_leaps_changes_settings_within_the_curve_and_no_note_of_the_time():
    """The clocks go forward and back, and somebody sets the year: every value is one that the curve has."""
    steady = Performance(following(), day=Leaping(1.0)).play(32)
    leaping = Performance(following(), day=Leaping(1.99, 3.0, 2.5, 1.9, 23.999, 0.0, 12.0)).play(32)
    assert [on for on, *_ in leaping.notes("pad")] == [on for on, *_ in steady.notes("pad")]
    assert all(0.0 <= value <= 23.0 for value in settings(leaping))


@pytest.mark.parametrize("time", [-1.0, 0.0, DAY, DAY + 1, 1e12, -1e12])
def test_a_curve_has_a_value_at_any_time(time):
    assert -30.0 <= LEVEL.at(time) <= -6.0


def test_the_nights_on_which_the_clocks_change_are_on_the_curve_like_any_other():
    """After 1:59 comes 3:00 in spring; in autumn the hour from 2 to 3 comes twice."""
    spring = [datetime(2026, 3, 29, 1, 59, second) for second in range(60)] + [datetime(2026, 3, 29, 3, 0, 0)]
    autumn = [datetime(2026, 10, 25, 2, 59, second) for second in range(60)] + [datetime(2026, 10, 25, 2, 0, 0)]
    for readings in (spring, autumn):
        wall = WallDay(iter(readings).__next__)
        times = [wall.at(frame) for frame in range(len(readings))]
        assert times == [one.hour * HOUR + one.minute * 60.0 + one.second for one in readings]
        assert np.abs(np.diff([LEVEL.at(time) for time in times])).max() <= 2.01  # of 24 dB in 12 hours


def test_a_level_follows_the_day_smoothly():
    played = Performance(following("level", LEVEL), clock=FastClock(), day=CountedDay(6 * HOUR)).play(60)
    first, *rest = levels(played)
    assert first.value == pytest.approx(-18.0)
    assert rest[-1].value == pytest.approx(LEVEL.at(6 * HOUR + 120.0))
    assert np.all(np.diff([ramp.value for ramp in rest]) > 0)


def test_where_the_clock_leaps_a_level_takes_a_bar_to_follow():
    played = Performance(following("level", LEVEL), day=Leaping(*[0.0] * 24, 12.0)).play(24)
    up = [ramp for ramp in levels(played)[1:] if ramp.value == -6.0]
    assert len(up) == 1
    assert up[0].end - up[0].start == 2 * SAMPLE_RATE

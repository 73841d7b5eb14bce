"""Curves of the day in a scene file: what is read, what is refused, and where that is said."""

import pytest

from engine.form.curves import DayCurve
from engine.score.time import DAY
from engine.units import parse_time_of_day, written_time_of_day
from tests.scenes.writing import RIGHT, load_text, only_error, pointed_at, right

HOUR = 3600.0
DAY_LINES = """\
day:
  tune.density: {06:00: 10 %, 12:00: 70 %, 22:00: 20 %}
  pad.level: {00:00: off, 9:30: -12 dB}
  tune.humanize.velocity: {18:00: 4}
"""


def with_day(lines=DAY_LINES):
    return RIGHT.replace("parts:\n", f"{lines}\nparts:\n", 1)


def test_settings_of_generators_transforms_and_sound_follow_the_day_in_their_units(tmp_path):
    density, level, velocity = right(tmp_path, with_day()).day
    assert (density.part, density.target, density.transform) == ("tune", "density", None)
    assert [density.curve.at(hour * HOUR) for hour in (6, 12, 22)] == pytest.approx([0.1, 0.7, 0.2])
    assert level.curve.points == ((0.0, -72.0), (9.5 * HOUR, -12.0))
    assert (velocity.target, velocity.transform) == ("velocity", 2)
    assert right(tmp_path, RIGHT).day == ()


def test_a_curve_leads_straight_from_point_to_point_and_over_midnight_to_the_first():
    curve = DayCurve(((6 * HOUR, 1.0), (12 * HOUR, 7.0), (22 * HOUR, 3.0)))
    assert [curve.at(hour * HOUR) for hour in (6, 9, 12, 17, 22)] == pytest.approx([1, 4, 7, 5, 3])
    assert [curve.at(hour * HOUR) for hour in (0, 2, 4)] == pytest.approx([2.5, 2.0, 1.5])
    assert curve.at(0.0) == pytest.approx(curve.at(DAY)) == pytest.approx(curve.at(DAY - 1e-6))
    assert {DayCurve(((6 * HOUR, 5.0),)).at(hour * HOUR) for hour in range(24)} == {5.0}


def test_points_may_stand_in_any_order(tmp_path):
    lines = "day:\n  tune.density: {22:00: 20 %, 6:00: 10 %}\n"
    assert right(tmp_path, with_day(lines)).day[0].curve.points == ((6 * HOUR, 0.1), (22 * HOUR, 0.2))


def test_a_time_of_day_is_read_and_written_to_the_minute():
    assert parse_time_of_day("6:05") == parse_time_of_day(" 06:05 ") == 6 * HOUR + 300
    assert [written_time_of_day(time) for time in (0.0, 6 * HOUR + 359, DAY - 1, DAY)] == [
        *("00:00", "06:05", "23:59", "00:00")
    ]
    for text in ("24:00", "12:60", "noon", "12", "-1:00", "12:00:30", ""):
        with pytest.raises(ValueError, match="no time of day"):
            parse_time_of_day(text)


@pytest.mark.parametrize(
    ("lines", "marked", "message", "help_"),
    [
        ("day: dawn\n", "day", "`day` must be a mapping", "settings and curves"),
        ("day:\n  tune.density: 30 %\n", "tune.density", "needs a curve of the day", "times of day and values"),
        ("day:\n  tune.density: {}\n", "tune.density", "needs a curve of the day", "times of day and values"),
        ("day:\n  tune.density: {25:00: 30 %}\n", "25:00", "`25:00` is no time of day", "midnight is `00:00`"),
        ("day:\n  tune.density: {noon: 30 %}\n", "noon", "`noon` is no time of day", "like `06:00`"),
        ("day:\n  tune.density: {06:00: }\n", "06:00", "`06:00` has no value", "times of day"),
        ("day:\n  tune.density: {6:00: 1 %, 06:00: 9 %}\n", "06:00", "stands here already", "delete one"),
        ("day:\n  tune.density: {6:00: 120 %}\n", "120 %", "out of range", ""),
        ("day:\n  pad.level: {6:00: -12}\n", "-12", "has no unit", "`-14 dB`"),
        ("day:\n  pad.style: {6:00: pulsed}\n", "pulsed", "cannot follow the day", "`move:"),
        ("day:\n  tune.densty: {6:00: 1 %}\n", "densty", "part `tune` has no `densty`", "tune.density"),
        ("day:\n  tun.density: {6:00: 1 %}\n", "tun", "unknown part `tun`", "tune"),
        (
            "day:\n  tune.thin: {6:00: 1 %}\n  tune.thin.share: {6:00: 1 %}\n",
            "tune.thin.share",
            "follows the day already",
            "",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(tmp_path, lines, marked, message, help_):
    error = only_error(tmp_path, with_day(lines))
    assert pointed_at(error) == marked
    assert message in error.message
    assert help_ in f"{error.expected} {error.suggestion} {error.hint}"


def test_an_empty_day_is_none(tmp_path):
    assert load_text(tmp_path, with_day("day:\n"))[0].day == ()

"""What `plan` says of a day."""

import json
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from engine.cli import main
from engine.form.curves import DayCurve
from engine.installation.hours.doubts import doubts
from engine.installation.hours.opening import ExceptionDays, Hours, Opening
from engine.installation.hours.outlook import What, due, outlook, slots, span_words
from engine.installation.hours.timetable import Source, Timetable
from engine.installation.installation import AfterRest, Fades, Loudness, Order, Outside, PlannedRestart, Quiet
from tests.installation.making import SMALL, entry, hours, installation, programme, secrets_are_there

BERLIN = ZoneInfo("Europe/Berlin")
MUSEUM = ((), *[hours((10, 18))] * 6)
TUESDAY = date(2026, 12, 1)


def berlin(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def told(made, day=TUESDAY, zone=BERLIN):
    return [(line.at.strftime("%H:%M"), line.text) for line in outlook(Timetable(made, zone), day).lines]


def test_a_day_is_told_in_order_and_in_words():
    made = installation(
        programme=programme(
            entry("a", 3600.0, 3600.0),
            entry("b", 7200.0, 7200.0),
            entry("noon", hours=(Hours(43200.0, 43500.0),)),
            transition=AfterRest(4.0, 20.0),
        ),
        opening=Opening(MUSEUM),
        fades=Fades(20.0, 120.0),
        outside=Outside("night", installation().path, -18.0),
        quiet=Quiet(hours((13, 14)), level=-10.0, density=0.6),
        restart=PlannedRestart(4.5 * 3600),
    )
    assert told(made) == [
        ("00:00", "closed: night sounds, 18 dB less loud"),
        ("00:00", "loudness -38.0 LUFS, no peak above -1.0 dB"),
        ("04:30", "everything restarts, as planned"),
        ("10:00", "opens, and fades in over 20 s"),
        ("10:00", "a, for 1 h"),
        ("10:00", "loudness -20.0 LUFS, no peak above -1.0 dB"),
        ("11:00", "b, for 1 h, after a rest of 20 s"),
        ("12:00", "noon in its own hours, until 12:05, after a rest of 20 s"),
        ("12:05", "a, for 1 h, after a rest of 20 s"),
        ("13:00", "quiet: 10 dB less loud, 60 % of the notes"),
        ("13:00", "loudness -30.0 LUFS, no peak above -1.0 dB"),
        ("13:05", "b, for 2 h, after a rest of 20 s"),
        ("14:00", "no longer quiet"),
        ("15:00", "loudness -20.0 LUFS, no peak above -1.0 dB"),
        ("15:05", "a, for 1 h, after a rest of 20 s"),
        ("16:05", "b, for 1 h 55 min, after a rest of 20 s"),
        ("18:00", "closes, after fading out over 2 min"),
        ("18:00", "closed: night sounds, 18 dB less loud"),
        ("18:00", "loudness -38.0 LUFS, no peak above -1.0 dB"),
    ]


def test_a_night_over_midnight_goes_on_where_it_was():
    made = installation(programme=programme(entry("a", 5400.0, 5400.0)), opening=Opening((hours((22, 26)), *[()] * 6)))
    assert ("23:30", "a, for 1 h 30 min") in told(made, date(2026, 11, 30))
    assert told(made, TUESDAY)[0] == ("00:00", "a goes on, until 01:00")
    assert outlook(Timetable(made, BERLIN), date(2026, 11, 30)).hours == "open 22:00 to 24:00"


@pytest.mark.parametrize(
    ("opening", "day", "words"),
    [
        (Opening(), TUESDAY, "open all day"),
        (Opening(MUSEUM), TUESDAY, "open 10:00 to 18:00"),
        (Opening(MUSEUM), date(2026, 11, 30), "closed all day; it opens on Tuesday 1 December 2026 at 10:00"),
        (
            Opening(MUSEUM, (ExceptionDays((0, 12, 1), (0, 12, 1), ()),)),
            TUESDAY,
            "closed all day (an exception); it opens on Wednesday 2 December 2026 at 10:00",
        ),
        (Opening(((),) * 7), TUESDAY, "closed all day"),
    ],
)
def test_the_hours_of_a_day_are_said_in_a_sentence(opening, day, words):
    assert outlook(Timetable(installation(opening=opening), BERLIN), day).hours == words


def test_on_a_day_with_an_hour_twice_the_clock_names_its_zone():
    made = installation(opening=Opening((*[()] * 6, (Hours(9000.0, 64800.0),))))
    assert outlook(Timetable(made, BERLIN), date(2026, 10, 25)).hours == "open 02:30 CEST to 18:00 CET"


def test_what_is_due_at_a_moment_is_what_the_plan_says_and_turns_leave_no_gap():
    made = installation(
        programme=programme(
            *(entry(name, 600.0, 2400.0) for name in "abc"),
            entry("noon", hours=(Hours(43200.0, 43500.0),)),
            order=Order.RANDOM,
        ),
        opening=Opening(MUSEUM),
    )
    timetable = Timetable(made, BERLIN)
    session = timetable.session(berlin("2026-12-01T10:00"))
    course = list(slots(timetable, session))
    assert (course[0].start, course[-1].end) == (session.start, session.end)
    assert all(one.end == other.start for one, other in pairwise(course))
    for one in course:
        assert due(timetable, one.start) == due(timetable, one.end - timedelta(seconds=1)) == one
    assert [one.turn.scene for one in course if one.source is Source.FIXED] == ["noon"]
    numbers = [one.turn.number for one in course if one.source is Source.PROGRAMME]
    assert numbers == list(range(len(numbers)))
    assert due(timetable, berlin("2026-12-01T19:00")) is None
    lines = [line for line in outlook(timetable, TUESDAY).lines if line.what is What.SCENE]
    assert [(line.scene, line.seed) for line in lines] == [(one.turn.scene, one.turn.seed) for one in course]


DOUBTS = [
    ({"opening": Opening(((),) * 7)}, "closed for the whole week from 2026-12-01 on: it never opens"),
    (
        {"opening": Opening(MUSEUM, (ExceptionDays((2026, 11, 30), (2026, 12, 30), ()),))},
        "closed for the whole week from 2026-12-01 on: it opens again on Thursday 31 December at 10:00",
    ),
    ({"restart": PlannedRestart(12 * 3600.0)}, "the planned restart at 12:00 is in open hours"),
    ({"opening": Opening(MUSEUM), "restart": PlannedRestart(12 * 3600.0, (0,))}, None),
    (
        {"opening": Opening(MUSEUM), "programme": programme(entry(), entry("night", hours=hours((20, 22))))},
        "night is never heard in this week",
    ),
    ({"opening": Opening(MUSEUM), "quiet": Quiet(hours((19, 20)))}, "the quiet hours lie in closed ones"),
    ({"opening": Opening((hours((10, 10.01)),) * 7)}, "which the fades fill"),
    (
        {"loudness": Loudness(DayCurve(((36000.0, -30.0), (36120.0, -20.0))))},
        "the loudness rises by 10 dB from 10:00 to 10:02, faster than 3 dB a minute: it will take 3 min 20 s",
    ),
    ({"loudness": Loudness(DayCurve(((36000.0, -30.0), (36600.0, -20.0))))}, None),
    ({"quiet": Quiet(hours((13, 14)), density=0.0)}, "in the quiet hours nothing sounds, although it is open"),
    (
        {"programme": programme(entry(), transition=AfterRest(4.0, 300.0))},
        "nothing sounds for 5 min, although it is open",
    ),
    ({}, None),
    ({"opening": Opening(MUSEUM)}, None),
]


@pytest.mark.parametrize(("settings", "sentence"), DOUBTS)
def test_what_is_hardly_meant_is_doubted(settings, sentence):
    found = doubts(Timetable(installation(**settings), BERLIN), TUESDAY)
    if sentence is None:
        assert found == []
    else:
        assert len(found) == 1
        assert sentence in found[0]


def test_hours_that_the_clock_leaps_over_are_doubted_in_their_week():
    made = installation(opening=Opening(((Hours(7800.0, 9000.0), *hours((10, 18))),) * 7))
    assert [one for one in doubts(Timetable(made, BERLIN), date(2026, 3, 27)) if "do not come" in one] == [
        "the hours 02:10..02:30 do not come on 2026-03-29: the clock is put forward over them"
    ]


def test_a_date_that_a_zone_leaves_out_brings_nothing():
    made = installation(time_zone="Pacific/Apia")
    found = outlook(Timetable(made), date(2011, 12, 30))
    assert (found.hours, found.lines) == ("closed all day", ())


def test_lengths_of_time_are_said_as_people_say_them():
    spans = [0, 20, 60, 66, 600, 3599, 3600, 3900, 86400]
    assert [span_words(one) for one in spans] == [
        "0 s", "20 s", "1 min", "1 min 6 s", "10 min", "59 min", "1 h", "1 h 5 min", "24 h"
    ]  # fmt: skip


# The command.

FILE = """perpetuum: 1
title: Foyer
scenes: {small: {length: 30 min}}
time_zone: Europe/Berlin
hours: {every_day: 10:00..12:00}
restart: {at: 11:00}
"""


@pytest.fixture
def plan(tmp_path, capsys, monkeypatch):
    """(exit status, standard output, standard error) of `perpetuum plan`, beside a scene and an installation."""
    monkeypatch.delenv("PERPETUUM_PATH", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "foyer.yaml").write_text(FILE)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["plan", *arguments])
        return (int(end.value.code or 0), *capsys.readouterr())

    return run


def test_plan_says_what_a_day_will_bring_after_its_doubts(plan):
    status, out, err = plan("foyer", "--day", "2026-12-24")
    assert status == 0
    assert out.startswith(
        "Foyer: Thursday 24 December 2026, Europe/Berlin\nOpen 10:00 to 12:00.\n\n00:00  closed: nothing sounds\n"
        "10:00  opens, and fades in over 10 s\n10:00  small, for 30 min\n"
    )
    assert "the planned restart at 11:00 is in open hours" in err


def test_a_title_moves_no_cursor(plan, tmp_path):
    (tmp_path / "foyer.yaml").write_text(FILE.replace("Foyer", r'"\e[2JFoyer"'))
    _, out, _ = plan("foyer")
    assert "\x1b" not in out


def test_plan_of_today_is_that_of_the_zone_of_the_installation(plan, tmp_path):
    (tmp_path / "foyer.yaml").write_text(FILE.replace("Europe/Berlin", "Pacific/Kiritimati"))
    _, out, _ = plan("foyer", "--format", "json")
    assert json.loads(out)["day"] == datetime.now(ZoneInfo("Pacific/Kiritimati")).date().isoformat()


def test_plan_as_json_has_the_moments_and_seeds(plan):
    _, out, _ = plan("foyer", "--day", "2026-12-24", "--format", "json")
    found = json.loads(out)
    assert found["time_zone"] == "Europe/Berlin"
    assert len(found["warnings"]) == 1
    scene = next(line for line in found["lines"] if line["what"] == "scene")
    assert (scene["at"], scene["until"]) == ("2026-12-24T10:00:00+01:00", "2026-12-24T10:30:00+01:00")
    assert isinstance(scene["seed"], int)


def test_the_order_of_lines_is_that_of_time_also_where_an_hour_passes_twice(plan, tmp_path):
    (tmp_path / "foyer.yaml").write_text(FILE.replace("10:00..12:00", "00:00..24:00"))
    _, out, _ = plan("foyer", "--day", "2026-10-25", "--format", "json")
    moments = [datetime.fromisoformat(line["at"]) for line in json.loads(out)["lines"]]
    assert moments == sorted(moments)
    _, out, _ = plan("foyer", "--day", "2026-10-25")
    assert out.count("02:30 CEST  small") == out.count("02:30 CET  small") == 1


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["foyer", "--bars", "8"], 2, "--bars is not for an installation"),
        (["small", "--day", "2026-12-24"], 2, "--day is not for a scene"),
        (["foyer", "--day", "24.12.2026"], 2, "'24.12.2026' is no date; write it like 2026-12-24"),
        (["foyer", "--day", "9999-12-31"], 2, "the year of 9999-12-31 is out of range: 2000 to 2199"),
        (["galery"], 2, "did you mean gallery?"),
        (["small", "--section", "none"], 2, "the scene has no section 'none'"),
    ],
)
def test_what_cannot_be_planned_is_said_in_a_sentence(plan, arguments, status, sentence):
    found, _, err = plan(*arguments)
    assert found == status
    assert sentence in err


def test_plan_of_a_scene_is_what_it_was(plan):
    status, out, _ = plan("small", "--bars", "8", "--seed", "1")
    assert status == 0
    assert out.startswith("Small: 4/4, C major, seed 1")
    assert "all: bars 1-8" in out


@pytest.mark.parametrize("day", ["2000-01-01", "2199-12-31", "2026-03-29", "2028-02-29"])
def test_every_day_can_be_planned_of_the_installation_that_shows_every_setting(plan, day, monkeypatch):
    secrets_are_there(monkeypatch)
    assert plan("every_setting", "--day", day)[0] == 0

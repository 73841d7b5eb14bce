"""Installation files: what they come to, and what is said of those that are wrong."""

import re
from pathlib import Path

import jsonschema
import pytest

from engine import assets
from engine.codec import Codec
from engine.installation.hours.opening import ExceptionDays, Hours
from engine.installation.installation import AfterRest, Installation, Order, Overlap, UnknownTime
from engine.installation.loading import read_installation
from engine.installation.reading.schema import MODELS, installation_schema
from engine.installation.state_place import default_state
from engine.outputs.opening import OutputChoice
from engine.scenes.text.parsing import parse
from engine.scenes.text.problems import Severity
from engine.scenes.text.source import SourceFile
from tests.installation.making import HEAD, LOOKED_INTO, SCENES, SHARED, hours, secrets_are_there
from tests.scenes.writing import RIGHT

SHIPPED = sorted(assets.shipped("installations").glob("*.yaml"))


# What is right.


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_installation_is_valid_for_check_and_for_editors(path, monkeypatch):
    secrets_are_there(monkeypatch)
    found, diagnostics = read_installation(path, instruments=SHARED, scenes=LOOKED_INTO)
    assert isinstance(found, Installation)
    assert diagnostics == []
    tree = parse(SourceFile.read(path)).plain()
    assert list(jsonschema.Draft7Validator(installation_schema()).iter_errors(tree)) == []


def test_shipped_are_one_that_runs_at_once_one_that_shows_everything_and_one_to_be_broken():
    assert [path.stem for path in SHIPPED] == ["chaos", "every_setting", "gallery"]


def test_every_setting_stands_in_the_installation_that_shows_every_setting():
    text = (assets.shipped("installations") / "every_setting.yaml").read_text("utf-8")
    for title, model in MODELS.items():
        for name in model.model_fields:
            assert re.search(rf"\b{name}:", text), f"`{name}` of {title}"


def test_no_setting_shown_has_the_value_that_counts_without_it(monkeypatch):
    secrets_are_there(monkeypatch)
    shown, _ = read_installation(
        assets.shipped("installations") / "every_setting.yaml", instruments=SHARED, scenes=LOOKED_INTO
    )
    plain = Installation(shown.path, "", shown.programme, shown.state)
    same = [name for name in Installation.__dataclass_fields__ if getattr(shown, name) == getattr(plain, name)]
    assert same == ["path", "programme", "state"]


def test_the_least_that_an_installation_says_is_its_scenes(right, tmp_path):
    made = right("")
    assert (made.title, made.opening.week, made.time_zone, made.outside, made.restart) == ("Here", None, "", None, None)
    assert made.programme.scenes["still_water"].file == assets.find("scenes", "still_water").absolute()
    assert (made.programme.order, made.unknown_time) == (Order.FILE, UnknownTime.OPEN)
    assert made.path == tmp_path / "here.yaml"
    assert (str(made.sound.output), [str(one) for one in made.listening.control]) == ("auto", ["127.0.0.1:8470"])


def test_a_scene_may_be_a_name_alone_or_a_file_beside_the_installation(right, tmp_path):
    (tmp_path / "mine.yaml").write_text(RIGHT)
    made = right("", HEAD + "scenes:\n  still_water:\n  mine:\n  other: {file: ./mine.yaml, length: 2 h}\n")
    entries = made.programme.scenes
    assert [entries[name].file for name in ("mine", "other")] == [tmp_path / "mine.yaml"] * 2
    assert (entries["mine"].shortest, entries["other"].longest) == (1800.0, 7200.0)


def test_a_narrower_name_of_days_counts_more(right):
    text = (
        "time_zone: UTC\nhours:\n  every_day: 10:00..18:00\n  weekend: [11:00..13:00, 14:00..24:00]\n  sunday: closed\n"
    )
    week = right(text).opening.week
    assert week == (*[hours((10, 18))] * 5, hours((11, 13), (14, 24)), ())


def test_days_that_are_not_named_are_closed_and_stretches_of_days_go_round(right):
    week = right("time_zone: UTC\nhours: {saturday..monday: 22:00..2:00}\n").opening.week
    night = (Hours(79200.0, 93600.0),)
    assert week == (night, (), (), (), (), night, night)


def test_exceptions_are_in_the_order_in_which_they_count(right):
    text = """exceptions:
  12-20..01-06: closed
  2026-12-28..2026-12-30: 12:00..16:00
  12-31: 20:00..02:00
  2026-12-31: closed
"""
    assert right(text).opening.exceptions == (
        ExceptionDays((2026, 12, 31), (2026, 12, 31), ()),
        ExceptionDays((0, 12, 31), (0, 12, 31), (Hours(72000.0, 93600.0),)),
        ExceptionDays((2026, 12, 28), (2026, 12, 30), hours((12, 16))),
        ExceptionDays((0, 12, 20), (0, 1, 6), ()),
    )


def test_transitions_of_all_kinds(right):
    made = right(
        "transition: {kind: after_rest, rest: 9 s}\n",
        HEAD + "scenes:\n  still_water:\n  evensong: {transition: {kind: overlap, bars: 3 bars}}\n",
    )
    assert made.programme.transition == AfterRest(4.0, 9.0)
    assert made.programme.scenes["evensong"].transition == Overlap(3)


def test_outputs_are_written_as_on_the_command_line_or_as_mappings(right):
    made = right("output: 'device:hw:CARD=PCH,DEV=0'\nfollowers: ['wav:a/', {kind: wav, argument: b/, keep: 2 days}]\n")
    assert (made.sound.output.kind, made.sound.output.argument) == ("device", "hw:CARD=PCH,DEV=0")
    assert right("output: null\n").sound.output == right("output: {kind: null}\n").sound.output == OutputChoice("null")
    assert [(str(one.choice), one.keep) for one in made.sound.followers] == [("wav:a/", None), ("wav:b/", 48.0)]


def test_the_state_lies_where_systemd_says_or_with_the_user_or_where_the_file_says(right, monkeypatch, tmp_path):
    assert right("state: kept\n").state == tmp_path / "kept"
    assert default_state("x") == Path.home() / ".local/state/perpetuum/x"
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert right("").state == Path("/state/perpetuum/here")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/perpetuum:/other")
    assert right("").state == Path("/var/lib/perpetuum")


def test_an_installation_travels_between_processes_and_is_the_same_there(monkeypatch):
    secrets_are_there(monkeypatch)
    made, _ = read_installation(
        assets.shipped("installations") / "every_setting.yaml", instruments=SHARED, scenes=LOOKED_INTO
    )
    assert hash(made.sound) == hash(made.sound)
    codec = Codec(Installation)
    assert codec.decode(codec.encode(made)) == made


# What is wrong: where, and what is said.

WRONG = [
    ("hours: {monday: 10:00..18:00, mondy: 9:00..10:00}\n", (1, 31), "`mondy` is no day", "monday"),
    ("hours: {monday: 10:00-18:00}\n", (1, 17), "`10:00-18:00` are no hours", ""),
    ("hours: {monday: 10:00..25:00}\n", (1, 17), "`25:00` is no time of day of these hours", ""),
    ("hours: {monday: 24:00..10:00}\n", (1, 17), "`24:00` is no time of day of these hours", ""),
    ("hours: {monday: 10:00..10:00}\n", (1, 17), "begins when it ends", ""),
    ("hours: {monday: [10:00..14:00, 13:00..15:00]}\n", (1, 32), "`13:00..15:00` overlaps with `10:00..14:00`", ""),
    ("hours: {monday: 20:00..04:00, tuesday: 03:00..05:00}\n", (1, 1), "the night of monday reaches into tuesday", ""),
    (
        "hours: {monday..friday: 9:00..10:00, weekdays: closed}\n",
        (1, 38),
        "monday is in `weekdays` and in `monday..friday`",
        "",
    ),
    ("hours: {monday: [10:00..11:00, closed]}\n", (1, 32), "`closed` stands for a whole day", ""),
    ("hours: {monday: []}\n", (1, 17), "no hours stand here", ""),
    ("hours: {monday: 600}\n", (1, 17), "these are no hours", ""),
    ("hours: always\n", (1, 1), "`hours` needs days and their hours", ""),
    ("exceptions: {2026-02-30: closed}\n", (1, 14), "there is no day `2026-02-30`", ""),
    ("exceptions: {24.12.: closed}\n", (1, 14), "`24.12.` is no date", ""),
    ("exceptions: {12-24..12-26: closed, 12-26..12-27: closed}\n", (1, 36), "have days in common", ""),
    ("exceptions: {12-30..01-02: closed, 01-01..01-06: closed}\n", (1, 36), "have days in common", ""),
    ("exceptions: {2026-12-26..2026-12-24: closed}\n", (1, 14), "ends before it begins", ""),
    ("exceptions: {2026-12-26..12-27: closed}\n", (1, 14), "one of these dates has a year", ""),
    ("exceptions: {3026-12-26: closed}\n", (1, 14), "is out of range: 2000 to 2199", ""),
    ("time_zone: Europe/Berln\n", (1, 12), "there is no time zone `Europe/Berln`", "Europe/Berlin"),
    ("unknown_time: opn\n", (1, 15), "`unknown_time`: `opn` is none of the choices", "open"),
    ("order: randm\n", (1, 8), "`order`: `randm` is none of the choices", "random"),
    ("outside: {scene: still_watr}\n", (1, 18), "there is no scene `still_watr`", "still_water"),
    ("outside: {scene: still_water, level: 3 dB}\n", (1, 38), "out of range: -60 dB to 0 dB", ""),
    ("output: wav:x.wav\n", (1, 9), "does not keep time, so it can only follow", ""),
    ("output: devce\n", (1, 9), "unknown output `devce`", "device"),
    ("output: {kind: null, to: x}\n", (1, 22), "unknown key `to` in `output`", ""),
    ("output:\n", (1, 1), "`output` names no output", ""),
    ("followers: [auto]\n", (1, 13), "keeps time, and two clocks drift apart", ""),
    ("followers: [wav]\n", (1, 13), "needs a", ""),
    ("followers: [wav:takes]\n", (1, 13), "cannot write takes: it has no ending", ""),
    ("followers: [{kind: wav, argument: x.wav, keep: 3 h}]\n", (1, 13), "`keep` is for recordings into a folder", ""),
    ("followers: wav:x.wav\n", (1, 1), "`followers` must be a list", ""),
    ("loudness: {target: -20 dB}\n", (1, 20), "`dB` is not a unit of a loudness", "-20 LUFS"),
    ("loudness: {target: {8:00: -20 LUFS, 25:00: -3 LUFS}}\n", (1, 37), "`25:00` is no time of day", ""),
    ("loudness: {target: -3 LUFS}\n", (1, 20), "out of range: -60 LUFS to -8 LUFS", ""),
    ("loudness: {ceiling: 3 dB}\n", (1, 21), "out of range: -40 dB to 0 dB", ""),
    ("loudness: {steepest: 0 dB/min}\n", (1, 22), "out of range: 0.1 dB/min to 60 dB/min", ""),
    ("loudness: {target: }\n", (1, 12), "`target`", ""),
    ("loudness: {target: 62 dBA}\n", (1, 20), "nothing says how loud `62 dBA` is in LUFS", ""),
    ("loudness: {target: {8:00: -30 LUFS, 9:00: 62 dBA}}\n", (1, 43), "nothing says how loud `62 dBA` is in LUFS", ""),
    ("loudness: {limit: 62 dB(A)}\n", (1, 19), "`dB(A)` is not a unit of a reading of a meter", "62 dBA"),
    (
        "loudness: {calibration: {reading: 68 dBA, at: -20 LUFS}, target: 85 dBA}\n",
        (1, 66),
        "would be -3.0 LUFS here, out of range",
        "",
    ),
    ("loudness: {calibration: {reading: 68 dBA}}\n", (1, 12), "has no `at`", ""),
    ("loudness: {calibration: {reading: 68, at: -20 LUFS}}\n", (1, 35), "`68` has no unit", ""),
    ("loudness: {ceiling: 60 dBA}\n", (1, 21), "`ceiling` is a peak of the signal, which no meter", ""),
    ("loudness: {low_cut: 10 Hz}\n", (1, 21), "out of range: 20 Hz to 300 Hz", ""),
    ("loudness: {low_cut: {22:00: on}}\n", (1, 29), "`low_cut`", ""),
    ("buttons: {mute: 28}\n", (1, 17), "`mute`", ""),
    ("buttons: {mute: 5, quiet: 5}\n", (1, 27), "GPIO5 is that of `mute` already", ""),
    ("amplifier: {pin: 5}\nbuttons: {mute: 5}\n", (2, 17), "GPIO5 is that of `amplifier` already", ""),
    ("staff: {louder: 7 dB}\n", (1, 17), "`louder`: `7 dB` is out of range", ""),
    ("transition: {kind: overlap, fade: 3 s}\n", (1, 29), "`fade` is not for `overlap`", ""),
    ("transition: {kind: overlp}\n", (1, 20), "is none of the choices", "overlap"),
    ("transition: at_section\n", (1, 13), "`transition` must be a mapping", ""),
    ("restart: {at: 24:00}\n", (1, 15), "`24:00` is no time of day", ""),
    ("restart: {at: 04:30, days: [monday, moonday]}\n", (1, 37), "`moonday` is no day", "monday"),
    ("restart: {}\n", (1, 1), "has no `at`", ""),
    ("state: ~/kept\n", (1, 8), "`~/kept` is no path", ""),
    ("state: /dev/null\n", (1, 8), "`/dev/null` is no folder", ""),
    ("fallback_bank: 1 s\n", (1, 16), "out of range: 5 s to 10 min, or `off`", ""),
    ("alarm: {contact: {pin: 99}}\n", (1, 24), "`pin`: `99` is out of range", ""),
    ("alarm: {contact: {pin: 4, alarm: opened}}\n", (1, 34), "`alarm`: `opened` is none of the choices", "open"),
    ("quiet: {hours: closed}\n", (1, 16), "`closed` stands for a whole day", ""),
    ("quiet: {density: 120 %}\n", (1, 18), "out of range: 0 % to 100 %", ""),
    ("listen: {control: 127.0.0.1}\n", (1, 19), "this is no address", ""),
    ("listen: {control: 'localhost:99999'}\n", (1, 19), "the port 99999 is out of range", ""),
    ("listen: {control: 'gallery:80'}\n", (1, 19), "`gallery` is no numeric address", ""),
    ("listen: {control: ['127.0.0.1:80', 'localhost:80']}\n", (1, 36), "127.0.0.1:80 stands here twice", ""),
    ("listen: {control: '0.0.0.0:80'}\n", (1, 10), "can be reached from other machines, and there is no `token`", ""),
    ("listen: {staff_password: 482913}\n", (1, 10), "`staff_password` must say where the secret lies", ""),
    ("listen: {control: '[::]:80'}\n", (1, 10), "[::]:80 can be reached from other machines", ""),
    ("mixer: {level: 120 %}\n", (1, 16), "out of range: 0 % to 100 %", ""),
    ("mixer: {levl: 80 %}\n", (1, 9), "unknown key `levl`", "level"),
    ("microphone: {device: ''}\n", (1, 22), "`device`", ""),
    ("microphone: front\n", (1, 13), "`microphone`", ""),
    ("ups: {after: 5 s}\n", (1, 1), "nothing says how it is heard", ""),
    ("ups: {pin: 28}\n", (1, 12), "`pin`", ""),
    ("amplifier: {pin: 4}\nups: {pin: 4}\n", (2, 12), "GPIO4 is that of `amplifier` already", ""),
    ("ups: {pin: 4}\nbuttons: {mute: 4}\n", (2, 17), "GPIO4 is that of `ups` already", ""),
    ("ups: {check: 'a \"b'}\n", (1, 7), "`check` is no command", ""),
    ("amplifier: {before: 5 s}\n", (1, 1), "nothing says how it is switched", ""),
    ("amplifier: {pin: 28}\n", (1, 18), "`pin`", ""),
    ("amplifier: {switch_on: /etc/amp on}\n", (1, 13), "there is a `switch_on` and no `switch_off`", ""),
    ("amplifier: {switch_on: 'a \"b', switch_off: a}\n", (1, 13), "`switch_on` is no command", ""),
    ("parts: {}\n", (1, 1), "unknown key `parts`", ""),
    ("hour: {monday: closed}\n", (1, 1), "unknown key `hour`", "hours"),
    ("seed: -1\n", (1, 7), "`seed`: `-1` is out of range", ""),
]


@pytest.mark.parametrize(("text", "place", "message", "meant"), WRONG, ids=[text.strip()[:60] for text, *_ in WRONG])
def test_what_is_wrong_is_said_at_its_place(wrong, text, place, message, meant):
    one, line = wrong(text)
    assert (line, one.column) == place
    assert message in one.message
    assert one.suggestion == meant


def test_loudness_in_dba_is_that_of_a_meter_and_a_low_cut_counts_from_its_hour_on(right):
    """64 dBA are 4 dB below the 68 dBA that a meter showed at -20 LUFS."""
    made = right(
        "loudness:\n  calibration: {reading: 68 dBA, at: -20 LUFS}\n  target: {08:00: 64 dBA, 20:00: -30 LUFS}\n"
        "  limit: 66 dBA\n  low_cut: {22:00: 80 Hz, 08:00: off}\n"
    ).loudness
    assert made.target.points == ((28800.0, -24.0), (72000.0, -30.0))
    assert made.limit is not None
    assert made.limit.points == ((0.0, -22.0),)
    assert [made.low_cut.at(3600.0 * hour) for hour in (0, 7.99, 8, 21.99, 22, 23.99)] == [80.0, 80.0, 0, 0, 80.0, 80.0]


WRONG_SCENES = [
    ("  still_watr:\n", (2, 3), "there is no scene `still_watr`", "still_water"),
    ("  a: {file: still_water, length: 10 s}\n", (2, 34), "out of range: 1 min to 1440 min", ""),
    ("  a: {file: still_water, length: 40..20 min}\n", (2, 34), "is upside down", ""),
    ("  a: {file: still_water, next: b}\n", (2, 32), "unknown scene `b`", ""),
    ("  a: {file: still_water, next: {a: 0}}\n", (2, 26), "all weights are 0", ""),
    ("  a: {file: still_water, next: {a: -1}}\n", (2, 36), "the weight of `a` will not do", ""),
    ("  a: {file: still_water, weight: .inf}\n", (2, 34), "`weight`", ""),
    ("  a: {file: still_water, hours: 12:00..13:00}\n", (1, 1), "every scene has hours of its own", ""),
    ("  a: {file: still_water, days: weekend}\n", (2, 26), "`days` are those of `hours`", ""),
    ("  a: 30 min\n", (2, 6), "scene `a` must be a mapping", ""),
    ("  a: {file: /dev/null}\n", (2, 13), "there is no scene", ""),
    ("  9a: {file: still_water}\n", (2, 3), "cannot be the name of a scene", ""),
    ("  a: {file: still_water, lenght: 3 min}\n", (2, 26), "unknown key `lenght`", "length"),
    (
        "  a: {file: still_water}\n  b: {file: still_water, hours: 12:00..13:00}\n"
        "  c: {file: still_water, hours: 23:00..12:30, days: saturday}\n",
        (4, 26),
        "`c` (23:00..12:30) is due when `b` is (12:00..13:00)",
        "",
    ),
    (
        "  a: {file: still_water, next: b}\n  b: {file: still_water, hours: 12:00..13:00}\n",
        (2, 32),
        "`b` has hours of its own and takes no turns",
        "",
    ),
]


@pytest.mark.parametrize(
    ("text", "place", "message", "meant"), WRONG_SCENES, ids=[one[0].strip()[:60] for one in WRONG_SCENES]
)
def test_what_is_wrong_with_scenes_is_said_at_its_place(wrong, text, place, message, meant):
    one, line = wrong("scenes:\n" + text, HEAD)
    assert (line, one.column) == place
    assert message in one.message
    assert one.suggestion == meant


def test_all_errors_are_told_at_once(read):
    _, found = read("hours: {monday: 9-10}\nseed: x\nstate: ~\nlisten: {control: x}\norder: none\nmono: perhaps\n")
    assert sorted(one.line for one in found if one.severity is Severity.ERROR) == [4, 5, 6, 7, 8, 9]


def test_scenes_that_are_named_are_looked_into_and_their_faults_are_told_at_their_own_place(read, tmp_path):
    (tmp_path / "mine.yaml").write_text(RIGHT.replace("qpm", "bpm"))
    found, diagnostics = read("", HEAD + "scenes: {mine: {}, again: {file: mine}}\n")
    assert found is None
    places = [(one.path.name, one.severity) for one in diagnostics]
    assert places.count(("here.yaml", Severity.ERROR)) == 2
    assert ("mine.yaml", Severity.ERROR) in places
    assert len([one for one in diagnostics if one.path.name == "mine.yaml"]) == len(
        {(one.line, one.column, one.message) for one in diagnostics if one.path.name == "mine.yaml"}
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenes: {a: {file: still_water, next: a}, b: {file: still_water}}\n", "scene `b` is never reached"),
        (
            "order: random\nscenes: {a: {file: still_water}, b: {file: still_water, weight: 0}}\n",
            "scene `b` is never reached",
        ),
        ("scenes: {a: {file: still_water}, b: {file: still_water, next: b}}\n", "nothing but `b` follows `b`"),
        (SCENES + "time_zone: UTC\nhours: {every_day: closed}\n", "it is closed all week"),
        (SCENES + "hours: {every_day: 10:00..12:00}\n", "follow the time zone of whatever machine"),
        (SCENES + "listen: {token: {env: NO_SUCH_VARIABLE}}\n", "the secret in $NO_SUCH_VARIABLE is not set"),
        (SCENES + "listen: {staff_password: {env: NO_SUCH_VARIABLE}}\n", "is not set; without it it opens nothing"),
        (SCENES + "listen: {staff_password: {env: LANG}}\n", "the password of staff in $LANG is shorter than 6"),
    ],
)
def test_what_plays_but_is_hardly_meant_is_a_warning(read, text, message, monkeypatch):
    monkeypatch.setenv("LANG", "12345")
    found, diagnostics = read(text, HEAD)
    assert isinstance(found, Installation)
    assert [one.severity for one in diagnostics] == [Severity.WARNING]
    assert message in diagnostics[0].message

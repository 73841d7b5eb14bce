"""A power cut: what a UPS says at mock pins or by a command, and the shutdown while there still is power."""

import sys

import pytest

from engine.events.proof import MainsFound
from engine.health.checks import checks
from engine.installation.choices.ups import UpsChoice
from engine.installation.keeper.power.mains import FAILED, RETRY, MainsWatch, UpsCommand
from engine.installation.keeper.snapshots import MusicWatch
from tests.health.making import SOUND, after
from tests.health.prometheus import wait_until


@pytest.fixture
def down(tmp_path):
    """A command that shuts down, as long as it may: it leaves a file."""
    script = tmp_path / "down"
    script.write_text('#!/bin/sh\n[ -e "$1/forbidden" ] && { echo "not allowed" >&2; exit 1; }\ntouch "$1/is-down"\n')
    script.chmod(0o755)
    return str(script), str(tmp_path)


def drive(pin, on_battery, high):
    pin.drive_high() if on_battery is high else pin.drive_low()


@pytest.mark.parametrize("high", [True, False])
def test_a_cut_is_told_one_that_ends_in_time_shuts_nothing_down_and_a_long_one_does(pins, tmp_path, down, high):
    told = []
    mains = MainsWatch(told.append)
    mains.take(UpsChoice(4, high, shutdown=down, after=60.0))
    mains.look(0.0)
    assert told == []  # the pull is towards mains: a wire that is off says nothing
    pin = pins.pin(4)
    drive(pin, True, high)
    mains.look(100.0)
    mains.look(159.0)
    assert told == [MainsFound(FAILED, 60.0)]
    drive(pin, False, high)
    mains.look(159.5)
    mains.look(500.0)
    assert told.pop() == MainsFound("", 0.0)
    drive(pin, True, high)
    mains.look(600.0)
    mains.look(661.0)
    assert wait_until(lambda: mains.going, 30)
    assert (tmp_path / "is-down").exists()
    drive(pin, False, high)
    mains.look(662.0)
    assert told[1:] == [MainsFound(FAILED, 60.0)]  # it goes down; that there is power again is no news any more
    mains.close()


def test_a_shutdown_that_fails_is_said_and_tried_again_and_the_music_plays_on(pins, tmp_path, down, caplog):
    (tmp_path / "forbidden").touch()
    mains = MainsWatch(lambda event: None)
    mains.take(UpsChoice(4, shutdown=down, after=0.0))
    pins.pin(4).drive_low()
    mains.look(0.0)
    assert wait_until(lambda: "not allowed" in caplog.text, 30)
    assert not mains.going
    (tmp_path / "forbidden").unlink()
    assert wait_until(lambda: mains._shutting is None, 30)
    mains.look(RETRY - 1)
    assert not (tmp_path / "is-down").exists()
    mains.look(RETRY)
    assert wait_until(lambda: mains.going, 30)
    mains.close()


def test_a_command_that_says_neither_yes_nor_no_changes_nothing_and_is_said_once(tmp_path, caplog):
    answer = tmp_path / "answer"

    def says(script):
        # Whole, or sh would find an empty file, which says that there is power.
        (tmp_path / "new").write_text(script)
        (tmp_path / "new").replace(answer)

    says("exit 0")
    ups = UpsCommand(("sh", str(answer)), 0.01)
    assert wait_until(lambda: ups.on_battery is False, 30)
    says("exit 1")
    assert wait_until(lambda: ups.on_battery is True, 30)
    says("echo the ups is gone >&2; exit 3")
    assert wait_until(lambda: "the ups is gone" in caplog.text, 30)
    assert ups.on_battery is True
    ups.close()
    assert caplog.text.count("does not say whether there is power") == 1


def test_without_pins_or_a_ups_nothing_is_known_and_nothing_happens(monkeypatch, caplog):
    told = []
    mains = MainsWatch(told.append)
    mains.look(0.0)
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    mains.take(UpsChoice(4, shutdown=("false",), after=0.0))
    mains.look(10.0)
    assert "GPIO4 of `ups` cannot be read" in caplog.text
    assert (told, mains.going) == ([], False)


def test_a_ups_that_the_file_names_no_more_has_nothing_to_complain_of(pins):
    told = []
    mains = MainsWatch(told.append)
    mains.take(UpsChoice(4))  # without a `shutdown` it is only told
    pins.pin(4).drive_low()
    mains.look(0.0)
    mains.look(1000.0)
    mains.take(None)
    assert told == [MainsFound(FAILED, 0.0), MainsFound("", 0.0)]


def test_who_watches_is_told():
    music = MusicWatch()
    music.hear(MainsFound(FAILED, 60.0))
    now = after(SOUND, 0, mains=music.mains)
    assert [one.name for one in checks(now, now.monotonic) if not one.ok] == ["mains"]
    music.hear(MainsFound("", 0.0))
    assert music.mains == ""

"""What the keeper remembers, what hands want, and who may ask: real files, sockets and locks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from engine.errors import PerpetuumError
from engine.installation.choices.access import AlarmContact
from engine.installation.choices.staff import StaffChoice
from engine.installation.hours.opening import Opening
from engine.installation.hours.timetable import Timetable
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.hands.contact import watch_contact
from engine.installation.keeper.hands.control import ControlSocket, ask
from engine.installation.keeper.hands.hands import Ask, Hands
from engine.installation.keeper.hands.volume import StaffVolume
from engine.installation.keeper.notify import Notifier
from tests.installation.making import hours, installation


def test_the_second_keeper_of_a_folder_is_refused_with_a_sentence(tmp_path):
    first, second = StateFolder(tmp_path / "deep" / "state"), StateFolder(tmp_path / "deep" / "state")
    first.lock()
    with pytest.raises(PerpetuumError, match=f"is running already: process {os.getpid()}"):
        second.lock()
    first.close()
    second.lock()
    second.close()


def test_a_folder_that_cannot_be_used_costs_memory_and_no_sound(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    folder = StateFolder(tmp_path / "file" / "state")
    folder.lock()
    assert not folder.write("alarm", b"x")
    assert folder.read("alarm") is None
    assert "cannot be used" in caplog.text
    with ControlSocket(folder.path, str):
        pass
    assert "there is no control socket" in caplog.text


@pytest.mark.parametrize("hostile", ["fifo", "folder", "link"])
def test_what_lies_in_place_of_a_file_holds_nobody(tmp_path, hostile):
    folder = StateFolder(tmp_path)
    place = tmp_path / "position"
    if hostile == "fifo":
        os.mkfifo(place)
    elif hostile == "folder":
        place.mkdir()
    else:
        place.symlink_to("/dev/zero")
    folder.lock()
    assert folder.read("position") in (None, b"")
    assert folder.write("position", b"x") is (hostile != "folder")


def at_once(action):
    action()


def noting(acted):
    return lambda ask, value: acted.append(ask)


def test_the_alarm_stays_until_it_is_released_whatever_ends_meanwhile(tmp_path):
    folder, acted = StateFolder(tmp_path), []
    hands = Hands(folder, noting(acted), at_once)
    hands.ask(Ask.ALARM, "control")
    hands.ask(Ask.MUTE, "control")
    assert acted == [Ask.ALARM, Ask.MUTE]
    again = Hands(folder, noting(acted), at_once)
    assert again.alarm
    assert not again.muted
    again.contact_is(False)
    assert again.alarm  # somebody else raised it
    again.ask(Ask.RELEASE, "control")
    assert not again.alarm
    assert not Hands(folder, noting(acted), at_once).alarm


def test_nobody_releases_the_alarm_while_the_contact_raises_it(tmp_path):
    acted: list[Ask] = []
    hands = Hands(StateFolder(tmp_path), noting(acted), at_once)
    hands.contact_is(True)
    hands.ask(Ask.RELEASE, "control")
    assert hands.alarm
    again = Hands(StateFolder(tmp_path), noting(acted), at_once)
    assert again.alarm
    again.contact_is(False)
    assert not again.alarm
    assert acted[-1] is Ask.RELEASE


def test_the_volume_of_staff_outlives_a_restart_has_its_ends_and_the_next_opening_begins_without_it(tmp_path):
    folder, acted, choice = StateFolder(tmp_path), [], StaffChoice(2.0, 4.0, 5.0)
    timetable = Timetable(installation(opening=Opening((hours((10, 18)),) * 7)))
    hands = Hands(folder, noting(acted), at_once, staff=lambda: choice)
    moment = datetime(2026, 12, 1, 11, tzinfo=UTC)
    hands.volume.look(moment, timetable)
    for _ in range(3):
        hands.ask(Ask.LOUDER, "button")
    assert hands.volume.decibels == 4.0
    for _ in range(5):
        hands.ask(Ask.SOFTER, "button")
    assert (hands.volume.decibels, acted[-1]) == (-5.0, Ask.SOFTER)
    hands.volume.look(moment, timetable)
    again = Hands(folder, noting(acted), at_once, staff=lambda: choice)
    for later, still in ((moment.replace(hour=17), -5.0), (datetime(2026, 12, 2, 9, 59, tzinfo=UTC), -5.0)):
        again.volume.look(later, timetable)
        assert again.volume.decibels == still
    again.volume.look(datetime(2026, 12, 2, 10, tzinfo=UTC), timetable)
    assert again.volume.decibels == 0.0
    assert Hands(folder, noting(acted), at_once).volume.decibels == 0.0
    assert not (tmp_path / "volume").exists()


def test_where_it_never_closes_the_volume_returns_at_midnight_and_at_once_when_it_is_set_to_0(tmp_path):
    timetable, folder = Timetable(installation()), StateFolder(tmp_path)
    hands = Hands(folder, lambda ask, value: None, at_once)
    hands.ask(Ask.SOFTER, "http")
    for hour, still in ((1, -2.0), (23, -2.0)):
        hands.volume.look(datetime(2026, 12, 1, hour, tzinfo=UTC), timetable)
        assert hands.volume.decibels == still
    hands.volume.look(datetime(2026, 12, 2, tzinfo=UTC), timetable)
    assert hands.volume.decibels == 0.0
    hands.ask(Ask.SOFTER, "http")
    hands.ask(Ask.VOLUME, "http", "0")
    assert hands.volume.decibels == 0.0
    assert not (tmp_path / "volume").exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b'{"decibels": "4"}',
        b'{"decibels": 400}',
        b'{"decibels": NaN}',
        b"\xff\x00",
        b"null",
        b"[" * 100_000,
        b'{"decibels": 1, "until": 1' + b"0" * 400 + b"}",
    ],
)
def test_a_volume_that_was_spoilt_on_the_disk_is_none(tmp_path, data):
    (tmp_path / "volume").write_bytes(data)
    assert StaffVolume(StateFolder(tmp_path), at_once).decibels == 0.0


class Pin:
    """What gpiozero's `DigitalInputDevice` is to us."""

    made: ClassVar[list[Pin]] = []

    def __init__(self, pin: int, pull_up: bool) -> None:
        self.pin, self.is_active = pin, True
        self.when_activated = self.when_deactivated = None
        Pin.made.append(self)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("closed_means_alarm", [False, True])
def test_a_contact_is_read_at_once_and_whenever_it_changes(monkeypatch, closed_means_alarm):
    module = type(sys)("gpiozero")
    module.DigitalInputDevice = Pin
    monkeypatch.setitem(sys.modules, "gpiozero", module)
    told: list[bool] = []
    watch_contact(AlarmContact(17, closed_means_alarm), told.append)
    pin = Pin.made[-1]
    assert (pin.pin, told) == (17, [closed_means_alarm])
    pin.is_active = False
    pin.when_deactivated()
    assert told[-1] is not closed_means_alarm


def test_a_contact_that_cannot_be_read_is_told_with_a_remedy(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    watch_contact(AlarmContact(17), lambda alarm: None)()
    assert "GPIO17 cannot be read" in caplog.text
    assert "pip install gpiozero" in caplog.text


def test_a_line_in_a_line_out_and_nobody_holds_the_control(tmp_path):
    deep = tmp_path / ("long" * 40)  # longer than a socket's name may be
    deep.mkdir()

    def answer(line: str) -> str:
        if line == "bad":
            raise PerpetuumError("that is bad", "say good")
        return line.upper()

    with ControlSocket(deep, answer):
        assert ask(deep, "mute") == "MUTE"
        with pytest.raises(PerpetuumError, match="that is bad"):
            ask(deep, "bad")
        assert (deep / "control").stat().st_mode & 0o777 == 0o600
        silent = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(deep)
        try:
            silent.connect("control")
        finally:
            os.chdir(here)
        assert ask(deep, "x" * 10_000)  # one that says nothing is left after a second, one that never ends is cut
        silent.close()
    with pytest.raises(PerpetuumError, match="no installation runs"):
        ask(deep, "status")


def test_the_service_manager_hears_us_and_one_that_is_gone_costs_nothing(tmp_path):
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(place))
        notifier = Notifier({"NOTIFY_SOCKET": str(place), "WATCHDOG_USEC": "30000000"})
        assert notifier.watchdog == 30.0
        notifier.tell("READY=1", "STATUS=all is well")
        assert manager.recv(1000) == b"READY=1\nSTATUS=all is well"
    place.unlink()
    notifier.tell("WATCHDOG=1")
    Notifier({}).tell("WATCHDOG=1")
    assert Notifier({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}).watchdog is None


def test_the_keeper_imports_nothing_that_could_take_it_down():
    heavy = ("pydantic", "ruamel", "tensorflow", "pyo", "pyo64", "click", "soundfile", "scipy", "engine.scenes")
    code = f"import sys, engine.installation.keeper.process\nprint(*(m for m in {heavy!r} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


UNIT = Path(__file__).parents[3] / "deploy" / "systemd" / "perpetuum@.service"


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("systemd-analyze is not installed here: apt install systemd")


def test_systemd_takes_the_unit_and_finds_it_hardened(tmp_path):
    unit = tmp_path / "perpetuum@museum.service"
    unit.write_text(UNIT.read_text().replace("/opt/perpetuum/bin/perpetuum", "/bin/true"))
    verified = systemd_analyze("verify", str(unit))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    judged = systemd_analyze("security", "--offline=true", "--threshold=30", str(unit))
    assert judged.returncode == 0, judged.stdout[-500:]


def test_the_unit_says_what_an_installation_needs():
    lines = UNIT.read_text().splitlines()
    for wanted in (
        "Type=notify",
        "Restart=always",
        "StartLimitIntervalSec=0",
        "OOMPolicy=continue",
        "KillMode=mixed",
        "NoNewPrivileges=yes",
        "PrivateTmp=yes",
        "ProtectSystem=strict",
        "StateDirectory=perpetuum/%i",
    ):
        assert wanted in lines

"""What a service manager hears of an installation, hour by hour in pretended time; its socket is real."""

from __future__ import annotations

import itertools
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.installation.hours.opening import Opening
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.hands.hands import Ask
from engine.installation.keeper.keeper import Keeper
from engine.installation.keeper.notify import Notifier
from engine.installation.keeper.recording.recording import RecorderPlace
from engine.installation.keeper.sound.performance import StationFrames
from engine.installation.keeper.telling import Telling
from engine.score.time import SAMPLE_RATE
from tests.installation.making import hours, installation

WATCHDOG = 8.0
"""Seconds without a sign after which the manager would restart it."""


@dataclass
class Sound:
    """A performance that is as far as it is told."""

    sealed: float = 6.0
    made: float = 2.7
    taken: float = 0.1
    substituted: bool = False

    @property
    def standing(self) -> StationFrames:
        frames = [round(seconds * SAMPLE_RATE) for seconds in (self.sealed, self.made, self.taken)]
        return StationFrames(frames[0], frames[1], frames[2], repeating=False)

    def __getattr__(self, name: str) -> Any:
        return {"mind": SimpleNamespace(begun=True, pid=1), "audio": SimpleNamespace(pid=2, spare_pid=3)}.get(name)

    def act(self, command: object) -> None:
        pass


class Service:
    """A keeper under a service manager, in pretended time."""

    def __init__(self, folder: Path, opening: Opening | None = None) -> None:
        self.now = 1000.0
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        place = folder / "notify"
        self.manager.bind(str(place))
        self.manager.setblocking(False)
        made = installation(state=folder, **({"opening": opening} if opening else {}))
        self.recording = RecorderPlace(command=["true"])  # nobody keeps the journal
        self.keeper = Keeper(made, StateFolder(folder), self.recording, clock=lambda: self.now, wall=self.wall)
        environment = {"NOTIFY_SOCKET": str(place), "WATCHDOG_USEC": str(round(WATCHDOG * 1e6))}
        self.telling = Telling(self.keeper, Notifier(environment))
        self.signs: list[float] = []
        self.status = ""

    def wall(self) -> datetime:
        return datetime(2026, 3, 2, 3, tzinfo=UTC) + timedelta(seconds=self.now - 1000)

    def wait(self, seconds: float, step: float = 0.5, each: Any = None) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now += step
            if each is not None:
                each()
            self.telling.look(self.now)
            with suppress(BlockingIOError):
                while True:
                    told = self.manager.recv(4096).decode().splitlines()
                    self.status = next((line for line in told if line.startswith("STATUS=")), self.status)
                    if "WATCHDOG=1" in told:
                        self.signs.append(self.now)

    @property
    def restarts(self) -> bool:
        """Whether the manager would have restarted it."""
        moments = [1000.0, *self.signs, self.now]
        return any(later - earlier > WATCHDOG for earlier, later in itertools.pairwise(moments))

    def plays(self, sound: Sound) -> Any:
        self.keeper.performance = sound  # type: ignore[assignment]

        def pass_on() -> None:
            sound.taken += 0.5
            sound.made = sound.taken + 2.7
            sound.sealed = max(sound.sealed, sound.made + 6.0)

        return pass_on


@pytest.fixture
def closed(tmp_path):
    service = Service(tmp_path, Opening(week=(hours((10, 18)),) * 7))
    yield service
    service.recording.close()


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.recording.close()


def test_an_hour_in_which_it_is_closed_restarts_nothing(closed):
    closed.wait(3600.0, step=1.0)
    assert not closed.restarts
    assert closed.status == "STATUS=Here: closed"


def test_an_alarm_of_ten_minutes_restarts_nothing(service):
    """Time goes on unheard, so that sound is taken all the while."""
    each = service.plays(Sound())
    service.wait(20.0, each=each)
    service.keeper.hands.ask(Ask.ALARM, "test")
    service.wait(600.0, each=each)
    assert not service.restarts
    assert service.status == "STATUS=Here: silent, because the alarm is on"


def test_a_rest_of_a_minute_restarts_nothing(service):
    """It is sealed at once; then nobody seals anything before the next scene is near."""
    sound = Sound()
    each = service.plays(sound)
    service.wait(20.0, each=each)
    sound.sealed += 60.0
    service.wait(70.0, each=each)
    assert not service.restarts


@pytest.mark.parametrize("station", ["sealed", "rendered", "taken"])
def test_a_station_at_which_something_is_due_and_nothing_comes_ends_the_signs_of_life(service, station):
    sound = Sound()
    each = service.plays(sound)
    service.wait(20.0, each=each)
    assert not service.restarts

    def stuck() -> None:
        if station != "taken":
            sound.taken += 0.5
        if station == "sealed":
            sound.made = sound.taken + 2.7

    service.wait(40.0, each=stuck)
    assert service.restarts
    assert f"nothing is {station}" in service.status or station == "taken"

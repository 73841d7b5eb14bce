"""`perpetuum run` as a gallery has it: real processes, real audio process; a recording is what was heard."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.errors import PerpetuumError
from engine.installation.keeper.hands.control import ask

SCENE = """
perpetuum: 1
title: Drone
tempo: 120 qpm
key: C
parts:
  pad: {generator: chord_walk, instrument: warm_pad, level: -6 dB}
sections:
  all: {bars: 8 bars, parts: [pad]}
"""

INSTALLATION = """
perpetuum: 1
title: Test
scenes: {drone: {file: scene.yaml, length: 20 min}}
output: {kind: "null"}
followers: [{kind: wav, argument: TAKES}]
state: STATE
fallback_bank: 0 s
listen: {control: ["127.0.0.1:PORT"], STAFFhealth: []}
"""


class Run:
    """A `perpetuum run`, and a stand-in for systemd's socket.

    Args:
        folder: for all of it.
        takes: name of the recording of what was heard.
        broken: whether its file is.
        scene: that it plays.
        more: of its file.
        within: command that runs it, such as one that enters a namespace.
        token: file of the one that commands over HTTP must carry; empty: none is asked for.
    """

    def __init__(
        self,
        folder: Path,
        takes: str,
        broken: bool = False,
        scene: str = SCENE,
        more: str = "",
        within: Sequence[str] = (),
        token: str = "",
    ) -> None:
        self.state = folder / "state"
        self.takes = folder / takes
        self.file = folder / "installation.yaml"
        (folder / "scene.yaml").write_text(scene)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        text = (INSTALLATION + more).replace("STATE", str(self.state)).replace("TAKES", str(self.takes))
        text = text.replace("PORT", str(self.port))
        text = text.replace("STAFF", f"token: {{file: {token}}}, " if token else "")
        self.good = text
        self.file.write_text(text[: len(text) // 2] + "{" if broken else text)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        place = folder / f"{takes}.notify"
        self.manager.bind(str(place))
        self.manager.settimeout(0.05)
        self.told: list[str] = []
        self.log = (folder / f"{takes}.log").open("w+")
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": str(place),
            "WATCHDOG_USEC": "8000000",
            "XDG_STATE_HOME": str(folder / "states"),
        }
        command = [*within, sys.executable, "-P", "-m", "engine", "run", str(self.file)]
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)

    def hear(self) -> list[str]:
        with suppress(TimeoutError):
            while True:
                self.told += self.manager.recv(4096).decode().splitlines()
        return self.told

    @property
    def status(self) -> dict:
        try:
            return json.loads(ask(self.state, "status"))
        except PerpetuumError:
            return {}

    def until(self, condition, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.05)

    def sounds(self) -> None:
        self.until(lambda: self.status.get("taken", 0) > 0)

    def children(self) -> list[int]:
        """Process ids of all that it has started, grandchildren too."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            for file in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):
                    waiting += [int(one) for one in file.read_text().split()]
            found.append(pid)
        return found[1:]

    @property
    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def heard(self) -> np.ndarray:
        """RMS of each 10 ms of the recording."""
        sound, rate = soundfile.read(self.takes, dtype="float32")
        assert rate == 48_000
        blocks = sound[: len(sound) // 480 * 480].reshape(-1, 480 * 2)
        return np.sqrt((blocks**2).mean(axis=1))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.manager.close()
        self.log.close()


@contextmanager
def running(folder: Path, takes: str, broken: bool = False, scene: str = SCENE, more: str = "") -> Iterator[Run]:
    run = Run(folder, takes, broken, scene, more)
    try:
        yield run
    finally:
        run.close()


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("gallery")


def test_an_installation_plays_on_whatever_is_killed_and_stops_softly(folder):
    with running(folder, "first.wav") as run:
        run.sounds()
        assert "READY=1" in run.hear()
        refused = subprocess.run(
            [sys.executable, "-P", "-m", "engine", "run", str(run.file)], capture_output=True, text=True, check=False
        )
        assert refused.returncode == 2
        assert "is running already" in refused.stderr
        processes = run.status["processes"]
        os.kill(processes["mind"], signal.SIGKILL)
        os.kill(processes["audio"], signal.SIGKILL)
        run.until(lambda: None not in run.status["processes"].values())
        run.file.write_text("perpetuum: 1\nscenes: {")  # saved broken
        run.process.send_signal(signal.SIGHUP)
        run.until(lambda: "is broken; nothing changes" in run.said)
        run.process.send_signal(signal.SIGUSR1)
        run.until(lambda: "Current thread" in run.said)
        run.until(lambda: run.status["processes"]["mind"] is not None)
        stopped = run.status["processes"]["mind"]
        os.kill(stopped, signal.SIGSTOP)
        run.until(lambda: run.status["processes"]["mind"] not in (stopped, None))
        run.until(lambda: run.hear().count("WATCHDOG=1") >= 4)
        children = run.children()
        assert len(children) >= 3
        began = time.monotonic()
        run.process.terminate()
        assert run.process.wait(10) == 0
        assert time.monotonic() - began < 5.0
        assert run.hear()[-2:] == ["STOPPING=1", "STATUS=fading out"]
        assert gone(children)
        level = run.heard()
        assert level[30:-200].min() > 0.003  # never silent
        assert level[-3:].max() < 0.003  # faded out
        assert "Traceback" not in run.said


def test_the_alarm_is_heard_at_once_and_outlives_the_keeper(folder):
    with running(folder, "second.wav") as run:
        run.sounds()
        assert "the music goes on where it stood" in run.said  # where the first test left it
        time.sleep(1.0)
        run.process.send_signal(signal.SIGUSR2)
        run.until(lambda: run.status["alarm"] and (run.state / "alarm").exists())
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait()
    with running(folder, "third.wav") as run:
        run.until(lambda: run.status.get("taken", 0) > 48_000)
        assert run.status["alarm"]
        run.until(lambda: "WATCHDOG=1" in run.hear())  # silence that is intended
        assert "because the alarm is on" in ask(run.state, "status")
        ask(run.state, "release")
        released = run.status["taken"] // 480
        run.until(lambda: run.status["taken"] > (released + 200) * 480)
        for child in run.children():
            os.kill(child, signal.SIGSTOP)
        request = urllib.request.Request(f"http://127.0.0.1:{run.port}/alarm", method="POST")
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert "because the alarm is on" in json.load(answer)["sentence"]
        silenced = run.status["taken"] // 480
        run.until(lambda: run.status["taken"] > (silenced + 50) * 480)
        run.process.terminate()
        assert run.process.wait(10) == 0
        level = run.heard()
        assert level[: released - 5].max() == 0.0  # from the first sample on
        assert level[released + 120 : silenced - 10].min() > 0.003
        assert level[silenced + 10 :].max() == 0.0  # within 100 ms


def test_a_file_that_is_broken_at_the_start_plays_as_it_was_when_it_was_good(folder):
    with running(folder, "fourth.wav", broken=True) as run:
        run.sounds()
        assert "it plays as it was when it could be played last" in run.said
        assert "installation.yaml:6:" in run.said, "and what is wrong with it"
        assert run.status["scene"] == "drone"
        # The mains fail: the machine is shut down, and the music fades out before it is.
        mains, down = folder / "mains", folder / "down"
        mains.touch()
        ups = f"ups: {{check: test -e {mains}, after: 0 s, shutdown: touch {down}}}\n"
        run.file.write_text(run.good + ups)
        run.process.send_signal(signal.SIGHUP)  # it is recorded elsewhere from now on
        ask(run.state, "release")  # the alarm, which the test before it left
        growing = run.takes.with_name(f"{run.takes.name}.part")
        run.until(lambda: growing.exists() and growing.stat().st_size > 1_500_000)
        mains.unlink()
        assert run.process.wait(60) == 0
        assert down.exists()
        level = run.heard()
        assert level[-3:].max() < 0.003  # faded out ...
        # ... bit by bit, over a second and a half.
        assert level[-400:-200].max() > level[-75:-50].max() > level[-30:-10].max()
        assert level[-75:-50].max() > 0.003
        assert "on battery for" in run.said
        assert "Traceback" not in run.said


def test_after_five_starts_that_came_to_nothing_it_plays_something_safe_until_the_file_is_read_again(folder):
    """It goes by what the starts before it left."""
    state = folder / "state"
    state.mkdir(exist_ok=True)
    (state / "starts").write_text(json.dumps({"failed": 5, "why": "the graph cannot be built"}))
    with running(folder, "fifth.wav") as run:
        run.sounds()
        assert run.status["scene"] == "safe"
        assert run.status["safe"] == "5 starts in a row came to nothing; the last one: the graph cannot be built"
        assert "(safe mode: 5 starts in a row" in run.status["sentence"]
        # Its scene is called otherwise now, and there is another output, at once.
        text = run.file.read_text().replace("{drone:", "{other:")
        run.file.write_text("\n".join(line for line in text.splitlines() if not line.startswith("followers")))
        run.process.send_signal(signal.SIGHUP)
        run.until(lambda: (run.status.get("scene"), run.status.get("safe")) == ("other", ""))
        assert "Traceback" not in run.said

# pyright: strict
"""What chaos needs around an installation: an audio server and a recorder that are not ours, and a restarter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from engine.errors import PerpetuumError
from engine.installation.chaos.capture import FRAME, Capture
from engine.installation.chaos.copying import Copied, copy_installation
from engine.installation.chaos.memory_group import MemoryGroup
from engine.installation.chaos.processes import descendants, tell, those
from engine.installation.chaos.rungs import RungWatch
from engine.installation.chaos.wall_clock import WallClockStep
from engine.sabotage import VARIABLE
from engine.score.time import SAMPLE_RATE

SINK = "chaos"
NEEDED = ("pulseaudio", "pactl", "parec")

RESTART_AFTER = 0.1
"""Seconds after which a keeper that ended is started again, as systemd does by itself."""

COMES_WITHIN = 10.0
"""Seconds that a process is waited for that is about to come."""

PATIENCE = 90.0
"""Seconds that the first sound is waited for."""

_ELSEWHERE = ("PULSE_SERVER", "PULSE_RUNTIME_PATH", "PIPEWIRE_REMOTE", "DBUS_SESSION_BUS_ADDRESS", "NOTIFY_SOCKET")


class Rig:
    """A private audio server, a recorder on its null sink, and an installation that plays to it.

    Args:
        installation: its file.
        folder: for all that is written.
        state: the state folder.

    Attributes:
        memory: the control group that the installation runs in, or why there is none.

    Raises:
        PerpetuumError: what is needed is not installed, or nothing is heard.
    """

    def __init__(self, installation: Path, folder: Path, state: Path) -> None:
        missing = [name for name in NEEDED if not shutil.which(name)]
        if missing:
            raise PerpetuumError(f"chaos needs {', '.join(missing)}", "apt install pulseaudio pulseaudio-utils")
        self.folder = folder
        self.state = state
        self.copied: Copied = copy_installation(installation, folder / "files", SINK, self.state)
        self.capture = Capture(folder / "heard.raw")
        self.wall_clock = WallClockStep(folder)
        self.rungs = RungWatch(self.state)
        self.memory = _memory_group()
        self._stack = ExitStack()
        self._log = folder / "log"
        self._log.touch()
        self._over = threading.Event()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Rig:
        runtime = self.folder / "run"
        runtime.mkdir(mode=0o700)
        log = self._stack.enter_context(self._log.open("ab"))
        if isinstance(self.memory, MemoryGroup):
            self._stack.callback(self.memory.close)
        self._stack.callback(self._end)
        self.start_server(log)
        for name, target in (("recorder", self._record), ("keeper", self._keep)):
            threading.Thread(target=target, args=(log,), name=name, daemon=True).start()
        self._stack.enter_context(self.rungs)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """Of all processes."""
        own = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
        folder = str(self.folder)
        return {**own, "XDG_RUNTIME_DIR": f"{folder}/run", "HOME": folder, "XDG_CONFIG_HOME": folder, VARIABLE: "1"}

    @property
    def keeper(self) -> int:
        """Process id of the keeper."""
        if self._keeper is None:
            raise PerpetuumError("there is no keeper")
        return self._keeper.pid

    @property
    def log(self) -> str:
        """What all of them printed."""
        return self._log.read_text("utf-8", "replace")

    def process(self, name: str) -> int:
        """One of its processes; one that is about to come is waited for.

        Args:
            name: "keeper", "mind", "worker", "audio", "spare" or "player".

        Raises:
            PerpetuumError: there is none.
        """
        until = time.monotonic() + COMES_WITHIN
        while True:
            try:
                return self._process(name)
            except PerpetuumError:
                if time.monotonic() > until:
                    raise
            time.sleep(0.02)

    def _process(self, name: str) -> int:
        if name == "keeper":
            return self.keeper
        if name in ("mind", "audio", "spare"):
            found: object = self.rungs.status().get("processes", {}).get(name)
            if isinstance(found, int):
                return found
        else:
            words = {"worker": "engine.runtime.workers.worker", "player": "pacat"}[name]
            if pids := those(self.keeper, words):
                return pids[0]
        raise PerpetuumError(f"there is no {name} now")

    def hear_sound(self) -> None:
        """Wait until it plays.

        Raises:
            PerpetuumError: it does not; says what was printed last.
        """
        until = time.monotonic() + PATIENCE
        while self.rungs.stay.restored is None or self.capture.frames < SAMPLE_RATE:
            if time.monotonic() > until:
                last = "\n".join(self.log.splitlines()[-5:])
                raise PerpetuumError(f"the installation does not play within {PATIENCE:g} s; it said last:\n{last}")
            time.sleep(0.1)

    def settle(self, calm: float = 3.0) -> bool:
        """Wait until it is as it is without faults, for a while; False if that takes too long."""
        until = time.monotonic() + PATIENCE
        since = time.monotonic()
        while time.monotonic() < since + calm:
            if time.monotonic() > until:
                return False
            if not self._whole():
                since = time.monotonic()
            time.sleep(0.2)
        return True

    def pactl(self, *words: str) -> str:
        """Have the server do something; what it says."""
        done = subprocess.run(["pactl", *words], env=self.environment, capture_output=True, text=True, timeout=10)
        return done.stdout.strip()

    def restart_server(self) -> None:
        """End the audio server, and start it again."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        with self._log.open("ab") as log:
            self.start_server(log)

    def start_server(self, log: IO[bytes]) -> None:
        """Start the audio server with its null sink."""
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        command += ["-L", "module-native-protocol-unix", "-L", "module-" + self.sink]
        self._server = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + 20.0
        while subprocess.run(["pactl", "info"], env=self.environment, capture_output=True).returncode:
            if time.monotonic() > until:
                raise PerpetuumError("the audio server does not start")
            time.sleep(0.05)

    @property
    def sink(self) -> str:
        """The module of the null sink and its arguments."""
        return f"null-sink sink_name={SINK} rate={SAMPLE_RATE} channels=2 format=float32le"

    def _whole(self) -> bool:
        try:
            status = self.rungs.status()
            processes: Mapping[str, object] = status.get("processes", {})
        except PerpetuumError:
            return False
        here = descendants(self.keeper).values()
        there = all(any(words in command for command in here) for words in ("engine.runtime.workers.worker", "pacat"))
        return there and all(processes.values()) and self.rungs.stay.restored is not None

    def _record(self, log: IO[bytes]) -> None:
        """Record the sink's monitor; where no recorder could, there is silence, so that time is kept."""
        form = [f"--rate={SAMPLE_RATE}", "--channels=2", "--format=float32le", "--latency-msec=50"]
        command = ["parec", "-d", f"{SINK}.monitor", "--raw", *form]
        with (self.folder / "heard.raw").open("ab", buffering=0) as file:
            ended: float | None = None
            while not self._over.is_set():
                recorder = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=log)
                assert recorder.stdout is not None
                while data := os.read(recorder.stdout.fileno(), 1 << 16):
                    if ended is not None:
                        missed = round((time.monotonic() - ended) * SAMPLE_RATE)
                        file.write(bytes(max(0, missed * FRAME - len(data))))
                        ended = None
                    file.write(data)
                    if self._over.is_set():
                        break
                ended = ended or time.monotonic()
                recorder.kill()
                recorder.wait()
                recorder.stdout.close()
                self._over.wait(0.1)

    def _keep(self, log: IO[bytes]) -> None:
        """Start the installation, again and again, as a service manager does."""
        environment = self.environment | self.wall_clock.environment
        command = [sys.executable, "-P", "-m", "engine.installation.keeper.process", str(self.copied.file)]
        if isinstance(self.memory, MemoryGroup):
            command = self.memory.inside(command)
        while not self._over.is_set():
            self._keeper = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
            self._keeper.wait()
            self._over.wait(RESTART_AFTER)

    def _end(self) -> None:
        self._over.set()
        for process in (self._keeper, self._server):
            if process is not None:
                below = list(descendants(process.pid))
                with suppress(ProcessLookupError):
                    process.terminate()
                try:
                    process.wait(8)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                tell(below, 9)


def _memory_group() -> MemoryGroup | str:
    try:
        return MemoryGroup()
    except PerpetuumError as error:
        return str(error)

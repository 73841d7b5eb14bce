"""A pool with a real Ray Serve, as its unit runs it, and a Ray cluster that one can join."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from engine.pool.serving.making.replicas import SLOW_MACHINE
from tests.health.prometheus import free_port, wait_until

TOKEN = "let-me-in"

APART = os.geteuid() == 0 and all(map(shutil.which, ("systemd-socket-activate", "unshare", "ip", "nsenter", "ss")))
"""Whether a pool can have a network of its own here, with a socket from outside, as its unit gives it."""

PATIENCE = 400.0
"""Seconds in which Ray has started, however busy the machine is."""


def replicas_of(process: psutil.Process) -> list[psutil.Process]:
    """Processes under one that make phrases."""
    found: list[psutil.Process] = []
    for one in process.children(recursive=True):
        with suppress(psutil.Error):
            if one.is_running() and any("ServeReplica" in word for word in one.cmdline()):
                found.append(one)
    return found


def end_at_once(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it started."""
    with suppress(psutil.Error):
        for one in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):
                one.kill()
    process.kill()
    process.wait()


class RealPool:
    """A pool that can be broken: `perpetuum pool serve`.

    Args:
        folder: for its file, its weights, and its home.
        file: what its file says besides.
        apart: whether it has a network of its own.

    Attributes:
        port: where it listens in the network of this machine.
        process: that listens for it, and becomes it.
        token: file with the player's token.
    """

    def __init__(self, folder: Path, file: str = "", apart: bool = APART) -> None:
        self.folder, self.port, self._apart = folder, free_port(), apart
        self.token = folder / "token"
        self.token.write_text(TOKEN)
        self.home = folder / "home"
        self.home.mkdir()
        (folder / "pool.yaml").write_text(
            f"perpetuum: 1\nlisten: 127.0.0.1:{self.port}\ntokens: {{foyer: {{file: {self.token}}}}}\n"
            f"weights: {folder}/weights\n{file}"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RealPool:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            end_at_once(self.process)

    @property
    def url(self) -> str:
        """Where players ask."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """What it has printed."""
        return (self.folder / "out").read_text()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        serve = [sys.executable, "-m", "engine", "pool", "serve", "--config", str(self.folder / "pool.yaml")]
        if self._apart:
            environment = [f"-E{name}" for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ]
            apart = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
            serve = ["systemd-socket-activate", "-l", f"127.0.0.1:{self.port}", *environment, *apart, *serve]
        own = {**os.environ, "HOME": str(self.home)}
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(serve, start_new_session=True, stdout=out, stderr=out, env=own)
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            assert self.process.poll() is None, self.said
            # The first connection wakes it; answers come once it is up.
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as one:
                one.settimeout(ends - time.monotonic())
                one.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
                if one.recv(100).startswith(b"HTTP/1.1 200"):
                    return
            time.sleep(0.2)
        raise AssertionError(f"it did not start: {self.said}")

    def end(self) -> int:
        """Have it end as systemd does; its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    def kill(self) -> None:
        """End all of it at once."""
        assert self.process is not None
        end_at_once(self.process)

    @property
    def whole(self) -> psutil.Process:
        """It, and what it started."""
        assert self.process is not None
        return psutil.Process(self.process.pid)

    @property
    def replicas(self) -> list[psutil.Process]:
        """Processes that make phrases."""
        return replicas_of(self.whole)

    def listening(self, inside: bool = False) -> set[str]:
        """Where its processes listen by TCP, as `ss` sees it from this network or from its own."""
        enter = ["nsenter", "-t", str(self.whole.pid), "-n"] if inside else []
        lines = subprocess.run([*enter, "ss", "-Hltnp"], check=True, capture_output=True, text=True).stdout.splitlines()
        own = {str(one.pid) for one in (self.whole, *self.whole.children(recursive=True))}
        return {line.split()[3] for line in lines if own & set(re.findall(r"pid=(\d+)", line))}


class Cluster:
    """A Ray cluster of one machine, on ports and in a folder of its own: `ray start --head`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ray-"))  # its sockets need a short path
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        others = ("ray-client-server-port", "dashboard-port", "dashboard-agent-listen-port")
        command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--port={port}"]
        command += [f"--{name}={free_port()}" for name in others]
        command += [f"--temp-dir={self.folder}", "--object-store-memory=100000000", "--num-cpus=2"]
        command += ["--include-dashboard=false", "--include-log-monitor=false", "--disable-usage-stats"]
        own = {**os.environ, **SLOW_MACHINE, "HOME": str(self.folder)}
        with (self.folder / "out").open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=own, start_new_session=True)
        if not wait_until(lambda: b"Ray runtime started" in (self.folder / "out").read_bytes(), PATIENCE):
            said = (self.folder / "out").read_text()
            self.close()
            raise AssertionError(said)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def whole(self) -> psutil.Process:
        """It, and what it started."""
        return psutil.Process(self.process.pid)

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        end_at_once(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

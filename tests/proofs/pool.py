"""What a pool does for players, and when everything around it breaks: latency, throughput and faults.

    python -m tests.proofs.pool [--port PORT] [--quick]

Starts a real pool (Ray Serve, two replicas) in a network namespace of its own, as `deploy/gpu-host` does, and asks it
through a proxy that delays, drops, or says nothing. Needs the extra [pool], root, iproute2 and systemd. A fault counts
as borne if every phrase that was asked for came in time, from the pool or from the networks of this machine, and if
the pool is asked again by itself when it is over.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from engine.conductor.makers.contract import Job, Made, Reply
from engine.events import Event, SteppedDown
from engine.generators.chain import Cache, make_phrase
from engine.generators.neural.kinds import DRUMS_RNN, MELODY_RNN
from engine.generators.neural.settings import DrumsRnnSettings, MelodyRnnSettings
from engine.pool.asking.rung import PoolRung
from engine.runtime.rules import ladder_over
from engine.runtime.workers.worker import rehearsal
from engine.score.time import SAMPLE_RATE
from tests.conductor.virtual import VirtualMakers

TOKEN = "let-me-in"
SECONDS_LEFT = 12.0
"""Seconds until each phrase is due, as in `run`."""


class FaultyProxy:
    """A proxy of TCP between players and pool that a fault can be committed on.

    Attributes:
        delay: seconds by which each chunk to the player is late.
        silent: connections are accepted, and nothing passes.
        closed: connections are refused.
        garbled: answers are turned around.
    """

    def __init__(self, target: int) -> None:
        self.delay, self.silent, self.closed, self.garbled = 0.0, False, False, False
        self._target = target
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            player, _ = self._listener.accept()
            if self.closed:
                player.close()
                continue
            try:
                pool = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                player.close()
                continue
            self._open |= {player, pool}
            threading.Thread(target=self._pass, args=(player, pool, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(pool, player, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, to_player: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                while self.silent:
                    time.sleep(0.05)
                if to_player:
                    time.sleep(self.delay)
                    data = data.replace(b'"notes":[[', b'"notes":[["x",') if self.garbled else data
                target.sendall(data)
        for one in (source, target):
            self._open.discard(one)
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@dataclass
class Rig:
    """A pool that can be broken.

    Attributes:
        port: where it listens in the network of this machine.
        process: that listens for it, and becomes it.
        tokens: file with the player's token.
    """

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    tokens: Path = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.folder / "token"
        self.tokens.write_text(TOKEN)
        (self.folder / "pool.yaml").write_text(
            f"perpetuum: 1\ntokens: {{foyer: {{file: {self.tokens}}}}}\nweights: {self.folder}/weights\n"
        )

    def start(self) -> None:
        """Start it as its unit does: a socket from outside, and a network of its own."""
        inside = (
            "ip link set lo up && exec "
            f"{sys.executable} -m engine pool serve --config {self.folder}/pool.yaml >{self.folder}/out 2>&1"
        )
        command = ["systemd-socket-activate", "-l", f"127.0.0.1:{self.port}", "unshare", "-n", "sh", "-c", inside]
        environment = [f"-E{name}" for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ]
        command[1:1] = environment
        self.process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        ends = time.monotonic() + 400
        while time.monotonic() < ends:
            # The first connection wakes it; answers come once it is up.
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as one:
                one.settimeout(400)
                one.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
                if one.recv(100).startswith(b"HTTP/1.1 200"):
                    return
            time.sleep(0.2)

    def kill(self) -> None:
        """End all of it at once."""
        assert self.process is not None
        for one in (*psutil.Process(self.process.pid).children(recursive=True), self.process):
            with suppress(psutil.Error, ProcessLookupError):
                one.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def replicas(self) -> list[psutil.Process]:
        """Processes that make phrases."""
        assert self.process is not None
        found: list[psutil.Process] = []
        for one in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if any("ServeReplica" in word for word in one.cmdline()):
                    found.append(one)
        return found


def request(number: int):
    """A bar of drums, or two of melody: each another one."""
    if number % 2:
        return "melody_rnn", replace(rehearsal(MELODY_RNN, MelodyRnnSettings()), bars=2, seed=number)
    return "drums_rnn", replace(rehearsal(DRUMS_RNN, DrumsRnnSettings()), bars=2, seed=number)


class Player:
    """Asks a ladder for one phrase after the other, in real time."""

    def __init__(self, url: str, seed: int) -> None:
        self._cache: Cache = {}
        self.events: list[Event] = []
        self._began = time.monotonic()
        self.pool = PoolRung([url], lambda: TOKEN)
        self.pool.follow(self._now)
        local = VirtualMakers(self._local)
        self._ladder = ladder_over(local, self.events.append, self.pool)
        self._number = seed * 1_000_000

    def _now(self) -> int:
        return int((time.monotonic() - self._began) * SAMPLE_RATE)

    def _local(self, job: Job) -> Reply:
        return Reply(job.ticket, *make_phrase(job.kind, job.request, self._cache))

    def phrase(self) -> tuple[Made, float]:
        """(phrase, seconds that it took); one that is late comes from the floor, as in a performance."""
        self._number += 1
        kind, asked = request(self._number)
        began = time.monotonic()
        deadline = self._now() + int(SECONDS_LEFT * SAMPLE_RATE)
        job = self._ladder.ask(kind, asked, deadline, network=True)
        while isinstance(job, Job):
            found = self._ladder.poll(0.05)
            if found:
                job = found[0].made
            elif self._now() > deadline:
                job = self._ladder.give_up(job, "it was late")
        return job, time.monotonic() - began

    def phrases(self, seconds: float) -> tuple[Counter[str], list[float]]:
        """Rungs and times of as many phrases as come in some seconds."""
        rungs, times, ends = Counter[str](), list[float](), time.monotonic() + seconds
        while time.monotonic() < ends:
            made, took = self.phrase()
            rungs[made.rung] += 1
            times.append(took)
        return rungs, times

    def recovered(self, seconds: float) -> float | None:
        """Seconds until the pool makes a phrase again; None: it did not."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if self.phrase()[0].rung == "pool":
                return time.monotonic() - began
            time.sleep(0.2)
        return None


@contextmanager
def player(port: int, seed: int, host: str = "127.0.0.1") -> Iterator[Player]:
    """A player that has heard of the pool."""
    one = Player(f"http://{host}:{port}", seed)
    try:
        ends = time.monotonic() + 60
        while not one.pool.heard_of and time.monotonic() < ends:
            time.sleep(0.05)
        yield one
    finally:
        one.pool.close()


def load(port: int, seconds: float) -> None:
    """Latency and throughput of 1, 4 and 16 players."""
    print("| players | phrases/s | p50 | p99 | by the pool |\n|---|---|---|---|---|")
    for count in (1, 4, 16):
        with ThreadPoolExecutor(count) as threads:

            def run(seed: int) -> tuple[Counter[str], list[float]]:
                with player(port, seed) as one:
                    one.phrase()
                    return one.phrases(seconds)

            found = list(threads.map(run, range(count * 100, count * 101)))
        times = sorted(time for _, some in found for time in some)
        rungs = sum((rung for rung, _ in found), Counter[str]())
        p50, p99 = statistics.median(times), times[min(len(times) - 1, int(0.99 * len(times)))]
        share = rungs["pool"] / sum(rungs.values())
        print(f"| {count} | {len(times) / seconds:.1f} | {p50:.2f} s | {p99:.2f} s | {share:.0%} |", flush=True)


def chaos(rig: Rig, proxy: FaultyProxy, seconds: float) -> bool:
    """Every fault, one after the other. Whether all were borne."""

    def restart() -> None:
        rig.kill()
        rig.start()

    def quiet() -> None:
        proxy.delay, proxy.silent, proxy.closed, proxy.garbled = 0.0, False, False, False
        rig.tokens.write_text(TOKEN)

    def link_down() -> None:
        proxy.closed = True
        proxy.cut()

    faults: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "a replica is killed": lambda: rig.replicas[0].kill(),
        "the link is down": link_down,
        "half-alive: it accepts, and never answers": lambda: setattr(proxy, "silent", True),
        "slow: 500 ms on every answer": lambda: setattr(proxy, "delay", 0.5),
        "wrong answers": lambda: setattr(proxy, "garbled", True),
        "the token is revoked": lambda: rig.tokens.write_text("another"),
        "the whole pool is killed, and started again": lambda: threading.Thread(target=restart).start(),
    }
    borne = True
    print("| fault | phrases | pool | networks here | floor | longest | asked again after |\n" + 7 * "|---" + "|")
    for number, (name, commit) in enumerate(faults.items()):
        with player(proxy.port, 1000 + number) as one:
            for _ in range(3):
                one.phrase()
            commit()
            rungs, times = one.phrases(seconds)
            quiet()
            again = one.recovered(240.0)
            floor = sum(rungs.values()) - rungs["pool"] - rungs["networks"]
            borne = borne and not floor and again is not None and max(times) < SECONDS_LEFT
            said = f"{again:.1f} s" if again is not None else "never"
            downs = sum(isinstance(event, SteppedDown) for event in one.events)
            counts = f"{sum(rungs.values())} | {rungs['pool']} | {rungs['networks']} ({downs} steps down) | {floor}"
            print(f"| {name} | {counts} | {max(times):.2f} s | {said} |", flush=True)
    return borne


def main() -> int:
    """Measure; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=18480)
    parser.add_argument("--quick", action="store_true", help="a few seconds for each row")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pool-proof-"))
    rig = Rig(folder, options.port)
    began = time.monotonic()
    try:
        rig.start()
        print(f"started in {time.monotonic() - began:.0f} s; load of the machine {os.getloadavg()[0]:.0f}", flush=True)
        assert rig.process is not None
        processes = psutil.Process(rig.process.pid).children(recursive=True)
        resident = sum(one.memory_info().rss for one in processes) / 1e6
        print(f"{len(processes)} processes, {resident:.0f} MB resident in all", flush=True)
        load(options.port, 6.0 if options.quick else 20.0)
        return 0 if chaos(rig, FaultyProxy(options.port), 8.0 if options.quick else 20.0) else 1
    finally:
        with suppress(Exception):
            rig.kill()
        if (folder / "out").exists():
            print((folder / "out").read_text()[-2000:], file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

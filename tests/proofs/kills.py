"""Children of a real `perpetuum play` are killed and stopped while a null sink's monitor is recorded.

    python -m tests.proofs.kills [--times 5] [--markdown FILE]

What is measured: the longest silence (every sample of both channels below 1e-6) in what the monitor heard from the
fault to `WINDOW` seconds after it, for each kind of fault the worst of several times; and the same without faults, as a
control. The recorder (parec) and the server (PulseAudio with a null sink) are not ours.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

RATE = 48_000
FRAME = 8
WINDOW = 8.0
"""Seconds after a fault in which silence is looked for; longer than every buffer on the way."""

SILENT = 1e-6


class Performance:
    """A running `perpetuum play` and what is heard of it."""

    def __init__(self, pid: int, recording: Path) -> None:
        self.pid = pid
        self.recording = recording

    def children(self, what: str) -> list[int]:
        """Process ids of our children whose command line holds a text, the one with the most processor time first."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                status = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if int(status[1]) == self.pid and what in command:
                found.append((int(status[11]) + int(status[12]), int(folder.name)))
        return [pid for _, pid in sorted(found, reverse=True)]

    def audio(self) -> int:
        """The audio process that is heard."""
        return self.children("engine.sound.process")[0]

    def spare(self) -> int:
        """The one that waits."""
        return self.children("engine.sound.process")[-1]

    def worker(self) -> int:
        """The generator worker."""
        return self.children("engine.runtime.worker")[0]

    def player(self) -> int:
        """The process that plays to the server."""
        return self.children("pacat")[0]

    def settle(self) -> None:
        """Wait until it is as it is without faults: an audio process, a spare, a worker and a player, for a while."""
        calm = time.monotonic()
        while time.monotonic() < calm + 7.0:
            whole = len(self.children("engine.sound.process")) == 2
            if not (whole and self.children("engine.runtime.worker") and self.children("pacat")):
                calm = time.monotonic()
            time.sleep(0.1)

    def longest_silence(self, since: int) -> float:
        """Seconds of the longest silence in the recording from a byte on."""
        with self.recording.open("rb") as file:
            file.seek(since)
            data = file.read()
        sound = np.frombuffer(data[: len(data) // FRAME * FRAME], np.float32).reshape(-1, 2)
        silent = np.abs(sound).max(axis=1) < SILENT
        edges = np.flatnonzero(np.diff(np.concatenate([[0], silent.astype(np.int8), [0]])))
        runs = edges[1::2] - edges[::2]
        return float(runs.max() / RATE) if len(runs) else 0.0

    def heard(self) -> int:
        """Bytes recorded so far, in whole frames."""
        return self.recording.stat().st_size // FRAME * FRAME


Fault = Callable[[Performance], None]


def hit(signal_number: int, *whom: str, pause: float = 0.0) -> Fault:
    """A fault: a signal to one child after the other."""

    def fault(performance: Performance) -> None:
        targets: list[Callable[[], int]] = [getattr(performance, name) for name in whom]
        if pause == 0.0:
            for pid in [target() for target in targets]:
                os.kill(pid, signal_number)
            return
        for target in targets:
            os.kill(target(), signal_number)
            time.sleep(pause)

    return fault


def both(first: Fault, second: Fault, pause: float) -> Fault:
    """Two faults, one after the other."""

    def fault(performance: Performance) -> None:
        first(performance)
        time.sleep(pause)
        second(performance)

    return fault


FAULTS: dict[str, Fault] = {
    "none (control)": lambda performance: None,
    "audio killed": hit(signal.SIGKILL, "audio"),
    "audio stopped": hit(signal.SIGSTOP, "audio"),
    "spare killed": hit(signal.SIGKILL, "spare"),
    "spare stopped": hit(signal.SIGSTOP, "spare"),
    "worker killed": hit(signal.SIGKILL, "worker"),
    "worker stopped": hit(signal.SIGSTOP, "worker"),
    "player killed": hit(signal.SIGKILL, "player"),
    "player stopped": hit(signal.SIGSTOP, "player"),
    "audio and spare killed": hit(signal.SIGKILL, "spare", "audio"),
    "audio and spare stopped": hit(signal.SIGSTOP, "spare", "audio"),
    "spare stopped, audio killed": both(hit(signal.SIGSTOP, "spare"), hit(signal.SIGKILL, "audio"), 0.0),
    "audio killed twice in 0.7 s": both(hit(signal.SIGKILL, "audio"), hit(signal.SIGKILL, "audio"), 0.7),
    "audio stopped, then killed in 0.9 s": both(hit(signal.SIGSTOP, "audio"), hit(signal.SIGKILL, "audio"), 0.9),
    "audio and player killed": hit(signal.SIGKILL, "audio", "player"),
    "audio killed three times in 1.4 s (3 s allowed)": hit(signal.SIGKILL, "audio", "audio", "audio", pause=0.7),
}


@contextmanager
def gallery(folder: Path) -> Iterator[Performance]:
    """A private audio server, a recorder on its null sink, and a performance that plays to it."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    environment = {
        **os.environ,
        "XDG_RUNTIME_DIR": str(runtime),
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    for name in ("PULSE_SERVER", "PULSE_RUNTIME_PATH", "PIPEWIRE_REMOTE", "DBUS_SESSION_BUS_ADDRESS"):
        environment.pop(name, None)
    server = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    server += ["-L", "module-native-protocol-unix"]
    server += ["-L", f"module-null-sink sink_name=gallery rate={RATE} channels=2 format=float32le"]
    form = [f"--rate={RATE}", "--channels=2", "--format=float32le", "--latency-msec=50"]
    scene = Path(__file__).with_name("drone.yaml")
    play = [sys.executable, "-m", "engine", "play", str(scene), "--output", "device:gallery", "--seed", "5"]
    recording = folder / "heard.raw"
    started: list[subprocess.Popen[bytes]] = []
    with (folder / "log").open("wb") as log, recording.open("wb") as heard:
        try:
            started.append(subprocess.Popen(server, env=environment, stdout=log, stderr=log))
            while subprocess.run(["pactl", "info"], env=environment, capture_output=True).returncode:
                time.sleep(0.1)
            parec = ["parec", "-d", "gallery.monitor", "--raw", *form]
            started.append(subprocess.Popen(parec, env=environment, stdout=heard, stderr=log))
            started.append(subprocess.Popen(play, env=environment, stdout=log, stderr=log))
            yield Performance(started[-1].pid, recording)
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()
            sys.stderr.write((folder / "log").read_text(errors="replace")[-3000:] if os.environ.get("SHOW") else "")


def main() -> None:
    """Run all faults and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="how often each fault is made")
    parser.add_argument("--only", help="faults whose name holds this text")
    parser.add_argument("--markdown", type=Path, help="write the table to a file")
    options = parser.parse_args()
    rows = ["| fault | longest silence: worst (all), ms |", "|---|---|"]
    print("\n".join(rows), flush=True)
    with tempfile.TemporaryDirectory() as folder, gallery(Path(folder)) as performance:
        for name, fault in FAULTS.items():
            if options.only and options.only not in name:
                continue
            gaps = []
            for _ in range(options.times):
                performance.settle()
                since = performance.heard()
                fault(performance)
                time.sleep(WINDOW)
                gaps.append(1000 * performance.longest_silence(since))
            row = f"| {name} | **{max(gaps):.0f}** ({', '.join(f'{gap:.0f}' for gap in gaps)}) |"
            rows.append(row)
            print(row, flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()

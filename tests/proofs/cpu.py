"""What an installation costs: processor seconds of all its processes for a second of music.

`python -m tests.proofs.cpu [SCENE | INSTALLATION.yaml] [--seconds 60] [--after 30] [--output null]`

A real `perpetuum run` plays, and is asked at its own endpoints before and after: `/metrics` for the processor time of
each process, `/status` for the frames that were taken. What it costs to start, and to render the bank of raw sound
once, does not belong to it. On a busy machine everything takes longer, in processor time, too, as processors share
caches and clocks: compare two versions in alternation, each with `PYTHONPATH` at its tree, and say so.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from engine import assets
from engine.processes.child import OomScore, start_bound
from engine.score.time import SAMPLE_RATE

PATIENCE = 120.0
"""Seconds that the first sound is waited for."""

QUIET = ("notices", "followers", "mqtt", "pool", "buttons", "amplifier", "alarm", "hours", "exceptions", "restart")
"""Settings of an installation file that are left out: they would call, switch or write something, or end the music."""


def prepared(named: str, output: str, folder: Path, port: int) -> Path:
    """An installation file that plays one scene, or what a file says, without anything that reaches beyond it."""
    yaml = YAML(typ="safe", pure=True)
    if named.endswith((".yaml", ".yml")):
        content: dict[str, Any] = yaml.load(Path(named))
        for name in QUIET:
            content.pop(name, None)
        for name, entry in content["scenes"].items():
            found = assets.find("scenes", (entry or {}).get("file", name), beside=Path(named).parent)
            content["scenes"][name] = {**(entry or {}), "file": str(found)}
    else:
        scene = {"file": str(assets.scene(named)), "length": "12 h", "seed": 5}
        content = {"perpetuum": 1, "title": named, "scenes": {Path(named).stem: scene}}
    content |= {"output": output, "state": str(folder / "state"), "fallback_bank": "off"}
    content["listen"] = {"control": [], "health": [f"127.0.0.1:{port}"]}
    file = folder / "measured.yaml"
    with file.open("w") as out:
        yaml.dump(content, out)
    return file


class Measured:
    """A running installation, asked at its endpoints."""

    def __init__(self, port: int) -> None:
        self._at = f"http://127.0.0.1:{port}"

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self._at + path, timeout=10) as answer:
            return answer.read().decode()

    def frames(self) -> int:
        """Frames that were taken by the output; 0 while nobody answers or nothing sounds."""
        try:
            told = json.loads(self._get("/status"))["snapshot"]
        except (OSError, urllib.error.URLError):
            return 0
        return dict(told["stations"]).get("taken", 0) if told else 0

    def seconds(self) -> dict[str, float]:
        """Processor seconds by component, of processes that ended, too."""
        return {
            sample.labels["component"]: sample.value
            for family in text_string_to_metric_families(self._get("/metrics"))
            for sample in family.samples
            if sample.name == "perpetuum_process_cpu_seconds_total"
        }


@contextmanager
def running(file: Path, port: int, log: Path) -> Iterator[Measured]:
    """An installation that plays; it has stopped afterwards."""
    command = [sys.executable, "-m", "engine", "run", str(file)]
    with log.open("w") as out:
        # However we end, it ends with us; a signal that we can hear lets the folder go, too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        process = start_bound(command, OomScore.BACKGROUND, stdout=out, stderr=out, start_new_session=True)
    measured, until = Measured(port), time.monotonic() + PATIENCE
    try:
        while not measured.frames():
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"nothing sounds:\n{log.read_text()[-2000:]}")
            time.sleep(0.5)
        yield measured
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("installation", nargs="?", default="slow_groove", help="a scene, or an installation file")
    parser.add_argument("--seconds", type=float, default=60.0, help="of music that is measured")
    parser.add_argument("--after", type=float, default=30.0, help="seconds of music before that")
    parser.add_argument("--output", default="null", help="as for `--output` of `play`")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="perpetuum-cpu-") as place:
        folder = Path(place)
        file = prepared(options.installation, options.output, folder, port)
        with running(file, port, folder / "log") as measured:
            time.sleep(options.after)
            before, first = measured.seconds(), measured.frames()
            time.sleep(options.seconds)
            after, last = measured.seconds(), measured.frames()
    music = (last - first) / SAMPLE_RATE
    used = {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
    print(f"{options.installation}, {music:.1f} s of music, load {os.getloadavg()[0]:.1f}")
    for name, seconds in sorted(used.items(), key=lambda one: -one[1]):
        print(f"{name:<10}{seconds / music:8.4f}")
    print(f"{'all':<10}{sum(used.values()) / music:8.4f}")


if __name__ == "__main__":
    main()

"""The figures of docs/figures.md, measured on this machine: `python -m tests.proofs.figures -o docs/figures.md`.

Not a test: it takes about ten minutes, and bare times say more about the machine than about the engine.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pyloudnorm
import soundfile

from engine import assets

COMMAND = [sys.executable, "-P", "-m", "engine"]
NAMES = {"engine.sound.process": "audio process", "engine.runtime.workers.worker": "worker"}


def run(*arguments: str) -> str:
    """Standard output of `perpetuum ARGUMENTS`."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=True).stdout


def first_sound(scene: str, folder: Path) -> float:
    """Seconds from the start of `perpetuum play` until its output has taken the first sound that is not zero."""
    path = folder / "first.wav"
    part = path.with_name(path.name + ".part")
    begun = time.monotonic()
    process = subprocess.Popen(
        [*COMMAND, "play", scene, "--output", f"wav:{path}", "--seed", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while time.monotonic() < begun + 30:
            # The header is written when the file is made; what follows it is samples.
            if part.exists() and any(part.read_bytes()[200:]):
                return time.monotonic() - begun
            time.sleep(0.005)
        raise TimeoutError(f"{scene} made no sound in 30 s")
    finally:
        process.terminate()
        process.wait()


def tree(process: psutil.Process) -> Iterator[tuple[str, psutil.Process]]:
    """A process and its children by what they are."""
    yield "conductor", process
    seen: set[str] = set()
    for child in sorted(process.children(recursive=True), key=lambda child: child.pid):
        try:
            line = " ".join(child.cmdline())
        except psutil.Error:
            continue
        for module, name in NAMES.items():
            if module in line:
                # Live, a second audio process waits for the first one to fail.
                yield (f"spare {name}" if name in seen else name), child
                seen.add(name)


def memory(process: psutil.Process) -> dict[str, float]:
    """Resident memory in MB by process."""
    return {name: child.memory_info().rss / 1e6 for name, child in tree(process)}


def processor_share(scene: str, seconds: float) -> dict[str, float]:
    """CPU seconds per second while playing to the null output, by process, after the networks have loaded."""
    process = subprocess.Popen([*COMMAND, "play", scene, "--output", "null", "--seed", "1"], stdout=subprocess.DEVNULL)
    try:
        watched = psutil.Process(process.pid)
        time.sleep(20)
        before = {name: sum(child.cpu_times()[:2]) for name, child in tree(watched)}
        time.sleep(seconds)
        after = {name: sum(child.cpu_times()[:2]) for name, child in tree(watched)}
        return {name: (after[name] - before[name]) / seconds for name in before}
    finally:
        process.terminate()
        process.wait()


def long_render(scene: str, minutes: int, folder: Path) -> tuple[str, dict[str, float], dict[str, float]]:
    """Render long: what it printed, memory in its first seconds (once all processes play) and just before its end."""
    path = folder / "long.wav"
    process = subprocess.Popen(
        [*COMMAND, "render", scene, "--minutes", str(minutes), "--seed", "1", "-o", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watched = psutil.Process(process.pid)
    part = path.with_name(path.name + ".part")
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    while process.poll() is None:
        try:
            now = memory(watched)
            if not first and part.exists() and part.stat().st_size > 2_000_000:
                first = now
            if len(now) == 3:
                last = now
        except psutil.Error:
            pass
        time.sleep(0.2)
    assert process.stdout is not None
    return process.stdout.read(), first, last


def loudness(path: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and sample peak in dBFS."""
    sound, rate = soundfile.read(path)
    return pyloudnorm.Meter(rate).integrated_loudness(sound), 20 * float(np.log10(np.abs(sound).max()))


def steps_per_second(config: str) -> float:
    """Steps per second of one whole warm call of 512 new steps at batch 1, best of five."""
    from engine.networks import load_network

    network = load_network(assets.find("weights", config, ".safetensors"))
    primer = [0] * 16 if config == "drum_kit" else [60, *[-2] * 15]
    best = 0.0
    for seed in range(6):
        begun = time.perf_counter()
        network.generate(primer, 512, 1.0, np.random.default_rng(seed))
        best = max(best, (512 + len(primer)) / (time.perf_counter() - begun))
    return best


def report(minutes: int, hour: int, played: float) -> Iterator[str]:
    """The lines of docs/figures.md."""
    yield "# Figures\n"
    yield "Measured by `python -m tests.proofs.figures -o docs/figures.md`.\n"
    yield f"- machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    yield f"- load average at the start: {os.getloadavg()[0]:.1f}\n"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield "## Scenes\n"
        yield "First sound: seconds from the start of `perpetuum play` (best and median of five)."
        yield f"Render: {minutes} minutes of music. Network bars: bars of network parts that networks made.\n"
        yield "| scene | first sound | render, times real time | loudness | peak | network bars |"
        yield "|---|---|---|---|---|---|"
        for scene in assets.names("scenes"):
            starts = sorted(first_sound(scene, folder) for _ in range(5))
            path = folder / "out.wav"
            out = run("render", scene, "--minutes", str(minutes), "--seed", "1", "-o", str(path))
            speed = re.search(r"\((\d+) times", out)
            made = [tuple(map(int, row)) for row in re.findall(r"(\d+) bars: (\d+) by its network", out)]
            total, network = (sum(column) for column in zip(*[row for row in made if row[1]], strict=True))
            lufs, peak = loudness(path)
            yield (
                f"| {scene} | {starts[0]:.2f} s, {starts[2]:.2f} s | {speed[1] if speed else '?'} "
                f"| {lufs:.1f} LUFS | {peak:.1f} dBFS | {network / total:.1%} |"
            )
        yield "\n## Networks\n"
        yield "Steps per second of a whole warm `generate` call, batch 1, one thread.\n"
        yield "| config | steps per second |"
        yield "|---|---|"
        for config in ("drum_kit", "attention_rnn"):
            yield f"| {config} | {steps_per_second(config):.0f} |"
        yield "\n## Playing\n"
        yield f"Share of one core while playing slow_groove to the null output, over {played:g} s.\n"
        yield "| process | CPU |"
        yield "|---|---|"
        for name, share in processor_share("slow_groove", played).items():
            yield f"| {name} | {share:.1%} |"
        yield "\n## Memory\n"
        yield f"Resident memory in {hour} minutes of rendered music (slow_groove), in MB.\n"
        out, first, last = long_render("slow_groove", hour, folder)
        yield "| process | near bar 1 | at the end |"
        yield "|---|---|---|"
        for name in last:
            yield f"| {name} | {first.get(name, float('nan')):.0f} | {last[name]:.0f} |"
        yield "\n```\n" + out.strip().replace(str(folder), "") + "\n```"


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--minutes", type=int, default=10, help="length of each render")
    parser.add_argument("--hour", type=int, default=60, help="minutes of the long render")
    parser.add_argument("--played", type=float, default=60.0, help="seconds of playing")
    arguments = parser.parse_args()
    lines = []
    for line in report(arguments.minutes, arguments.hour, arguments.played):
        print(line, flush=True)
        lines.append(line)
    arguments.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

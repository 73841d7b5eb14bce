"""An installation that runs for hours while its processes are killed: gaps, memory, descriptors and threads.

`python -m tests.proofs.endurance [--hours 2] [--installation chaos] [--every 120] [--out FILE]` starts it with a null
sink and a recorder that are not ours, as `perpetuum chaos` does, provokes a fault now and then, and looks at every
process once a minute. With `--scene NAME` that scene alone plays, and with `--every 0` nothing is broken.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from engine import assets
from engine.errors import PerpetuumError
from engine.installation.chaos.capture import FRAME, SILENT, Frames
from engine.installation.chaos.fault import Fault
from engine.installation.chaos.faults.processes import PROCESS_FAULTS, TreeStopped
from engine.installation.chaos.processes import descendants
from engine.installation.chaos.rig import Rig
from engine.score.time import SAMPLE_RATE

LOOK = 60.0
"""Seconds between two looks at the processes."""

GAP = 0.05
"""Seconds of silence that count as a gap: in the drone there is none."""

KINDS = {
    "engine.installation.mind": "mind",
    "engine.runtime.worker": "worker",
    "engine.sound.process": "audio or spare",
    "engine.installation.bank": "bank",
    "engine.installation.reader": "reader",
    "pacat": "player",
}


@dataclass
class Look:
    """All processes at a moment.

    Attributes:
        minutes: since the start.
        pss: MB by kind of process; what several share counts in each by its share.
        descriptors, threads: of the keeper.
        processes: how many there are.
    """

    minutes: float
    pss: dict[str, float]
    descriptors: int
    threads: int
    processes: int


@dataclass
class Endurance:
    """What came of it.

    Attributes:
        looks: one a minute.
        faults: (minute, name) of all that was provoked.
        gaps: (minute, seconds, name of the fault before it) of each silence.
        hours: that it ran.
        keepers: process ids that the keeper had.
    """

    looks: list[Look] = field(default_factory=list[Look])
    faults: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    gaps: list[tuple[float, float, str]] = field(default_factory=list[tuple[float, float, str]])
    hours: float = 0.0
    keepers: list[int] = field(default_factory=list[int])

    @property
    def text(self) -> str:
        """As lines of Markdown."""
        total = [sum(look.pss.values()) for look in self.looks]
        warm = [value for look, value in zip(self.looks, total, strict=True) if look.minutes >= 10] or total
        # Not from the first look on: worker and spare, with their sockets and pipes, come only after it.
        settled = [look for look in self.looks if look.minutes >= 10] or self.looks
        first, last = (settled[0], settled[-1]) if settled else (None, None)
        kinds = sorted({kind for look in self.looks for kind in look.pss})
        lines = [
            f"{self.hours:.2f} h, {len(self.faults)} faults, {len(set(self.keepers))} keepers, {len(self.gaps)} gaps",
            f"PSS of all, MB: median {np.median(warm):.0f}, most {max(warm):.0f} (from minute 10 on)" if warm else "",
            "",
            "| process | PSS, MB: first hour, median | last hour, median | most |",
            "|---|---|---|---|",
        ]
        for kind in kinds:
            early = [look.pss[kind] for look in self.looks if kind in look.pss and 10 <= look.minutes < 60]
            late = [look.pss[kind] for look in self.looks if kind in look.pss and look.minutes >= self.hours * 60 - 60]
            values = [look.pss[kind] for look in self.looks if kind in look.pss]
            cells = [f"{np.median(some):.0f}" if some else "" for some in (early, late)]
            lines.append(f"| {kind} | {cells[0]} | {cells[1]} | {max(values):.0f} |")
        if first is not None and last is not None:
            lines += [
                "",
                f"keeper: descriptors {first.descriptors} -> {last.descriptors}, threads {first.threads} -> "
                f"{last.threads}; processes {first.processes} -> {last.processes}",
            ]
        by_fault: dict[str, list[float]] = defaultdict(list)
        for _, seconds, name in self.gaps:
            by_fault[name].append(seconds)
        lines += [
            f"gaps after {name}: {', '.join(f'{1000 * s:.0f} ms' for s in times)}" for name, times in by_fault.items()
        ]
        return "\n".join(lines)


class Listening:
    """Finds silences in a recording that grows, and gives the disk back what was heard."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._place = rig.capture.frames
        self._last_loud = self._place - 1

    def gaps(self) -> list[tuple[int, int]]:
        """Silences that have ended since the last call, as (first frame, frames)."""
        end = self._rig.capture.frames
        sound: Frames = self._rig.capture.since(self._place, end)
        loud = np.flatnonzero(np.abs(sound).max(axis=1, initial=0.0) >= SILENT) + self._place
        before = np.concatenate([[self._last_loud], loud[:-1]])
        long = np.flatnonzero(loud - before - 1 > GAP * SAMPLE_RATE)
        found = [(int(before[place]) + 1, int(loud[place] - before[place] - 1)) for place in long]
        if len(loud):
            self._last_loud = int(loud[-1])
        heard = self._rig.folder / "heard.raw"
        hole = ["fallocate", "--punch-hole", "--offset", "0", "--length", str(max(1, self._place * FRAME)), str(heard)]
        with suppress(OSError):
            subprocess.run(hole, capture_output=True, check=False)
        self._place += len(sound)
        return found


def look_at(rig: Rig, minutes: float) -> Look:
    """All processes of an installation."""
    keeper = rig.keeper
    pss: dict[str, float] = defaultdict(float)
    found = {keeper: "keeper", **descendants(keeper)}
    for pid, command in found.items():
        kind = next((name for words, name in KINDS.items() if words in command), "keeper" if pid == keeper else "other")
        with suppress(OSError, StopIteration):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            pss[kind] += kilobytes / 1000
    status = Path(f"/proc/{keeper}/status").read_text()
    threads = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Threads:"))
    return Look(minutes, dict(pss), len(list(Path(f"/proc/{keeper}/fd").iterdir())), threads, len(found))


def endure(rig: Rig, hours: float, every: float, seed: int, out: Path | None) -> Endurance:
    """Let it run, and break it now and then."""
    found = Endurance()
    draw = random.Random(seed)
    faults: list[Fault] = [fault for fault in PROCESS_FAULTS if not isinstance(fault, TreeStopped)]
    rig.hear_sound()
    began = time.monotonic()
    listening = Listening(rig)
    first_frame = rig.capture.frames
    look_at_next, fault_at = 0.0, every if every > 0 else float("inf")
    last_fault = "none"
    undo: tuple[float, Fault] | None = None
    while (now := time.monotonic() - began) < hours * 3600:
        if undo is not None and now >= undo[0]:
            undo[1].undo(rig)
            undo = None
        if now >= fault_at and undo is None:
            fault = draw.choice(faults)
            fault_at = now + max(every * draw.uniform(0.7, 1.3), fault.lasts + 20)
            with suppress(PerpetuumError, ProcessLookupError):
                fault.provoke(rig)
                last_fault = fault.name
                found.faults.append((now / 60, fault.name))
                undo = now + fault.lasts, fault
        if now >= look_at_next:
            look_at_next = now + LOOK
            with suppress(OSError, PerpetuumError, StopIteration):
                found.looks.append(look_at(rig, now / 60))
                found.keepers.append(rig.keeper)
        for start, frames in listening.gaps():
            found.gaps.append(((start - first_frame) / SAMPLE_RATE / 60, frames / SAMPLE_RATE, last_fault))
        found.hours = now / 3600
        if out is not None and now + 1 >= look_at_next - LOOK:
            out.write_text(json.dumps(asdict(found)))
        time.sleep(1.0)
    return found


def main() -> None:
    """Run it and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--installation", default="chaos")
    parser.add_argument("--scene", help="a scene that plays alone, in place of an installation")
    parser.add_argument("--every", type=float, default=120.0, help="seconds between two faults, about; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perpetuum-endurance-") as place:
        folder = Path(place)
        file = assets.installation(options.installation)
        if options.scene:
            file = folder / "one.yaml"
            scene = assets.scene(options.scene)
            file.write_text(f"perpetuum: 1\ntitle: One scene\nscenes: {{one: {{file: {scene}, length: 12 h}}}}\n")
        (folder / "state").mkdir()
        with Rig(file, folder, folder / "state") as rig:
            found = endure(rig, options.hours, options.every, options.seed, options.out)
    if options.out is not None:
        options.out.write_text(json.dumps(asdict(found)))
        options.out.with_suffix(".md").write_text(found.text + "\n")
    print(found.text)


if __name__ == "__main__":
    main()

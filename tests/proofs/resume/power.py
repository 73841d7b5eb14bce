# pyright: strict
"""Power cuts: the disk of an installation is copied while it runs, and the installation started from each copy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.installation.chaos.processes import descendants, tell
from engine.installation.keeper.hands.control import ask
from engine.journal.reader import Journal
from engine.journal.schema import NAME
from engine.score.time import SAMPLE_RATE
from tests.proofs.resume.images import Mounted, make_image, missing, mounted
from tests.proofs.resume.music import write_music

SIGKILL = 9

SETTLES = 70.0
"""Seconds of sound before the first cut: by then the first minute has been brought onto the disk."""

BETWEEN = (2.0, 9.0)
"""Seconds between two cuts."""

PATIENCE = 90.0


@dataclass(frozen=True)
class Cut:
    """A copy of the disk.

    Attributes:
        image: its file.
        heard: frames that the output had taken.
    """

    image: Path
    heard: int


@contextmanager
def running(file: Path, log: Path) -> Generator[subprocess.Popen[bytes]]:
    """An installation, until all its processes are killed."""
    with log.open("ab") as out:
        command = [sys.executable, "-P", "-m", "engine.installation.keeper.process", str(file)]
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        yield process
    finally:
        pids = [process.pid, *descendants(process.pid)]
        tell(pids, SIGKILL)
        process.wait()
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            time.sleep(0.02)


def status(state: Path) -> dict[str, Any]:
    """What it says of itself; nothing where it does not answer."""
    with suppress(PerpetuumError, OSError, ValueError):
        return json.loads(ask(state, "status"))
    return {}


def prefer(pid: int, priority: int) -> None:
    """Prefer a process and all below it on a busy machine; each has a session of its own."""
    for one in [pid, *descendants(pid)] if priority else ():
        with suppress(OSError):
            Path(f"/proc/{one}/autogroup").write_text(str(priority))


def sounds(state: Path, process: subprocess.Popen[bytes], priority: int) -> float | None:
    """Seconds until it sounds; None: it does not."""
    began = time.monotonic()
    while time.monotonic() < began + PATIENCE and process.poll() is None:
        if status(state).get("taken"):
            return time.monotonic() - began
        prefer(process.pid, priority)
        time.sleep(0.1)
    return None


def cuts(folder: Path, disk: Mounted, file: Path, times: int, rng: np.random.Generator, priority: int) -> list[Cut]:
    """Play, and copy the disk at random moments."""
    state, found = disk.place / "state", list[Cut]()
    with running(file, folder / "log") as process:
        if sounds(state, process, priority) is None:
            raise PerpetuumError(f"it does not sound; see {folder / 'log'}")
        time.sleep(SETTLES)
        for number in range(times):
            time.sleep(float(rng.uniform(*BETWEEN)))
            image = folder / f"cut{number}.img"
            disk.copy(image)
            heard = status(state).get("taken")
            found.append(Cut(image, int(heard or 0)))
    return found


def cut_power(times: int, seed: int, priority: int) -> int:
    """Cut the power so many times and print what was found; how many starts were not as they should be."""
    if lacks := missing():
        print(f"this needs root and {lacks}")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="power"))
    place, image = folder / "disk", folder / "disk.img"
    file = write_music(folder, place / "state")
    make_image(image)
    with mounted(image, place) as disk:
        found = cuts(folder, disk, file, times, np.random.default_rng(seed), priority)
        with Journal(disk.place / "state" / NAME) as journal:
            sitting = journal.sittings()[-1].number
            bars = {bar.bar: bar for bar in journal.bars(sitting, 0, 1 << 40)}
    image.unlink()
    bad, lost = 0, list[float]()
    for number, cut in enumerate(found, 1):
        problems: list[str] = []
        with mounted(cut.image, place) as disk:
            state = disk.place / "state"
            with running(file, folder / "log") as process:
                after = sounds(state, process, priority)
                if after is None:
                    problems.append("it does not sound")
                time.sleep(1.5)  # what it decides is kept within a second
            with Journal(state / NAME) as journal:
                last = journal.sittings()[-1]
                first = next(journal.bars(last.number, 0, 1 << 40), None)
                if not last.told.continues:
                    problems.append("it began anew")
                elif first is None:
                    problems.append("it decided nothing")
                else:
                    as_heard = bars[first.bar]
                    lost.append((cut.heard - as_heard.start) / SAMPLE_RATE)
                    if (as_heard.start, as_heard.body) != (first.start, first.body):
                        problems.append(f"bar {first.bar} is not as it was heard")
                    if lost[-1] > 60 + (as_heard.end - as_heard.start) / SAMPLE_RATE:
                        problems.append("more than a minute is lost")
                if journal.unreadable:
                    problems.append(f"{journal.unreadable} records cannot be read")
            aside = [one.name for one in state.glob("journal.broken-*.sqlite3")]
            problems += [f"{one} was set aside" for one in aside]
        cut.image.unlink()
        bad += bool(problems)
        words = f"heard {cut.heard / SAMPLE_RATE:6.1f} s, {lost[-1] if lost else 0:5.1f} s earlier it went on"
        words += f", sound after {after or 0:4.1f} s, load {os.getloadavg()[0]:.1f}"
        print(f"{number:>4}  {words}  {'; '.join(problems)}", flush=True)
    print(f"\n{len(found) - bad} of {len(found)} as they should be; {folder}")
    if lost:
        print(f"it went on {np.median(lost):.1f} s earlier (median), {max(lost):.1f} s at most")
    return bad

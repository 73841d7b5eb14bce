# pyright: strict
"""What an installation writes to its state folder in an hour: a disk of its own counts it, strace sees who waits.

    python -m tests.proofs.resume.writes SCENE... [--minutes 20]          (as root: it mounts images)

The disk is an ext4 file system on a loop device, as on an SD card: its own journal counts, too.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from engine import assets
from engine.installation.chaos.processes import descendants
from tests.proofs.resume.images import make_image, missing, mounted
from tests.proofs.resume.power import running, sounds

INSTALLATION = """
perpetuum: 1
title: Proof
scenes: {one: {file: SCENE, length: 20 h}}
output: {kind: "null"}
state: STATE
fallback_bank: off
"""

SETTLES = 130.0
"""Seconds of sound before it is counted: what a start writes is no matter of hours."""

_SYNC = re.compile(r"(fsync|fdatasync|sync_file_range|msync)\(\d+<([^>]*)>")


def measure(name: str, minutes: float) -> str:
    """A line of the table."""
    folder = Path(tempfile.mkdtemp(prefix="writes"))
    image, file = folder / "disk.img", folder / "installation.yaml"
    make_image(image)
    with ExitStack() as stack:
        disk = stack.enter_context(mounted(image, folder / "disk"))
        state = disk.place / "state"
        file.write_text(INSTALLATION.replace("SCENE", str(assets.scene(name))).replace("STATE", str(state)))
        process = stack.enter_context(running(file, folder / "log"))
        if sounds(state, process, -8) is None:
            raise SystemExit(f"it does not sound; see {folder / 'log'}")
        time.sleep(SETTLES)
        trace, tracer = folder / "trace", None
        if shutil.which("strace"):
            calls = "trace=fsync,fdatasync,sync_file_range,msync"
            command = ["strace", "-f", "-qq", "-y", "-e", calls, "-o", str(trace)]
            for pid in [process.pid, *descendants(process.pid)]:
                command += ["-p", str(pid)]
            tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        journal = state / "journal.sqlite3"
        began, size, before = time.monotonic(), journal.stat().st_size, disk.written
        time.sleep(minutes * 60)
        hours = (time.monotonic() - began) / 3600
        written = (disk.written - before) / 1e6 / hours
        grown = (journal.stat().st_size - size) / 1e6 / hours
        if tracer is not None:
            tracer.terminate()
            tracer.wait()
    found = Counter(
        f"{Path(path).name} {call}" for call, path in _SYNC.findall(trace.read_text() if trace.exists() else "")
    )
    syncs = ", ".join(f"{count / hours / 60:.2f} {what}" for what, count in found.most_common())
    shutil.rmtree(folder)
    return f"| {name} | {written:.1f} MB | {written * 24 / 1000:.2f} GB | {grown:.1f} MB | {syncs or 'none'} |"


def main() -> int:
    """Measure scenes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="+")
    parser.add_argument("--minutes", type=float, default=20.0)
    asked = parser.parse_args()
    if lacks := missing():
        parser.error(f"this needs root and {lacks}")
    print("| scene | written an hour | a day | growth of the journal an hour | forced onto the disk, a minute |")
    print("|---|---|---|---|---|", flush=True)
    for name in asked.scenes:
        print(measure(name, asked.minutes), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

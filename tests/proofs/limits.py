"""Commands under low limits of descriptors, memory and processes: each plays, or says in a line why it cannot.

    python -m tests.proofs.limits [--only TEXT]

Processes are limited for a user who is not root (`--user`), because limits of processes do not hold for root.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VERBS = {
    "check": ["check", "slow_groove"],
    "play": ["play", "slow_groove", "--output", "null", "--minutes", "0.05"],
    "render": ["render", "slow_groove", "--bars", "1", "--output", "{folder}/one.wav"],
}

PATIENCE = 60.0
"""Seconds after which a command counts as hung."""

Limits = dict[int, int]


@dataclass(frozen=True)
class Outcome:
    """What came of a command.

    Attributes:
        status: its exit status; None if it had to be ended.
        said: standard error.
        left: its processes that outlived it.
    """

    status: int | None
    said: str
    left: list[int]

    @property
    def right(self) -> bool:
        """Whether it worked, or said in a few lines why it could not."""
        refused = self.status not in (None, 0) and 0 < len(self.said.strip().splitlines()) <= 4
        return (self.status == 0 or refused) and "Traceback" not in self.said and not self.left


def run(arguments: list[str], limits: Limits, user: int | None = None, **environment: str) -> Outcome:
    """Run `perpetuum` under limits.

    Args:
        arguments: of it.
        limits: by `resource.RLIMIT_...`.
        user: whose number it takes on.
        environment: variables that differ.
    """

    def limit() -> None:
        for which, most in limits.items():
            resource.setrlimit(which, (most, most))

    mark = f"PERPETUUM_PROOF={os.getpid()}-{time.monotonic_ns()}"
    name, _, value = mark.partition("=")
    command = [sys.executable, "-P", "-m", "engine", *arguments]
    if user is not None:  # may look into the folders of whoever runs this, and is held by limits all the same
        rights = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *rights, *command]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment, name: value},
        preexec_fn=limit,
        start_new_session=True,
    )
    try:
        said = process.communicate(timeout=PATIENCE)[1]
        status: int | None = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        said, status = process.communicate()[1], None
    return Outcome(status, said, _left(mark))


def _left(mark: str) -> list[int]:
    """Processes with a mark in their environment two seconds from now."""
    end = time.monotonic() + 2.0
    while (left := [int(path.parent.name) for path in _environments() if _has(path, mark)]) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def _environments() -> Iterator[Path]:
    return Path("/proc").glob("[0-9]*/environ")


def _has(path: Path, mark: str) -> bool:
    try:
        return mark.encode() in path.read_bytes().split(b"\0")
    except OSError:
        return False


def cases() -> Iterator[tuple[str, Limits, bool]]:
    """Name, limits, and whether only a user who is not root is held by them."""
    for most in (5, 6, 8, 10, 12, 14, 16, 24, 40, 64):
        yield f"{most} descriptors", {resource.RLIMIT_NOFILE: most}, False
    for mega in (60, 100, 150, 200, 300, 400, 500, 600, 800, 1200, 2000):
        yield f"{mega} MB of addresses", {resource.RLIMIT_AS: mega << 20}, False
    for most in (2, 4, 8, 12, 20, 40):  # numpy itself does not load with one
        yield f"{most} processes", {resource.RLIMIT_NPROC: most}, True
    for kilo in (0, 16, 4096):
        yield f"files of {kilo} kB", {resource.RLIMIT_FSIZE: kilo << 10}, False


def main() -> None:
    """Run every verb under every limit; exit status 1 if one of them was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="limits whose name holds this text")
    parser.add_argument("--user", type=int, default=65534, help="number of the user who is not root")
    options = parser.parse_args()
    wrong = 0
    for name, limits, unprivileged in cases():
        if options.only not in name:
            continue
        for verb, arguments in VERBS.items():
            folder = Path(tempfile.mkdtemp())
            folder.chmod(0o777)
            user = options.user if unprivileged and os.geteuid() == 0 else None
            outcome = run([one.format(folder=folder) for one in arguments], limits, user, HOME=str(folder))
            shutil.rmtree(folder)
            wrong += not outcome.right
            last = outcome.said.strip().splitlines()[-1:] or [""]
            mark = "  " if outcome.right else "! "
            print(f"{mark}{name:24} {verb:7} {outcome.status} {last[0][:120]} {outcome.left or ''}", flush=True)
            if not outcome.right:
                print(outcome.said[-1500:])
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

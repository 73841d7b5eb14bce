"""What sounds stays in memory where it may, and goes on without where it may not."""

import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
from pathlib import Path
from engine.memory_lock import lock_memory
print(lock_memory())
touched = bytearray(30_000_000)
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmLck")))
"""

WITHOUT = ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"]
"""The capability that knows no limit is dropped."""


def locked(*before: str) -> tuple[bool, int]:
    """Whether a child says that it is locked, and how many kB are."""
    said, size = subprocess.check_output([*before, sys.executable, "-c", CHILD], text=True).split()
    return said == "True", int(size)


def may_lock() -> bool:
    capable = int(Path("/proc/self/status").read_text().split("CapEff:")[1].split()[0], 16)
    return bool(capable >> 14 & 1)


@pytest.mark.skipif(not may_lock(), reason="needs CAP_IPC_LOCK, as root has")
def test_where_nothing_limits_it_what_is_touched_later_is_locked_too():
    said, size = locked()
    assert said
    assert size > 29_000


@pytest.mark.skipif(not may_lock(), reason="needs CAP_IPC_LOCK, to drop it")
def test_under_a_limit_nothing_is_locked_so_that_no_memory_is_refused_later():
    assert locked("prlimit", "--memlock=1000000", *WITHOUT) == (False, 0)


@pytest.mark.skipif(not may_lock(), reason="needs CAP_IPC_LOCK, as root has")
def test_the_process_that_sounds_locks_what_it_has():
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.sound.process", "--control", "0", "--audio", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        status = Path(f"/proc/{process.pid}/status")
        size = 0
        while size < 20_000:
            assert process.poll() is None
            size = int(status.read_text().split("VmLck:")[1].split()[0])
    finally:
        process.kill()
        process.communicate()

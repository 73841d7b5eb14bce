# pyright: strict
"""All faults, one after the other, against an installation that runs."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import PerpetuumError
from engine.installation.chaos.fault import Fault, NoFault
from engine.installation.chaos.faults.files import FILE_FAULTS
from engine.installation.chaos.faults.machine import MACHINE_FAULTS
from engine.installation.chaos.faults.processes import PROCESS_FAULTS
from engine.installation.chaos.measuring import FaultMeasures, measure
from engine.installation.chaos.report import FaultReport
from engine.installation.chaos.rig import Rig

FAULTS: tuple[Fault, ...] = (NoFault(), *PROCESS_FAULTS, *FILE_FAULTS, *MACHINE_FAULTS)
"""All, in the order in which they are provoked; the control comes first."""

DISK_BYTES = 8 << 20
"""Of the small disk for the state folder."""


def chosen(only: Sequence[str]) -> tuple[Fault, ...]:
    """The control, and the faults whose names have one of some words; all without any.

    Raises:
        PerpetuumError: no fault has them.
    """
    found = tuple(fault for fault in FAULTS if not only or any(words in fault.name for words in only))
    if not found:
        raise PerpetuumError(f"no fault is called {', '.join(only)}", "`perpetuum chaos --list` names them")
    return found if isinstance(found[0], NoFault) else (FAULTS[0], *found)


def run_chaos(
    installation: Path,
    times: int,
    faults: Sequence[Fault],
    tell: Callable[[str], None] = lambda text: None,
    keep_log: Path | None = None,
) -> Iterator[FaultReport]:
    """Provoke faults, each some times.

    Args:
        installation: its file.
        times: how often each.
        faults: which; the first is the control.
        tell: told what is done, for people.
        keep_log: where the log of all processes is kept.

    Raises:
        PerpetuumError: the installation does not play, or what is needed is not there.
    """
    with tempfile.TemporaryDirectory(prefix="perpetuum-chaos-") as place, small_disk(Path(place)) as state:
        rig = Rig(installation, Path(place), state)
        try:
            with rig:
                rig.hear_sound()
                control: FaultMeasures | None = None
                for fault in faults:
                    report = _report(rig, fault, times, control, tell)
                    if isinstance(fault, NoFault) and report.times:
                        control = max(report.times, key=lambda one: one.silence)
                    yield report
        finally:
            if keep_log is not None:
                with suppress(OSError):
                    keep_log.write_text(rig.log)


def _report(
    rig: Rig, fault: Fault, times: int, control: FaultMeasures | None, tell: Callable[[str], None]
) -> FaultReport:
    reason = fault.why_not(rig)
    if reason:
        return FaultReport(fault, (), control, reason)
    found: list[FaultMeasures] = []
    for number in range(1, times + 1):
        tell(f"{fault.name}: {number} of {times}")
        found.append(measure(rig, fault))
    return FaultReport(fault, tuple(found), control)


@contextmanager
def small_disk(folder: Path) -> Generator[Path]:
    """A folder on a small file system of its own, where that can be mounted; else a plain one."""
    state = folder / "state"
    state.mkdir()
    image = folder / "disk"
    image.write_bytes(b"")
    with image.open("r+b") as file:
        file.truncate(DISK_BYTES)
    made = _works("mkfs.ext4", "-q", "-F", str(image)) and _works("mount", "-o", "loop", str(image), str(state))
    try:
        yield state
    finally:
        if made:
            _works("fsfreeze", "-u", str(state))
            _works("umount", "-l", str(state))


def _works(*command: str) -> bool:
    with suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, timeout=30).returncode == 0
    return False

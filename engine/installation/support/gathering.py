# pyright: strict
"""What a support bundle holds: files, versions, how it is and was. Each part is had by itself, running or not."""

from __future__ import annotations

import json
import os
import platform
import stat
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import distributions
from itertools import islice
from pathlib import Path

import msgspec

from engine import __version__
from engine.errors import PerpetuumError
from engine.files import open_regular, read_bytes, stem_of
from engine.health.machine import processes_with, runs, up_since
from engine.health.programs import output_of
from engine.installation.choices.access import Listening
from engine.installation.choices.secret import Secret
from engine.installation.installation import Installation
from engine.installation.keeper.hands.control import ask
from engine.installation.loading import look_into_installation
from engine.installation.reading.entries import NamedScenes
from engine.installation.state_place import default_state
from engine.installation.support.bundle import LARGEST_PART, Part
from engine.installation.support.secrets import named_secrets
from engine.journal.reader import Journal
from engine.journal.schema import NAME
from engine.scenes.instruments.files import Instruments
from engine.scenes.loading import Checked, read_tree
from engine.scenes.text.nodes import MapNode, ScalarNode

PATIENCE = 3.0
"""Seconds that an installation may take to answer."""

MOST_HAPPENINGS = 20_000
MOST_FILES = 2_000

BOARD = (
    "/proc/device-tree/model",
    "/etc/os-release",
    "/boot/firmware/config.txt",
    "/boot/firmware/cmdline.txt",
    "/proc/asound/cards",
    "/proc/meminfo",
    "/proc/loadavg",
)
"""Files of the system that say what machine it is."""


@dataclass
class SupportCase:
    """An installation of which a bundle is made, as far as its file can be read.

    Attributes:
        path: of its file.
        installation: None where its file is not valid.
        state: folder of its state.
        secrets: that its file names.
        problems: what is wrong with the file, in words.
        scenes: files that it names.
    """

    path: Path
    installation: Installation | None
    state: Path
    secrets: set[Secret]
    problems: str
    scenes: list[Path] = field(default_factory=list[Path])

    @property
    def pid(self) -> int | None:
        """The process that runs it, as far as its lock says."""
        with suppress(OSError, ValueError):
            pid = int(read_bytes(self.state / "lock", 20).decode("ascii", "replace"))
            return pid if runs(pid) else None
        return None


def support_case(path: Path, state: Path | None = None) -> SupportCase:
    """Read what can be read of an installation file.

    Args:
        path: of the file.
        state: folder of its state; None: that of the file.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    source, node = read_tree(path)
    scenes: dict[Path, Checked | None] = {}
    checked = look_into_installation(source, node, NamedScenes(Instruments(), scenes))
    said = node.get("state") if isinstance(node, MapNode) else None
    folder = default_state(stem_of(path))
    if isinstance(said, ScalarNode) and said.text and "\0" not in said.text:
        folder = source.folder.absolute() / said.text
    problems = "\n\n".join(one.text() for one in checked.diagnostics) or "none"
    secrets = named_secrets(source.text, node, source.folder)
    return SupportCase(path, checked.installation, state or folder, secrets, problems, list(scenes))


def parts_of(case: SupportCase, doctor: Callable[[], str], hours: float) -> Iterator[Part]:
    """All that a bundle of an installation holds, the most telling first.

    Args:
        case: the installation.
        doctor: gives the findings of the doctor as JSON.
        hours: of the journal.
    """
    yield "versions.json", versions
    yield "problems.txt", lambda: case.problems
    yield f"files/{case.path.name}", lambda: _text(case.path)
    yield "status.json", lambda: ask(case.state, "status")
    for address in (case.installation.listening if case.installation is not None else Listening()).health:
        for name in ("metrics", "readyz"):
            yield f"{name}-{address.port}.txt", lambda url=f"http://{address}/{name}": _fetched(url)
    yield "doctor.json", doctor
    yield "journal.jsonl", lambda: journal_excerpt(case.state / NAME, hours)
    unit = f"perpetuum@{stem_of(case.path)}"
    yield "log/systemd.txt", lambda: _program("journalctl", "-u", unit, "-n", "5000", "--no-pager", "-o", "short-iso")
    yield "log/kernel.txt", lambda: _program("journalctl", "-k", "-p", "warning", "-n", "500", "--no-pager")
    yield "unit.txt", lambda: _unit(unit)
    for path in sorted((case.state / "log").glob("*.log*"))[-8:]:
        yield f"log/{path.name}", lambda path=path: _tail(path)
    yield "state.txt", lambda: listing(case.state)
    yield "processes.txt", processes
    yield "disk.txt", lambda: _program("df", "-h")
    for path in BOARD:
        if Path(path).exists():
            yield f"system/{Path(path).name}", lambda path=path: _text(Path(path))
    for path in case.scenes:
        yield f"files/scenes/{path.name}", lambda path=path: _text(path)


def versions() -> str:
    """Of everything that is installed here."""
    packages = {one.name: one.version for one in distributions()}
    return json.dumps(
        {
            "perpetuum": __version__,
            "python": sys.version,
            "platform": platform.platform(),
            "machine": platform.machine(),
            "processors": os.cpu_count(),
            "up_since": up_since().isoformat(timespec="seconds"),
            "packages": dict(sorted(packages.items())),
        },
        indent=2,
    )


def journal_excerpt(path: Path, hours: float) -> str:
    """What happened in the last hours, one line of JSON each; runs of the sound first.

    Raises:
        PerpetuumError: there is no journal, or it cannot be read.
    """
    since = time.time() - hours * 3600
    with Journal(path) as journal:
        lines = [_line("Sitting", sitting.began, sitting) for sitting in journal.sittings(since)]
        found = (_line(type(one.value).__name__, one.wall, one.value) for one in journal.happenings(since))
        newest = deque(found, MOST_HAPPENINGS)
    return "\n".join([*lines, *newest, ""])


def listing(folder: Path) -> str:
    """Names, sizes and times of what lies in a folder.

    Raises:
        PerpetuumError: there is no such folder.
    """
    if not folder.is_dir():
        raise PerpetuumError(f"there is no folder {folder}")
    lines = [str(folder)]
    for path in islice(sorted(folder.rglob("*")), MOST_FILES):
        with suppress(OSError):
            told = path.lstat()
            changed = datetime.fromtimestamp(told.st_mtime, UTC).isoformat(timespec="seconds")
            lines.append(f"{stat.filemode(told.st_mode)} {told.st_size:>12} {changed} {path.relative_to(folder)}")
    return "\n".join([*lines, ""])


def processes() -> str:
    """Ours, and what they use."""
    return "\n".join([*processes_with(("engine.", "perpetuum")), ""])


def _line(kind: str, wall: float, value: object) -> str:
    at = datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
    fields = msgspec.to_builtins(value, enc_hook=str)
    return json.dumps({"at": at, "what": kind, **(fields if isinstance(fields, dict) else {"value": str(fields)})})


def _text(path: Path) -> str:
    return _whole_lines(read_bytes(path, LARGEST_PART)).replace("\0", "")


def _tail(path: Path) -> str:
    with open_regular(path) as file:
        start = max(0, os.fstat(file.fileno()).st_size - LARGEST_PART)
        file.seek(start)
        data = file.read(LARGEST_PART)
    # What is cut begins with a whole line: half a secret would not be known.
    return (data.partition(b"\n")[2] if start else data).decode("utf-8", "replace")


def _fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        data: bytes = response.read(LARGEST_PART + 1)
        return _whole_lines(data)


def _whole_lines(data: bytes) -> str:
    """Text of what was read with a limit, which ends with a whole line; see `_tail`."""
    return (data.rpartition(b"\n")[0] if len(data) > LARGEST_PART else data).decode("utf-8", "replace")


def _unit(unit: str) -> str:
    """How systemd runs it. Its environment is left out: it holds secrets, of which only the names of some are known."""
    lines = _program("systemctl", "show", unit, "--no-pager").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("Environment="))


def _program(*command: str) -> str:
    """What another program says.

    Raises:
        PerpetuumError: it is not there, or fails.
    """
    printed = output_of(*command)
    if printed is None:
        raise PerpetuumError(f"`{' '.join(command)}` is not here, or fails")
    return printed

# pyright: strict
"""The machine: time, heat, power, disk, limits."""

from __future__ import annotations

import grp
import os
import pwd
import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from engine.health.board import BoardCollector
from engine.health.clock import FIRST_YEAR
from engine.health.doctor.diagnosis import Diagnosis, Grade
from engine.health.programs import output_of
from engine.memory_lock import may_lock_memory

HOT = 75.0
"""Degrees at which a board is about to slow down."""

LEAST_SPACE, LOW_SPACE = 100e6, 1e9
"""Bytes that must be free on the disk of the state, and that should be."""

LEAST_MEMORY = 400e6
"""Bytes of memory that an installation wants."""


def clock(year: int | None = None, synchronised: str | None = None) -> Diagnosis:
    """Whether the clock on the wall can be trusted with a timetable.

    Args:
        year: that it shows; None: ask.
        synchronised: what `timedatectl show -P NTPSynchronized` prints; None: ask.
    """
    year = time.localtime().tm_year if year is None else year
    if year < FIRST_YEAR:
        return Diagnosis("clock", Grade.BAD, f"it shows the year {year}", "set it, or let a time service do so")
    said = output_of("timedatectl", "show", "-P", "NTPSynchronized") if synchronised is None else synchronised
    match (said or "").strip():
        case "yes":
            return Diagnosis("clock", Grade.GOOD, "it is set by a time service")
        case "no":
            return Diagnosis(
                "clock",
                Grade.DOUBTFUL,
                "no time service has set it",
                "apt install systemd-timesyncd, or fit a battery-backed clock; `unknown_time` says what counts without",
            )
        case _:
            shown = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
            return Diagnosis("clock", Grade.UNKNOWN, f"it shows {shown}; nobody says whether a service sets it")


def board(root: Path = Path("/")) -> list[Diagnosis]:
    """Heat and power, where the board tells."""
    values = {family.name: family.samples[0].value for family in BoardCollector(root).collect()}
    found: list[Diagnosis] = []
    temperature = values.get("perpetuum_board_temperature_celsius")
    if temperature is not None:
        hot = temperature >= HOT
        found.append(
            Diagnosis(
                "temperature",
                Grade.DOUBTFUL if hot else Grade.GOOD,
                f"{temperature:.0f} °C",
                "give the board air or a heat sink: it slows down from 80 °C on" if hot else "",
            )
        )
    if "perpetuum_board_undervoltage" in values:
        now, ever = values["perpetuum_board_undervoltage"], values["perpetuum_board_undervoltage_ever"]
        slowed = values["perpetuum_board_throttled_ever"]
        remedy = "use the power supply that belongs to the board, and a short cable" if ever else ""
        text = "too little now" if now else "was too little since the start" if ever else "enough"
        grade = Grade.BAD if now else Grade.DOUBTFUL if ever else Grade.GOOD
        found.append(Diagnosis("power supply", grade, text, remedy))
        if slowed and not ever:
            found.append(Diagnosis("processor", Grade.DOUBTFUL, "has been slowed down since the start", "give it air"))
    return found


def memory(path: Path = Path("/proc/meminfo")) -> Diagnosis:
    """Whether there is enough of it."""
    try:
        fields = dict(line.split(":", 1) for line in path.read_text("ascii").splitlines() if ":" in line)
        available = float(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError, IndexError):
        return Diagnosis("memory", Grade.UNKNOWN, "the system does not say how much there is")
    enough = available >= LEAST_MEMORY
    remedy = "" if enough else "stop what else runs, or use a scene with fewer networks"
    return Diagnosis("memory", Grade.GOOD if enough else Grade.BAD, f"{available / 1e6:.0f} MB to be had", remedy)


def limits(user: str | None = None) -> list[Diagnosis]:
    """Whether processes may run in real time and keep their memory, and whether the user may use sound cards.

    Args:
        user: who runs it; None: whoever asks.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = [
        Diagnosis("real-time priority", Grade.GOOD, "allowed")
        if soft or os.geteuid() == 0
        else Diagnosis(
            "real-time priority",
            Grade.DOUBTFUL,
            "not allowed; a busy machine may interrupt the player",
            "add `@audio - rtprio 95` to /etc/security/limits.d/audio.conf, and log in anew",
        ),
        Diagnosis("open files", Grade.GOOD, f"{files} allowed")
        if files >= 256
        else Diagnosis("open files", Grade.BAD, f"only {files} allowed", "raise `nofile` in /etc/security/limits.d"),
        Diagnosis("locked memory", Grade.GOOD, "allowed")
        if may_lock_memory()
        else Diagnosis(
            "locked memory",
            Grade.DOUBTFUL,
            "limited; where memory runs short, what waits to take over is read from the disk first",
            "add `@audio - memlock unlimited` to /etc/security/limits.d/audio.conf, and log in anew",
        ),
    ]
    try:
        name = user or pwd.getpwuid(os.geteuid()).pw_name
        audio = grp.getgrnam("audio")
        member = name in audio.gr_mem or pwd.getpwnam(name).pw_gid == audio.gr_gid or name == "root"
    except KeyError:
        return [*found, Diagnosis("group audio", Grade.UNKNOWN, "there is no such group, or no such user")]
    if member:
        return [*found, Diagnosis("group audio", Grade.GOOD, f"{name} is in it")]
    remedy = f"sudo usermod -aG audio {name}, and log in anew"
    return [*found, Diagnosis("group audio", Grade.DOUBTFUL, f"{name} is not in it: bare ALSA cards stay shut", remedy)]


def state_folder(folder: Path) -> list[Diagnosis]:
    """Whether the state can be written, and for how long there is room."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    found: list[Diagnosis] = []
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".perpetuum-doctor-") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        remedy = f"give it to the user who runs the installation: sudo install -d -o USER {folder}"
        return [Diagnosis("state folder", Grade.BAD, f"{folder} cannot be written: {error.strerror}", remedy)]
    found.append(Diagnosis("state folder", Grade.GOOD, f"{folder} can be written"))
    with suppress(OSError):
        free = shutil.disk_usage(there).free
        grade = Grade.BAD if free < LEAST_SPACE else Grade.DOUBTFUL if free < LOW_SPACE else Grade.GOOD
        remedy = "" if grade is Grade.GOOD else "delete old recordings, or shorten what `keep` and the journal keep"
        found.append(Diagnosis("disk", grade, f"{free / 1e9:.1f} GB free where the state lies", remedy))
    return found


def worst(findings: Sequence[Diagnosis]) -> Grade:
    """The worst grade among findings; what is unknown is no fault."""
    order = (Grade.BAD, Grade.DOUBTFUL)
    return next((grade for grade in order if any(one.grade is grade for one in findings)), Grade.GOOD)

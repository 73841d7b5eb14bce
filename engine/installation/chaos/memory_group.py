# pyright: strict
"""A control group of our own, in which an installation is started, to give it so much memory and no more."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from engine.errors import PerpetuumError

CGROUPS = Path("/sys/fs/cgroup")


class MemoryGroup:
    """A group of the memory controller, of whichever version the kernel has (cgroups(7)).

    Memory belongs to the group in which it was asked for: what is put into a group later brings none along.

    Attributes:
        can_slow: whether what takes too much can be slowed instead of being killed: version 2 alone can.

    Raises:
        PerpetuumError: no such group can be made here.
    """

    def __init__(self) -> None:
        controllers = CGROUPS / "cgroup.controllers"
        self.can_slow = controllers.exists() and "memory" in controllers.read_text().split()
        root = CGROUPS if self.can_slow else CGROUPS / "memory"
        self._group = root / f"perpetuum-chaos-{os.getpid()}"
        self._anonymous = "anon" if self.can_slow else "total_rss"
        self._most = self._group / ("memory.max" if self.can_slow else "memory.limit_in_bytes")
        self._high = self._group / "memory.high"
        try:
            self._group.mkdir()
            if not self._most.exists():
                raise OSError("there is no memory controller")
        except OSError as error:
            self.close()
            raise PerpetuumError(f"no control group with memory can be made here: {error}") from error

    @property
    def used(self) -> int:
        """Bytes that cannot be had back by forgetting what files hold, too."""
        lines = (self._group / "memory.stat").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.split()[0] == self._anonymous)

    def inside(self, command: Sequence[str]) -> list[str]:
        """A command that runs another within the group, as the same process."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._group / "cgroup.procs"), *command]

    def slow_above(self, size: int | None) -> None:
        """Have the kernel take pages back all the time while more than so many bytes are used; None: never."""
        self._high.write_text("max" if size is None else str(size))

    def kill_above(self, size: int | None) -> None:
        """Have the kernel end a process of the group when it needs more than so many bytes; None: never."""
        self._most.write_text(str(size) if size is not None else "max" if self.can_slow else "-1")

    def close(self) -> None:
        """Take it away; its processes have ended."""
        with suppress(OSError):
            self._group.rmdir()

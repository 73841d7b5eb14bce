# pyright: strict
"""The machine around an installation: its processors, its memory, its clock, its sound."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

from engine.installation.chaos.fault import MOST_SILENCE, RESTORED_WITHIN, Fault
from engine.installation.chaos.memory_group import MemoryGroup
from engine.installation.chaos.rig import Rig
from engine.installation.chaos.rungs import LadderRung

DAY = 86_400
MIB = 1 << 20
ROOM, TAKEN = 32 * MIB, 64 * MIB
"""Bytes that are left to a program that takes memory, and bytes that it takes beyond."""

_HOG = "import sys, time; taken = b'x' * int(sys.argv[1]); time.sleep(600)"


class BusyLoops(Fault):
    """Two loops for each processor, for a minute."""

    name = "processors busy for a minute"
    lasts = 60.0

    def provoke(self, rig: Rig) -> None:
        """Start them."""
        count = 2 * (os.cpu_count() or 1)
        self._loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]

    def undo(self, rig: Rig) -> None:
        """End them."""
        for loop in self._loops:
            loop.kill()
            loop.wait()


class BusyAndMindKilled(BusyLoops):
    """The mind is killed while processors are busy: what it had decided lasts until another has begun."""

    name = "mind killed while processors are busy"
    lasts = 20.0
    rungs = frozenset({LadderRung.LAST_BARS})

    def provoke(self, rig: Rig) -> None:
        """Both."""
        pid = rig.process("mind")
        super().provoke(rig)
        with suppress(ProcessLookupError):
            os.kill(pid, 9)


class MemoryPressure(Fault):
    """The installation may have a tenth less memory than it has, so that the kernel takes pages back all the time."""

    name = "memory pressure"
    lasts = 20.0

    def why_not(self, rig: Rig) -> str:
        """Only where its control group can do that."""
        if isinstance(rig.memory, str):
            return rig.memory
        return "" if rig.memory.can_slow else "control groups of version 1 cannot slow what takes too much memory"

    def provoke(self, rig: Rig) -> None:
        """Set the limit."""
        group = rig.memory
        assert isinstance(group, MemoryGroup)
        group.slow_above(int(group.used * 0.9))

    def undo(self, rig: Rig) -> None:
        """Let it have all again."""
        assert isinstance(rig.memory, MemoryGroup)
        rig.memory.slow_above(None)


class MemoryRunsOut(Fault):
    """Another program takes more memory than there is: the kernel ends processes, and may end those that can be made
    again unheard."""

    name = "memory runs out"
    lasts = 10.0
    rungs = frozenset({LadderRung.LAST_BARS})

    def why_not(self, rig: Rig) -> str:
        """Only where there is a control group."""
        return rig.memory if isinstance(rig.memory, str) else ""

    def provoke(self, rig: Rig) -> None:
        """Set the limit, and take more."""
        group = rig.memory
        assert isinstance(group, MemoryGroup)
        group.kill_above(group.used + ROOM)
        self._hog = subprocess.Popen(group.inside([sys.executable, "-c", _HOG, str(ROOM + TAKEN)]))

    def undo(self, rig: Rig) -> None:
        """End it."""
        assert isinstance(rig.memory, MemoryGroup)
        self._hog.kill()
        self._hog.wait()
        rig.memory.kill_above(None)


class WallClock(Fault):
    """The wall clock leaps, and back; what is monotonic goes on.

    Args:
        name: of the fault.
        step: seconds.
    """

    lasts = 10.0

    def __init__(self, name: str, step: int) -> None:
        self.name = name
        self._step = step

    def why_not(self, rig: Rig) -> str:
        """Only where the clock of some processes alone can leap."""
        return "" if rig.wall_clock.works else "there is no C compiler"

    def provoke(self, rig: Rig) -> None:
        """Set it."""
        rig.wall_clock.set(self._step)

    def undo(self, rig: Rig) -> None:
        """Set it back."""
        rig.wall_clock.set(0)


class ServerRestarted(Fault):
    """The audio server ends and is started again. What the output misses meanwhile is not heard by anybody."""

    name = "audio server restarted"
    silence = 5.0
    rungs = frozenset({LadderRung.UNHEARD})

    def provoke(self, rig: Rig) -> None:
        """End it, start it."""
        rig.restart_server()


class CardRemoved(Fault):
    """The card is pulled out, and comes back under another number."""

    name = "sound card away for 5 s, back under another number"
    lasts = 5.0
    silence = lasts + RESTORED_WITHIN + MOST_SILENCE
    rungs = frozenset({LadderRung.UNHEARD})

    def provoke(self, rig: Rig) -> None:
        """Unload the sink; a server without any sink would make one of its own."""
        modules = [
            line.split()[0] for line in rig.pactl("list", "short", "modules").splitlines() if "null-sink" in line
        ]
        self._other = rig.pactl("load-module", "module-null-sink", "sink_name=other")
        for module in modules:
            rig.pactl("unload-module", module)

    def undo(self, rig: Rig) -> None:
        """Load it again."""
        name, *arguments = rig.sink.split()
        rig.pactl("load-module", f"module-{name}", *arguments)
        rig.pactl("unload-module", self._other)


MACHINE_FAULTS: tuple[Fault, ...] = (
    BusyLoops(),
    BusyAndMindKilled(),
    MemoryPressure(),
    MemoryRunsOut(),
    WallClock("wall clock 14 days later", 14 * DAY),
    WallClock("wall clock 14 days earlier", -14 * DAY),
    WallClock("wall clock an hour later (daylight saving)", 3600),
    ServerRestarted(),
    CardRemoved(),
)

# pyright: strict
"""Processes that are killed, stopped, break by themselves, or answer nonsense."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

from engine.installation.chaos.fault import MOST_SILENCE, Fault
from engine.installation.chaos.processes import descendants, stop_tree, tell
from engine.installation.chaos.rig import Rig
from engine.installation.chaos.rungs import LadderRung
from engine.sabotage import Sabotage

KEEPER_BACK = 3.0
"""Seconds of silence that the loss of the keeper may cost."""


class Signalled(Fault):
    """Processes get a signal, one after the other.

    Args:
        name: of the fault.
        number: of the signal.
        whom: names of processes, see `Rig.process`.
        pause: seconds between two of them.
        silence: that it may cost.
        rungs: that may be heard.
    """

    def __init__(
        self,
        name: str,
        number: int,
        whom: Sequence[str],
        pause: float = 0.0,
        silence: float = MOST_SILENCE,
        rungs: frozenset[LadderRung] = frozenset(),
    ) -> None:
        self.name = name
        self.silence = silence
        self.rungs = rungs
        self._number = number
        self._whom = whom
        self._pause = pause

    def provoke(self, rig: Rig) -> None:
        """Send the signals."""
        if not self._pause:
            tell([rig.process(name) for name in self._whom], self._number)
            return
        for name in self._whom:
            tell([rig.process(name)], self._number)
            time.sleep(self._pause)


class Sabotaged(Fault):
    """A child commits something by itself.

    Args:
        name: of the fault.
        what: it commits.
        whom: name of the process.
        lasts: seconds.
        rungs: that may be heard.
    """

    def __init__(
        self, name: str, what: Sabotage, whom: str, lasts: float = 0.0, rungs: frozenset[LadderRung] = frozenset()
    ) -> None:
        self.name = name
        self.lasts = lasts
        self.rungs = rungs
        self._what = what
        self._whom = whom

    def provoke(self, rig: Rig) -> None:
        """Tell it to."""
        self._pid = rig.process(self._whom)
        tell([self._pid], self._what.signal)

    def undo(self, rig: Rig) -> None:
        """Tell it to stop, if it is still there."""
        if self._what is not Sabotage.SEGFAULT and self._pid in descendants(rig.keeper):
            tell([self._pid], Sabotage.NONE.signal)


class TreeStopped(Fault):
    """All of it is stopped, as by a machine that is suspended; what is not ours goes on."""

    name = "all stopped for 30 s"
    lasts = 30.0
    silence = 30.5
    keeps_time = False
    rungs = frozenset({LadderRung.GONE})

    def provoke(self, rig: Rig) -> None:
        """Stop them."""
        self._pids = stop_tree(rig.keeper)

    def undo(self, rig: Rig) -> None:
        """Let them go on."""
        tell(self._pids, signal.SIGCONT)


_AWAY = frozenset({LadderRung.LAST_BARS})
_KEEPER = frozenset({LadderRung.GONE, LadderRung.NOT_BEGUN})

PROCESS_FAULTS: tuple[Fault, ...] = (
    Signalled("mind killed", signal.SIGKILL, ["mind"], rungs=_AWAY),
    Signalled("mind stopped", signal.SIGSTOP, ["mind"], rungs=_AWAY),
    Sabotaged("mind: null dereference", Sabotage.SEGFAULT, "mind", rungs=_AWAY),
    Signalled("worker killed", signal.SIGKILL, ["worker"]),
    Signalled("worker stopped", signal.SIGSTOP, ["worker"]),
    Sabotaged("worker: null dereference", Sabotage.SEGFAULT, "worker"),
    Sabotaged("worker answers garbage", Sabotage.GARBAGE, "worker", lasts=20.0),
    Sabotaged("worker slow (30 s a phrase)", Sabotage.SLOW, "worker", lasts=20.0),
    Signalled("audio killed", signal.SIGKILL, ["audio"]),
    Signalled("audio stopped", signal.SIGSTOP, ["audio"]),
    Sabotaged("audio: null dereference", Sabotage.SEGFAULT, "audio"),
    Signalled("spare killed", signal.SIGKILL, ["spare"]),
    Signalled("spare stopped", signal.SIGSTOP, ["spare"]),
    Signalled("player killed", signal.SIGKILL, ["player"]),
    Signalled("player stopped", signal.SIGSTOP, ["player"]),
    Signalled("player: segmentation fault", signal.SIGSEGV, ["player"]),
    Signalled("audio and spare killed", signal.SIGKILL, ["spare", "audio"]),
    Signalled("audio and spare stopped", signal.SIGSTOP, ["spare", "audio"]),
    Signalled("audio killed twice in 0.7 s", signal.SIGKILL, ["audio", "audio"], pause=0.7),
    Signalled("audio killed three times in 1.4 s", signal.SIGKILL, ["audio"] * 3, pause=0.7, silence=3.0),
    Signalled("audio and player killed", signal.SIGKILL, ["audio", "player"]),
    Signalled("mind and audio killed", signal.SIGKILL, ["mind", "audio"], rungs=_AWAY),
    Signalled("keeper killed", signal.SIGKILL, ["keeper"], silence=KEEPER_BACK, rungs=_KEEPER),
    Sabotaged("sound silent though notes are due", Sabotage.SILENT, "audio", lasts=5.0),
    Sabotaged("sound clipping", Sabotage.CLIPPING, "audio", lasts=5.0),
    Sabotaged("sound with a constant part", Sabotage.OFFSET, "audio", lasts=5.0),
    Sabotaged("sound not finite", Sabotage.NOT_FINITE, "audio", lasts=5.0),
    TreeStopped(),
)

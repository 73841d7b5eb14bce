# pyright: strict
"""One fault is provoked once, and what was heard and said of it is measured."""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.errors import PerpetuumError
from engine.installation.chaos.capture import longest_repeat, longest_silence
from engine.installation.chaos.fault import Fault
from engine.installation.chaos.rig import Rig
from engine.installation.chaos.rungs import LadderRung
from engine.score.time import SAMPLE_RATE

LOOK_BACK = 5 * SAMPLE_RATE
"""Frames before a fault in which what comes again later may lie."""

CHUNK_SECONDS = 1024 / SAMPLE_RATE
"""What an output takes at a time."""

MOST_REPEATED = 1.0
"""Seconds that may come twice."""

LONGEST_WAIT = 60.0
"""Seconds that are waited for the music to come back."""


@dataclass(frozen=True, slots=True)
class FaultMeasures:
    """What one fault cost, once.

    Attributes:
        silence: seconds of the longest silence.
        repeated: seconds of the longest stretch that came twice.
        drift: seconds by which the frames that were taken differ from time; None where the count began anew.
        rungs: seconds on each rung but the music.
        restored: seconds from the end of the cause to the music; None: it did not come back.
        problem: why it could not be provoked; empty if it was.
    """

    silence: float = 0.0
    repeated: float = 0.0
    drift: float | None = None
    rungs: tuple[tuple[LadderRung, float], ...] = ()
    restored: float | None = None
    problem: str = ""

    def missed(self, fault: Fault, control: FaultMeasures | None) -> list[str]:
        """The bars that were missed, in words; none: all were met.

        Args:
            fault: that was provoked.
            control: what the control cost.
        """
        if self.problem:
            return [self.problem]
        found: list[str] = []
        if self.silence > (control.silence if control else 0.0) + fault.silence:
            found.append(f"silent for {self.silence:.2f} s")
        if self.repeated > MOST_REPEATED and not fault.rungs & {LadderRung.LAST_BARS, LadderRung.RECORDING}:
            found.append(f"{self.repeated:.1f} s came twice")
        if fault.keeps_time and self.drift is not None and abs(self.drift) > CHUNK_SECONDS:
            found.append(f"frames are {1000 * self.drift:+.0f} ms off")
        if unexpected := [str(rung) for rung, seconds in self.rungs if rung not in fault.rungs and seconds > 0.3]:
            found.append(f"fell to: {', '.join(unexpected)}")
        if self.restored is None:
            found.append("did not come back")
        elif self.restored > fault.restored:
            found.append(f"back after {self.restored:.1f} s")
        return found


def measure(rig: Rig, fault: Fault) -> FaultMeasures:
    """Provoke a fault once.

    Args:
        rig: the installation plays.
        fault: what to provoke.
    """
    if not rig.settle():
        return FaultMeasures(problem="it did not settle before")
    pace = rig.rungs.pace()
    begin = rig.capture.frames
    rig.rungs.begin()
    try:
        fault.provoke(rig)
    except PerpetuumError as error:
        return FaultMeasures(problem=str(error))
    try:
        time.sleep(fault.lasts)
    finally:
        fault.undo(rig)
    undone = time.monotonic()
    time.sleep(fault.after)
    while rig.rungs.stay.restored is None and time.monotonic() < undone + LONGEST_WAIT:
        time.sleep(0.1)
    stay = rig.rungs.stay
    later = rig.rungs.pace()
    drift = (later - pace) / SAMPLE_RATE if pace is not None and later is not None else None
    sound = rig.capture.since(begin - LOOK_BACK)
    here = min(LOOK_BACK, begin)
    return FaultMeasures(
        longest_silence(sound[here:]),
        longest_repeat(sound, here),
        drift if LadderRung.NOT_BEGUN not in stay.seconds else None,  # another keeper counts anew
        tuple((rung, seconds) for rung, seconds in stay.seconds.items() if rung is not LadderRung.MUSIC),
        max(0.0, stay.restored - undone) if stay.restored is not None else None,
    )

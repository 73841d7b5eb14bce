# pyright: strict
"""The audio process that is heard, and how it is replaced when it is lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from engine.processes.child import exit_text
from engine.processes.pipe import Pipe
from engine.processes.reports import Cause
from engine.processes.supervision import Finding, Supervision
from engine.runtime.audio.failover.memory import FOREVER, Memory
from engine.runtime.audio.failover.poison import PoisonGuard
from engine.runtime.audio.failover.silence import SilenceGuard
from engine.runtime.audio.failover.spare import SPARE_DELAY, Spare
from engine.runtime.audio.failover.takeover import BLEND, PREROLL, Takeover
from engine.runtime.audio.graph_log import GraphLog, HeardGraphs
from engine.runtime.audio.inbox import Inbox
from engine.runtime.audio.processes import AudioChild, AudioProcesses
from engine.runtime.audio.reports import AudioReporter
from engine.runtime.audio.states import Attached, AudioState, End, Lost, Over, Racing, Standing, state_of
from engine.sound.messages import BLOCK, LevelReading, Ready, Release, Setup, TakenLate, ToSound, Trouble

log = logging.getLogger(__name__)

REFUSED = 3
"""Processes that could not build the graph of a new scene after which that scene is given up."""

URGENT = 1.25
"""Times the memory budget at which a process is replaced even if no spare is ready."""


class Primary:
    """Has one process play; one that is lost gives way to another, which goes on at the very frame.

    Not thread-safe; whoever owns it holds a lock.

    Args:
        pipe: where the sound goes.
        processes: starts and ends processes.
        spare: may take over.
        inbox: for what comes back.
        supervision: of the process.
        report: told what notes are left out.
        live: whether it is replaced; otherwise the render has failed with it.
        patience: seconds without a new block, though there is room, after which it counts as hung.
        start_patience: seconds from a setup to the first block.
        clock: gives seconds.

    Attributes:
        memory: what it was told, or whoever comes next will be.
        problem: why the render failed.
    """

    def __init__(
        self,
        pipe: Pipe,
        processes: AudioProcesses,
        spare: Spare,
        inbox: Inbox,
        supervision: Supervision,
        report: AudioReporter,
        live: bool,
        patience: float,
        start_patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.memory = Memory()
        self.problem = ""
        self._pipe = pipe
        self._processes = processes
        self._spare = spare
        self._inbox = inbox
        self._supervision = supervision
        self._report = report
        self._graphs = HeardGraphs(report)
        self._live = live
        self._patience = patience
        self._start_patience = start_patience
        self._clock = clock
        self._now: Standing = Lost(float("inf"))
        self._base = 0
        self._began_at = 0
        self._last_progress = 0
        self._unproven: Setup | None = None
        self._poison = PoisonGuard()
        self._silence = SilenceGuard(lambda start, end: self.memory.sounds(start, end))
        self._lost_from: int | None = None

    # What it is

    @property
    def state(self) -> AudioState:
        """What it is doing."""
        return state_of(self._now)

    @property
    def over(self) -> bool:
        """Whether no more sound will come."""
        return isinstance(self._now, Over)

    @property
    def child(self) -> AudioChild | None:
        """The process that is heard, if there is one."""
        return self._now.child if isinstance(self._now, Attached) else None

    @property
    def racing(self) -> Takeover | None:
        """The candidates for its place, while there are any."""
        return self._now.takeover if isinstance(self._now, Racing) else None

    @property
    def frame(self) -> int:
        """Frames rendered since the start of the performance."""
        return self._base + self._pipe.written()

    @property
    def heard(self) -> int:
        """Frames that an output has taken."""
        return self._base + self._pipe.taken

    @property
    def hopeless(self) -> bool:
        """Whether processes failed one after the other, and none is about to sound."""
        nobody = isinstance(self._now, Lost) or (self.racing is not None and not self.racing.ready)
        return nobody and self._supervision.restarts.failures > 0

    # What it is told

    def start(self) -> None:
        """Start the first process.

        Raises:
            OSError: no process can be started.
        """
        child = self._processes.spawn()
        self._pipe.attach(self._processes.attached(child))
        self._supervision.began()
        self._now = Attached(child, GraphLog() if self._live else None)

    def set_up(self, setup: Setup) -> None:
        """Tell it what to build."""
        self._base = setup.start_frame
        self._supervision.watchdog.feed()
        self.tell(setup)
        if isinstance(self._now, Attached) and self._now.log is not None:
            self._graphs.begin(self._now.log, setup.start_frame, setup.start_frame, 0)

    def tell(self, message: ToSound) -> None:
        """Tell whoever plays now, or is about to."""
        if isinstance(self._now, Racing):
            self._now.takeover.send(message)
            return
        self.memory.add(message, self.frame)
        if isinstance(self._now, Attached):
            self._now.child.send(message)
            if self._now.log is not None:
                self._now.log.tell(message)

    def took_late(self, taken: TakenLate) -> None:
        """It took something late."""
        if isinstance(self._now, Attached) and self._now.log is not None:
            self._now.log.late(taken)

    def _flush(self) -> None:
        if isinstance(self._now, Attached) and self._now.log is not None:
            self._now.log.flush()

    def close(self) -> list[AudioChild]:
        """No more sound is wanted; the processes that are to be ended."""
        self._flush()
        children = [child for child in (self.child, *(self.racing.children if self.racing else ())) if child]
        self._now = Over(AudioState.CLOSED)
        return children

    # Supervision

    def look(self) -> None:
        """Replace it where it is lost, hangs or uses too much memory; attach whoever has come to its place."""
        match self._now:
            case Lost(restart_at) if self._clock() >= restart_at:
                self._replace()
            case Racing(takeover):
                self.look_for_winner()
                if self.racing is takeover and takeover.look():
                    self._enter(takeover)
            case _:
                pass
        self._look_for_progress()
        self._flush()
        if isinstance(self._now, Attached):
            self._look_after(self._now)

    def _look_for_progress(self) -> None:
        progress = self._pipe.progress
        if progress != self._last_progress:
            self._last_progress = progress
            self._supervision.watchdog.feed()
            if self.frame > self._began_at:
                self._supervision.works()

    def _look_after(self, now: Attached) -> None:
        expected = self.memory.setup is not None and not self._pipe.full and self.frame + BLOCK <= self.memory.released
        patience = self._patience if now.playing else self._start_patience
        finding = self._supervision.check(now.child.process.pid, patience if expected else None)
        if finding is None:
            return
        if finding.cause is Cause.HUNG:
            finding = Finding(Cause.HUNG, f"the audio process made no sound for {patience:.1f} s")
        elif not self._spare.ready and finding.used < URGENT * (self._supervision.memory.budget or 0):
            return  # there is time to wait until somebody is there who takes over at once
        self._supervision.condemned = finding
        now.child.process.kill()  # its end arrives as any other

    def measured(self, reading: LevelReading) -> None:
        """What the process that is heard has made: one that gives silence though notes sound is replaced."""
        if not self._live or not isinstance(self._now, Attached) or self._supervision.condemned is not None:
            return
        self._lost_from = self._silence.lost_from(reading)
        if self._lost_from is not None:
            reason = "the audio process gives silence, though notes sound; another one makes that stretch again"
            self._supervision.condemned = Finding(Cause.SILENT, reason)
            self._now.child.process.kill()  # its end arrives as any other

    def ended(self, child: AudioChild, reason: str) -> End:
        """The process that was heard is gone; `bury` it, or let somebody else have its `turn`."""
        self._flush()
        status = child.close(0.2)
        if self._lost_from is not None:
            self._pipe.take_back(self._lost_from - self._base)
        frame = self.frame
        fade = self.memory.fade
        faded = fade is not None and frame >= fade.start + fade.frames
        finding = self._supervision.condemned
        cause = Cause.DIED if finding is None else finding.cause
        why = f"the audio process ended: {reason}, {exit_text(status)}" if finding is None else finding.reason
        return End(frame, faded, fade is not None and status == 0, child.explained(why), cause)

    def bury(self, end: End, followed: bool) -> None:
        """That was the end of the music, or another takes over.

        Args:
            end: of the process.
            followed: whether another scene is to come.
        """
        if self.memory.quitting or end.faded or (end.faded_early and not followed):
            self._now = Over(AudioState.ENDED)
            return
        retry_in = self._supervision.lost(end.reason, worked=end.frame > self._began_at, cause=end.cause)
        self._inbox.put(Trouble(end.reason, fatal=retry_in is None))
        if retry_in is not None:
            self._leave_out_poison(end.frame)
        self._try_again(end.reason, retry_in)

    def _try_again(self, reason: str, retry_in: float | None) -> None:
        if retry_in is None:
            self.problem = reason
            self._now = Over(AudioState.FAILED)
        else:
            self._now = Lost(self._clock() + retry_in)

    def _leave_out_poison(self, frame: int) -> None:
        """Where one process after the other dies at the same place, what is to sound there is left out."""
        left_out = self._poison.died(frame)
        if left_out is not None:
            self._report(left_out)
            self.memory.leave_out(left_out.until)

    def plays(self, ready: Ready) -> None:
        """It has built its graph, or goes on where another one stopped."""
        if isinstance(self._now, Attached):
            self._now.playing = True
        self._unproven = None
        self._silence.begin(self.frame, retried=self._lost_from is not None)
        self._lost_from = None
        self._supervision.started()
        if self._live:
            first = self._last_progress == 0 and self._spare.child is None
            self._spare.start_at(self._clock() + (SPARE_DELAY if first else 0.0))
        self._inbox.put(ready)

    # Candidates

    def turn(self, takeover: Takeover, frame: int) -> None:
        """Candidates that have built the graph of another scene are to go on from a frame."""
        self.memory = takeover.memory
        self._silence.new_scene()
        self._unproven = self.memory.setup
        self._race(takeover, frame)
        takeover.send(Release(FOREVER))
        if not len(takeover):
            self._enter(takeover)

    def overlap(self, takeover: Takeover, end: int) -> AudioChild | None:
        """Candidates that have built another scene's graph begin where they were to, and whoever plays goes out.

        Args:
            takeover: the candidates.
            end: frame at which the other scene sounds alone.

        Returns:
            the process that goes out, which is the caller's from now on; None: it is too early or too late for that,
            or nobody plays: ask again.
        """
        if not isinstance(self._now, Attached):
            return None
        begin = self._pipe.overlap(takeover.start - self._base, end - self._base)
        if begin is None:
            return None
        self._flush()
        child = self._now.child
        self._graphs.overlap_until = end
        self.turn(takeover, begin + self._base)
        return child

    def restart_with(self, memory: Memory) -> None:
        """Begin anew with what another scene was told: nothing of this one can be made to sound."""
        for child in self.racing.children if self.racing else ():
            self._processes.discard(child)
        self.memory = memory
        self.memory.add(Release(FOREVER), self.frame)
        self._now = Lost(self._clock())

    def _replace(self) -> None:
        """Let the spare and a new process run for the place where the last one stopped."""
        if self.memory.setup is None:
            try:
                self.start()
            except OSError as error:
                self._cannot_start(error)
            return
        frame = self.frame
        start = min(max(frame - PREROLL, self.memory.setup.start_frame), frame)
        takeover = Takeover(self.memory, start, self._start_patience, self._clock)
        self._race(takeover, frame)
        self._enter(takeover, self._spare.take())
        if self.racing is takeover:
            self._enter(takeover)

    def _race(self, takeover: Takeover, frame: int) -> None:
        takeover.meet_at(frame)
        self._began_at = frame
        self._now = Racing(takeover)

    def _enter(self, takeover: Takeover, child: AudioChild | None = None) -> None:
        """Let a process take part."""
        try:
            child = child or self._processes.spawn()
        except OSError as error:
            if not len(takeover):
                self._cannot_start(error)
            return
        takeover.add(child, self._processes.segment(child))

    def _cannot_start(self, error: OSError) -> None:
        self._inbox.put(Trouble(f"the audio process cannot be started: {error}", fatal=False))
        self._now = Lost(self._clock() + self._supervision.restarts.unavailable())

    def look_for_winner(self) -> None:
        """Attach the first candidate that has come to the place."""
        if not isinstance(self._now, Racing):
            return
        takeover = self._now.takeover
        winner = takeover.winner(BLEND)
        if winner is None:
            return
        segment, frame = self._processes.attached(winner.child), self.frame
        blend = self._pipe.attach(segment, segment.skip // segment.frame_bytes, BLEND)
        self._supervision.began()
        self._now = Attached(winner.child, winner.log)
        self._graphs.begin(winner.log, takeover.start, frame, blend)
        self.plays(Ready(0.0))
        for child in takeover.children:
            self._processes.discard(child)

    def candidate_gone(self, takeover: Takeover, child: AudioChild, reason: str) -> None:
        """A process that ran for its place has ended."""
        arrived = takeover.drop(child, BLEND)
        self._processes.discard(child)
        if arrived:
            self._leave_out_poison(self.frame)
        fade = self.memory.fade
        if fade is not None and self.frame >= fade.start + fade.frames:
            # What it was to play was over before its turn came.
            for other in takeover.children:
                self._processes.discard(other)
            self._now = Over(AudioState.ENDED)
        elif not len(takeover):
            why = f"no process came to the place: {reason}"
            self._try_again(why, self._supervision.lost(why, worked=arrived))
        # On a slow machine candidates come sooner than they die, so that there may always be one.
        failures = max(self._supervision.restarts.failures, 0 if takeover.ready else takeover.failures)
        if self._unproven is not None and failures >= REFUSED:
            setup, self._unproven = self._unproven, None
            self._inbox.refused(setup)

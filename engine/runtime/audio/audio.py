# pyright: strict
"""The audio process seen from the conductor: told what to play, and asked how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.processes.child import Gone, python_module
from engine.processes.pipe import LIVE_BYTES, Pipe
from engine.processes.restarts import Exceeded
from engine.processes.supervision import Limits, Supervision
from engine.runtime.audio.change import SceneChanges
from engine.runtime.audio.failover.memory import FOREVER
from engine.runtime.audio.failover.spare import Spare
from engine.runtime.audio.inbox import Inbox, Refused
from engine.runtime.audio.primary import Primary
from engine.runtime.audio.processes import AudioChild, AudioProcesses
from engine.runtime.audio.reports import AudioReporter, log_audio_report
from engine.runtime.audio.states import AudioState
from engine.runtime.audio.supervisor import Reports, Supervisor
from engine.sound.format import DEFAULT_CHANNELS
from engine.sound.messages import FromSound, LevelReading, Ready, Release, Setup, ToSound, Trouble

OFFLINE_BYTES = 256 << 10

HANG = 0.5
"""Seconds without a new block, though there is room for it, after which a live process counts as hung."""

START_PATIENCE = 15.0
"""Seconds from a `Setup` to its first block, live."""

OFFLINE_PATIENCE = 120.0
"""Seconds without a block when rendering: nobody waits to hear it, and a busy machine builds 32 parts slowly."""

HOLD = 10.0
"""Seconds after its setup at which a live process is released at the latest: long after the first bars were waited for,
so that only a conductor that is stuck comes too late for its own beginning."""

MEMORY = 512_000_000
"""Bytes that a live audio process may use. The shipped scenes' use 90 to 130 MB (see `docs/architecture.md`)."""

LIVE = Limits(restarts=12, period=60.0, first_delay=0.1, longest_delay=5.0, memory=MEMORY)
"""What a live process may do. Who is lost more than so often, even if it has played each time, comes back after pauses:
a graph that dies over and over is no reason to keep a processor busy with building it."""

OFFLINE = Limits(restarts=0, exceeded=Exceeded.GIVE_UP)
"""Reverb and delay cannot be taken up halfway: with its process a render has failed."""

SPARE = Limits(restarts=20, period=60.0, first_delay=0.2, longest_delay=30.0, memory=MEMORY)


class Audio:
    """Starts the audio process, talks with it, and keeps the sound going.

    Thread-safe. A thread of its own watches the processes (see `Supervisor`).

    A second `Setup` is a change of scene: from its `start_frame` on a new process plays, with what is sent from then
    on. The old one fades out just before, but not before the new graph has been built; where that comes late, so does
    the change. A spare process is kept ready for that and for accidents.

    Args:
        live: True: paced by the output, and replaced when it fails. False: renders as far as it is released; when it
            fails the render has failed, because reverb and delay cannot be taken up halfway.
        pipe_bytes: size of the pipe; None: 1 MiB live.
        patience: seconds without a new block, though there is room, after which it counts as hung; None: `HANG` live,
            else `OFFLINE_PATIENCE`.
        start_patience: seconds from a setup to the first block; None: `START_PATIENCE` live, else `OFFLINE_PATIENCE`.
        command: what the audio process runs; for tests.
        channels: of a frame; each `Setup` asks for as many.
        report: told what is found out about the processes, in the supervisor's thread.
        limits: what a process may do; None: `LIVE` or `OFFLINE`.
        clock: gives seconds.
    """

    def __init__(
        self,
        live: bool = True,
        pipe_bytes: int | None = None,
        patience: float | None = None,
        start_patience: float | None = None,
        command: Sequence[str] | None = None,
        channels: int = DEFAULT_CHANNELS,
        report: AudioReporter = log_audio_report,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.live = live
        self.pipe = Pipe(pipe_bytes or (LIVE_BYTES if live else OFFLINE_BYTES), channels)
        patience = patience or (HANG if live else OFFLINE_PATIENCE)
        start_patience = start_patience or (START_PATIENCE if live else OFFLINE_PATIENCE)
        limits = limits or (LIVE if live else OFFLINE)
        command = command if command is not None else python_module("engine.sound.process")
        self._clock = clock
        self._release_at = float("inf")
        self._lock = threading.RLock()
        self._inbox = Inbox()
        reports = Reports(report)
        self._processes = AudioProcesses(self.pipe, command, self._deliver)
        self._spare = Spare(
            self._processes.spawn,
            self._processes.discard,
            start_patience,
            Supervision("audio spare", replace(SPARE, memory=limits.memory), reports.put, clock),
            clock,
        )
        self._primary = Primary(
            self.pipe,
            self._processes,
            self._spare,
            self._inbox,
            Supervision("audio", limits, reports.put, clock),
            reports.put,
            live,
            patience,
            start_patience,
            clock,
        )
        self._changes = SceneChanges(self._primary, self._spare, self._processes, self._inbox, start_patience, clock)
        self._supervisor = Supervisor(
            self._lock,
            self.pipe,
            self._primary,
            self._spare,
            self._changes,
            self._inbox,
            reports,
            live,
            self._release_late,
            clock,
        )

    def __enter__(self) -> Audio:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def state(self) -> AudioState:
        """What the audio process is doing."""
        return self._primary.state

    @property
    def problem(self) -> str:
        """Why the render has failed."""
        return self._primary.problem

    @property
    def frame(self) -> int:
        """Frames rendered since the start of the performance: the time that the conductor lives by."""
        return self._primary.frame

    @property
    def heard(self) -> int:
        """Frames that an output has taken."""
        return self._primary.heard

    @property
    def over(self) -> bool:
        """Whether no more sound will come."""
        return self._primary.over

    @property
    def pid(self) -> int | None:
        """Process id of the process that is heard, if there is one."""
        with self._lock:
            child = self._primary.child
            return child.process.pid if child is not None else None

    @property
    def spare_pid(self) -> int | None:
        """Process id of the spare, if there is one that is ready."""
        with self._lock:
            child = self._spare.child
            return child.process.pid if child is not None and self._spare.ready else None

    @property
    def changing(self) -> bool:
        """Whether a change of scene is on its way."""
        return self._changes.current is not None

    def start(self) -> None:
        """Start the process; it imports what it needs while the scene is still being read.

        Raises:
            OSError: no process can be started.
        """
        with self._lock:
            if not self._supervisor.started:
                self._primary.start()
                self._supervisor.start()

    def send(self, message: ToSound) -> None:
        """Hand a message of engine.sound.messages over; returns at once."""
        with self._lock:
            change = self._changes.current
            if isinstance(message, Setup):
                self._set_up(message)
            elif change is not None:
                change.candidates.send(message)
            else:
                self._primary.tell(message)

    def begin(self) -> None:
        """Live: the notes of the first bars have been sent, so let it sound.

        Between its setup and this the process builds its graph, and renders nothing; so no note of the first bars is
        late. Who never calls it gets it `HOLD` seconds after the setup.
        """
        with self._lock:
            memory = self._primary.memory
            if self.live and memory.setup is not None and memory.released < FOREVER:
                self._primary.tell(Release(FOREVER))
            self._release_at = float("inf")

    def poll(self) -> list[Ready | LevelReading | Trouble | Refused]:
        """What has come back since the last call; of many meters the latest 64."""
        return self._inbox.take()

    def close(self) -> None:
        """End the process and the pipe, at once; send a `Fade` and wait for `over` to end softly."""
        with self._lock:
            children = self._primary.close() + self._changes.close()
        self._supervisor.stop()
        spare = self._spare.take()
        for child in children if spare is None else [*children, spare]:
            child.kill()
        self._processes.close()
        self.pipe.close()

    def _set_up(self, setup: Setup) -> None:
        if not self.live:
            self._primary.set_up(setup)
            return
        # With this the process waits for its release; what differs live is only that it is for ever.
        setup = replace(setup, free_running=False)
        if self._primary.memory.setup is None:
            self._primary.set_up(setup)
            self._release_at = self._clock() + HOLD
        elif not self._primary.over:
            self._changes.begin(setup)

    def _release_late(self) -> None:
        if self._clock() > self._release_at:
            self.begin()

    def _deliver(self, child: AudioChild, message: FromSound | Gone) -> None:
        self._supervisor.deliver(child, message)

"""The audio process seen from the conductor: told what to play, watched, and replaced behind the pipe when it fails.

The pipe holds more sound than a new process needs to start, so nobody hears the change: the new one plays the last two
seconds again, which are thrown away, and goes on at the very frame where the old one stopped.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum

from engine.runtime.backoff import Backoff
from engine.runtime.child import Child, Gone, exit_text, python_module
from engine.runtime.memory import Memory
from engine.runtime.pipe import LIVE_BYTES, Pipe, Segment
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, Fade, Forget, Meter, Ready, Release, Setup, Trouble

log = logging.getLogger(__name__)

OFFLINE_BYTES = 256 << 10

TICK = 0.05
"""Seconds between two looks at whether the sound goes on."""

START_PATIENCE = 15.0
"""Seconds from a `Setup` to its first block."""

SPARE_DELAY = 2.0
"""Seconds after the sound began at which a spare process is started, which then waits for a setup: it has imported
what it needs (most of the time that a start takes), so that it can take over at once."""

PREROLL = 2 * SAMPLE_RATE // BLOCK * BLOCK
"""Frames before the place of an accident from which a new process plays again, unheard: so that envelopes, filters and
reverb stand there as if nothing had happened."""

BLEND = 4 * BLOCK
"""Frames (21 ms) over which a new process fades in and the last sound of the old one fades out."""

HAND_OVER = 8 * BLOCK
"""Frames (43 ms) over which the sound of an old scene fades out before the new one's graph begins."""

FOREVER = 1 << 62
"""Frames; live sound is released up to here."""

HOLD = 0.5
"""Seconds after its setup at which a live process is released at the latest."""

TRAP = SAMPLE_RATE // 2
"""Frames; deaths that are nearer to each other are taken to have the same cause, among the notes that sound there."""


class State(StrEnum):
    """What the audio process is doing."""

    STARTING = "starting"
    PLAYING = "playing"
    DEAD = "dead"  # and about to be started again
    FAILED = "failed"  # offline: it died, and the render with it
    ENDED = "ended"  # faded out
    CLOSED = "closed"


class Audio:
    """Starts the audio process, talks with it, and keeps the sound going.

    Thread-safe. A thread of its own watches the process, so that a busy conductor cannot delay a replacement.

    A second `Setup` is a change of scene: from its `start_frame` on a new process plays, with what is sent from then
    on. The old one fades out just before. A spare process is kept ready for that and for accidents.

    Args:
        live: True: paced by the output, and replaced when it fails. False: renders as far as it is released; when it
            fails the render has failed, because reverb and delay cannot be taken up halfway.
        pipe_bytes: size of the pipe; None: 512 KiB live.
        patience: seconds without a new block, though there is room, after which it counts as hung; None: 0.4 of
            what the pipe holds.
        start_patience: seconds from a setup to the first block.
        command: what the audio process runs; for tests.
    """

    def __init__(
        self,
        live: bool = True,
        pipe_bytes: int | None = None,
        patience: float | None = None,
        start_patience: float = START_PATIENCE,
        command: Sequence[str] | None = None,
    ) -> None:
        self.live = live
        self.pipe = Pipe(pipe_bytes or (LIVE_BYTES if live else OFFLINE_BYTES))
        self.counters: Counter[str] = Counter()
        self.state = State.STARTING
        self.problem = ""
        self._patience = patience or (0.4 * self.pipe.depth / SAMPLE_RATE if live else START_PATIENCE)
        self._start_patience = start_patience
        self._command = list(command) if command is not None else python_module("engine.sound.process")
        self._events: queue.SimpleQueue[tuple[Child | None, object]] = queue.SimpleQueue()
        self._inbox: deque[Ready | Trouble] = deque(maxlen=256)
        self._meters: deque[Meter] = deque(maxlen=64)
        self._lock = threading.RLock()
        self._memory = Memory()
        self._next_memory: Memory | None = None
        self._child: Child | None = None
        self._spare: Child | None = None
        self._spare_at = float("inf")
        self._base: int | None = None
        self._backoff = Backoff(longest=5.0)
        self._restart_at = 0.0
        self._last_progress = 0
        self._segments: dict[Child, Segment] = {}
        self._sign_of_life = 0.0
        self._set_up_at = float("inf")
        self._began_at = 0
        self._died_at = -TRAP
        self._deaths_here = 0
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Audio:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def frame(self) -> int:
        """Frames rendered since the start of the performance: the time that the conductor lives by."""
        return (self._base or 0) + self.pipe.written()

    @property
    def heard(self) -> int:
        """Frames that an output has taken."""
        return (self._base or 0) + self.pipe.taken

    @property
    def over(self) -> bool:
        """Whether no more sound will come."""
        return self.state in (State.ENDED, State.FAILED, State.CLOSED)

    def start(self) -> None:
        """Start the process; it imports what it needs while the scene is still being read.

        Raises:
            OSError: no process can be started.
        """
        with self._lock:
            if self._thread is not None:
                return
            self._child = self._spawn()
            self.pipe.attach(self._segments.pop(self._child))
            self._thread = threading.Thread(target=self._watch, name="audio supervisor", daemon=True)
            self._thread.start()

    def send(self, message: object) -> None:
        """Hand a message of engine.sound.messages over; returns at once."""
        with self._lock:
            if isinstance(message, Setup) and self._memory.setup is not None and self.live:
                self._change_scene(message)
                return
            if self._next_memory is not None:
                self._next_memory.add(message, self.frame)
                return
            if isinstance(message, Setup):
                message = self._held(message) if self.live else message
                self._base = message.start_frame
                self._sign_of_life = self._set_up_at = time.monotonic()
            self._memory.add(message, self.frame)
            if self._child is not None:
                self._child.send(message)

    def begin(self) -> None:
        """Live: the notes of the opening have been sent, so let it sound.

        Between its setup and this the process builds its graph, and renders nothing; so no note of the opening is
        late. Who never calls it gets it `HOLD` seconds after the setup.
        """
        with self._lock:
            if self.live and self._memory.setup is not None and self._memory.released < FOREVER:
                self.send(Release(FOREVER))

    def poll(self) -> list[Ready | Meter | Trouble]:
        """What has come back since the last call; of many meters the latest 64."""
        found: list[Ready | Meter | Trouble] = []
        for box in (self._inbox, self._meters):
            with suppress(IndexError):
                while True:
                    found.append(box.popleft())
        return found

    def close(self) -> None:
        """End the process and the pipe, at once; send a `Fade` and wait for `over` to end softly."""
        with self._lock:
            self.state = State.CLOSED
        self._events.put((None, None))
        if self._thread is not None:
            self._thread.join()
        for child in (self._child, self._spare):
            if child is not None:
                child.kill()
        for segment in self._segments.values():
            segment.close()
        self._child = self._spare = None
        self.pipe.close()

    def _held(self, setup: Setup) -> Setup:
        """A setup with which the process waits for its release; what differs live is only that this is for ever."""
        return replace(setup, free_running=False)

    # Supervision, in a thread of its own

    def _watch(self) -> None:
        pruned = time.monotonic()
        while self.state is not State.CLOSED:
            try:
                # What is to be skipped is thrown away in small steps, so that the process never waits for it.
                child, message = self._events.get(timeout=0.002 if self.pipe.skip() else TICK)
            except queue.Empty:
                pass
            else:
                self._take(child, message)
            with self._lock:
                now = time.monotonic()
                if self.state is State.DEAD and now >= self._restart_at:
                    self._restart()
                self._look_for_hang(now)
                if now > self._set_up_at + HOLD:
                    self.begin()
                if self.live and self._spare is None and now > self._spare_at:
                    self._spare_at = now + 10 * SPARE_DELAY
                    with suppress(OSError):
                        self._spare = self._spawn()
                if now > pruned + 1.0:
                    pruned = now
                    self._memory.prune(self.frame - PREROLL)

    def _take(self, child: Child | None, message: object) -> None:
        with self._lock:
            if child is None or self.state is State.CLOSED:
                return
            if isinstance(message, Gone):
                if child is self._child:
                    self._bury(child, message.reason)
                elif child is self._spare:
                    self._spare, self._spare_at = None, time.monotonic() + 10 * SPARE_DELAY
                    child.kill()
                    self._segments.pop(child).close()
            elif isinstance(message, Meter):
                self._meters.append(message)
            elif isinstance(message, Ready | Trouble):
                if isinstance(message, Ready) and child is self._child:
                    self.state = State.PLAYING
                    self._sign_of_life = time.monotonic()
                    self._spare_at = self._sign_of_life + SPARE_DELAY
                if isinstance(message, Trouble):
                    log.warning("audio: %s", message.message)
                self._inbox.append(message)

    def _look_for_hang(self, now: float) -> None:
        progress = self.pipe.progress
        if progress != self._last_progress:
            self._last_progress = progress
            self._sign_of_life = now
            if self.frame > self._began_at:
                self._backoff.reset()
        if self._child is None or self._memory.setup is None or not self._has_work():
            self._sign_of_life = now
            return
        patience = self._patience if self.state is State.PLAYING else self._start_patience
        if now > self._sign_of_life + patience:
            self.counters["hangs"] += 1
            self.problem = f"the audio process made no sound for {patience:.1f} s"
            self._sign_of_life = now
            self._child.process.kill()  # its end arrives as any other

    def _has_work(self) -> bool:
        return not self.pipe.full and self.frame + BLOCK <= self._memory.released

    def _bury(self, child: Child, reason: str) -> None:
        """The process is gone: that was the end, or it is replaced."""
        status = child.close(0.2)
        self._child = None
        frame = self.frame
        fade = self._memory.fade
        if self._next_memory is not None:
            self._memory, self._next_memory = self._next_memory, None
            self._restart(preroll=0)
            return
        if self._memory.quitting or (fade is not None and (status == 0 or frame >= fade.start + fade.frames)):
            self.state = State.ENDED
            return
        why = self.problem or f"the audio process ended: {reason}, {exit_text(status)}"
        self.problem = ""
        words = child.last_words()
        why += f"; its last words: {words}" if words else ""
        self.counters["deaths"] += 1
        if not self.live:
            self.problem = why
            self.state = State.FAILED
            self._inbox.append(Trouble(why, fatal=True))
            return
        # Who has played may be replaced at once; who never came that far is likely to fail again.
        delay = 0.0 if frame > self._began_at else self._backoff.next_delay()
        self._step_over_trap(frame)
        self._restart_at = time.monotonic() + delay
        self.state = State.DEAD
        log.warning("%s; another goes on at frame %d in %.1f s", why, frame, delay)
        self._inbox.append(Trouble(why, fatal=False))

    def _step_over_trap(self, frame: int) -> None:
        """Where one process after the other dies at the same place, what is to sound there is left out."""
        self._deaths_here = self._deaths_here + 1 if frame < self._died_at + TRAP else 1
        self._died_at = frame if self._deaths_here == 1 else self._died_at
        if self._deaths_here >= 3:
            self.counters["traps"] += 1
            until = frame + TRAP * (self._deaths_here - 2)
            log.warning("three audio processes died here; what sounds up to frame %d is left out", until)
            self._memory.leave_out(until)

    def _restart(self, preroll: int = PREROLL) -> None:
        self.counters["restarts"] += 1
        child, self._spare = self._spare, None
        try:
            child = child or self._spawn()
        except OSError as error:
            self._restart_at = time.monotonic() + self._backoff.next_delay()
            self._inbox.append(Trouble(f"the audio process cannot be started: {error}", fatal=False))
            return
        self._brief(child, preroll)

    def _brief(self, child: Child, preroll: int) -> None:
        """Tell a process all that has not sounded, and what sounded in the last `preroll` frames."""
        frame = self.frame
        start = max(frame - preroll, self._memory.setup.start_frame if self._memory.setup else 0)
        self.pipe.attach(self._segments.pop(child), max(frame - start, 0), BLEND)
        self._child = child
        self._began_at = self.frame
        self.state = State.STARTING
        self._sign_of_life = time.monotonic()
        if self._memory.setup is not None:
            for message in self._memory.messages(min(start, frame)):
                child.send(message)

    def _spawn(self) -> Child:
        segment = self.pipe.segment()
        command = [*self._command, "--audio", str(segment.write_end)]
        try:
            child = Child("audio", command, self._deliver, fds=(segment.write_end,))
        except OSError:
            segment.close()
            raise
        segment.close_write_end()
        self._segments[child] = segment
        return child

    def _deliver(self, child: Child, message: object) -> None:
        self._events.put((child, message))

    # Change of scene

    def _change_scene(self, setup: Setup) -> None:
        setup = self._held(setup)
        boundary = max(setup.start_frame, 0) // BLOCK * BLOCK
        if self._next_memory is not None:
            # The change before this one has not come yet: what it brought up to the new boundary still holds.
            self._next_memory.add(Forget(boundary), self.frame)
            self._next_memory.add(setup, self.frame)
            return
        self._next_memory = Memory()
        self._next_memory.add(setup, self.frame)
        self._next_memory.add(Release(FOREVER), self.frame)
        for message in (Forget(boundary), Fade(max(boundary - HAND_OVER, 0), HAND_OVER)):
            self._memory.add(message, self.frame)
            if self._child is not None:
                self._child.send(message)
        if self._spare is None:
            self._spare_at = 0.0
        if self._child is None:
            self._memory, self._next_memory = self._next_memory, None
            self._restart(preroll=0)

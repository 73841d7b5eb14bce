"""The audio process seen from the conductor: told what to play, watched, and replaced behind the pipe when it fails.

The pipe holds more sound than a new process needs to start, so nobody hears the change: two candidates (a spare that
waited for it, and a new one) play the last two seconds again, which are thrown away; the first that comes to the very
frame where the old one stopped goes on from there.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from engine.processes.backoff import Backoff
from engine.processes.child import Child, Gone, exit_text, python_module
from engine.processes.pipe import LIVE_BYTES, Pipe
from engine.runtime.audio_processes import AudioProcesses
from engine.runtime.memory import Memory
from engine.runtime.poison import DEATHS, PoisonGuard
from engine.runtime.spare import Spare
from engine.runtime.takeover import Takeover
from engine.score.time import SAMPLE_RATE
from engine.sound.format import DEFAULT_CHANNELS
from engine.sound.messages import BLOCK, Fade, Forget, Meter, Pong, Ready, Release, Setup, Trouble

log = logging.getLogger(__name__)

OFFLINE_BYTES = 256 << 10

TICK = 0.05
"""Seconds between two looks at whether the sound goes on."""

HANG = 0.5
"""Seconds without a new block, though there is room for it, after which a live process counts as hung."""

START_PATIENCE = 15.0
"""Seconds from a `Setup` to its first block, live."""

OFFLINE_PATIENCE = 120.0
"""Seconds without a block when rendering: nobody waits to hear it, and a busy machine builds 32 parts slowly."""

AWAY = 0.3
"""Seconds between two looks after which we were stopped ourselves, or had no processor; nobody else is blamed."""

REFUSED = 3
"""Processes that could not build the graph of a new scene after which that scene is given up."""

SPARE_DELAY = 2.0
"""Seconds after the first sound at which a spare process is started: until then networks are loaded. Later ones come
at once."""

PREROLL = 2 * SAMPLE_RATE // BLOCK * BLOCK
"""Frames before the place of an accident from which a new process plays again, unheard: so that envelopes, filters and
reverb stand there as if nothing had happened."""

BLEND = 4 * BLOCK
"""Frames (21 ms) over which a new process fades in and the last sound of the old one fades out."""

HAND_OVER = 8 * BLOCK
"""Frames (43 ms) over which the sound of an old scene fades out before the new one's graph begins."""

FOREVER = 1 << 62
"""Frames; live sound is released up to here."""

HOLD = 10.0
"""Seconds after its setup at which a live process is released at the latest: long after the first bars were waited for,
so that only a conductor that is stuck comes too late for its own beginning."""


class State(StrEnum):
    """What the audio process is doing."""

    STARTING = "starting"
    PLAYING = "playing"
    DEAD = "dead"  # and about to be started again
    FAILED = "failed"  # offline: it died, and the render with it
    ENDED = "ended"  # faded out
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Refused:
    """No process could build the graph of a new scene; the old graph plays on.

    Attributes:
        setup: of the new scene.
        reason: what the last process said.
    """

    setup: Setup
    reason: str


class Audio:
    """Starts the audio process, talks with it, and keeps the sound going.

    Thread-safe. A thread of its own watches the process, so that a busy conductor cannot delay a replacement.

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
    """

    def __init__(
        self,
        live: bool = True,
        pipe_bytes: int | None = None,
        patience: float | None = None,
        start_patience: float | None = None,
        command: Sequence[str] | None = None,
        channels: int = DEFAULT_CHANNELS,
    ) -> None:
        self.live = live
        self.pipe = Pipe(pipe_bytes or (LIVE_BYTES if live else OFFLINE_BYTES), channels)
        self.counters: Counter[str] = Counter()
        self.state = State.STARTING
        self.problem = ""
        self._patience = patience or (HANG if live else OFFLINE_PATIENCE)
        self._start_patience = start_patience or (START_PATIENCE if live else OFFLINE_PATIENCE)
        self._processes = AudioProcesses(
            self.pipe, command if command is not None else python_module("engine.sound.process"), self._deliver
        )
        self._events: queue.SimpleQueue[tuple[Child | None, object]] = queue.SimpleQueue()
        self._inbox: deque[Ready | Trouble | Refused] = deque(maxlen=256)
        self._meters: deque[Meter] = deque(maxlen=64)
        self._lock = threading.RLock()
        self._memory = Memory()
        self._child: Child | None = None
        self._spare = Spare(self._processes.spawn, self._processes.discard, self._start_patience)
        self._takeover: Takeover | None = None
        self._change: Takeover | None = None
        self._reason = ""
        self._base: int | None = None
        self._backoff = Backoff(longest=5.0)
        self._restart_at = 0.0
        self._last_progress = 0
        self._sign_of_life = 0.0
        self._set_up_at = float("inf")
        self._began_at = 0
        self._poison = PoisonGuard()
        self._unproven = False
        self._told: deque[str] = deque(maxlen=64)
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
            self._child = self._processes.spawn()
            self.pipe.attach(self._processes.attached(self._child))
            self._thread = threading.Thread(target=self._watch, name="audio supervisor", daemon=True)
            self._thread.start()

    def send(self, message: object) -> None:
        """Hand a message of engine.sound.messages over; returns at once."""
        with self._lock:
            if isinstance(message, Setup) and self._memory.setup is not None and self.live:
                self._change_scene(message)
                return
            if self._change is not None:
                self._change.send(message)
                return
            if isinstance(message, Setup):
                message = self._held(message) if self.live else message
                self._base = message.start_frame
                self._sign_of_life = self._set_up_at = time.monotonic()
            self._tell(message)

    def begin(self) -> None:
        """Live: the notes of the first bars have been sent, so let it sound.

        Between its setup and this the process builds its graph, and renders nothing; so no note of the first bars is
        late. Who never calls it gets it `HOLD` seconds after the setup.
        """
        with self._lock:
            if self.live and self._memory.setup is not None and self._memory.released < FOREVER:
                self.send(Release(FOREVER))

    def poll(self) -> list[Ready | Meter | Trouble | Refused]:
        """What has come back since the last call; of many meters the latest 64."""
        found: list[Ready | Meter | Trouble | Refused] = []
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
        candidates = [c.child for race in (self._takeover, self._change) if race is not None for c in race]
        for child in (self._child, self._spare.take(), *candidates):
            if child is not None:
                child.kill()
        self._processes.close()
        self._child = self._takeover = self._change = None
        self.pipe.close()

    def _held(self, setup: Setup) -> Setup:
        """A setup with which the process waits for its release; what differs live is only that this is for ever."""
        return replace(setup, free_running=False)

    def _tell(self, message: object) -> None:
        """Tell whoever plays now, or is about to."""
        if self._takeover is not None:
            self._takeover.send(message)
            return
        self._memory.add(message, self.frame)
        if self._child is not None:
            self._child.send(message)

    # Supervision, in a thread of its own

    def _watch(self) -> None:
        looked = pruned = time.monotonic()
        while self.state is not State.CLOSED:
            try:
                # What is to be skipped is thrown away in small steps, so that no process waits for it.
                busy = self.pipe.skip() or self._takeover is not None
                with suppress(queue.Empty):
                    self._take(*self._events.get(timeout=0.002 if busy else TICK))
                with self._lock:
                    now = time.monotonic()
                    if now > looked + AWAY:
                        self._excuse(now)
                    looked = now
                    self._look(now)
                    if now > pruned + 1.0:
                        pruned = now
                        self._memory.prune(self.frame - PREROLL)
            except Exception:  # the sound goes on, whatever it is
                log.exception("the supervision of the sound failed and goes on")
                time.sleep(TICK)

    def _look(self, now: float) -> None:
        if self.state in (State.CLOSED, State.ENDED, State.FAILED):
            return
        if self.state is State.DEAD and now >= self._restart_at:
            self._replace_lost()
        self._look_for_winner()
        self._look_for_hang(now)
        if now > self._set_up_at + HOLD:
            self.begin()
        if self._takeover is not None:
            self._takeover.look(now, lambda: self._enter(self._takeover))
        if self._change is not None:
            self._change.look(now, lambda: self._enter(self._change))
            lost = self._child is None and not (self._takeover is not None and self._takeover.ready)
            if lost and self._backoff.failures and self._change.ready:
                self._change_at_once()
        if self.live:
            self._spare.look(now)

    def _excuse(self, now: float) -> None:
        self._sign_of_life = now
        self._spare.excuse(now)
        for race in (self._takeover, self._change):
            if race is not None:
                race.excuse(now)

    def _take(self, child: Child | None, message: object) -> None:
        with self._lock:
            if child is None or self.state is State.CLOSED:
                return
            match message:
                case Gone(reason=reason):
                    self._part_with(child, reason)
                case Pong():
                    self._spare.answered(child, time.monotonic())
                case Meter() if child is self._child:
                    self._meters.append(message)
                case Ready() if child is self._child:
                    self._plays(message)
                case Ready():
                    self._is_ready(child)
                case Trouble(message=text):
                    self._reason = text
                    # Every candidate and every spare finds the same instrument missing.
                    if message.fatal or text not in self._told:
                        self._told.append(text)
                        log.warning("audio: %s", text)
                        self._inbox.append(message)
                case _:
                    pass

    def _part_with(self, child: Child, reason: str) -> None:
        if self._takeover is not None:
            self._look_for_winner()  # it may have come to the place before it ended
        if child is self._child:
            self._bury(child, reason)
        elif self._spare.gone(child, time.monotonic()):
            pass
        elif self._takeover is not None and child in [c.child for c in self._takeover]:
            _, arrived = self._takeover.drop(child, BLEND)
            self._processes.discard(child)
            if arrived:
                self._leave_out_poison(self._takeover.memory, self.frame)
            fade = self._takeover.memory.fade
            if fade is not None and self.frame >= fade.start + fade.frames:
                self._takeover, self.state = None, State.ENDED  # what it was to play was over before its turn came
                return
            if not len(self._takeover):
                self._memory, self._takeover = self._takeover.memory, None
                self._try_again(0.0 if arrived else self._backoff.next_delay())
                if self._unproven and self._backoff.failures >= REFUSED:
                    self._tell_refused(self._memory)
        elif self._change is not None and child in [c.child for c in self._change]:
            self._change.drop(child, 0)
            self._processes.discard(child)
            if self._change.failures >= REFUSED:
                self._refuse()
            elif not len(self._change):
                self._enter(self._change)

    def _plays(self, ready: Ready) -> None:
        first = self.state is State.STARTING and not self._backoff.failures and self._spare.child is None
        self.state = State.PLAYING
        self._unproven = False
        self._sign_of_life = time.monotonic()
        if self.live:
            self._spare.start_at(self._sign_of_life + (SPARE_DELAY if first else 0.0))
        self._inbox.append(ready)

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
        """The process is gone: that was the end, the turn of the next scene, or it is replaced."""
        status = child.close(0.2)
        self._child = None
        frame = self.frame
        fade = self._memory.fade
        faded = fade is not None and (status == 0 or frame >= fade.start + fade.frames)
        if self._change is not None and faded and frame >= self._change.start:
            self._change_over(frame)
            return
        if self._memory.quitting or (faded and self._change is None):
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
        self._leave_out_poison(self._memory, frame)
        self._try_again(delay)
        log.warning("%s; another goes on at frame %d in %.1f s", why, frame, delay)
        self._inbox.append(Trouble(why, fatal=False))

    def _leave_out_poison(self, memory: Memory, frame: int) -> None:
        """Where one process after the other dies at the same place, what is to sound there is left out."""
        until = self._poison.died(frame)
        if until is not None:
            self.counters["poisoned"] += 1
            log.warning("%d audio processes died here; what sounds up to frame %d is left out", DEATHS, until)
            memory.leave_out(until)

    # Candidates

    def _replace_lost(self) -> None:
        """Let the spare and a new process run for the place where the last one stopped."""
        self.counters["restarts"] += 1
        self.state = State.STARTING
        frame = self.frame
        if self._memory.setup is None:
            try:
                self._child = self._processes.spawn()
            except OSError as error:
                self._cannot_start(error)
            else:
                self.pipe.attach(self._processes.attached(self._child))
            return
        start = min(max(frame - PREROLL, self._memory.setup.start_frame), frame)
        self._takeover = Takeover(self._memory, start, self._start_patience)
        self._takeover.meet_at(frame)
        self._began_at = frame
        self._enter(self._takeover, self._spare.take())
        self._enter(self._takeover)

    def _enter(self, race: Takeover | None, child: Child | None = None) -> None:
        """Let a process take part."""
        if race is None:
            return
        try:
            child = child or self._processes.spawn()
        except OSError as error:
            if race is self._takeover and not len(race):
                self._memory, self._takeover = race.memory, None
                self._cannot_start(error)
            return
        race.add(child, self._processes.segment(child))

    def _cannot_start(self, error: OSError) -> None:
        self._inbox.append(Trouble(f"the audio process cannot be started: {error}", fatal=False))
        self._try_again(self._backoff.next_delay())

    def _try_again(self, delay: float) -> None:
        self.state = State.DEAD
        self._restart_at = time.monotonic() + delay

    def _look_for_winner(self) -> None:
        if self._takeover is None:
            return
        winner = self._takeover.winner(BLEND)
        if winner is None:
            return
        losers = [candidate.child for candidate in self._takeover]
        self._memory, self._takeover = self._takeover.memory, None
        segment = self._processes.attached(winner.child)
        self.pipe.attach(segment, segment.skip // segment.frame_bytes, BLEND)
        self._child = winner.child
        self._plays(Ready(0.0))
        for child in losers:
            self._processes.discard(child)

    def _is_ready(self, child: Child) -> None:
        for race in (self._takeover, self._change):
            for candidate in race or ():
                candidate.ready = candidate.ready or candidate.child is child
        change = self._change
        if change is not None and change.ready and self._memory.fade is None:
            if self._child is None and self._takeover is None:
                return
            self._tell(Fade(max(change.start - HAND_OVER, 0, self.frame), HAND_OVER))

    def _deliver(self, child: Child, message: object) -> None:
        self._events.put((child, message))

    # Change of scene

    def _change_scene(self, setup: Setup) -> None:
        """Let a process build the new graph, and hold it until the old one has faded out."""
        setup = self._held(setup)
        boundary = max(setup.start_frame, 0) // BLOCK * BLOCK
        memory = Memory()
        if self._change is not None:
            # The change before this one has not come yet: what it brought up to the new boundary still holds.
            change, self._change = self._change, None
            memory = change.memory
            memory.add(Forget(boundary), self.frame)
            for candidate in list(change):
                self._processes.discard(candidate.child)
            boundary = change.start
            setup = replace(setup, start_frame=boundary)
        memory.add(setup, self.frame)
        self._tell(Forget(boundary))
        self._change = Takeover(memory, boundary, self._start_patience)
        self._enter(self._change, self._spare.take())
        self._spare.start_at(0.0)

    def _change_over(self, frame: int) -> None:
        """The old scene has faded out: the new one's turn."""
        change, self._change = self._change, None
        assert change is not None
        self.counters["restarts"] += 1
        self.state = State.STARTING
        self._began_at = frame
        self._unproven = True
        self._takeover = change
        change.meet_at(frame)
        change.send(Release(FOREVER))
        if not len(change):
            self._enter(change)

    def _change_at_once(self) -> None:
        """Nothing of the old scene can be made to sound: the new one need not wait for its end."""
        change, self._change = self._change, None
        assert change is not None
        for race in (self._takeover, change):
            for candidate in list(race or ()):
                self._processes.discard(candidate.child)
        self._memory, self._takeover = change.memory, None
        self._memory.add(Release(FOREVER), self.frame)
        self._try_again(0.0)

    def _refuse(self) -> None:
        """No process could build the new graph: the old one plays on."""
        change, self._change = self._change, None
        assert change is not None
        for candidate in list(change):
            self._processes.discard(candidate.child)
        self._tell_refused(change.memory)

    def _tell_refused(self, memory: Memory) -> None:
        assert memory.setup is not None
        self._unproven = False
        log.warning("the edited scene cannot sound: %s", self._reason)
        self._inbox.append(Refused(memory.setup, self._reason))

# pyright: strict
"""The mind: what decides. Plan, conductor and makers of phrases; it knows of the sound what the stage tells it."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from engine.conductor.clocks import Clock, FastClock, RealClock
from engine.conductor.conductor import Conductor
from engine.conductor.daytime import TimeOfDay, WallDay
from engine.events import Commanded, Event, NetworksLoaded, SceneRefused, SceneTookOver
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.generators.contract import Settings
from engine.runtime.ending import Ending, networks_of, setup_of
from engine.runtime.performance.commands import When
from engine.runtime.performance.links import Link
from engine.runtime.performance.messages import Begin, FromStage, GraphRefused, Progress, ToStage
from engine.runtime.rules import ladder_over
from engine.runtime.workers import State, Workers
from engine.score.time import Bar
from engine.sound.messages import BLOCK, Fade, Forget, Notes, Ramps, Release, Setup

log = logging.getLogger(__name__)

FIRST_PATIENCE = 3.0
"""Seconds that the first bars are waited for, while networks load; rules play them without those that take longer."""

EARLIER = 8
"""Scenes before the one that plays that are kept, to go back to where its graph cannot be built."""

MOST_FAILURES = 8
"""Bars in a row that cannot be made, after which the performance is given up."""

REST_BARS = 2
"""Bars of rest between two scenes, where a rest was asked for."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a performance is to be.

    Attributes:
        seed: of the performance.
        start: section to begin with; None for the scene's first.
        solo: only this part is heard; None for all.
        ending: where it ends; None for without end.
        day: the time of day.
        live: in real time; False as fast as possible.
    """

    seed: int
    start: str | None = None
    solo: str | None = None
    ending: Ending | None = None
    day: TimeOfDay = field(default_factory=WallDay)
    live: bool = True

    def plan(self, scene: Scene) -> Plan:
        """The plan of a scene."""
        return Plan(scene, self.seed, self.start, self.day.at)


@dataclass(frozen=True, slots=True)
class NextScene:
    """A scene that is to take over."""

    scene: Scene
    when: When = When.BAR


class LoadsNetworks(Protocol):
    """What a take-over needs of the workers."""

    def load(self, generators: Sequence[tuple[str, Settings]]) -> None:
        """Build these from now on."""
        ...


class Mind:
    """Plays a scene by messages to a stage.

    One thread runs it. `play_next` and `apply` may be called from any thread; what they ask is done between two bars.

    Args:
        scene: what to play.
        course: how.
        workers: where networks play.
        link: to the stage.
        publish: told of all that happens; never raises.
    """

    def __init__(
        self,
        scene: Scene,
        course: Course,
        workers: Workers,
        link: Link[ToStage, FromStage],
        publish: Callable[[Event], None],
    ) -> None:
        self.progress = Progress(0, 0, over=False)
        self.failure: Exception | None = None
        self._course = course
        self._workers = workers
        self._link = link
        self._publish = publish
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._pending: NextScene | None = None
        self._played: deque[Scene] = deque(maxlen=EARLIER)
        self._stopped = threading.Event()
        self._loaded = False
        self._clock = self._new_clock()
        ladder = ladder_over(workers, publish)
        self.conductor = Conductor(
            course.plan(scene), ladder, self._send, self._clock, solo=course.solo, day=course.day, publish=publish
        )

    def prepare(self) -> None:
        """Let the graph be built and networks loaded; nothing sounds yet."""
        scene = self.conductor.scene
        self._link.send(setup_of(scene, self._course.seed, self._course.live))
        plan = self._course.plan(scene)
        self._workers.load(networks_of(scene, plan.active(plan.pass_at(0))))

    def run(self) -> None:
        """Play until the end, until the stage is over, or until `stop`. What ends it too early is in `failure`."""
        try:
            self._run()
        except Exception as error:
            self.failure = error
            log.exception("the performance is given up")

    def stop(self) -> None:
        """Decide nothing more."""
        self._stopped.set()

    def play_next(self, scene: Scene, when: When = When.BAR) -> None:
        """Let another scene, or an edited one, take over. Of several that wait the latest counts."""
        self._asked.put(lambda: self._set_pending(NextScene(scene, when)))

    def apply(self, action: Callable[[Conductor], None], name: str, argument: str) -> None:
        """Do something to the conductor between two bars, and tell of it."""

        def act() -> None:
            action(self.conductor)
            self._publish(Commanded(name, argument, self.conductor.next_bar))

        self._asked.put(act)

    def _new_clock(self) -> Clock:
        if self._course.live:
            return RealClock(self._made, patience=FIRST_PATIENCE)
        return FastClock(self._made)

    def _run(self) -> None:
        ending = self._course.ending
        end_bar = ending.bar if ending is not None else None
        if ending is not None:
            self._link.send(ending.fade)  # before it is due, wherever that is
        clock = self._clock
        if isinstance(clock, RealClock):
            # The first bars are sent before the graph may begin: frame 0 of a live performance is frame 0 of a render.
            keep_playing(self.conductor, end_bar, lambda: not (clock.running or self._stopped.is_set()))
            clock.running = True
            self._link.send(Begin())
            keep_playing(self.conductor, end_bar, self._keep_on)
        else:
            self.conductor.run(end_bar, self._keep_on)
            if ending is not None:
                # Only whole blocks are rendered, so the last one is released to its end.
                self._link.send(Release(-(-ending.frames // BLOCK) * BLOCK))
        while not self._stopped.wait(0.0) and not self.progress.over and not self._link.closed:
            self._look(0.1)

    def _send(self, message: object) -> None:
        match message:
            case Setup() | Notes() | Ramps() | Forget() | Release() | Fade():
                self._link.send(message)
            case _:
                raise TypeError(f"{type(message).__name__} is no message for the sound")

    def _made(self) -> int:
        """Frames of sound made so far, as far as the stage has told."""
        self._take_in(0.0)
        return self.progress.made

    def _keep_on(self) -> bool:
        self._look(0.0)
        return not (self._stopped.is_set() or self.progress.over or self._link.closed)

    def _look(self, timeout: float) -> None:
        self._take_in(timeout)
        self._look_at_workers()
        with suppress(queue.Empty):
            while True:
                self._do(self._asked.get_nowait())
        self._look_at_pending()

    def _do(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:
            log.exception("what was asked cannot be done; the music goes on")

    def _take_in(self, timeout: float) -> None:
        for message in self._link.receive(timeout):
            match message:
                case Progress():
                    self.progress = message
                case GraphRefused():
                    self._go_back(message)
                case _:
                    self._publish(message)

    def _look_at_workers(self) -> None:
        statuses = self._workers.statuses
        if not self._loaded and statuses and self._workers.ready:
            self._loaded = True
            slowest = max(statuses, key=lambda status: status.seconds_to_load)
            if slowest.to_load:
                self._publish(NetworksLoaded(slowest.seconds_to_load, tuple(slowest.problems.items())))
        elif any(status.state is State.DEAD for status in statuses):
            self._loaded = False

    # Other scenes

    def _set_pending(self, scene: NextScene) -> None:
        self._pending = scene

    def _look_at_pending(self) -> None:
        pending, conductor = self._pending, self.conductor
        if pending is None:
            return
        if pending.when is not When.BAR:
            visit = conductor.plan.pass_at(conductor.next_bar)
            if visit.first_bar != conductor.next_bar:
                return
            if pending.when is When.REST:
                for _ in range(REST_BARS):
                    conductor.leave_out()
        self._pending = None
        before = conductor.scene
        if self._take_over(pending.scene):
            self._played.append(before)

    def _go_back(self, refused: GraphRefused) -> None:
        """Play the latest scene before the one whose graph cannot be built."""
        self._publish(SceneRefused(self.conductor.scene.title, refused.reason))
        while self._played and self._pending is None:
            scene = self._played.pop()
            setup = setup_of(scene, self._course.seed, live=True)
            if (setup.parts, setup.mix) != (refused.setup.parts, refused.setup.mix):
                self._take_over(scene)
                return

    def _take_over(self, scene: Scene) -> bool:
        bar = take_over(self.conductor, scene, self._course.seed, self._link.send, self._workers)
        if isinstance(bar, str):
            self._publish(SceneRefused(scene.title, bar))
            return False
        if self._course.ending is not None:
            self._link.send(self._course.ending.fade)
        self._publish(SceneTookOver(bar.index, scene.title))
        return True


def take_over(
    conductor: Conductor, scene: Scene, seed: int, send: Callable[[Setup], None], workers: LoadsNetworks
) -> Bar | str:
    """Let an edited scene play from the next bar line that is not decided; a new graph only if its sound differs.

    Returns:
        the first bar that it decides; or why it cannot be played, and then what played plays on.
    """
    before = conductor.scene
    networks = networks_of(before)
    try:
        wanted, setup = networks_of(scene), setup_of(scene, seed, live=True)
        if wanted != networks:
            workers.load(wanted)
        bar = conductor.reload(scene)
    except Exception as error:
        log.exception("the edited scene cannot be played (%s); what played plays on", error)
        with suppress(Exception):
            workers.load(networks)
        return str(error) or repr(error)
    if setup != setup_of(before, seed, live=True):
        send(replace(setup, start_frame=bar.start // BLOCK * BLOCK))
    return bar


def keep_playing(conductor: Conductor, end_bar: int | None, keep_on: Callable[[], bool]) -> None:
    """Let the conductor play; a bar that it cannot make, for whatever reason, is left out and said.

    Raises:
        Exception: several bars in a row cannot be made, so that nothing plays any more.
    """
    failures = 0
    while True:
        first = conductor.next_bar
        try:
            conductor.run(end_bar, keep_on)
            return
        except Exception:
            failures = failures + 1 if conductor.next_bar == first else 1
            if failures > MOST_FAILURES:
                raise
            log.exception("bar %d cannot be made; the music goes on after it", conductor.next_bar + 1)
            conductor.leave_out()


__all__ = ["Course", "Mind", "NextScene", "keep_playing", "take_over"]

# pyright: strict
"""The mind: what decides. Plan, conductor and makers of phrases; it knows of the sound what the stage tells it."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import assert_never

from engine.conductor.clocks import Clock, FastClock, RealClock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.contract import SlowRung
from engine.errors import PerpetuumError
from engine.events import Commanded, Event, SceneRefused, SceneTookOver
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.runtime.ending import networks_of, setup_at, setup_of
from engine.runtime.performance.commands import (
    BarCommand,
    ChangeScene,
    GoToSection,
    MindCommand,
    MutePart,
    Reseed,
    SetControl,
    Solo,
    When,
    words_of,
)
from engine.runtime.performance.course import Course, LoadScene, Snapshot, no_scenes
from engine.runtime.performance.links import LinkEnd
from engine.runtime.performance.messages import Begin, FromStage, GraphRefused, SoundProgress, ToStage
from engine.runtime.performance.mind.banks import Banks
from engine.runtime.performance.mind.holds import Holds, check_part, with_holds
from engine.runtime.performance.mind.loaded import LoadedNetworks
from engine.runtime.performance.mind.standing import snapshot_of
from engine.runtime.performance.mind.state import MindState
from engine.runtime.performance.mind.succession import REST_BARS, NextScene, keep_playing, take_over
from engine.runtime.rules import ladder_over
from engine.runtime.timbres.lines import moved_at
from engine.runtime.timbres.orders import with_banks
from engine.runtime.timbres.timbres import KeptBanks, Timbres
from engine.runtime.workers.workers import Workers
from engine.sound.messages import BLOCK, ChangeInstrument, Fade, Forget, Notes, Ramps, Release, Setup

log = logging.getLogger(__name__)

FIRST_PATIENCE = 3.0
"""Seconds that the first bars are waited for, while networks load; rules play them without those that take longer."""

EARLIER = 8
"""Scenes before the one that plays that are kept, to go back to where its graph cannot be built."""


class Mind:
    """Plays a scene by messages to a stage.

    One thread runs it. `play_next` and `submit` may be called from any thread; what they ask is done between two bars.

    Args:
        scene: what to play.
        course: how.
        workers: where networks play.
        link: to the stage.
        publish: told of all that happens; never raises.
        load: reads the scenes that commands name.
        pause: called between two steps, where `conductor.state()` is all that was sent.
        timbres: has the banks of parts with timbres made; None: their stand-ins play.
        pool: other machines that make phrases; None: there are none.

    Attributes:
        progress: how far the sound is, as far as the stage has told.
        snapshot: how the performance stands.
        failure: what ended it too early; None if nothing did.
    """

    def __init__(
        self,
        scene: Scene,
        course: Course,
        workers: Workers,
        link: LinkEnd[ToStage, FromStage],
        publish: Callable[[Event], None],
        load: LoadScene = no_scenes,
        pause: Callable[[], None] = lambda: None,
        timbres: Timbres | KeptBanks | None = None,
        pool: SlowRung | None = None,
    ) -> None:
        self.progress = SoundProgress(0, 0, over=False)
        self.failure: Exception | None = None
        self._course = course
        self._workers = workers
        self._link = link
        self._publish = publish
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._load = load
        self._pause = pause
        self._banks = Banks(timbres, self._send, publish, wait=not course.live)
        self._written = scene
        self._holds: Holds = {}
        self._muted: frozenset[str] = frozenset()
        self._pending: NextScene | None = None
        self._going_to: str | None = None
        self._played: deque[Scene] = deque(maxlen=EARLIER)
        self._stopped = threading.Event()
        self._networks = LoadedNetworks(workers, publish)
        self._clock = self._new_clock()
        self._pool = pool
        if pool is not None:
            pool.follow(lambda: self._clock.now())
        self.conductor = self._new_conductor(replace(course, begin=None).plan(scene), course.solo)
        self.snapshot = self._snapshot()

    @property
    def seed(self) -> int:
        """Of what is decided now."""
        return self.conductor.plan.seed

    def _new_conductor(self, plan: Plan, solo: str | None) -> Conductor:
        return Conductor(
            plan,
            ladder_over(self._workers, self._publish, self._pool),
            self._send,
            self._clock,
            lead=self._course.lead,
            solo=solo,
            day=self._course.day,
            publish=self._publish,
        )

    def _snapshot(self) -> Snapshot:
        return snapshot_of(self.conductor, self.progress, self._muted)

    def prepare(self) -> None:
        """Let the graph be built and networks loaded; nothing sounds yet.

        Raises:
            PerpetuumError: the state with which it is to begin is of another performance.
        """
        if self._course.begin is not None:
            self.resume(self._course.begin, sounding=False)
            return
        plan = self.conductor.plan
        self._banks.begin(plan.scene, self._course.seed, moved=moved_at(plan, 0))
        self._link.send(self._setup_of(plan.scene, self._course.seed))
        self._workers.load(networks_of(plan.scene, plan.active(plan.pass_at(0))))

    def state(self) -> MindState:
        """All that decides how the performance goes on, but for the scene as it was written. Between two steps only."""
        conductor = self.conductor
        held = self._holds, self._muted, conductor.solo, self._going_to
        return MindState.of(conductor.state(), *held, self._banks.playing, self._banks.told)

    def resume(self, state: MindState, frame: int = 0, sounding: bool = True) -> None:
        """Go on where another mind stood, instead of `prepare`.

        Args:
            state: of that mind, whose performance had the course's seed. If the scene was edited since, the scene as
                it is now takes over there.
            frame: bars that begin before it are left out: time went on without anybody who decides.
            sounding: the sound has what that mind sent; otherwise it begins with the next bar.

        Raises:
            PerpetuumError: the state is of another performance.
        """
        self._holds, self._muted, self._going_to = state.held, frozenset(state.muted), state.going_to
        scene = self._under_the_hand(self._written)
        course = replace(self._course, seed=state.conductor.seed, begin=None)
        self.conductor = conductor = self._new_conductor(course.plan(scene), self._course.solo or state.solo)
        edited = state.conductor.scene != conductor.plan.scene_digest
        conductor.restore(state.conductor, edited=True)
        conductor.skip_to(frame)  # silently: the first that a new graph is told is its setup
        start = conductor.plan.bar(conductor.next_bar).start // BLOCK * BLOCK
        line = conductor.plan.pass_at(conductor.next_bar).end_bar
        coming = state.coming_banks if sounding else {}
        moved = moved_at(conductor.plan, line)
        self._banks.take_up(scene, self._course.seed, state.playing_banks, coming, line, moved)
        setup = replace(self._setup_of(scene, self._course.seed), start_frame=start)
        if not sounding:
            rings = conductor.resounding()
            for message in (setup_at(setup, rings), *rings.notes):
                self._link.send(message)
        elif edited:
            self._link.send(setup)
        self._workers.load(networks_of(scene))
        if isinstance(self._clock, RealClock):
            self._clock.running, self._clock.start = sounding, start
        self.snapshot = self._snapshot()

    def _setup_of(self, scene: Scene, seed: int) -> Setup:
        return with_banks(setup_of(scene, seed, self._course.live), self._banks.playing)

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

    def play_next(self, scene: Scene, when: When = When.BAR, seed: int | None = None, overlap: int = 0) -> None:
        """Let another scene, or an edited one, take over as `ChangeScene` says. The last that is asked for counts."""
        self._asked.put(lambda: self._set_pending(NextScene(scene, when, seed, overlap)))

    def submit(self, command: MindCommand) -> None:
        """Do what a hand asks, between two bars; what cannot be done is told in the log, and nothing changes."""
        if isinstance(command, ChangeScene):
            # A file may be slow to read, and there are bars to decide.
            threading.Thread(target=self._read_scene, args=(command,), name="scene", daemon=True).start()
        else:
            self._asked.put(lambda: self._do(command))

    def _read_scene(self, command: ChangeScene) -> None:
        try:
            scene = self._load(Path(command.path))
        except Exception as error:
            self._publish(SceneRefused(command.path, str(error)))
            return
        self.play_next(scene, command.when, command.seed, command.overlap)
        self._tell_of(command, self.snapshot.next_bar)

    def _tell_of(self, command: MindCommand, bar: int) -> None:
        self._publish(Commanded(type(command).__name__, words_of(command), bar))

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
        if isinstance(clock, RealClock) and not clock.running:
            # The first bars are sent before the graph may begin: frame 0 of a live performance is frame 0 of a render.
            self._banks.look(self.conductor.plan, self.conductor.next_bar, 0)  # a section line may be among them
            keep_playing(self.conductor, end_bar, lambda: not (clock.running or self._stopped.is_set()))
            clock.running = True
            self._link.send(Begin())
        if self._course.live:
            keep_playing(self.conductor, end_bar, self._keep_on)
        else:
            self.conductor.run(end_bar, self._keep_on)
            if ending is not None:
                self._link.send(Release(ending.frames))
        # No bar is left to decide, so commands and other scenes come too late.
        while not (self._stopped.is_set() or self.progress.over or self._link.closed):
            self._take_in(0.1)
            self._networks.look()
            self.snapshot = self._snapshot()

    def _send(self, message: object) -> None:
        if not isinstance(message, Setup | Notes | Ramps | ChangeInstrument | Forget | Release | Fade):
            raise TypeError(f"{type(message).__name__} is no message for the sound")
        self._link.send(message)

    def _made(self) -> int:
        """Frames of sound made so far, as far as the stage has told."""
        self._take_in(0.0)
        return self.progress.made

    def _keep_on(self) -> bool:
        self._look()
        return not (self._stopped.is_set() or self.progress.over or self._link.closed)

    def _look(self) -> None:
        self._take_in(0.0)
        self._networks.look()
        with suppress(queue.Empty):
            while True:
                self._act(self._asked.get_nowait())
        self._banks.look(self.conductor.plan, self.conductor.next_bar, self.progress.made)
        self._look_at_pending()
        self.snapshot = self._snapshot()
        self._pause()

    def _act(self, action: Callable[[], None]) -> None:
        try:
            action()
        except PerpetuumError as error:
            log.warning("%s; the music goes on as it was", error)
        except Exception:
            log.exception("what was asked cannot be done; the music goes on")

    def _take_in(self, timeout: float) -> None:
        """Take in what the stage tells. The clock does so in the conductor's midst: whatever touches it waits."""
        for message in self._link.receive(timeout):
            match message:
                case SoundProgress():
                    self.progress = message
                case GraphRefused():
                    self._asked.put(lambda refused=message: self._go_back(refused))
                case _:
                    self._publish(message)

    # Commands

    def _do(self, command: BarCommand) -> None:
        match command:
            case GoToSection(section=section):
                if section not in self.conductor.scene.sections:
                    known = ", ".join(self.conductor.scene.sections)
                    raise PerpetuumError(f"there is no section {section!r}", f"one of {known}")
                if command.when is not When.BAR and not self._at_section:
                    self._going_to = section
                    return
                self._going_to = None
                self.conductor.follow(self.conductor.plan.led_to(section, self.conductor.next_bar))
            case Reseed(seed=seed):
                self.conductor.follow(self.conductor.plan.reseeded(seed, self.conductor.next_bar))
                self._banks.edited(self._written, seed, rebuilt=False)
            case Solo(part=part):
                check_part(self._written, part)
                self.conductor.solo = part
            case MutePart(part=part, muted=muted):
                check_part(self._written, part)
                self._hold(self._holds, self._muted | {part} if muted else self._muted - {part})
            case SetControl(part=part, control=control, value=value):
                check_part(self._written, part)
                holds = {key: kept for key, kept in self._holds.items() if key != (part, control)}
                self._hold(holds if value is None else {**holds, (part, control): value}, self._muted)
            case _:
                assert_never(command)
        self._tell_of(command, self.conductor.next_bar)

    def _hold(self, holds: Holds, muted: frozenset[str]) -> None:
        """Let a hand hold settings; the graph stays, because only what moves in it moves."""
        scene = with_holds(self._written, holds, muted)
        self.conductor.follow(self.conductor.plan.replaced_by(scene, self.conductor.next_bar))
        self._holds, self._muted = holds, muted

    def _under_the_hand(self, scene: Scene) -> Scene:
        try:
            return with_holds(scene, self._holds, self._muted)
        except PerpetuumError as error:  # the edited scene has no such setting any more
            log.warning("%s; the scene's own settings count", error)
            self._holds = {}
            return with_holds(scene, {}, self._muted)

    @property
    def _at_section(self) -> bool:
        """Whether a pass of a section begins with the next bar that is not decided."""
        return self.conductor.plan.pass_at(self.conductor.next_bar).first_bar == self.conductor.next_bar

    # Other scenes

    def _set_pending(self, scene: NextScene) -> None:
        self._pending = scene

    def _look_at_pending(self) -> None:
        at_section, section = self._at_section, self._going_to
        if section is not None and at_section:
            self._going_to = None
            self._act(lambda: self._do(GoToSection(section)))
        pending = self._pending
        if pending is None or (pending.when is not When.BAR and not at_section):
            return
        if pending.when is When.REST:
            for _ in range(REST_BARS):
                self.conductor.leave_out()
        self._pending = None
        before = self._written
        if self._take_over(pending.scene, pending.seed, pending.overlap):
            self._played.append(before)

    def _go_back(self, refused: GraphRefused) -> None:
        """Play the latest scene before the one whose graph cannot be built."""
        self._publish(SceneRefused(self.conductor.scene.title, refused.reason))
        comes_at_once = self._pending is not None and self._pending.when is When.BAR
        while self._played and not comes_at_once:
            scene = self._played.pop()
            setup = self._setup_of(scene, self.seed)
            if (setup.parts, setup.mix) != (refused.setup.parts, refused.setup.mix):
                self._take_over(scene)
                return

    def _take_over(self, scene: Scene, seed: int | None = None, overlap: int = 0) -> bool:
        how = self._send, self._workers, self._under_the_hand, seed, self._banks, overlap
        bar = take_over(self.conductor, scene, self._written, self.seed, *how)
        if isinstance(bar, str):
            self._publish(SceneRefused(scene.title, bar))
            return False
        self._written = scene
        if self._course.ending is not None:
            self._link.send(self._course.ending.fade)
        self._publish(SceneTookOver(bar.index, scene.title))
        return True

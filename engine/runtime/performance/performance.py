# pyright: strict
"""A running performance as an object: started, commanded, looked at, listened to and stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TypeVar, assert_never

from engine.conductor.makers.contract import SlowRung
from engine.events import Bus, Commanded, Event, Subscription
from engine.events.log import LOGGED, log_event
from engine.form.scene import Scene
from engine.outputs.contract import InfallibleOutput
from engine.runtime.audio import Audio
from engine.runtime.performance.commands import (
    Alarm,
    ChangeScene,
    Command,
    GoToSection,
    Mute,
    MutePart,
    Reseed,
    SetControl,
    SetGain,
    SetLowCut,
    SetTrim,
    Solo,
    Stop,
    When,
    words_of,
)
from engine.runtime.performance.course import Course, LoadScene, Snapshot, no_scenes
from engine.runtime.performance.links import pair_of_links
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.performance.stage import Stage
from engine.runtime.threads import SteadyThread
from engine.runtime.timbres.timbres import Timbres
from engine.runtime.workers.workers import Workers

E = TypeVar("E", bound=Event)

PATIENCE = 1.0
"""Seconds that the end of a fade is waited for; an output that hangs holds nobody."""


class Performance:
    """Hosts both halves of a performance in this process.

    Args:
        scene: what to play.
        course: how.
        audio: started.
        workers: likewise.
        load: reads the scenes that commands name.
        timbres: has banks of notes made; None: stand-ins play.
        pool: other machines that make phrases; None: there are none.
    """

    def __init__(
        self,
        scene: Scene,
        course: Course,
        audio: Audio,
        workers: Workers,
        load: LoadScene = no_scenes,
        timbres: Timbres | None = None,
        pool: SlowRung | None = None,
    ) -> None:
        self.bus = Bus()
        self.bus.subscribe(LOGGED, log_event)
        self._audio = audio
        self._stack = ExitStack()
        self._to_stage, self._to_mind = pair_of_links()
        self._mind = Mind(scene, course, workers, self._to_stage, self.bus.publish, load, timbres=timbres, pool=pool)
        self._thread = SteadyThread(self._mind.run, "mind")

    def prepare(self) -> None:
        """Let the graph be built and networks loaded, while outputs are still being opened."""
        self._mind.prepare()

    def start(self, output: InfallibleOutput) -> None:
        """Let it sound.

        Args:
            output: opened.
        """
        self._stack.enter_context(self.bus)
        self._stage = self._stack.enter_context(Stage(self._audio, output, self._to_mind))
        self._thread.start()
        self._stack.callback(self._thread.join)
        self._stack.callback(self._mind.stop)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    def wait(self, timeout: float) -> bool:
        """Wait for its end; False if `timeout` seconds passed before.

        Raises:
            Exception: what ended it too early.
        """
        self._thread.join(timeout)
        if self._mind.failure is not None:
            raise self._mind.failure
        return self.over

    def stop(self, seconds: float = 0.0) -> None:
        """Fade out, then stop what was started, in reverse."""
        if seconds > 0 and not self.over:
            self.submit(Stop(seconds))
            self._thread.join(seconds + PATIENCE)
        self._stack.close()

    def subscribe(
        self, types: type[E] | Sequence[type[E]], subscriber: Callable[[E], None], lossless: bool = False
    ) -> Subscription:
        """Have events told (see `Bus.subscribe`)."""
        return self.bus.subscribe(types, subscriber, lossless=lossless)

    def snapshot(self) -> Snapshot:
        """How it stands; a moment later it may stand otherwise."""
        return self._mind.snapshot

    @property
    def scene(self) -> Scene:
        """What plays now, as a hand has left it."""
        return self._mind.conductor.scene

    def play_next(self, scene: Scene, when: When = When.BAR) -> None:
        """Let another scene, or an edited one, take over."""
        self._mind.play_next(scene, when)

    def submit(self, command: Command) -> None:
        """Do what a hand asks. Returns at once; what cannot be done is told as an event or in the log."""
        match command:
            case Stop() | Mute() | Alarm() | SetGain() | SetTrim() | SetLowCut():
                self._to_stage.send(command)
                self.bus.publish(Commanded(type(command).__name__, words_of(command), self.snapshot().next_bar))
            case ChangeScene() | GoToSection() | Reseed() | Solo() | MutePart() | SetControl():
                self._mind.submit(command)
            case _:
                assert_never(command)

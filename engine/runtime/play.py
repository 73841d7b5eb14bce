"""Playing: a performance in real time, without end, that follows its scene file while it is edited."""

from __future__ import annotations

import logging
import signal
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from engine.conductor.clocks import RealClock
from engine.conductor.conductor import Conductor, Sealed
from engine.conductor.daytime import TimeOfDay, WallDay
from engine.conductor.recorder import Tally
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.generators.contract import Settings
from engine.outputs.contract import InfallibleOutput
from engine.runtime.audio import Audio, Refused
from engine.runtime.ending import Ending, networks_of, setup_of
from engine.runtime.pump import Pump
from engine.runtime.rules import ladder_over
from engine.runtime.signals import StopSignals
from engine.runtime.watching import Edits
from engine.runtime.workers import State, Workers
from engine.sound.messages import BLOCK, Meter

log = logging.getLogger(__name__)

FIRST_PATIENCE = 3.0
"""Seconds that the first bars are waited for, while networks load; rules play them without those that take longer."""

STOPPING_FADE = 1.5
"""Seconds of the fade after Ctrl-C."""

ENDING_FADE = 0.5
"""Seconds of the fade after SIGTERM: whoever sends it waits two seconds and no more."""

EARLIER = 8
"""Scenes before the one that plays that are kept, to go back to where its graph cannot be built."""

MOST_FAILURES = 8
"""Bars in a row that cannot be made, after which the performance is given up."""


@dataclass
class Wishes:
    """How somebody wants to hear a scene.

    Attributes:
        seed: of the performance.
        start: section to begin with.
        solo: only this part is heard.
        seconds: how long; None for without end.
        day: the time of day.
    """

    seed: int
    start: str | None = None
    solo: str | None = None
    seconds: float | None = None
    day: TimeOfDay = field(default_factory=WallDay)


@dataclass
class News:
    """Whom to tell what happens. Every one may be left out.

    Attributes:
        section: a section begins.
        networks: the networks have been loaded, or why not.
        reloaded: an edited scene plays from a bar (counted from 0) on.
    """

    section: Callable[[Sealed], None] = lambda sealed: None
    networks: Callable[[float, dict[str, str]], None] = lambda seconds, problems: None
    reloaded: Callable[[int], None] = lambda bar: None


def prepare(scene: Scene, wishes: Wishes, audio: Audio, workers: Workers) -> None:
    """Let the graph be built and networks loaded, as soon as the scene is known; nothing sounds yet."""
    audio.send(setup_of(scene, wishes.seed, live=True))
    plan = Plan(scene, wishes.seed, wishes.start)
    workers.load(networks_of(scene, plan.active(plan.pass_at(0))))


def play(
    scene: Scene,
    wishes: Wishes,
    audio: Audio,
    workers: Workers,
    output: InfallibleOutput,
    edits: Edits,
    news: News,
    stop: StopSignals,
) -> Tally:
    """Play until the end, or until somebody stops us; then fade out and stop what was started, in reverse.

    Args:
        scene: what to play.
        wishes: how.
        audio: started and prepared.
        workers: likewise.
        output: opened.
        edits: edited scenes that are to take over.
        news: whom to tell what happens.
        stop: whether somebody stops us.
    """
    tally = Tally()
    plan = Plan(scene, wishes.seed, wishes.start, wishes.day.at)
    ending = None
    if wishes.seconds is not None:
        ending = Ending.after_seconds(Plan(scene, wishes.seed, wishes.start, wishes.day.at), wishes.seconds)
    with ExitStack() as stack:
        desk = _Desk(audio, workers, news)

        def listen(sealed: Sealed) -> None:
            tally(sealed)
            desk.hear(sealed)

        clock = RealClock(lambda: audio.frame, patience=FIRST_PATIENCE)
        conductor = Conductor(plan, ladder_over(workers), audio.send, clock, listen, solo=wishes.solo, day=wishes.day)
        if ending is not None:
            audio.send(ending.fade)
        played: deque[Scene] = deque(maxlen=EARLIER)
        # The first bars are sent before the graph may begin: frame 0 of a live performance is frame 0 of a render.
        keep_playing(conductor, ending.bar if ending else None, lambda: not (clock.running or stop.asked))
        clock.running = True
        audio.begin()
        pump = stack.enter_context(Pump(audio, output))

        def keep_on() -> bool:
            refused = desk.look()
            edited = edits.take()
            if edited is not None:
                played.append(conductor.scene)
            elif refused:
                edited = _last_good(played, refused, wishes)
            if edited is not None and take_over(conductor, edited, wishes, audio, workers):
                if ending is not None:
                    audio.send(ending.fade)
                desk.tell(news.reloaded, conductor.next_bar)
            return not stop.asked and not pump.finished

        keep_playing(conductor, ending.bar if ending else None, keep_on)
        if ending is not None and not stop.asked:
            while not pump.join(0.1) and not stop.asked:
                desk.look()
        if stop.asked:
            pump.fade_out(STOPPING_FADE if stop.number == signal.SIGINT else ENDING_FADE)
    return tally


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


def _last_good(played: deque[Scene], refused: Refused, wishes: Wishes) -> Scene | None:
    """The latest scene before the one whose graph cannot be built; None if there is none."""
    while played:
        scene = played.pop()
        setup = setup_of(scene, wishes.seed, True)
        if (setup.parts, setup.mix) != (refused.setup.parts, refused.setup.mix):
            return scene
    return None


class _Sound(Protocol):
    """What a take-over needs of the audio process."""

    def send(self, message: object) -> None: ...


class _Networks(Protocol):
    """What a take-over needs of the workers."""

    def load(self, generators: Sequence[tuple[str, Settings]]) -> None: ...


def take_over(conductor: Conductor, scene: Scene, wishes: Wishes, audio: _Sound, workers: _Networks) -> bool:
    """Let an edited scene play from the next bar line that is not decided; a new graph only if its sound differs.

    Returns:
        whether it does; if it cannot, for whatever reason, that is said and what played plays on.
    """
    before = conductor.scene
    networks = networks_of(before)
    try:
        wanted, setup = networks_of(scene), setup_of(scene, wishes.seed, True)
        if wanted != networks:
            workers.load(wanted)
        bar = conductor.reload(scene)
    except Exception as error:
        log.exception("the edited scene cannot be played (%s); what played plays on", error)
        with suppress(Exception):
            workers.load(networks)
        return False
    if setup != setup_of(before, wishes.seed, True):
        audio.send(replace(setup, start_frame=bar.start // BLOCK * BLOCK))
    return True


class _Desk:
    """Looks at the processes now and then, and passes on what is new."""

    def __init__(self, audio: Audio, workers: Workers, news: News) -> None:
        self._audio = audio
        self._workers = workers
        self._news = news
        self._pass_index = -1
        self._late_notes = 0
        self._loaded = False
        self._unheard = False

    def hear(self, sealed: Sealed) -> None:
        if sealed.visit.index != self._pass_index:
            self._pass_index = sealed.visit.index
            self.tell(self._news.section, sealed)

    def tell(self, teller: Callable[..., None], *what: object) -> None:
        """Pass on what is new; whoever cannot take it costs nothing, and is said once."""
        try:
            teller(*what)
        except Exception:
            if not self._unheard:
                self._unheard = True
                log.exception("what happens cannot be told; the music goes on")

    def look(self) -> Refused | None:
        """Take in what has come back; a graph that cannot be built, if there was one."""
        refused = None
        for message in self._audio.poll():
            if isinstance(message, Refused):
                refused = message
            elif isinstance(message, Meter):
                if message.late_notes > self._late_notes:
                    log.warning("%d notes came too late for their frame", message.late_notes - self._late_notes)
                # A new process counts anew.
                self._late_notes = message.late_notes
        if not self._loaded and self._workers.statuses and self._workers.ready:
            self._loaded = True
            slowest = max(self._workers.statuses, key=lambda status: status.seconds_to_load)
            if slowest.to_load:
                self.tell(self._news.networks, slowest.seconds_to_load, slowest.problems)
        elif any(status.state is State.DEAD for status in self._workers.statuses):
            self._loaded = False
        return refused

"""Playing: a performance in real time, without end, that follows its scene file while it is edited."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from engine.conductor.clocks import RealClock
from engine.conductor.conductor import Conductor, Sealed
from engine.conductor.daytime import TimeOfDay, WallDay
from engine.conductor.recorder import Tally
from engine.errors import PerpetuumError
from engine.runtime.audio import Audio
from engine.runtime.outputs import Output
from engine.runtime.performance import Ending, networks_of, setup_of
from engine.runtime.pump import Pump
from engine.runtime.rules import LocalRules
from engine.runtime.signals import StopSignals
from engine.runtime.workers import State, Workers
from engine.scenes.plan import Plan
from engine.scenes.scene import Scene
from engine.sound.messages import Meter

log = logging.getLogger(__name__)

STOPPING_FADE = 1.5
"""Seconds of the fade after Ctrl-C."""


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


@dataclass
class Edits:
    """Edited scenes on their way from whoever watches the file to the conductor; the latest counts."""

    _scene: Scene | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, scene: Scene) -> None:
        """Hand over a scene."""
        with self._lock:
            self._scene = scene

    def take(self) -> Scene | None:
        """The latest scene that nobody has taken."""
        with self._lock:
            scene, self._scene = self._scene, None
            return scene


def prepare(scene: Scene, wishes: Wishes, audio: Audio) -> None:
    """Let the audio process build the graph, as soon as the scene is known; nothing sounds yet."""
    audio.send(setup_of(scene, wishes.seed, live=True))


def play(
    scene: Scene, wishes: Wishes, audio: Audio, output: Output, edits: Edits, news: News, stop: StopSignals
) -> Tally:
    """Play until the end, or until somebody stops us; then fade out and stop what was started, in reverse.

    Args:
        scene: what to play.
        wishes: how.
        audio: started and prepared.
        output: opened.
        edits: edited scenes that are to take over.
        news: whom to tell what happens.
        stop: whether somebody stops us.
    """
    tally = Tally()
    plan = Plan(scene, wishes.seed, wishes.start)
    ending = None
    if wishes.seconds is not None:
        ending = Ending.after_seconds(Plan(scene, wishes.seed, wishes.start), wishes.seconds)
    with ExitStack() as stack:
        networks = networks_of(scene)
        workers = stack.enter_context(Workers(load=networks))
        desk = _Desk(audio, workers, news)

        def listen(sealed: Sealed) -> None:
            tally(sealed)
            desk.hear(sealed)

        clock = RealClock(lambda: audio.frame)
        rules = LocalRules()
        conductor = Conductor(plan, workers, rules, audio.send, clock, listen, solo=wishes.solo, day=wishes.day)
        if ending is not None:
            audio.send(ending.fade)
        # The first bars are sent before the graph may begin: frame 0 of a live performance is frame 0 of a render.
        conductor.advance(ending.bar if ending else None)
        audio.begin()
        pump = stack.enter_context(Pump(audio, output))

        def keep_on() -> bool:
            desk.look()
            edited = edits.take()
            if edited is not None:
                _take_over(conductor, edited, wishes, audio, workers)
                if ending is not None:
                    audio.send(ending.fade)
                news.reloaded(conductor.next_bar)
            return not stop.asked and not pump.finished

        conductor.run(ending.bar if ending else None, keep_on)
        if ending is not None and not stop.asked:
            while not pump.join(0.1) and not stop.asked:
                desk.look()
        if stop.asked:
            pump.fade_out(STOPPING_FADE)
    return tally


def _take_over(conductor: Conductor, scene: Scene, wishes: Wishes, audio: Audio, workers: Workers) -> None:
    """Let an edited scene play from the next bar line that is not decided; a new graph only if its sound differs."""
    before = conductor.scene
    bar = conductor.reload(scene)
    networks = networks_of(scene)
    if networks != networks_of(before):
        workers.load(networks)
    if setup_of(scene, wishes.seed, True) != setup_of(before, wishes.seed, True):
        audio.send(setup_of(scene, wishes.seed, True, bar.start))


class _Desk:
    """Looks at the processes now and then, and passes on what is new."""

    def __init__(self, audio: Audio, workers: Workers, news: News) -> None:
        self._audio = audio
        self._workers = workers
        self._news = news
        self._pass_index = -1
        self._late_notes = 0
        self._loaded = False

    def hear(self, sealed: Sealed) -> None:
        if sealed.visit.index != self._pass_index:
            self._pass_index = sealed.visit.index
            self._news.section(sealed)

    def look(self) -> None:
        for message in self._audio.poll():
            if isinstance(message, Meter):
                if message.late_notes > self._late_notes:
                    log.warning("%d notes came too late for their frame", message.late_notes - self._late_notes)
                # A new process counts anew.
                self._late_notes = message.late_notes
        if not self._loaded and self._workers.statuses and self._workers.ready:
            self._loaded = True
            slowest = max(self._workers.statuses, key=lambda status: status.seconds_to_load)
            self._news.networks(slowest.seconds_to_load, slowest.problems)
        elif any(status.state is State.DEAD for status in self._workers.statuses):
            self._loaded = False


def saved_at(path: Path) -> tuple[int, int, int] | None:
    """What tells one saved state of a file from another: its number, size and time; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def watch(
    path: Path,
    load: Callable[[Path], Scene | None],
    edits: Edits,
    stopped: threading.Event,
    known: tuple[int, int, int] | None,
) -> None:
    """Follow a scene file until `stopped`: each time it is saved, load it; hand it over if it is good.

    Editors replace a file as often as they write it, so its folder is watched. Once a second the file is looked at in
    any case: what was saved before the watch began, or lies where nothing tells of changes, must not be missed.

    Args:
        path: of the file.
        load: gives the scene, or None where it is broken.
        edits: where scenes are put.
        stopped: ends it.
        known: `saved_at` of the file when the scene that plays was loaded.
    """
    from watchfiles import watch as changes

    for _ in changes(
        path.parent,
        stop_event=stopped,
        recursive=False,
        debounce=200,
        rust_timeout=1000,
        yield_on_timeout=True,
        raise_interrupt=False,
    ):
        found = saved_at(path)
        if found in (None, known):
            continue
        known = found
        try:
            scene = load(path)
        except PerpetuumError as error:  # it vanished again while somebody's editor was busy with it
            log.warning("%s", error)
            continue
        if scene is not None:
            edits.put(scene)

# pyright: strict
"""The mind's process: `python -m engine.installation.mind.process --control FD`.

Disposable: whatever it has decided lies with the keeper, and the next one goes on from there.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import queue
import signal
import threading
import time
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from engine.errors import PerpetuumError
from engine.events import Event, SceneTookOver
from engine.form.scene import Scene
from engine.installation.keeper.mind.messages import (
    EVENTS,
    FROM_MIND,
    TO_MIND,
    TO_STAGE,
    Beat,
    CannotPlay,
    Decided,
    FromMind,
    Play,
    ToMind,
)
from engine.installation.mind.weights import tell_weights
from engine.logs.log import log_to_parent
from engine.pool.asking.banks import PoolBanks
from engine.pool.asking.rung import PoolRung
from engine.processes.child import LARGEST_MESSAGE
from engine.processes.leaving import leave
from engine.runtime.performance.course import Course
from engine.runtime.performance.messages import FromStage, GraphRefused, SoundProgress, ToStage
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.performance.mind.state import MindState
from engine.runtime.timbres.timbres import Timbres
from engine.runtime.workers.workers import Workers
from engine.sabotage import allow_sabotage
from engine.scenes import Severity, load

log = logging.getLogger(__name__)

BEAT = 0.2
"""Seconds between two signs of life."""


class KeeperLink:
    """The mind's end of the way to the keeper: what is sent is kept until `hand_over`.

    Args:
        connection: to the keeper.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._inbox: queue.Queue[FromStage] = queue.Queue()
        self._messages: list[bytes] = []
        self._events: list[bytes] = []
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the keeper wants nothing more."""
        return self._closed

    def close(self) -> None:
        """Nothing more is sent."""
        self._closed = True

    def say(self, message: FromMind) -> None:
        """Say something to the keeper at once."""
        with self._lock, suppress(OSError):  # one that is gone is seen by the reader
            self._connection.send_bytes(FROM_MIND.encode(message))

    def hear(self) -> ToMind | None:
        """The next message; None: the keeper is gone."""
        try:
            return TO_MIND.decode(self._connection.recv_bytes(LARGEST_MESSAGE))
        except (EOFError, OSError):
            self._closed = True
            return None

    def put(self, message: FromStage) -> None:
        """Let the mind receive a message."""
        self._inbox.put(message)

    # LinkEnd

    def send(self, message: ToStage) -> None:
        """Keep a message for the stage until all that belongs to it is there."""
        self._messages.append(TO_STAGE.encode(message))

    def publish(self, event: Event) -> None:
        """Keep an event likewise. From any thread."""
        data = EVENTS.encode(event)
        with self._lock:
            self._events.append(data)

    def receive(self, timeout: float) -> list[FromStage]:
        """Messages of the stage that have come."""
        found: list[FromStage] = []
        with suppress(queue.Empty):
            found.append(self._inbox.get(timeout=timeout) if timeout > 0 else self._inbox.get_nowait())
            while True:
                found.append(self._inbox.get_nowait())
        return found

    def hand_over(self, state: bytes = b"", scene: str = "", seed: int = 0) -> None:
        """Hand over what has been decided, and how it goes on (see `Decided`)."""
        messages, self._messages = tuple(self._messages), []
        with self._lock:
            events, self._events = tuple(self._events), []
        self.say(Decided(messages, events, state, scene, seed))

    @property
    def waiting(self) -> bool:
        """Whether something is to be handed over."""
        return bool(self._messages or self._events)


class Thinking:
    """A mind at work, and what it says to the keeper.

    Args:
        link: to the keeper.
        order: what to play.
        workers: where networks play.
        timbres: has banks of notes made.
        pool: other machines that make phrases; None: there are none.

    Raises:
        PerpetuumError: the scene cannot be played.
    """

    def __init__(
        self, link: KeeperLink, order: Play, workers: Workers, timbres: Timbres, pool: PoolRung | None
    ) -> None:
        self.looks = 0
        self._link = link
        self._workers = workers
        self._began = bool(order.state)
        state = MindState.from_json(order.state) if order.state else None
        scene = playable(Path(order.scene))
        course = Course(state.conductor.seed if state is not None else order.seed, lead=order.lead)
        self.mind = Mind(scene, course, workers, link, self._publish, playable, self._pause, timbres, pool)
        if state is None:
            self.mind.prepare()
        self._find_weights(scene)
        if state is None:
            self._hand_over()  # with a state: whoever goes on from the first bar has the same form
        else:
            self.mind.resume(state, order.frame, order.sounding)
            self._hand_over()

    def run(self) -> None:
        """Play until the keeper closes the link."""
        threading.Thread(target=self._listen, name="keeper", daemon=True).start()
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        self.mind.run()

    def _find_weights(self, scene: Scene) -> None:
        """Tell which weights a scene plays with; to read them may take a while."""
        threading.Thread(target=lambda: tell_weights(scene, self._link.publish), name="weights", daemon=True).start()

    def _pause(self) -> None:
        self.looks += 1
        if self._link.waiting:
            self._hand_over()

    def _publish(self, event: Event) -> None:
        self._link.publish(event)
        if isinstance(event, SceneTookOver):
            self._find_weights(self.mind.conductor.scene)

    def _hand_over(self) -> None:
        mind = self.mind
        self._link.hand_over(mind.state().to_json().encode(), str(mind.conductor.scene.path), mind.seed)

    def _listen(self) -> None:
        while (message := self._link.hear()) is not None:
            match message:
                case SoundProgress() | GraphRefused():
                    self._link.put(message)
                case Play():
                    log.warning("a mind plays one thing in its life; a second order is left alone")
                case _:
                    self.mind.submit(message)

    def _beat(self) -> None:
        while not self._link.closed:
            self._link.say(Beat(self.looks, self._workers.worn))
            time.sleep(BEAT)


def _show_stacks_at_sigusr1(workers: Workers) -> None:
    """Let SIGUSR1 print the stacks of our threads and those of the workers, whose lines we pass on from then on."""

    def ask(number: int, frame: FrameType | None) -> None:
        logging.getLogger("engine.processes.child").setLevel(logging.DEBUG)
        for pid in workers.pids:
            if pid is not None:
                with suppress(OSError):
                    os.kill(pid, signal.SIGUSR1)

    signal.signal(signal.SIGUSR1, ask)
    faulthandler.register(signal.SIGUSR1, all_threads=True, chain=True)


def playable(path: Path) -> Scene:
    """A scene file.

    Raises:
        PerpetuumError: it cannot be played; says all that is wrong.
    """
    scene, diagnostics = load(path)
    if scene is None:
        errors = [one.text(colour=False) for one in diagnostics if one.severity is Severity.ERROR]
        raise PerpetuumError("\n".join(errors) or f"{path} cannot be played")
    return scene


def main() -> int:
    """Run a mind; gives the exit code."""
    parser = argparse.ArgumentParser(prog="engine.installation.mind.process", description="The mind of Perpetuum.")
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket to the keeper")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    allow_sabotage()
    log_to_parent()
    link = KeeperLink(Connection(options.control))
    with ExitStack() as stack:
        workers, timbres = stack.enter_context(Workers()), stack.enter_context(Timbres())
        _show_stacks_at_sigusr1(workers)
        link.say(Beat(0))  # all is imported
        order = link.hear()
        if not isinstance(order, Play):
            return 0 if order is None else 1
        pool = None
        if order.pool is not None:
            token = order.pool.token.reveal if order.pool.token is not None else lambda: ""
            pool = stack.enter_context(PoolRung(order.pool.hosts, token))
            timbres.ask_first(PoolBanks(pool))
        try:
            thinking = Thinking(link, order, workers, timbres, pool)
        except PerpetuumError as error:
            link.say(CannotPlay(str(error), state_refused=False))
            return 1
        thinking.run()
        if thinking.mind.failure is not None:
            link.say(CannotPlay(str(thinking.mind.failure), state_refused=False))
            return 1
    return 0


if __name__ == "__main__":
    leave(main())

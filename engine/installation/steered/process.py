# pyright: strict
"""The steering's process: `python -m engine.installation.steered.process --control FD`.

Disposable: a command counts as done when it was answered and written down; until then the broker keeps it.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import queue
import signal
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from engine.codec import CodecError
from engine.errors import PerpetuumError
from engine.events.snapshot import HealthSnapshot
from engine.fleet.broker import Arrived, Broker, BrokerAddress, LastWill
from engine.fleet.messages import VERSION, PlayerState, PlayerTopics, Presence, write_message
from engine.health.board import BoardCollector
from engine.installation.choices.steering import SteeringChoice
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.steering.messages import (
    FROM_STEERING,
    TO_STEERING,
    AskAnswered,
    FromSteering,
    Steer,
    SteeringAsks,
    SteeringBeat,
    SteeringReach,
)
from engine.installation.steered.commands import SteeringCommands
from engine.installation.steered.memory import DoneCommands
from engine.installation.steered.pushing import take_file
from engine.installation.steered.telling import StateTelling
from engine.logs.log import log_to_parent
from engine.processes.child import LARGEST_MESSAGE
from engine.processes.leaving import leave

log = logging.getLogger(__name__)

BEAT = 1.0
"""Seconds between two signs of life."""

LONGEST_WORK = 180.0
"""Seconds after which a command that is not done yet has hung: there are no more signs of life."""

KEEPER_PATIENCE = 20.0
"""Seconds that the keeper may take to answer."""

RETRY = 30.0
"""Seconds between two looks at certificates that cannot be read."""

SAID_AGAIN, MOST_LINES = 600.0, 8
"""Seconds between two words about a broker that cannot be reached, if the reason changes; lines within so many."""


class Reached:
    """A broker that has the player, or is tried.

    Args:
        order: how it is steered.
        arrived: told what is asked.
        reach: told whether it can be reached, and why not.

    Raises:
        PerpetuumError: its certificates cannot be read.
    """

    def __init__(
        self, order: Steer, arrived: queue.Queue[Steer | Arrived | None], reach: queue.Queue[SteeringReach]
    ) -> None:
        choice = order.choice
        self._reach = reach
        self._topics = PlayerTopics(choice.prefix, choice.name)
        self.telling = StateTelling(choice, order.installation.title, self._publish_state, BoardCollector().temperature)
        will = LastWill(self._topics.presence, write_message(Presence(VERSION, False)))
        self._broker = Broker(_address(choice), arrived.put, self._changed, will, session=True)
        self._broker.start()

    def answer(self, message: Arrived, payload: bytes) -> None:
        """Answer a command, and be done with it."""
        self._broker.publish(self._topics.answer, payload)
        self._broker.acknowledge(message)

    def close(self, why: str) -> None:
        """Say good-bye."""
        self._broker.close(LastWill(self._topics.presence, write_message(Presence(VERSION, False, why))))

    def _changed(self, connected: bool, why: str) -> None:
        if connected:
            self._broker.subscribe(self._topics.command, qos=1, granted=self._granted)
            self._broker.publish(self._topics.presence, write_message(Presence(VERSION, True)), retained=True)
            self.telling.again()
        self._reach.put(SteeringReach(connected, why or f"at {self._topics.prefix}/{self._topics.name}"))

    def _granted(self, reason: int) -> None:
        if reason >= 128:
            self._reach.put(SteeringReach(False, f"the broker lets nobody listen to {self._topics.command}"))

    def _publish_state(self, state: PlayerState) -> bool:
        if not self._broker.connected:
            return False
        # Not with QoS 1: after a cut the last one that was not acknowledged would come behind the first new one.
        self._broker.publish(self._topics.state, write_message(state), retained=True, qos=0)
        return True


def _address(choice: SteeringChoice) -> BrokerAddress:
    client = f"{choice.prefix}/{choice.name}"
    password = choice.password.reveal if choice.password is not None else None
    return BrokerAddress(choice.host, choice.port, client, choice.user, password, choice.tls, choice.ca)


class SteeredProcess:
    """Speaks with a broker for the keeper.

    Args:
        connection: to the keeper.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._inbox: queue.Queue[Steer | Arrived | None] = queue.Queue()
        self._pushed: queue.Queue[Arrived] = queue.Queue()
        self._reach: queue.Queue[SteeringReach] = queue.Queue()
        self._answers: queue.Queue[AskAnswered] = queue.Queue()
        self._order: Steer | None = None
        self._reached: Reached | None = None
        self._commands: SteeringCommands | None = None
        self._retry_at = 0.0
        self._busy_since: float | None = None
        self._over = False
        self._said: SteeringReach | None = None

    def run(self) -> None:
        """Do what comes, until the keeper is gone."""
        threads = {
            "keeper": self._listen,
            "beat": self._beat,
            "reach": self._tell_reach,
            "pushed files": self._take_pushed,
        }
        for name, target in threads.items():
            threading.Thread(target=target, name=name, daemon=True).start()
        while True:
            if self._order is not None and self._reached is None and time.monotonic() >= self._retry_at:
                self._connect(self._order)
            try:
                message = self._inbox.get(timeout=BEAT)
            except queue.Empty:
                continue
            self._busy_since = time.monotonic()
            match message:
                case None:
                    break
                case Steer():
                    self._take(message)
                case Arrived() if b'"push"' in message.payload:
                    self._pushed.put(message)  # a check takes seconds, and somebody may want silence now
                case Arrived():
                    self._do(message)
            self._busy_since = None
        self._over = True
        self._disconnect("it was stopped")

    def _take(self, order: Steer) -> None:
        before, self._order = self._order, order
        self._commands = SteeringCommands(
            order.choice.rights,
            DoneCommands(StateFolder(Path(order.folder))),
            self._ask,
            partial(take_file, installation=order.installation),
        )
        titles = {one.installation.title for one in (before, order) if one is not None}
        if before is None or before.choice != order.choice or len(titles) > 1:
            self._disconnect("it is steered otherwise from now on")
            self._retry_at = 0.0

    def _connect(self, order: Steer) -> None:
        try:
            self._reached = Reached(order, self._inbox, self._reach)
        except PerpetuumError as error:
            self._retry_at = time.monotonic() + RETRY
            self._reach.put(SteeringReach(False, str(error)))

    def _disconnect(self, why: str) -> None:
        reached, self._reached = self._reached, None
        if reached is not None:
            reached.close(why)

    def _take_pushed(self) -> None:
        while True:
            self._do(self._pushed.get())

    def _do(self, message: Arrived) -> None:
        reached, commands = self._reached, self._commands
        if reached is not None and commands is not None:
            answer = commands.take(message.payload, message.retained)
            reached.answer(message, write_message(answer))

    def _ask(self, command: str, line: str, who: str) -> AskAnswered | None:
        self._say(SteeringAsks(command, line, who))
        until = time.monotonic() + KEEPER_PATIENCE
        with suppress(queue.Empty):
            while (left := until - time.monotonic()) > 0:
                answer = self._answers.get(timeout=left)
                if answer.id == command:
                    return answer
        return None

    def _listen(self) -> None:
        try:
            while True:
                message = TO_STEERING.decode(self._connection.recv_bytes(LARGEST_MESSAGE))
                match message:
                    case Steer():
                        self._inbox.put(message)
                    case AskAnswered():
                        self._answers.put(message)
                    case HealthSnapshot():
                        self._show(message)
        except (EOFError, OSError, CodecError):
            self._inbox.put(None)

    def _show(self, snapshot: HealthSnapshot) -> None:
        reached = self._reached
        if reached is not None:
            try:
                reached.telling.observe(snapshot)
            except Exception:
                log.exception("how it is could not be told")

    def _tell_reach(self) -> None:
        """Tell the keeper what is worth a line of its log: a change, now and then another reason; not many."""
        reach: SteeringReach | None = None
        lines: deque[float] = deque(maxlen=MOST_LINES)
        while True:
            with suppress(queue.Empty):
                reach = self._reach.get(timeout=SAID_AGAIN / 10)
            now, said = time.monotonic(), self._said
            if reach is None or reach == said or (len(lines) == MOST_LINES and now - lines[0] < SAID_AGAIN):
                continue
            if said is None or said.reached is not reach.reached or now - lines[-1] > SAID_AGAIN:
                lines.append(now)
                self._said = reach
                self._say(reach)

    def _beat(self) -> None:
        while not self._over:
            since = self._busy_since
            if since is None or time.monotonic() - since < LONGEST_WORK:
                self._say(SteeringBeat())
            time.sleep(BEAT)

    def _say(self, message: FromSteering) -> None:
        with self._lock, suppress(OSError):  # one that is gone is seen by the reader
            self._connection.send_bytes(FROM_STEERING.encode(message))


def main() -> int:
    """Run the steering; gives the exit code."""
    parser = argparse.ArgumentParser(prog="engine.installation.steered.process", description="Steering from afar.")
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket to the keeper")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    log_to_parent()
    SteeredProcess(Connection(options.control)).run()
    return 0


if __name__ == "__main__":
    leave(main())

# pyright: strict
"""A generator worker: `python -m engine.runtime.workers.worker --control FD`. The only process that loads networks.

It does one job at a time, the one with the nearest deadline first; a thread of its own listens to the socket and ends
the process when the conductor's end is closed, whatever the networks are doing then.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import assert_never

from engine.codec import CodecError
from engine.conductor.makers.contract import Job, Reply
from engine.errors import PerpetuumError
from engine.generators.chain import Cache, make_phrase, name_in_cache
from engine.generators.contract import (
    GENERATORS,
    TRANSFORMS,
    GeneratorKind,
    Place,
    Request,
    Role,
    Settings,
    TransformKind,
)
from engine.generators.rules.kinds import rules_for
from engine.logs.log import log_to_parent
from engine.runtime.workers.messages import FROM_WORKER, TO_WORKER, Cancel, FromWorker, Load, Loaded, Loading, Started
from engine.sabotage import Sabotage, allow_sabotage, committed
from engine.score.harmony.keys import Key
from engine.score.time import Meter

log = logging.getLogger(__name__)

NICENESS = 5
"""Sound and conductor come first."""

SLOW = 30.0
"""Seconds for a job of a worker that is slow by sabotage."""

REHEARSAL = "rehearsal"
"""Part and section of the bars by which networks are warmed up."""


class Worker:
    """Takes messages from a connection and answers them.

    Args:
        connection: to the conductor's process.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cache: Cache = {}
        self._loaded: set[tuple[str, ...]] = set()
        self._pending: set[int] = set()
        self._cancelled: set[int] = set()
        # (deadline, order of arrival, message): what is to be loaded comes before every job that needs it.
        self._inbox: queue.PriorityQueue[tuple[float, int, Load | Job]] = queue.PriorityQueue()

    def run(self) -> None:
        """Work until the connection ends."""
        threading.Thread(target=self._listen, name="control", daemon=True).start()
        # The scene is still being read; what every network needs is there when it is known which are wanted.
        importlib.import_module("engine.networks")
        while True:
            _, _, message = self._inbox.get()
            if isinstance(message, Load):
                self._load(message)
            else:
                self._answer(message)

    def _answer(self, job: Job) -> None:
        if job.ticket in self._cancelled:
            reply = Reply(job.ticket, None, None, "cancelled")
        else:
            self._say(Started(job.ticket))
            if committed() is Sabotage.SLOW:
                time.sleep(SLOW)
            reply = self._do(job)
        self._pending.discard(job.ticket)
        self._cancelled.discard(job.ticket)
        try:
            self._say(reply)
        except CodecError as error:  # a plug-in may make anything
            self._say(Reply(job.ticket, None, None, str(error), reply.seconds))

    def _say(self, message: FromWorker) -> None:
        data = FROM_WORKER.encode(message)
        self._connection.send_bytes(data if committed() is not Sabotage.GARBAGE else data[::-1])

    def _answer_what_is_built(self) -> None:
        """Do the jobs whose networks are there already: the first bars need not wait for a network of the last ones."""
        while True:
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                return
            message = item[2]
            if isinstance(message, Load) or not self._is_built(message):
                self._inbox.put(item)
                return
            self._answer(message)

    def _is_built(self, job: Job) -> bool:
        try:
            described: list[tuple[GeneratorKind | TransformKind, Settings]] = [
                (GENERATORS.get(job.kind), job.request.settings),
                *((TRANSFORMS.get(name), settings) for name, settings in job.request.transforms),
            ]
            return all(
                name_in_cache(kind, settings, job.request.part) in self._cache
                for kind, settings in described
                if kind.network
            )
        except Exception:  # whatever is wrong with it, `_do` says so, in its turn
            return False

    def _listen(self) -> None:
        arrival = 0
        while True:
            try:
                message = TO_WORKER.decode(self._connection.recv_bytes())
            except (EOFError, OSError):
                os._exit(0)  # the conductor is gone; nobody waits for what is being made
            except CodecError as error:
                log.error("a message that cannot be read: %s", error)
                os._exit(1)
            arrival += 1
            match message:
                case Cancel(tickets=tickets):
                    self._cancelled.update(self._pending.intersection(tickets))
                case Load():
                    self._inbox.put((float("-inf"), arrival, message))
                case Job():
                    self._pending.add(message.ticket)
                    self._inbox.put((message.deadline, arrival, message))
                case _:
                    assert_never(message)

    def _load(self, message: Load) -> None:
        began = time.monotonic()
        problems: list[tuple[str, str]] = []
        wanted: set[tuple[str, ...]] = set()
        for done, (name, settings) in enumerate(message.generators):
            self._answer_what_is_built()
            self._say(Loading(name, done, len(message.generators)))
            try:
                described = _described(name, settings)
                if described.network:
                    wanted.add(name_in_cache(described, settings, REHEARSAL))
                    self._build(described, settings)
            except PerpetuumError as error:
                problems.append((name, str(error)))
            except Exception as error:  # a plug-in or a broken weights file may raise anything
                problems.append((name, repr(error)))
        # A scene that is edited for days may have named many networks.
        for unwanted in self._loaded - wanted:
            self._cache.pop(unwanted, None)
        self._loaded = wanted
        self._say(Loaded(time.monotonic() - began, tuple(problems)))

    def _build(self, described: GeneratorKind | TransformKind, settings: Settings) -> None:
        """Build a generator or transform by having it make a bar that nobody hears: that warms the network up, too.

        Raises:
            Exception: it could not be built.
        """
        if isinstance(described, TransformKind):
            kind = rules_for(Role.DRUMS)
            request = rehearsal(kind, kind.settings(), ((described.name, settings),))
        else:
            kind, request = described, rehearsal(described, settings)
        try:
            make_phrase(kind.name, request, self._cache)
        except Exception:
            # A bar that is no good, perhaps because its part plays another role than the kind's first, is no reason to
            # give up on a network that was built.
            if name_in_cache(described, settings, REHEARSAL) not in self._cache:
                raise

    def _do(self, job: Job) -> Reply:
        began = time.monotonic()
        try:
            raw, phrase = make_phrase(job.kind, job.request, self._cache)
        except PerpetuumError as error:
            return Reply(job.ticket, None, None, str(error), time.monotonic() - began)
        except Exception as error:  # the conductor's rules take over; nothing may end this process but itself
            return Reply(job.ticket, None, None, repr(error), time.monotonic() - began)
        return Reply(job.ticket, raw, phrase, "", time.monotonic() - began)


def _described(name: str, settings: Settings) -> GeneratorKind | TransformKind:
    """The kind that settings are of: a transform may be called like a generator."""
    for registry in (GENERATORS, TRANSFORMS):
        if name in registry.names() and isinstance(settings, registry.get(name).settings):
            return registry.get(name)
    return GENERATORS.get(name)


def rehearsal(
    described: GeneratorKind, settings: Settings, transforms: tuple[tuple[str, Settings], ...] = ()
) -> Request:
    """A request for one plain bar."""
    return Request(
        part=REHEARSAL,
        role=described.roles[0],
        bars=1,
        meter=Meter(4, 4),
        qpm=120.0,
        key=Key.parse("C major"),
        seed=0,
        settings=settings,
        place=Place(REHEARSAL, 0, 0, 2, 0),
        transforms=transforms,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Be a worker."""
    parser = argparse.ArgumentParser(prog="engine.runtime.workers.worker", description=__doc__)
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket to the conductor")
    options = parser.parse_args(arguments)
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's business
    log_to_parent()
    allow_sabotage()
    os.nice(NICENESS)
    Worker(Connection(options.control)).run()


if __name__ == "__main__":
    main()

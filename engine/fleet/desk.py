# pyright: strict
"""Whoever watches and steers players from a laptop: all that a broker knows of them, and what is asked of them."""

from __future__ import annotations

import queue
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType

from engine.errors import PerpetuumError
from engine.fleet.broker import NOBODY_LISTENS, NOT_AUTHORIZED, Arrived, Broker, BrokerAddress
from engine.fleet.messages import (
    VERSION,
    CommandAnswer,
    PlayerState,
    PlayerTopics,
    Presence,
    PushedFile,
    SteeringCommand,
    read_message,
    write_message,
)

LEAST_PATIENCE = 2.0
"""Seconds for which whoever commands must wait: brokers count the life of a message in whole seconds, at least one,
and may pass it on for another."""


class UnreachableError(PerpetuumError):
    """The broker does not answer, or lets nobody in."""


@dataclass(frozen=True, slots=True)
class KnownPlayer:
    """What a broker knows of a player.

    Attributes:
        name: of it.
        presence: what it said last of being there; None if nothing, or nothing that can be read.
        state: how it was when it said so last; likewise.
        problem: why what it said cannot be read; empty where it can.
    """

    name: str
    presence: Presence | None = None
    state: PlayerState | None = None
    problem: str = ""

    @property
    def online(self) -> bool:
        """Whether the broker has it now."""
        return self.presence is not None and self.presence.online

    @property
    def well(self) -> bool:
        """Whether it is there and nothing is wrong with it."""
        return self.online and self.state is not None and self.state.ok and not self.problem


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking a player.

    Attributes:
        name: of the player.
        answer: its own; None where it gave none.
        text: why it gave none; empty where it did.
        forbidden: whether the broker let it not be asked.
    """

    name: str
    answer: CommandAnswer | None
    text: str = ""
    forbidden: bool = False


@dataclass
class _Waiting:
    ids: dict[str, str] = field(default_factory=dict[str, str])  # names by the ids of what they were asked
    found: dict[str, Asked] = field(default_factory=dict[str, Asked])


class FleetDesk:
    """A connection to a broker, for as long as the block lasts.

    Args:
        address: of the broker, and as whom.
        prefix: of all topics.
        timeout: seconds in which the broker, and those who are asked, may answer.

    Raises:
        UnreachableError: on entry; the broker does not answer in time, or refuses.
    """

    def __init__(self, address: BrokerAddress, prefix: str = "perpetuum", timeout: float = 10.0) -> None:
        self._address = address
        self._prefix = prefix
        self._timeout = timeout
        self._events: queue.Queue[Arrived | tuple[str, str, int]] = queue.Queue()
        self._broker = Broker(address, self._events.put, self._changed)

    def __enter__(self) -> FleetDesk:
        """Connect."""
        self._broker.start()
        until = time.monotonic() + self._timeout
        why = f"{self._address} does not answer within {self._timeout:g} s"
        while (event := self._next(until)) is not None:
            if isinstance(event, tuple) and event[0] == "connected":
                if event[2]:
                    return self
                why = event[1]
                break
        self._broker.close()
        raise UnreachableError(why, "is its name and port right, your user and password, the certificate (--ca)?")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._broker.close()

    def players(self) -> list[KnownPlayer]:
        """All players that the broker knows, by name.

        Raises:
            UnreachableError: it does not say in time, or does not let us listen.
        """
        every = PlayerTopics(self._prefix, "+")
        self._broker.subscribe(every.presence, every.state, granted=self._told("subscribed", ""))
        # What is retained comes before the answer to whatever is asked next.
        self._broker.subscribe(every.presence, granted=self._told("subscribed", "again"))
        found: dict[str, KnownPlayer] = {}
        until = time.monotonic() + self._timeout
        while (event := self._next(until)) is not None:
            if isinstance(event, Arrived):
                self._take(found, event)
            elif event[0] == "connected":
                if not event[2]:
                    raise UnreachableError(event[1])
            elif event[2] >= 128:
                raise UnreachableError(f"{self._address} does not let {self._address.user or 'you'} listen to players")
            elif event[1] == "again":
                return [found[name] for name in sorted(found)]
        raise UnreachableError(f"{self._address} has not said all that it knows within {self._timeout:g} s")

    def ask(
        self,
        names: Sequence[str],
        line: str = "",
        push: PushedFile | None = None,
        by: str = "",
        keep: float = 0.0,
    ) -> list[Asked]:
        """Ask something of players, all at once.

        Args:
            names: of them.
            line: as `perpetuum control` takes it; empty where a file is pushed.
            push: a file; None without.
            by: who asks, for their journals.
            keep: seconds for which the broker keeps it for those that are away; else it is over when this returns.

        Returns:
            what came of it, by player, in their order; of those that gave no answer in time that they did not.

        Raises:
            PerpetuumError: it would be given up before a broker can give it up; nothing was asked.
        """
        kept = keep > self._timeout
        if not kept and self._timeout < LEAST_PATIENCE:
            raise PerpetuumError(
                f"brokers count whole seconds: what is given up after {self._timeout:g} s could still be done",
                f"wait {LEAST_PATIENCE:g} s or more, like --timeout 10",
            )
        waiting = _Waiting()
        topics = [PlayerTopics(self._prefix, name) for name in names]
        self._broker.subscribe(*(one.answer for one in topics), qos=1)
        for name, one in zip(names, topics, strict=True):
            command = SteeringCommand(VERSION, secrets.token_urlsafe(12), line, push, by)
            waiting.ids[command.id] = name
            # Brokers count whole seconds: one that would be passed on as we give up is not to be done after all.
            expires = keep if kept else self._timeout - 1.0
            taken = self._told("taken", name)
            self._broker.publish(one.command, write_message(command), expires=expires, taken=taken)
        until = time.monotonic() + self._timeout
        while len(waiting.found) < len(names) and (event := self._next(until)) is not None:
            self._judge(waiting, event)
        late = f"no answer within {self._timeout:g} s; " + (
            f"it is done if the player comes back within {keep / 3600:g} h" if kept else "it is not done later"
        )
        return [waiting.found.get(name, Asked(name, None, late)) for name in names]

    def _judge(self, waiting: _Waiting, event: Arrived | tuple[str, str, int]) -> None:
        if isinstance(event, Arrived):
            try:
                answer = read_message(CommandAnswer, event.payload)
            except PerpetuumError:
                return  # whatever it is, it answers nothing of ours
            name = waiting.ids.get(answer.id)
            if name is not None and event.topic == PlayerTopics(self._prefix, name).answer:
                waiting.found[name] = Asked(name, answer)
        elif event[0] == "taken":
            _, name, reason = event
            if reason == NOBODY_LISTENS:
                waiting.found[name] = Asked(name, None, f"no player of this name has ever come to {self._address}")
            elif reason >= 128:
                who = self._address.user or "you"
                why = f"{who} may not command it" if reason == NOT_AUTHORIZED else f"it answers {reason}"
                waiting.found[name] = Asked(name, None, f"the broker does not pass it on: {why}", forbidden=True)

    def _take(self, found: dict[str, KnownPlayer], event: Arrived) -> None:
        name, _, what = event.topic.removeprefix(f"{self._prefix}/").partition("/")
        known = found.get(name, KnownPlayer(name))
        if not event.payload:  # it was taken out of the broker
            return
        try:
            if what == "presence":
                known = replace(known, presence=read_message(Presence, event.payload))
            elif what == "state":
                known = replace(known, state=read_message(PlayerState, event.payload))
        except PerpetuumError as error:
            known = replace(known, problem=str(error.message))
        found[name] = known

    def _next(self, until: float) -> Arrived | tuple[str, str, int] | None:
        left = until - time.monotonic()
        try:
            return self._events.get(timeout=left) if left > 0 else None
        except queue.Empty:
            return None

    def _changed(self, connected: bool, why: str) -> None:
        self._events.put(("connected", why, int(connected)))

    def _told(self, kind: str, name: str) -> Callable[[int], None]:
        """Notes the reason with which the broker answers something."""
        return lambda reason: self._events.put((kind, name, reason))

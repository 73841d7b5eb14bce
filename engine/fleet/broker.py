# pyright: strict
"""A broker, spoken to by MQTT 5: paho's client with the few decisions that are ours. paho is imported here alone."""

from __future__ import annotations

import logging
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from engine.errors import PerpetuumError
from engine.fleet.messages import LARGEST

log = logging.getLogger(__name__)

KEEPALIVE = 8
"""Seconds between two signs of life: a cut is noticed within 16 s here, and after 12 s there."""

RETRY = 1, 3
"""Seconds between two attempts to connect: first, longest. The state is true again within 10 s after a cut."""

PATIENCE = 5.0
"""Seconds that a broker may take to answer a connection."""

REMEMBERED = 30 * 86400
"""Seconds for which a broker keeps what waits for a player that is away."""

AT_ONCE = 16
"""Commands that a broker sends before the first of them is acknowledged."""

SHORT, MOST_SHORT = 15.0, 3
"""Seconds of a connection that was short, and how many of them in a row mean that two of one name take the session from
each other: some brokers, such as mosquitto 2.0.11, do not say so."""

SLOW_RETRY = 30, 120
"""Seconds between two attempts then."""

NOT_AUTHORIZED, NOBODY_LISTENS = 135, 16
"""Reasons of MQTT 5 for what a broker does not pass on, and for what nobody has asked for."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is, and as whom one comes.

    Attributes:
        host, port: of it.
        client: name of this client, which no other has; empty for any.
        user: to log in as; empty for nobody.
        password: gives that of the user; asked anew for each connection.
        tls: whether all is encrypted.
        ca: path of the certificates that are believed; empty for those of the system.
    """

    host: str
    port: int
    client: str = ""
    user: str = ""
    password: Callable[[], str] | None = None
    tls: bool = True
    ca: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that a broker passes on.

    Attributes:
        topic: on which.
        payload: what is said.
        retained: whether it was said at some time before.
        number: with which it is acknowledged.
    """

    topic: str
    payload: bytes
    retained: bool
    number: int


@dataclass(frozen=True, slots=True)
class LastWill:
    """What a broker says for somebody whom it has lost; retained."""

    topic: str
    payload: bytes


class Broker:
    """A connection that comes back by itself. Callbacks run in its one thread.

    Args:
        address: where, and as whom.
        arrived: told what comes; messages of QoS 1 are acknowledged by `acknowledge` alone.
        changed: told whether it is connected, and why not.
        will: see `LastWill`.
        session: whether what waits is kept while we are away; needs a name of the client.
    """

    def __init__(
        self,
        address: BrokerAddress,
        arrived: Callable[[Arrived], None],
        changed: Callable[[bool, str], None],
        will: LastWill | None = None,
        session: bool = False,
    ) -> None:
        self._address = address
        self._arrived = arrived
        self._changed = changed
        self._session = session
        self._lock = threading.Lock()
        self._waiting: dict[int, Callable[[int], None]] = {}
        self._early: dict[int, int] = {}
        self._since: float | None = None
        self._short = 0
        client: mqtt.Client = mqtt.Client(
            CallbackAPIVersion.VERSION2, address.client, protocol=mqtt.MQTTv5, manual_ack=True
        )
        self._client = client
        if address.tls:
            try:
                context = ssl.create_default_context(cafile=address.ca or None)
            except (OSError, ValueError) as error:
                raise PerpetuumError(f"the certificates in {address.ca} cannot be read: {error}") from None
            client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType]
        client.connect_timeout = PATIENCE
        client.reconnect_delay_set(*RETRY)
        client.max_queued_messages_set(200)
        if will is not None:
            client.will_set(will.topic, will.payload, 1, retain=True)
        client.on_pre_connect = self._on_pre_connect
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe

    def start(self) -> None:
        """Connect, and go on trying. Returns at once."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = REMEMBERED if self._session else 0
        properties.ReceiveMaximum = AT_ONCE
        properties.MaximumPacketSize = LARGEST + 65536
        self._client.connect_async(
            self._address.host, self._address.port, KEEPALIVE, clean_start=not self._session, properties=properties
        )
        self._client.loop_start()

    @property
    def connected(self) -> bool:
        """Whether it is connected."""
        return self._client.is_connected()

    def subscribe(self, *topics: str, qos: int = 0, granted: Callable[[int], None] | None = None) -> None:
        """Ask for what is said on topics.

        Args:
            topics: filters.
            qos: 0 or 1.
            granted: told the reason with which the broker answers (128 and above: refused), after all that it has
                retained on topics that were asked for before.
        """
        options = [(topic, SubscribeOptions(qos, retainAsPublished=True)) for topic in topics]
        _, number = self._client.subscribe(options)
        if number is not None and granted is not None:
            self._wait(-number, granted)

    def publish(
        self,
        topic: str,
        payload: bytes,
        retained: bool = False,
        qos: int = 1,
        expires: float | None = None,
        taken: Callable[[int], None] | None = None,
    ) -> None:
        """Say something.

        Args:
            topic: on which.
            payload: what.
            retained: whether the broker tells it to whoever comes later.
            qos: 1: what cannot leave now waits in memory, and leaves after what is said anew then. 0: it is lost.
            expires: seconds after which the broker passes it on no more.
            taken: told the reason with which the broker answers (128 and above: refused).
        """
        properties = Properties(PacketTypes.PUBLISH)
        if expires is not None:
            properties.MessageExpiryInterval = max(1, int(expires))
        info = self._client.publish(topic, payload, qos, retained, properties)
        if taken is not None:
            self._wait(info.mid, taken)

    def acknowledge(self, message: Arrived) -> None:
        """Be done with a message: the broker does not send it again."""
        self._client.ack(message.number, 1)

    def close(self, last: LastWill | None = None) -> None:
        """End the connection, after a last word; the broker says no will then."""
        if last is not None and self.connected:
            self._client.publish(last.topic, last.payload, 1, retain=True).wait_for_publish(1.0)
        self._client.disconnect()
        self._client.loop_stop()

    # Callbacks of paho, in its thread.

    def _on_pre_connect(self, client: mqtt.Client, data: Any) -> None:
        if self._address.user:
            password = self._address.password
            try:
                client.username_pw_set(self._address.user, password() if password is not None else None)
            except PerpetuumError as error:
                raise ConnectionError(error.message) from None  # as such paho tries it again

    def _on_connect(
        self, client: mqtt.Client, data: Any, flags: mqtt.ConnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        self._since = None if reason.is_failure else time.monotonic()
        self._changed(not reason.is_failure, f"{self._address} refuses: {reason}" if reason.is_failure else "")

    def _on_connect_fail(self, client: mqtt.Client, data: Any) -> None:
        error = sys.exc_info()[1]  # paho calls this where it has caught it
        self._changed(False, f"{self._address} cannot be reached: {error}")

    def _on_disconnect(
        self, client: mqtt.Client, data: Any, flags: mqtt.DisconnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        since, self._since = self._since, None
        if since is None:
            return  # it never came to anything, which was told
        self._short = self._short + 1 if time.monotonic() - since < SHORT else 0
        twins = self._session and self._short >= MOST_SHORT
        client.reconnect_delay_set(*(SLOW_RETRY if twins else RETRY))
        why = (
            f"soon after it was there; is another one called {self._address.client} here, too?"
            if twins
            else str(reason)
        )
        self._changed(False, f"{self._address} is lost: {why}")

    def _on_message(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        self._arrived(Arrived(message.topic, bytes(message.payload), message.retain, message.mid))
        if message.qos and not self._session:
            self._client.ack(message.mid, message.qos)

    def _on_publish(self, client: mqtt.Client, data: Any, number: int, reason: ReasonCode, properties: Any) -> None:
        self._answered(number, reason.value)

    def _on_subscribe(
        self, client: mqtt.Client, data: Any, number: int, reasons: list[ReasonCode], properties: Any
    ) -> None:
        self._answered(-number, max(reason.value for reason in reasons))

    # Not under one lock with paho's own calls: it calls back with locks of its own.

    def _wait(self, number: int, told: Callable[[int], None]) -> None:
        with self._lock:
            reason = self._early.pop(number, None)
            if reason is None:
                self._waiting[number] = told
        if reason is not None:
            told(reason)

    def _answered(self, number: int, reason: int) -> None:
        with self._lock:
            waiting = self._waiting.pop(number, None)
            if waiting is None:
                self._early[number] = reason  # it came before whoever asked could say that they wait
                while len(self._early) > AT_ONCE:
                    del self._early[next(iter(self._early))]
        if waiting is not None:
            waiting(reason)

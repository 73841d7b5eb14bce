# pyright: strict
"""Health in the recorder: metrics and endpoints for whoever asks, and messages for those who want to be told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

from engine.errors import PerpetuumError
from engine.events import Bus, Event
from engine.events.snapshot import HealthSnapshot
from engine.health.board import BoardCollector
from engine.health.checks import checks, lives
from engine.health.metrics import HEARD, Metrics
from engine.health.notices.edges import Edges
from engine.health.notices.outbox import Outbox, Postman
from engine.health.notices.remembering import ToldFile
from engine.health.notices.senders import LifeSign, Mail, Sender, UndeliveredError, Webhook
from engine.health.processes import ProcessCollector
from engine.health.serving import Endpoints, application
from engine.installation.choices.notices import MailChoice, NoticeChoices
from engine.installation.choices.secret import Secret
from engine.installation.hours.walltime import find_zone, zone_of_the_machine
from engine.installation.keeper.recording.messages import Watch
from engine.installation.recorder.proving import Proving

log = logging.getLogger(__name__)

OUTBOX = "notices"
"""Folder of messages that wait, in the state folder."""


class Watching:
    """Watches an installation from inside its recorder. One thread calls all of it.

    Args:
        bus: tells what happens.
        tell: has what is found kept, and told to all; from any thread.
    """

    def __init__(self, bus: Bus, tell: Callable[[Event], None] = lambda event: None) -> None:
        self._metrics = Metrics(version("perpetuum"))
        self._metrics.registry.register(ProcessCollector(self._processes))
        self._metrics.registry.register(BoardCollector())
        self._watch: Watch | None = None
        self._proving = Proving(tell)
        self._endpoints: list[Endpoints] = []
        self._postman: Postman | None = None
        self._edges: Edges | None = None
        self._told: ToldFile | None = None
        bus.subscribe(HEARD, self._metrics.hear)

    def take(self, watch: Watch) -> None:
        """Watch what a file says from now on; what cannot be listened on is said, and costs nothing else."""
        if watch == self._watch:
            return
        self.close()
        self._watch = watch
        app = application(self._metrics.registry, lambda: self._metrics.before, watch.title)
        for address in watch.health:
            try:
                self._endpoints.append(Endpoints(app, address.host, address.port))
            except PerpetuumError as error:
                log.error("%s", error)
        notices = watch.notices
        senders = _senders(notices)
        zone = find_zone(watch.zone) if watch.zone else zone_of_the_machine()
        folder = Path(watch.folder) / OUTBOX
        if senders:
            self._told = ToldFile(folder)
            self._edges = Edges(watch.title, zone, notices.weekly, self._told.kept)
        if senders or notices.ping is not None:
            boxes = [Outbox(folder, sender) for sender in senders]
            ping = LifeSign(partial(_reveal, notices.ping)) if notices.ping is not None else None
            self._postman = Postman(boxes, ping, notices.every, self._alive)
        self._proving.take(watch)

    def observe(self, snapshot: HealthSnapshot) -> None:
        """Take in how the keeper says that it is, about once a second."""
        self._metrics.observe(snapshot)
        self._proving.expect(snapshot.expected)

    def sent(self, frames: bytes) -> None:
        """Take what leaves for the output."""
        self._proving.sent(frames)

    def look(self, journal: int) -> None:
        """See whether somebody is to be told something, about once a second; also when the keeper says nothing.

        Args:
            journal: bytes of the journal.
        """
        self._metrics.journal(journal)
        if self._edges is None or self._postman is None or self._told is None:
            return
        now = time.monotonic()
        for notice in self._edges.look(checks(self._metrics.before, now), now, time.time()):
            log.warning("%s", notice.subject)
            self._postman.post(notice)
        self._told.keep(self._edges.told)

    def close(self) -> None:
        """Serve nobody and send nothing; what waits to leave, waits for the next start."""
        for one in self._endpoints:
            one.close()
        self._endpoints.clear()
        if self._postman is not None:
            self._postman.close()
        self._postman = self._edges = None
        self._proving.close()

    @property
    def ports(self) -> list[int]:
        """Where health is served."""
        return [one.port for one in self._endpoints]

    def _alive(self) -> bool:
        return lives(self._metrics.before, time.monotonic()).ok

    def _processes(self) -> tuple[tuple[str, int], ...]:
        before = self._metrics.before
        return before.processes if before is not None else ()


def _senders(notices: NoticeChoices) -> list[Sender]:
    found: list[Sender] = []
    if notices.mail is not None:
        found += [_mail(notices.mail, to) for to in dict.fromkeys(notices.mail.to)]
    if notices.webhook is not None:
        found.append(Webhook(partial(_reveal, notices.webhook)))
    return found


def _mail(choice: MailChoice, to: str) -> Mail:
    password = partial(_reveal, choice.password) if choice.password is not None else None
    return Mail(choice.server, choice.port, choice.sender, to, choice.user, password, choice.encryption.value)


def _reveal(secret: Secret) -> str:
    """A secret, read when it is needed.

    Raises:
        UndeliveredError: it is not there now.
    """
    try:
        return secret.reveal()
    except PerpetuumError as error:
        raise UndeliveredError(error.message) from None

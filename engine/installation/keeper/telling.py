# pyright: strict
"""How the keeper is: a sentence for people, a table for machines, a heartbeat for the watchdog."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import msgspec

from engine.events.snapshot import HealthSnapshot
from engine.installation.keeper.hands.hands import Ask, read_line
from engine.installation.keeper.heartbeat import Heartbeat, Station
from engine.installation.keeper.keeper import Keeper
from engine.installation.keeper.mind.mind_host import MARGIN
from engine.installation.keeper.notify import Notifier
from engine.installation.keeper.snapshots import snapshot_of
from engine.installation.keeper.sound.performance import KeptPerformance
from engine.installation.keeper.steering.place import SteeringPlace
from engine.score.time import SAMPLE_RATE

log = logging.getLogger(__name__)

STARTING = 90.0
"""Seconds from an opening to the first sound; a slow and busy machine starts its processes so slowly."""

NOTIFY_EVERY = 1.0
"""Seconds between two signs of life, at most."""

KEPT_WITHIN = 1.0
"""Seconds in which an alarm is written down before whoever raised it is answered; it acts at once."""


_WAITS = {
    Ask.SECTION: "; the section begins where the one that plays ends",
    Ask.SCENE: "; the scene that was asked for begins where the transition lets it",
    Ask.RELOAD: "; the file is being read",
}
"""What does not act at once."""


class Telling:
    """Tells whoever wants to know.

    Args:
        keeper: about which.
        notifier: to the service manager.

    Attributes:
        snapshot: the last one, about a second old.
        steering: is shown it, too; None without.
    """

    def __init__(self, keeper: Keeper, notifier: Notifier) -> None:
        self._keeper = keeper
        self._notifier = notifier
        self._heartbeat = Heartbeat()
        self._said: list[str] = []
        self.steering: SteeringPlace | None = None
        self.snapshot: HealthSnapshot = snapshot_of(keeper, ())
        self._performance: KeptPerformance | None = None
        self._opened_at = 0.0
        self._every = min(NOTIFY_EVERY, (notifier.watchdog or NOTIFY_EVERY * 4) / 4)
        self._at = 0.0

    def ready(self) -> None:
        """All is started."""
        self._notifier.tell("READY=1", f"STATUS={self.sentence}")

    def stopping(self) -> None:
        """It ends."""
        self._notifier.tell("STOPPING=1", "STATUS=fading out")

    def look(self, now: float) -> None:
        """Give a sign of life if it is time, and the music goes on."""
        if now < self._at:
            return
        self._at = now + self._every
        late = self._heartbeat.late(self._stations(now), now)
        self.snapshot = snapshot_of(self._keeper, tuple(late))
        pid = self.steering.pid if self.steering is not None else None
        if pid is not None:
            self.snapshot = replace(self.snapshot, processes=(*self.snapshot.processes, ("steering", pid)))
        self._keeper.recording.show(self.snapshot)
        if self.steering is not None:
            self.steering.show(self.snapshot)
        if late != self._said:
            self._said = late
            if late:
                log.error("the heartbeat stands still: nothing is %s", " or ".join(late))
        if late:
            self._notifier.tell(f"STATUS={self.sentence}; nothing is {' or '.join(late)}")
        else:
            self._notifier.tell("WATCHDOG=1", f"STATUS={self.sentence}")

    def answer(self, line: str, who: str = "control") -> str:
        """What is answered to a line at the control socket, or at another control.

        Args:
            line: what is asked.
            who: asks.

        Raises:
            PerpetuumError: there is no such thing to ask, or it cannot be done now.
        """
        if line == "status":
            return json.dumps(self.status())
        asked, value = read_line(line)
        hands = self._keeper.hands
        hands.ask(asked, who, value)
        if asked in (Ask.ALARM, Ask.RELEASE) and not hands.wait_until_kept(KEPT_WITHIN):
            return f"{self.sentence}; that is not written down yet, and a power cut would undo it"
        return f"{self.sentence}{_WAITS.get(asked, '')}"

    @property
    def sentence(self) -> str:
        """How it is, for people."""
        keeper, hands = self._keeper, self._keeper.hands
        title = keeper.installation.title + (f" (safe mode: {keeper.safe})" if keeper.safe else "")
        if hands.alarm:
            return f"{title}: silent, because the alarm is on"
        performance = keeper.performance
        if performance is None or keeper.on is None:
            return f"{title}: closed"
        state = ", muted" if hands.muted else ", in quiet mode" if hands.quiet else ""
        state += f", {hands.volume.decibels:+g} dB by hand" if hands.volume.decibels else ""
        if not performance.mind.begun:
            return f"{title}: {keeper.on.turn.scene} is about to begin{state}"
        if performance.substituted:
            return f"{title}: the sound cannot be made, its recording plays{state}"
        if performance.standing.repeating:
            return f"{title}: {keeper.on.turn.scene}, its last bars once more{state}"
        return f"{title}: {keeper.on.turn.scene} to {performance.output}{state}"

    def status(self) -> dict[str, object]:
        """How it is, for machines."""
        keeper, performance = self._keeper, self._keeper.performance
        found: dict[str, object] = {
            "title": keeper.installation.title,
            "sentence": self.sentence,
            "snapshot": msgspec.to_builtins(self.snapshot),
            "alarm": keeper.hands.alarm,
            "muted": keeper.hands.muted,
            "quiet": keeper.hands.quiet,
            "volume": keeper.hands.volume.decibels,
            "safe": keeper.safe,
            "recorder": keeper.recording.pid,
            "phase": keeper.intent.phase.value,
            "late": self._said,
            "scene": keeper.on.turn.scene if keeper.on is not None else None,
        }
        if performance is not None:
            standing = performance.standing
            found |= {
                "sealed": standing.sealed,
                "made": standing.made,
                "taken": standing.taken,
                "repeating": standing.repeating,
                "substituted": performance.substituted,
                "processes": {
                    "mind": performance.mind.pid,
                    "audio": performance.audio.pid,
                    "spare": performance.audio.spare_pid,
                },
            }
        return found

    def _stations(self, now: float) -> tuple[Station, ...]:
        performance = self._keeper.performance
        if performance is not self._performance:
            self._performance, self._opened_at = performance, now
        if performance is None:
            return ()  # closed: nothing is due
        standing = performance.standing
        if not standing.taken:
            return (Station("begun", 0, self._opened_at + STARTING),)
        ahead = (standing.sealed - standing.made - MARGIN) / SAMPLE_RATE
        rendered = now + 60.0 if performance.substituted else None
        return (
            Station("sealed", standing.sealed, now + ahead if ahead > 0 else rendered),
            Station("rendered", standing.made, rendered),
            Station("taken", standing.taken),
        )

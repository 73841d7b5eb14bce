# pyright: strict
"""The keeper: sees to it that an installation does what is intended, whatever becomes of its processes."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from engine.errors import PerpetuumError
from engine.events import Bus
from engine.events.vocabulary import Event
from engine.installation.installation import Installation
from engine.installation.keeper.control import Control
from engine.installation.keeper.folder import StateFolder
from engine.installation.keeper.hands import Ask, Hands
from engine.installation.keeper.heartbeat import Heartbeat, Station
from engine.installation.keeper.messages import Play
from engine.installation.keeper.mind_host import MARGIN
from engine.installation.keeper.notify import Notifier
from engine.installation.keeper.performance import KeptPerformance
from engine.runtime.performance.commands import Alarm, Mute, StageCommand
from engine.score.time import SAMPLE_RATE

log = logging.getLogger(__name__)

LEAD = 6 * SAMPLE_RATE
"""Frames before it sounds at which a bar is sealed: so long a mind may be away without anybody hearing it."""

TICK = 0.04
"""Seconds between two looks while something sounds."""

IDLE_TICK = 0.5
"""Seconds between two looks while nothing does."""

LAST_FADE = 1.5
"""Seconds of the fade at the end."""

NOTIFY_EVERY = 1.0
"""Seconds between two signs of life, at most."""


class Keeper:
    """Runs an installation until it is told to stop.

    Args:
        installation: what is to happen.
        folder: locked.
        notifier: told how we are.
        clock: gives seconds.
    """

    def __init__(
        self,
        installation: Installation,
        folder: StateFolder,
        notifier: Notifier,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bus = Bus()
        self.stopping = False
        self._installation = installation
        self._notifier = notifier
        self._clock = clock
        self._stack = ExitStack()
        self._performance: KeptPerformance | None = None
        self._heartbeat = Heartbeat()
        self._notify_at = 0.0
        self._output = ""
        self._began = clock()
        self.hands = Hands(folder, self._act)
        self._folder = folder

    def start(self) -> None:
        """Start what is intended now.

        Raises:
            PerpetuumError: an output will never work.
        """
        self._stack.callback(self.bus.close)
        self._stack.enter_context(Control(self._folder.path, self._answer))
        self._stack.callback(self._close_performance)
        self._open_performance()
        self._notifier.tell("READY=1", f"STATUS={self.sentence}")

    def run(self) -> None:
        """Play until `stopping` is set."""
        while not self.stopping:
            self.look()

    def look(self) -> None:
        """One look at everything; lasts a tick."""
        performance = self._performance
        if performance is None:
            time.sleep(IDLE_TICK)
        else:
            performance.look(TICK)
        now = self._clock()
        if now >= self._notify_at:
            self._notify_at = now + min(NOTIFY_EVERY, (self._notifier.watchdog or 10.0) / 3)
            self._tell(now)

    def stop(self) -> None:
        """Fade out, then stop what was started, in reverse."""
        self._notifier.tell("STOPPING=1", "STATUS=fading out")
        self._stack.close()

    @property
    def sentence(self) -> str:
        """How it is, for people."""
        if self.hands.alarm:
            return f"{self._installation.title}: silent, because the alarm is on"
        if self._performance is None:
            return f"{self._installation.title}: closed"
        muted = ", muted" if self.hands.muted else ""
        return f"{self._installation.title}: playing to {self._output}{muted}"

    # What sounds

    def _open_performance(self) -> None:
        entry = next(iter(self._installation.programme.scenes.values()))
        seed = entry.seed if entry.seed is not None else self._installation.programme.seed
        sound = self._installation.sound
        outputs = [(sound.output, None), *((follower.choice, follower.keep) for follower in sound.followers)]
        self._performance = KeptPerformance(Play(str(entry.file), seed, LEAD), outputs, self.bus.publish)
        self._output = self._performance.start(self._first_commands())

    def _close_performance(self) -> None:
        performance, self._performance = self._performance, None
        if performance is not None:
            performance.stop(LAST_FADE)

    def _first_commands(self) -> Sequence[StageCommand]:
        """What counts before the first sample."""
        commands: list[StageCommand] = []
        if self.hands.muted:
            commands.append(Mute(True))
        if self.hands.alarm:
            commands.append(Alarm(True))
        return commands

    def _act(self, ask: Ask) -> None:
        performance = self._performance
        if performance is None:
            return
        match ask:
            case Ask.MUTE | Ask.UNMUTE:
                performance.act(Mute(ask is Ask.MUTE))
            case Ask.ALARM | Ask.RELEASE:
                performance.act(Alarm(ask is Ask.ALARM))
                if ask is Ask.RELEASE and self.hands.muted:
                    performance.act(Mute(True))
            case Ask.QUIET | Ask.NORMAL:
                pass

    # What is told

    def _stations(self, now: float) -> tuple[Station, ...]:
        if self._performance is None:
            return ()
        standing = self._performance.standing
        ahead = (standing.sealed - standing.made - MARGIN) / SAMPLE_RATE
        return (
            Station("sealed", standing.sealed, now + ahead if ahead > 0 else None),
            Station("rendered", standing.made),
            Station("taken", standing.taken),
        )

    def _tell(self, now: float) -> None:
        late = self._heartbeat.late(self._stations(now), now)
        if late:
            log.error("the heartbeat stands still: nothing is %s", " or ".join(late))
            self._notifier.tell(f"STATUS={self._installation.title}: nothing is {' or '.join(late)}")
        else:
            self._notifier.tell("WATCHDOG=1", f"STATUS={self.sentence}")

    def _answer(self, line: str) -> str:
        """What is answered to a line at the control socket.

        Raises:
            PerpetuumError: there is no such thing to ask.
        """
        if line == "status":
            return json.dumps(self.status())
        try:
            asked = Ask(line)
        except ValueError:
            known = ", ".join(["status", *Ask])
            raise PerpetuumError(f"{line[:40]!r} is nothing that can be asked", f"one of {known}") from None
        self.hands.ask(asked, "control")
        return self.sentence

    def status(self) -> dict[str, object]:
        """How it is, for machines."""
        performance = self._performance
        found: dict[str, object] = {
            "sentence": self.sentence,
            "seconds": round(self._clock() - self._began, 3),
            "muted": self.hands.muted,
            "quiet": self.hands.quiet,
            "alarm": self.hands.alarm,
        }
        if performance is not None:
            standing = performance.standing
            found |= {
                "sealed": standing.sealed,
                "made": standing.made,
                "taken": standing.taken,
                "repeating": standing.repeating,
                "processes": {
                    "mind": performance.mind.pid,
                    "audio": performance.audio.pid,
                    "spare": performance.audio.spare_pid,
                },
            }
        return found

    def publish(self, event: Event) -> None:
        """Tell an event; never raises."""
        self.bus.publish(event)

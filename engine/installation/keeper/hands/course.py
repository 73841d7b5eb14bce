# pyright: strict
"""What hands ask of the course of the music, a scene or a section: asked in any thread, done in the keeper's."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from engine.errors import PerpetuumError
from engine.installation.installation import Installation
from engine.installation.keeper.hands.hands import Ask
from engine.installation.keeper.turns.direction import OnAir, check_section, turn_asked
from engine.runtime.performance.commands import GoToSection

log = logging.getLogger(__name__)


_ANOTHER = ("another scene is about to begin", "ask again when it plays")


class AskedCourse:
    """What was asked and is not done yet.

    Args:
        stands: gives the installation, and the turn that plays.
        change: lets another turn begin where the transition lets it.
        tell: takes commands to the mind.
        clock: gives seconds.
        waits: whether another scene is about to take over, so that what plays is not the turn any more.
    """

    def __init__(
        self,
        stands: Callable[[], tuple[Installation, OnAir | None]],
        change: Callable[[OnAir, float], None],
        tell: Callable[[GoToSection], None],
        clock: Callable[[], float],
        waits: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stands = stands
        self._change = change
        self._tell = tell
        self._clock = clock
        self._waits = waits
        self._asked: queue.SimpleQueue[tuple[Ask, str]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._scenes = 0

    def check(self, ask: Ask, value: str) -> None:
        """Refuse what cannot be done now; other things than scenes and sections always can. In any thread.

        Raises:
            PerpetuumError: says why.
        """
        installation, on = self._stands()
        if ask is Ask.SCENE:
            turn_asked(installation, on, value, self._clock())
        elif ask is Ask.SECTION:
            if self._scenes:
                raise PerpetuumError(*_ANOTHER)
            self._check_section(installation, on, value)

    def put(self, ask: Ask, value: str) -> None:
        """Have it done. In any thread."""
        if ask is Ask.SCENE:
            with self._lock:
                self._scenes += 1
        self._asked.put((ask, value))

    def look(self, now: float) -> None:
        """Do what was asked."""
        with suppress(queue.Empty):
            while True:
                ask, value = self._asked.get_nowait()
                installation, on = self._stands()
                try:
                    if ask is Ask.SCENE:
                        self._change(turn_asked(installation, on, value, now), now)
                    else:
                        self._check_section(installation, on, value)
                        self._tell(GoToSection(value))
                except PerpetuumError as error:  # it could be done when it was asked
                    log.warning("%s %s: %s", ask, value, error)
                finally:
                    if ask is Ask.SCENE:  # only now does it wait, or play
                        with self._lock:
                            self._scenes -= 1

    def _check_section(self, installation: Installation, on: OnAir | None, value: str) -> None:
        if self._waits():
            raise PerpetuumError(*_ANOTHER)
        check_section(installation, on, value)

# pyright: strict
"""A mind that has imported what it needs, before it is known what it is to play."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from engine.installation.keeper.mind.messages import FROM_MIND, TO_MIND, FromMind, ToMind
from engine.processes.child import Child, Gone, OomScore, python_module

MindChild = Child[ToMind, FromMind]
"""A mind's process."""

MIND = tuple(python_module("engine.installation.mind.process"))
"""What a mind runs."""


class WarmMind:
    """Starts a mind, and keeps what it says until somebody takes it.

    Args:
        command: what it runs; for tests.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, command: Sequence[str] = MIND) -> None:
        self._lock = threading.Lock()
        self._said: list[FromMind | Gone] = []
        self._deliver: Callable[[MindChild, FromMind | Gone], None] | None = None
        self._child = Child("mind", command, TO_MIND, FROM_MIND, self._hear, OomScore.MIND)

    @property
    def ready(self) -> bool:
        """Whether it waits for its orders."""
        with self._lock:
            return any(not isinstance(message, Gone) for message in self._said)

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        with self._lock:
            return any(isinstance(message, Gone) for message in self._said)

    def take(self, deliver: Callable[[MindChild, FromMind | Gone], None]) -> MindChild:
        """The process, which is the caller's from now on.

        Args:
            deliver: as of a `Child`; told at once what was said before.
        """
        with self._lock:
            for message in self._said:
                deliver(self._child, message)
            self._deliver = deliver
        return self._child

    def close(self) -> None:
        """End it: nobody takes it."""
        self._child.kill()

    def _hear(self, child: MindChild, message: FromMind | Gone) -> None:
        with self._lock:
            if self._deliver is None:
                self._said.append(message)
            else:
                self._deliver(child, message)

# pyright: strict
"""When the networks of a scene have been loaded, as an event."""

from __future__ import annotations

from collections.abc import Callable

from engine.events.vocabulary import Event, NetworksLoaded
from engine.runtime.workers.workers import Workers, WorkerState


class LoadedNetworks:
    """Tells once that the networks of a scene have been loaded, and again after a worker was lost.

    Args:
        workers: that load them.
        publish: told; never raises.
    """

    def __init__(self, workers: Workers, publish: Callable[[Event], None]) -> None:
        self._workers = workers
        self._publish = publish
        self._told = False

    def look(self) -> None:
        """Tell it if it is so now."""
        statuses = self._workers.statuses
        if not self._told and statuses and self._workers.ready:
            self._told = True
            slowest = max(statuses, key=lambda status: status.seconds_to_load)
            if slowest.to_load:
                self._publish(NetworksLoaded(slowest.seconds_to_load, tuple(slowest.problems.items())))
        elif any(status.state is WorkerState.DEAD for status in statuses):
            self._told = False

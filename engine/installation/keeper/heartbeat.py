# pyright: strict
"""The heartbeat travels with the music: sealed, rendered, taken. It alone says whether the installation lives."""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE = 10.0
"""Seconds in which a station has to do what is due."""


@dataclass(frozen=True, slots=True)
class Station:
    """Where the music passes.

    Attributes:
        name: "sealed", "rendered", "taken".
        frame: how far it is.
        rests_until: where nothing is due: seconds of the clock at which something is again.
    """

    name: str
    frame: int
    rests_until: float | None = None


class Heartbeat:
    """Advances while each station does what is due.

    Args:
        patience: seconds that one may take.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._seen: dict[str, tuple[int, float]] = {}

    def late(self, stations: tuple[Station, ...], now: float) -> list[str]:
        """Names of the stations that have not done what was due; none: it beats.

        Args:
            stations: as they are now. One that is not named any more is forgotten.
            now: seconds of the clock.
        """
        names = {station.name for station in stations}
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}
        found: list[str] = []
        for station in stations:
            frame, since = self._seen.get(station.name, (None, now))
            if frame != station.frame or (station.rests_until is not None and now < station.rests_until):
                self._seen[station.name] = station.frame, now
            elif now - since > self._patience:
                found.append(station.name)
            else:
                self._seen[station.name] = station.frame, since
        return found

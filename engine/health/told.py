# pyright: strict
"""What is told of an installation over HTTP, for `perpetuum status`."""

from __future__ import annotations

import msgspec

from engine.events.snapshot import HealthSnapshot


class ToldStatus(msgspec.Struct, frozen=True):
    """How it is.

    Attributes:
        title: of the installation.
        age: seconds since the snapshot was made.
        snapshot: the last one; None if there was none.
    """

    title: str
    age: float
    snapshot: HealthSnapshot | None

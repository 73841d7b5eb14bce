# pyright: strict
"""An uninterruptible power supply: how it says that the mains have failed, and what is done then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UpsChoice:
    """How it is heard: by a signal at a GPIO pin, by a command that is asked, or by both.

    Attributes:
        pin: of the signal, as Broadcom counts; None for none.
        high: whether the pin is high while it runs on battery.
        check: command, in words, that ends with 0 on mains and with 1 on battery; none for none.
        shutdown: command, in words, that shuts the machine down; none: it is only told.
        after: seconds on battery after which it is run.
    """

    pin: int | None = None
    high: bool = False
    check: tuple[str, ...] = ()
    shutdown: tuple[str, ...] = ()
    after: float = 60.0

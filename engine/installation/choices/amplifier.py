# pyright: strict
"""The power of an amplifier: on before the music fades in, off after it has closed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AmplifierChoice:
    """How it is switched: by a relay at a GPIO pin, or by commands, or by both.

    Attributes:
        pin: of the relay, as Broadcom counts; None for none.
        high: whether the relay is on while the pin is high.
        switch_on, switch_off: commands, in words; none for none.
        before: seconds for which it is on before the music begins.
        after: seconds for which it stays on after the end.
    """

    pin: int | None = None
    high: bool = True
    switch_on: tuple[str, ...] = ()
    switch_off: tuple[str, ...] = ()
    before: float = 5.0
    after: float = 60.0

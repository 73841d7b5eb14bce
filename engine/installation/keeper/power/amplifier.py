# pyright: strict
"""Switches an amplifier, in a thread of its own: neither a relay nor a command holds anybody up."""

from __future__ import annotations

import importlib
import logging
import queue
from threading import Thread
from typing import Any, Protocol

from engine.installation.choices.amplifier import AmplifierChoice
from engine.installation.keeper.power.hooks import problem_of, run_hook

log = logging.getLogger(__name__)

RETRY = 30.0
"""Seconds until what failed is tried again."""


class Switch(Protocol):
    """Something that switches."""

    def is_on(self) -> bool | None:
        """Whether it is on; None where nobody knows."""
        ...

    def to(self, on: bool) -> None:
        """Switch it.

        Raises:
            Exception: it could not be.
        """
        ...


class PowerRelay:
    """A relay at a GPIO pin, by gpiozero. It stays as it is until it is switched.

    Args:
        pin: as Broadcom counts.
        high: whether it is on while the pin is high.
    """

    def __init__(self, pin: int, high: bool) -> None:
        self._pin = pin
        self._high = high
        self._device: Any = None

    def is_on(self) -> bool | None:
        """See `Switch`."""
        try:
            return bool(self._opened().value)
        except Exception:  # whatever the many back-ends raise; `to` tells of it
            return None

    def to(self, on: bool) -> None:
        """See `Switch`."""
        device = self._opened()
        device.on() if on else device.off()

    def _opened(self) -> Any:
        if self._device is None:
            gpiozero: Any = importlib.import_module("gpiozero")
            self._device = gpiozero.OutputDevice(self._pin, active_high=self._high, initial_value=None)
        return self._device


class PowerCommands:
    """Commands that switch something.

    Args:
        on, off: in words.
    """

    def __init__(self, on: tuple[str, ...], off: tuple[str, ...]) -> None:
        self._commands = {True: on, False: off}

    def is_on(self) -> bool | None:
        """Nobody knows."""
        return None

    def to(self, on: bool) -> None:
        """See `Switch`."""
        run_hook(self._commands[on])


def switches_of(choice: AmplifierChoice) -> list[Switch]:
    """What switches an amplifier as a file says."""
    found: list[Switch] = [PowerRelay(choice.pin, choice.high)] if choice.pin is not None else []
    if choice.switch_on:
        found.append(PowerCommands(choice.switch_on, choice.switch_off))
    return found


class Amplifier:
    """The power of an amplifier. One thread calls all of it.

    Args:
        choice: what is to happen; None: nothing is switched.
        switches: None: those of the choice.
        retry: seconds until what failed is tried again.

    Attributes:
        ready_at: seconds of the caller's clock from which music may begin.
    """

    def __init__(
        self, choice: AmplifierChoice | None, switches: list[Switch] | None = None, retry: float = RETRY
    ) -> None:
        self.ready_at = 0.0
        self.choice = choice
        self._retry = retry
        self._on: bool | None = None
        self._off_at: float | None = None
        self._orders: queue.Queue[bool | None] = queue.Queue()
        self._thread: Thread | None = None
        if choice is not None:
            found = switches if switches is not None else switches_of(choice)
            if found and all(one.is_on() for one in found):
                self._on = True  # a keeper that was killed left it on, and nobody waits for it
            self._thread = Thread(target=self._run, args=(found,), name="amplifier", daemon=True)
            self._thread.start()

    @property
    def lead(self) -> float:
        """Seconds before the music at which it is wanted."""
        return self.choice.before if self.choice is not None else 0.0

    def want(self, wanted: bool, now: float) -> None:
        """Say whether music is to sound now or soon; switching it waits for nobody.

        Args:
            wanted: whether.
            now: seconds of a clock.
        """
        if self.choice is None:
            return
        if wanted:
            self._off_at = None
            if not self._on:
                self._on = True
                self.ready_at = now + self.choice.before
                self._orders.put(True)
        elif self._on is not False:
            if self._off_at is None:
                self._off_at = now + (self.choice.after if self._on else 0.0)
            if now >= self._off_at:
                self._on = False
                self._orders.put(False)

    def close(self, off: bool = True, timeout: float = 2.0) -> None:
        """Switch nothing any more.

        Args:
            off: switch it off as the last.
            timeout: seconds for that.
        """
        if self._thread is not None:
            if off:
                self._orders.put(False)
            self._orders.put(None)
            self._thread.join(timeout)
            self._thread = None

    def _run(self, switches: list[Switch]) -> None:
        order: bool | None = None
        pending: list[Switch] = []
        while True:
            try:
                order = self._orders.get(timeout=self._retry if pending else None)
                pending = list(switches)
            except queue.Empty:
                pass
            if order is None:
                return
            for one in list(pending):
                if _switched(one, order):
                    pending.remove(one)


def _switched(switch: Switch, on: bool) -> bool:
    word = "on" if on else "off"
    try:
        switch.to(on)
    except Exception as error:  # no such pin or program, no rights: the music plays all the same
        problem = problem_of(error)
    else:
        log.info("the amplifier is switched %s", word)
        return True
    log.error(
        "the amplifier could not be switched %s (%s); the music plays all the same, and it is tried again. Look at "
        "`amplifier` in the installation file: a pin needs gpiozero and lgpio, and the right to use /dev/gpiochip0",
        word,
        problem,
    )
    return False

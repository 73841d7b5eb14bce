# pyright: strict
"""The mains: a UPS says that they have failed, and after a while the machine is shut down, while it still can be."""

from __future__ import annotations

import importlib
import logging
import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Protocol

from engine.events.proof import MainsFound
from engine.installation.choices.ups import UpsChoice
from engine.installation.keeper.power.hooks import problem_of, run_hook

log = logging.getLogger(__name__)

ASK_EVERY = 5.0
"""Seconds between two times that a command is asked."""

RETRY = 30.0
"""Seconds until a shutdown that failed is tried again."""


FAILED = "the mains have failed: it runs on battery"


class UpsSignal(Protocol):
    """Something that knows whether it runs on battery."""

    @property
    def on_battery(self) -> bool | None:
        """Whether; None where nobody knows."""
        ...

    def close(self) -> None:
        """Ask no more."""
        ...


class UpsPin:
    """A signal at a GPIO pin, by gpiozero. It is pulled to what it is on mains: a wire that is off shuts nothing down.

    Args:
        pin: as Broadcom counts.
        high: whether it is high on battery.
    """

    def __init__(self, pin: int, high: bool) -> None:
        self._device: Any = None
        try:
            gpiozero: Any = importlib.import_module("gpiozero")
            self._device = gpiozero.DigitalInputDevice(pin, pull_up=not high)
        except Exception as error:  # not installed, no such pin, no rights: whatever its many back-ends raise
            log.error(
                "GPIO%d of `ups` cannot be read (%s): pip install gpiozero lgpio, and let this user read "
                "/dev/gpiochip0; until then nobody knows of a power cut",
                pin,
                problem_of(error),
            )

    @property
    def on_battery(self) -> bool | None:
        """See `UpsSignal`."""
        try:
            return bool(self._device.is_active) if self._device is not None else None
        except Exception:  # the chip is gone: it says nothing any more
            return None

    def close(self) -> None:
        """See `UpsSignal`."""
        if self._device is not None:
            self._device.close()


class UpsCommand:
    """A command that is asked every few seconds, in a thread of its own.

    Args:
        words: of the command; it ends with 0 on mains, with 1 on battery.
        every: seconds.
    """

    def __init__(self, words: tuple[str, ...], every: float = ASK_EVERY) -> None:
        self.on_battery: bool | None = None
        self._words = words
        self._every = every
        self._over = threading.Event()
        self._said = ""
        threading.Thread(target=self._run, name="ups", daemon=True).start()

    def close(self) -> None:
        """See `UpsSignal`."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                run_hook(self._words)
                self.on_battery, problem = False, ""
            except Exception as error:
                fails = isinstance(error, subprocess.CalledProcessError) and error.returncode == 1
                # Of what nobody knows nothing follows: neither a shutdown nor that all is well.
                self.on_battery, problem = (True, "") if fails else (self.on_battery, problem_of(error))
            if problem and problem != self._said:
                log.error("the `check` of `ups` does not say whether there is power: %s", problem)
            self._said = problem
            self._over.wait(self._every)


def signals_of(choice: UpsChoice) -> list[UpsSignal]:
    """What an installation file names."""
    found: list[UpsSignal] = [UpsPin(choice.pin, choice.high)] if choice.pin is not None else []
    if choice.check:
        found.append(UpsCommand(choice.check))
    return found


class MainsWatch:
    """Watches the mains by what a UPS says. One thread calls all of it.

    Args:
        tell: told when they fail, and when they are back.

    Attributes:
        going: whether the machine is about to go down, so that the music is to end.
    """

    def __init__(self, tell: Callable[[MainsFound], None]) -> None:
        self.going = False
        self._tell = tell
        self._choice: UpsChoice | None = None
        self._signals: list[UpsSignal] = []
        self._stack = ExitStack()
        self._failed_at: float | None = None
        self._shutting: threading.Thread | None = None
        self._again_at = 0.0

    def take(self, choice: UpsChoice | None) -> None:
        """Watch what an installation file names now."""
        if choice == self._choice:
            return
        self._stack.close()
        self._choice = choice
        self._signals = signals_of(choice) if choice is not None else []
        for one in self._signals:
            self._stack.callback(one.close)
        if choice is None and self._failed_at is not None:
            self._failed_at = None
            self._tell(MainsFound("", 0.0))

    def look(self, now: float) -> None:
        """Do what is due.

        Args:
            now: seconds of the monotonic clock.
        """
        choice, said = self._choice, [one.on_battery for one in self._signals]
        if choice is None or all(one is None for one in said):
            return
        found = any(said)
        if found and self._failed_at is None:
            self._failed_at = self._again_at = now
            self._tell(MainsFound(FAILED, choice.after if choice.shutdown else 0.0))
        elif not found and self._failed_at is not None and not self.going:
            self._failed_at = None
            self._tell(MainsFound("", 0.0))
        if self._failed_at is None or not choice.shutdown or self._shutting is not None:
            return
        if now >= max(self._failed_at + choice.after, self._again_at):
            self._again_at = now + RETRY
            log.warning("on battery for %.0f s: the machine is shut down", now - self._failed_at)
            self._shutting = threading.Thread(target=self._shut_down, args=(choice.shutdown,), name="shutdown")
            self._shutting.daemon = True
            self._shutting.start()

    def close(self) -> None:
        """Watch nothing any more."""
        self._stack.close()

    def _shut_down(self, words: tuple[str, ...]) -> None:
        try:
            run_hook(words)
            self.going = True
        except Exception as error:
            log.error(
                "the machine could not be shut down (%s); the music plays on, and it is tried again. Look at "
                "`shutdown` in `ups` of the installation file: this user must have the right to",
                problem_of(error),
            )
            self._shutting = None

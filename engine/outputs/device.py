"""The output to a sound card: a player that is watched, and our own clock while there is none."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable

from engine.errors import PerpetuumError
from engine.outputs.contract import Output, OutputKind
from engine.outputs.devices import devices, misspelt
from engine.outputs.pacing import Pacer
from engine.outputs.players import Player, PlayerProcess, find_player, installed_players, why_none
from engine.processes.pipe import FRAME_BYTES
from engine.processes.reports import Cause, ChildLost, Report, Reporter, log_report
from engine.processes.supervision import Limits, Supervision

log = logging.getLogger(__name__)

STALL = 1.0
"""Seconds without taking a sample after which a player counts as hung."""

SETTLED = 5.0
"""Seconds after which a player counts as working."""

GOODBYE = 2.0
"""Seconds for a player to play what it has at the end."""

LIMITS = Limits(restarts=8, period=60.0, first_delay=0.25, longest_delay=10.0, memory=256_000_000)
"""What a player may do; pacat, pw-cat and aplay use 6 to 20 MB."""


def log_all_but_losses(report: Report) -> None:
    """Write a report to the log; what a loss means for the sound the output says itself."""
    if not isinstance(report, ChildLost):
        log_report(report)


class DeviceOutput:
    """Plays through a player process. While there is none (a card was pulled out, a server restarts), sound is let
    go at the pace of real time, and a player is looked for again and again.

    Args:
        find: finds a player, or None.
        pacer: gives the pace while there is none.
        stall: seconds after which a player counts as hung.
        limits: what a player may do, and the pauses between attempts.
        report: told what is found out about players.
        clock: gives seconds; for tests.
    """

    def __init__(
        self,
        find: Callable[[], Player | None] = find_player,
        pacer: Pacer | None = None,
        stall: float = STALL,
        limits: Limits = LIMITS,
        report: Reporter = log_all_but_losses,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.process: PlayerProcess | None = None
        self._find = find
        self._pacer = pacer or Pacer()
        self._stall = stall
        self._supervision = Supervision("player", limits, report, clock)
        self._clock = clock
        self._retry_at = 0.0
        self._started_at = 0.0
        self._integers = False
        self._missing = ""
        self._opened = False

    @property
    def description(self) -> str:
        """Where the sound goes now."""
        if self.process is not None:
            return f"{self.process.player.name} to {self.process.player.place}"
        return f"nowhere, in real time: {self._missing}; a player is looked for again and again"

    def open(self) -> None:
        """Start a player if there is something to play to."""
        self._start()
        self._opened = True

    def write(self, chunk: bytes) -> None:
        """Play a chunk, or wait as long as it lasts."""
        if self.process is None and self._clock() >= self._retry_at:
            self._start()
        if self.process is not None:
            if self.process.write(chunk, self._stall):
                if self._clock() > self._started_at + SETTLED:
                    self._supervision.works()
                finding = self._supervision.check(self.process.pid, None)
                if finding is not None:
                    self._lose(finding.reason, finding.cause)
                return
            if self.process.alive:
                self._lose("it took no more sound", Cause.HUNG)
            else:
                self._lose("it ended", Cause.DIED)
        self._pacer.pace(len(chunk) // FRAME_BYTES)

    def close(self) -> None:
        """Let the player play what it has."""
        if self.process is not None:
            self.process.close(GOODBYE)
            self.process = None

    def _start(self) -> None:
        player = self._find()
        if player is None:
            self._wait_for(why_none(), self._supervision.restarts.unavailable())
            return
        try:
            self.process = PlayerProcess(player, self._integers and bool(player.command16))
        except OSError as error:
            self._wait_for(f"{player.name} cannot be started: {error}", self._supervision.restarts.unavailable())
            return
        self._supervision.began()
        self._supervision.started()
        self._started_at = self._clock()
        if self._missing:
            log.warning("the sound is back: %s", self.description)
        self._missing = ""

    def _lose(self, what: str, cause: Cause) -> None:
        assert self.process is not None
        process, self.process = self.process, None
        settled = self._clock() > self._started_at + SETTLED
        words = process.close(0.0)
        if cause is Cause.HUNG and process.status != -signal.SIGKILL:
            cause = Cause.DIED  # it closed its end, and ended before it could be killed
        if "format" in words.lower() and process.player.command16:
            self._integers = True  # a bare card that takes no floats
        if settled:
            self._supervision.works()
        lost = f"{process.player.name} was lost: {what}"
        delay = self._supervision.lost(lost + (f" ({words})" if words else ""), worked=settled, cause=cause)
        if delay == 0.0:
            # Who has played for a while was killed or stopped; the next one may play before anybody hears that.
            log.warning("%s; another is started", lost)
            self._start()
            return
        self._wait_for(lost + (f" ({words})" if words else ""), float("inf") if delay is None else delay)

    def _wait_for(self, missing: str, delay: float) -> None:
        self._retry_at = self._clock() + delay
        self._pacer.reset()
        if missing != self._missing and self._opened:  # before that `description` tells it
            log.warning("%s; the music goes on unheard, next attempt in %.1f s", missing, delay)
        self._missing = missing


def _device(argument: str | None) -> Output:
    if not installed_players():
        raise PerpetuumError(
            "the output device needs a player, and none is installed",
            "install one: apt install pipewire-bin, pulseaudio-utils or alsa-utils; or use --output null",
        )
    if argument is not None and (doubt := misspelt(argument, devices())):
        log.warning("%s", doubt)
    return DeviceOutput(lambda: find_player(argument))


def _auto(argument: str | None) -> Output:
    return DeviceOutput()


DEVICE = OutputKind("device", "a sound card or sound server, through a player", _device, argument="NAME")
AUTO = OutputKind("auto", "the default device; where there is none, real time without sound until there is", _auto)

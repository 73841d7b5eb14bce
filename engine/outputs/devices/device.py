# pyright: strict
"""The output to a sound card: a player that is watched."""

from __future__ import annotations

import logging
from collections.abc import Callable

from engine.errors import PerpetuumError
from engine.outputs.contract import Output, OutputKind, OutputLostError
from engine.outputs.devices.devices import devices, misspelt
from engine.outputs.devices.players import Player, PlayerProcess, find_player, installed_players, why_none
from engine.processes.memory_budget import MemoryBudget
from engine.sound.format import AudioFormat

log = logging.getLogger(__name__)

STALL = 1.0
"""Seconds without taking a sample after which a player counts as hung."""

BEGINS = 5.0
"""Seconds in which a player begins to play: a busy machine starts it slowly; the music goes on unheard meanwhile."""

GOODBYE = 2.0
"""Seconds for a player to play what it has at the end."""

MEMORY = 256_000_000
"""Bytes that a player may use; pacat, pw-cat and aplay use 4 to 20 MB."""

Find = Callable[[AudioFormat], Player | None]
"""Finds a player for sound of a form; None if nothing can play now."""


class DeviceOutput(Output):
    """Plays through a player process; lost while there is none: a card was pulled out, a server restarts.

    Args:
        find: finds a player.
        stall: seconds after which a player counts as hung.
        memory: bytes that a player may use; one that uses more is replaced.
    """

    def __init__(self, find: Find, stall: float = STALL, memory: int = MEMORY) -> None:
        self.process: PlayerProcess | None = None
        self._find = find
        self._stall = stall
        self._integers = False
        self._memory = MemoryBudget(memory)

    @property
    def description(self) -> str:
        """Where the sound goes now."""
        if self.process is None:
            return "no player"
        return f"{self.process.player.name} to {self.process.player.place}"

    def open(self, format: AudioFormat) -> None:
        """Start a player.

        Raises:
            OutputLostError: there is none, or nothing to play to.
        """
        player = self._find(format)
        if player is None:
            raise OutputLostError(why_none())
        try:
            process = PlayerProcess(player, format.channels, self._integers and bool(player.command16))
        except OSError as error:
            raise OutputLostError(f"{player.name} cannot be started: {error}") from error
        self.process = process  # an alarm ends it from now on
        if not process.begins(BEGINS):
            raise self._lost(process)
        self._memory.began()

    def write(self, chunk: bytes) -> None:
        """Play a chunk.

        Raises:
            OutputLostError: the player ended, hangs or leaks.
        """
        process = self.process
        if process is None:
            raise OutputLostError("there is no player")
        if process.write(chunk, self._stall):
            self._look_at_memory(process)
            return
        raise self._lost(process)

    def _lost(self, process: PlayerProcess) -> OutputLostError:
        what = "it took no more sound" if process.alive else "it ended"
        self.process = None
        words = process.close(0.0)
        if "format" in words.lower() and process.player.command16:
            self._integers = True  # a bare card that takes no floats
        return OutputLostError(f"{process.player.name} was lost: {what}" + (f" ({words})" if words else ""))

    def _look_at_memory(self, process: PlayerProcess) -> None:
        used = self._memory.excess(process.pid)
        if used is None:
            return
        self._memory.replaced()
        self.close()  # what it holds is still heard
        budget = (self._memory.budget or 0) // 1_000_000
        raise OutputLostError(f"{process.player.name} used {used // 1_000_000} MB of memory, and may use {budget} MB")

    def close(self) -> None:
        """Let the player play what it has."""
        if self.process is not None:
            self.process.close(GOODBYE)
            self.process = None

    def silence(self) -> None:
        """Kill the player: with it goes what it and the sound server hold of its sound."""
        process = self.process
        if process is not None:
            process.kill()


def _device(argument: str | None) -> Output:
    if not installed_players():
        raise PerpetuumError(
            "the output device needs a player, and none is installed",
            "install one: apt install pipewire-bin, pulseaudio-utils or alsa-utils; or use --output null",
        )
    if argument is not None and (doubt := misspelt(argument, devices())):
        log.warning("%s", doubt)
    return DeviceOutput(lambda format: find_player(argument, format.channels))


def _auto(argument: str | None) -> Output:
    return DeviceOutput(lambda format: find_player(None, format.channels))


DEVICE = OutputKind(
    "device", "a sound card or sound server, through a player", _device, argument="NAME", keeps_time=True
)
AUTO = OutputKind(
    "auto", "the default device; where there is none, real time without sound until there is", _auto, keeps_time=True
)

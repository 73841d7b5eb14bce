# pyright: strict
"""No output: nobody hears it, in real time. What every chain of outputs ends in."""

from __future__ import annotations

from engine.outputs.contract import InfallibleOutput, OutputKind
from engine.outputs.devices.pacing import Pacer
from engine.sound.format import AudioFormat


class NullOutput(InfallibleOutput):
    """Lets sound pass at the pace of real time.

    Args:
        pacer: gives the pace.
    """

    def __init__(self, pacer: Pacer | None = None) -> None:
        self._pacer = pacer or Pacer()
        self._format = AudioFormat()

    @property
    def description(self) -> str:
        """That nobody hears it."""
        return "no output, in real time"

    def open(self, format: AudioFormat) -> None:
        """Begin a new count of time with the next frames."""
        self._format = format
        self._pacer.reset()

    def write(self, chunk: bytes) -> None:
        """Wait as long as the chunk lasts."""
        self._pacer.pace(self._format.frames(chunk))

    def close(self) -> None:
        """Nothing is left."""


def _null(argument: str | None) -> InfallibleOutput:
    return NullOutput()


NULL = OutputKind("null", "nobody hears it, in real time", _null, keeps_time=True)

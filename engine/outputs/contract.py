# pyright: strict
"""Where the sound goes: what an output is. One may fail; what everything rests on may not, and the types tell which.

Kinds of outputs are registered under the entry points `perpetuum.outputs`, the built-in ones too; `OUTPUTS` finds them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from engine.fallibility import Fallible, Infallible
from engine.registry import Registry
from engine.sound.format import AudioFormat


class OutputLostError(Exception):
    """An output takes no sound now; it may again. Its text says why, for people."""


class Sink(ABC):
    """Takes sound. Inherit from `Output` or `InfallibleOutput`."""

    @property
    @abstractmethod
    def description(self) -> str:
        """Where the sound goes now, in words for people."""

    @property
    def lost(self) -> str:
        """Why nobody hears it now, though somebody is meant to; empty otherwise."""
        return ""

    @property
    def complaint(self) -> str:
        """What is wrong with what it made, such as a recording with a gap; empty if nothing is."""
        return ""

    @abstractmethod
    def open(self, format: AudioFormat) -> None:
        """Get ready for sound of this form."""

    @abstractmethod
    def write(self, chunk: bytes) -> None:
        """Take interleaved float32 frames.

        One that keeps real time returns when there is time for the next ones: on average after exactly as long as they
        last. Any other takes them as fast as it can.
        """

    @abstractmethod
    def close(self) -> None:
        """Let what was taken be heard or written to its end, and stop."""

    def silence(self) -> None:  # noqa: B027 - one that holds nothing back has nothing to do
        """Let nothing more of what was taken be heard, at once. Called from any thread, while another one writes."""


class Output(Sink, Fallible):
    """An output that may fail: it may raise, and it may be opened again after that.

    `open` raises a `PerpetuumError` if it will never work like this (a path that cannot be written, no player
    installed). `open` and `write` raise an `OutputLostError` if it does not work now.

    Attributes:
        missing: frames that it was given and did not take, although it did not raise.
    """

    missing: int = 0


class InfallibleOutput(Sink, Infallible):
    """An output that never raises once it is open, and keeps real time come what may."""

    def resume(self) -> None:
        """Let sound be heard again after `silence`."""


class RecordingOutput(Output):
    """An output that makes files.

    Attributes:
        keep: hours of them that are kept, the oldest are deleted; None: all.
    """

    keep: float | None = None

    @property
    def piles_up(self) -> bool:
        """Whether it makes file after file, of which the oldest can be deleted."""
        return False


def _takes_any(argument: str) -> None:
    """Nothing is known against any argument."""


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of output that `--output` can name.

    Attributes:
        name: as the command line writes it.
        summary: one line for people.
        factory: called with the argument, or None where none was given.
        argument: what its argument means; empty if it takes none.
        needs_argument: whether it cannot do without.
        keeps_time: whether it takes sound at the pace of real time, so that everything else can follow it.
        examine: called with an argument before anything is opened, by `check`, too, on whatever machine; raises
            PerpetuumError where nothing could ever be opened by it.
    """

    name: str
    summary: str
    factory: Callable[[str | None], Output | InfallibleOutput]
    argument: str = ""
    needs_argument: bool = False
    keeps_time: bool = False
    examine: Callable[[str], None] = _takes_any


OUTPUTS: Registry[OutputKind] = Registry("perpetuum.outputs", OutputKind, "output")

"""What an instrument is: notes in, stereo sound out. Free of pyo; the checks import this.

A *kind* of instrument is described by an `InstrumentKind`, registered under the entry point group
`perpetuum.instruments` and found in `INSTRUMENTS`; the built-in ones too.
"""

# pyright: strict

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol

from typing_extensions import TypeVar

from engine.registry import Registry
from engine.sound.settings import InstrumentSettings

LATENCY = 256
"""Frames from a note's `on` to the first frame of its sound in the output: the look-ahead of the limiter."""


class Instrument(Protocol):
    """An instrument of one part in the audio process. Built once; makes no pyo objects while it plays.

    The core calls `note` for each note that begins in the coming block, in a fixed order, then `prepare` and `sleep`
    once, then lets the graph compute the block.
    """

    outputs: tuple[object, object]
    """Left and right: pyo objects of one stream each."""

    @property
    def stolen(self) -> int:
        """Notes, since the start, that took a sounding voice or found none."""
        ...

    def note(self, offset: int, pitch: int, velocity: int, off: int) -> None:
        """Begin a note in the coming block.

        Args:
            offset: its frame within the block.
            pitch: MIDI pitch.
            velocity: 1..127.
            off: absolute frame of its release.
        """
        ...

    def prepare(self, frame: int) -> None:
        """Make ready for the block that begins at an absolute frame."""
        ...

    def sleep(self) -> None:
        """Called before every block, after `prepare`: stop what costs time and gives only silence."""
        ...


S_co = TypeVar("S_co", bound=InstrumentSettings, default=InstrumentSettings, covariant=True)


@dataclass(frozen=True, slots=True)
class InstrumentKind(Generic[S_co]):
    """A kind of instrument that instrument files can name.

    Attributes:
        name: as files write it.
        summary: one line for `perpetuum instruments`.
        settings: the model of the whole file.
        factory: builds an instrument in the audio process, once the sound server runs, from the file's settings, the
            folder that it lies in, and a seed. It is there that pyo is imported, and not before.
        drums: it takes drum classes (General MIDI drum pitches), not pitches.
    """

    name: str
    summary: str
    settings: type[S_co]
    factory: Callable[[S_co, Path, int], Instrument]
    drums: bool = False


INSTRUMENTS: Registry[InstrumentKind] = Registry("perpetuum.instruments", InstrumentKind, "kind of instrument")

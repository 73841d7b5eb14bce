"""What an instrument is: notes in, stereo sound out. Free of pyo; the checks import this.

A *kind* of instrument is described by an `InstrumentKind`, registered under the entry point group
`perpetuum.instruments` (see engine/registry.py); the built-in ones too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.generators.contract import Settings

LATENCY = 256
"""Frames from a note's `on` to the first frame of its sound in the output: the look-ahead of the limiter."""


class Instrument(Protocol):
    """An instrument of one part in the audio process. Built once; makes no pyo objects while it plays.

    The core calls `note` for each note that begins in the coming block, in a fixed order, then `prepare` and `sleep`
    once, then lets the graph compute the block.
    """

    outputs: tuple[object, object]
    """Left and right: pyo objects of one stream each."""

    stolen: int
    """Notes, since the start, that took a sounding voice or found none."""

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


@dataclass(frozen=True, slots=True)
class InstrumentKind:
    """A kind of instrument that instrument files can name.

    Attributes:
        name: as files write it.
        summary: one line for `perpetuum instruments`.
        settings: the model of the whole file, an `engine.sound.settings.InstrumentSettings`.
        factory: "module:callable"; called in the audio process as `factory(settings, folder, seed)` once the sound
            server runs, returns an `Instrument`.
        drums: it takes drum classes (General MIDI drum pitches), not pitches.
    """

    name: str
    summary: str
    settings: type[Settings]
    factory: str
    drums: bool = False

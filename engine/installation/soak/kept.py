# pyright: strict
"""A soak as plain data: what was measured, and where it goes on."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from engine.form.stored import Stored
from engine.runtime.performance.mind.state import MindState


class StoredProcess(Stored):
    """A `ProcessFigures`."""

    name: str
    memory: int
    files: int
    threads: int


class StoredSample(Stored):
    """What was measured at a moment of the music.

    Attributes:
        run: which start of the soak it belongs to.
        days: of music.
        spent: seconds that all runs have taken so far.
        processes: all of ours.
        drift: frames by which the bars counted lie off their tempi.
        repeated: of each part's last ten minutes, the share that was heard before, 0..1; parts without it left out.
    """

    run: int
    days: float
    spent: float
    processes: tuple[StoredProcess, ...]
    drift: float
    repeated: dict[str, float]


class StoredSound(Stored):
    """How all seconds of the sound were.

    Attributes:
        seconds: that were measured.
        silence: the longest run of seconds in which nothing audible left.
        true_peak: the largest, linear.
        softest, loudest: short-term loudness, LUFS; None before there was any.
        trim: dB that the ear had come to.
    """

    seconds: int = 0
    silence: int = 0
    true_peak: float = 0.0
    softest: float | None = None
    loudest: float | None = None
    trim: float = 0.0


class StoredSoak(Stored):
    """A soak, as far as it is.

    Attributes:
        version: of this form.
        title: of what plays.
        file: of the scene.
        seed: of the performance.
        runs: how often it was started.
        bars: that were played.
        exact: seconds that they last by their tempi, and what rounding left over of that sum.
        spent: seconds that it took.
        stepped_down: times that a lower rung played, by rung.
        fallbacks: bars that rules played in place of what failed.
        faults: that the ear found, each as told.
        sound: how it sounded; None: without sound.
        samples: one an hour of music.
        state: of the mind; None before the first hour.
    """

    described: ClassVar[str] = "the soak"

    version: Literal[1] = 1
    title: str
    file: str
    seed: int
    runs: int = 1
    bars: int = 0
    exact: tuple[float, float] = (0.0, 0.0)
    spent: float = 0.0
    stepped_down: dict[str, int] = Field(default_factory=dict[str, int])
    fallbacks: int = 0
    faults: tuple[str, ...] = ()
    sound: StoredSound | None = None
    samples: tuple[StoredSample, ...] = ()
    state: MindState | None = None

# pyright: strict
"""Faults that a child commits when it is told to by a signal, for `perpetuum chaos`; without PERPETUUM_CHAOS none.

A null dereference is one in the child itself: nothing that is sent from outside breaks a process in the same way.
"""

from __future__ import annotations

import ctypes
import os
import signal
from enum import IntEnum
from types import FrameType
from typing import Any

import numpy as np

VARIABLE = "PERPETUUM_CHAOS"


class Sabotage(IntEnum):
    """What a child may be told, as offsets from SIGRTMIN."""

    SEGFAULT = 1  # reads at address 0
    NONE = 2  # no more of what follows
    GARBAGE = 3  # a worker answers what is no message
    SLOW = 4  # a worker takes 30 s for each job
    SILENT = 5  # the sound is zero
    CLIPPING = 6  # the sound is beyond full scale
    OFFSET = 7  # the sound has a constant part of 0.5
    NOT_FINITE = 8  # the sound is NaN

    @property
    def signal(self) -> int:
        """The signal that tells it."""
        return signal.SIGRTMIN + self.value


_state = Sabotage.NONE


def allow_sabotage() -> None:
    """Listen to those signals, if the environment says so. Called in the main thread of a child."""
    if os.environ.get(VARIABLE) == "1":
        for kind in Sabotage:
            signal.signal(kind.signal, _commit)


def committed() -> Sabotage:
    """What is committed now."""
    return _state


def _commit(number: int, frame: FrameType | None) -> None:
    global _state
    _state = Sabotage(number - signal.SIGRTMIN)
    if _state is Sabotage.SEGFAULT:
        ctypes.string_at(0)


def spoil(channels: np.ndarray[Any, np.dtype[Any]]) -> None:
    """Spoil what a graph has computed, if that is committed now.

    Args:
        channels: samples, in place.
    """
    if _state is Sabotage.NONE:  # every block asks
        return
    match _state:
        case Sabotage.SILENT:
            channels[...] = 0.0
        case Sabotage.CLIPPING:
            channels *= 1000.0
        case Sabotage.OFFSET:
            channels += 0.5
        case Sabotage.NOT_FINITE:
            channels[...] = np.nan
        case _:
            pass

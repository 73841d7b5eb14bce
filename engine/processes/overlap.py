# pyright: strict
"""Two processes sound for a while: one goes out beneath the other, which has the pipe. Nobody waits long for it."""

from __future__ import annotations

import array
import fcntl
import os
import select
import termios
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

STALLED = 0.05
"""Seconds without sound of the one that goes out, after which it is given up; a player holds more."""

LAST = 1024
"""Frames (21 ms) in which one that is lost fades out."""

ALONE = 9600
"""Frames (0.2 s) in which the other comes in then, however slowly it was to."""

Frames = NDArray[np.float32]


def crossfaded(old: Frames, new: Frames, done: int, frames: int) -> Frames:
    """Two sounds that have nothing in common, at equal power: together they are as loud as either.

    Args:
        old, new: what goes out and what comes in, arrays [n, channels].
        done: frames of the crossfade before these.
        frames: of the whole of it.
    """
    angle = ((done + np.arange(len(new))) * (np.pi / 2 / frames))[:, None]
    return (old * np.cos(angle) + new * np.sin(angle)).astype(np.float32)


class OverlapMix:
    """What a process that goes out has made and still makes, beneath what comes in.

    Args:
        read_end: of its pipe; blocks are written to it whole.
        close: closes it.
        lies: bytes of it that were read already.
        start: byte of the whole stream that it begins beneath.
        frames: for which both sound.
        channels: of a frame.
        clock: gives seconds.
    """

    def __init__(
        self,
        read_end: int,
        close: Callable[[], None],
        lies: bytes,
        start: int,
        frames: int,
        channels: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.start = start
        self._read_end = read_end
        self._close = close
        self._lies = lies
        self._frames = frames
        self._channels = channels
        self._frame_bytes = 4 * channels
        self._clock = clock
        self._done = 0
        self._stalled_at: float | None = None
        self._lost_at: int | None = None

    @property
    def over(self) -> bool:
        """Whether only what came in sounds."""
        end = self._frames if self._lost_at is None else min(self._frames, self._lost_at + ALONE)
        return self._done >= end

    def mixable(self, most: int) -> int:
        """Bytes that can be mixed now, `most` at most; 0: it is waited for."""
        if self._lost_at is not None and self._done >= self._lost_at:
            return most
        gone = self._gone()  # asked before what lies there: what was written before the end still counts
        there = len(self._lies) + self._lying()
        if there:
            self._stalled_at = None
            if gone and self._lost_at is None and there // self._frame_bytes < self._frames - self._done:
                self._lost_at = self._done + there // self._frame_bytes
            return min(most, there)
        now = self._clock()
        self._stalled_at = now if self._stalled_at is None else self._stalled_at
        if gone or now - self._stalled_at > STALLED:
            self._lost_at = self._done
            return most
        return 0

    def mix(self, data: bytes) -> bytes:
        """Let it sound beneath what comes in; as many bytes as `mixable` said, at most."""
        new = np.frombuffer(data, np.float32).reshape(-1, self._channels)
        taken = np.frombuffer(self._take(len(data)), np.float32).reshape(-1, self._channels)
        old = np.zeros_like(new)
        old[: len(taken)] = taken
        done, self._done = self._done, self._done + len(new)
        if self._lost_at is not None:
            return self._without(old, new, done, self._lost_at).tobytes()
        left = max(0, min(len(new), self._frames - done))
        mixed = crossfaded(old[:left], new[:left], done, self._frames)
        return mixed.tobytes() + new[left:].tobytes()

    def close(self) -> None:
        """Nobody hears it any more: a process that still writes is told by the kernel."""
        self._close()

    def _without(self, old: Frames, new: Frames, done: int, lost_at: int) -> Frames:
        """It ends before its time: the last of it fades out, and the other one is there soon."""
        places = done + np.arange(len(new))
        angle = np.minimum(places / self._frames, 1.0) * (np.pi / 2)
        going = np.cos(angle) * np.clip((lost_at - places) / LAST, 0.0, 1.0)
        coming = np.sin(angle) + (1.0 - np.sin(angle)) * np.clip((places - lost_at + LAST) / ALONE, 0.0, 1.0)
        return (old * going[:, None] + new * coming[:, None]).astype(np.float32)

    def _take(self, count: int) -> bytes:
        data, self._lies = self._lies[:count], self._lies[count:]
        with suppress(BlockingIOError):
            while len(data) < count:
                more = os.read(self._read_end, count - len(data))
                if not more:
                    break
                data += more
        return data

    def _lying(self) -> int:
        count = array.array("i", [0])
        fcntl.ioctl(self._read_end, termios.FIONREAD, count)
        return count[0]

    def _gone(self) -> bool:
        poll = select.poll()
        poll.register(self._read_end, 0)
        return any(event & select.POLLHUP for _, event in poll.poll(0))

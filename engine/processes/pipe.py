# pyright: strict
"""The pipe between audio processes and the output: it counts every frame, and joins what several processes make.

Each audio process writes to a pipe of its own; the output reads one after the other as if they were one.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import select
import termios
import threading
import time
from collections import deque
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from engine.processes.overlap import OverlapMix
from engine.sound.format import DEFAULT_CHANNELS, AudioFormat
from engine.sound.messages import BLOCK

MOST_CHANNELS = select.PIPE_BUF // (BLOCK * AudioFormat(1).frame_bytes)
"""Four: a block of more would not be written in one piece."""

LIVE_BYTES = 1 << 20
"""2.73 s of sound: the time that a new audio process has to take over before anybody hears it. More than this an
unprivileged user does not get (`/proc/sys/fs/pipe-max-size`)."""


def blended(old: NDArray[np.float32], new: NDArray[np.float32]) -> NDArray[np.float32]:
    """What goes out and what comes in along two straight lines, all arrays [n, channels]."""
    rise = (np.arange(len(new)) / len(new))[:, None]
    return (old * (1.0 - rise) + new * rise).astype(np.float32)


class Segment:
    """The pipe of one process.

    Args:
        size: bytes that it should hold; the kernel may grant less.
        channels: of a frame.

    Attributes:
        frame_bytes: bytes of a frame.
        block_bytes: bytes of a block.
        skip: bytes at its beginning that are to be thrown away.
        keep: bytes at its end that are blended with what its successor has at its beginning, after `skip`.
    """

    def __init__(self, size: int, channels: int = DEFAULT_CHANNELS) -> None:
        self.read_end, self.write_end = os.pipe()
        self.frame_bytes = AudioFormat(channels).frame_bytes
        self.block_bytes = BLOCK * self.frame_bytes
        self.skip = 0
        self.keep = 0
        os.set_blocking(self.read_end, False)
        wanted = size
        while wanted >= 1 << 16:
            try:
                fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, wanted)
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.EBUSY):
                    raise
                wanted //= 2  # beyond what an unprivileged user may have
            else:
                break
        self.size = fcntl.fcntl(self.write_end, fcntl.F_GETPIPE_SZ)

    def close_write_end(self) -> None:
        """The process has it; with our copy open we would not see that the process is gone."""
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def lying(self) -> int:
        """Bytes that lie in it."""
        count = array.array("i", [0])
        fcntl.ioctl(self.read_end, termios.FIONREAD, count)
        return count[0]

    def throw_away(self, leaving: int = 0) -> int:
        """Throw away what there is of `skip` but for its last `leaving` bytes; how many bytes that were."""
        before = self.skip
        with suppress(BlockingIOError):
            while self.skip > leaving:
                data = os.read(self.read_end, min(self.skip - leaving, 1 << 16))
                if not data:
                    break
                self.skip -= len(data)
        return before - self.skip

    def close(self) -> None:
        """Close what is open."""
        self.close_write_end()
        if self.read_end >= 0:
            os.close(self.read_end)
            self.read_end = -1


class Pipe:
    """Blocks of float32 from one process after another. Thread-safe.

    A process writes whole blocks, each at once (no block is longer than PIPE_BUF), so even one that is killed leaves
    no torn block, and what was read plus what lies in the pipe is exactly what was written.

    Args:
        size: bytes that each segment holds; the kernel may grant less (see `size`).
        channels: of a frame.

    Attributes:
        format: of the sound.

    Raises:
        ValueError: more channels than a block in one piece can have, or none.
    """

    def __init__(self, size: int = LIVE_BYTES, channels: int = DEFAULT_CHANNELS) -> None:
        if channels > MOST_CHANNELS:
            raise ValueError(f"a pipe carries {MOST_CHANNELS} channels at most, not {channels}")
        self.format = AudioFormat(channels)
        self._frame_bytes = self.format.frame_bytes
        self._block_bytes = BLOCK * self._frame_bytes
        self._wanted_size = size
        self._segments: deque[Segment] = deque()
        self._changed = threading.Condition()
        self._taken = 0
        self._dropped = 0
        self._blend = b""
        self._overlap: OverlapMix | None = None
        self._closed = False
        probe = Segment(size, channels)
        self.size = probe.size
        probe.close()

    @property
    def depth(self) -> int:
        """Frames that one segment holds when full."""
        return self.size // self._frame_bytes

    @property
    def taken(self) -> int:
        """Frames that were ever read from it."""
        return self._taken // self._frame_bytes

    @property
    def progress(self) -> int:
        """Bytes that were ever written to attached segments, skipped ones included."""
        with self._changed:
            return self._taken + self._dropped + len(self._blend) + sum(segment.lying() for segment in self._segments)

    @property
    def full(self) -> bool:
        """Whether the process that writes now has to wait for the reader."""
        with self._changed:
            # The kernel frees whole pages only, so a few bytes of room are none.
            return bool(self._segments) and self._segments[-1].lying() > self._segments[-1].size - 8 * self._block_bytes

    def segment(self) -> Segment:
        """A segment for a process that is about to start; nobody hears it before it is attached."""
        return Segment(self._wanted_size, self.format.channels)

    def attach(self, segment: Segment, skip: int = 0, blend: int = 0) -> int:
        """Let a segment follow all that was written before; over how many frames it fades in.

        Args:
            segment: of the new process; the one before it is dead.
            skip: frames at its beginning that nobody hears.
            blend: the last of these frames are not thrown away but faded in, while what was written before fades
                out, as far as it was not read yet: so there is no click.
        """
        with self._changed:
            while len(self._segments) > 1 and self._beyond(len(self._segments) - 1) == 0:
                self._segments.pop().close()  # a process that died before it came to anything
            segment.skip, kept = skip * self._frame_bytes, 0
            if self._segments:
                last = self._segments[-1]
                most = min(blend * self._frame_bytes, segment.skip, self._beyond(len(self._segments) - 1))
                kept = last.keep = most - most % self._block_bytes
                segment.skip -= kept
            self._segments.append(segment)
            self._changed.notify_all()
            return kept // self._frame_bytes

    def waiting(self) -> int:
        """Frames that lie in it."""
        with self._changed:
            return self._waiting_bytes() // self._frame_bytes

    def written(self) -> int:
        """Frames that were ever written to it, skipped ones not counted."""
        with self._changed:
            return (self._taken + self._waiting_bytes()) // self._frame_bytes

    def read(self, most: int, timeout: float) -> bytes:
        """Whole blocks, `most` bytes at most, in the order of writing; empty if none came within `timeout` seconds."""
        most = max(self._block_bytes, most - most % self._block_bytes)
        until = time.monotonic() + timeout
        while True:
            with self._changed:
                wanted = self._mixable(most)
                data = self._mixed(self._pull(wanted)) if wanted else b""
                if data:
                    self._taken += len(data)
                    return data
                left = until - time.monotonic()
                if left <= 0 or self._closed:
                    return b""
                if not wanted or not self._segments or self._segments[0].keep:
                    # Nobody writes yet, or the next process is still on its way through what is skipped.
                    self._changed.wait(min(left, 0.002) if self._segments else left)
                    continue
                head = self._segments[0].read_end
            poll = select.poll()
            poll.register(head, select.POLLIN)
            # A process that is gone makes its end ready for ever; its successor is waited for in small steps.
            if any(event & select.POLLHUP for _, event in poll.poll(left * 1000)):
                with self._changed:
                    if len(self._segments) == 1 and not self._segments[0].lying():
                        self._changed.wait(min(left, 0.05))

    def overlap(self, frame: int, end: int) -> int | None:
        """Let what the process that writes now makes from a frame on sound beneath what is attached next.

        Both sound until `end`, where the one goes out and the other comes in at equal power. One that ends or stalls
        before does so alone. Frames are as `written` counts them.

        Args:
            frame: at which the next process begins; where that has been read already, it does so now.
            end: first frame at which it sounds alone.

        Returns:
            the frame at which the next one begins; None: another take-over is on its way, ask again.
        """
        with self._changed:
            pieces: list[bytes] = []
            while data := self._pull(1 << 16):
                pieces.append(data)
            whole = b"".join(pieces)
            if len(self._segments) > 1:
                self._blend = whole
                return None
            self._end_overlap()
            begin = max(frame * self._frame_bytes, self._taken)
            self._blend, beneath = whole[: begin - self._taken], whole[begin - self._taken :]
            begin = self._taken + len(self._blend)  # or where it has ended before that
            if self._segments:
                old = self._segments.pop()
                frames = max(1, end - begin // self._frame_bytes)
                self._overlap = OverlapMix(old.read_end, old.close, beneath, begin, frames, self.format.channels)
            self._changed.notify_all()
            return begin // self._frame_bytes

    @property
    def overlaps(self) -> bool:
        """Whether a process still sounds beneath the one that writes now."""
        with self._changed:
            return self._overlap is not None

    def take_back(self, frame: int) -> None:
        """Forget what was written from a frame on, as far as nobody has read it. Nobody may be writing.

        Args:
            frame: as `written` counts.
        """
        with self._changed:
            pieces: list[bytes] = []
            while data := self._pull(1 << 16):
                pieces.append(data)
            kept = b"".join(pieces)[: max(0, frame * self._frame_bytes - self._taken)]
            for segment in self._segments:
                segment.close()
            self._segments.clear()
            # The last of it lies in a segment, so that what follows can be blended with it.
            last = Segment(1 << 16, self.format.channels)
            end = len(kept) - min(len(kept), last.size) // self._block_bytes * self._block_bytes
            self._blend = kept[:end]
            os.write(last.write_end, kept[end:])
            last.close_write_end()
            self._segments.append(last)
            self._changed.notify_all()

    def skip(self) -> bool:
        """Throw away what there is of frames to be skipped; whether some are still to come."""
        with self._changed:
            for segment in self._segments:
                self._skip(segment)
            return any(segment.skip for segment in self._segments)

    def close(self) -> None:
        """Close every segment."""
        with self._changed:
            self._closed = True
            self._end_overlap()
            for segment in self._segments:
                segment.close()
            self._segments.clear()
            self._changed.notify_all()

    def _pull(self, most: int) -> bytes:
        """What can be read now, `most` bytes at most; segments that are over are left."""
        while self._segments or self._blend:
            if self._blend:
                data, self._blend = self._blend[:most], self._blend[most:]
                return data
            head = self._segments[0]
            self._skip(head)
            if head.keep:
                free = head.lying() - head.keep
                if free > 0:
                    return os.read(head.read_end, min(most, free))
                if not self._make_blend(head):
                    return b""
                continue
            if not head.skip:
                try:
                    data = os.read(head.read_end, most)
                except BlockingIOError:
                    return b""
                if data:
                    return data
            elif not self._is_over(head):
                return b""
            if len(self._segments) == 1:
                return b""
            self._segments.popleft().close()
        return b""

    def _mixable(self, most: int) -> int:
        """Bytes that may be pulled next: up to where an overlap begins, and in it as many as lie in both."""
        if self._overlap is None:
            return most
        before = self._overlap.start - self._taken
        return min(most, before) if before > 0 else self._overlap.mixable(most)

    def _mixed(self, data: bytes) -> bytes:
        """What was pulled, with what still sounds beneath it."""
        if self._overlap is None or self._taken < self._overlap.start or not data:
            return data
        data = self._overlap.mix(data)
        if self._overlap.over:
            self._end_overlap()
        return data

    def _end_overlap(self) -> None:
        overlap, self._overlap = self._overlap, None
        if overlap is not None:
            overlap.close()

    def _make_blend(self, head: Segment) -> bool:
        """Fade the end of a segment out and the next one in; False as long as the next one has not come so far."""
        following = self._segments[1]
        self._skip(following)
        if following.skip or following.lying() < head.keep:
            return False
        old, new = (
            np.frombuffer(os.read(segment.read_end, head.keep), np.float32).reshape(-1, self.format.channels)
            for segment in (head, following)
        )
        self._dropped += head.keep
        self._segments.popleft().close()
        self._blend = blended(old, new).tobytes()
        return True

    def _beyond(self, place: int) -> int:
        """Bytes of a segment that count: neither skipped nor the same frames as the end of the one before."""
        segment = self._segments[place]
        overlap = self._segments[place - 1].keep if place else 0
        return max(0, segment.lying() - segment.skip - overlap)

    def _skip(self, segment: Segment) -> None:
        self._dropped += segment.throw_away()

    @staticmethod
    def _is_over(segment: Segment) -> bool:
        poll = select.poll()
        poll.register(segment.read_end, select.POLLIN)
        return any(event & select.POLLHUP for _, event in poll.poll(0)) and not segment.lying()

    def _waiting_bytes(self) -> int:
        return len(self._blend) + sum(self._beyond(place) for place in range(len(self._segments)))

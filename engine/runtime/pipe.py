"""The pipe between the audio process and the output, which counts every frame that passes."""

from __future__ import annotations

import array
import errno
import fcntl
import os
import select
import termios
import threading
from contextlib import suppress

from engine.sound.messages import BLOCK, CHANNELS

FRAME_BYTES = 4 * CHANNELS
BLOCK_BYTES = BLOCK * FRAME_BYTES

LIVE_BYTES = 512 << 10
"""1.37 s of sound: the time that a new audio process has to take over before anybody hears it."""


class Pipe:
    """A pipe of float32 stereo blocks, whose both ends we keep open while processes at either end come and go.

    The audio process writes whole blocks, each at once (2048 bytes are below PIPE_BUF), so even one that is killed
    leaves no torn block, and what was read plus what lies in the pipe is exactly what was written.

    Args:
        size: bytes that it holds; the kernel may grant less (see `size`).
    """

    def __init__(self, size: int = LIVE_BYTES) -> None:
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        self._lock = threading.Lock()
        self._read_bytes = 0
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

    @property
    def depth(self) -> int:
        """Frames that it holds when full."""
        return self.size // FRAME_BYTES

    @property
    def taken(self) -> int:
        """Frames that were ever read from it."""
        return self._read_bytes // FRAME_BYTES

    def waiting(self) -> int:
        """Frames that lie in it."""
        return self._waiting_bytes() // FRAME_BYTES

    def written(self) -> int:
        """Frames that were ever written to it."""
        with self._lock:
            return (self._read_bytes + self._waiting_bytes()) // FRAME_BYTES

    def read(self, most: int, timeout: float) -> bytes:
        """Whole blocks, `most` bytes at most, in the order of writing; empty if none came within `timeout` seconds."""
        poll = select.poll()
        poll.register(self.read_end, select.POLLIN)
        if not poll.poll(max(0.0, timeout) * 1000):
            return b""
        with self._lock:
            try:
                data = os.read(self.read_end, max(BLOCK_BYTES, most - most % BLOCK_BYTES))
            except BlockingIOError:
                return b""
            self._read_bytes += len(data)
        return data

    def close(self) -> None:
        """Close both ends."""
        for end in (self.read_end, self.write_end):
            with suppress(OSError):
                os.close(end)

    def _waiting_bytes(self) -> int:
        count = array.array("i", [0])
        fcntl.ioctl(self.read_end, termios.FIONREAD, count)
        return count[0]

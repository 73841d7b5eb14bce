"""The audio process: `python -m engine.sound.process --control FD --audio FD`.

Disposable by design: it may crash, the supervisor starts another behind the same pipe. It reads messages
(engine/sound/messages.py) from a socket and writes blocks of 2048 bytes to the audio descriptor, each in one piece.

Exit codes: 0 after `Fade`, `Quit`, or when the other side is gone; 1 it could not start; 3 the graph broke.
"""

from __future__ import annotations

import os

# One thread: matrices here are tiny, and numpy's would only wait for each other. Before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import faulthandler
import gc
import logging
import select
import signal
import sys
from multiprocessing.connection import Connection

import numpy as np

from engine.codec import CodecError
from engine.errors import PerpetuumError
from engine.logs.log import log_to_parent
from engine.memory_lock import lock_memory
from engine.sabotage import allow_sabotage
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import (
    BLOCK,
    FROM_SOUND,
    TO_SOUND,
    ChangeInstrument,
    Fade,
    Forget,
    FromSound,
    Notes,
    Ping,
    Pong,
    Quit,
    Ramps,
    Ready,
    Release,
    Setup,
    TakenLate,
    ToSound,
    Trouble,
)

log = logging.getLogger(__name__)

METER_BLOCKS = 19
"""Blocks between two meter messages: 101 ms."""

_OFFLINE_BLOCKS = 32
"""Blocks rendered offline between two looks for messages: what is released is known, so nothing can be missed."""

_ORPHAN_FADE = SAMPLE_RATE // 4
"""Frames of the fade when the conductor's side is gone: 250 ms."""


class Messenger:
    """The control socket; sending never blocks sound: what does not fit is dropped."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._writable = select.poll()
        self._writable.register(connection.fileno(), select.POLLOUT)
        self.open = True

    def send(self, message: FromSound) -> bool:
        """Send a small message if the other side takes it now; whether it did."""
        try:
            if any(event & select.POLLOUT for _, event in self._writable.poll(0)):
                self.connection.send_bytes(FROM_SOUND.encode(message))
                return True
        except OSError:
            self.open = False
        return False

    def receive(self) -> ToSound | None:
        """The next message; None and `open` false when the other side is gone.

        Raises:
            ValueError: what came is not a message.
        """
        try:
            return TO_SOUND.decode(self.connection.recv_bytes())
        except (EOFError, OSError):
            self.open = False
            return None
        except CodecError as error:
            raise ValueError(f"a message that cannot be read: {error}") from error


class Renderer:
    """Renders and writes blocks, between messages.

    Args:
        messenger: the control socket.
        audio: descriptor that takes the blocks.
        setup: the scene.

    Raises:
        PerpetuumError: the setup makes no sense.
    """

    def __init__(self, messenger: Messenger, audio: int, setup: Setup) -> None:
        # Imported here, after the settings have come: pyo then loads while nobody waits for messages.
        from engine.sound.core import Core, NotFiniteError

        self._broken = NotFiniteError
        self._messenger = messenger
        self._audio = audio
        self._core = Core(setup)
        self._limit = 2**62 if setup.free_running else setup.start_frame
        self._free_running = setup.free_running
        self._channels = setup.channels
        self._blocks = 0
        self._taken = 1  # the setup
        self._late: list[TakenLate] = []
        self._told: set[str] = set()
        for part, why in self._core.left_out.items():
            messenger.send(Trouble(f"part {part!r} is silent, its instrument cannot be built: {why}", fatal=False))
        for part, why in self._core.stood_in.items():
            messenger.send(Trouble(f"part {part!r} is played by its stand-in: {why}", fatal=False))
        messenger.send(Ready(self._core.build_seconds))

    def run(self) -> int:
        """Render until told to end; gives the exit code."""
        poll = select.poll()
        poll.register(self._messenger.connection.fileno(), select.POLLIN)
        poll.register(self._audio, 0)
        control = self._messenger.connection.fileno()
        waiting = False
        while True:
            wanted = self._core.frame + BLOCK <= self._limit
            if wanted != waiting:
                poll.modify(self._audio, select.POLLOUT if wanted else 0)
                waiting = wanted
            for descriptor, event in poll.poll():
                if descriptor == control:
                    if self._messenger.open and not self._listen():
                        return 0
                    if not self._messenger.open:
                        poll.unregister(control)
                        control = -1
                        if not self._free_running:
                            return 0
                        self._core.handle(Fade(-1, _ORPHAN_FADE))
                elif event & select.POLLOUT:
                    code = self._write_blocks()
                    if code is not None:
                        return code
                elif event & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
                    return 0

    def _listen(self) -> bool:
        """Take in every message that is there; False for the one that ends all."""
        while True:
            try:
                message = self._messenger.receive()
                match message:
                    case None:
                        return True
                    case Quit():
                        return False
                    case Release(frame):
                        self._limit = max(self._limit, frame)
                    case Notes() | Ramps() | ChangeInstrument() | Forget() | Fade():
                        self._take(message)
                    case Ping():
                        self._messenger.send(Pong())
                    case Setup():
                        raise ValueError("there is a graph already, and another setup came")
            except (ValueError, TypeError) as error:
                self._messenger.send(Trouble(str(error), fatal=False))
            for name in self._core.unknown_parts:
                self._tell_once(f"notes or ramps for a part that is not there: {name!r}")
            if not self._messenger.connection.poll():
                self._tell_late()
                return True

    def _take(self, message: Notes | Ramps | ChangeInstrument | Forget | Fade) -> None:
        """Let the graph have a message; what comes late is told, so that its sound can be made again."""
        number, self._taken = self._taken, self._taken + 1
        if self._core.is_late(message):
            self._late.append(TakenLate(number, self._core.frame))
        self._core.handle(message, number)

    def _tell_late(self) -> None:
        self._late += [TakenLate(number, frame) for number, frame in self._core.changes_late()]
        while self._late and self._messenger.send(self._late[0]):
            del self._late[0]

    def _tell_once(self, trouble: str) -> None:
        if trouble not in self._told:
            self._told.add(trouble)
            self._messenger.send(Trouble(trouble, fatal=False))

    def _write_blocks(self) -> int | None:
        """Render what may be rendered before messages are looked for again; an exit code if that was the end."""
        for _ in range(1 if self._free_running else _OFFLINE_BLOCKS):
            if self._core.frame + BLOCK > self._limit:
                return None
            code = self._write_block()
            if code is not None:
                return code
        return None

    def _write_block(self) -> int | None:
        """Render and write one block; an exit code if it was the last."""
        try:
            block, over = self._core.block()
        except Exception as error:  # whatever it is, the graph can no longer be trusted
            self._put(np.zeros((BLOCK, self._channels), np.float32))
            if not isinstance(error, self._broken):
                log.exception("the sound broke")
            self._messenger.send(Trouble(f"the sound broke: {error}", fatal=True))
            return 3
        if not self._put(block):
            return 0
        self._blocks += 1
        if self._blocks % METER_BLOCKS == 0 and self._messenger.open:
            self._messenger.send(self._core.meter())
            self._tell_late()
            for part, why in self._core.changes_refused.items():
                self._tell_once(f"part {part!r} keeps its instrument, the next one cannot be built: {why}")
        return 0 if over else None

    def _put(self, block: np.ndarray) -> bool:
        """Write a block in one piece; False if nobody will read it."""
        try:
            data = block.data.cast("B")
            written = os.write(self._audio, data)
            while written < len(data):
                # Only a file or a socket takes less than it is given; a pipe never splits 2048 bytes.
                written += os.write(self._audio, data[written:])
        except BrokenPipeError:
            return False
        return True


def main() -> int:
    """Run the audio process; gives its exit code."""
    parser = argparse.ArgumentParser(prog="engine.sound.process", description="The audio process of Perpetuum.")
    parser.add_argument("--control", type=int, required=True, help="descriptor of the control socket")
    parser.add_argument("--audio", type=int, required=True, help="descriptor that takes the sound")
    options = parser.parse_args()
    # Ctrl-C belongs to the parent, which fades out.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to_parent()
    allow_sabotage()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    messenger = Messenger(Connection(options.control))
    import engine.sound.core  # noqa: F401 - loads pyo while the scene is still on its way

    lock_memory()
    try:
        while isinstance(setup := messenger.receive(), Ping):
            messenger.send(Pong())
        if setup is None:
            return 0
        if not isinstance(setup, Setup):
            raise PerpetuumError(f"the first message must be a Setup, not {type(setup).__name__}")
        renderer = Renderer(messenger, options.audio, setup)
    except PerpetuumError as error:
        messenger.send(Trouble(str(error), fatal=True))
        return 1
    except Exception as error:  # a plug-in's instrument may raise anything; the supervisor wants to know what
        messenger.send(Trouble(f"the sound cannot start: {error!r}", fatal=True))
        log.exception("the sound cannot start")
        return 1
    gc.collect()
    gc.freeze()
    return renderer.run()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # pyo's own farewell may crash once its server is gone; there is nothing left to say good-bye to.
    os._exit(code)

# pyright: strict
"""A child process at the other end of a socket: started, listened to, and ended without ever blocking the caller."""

from __future__ import annotations

import collections
import errno
import functools
import logging
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import engine
from engine.codec import Codec, CodecError
from engine.logs.entry import from_line, record_of

log = logging.getLogger(__name__)

S = TypeVar("S")
R = TypeVar("R")

LARGEST_MESSAGE = 16 << 20
"""Bytes; whoever sends more breaks the protocol."""

TAIL = 20
"""Lines of a child's output that are kept to explain its end."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A child is not to be talked with any more: it ended, closed its socket, or sent what nobody can read."""

    reason: str
    by_itself: bool = False


def python_module(module: str) -> list[str]:
    """Command that runs a module of this package in a new interpreter.

    -P keeps whatever lies in the working directory from being imported in place of the engine.
    """
    return [sys.executable, "-P", "-m", module]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a child: ours, with this engine importable; `extra` holds where ours says nothing."""
    env = {**(extra or {}), **os.environ}
    home = str(Path(engine.__file__).resolve().parent.parent)
    others = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    if home not in others and home in sys.path:
        env["PYTHONPATH"] = os.pathsep.join([*others, home])
    return env


class OomScore(IntEnum):
    """What a child is to the music, as what is added to our own `oom_score_adj` (proc(5)): where memory runs out, the
    kernel ends the highest first, and most of what an installation has can be made again unheard."""

    PLAYER = 100
    AUDIO = 200
    MIND = 400
    RECORDER = 600
    WORKER = 800
    BACKGROUND = 900


HIGHEST_OOM_SCORE = 1000


def start_bound(command: Sequence[str], oom_score: OomScore, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process that does not outlive us, even if it is stopped: the kernel kills it when we die.

    The kernel does so when the *thread* that started it ends; so all are started by one thread that never does.

    Args:
        command: what to run.
        oom_score: what it is to the music.
        options: as `subprocess.Popen` takes them.

    Raises:
        OSError: it cannot be started.
    """
    setpriv = _setpriv()
    bound = [setpriv, "--pdeathsig", "KILL", "--", *command] if setpriv else list(command)
    answer: Future[subprocess.Popen[bytes]] = Future()
    _starter().put((answer, bound, options))
    process = answer.result()
    with suppress(OSError, ValueError):  # no Linux, or it has ended already
        own = int(Path("/proc/self/oom_score_adj").read_text())
        Path(f"/proc/{process.pid}/oom_score_adj").write_text(str(min(own + oom_score, HIGHEST_OOM_SCORE)))
    return process


@functools.cache
def _setpriv() -> str | None:
    return shutil.which("setpriv")


@functools.cache
def _starter() -> queue.SimpleQueue[tuple[Future[subprocess.Popen[bytes]], list[str], dict[str, Any]]]:
    orders: queue.SimpleQueue[tuple[Future[subprocess.Popen[bytes]], list[str], dict[str, Any]]] = queue.SimpleQueue()

    def run() -> None:
        while True:
            answer, command, options = orders.get()
            try:
                answer.set_result(cast("subprocess.Popen[bytes]", subprocess.Popen(command, **options)))
            except BaseException as error:  # whoever asked is told
                answer.set_exception(error)

    threading.Thread(target=run, name="starter of processes", daemon=True).start()
    return orders


class Child(Generic[S, R]):
    """A process with a socket of messages, in a session of its own.

    Three threads wait for it (reader, writer, and one for what it prints), so that neither `send` nor anybody else
    does. Closing our end of the socket is how it learns that it is to end, or that we are dead.

    Args:
        name: for messages to people.
        command: what to run; `--control FD` is appended.
        outgoing: writes what it is told.
        incoming: reads what it says. What cannot be read is a `Gone`, as if it had ended.
        deliver: called with (child, message) in the reader's thread; a `Gone` is the last message.
        oom_score: what it is to the music.
        fds: further descriptors that it inherits.
        extra_env: variables for its environment, unless they are set already.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        outgoing: Codec[S],
        incoming: Codec[R],
        deliver: Callable[[Child[S, R], R | Gone], None],
        oom_score: OomScore,
        fds: Sequence[int] = (),
        extra_env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._outgoing = outgoing
        self._incoming = incoming
        self._deliver = deliver
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.tail: collections.deque[str] = collections.deque(maxlen=TAIL)
        self._socket, theirs = socket.socketpair()
        try:
            self.process = start_bound(
                [*command, "--control", str(theirs.fileno())],
                oom_score,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(), *fds),
                env=environment(extra_env),
                start_new_session=True,
            )
        except OSError:
            self._socket.close()
            raise
        finally:
            theirs.close()
        self._connection = Connection(os.dup(self._socket.fileno()))
        self._threads = [
            threading.Thread(target=target, name=f"{name} {what}", daemon=True)
            for what, target in (("reader", self._read), ("writer", self._write), ("output", self._listen))
        ]
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError as error:  # no more threads are allowed
            self.process.kill()
            self.process.wait()
            raise OSError(errno.EAGAIN, f"no thread can be started for {name}: {error}") from error

    def send(self, message: S) -> None:
        """Hand a message over; returns at once, however busy the child is.

        Raises:
            CodecError: the message holds what cannot travel.
        """
        self._outbox.put(self._outgoing.encode(message))

    def close(self, patience: float = 2.0) -> int:
        """End it: closes the socket, waits up to `patience` seconds, then kills it. Its exit status.

        Must not be called from `deliver`.
        """
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes both threads, and tells the child
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._outbox.put(None)
        for thread in self._threads:
            thread.join(0.3)  # longer only if a grandchild holds its output open
        self._connection.close()
        self._socket.close()
        return self.process.returncode

    def kill(self) -> int:
        """End it at once."""
        self.process.kill()
        return self.close()

    def last_words(self) -> str:
        """The last line that it printed, or nothing."""
        return next((line for line in reversed(self.tail) if line.strip()), "")

    def explained(self, reason: str, status: int | None = None) -> str:
        """Why it is gone, with its exit status, where that says something, and its last words."""
        if status is not None:
            reason = f"{reason} ({exit_text(status)})"
        words = self.last_words()
        return reason + (f"; its last words: {words}" if words else "")

    def _read(self) -> None:
        while True:
            try:
                data = self._connection.recv_bytes(LARGEST_MESSAGE)
            except EOFError:
                self._deliver(self, Gone("it ended", by_itself=True))
                return
            except OSError as error:
                # A process that is killed with messages unread resets the connection, or tears its last message.
                ended = isinstance(error, ConnectionResetError) or "end of file" in str(error)
                self._deliver(self, Gone("it ended" if ended else f"its messages broke off: {error}", by_itself=ended))
                return
            try:
                message = self._incoming.decode(data)
            except CodecError as error:
                self._deliver(self, Gone(f"it sent what cannot be read: {error}"))
                return
            self._deliver(self, message)

    def _write(self) -> None:
        while (data := self._outbox.get()) is not None:
            try:
                self._connection.send_bytes(data)
            except OSError:
                return  # the reader sees that it is gone

    def _listen(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        with stream:
            for line in stream:
                text = line.decode("utf-8", "replace").rstrip()
                entry = from_line(text, self.name)
                self.tail.extend([text] if entry is None else entry.message.splitlines())
                if entry is None:
                    log.debug("%s: %s", self.name, text)
                elif logging.getLogger(entry.logger).isEnabledFor(entry.level):
                    logging.getLogger(entry.logger).handle(record_of(entry))


def exit_text(status: int) -> str:
    """An exit status in words."""
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"

"""Renders notes through the real audio process, offline, into an array: for tests and for judging sounds by ear."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from engine import assets
from engine.sound.messages import (
    BLOCK,
    FROM_SOUND,
    NOTE_EVENT,
    TO_SOUND,
    MixSound,
    Notes,
    PartSound,
    Quit,
    Release,
    Setup,
    ToSound,
)

BYTES = BLOCK * 8


def instrument(name: str) -> str:
    """Path of a shipped instrument."""
    found = assets.find("instruments", name)
    assert found is not None, name
    return str(found)


def notes(*events: tuple[int, int, int, int]) -> np.ndarray:
    """NOTE_EVENT array of (on, off, pitch, velocity)."""
    return np.array(list(events), NOTE_EVENT)


def part(name: str, level: float = 0.0, **more: float) -> PartSound:
    """A part named after its instrument."""
    return PartSound(name, instrument(name) if "/" not in name else name, level, **more)


@dataclass
class Rendered:
    """What came out.

    Attributes:
        sound: array [frames, 2].
        messages: everything that the process said.
        code: its exit code.
    """

    sound: np.ndarray
    messages: list[object] = field(default_factory=list)
    code: int = 0

    def of(self, kind: type) -> list:
        """The messages of a kind."""
        return [message for message in self.messages if isinstance(message, kind)]


class AudioProcess:
    """A real audio process with its sockets and pipe."""

    def __init__(self, setup: ToSound | None = None, before: str = "") -> None:
        """Start it; `before` is Python that runs in it first, to break something."""
        ours, theirs = socket.socketpair()
        self.audio, audio_out = os.pipe()
        how = ["-m", "engine.sound.process"]
        if before:
            how = ["-c", f"import os, engine.sound.process as process\n{before}\nos._exit(process.main())"]
        command = [sys.executable, *how, "--control", str(theirs.fileno())]
        command += ["--audio", str(audio_out)]
        self.process = subprocess.Popen(command, pass_fds=(theirs.fileno(), audio_out))
        theirs.close()
        os.close(audio_out)
        self.control = Connection(ours.detach())
        self.messages: list[object] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        if setup is not None:
            self.send(setup)

    def send(self, message: ToSound) -> None:
        """Tell it something."""
        self.control.send_bytes(TO_SOUND.encode(message))

    def _listen(self) -> None:
        try:
            while True:
                self.messages.append(FROM_SOUND.decode(self.control.recv_bytes()))
        except (EOFError, OSError, TypeError):
            return  # TypeError: closed here while it listens there

    def read(self, frames: int) -> np.ndarray:
        """Sound [frames or fewer at the end, 2]."""
        wanted, chunks = frames * 8, []
        while wanted:
            chunk = os.read(self.audio, min(wanted, 1 << 16))
            if not chunk:
                break
            chunks.append(chunk)
            wanted -= len(chunk)
        return np.frombuffer(b"".join(chunks), np.float32).reshape(-1, 2)

    def cpu_seconds(self) -> float:
        """Processor time that it has taken so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """Memory that it holds."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def finish(self) -> int:
        """Wait for its end; gives the exit code."""
        code = self.process.wait(60)
        self._listener.join(10)
        self.control.close()
        os.close(self.audio)
        return code


def render(
    parts: Sequence[PartSound],
    messages: Iterable[ToSound],
    frames: int,
    *,
    mix: MixSound | None = None,
    seed: int = 1,
    start_frame: int = 0,
    raw: Iterable[bytes] = (),
) -> Rendered:
    """Send messages, then render.

    Args:
        parts: the parts.
        messages: in order; sent before the first block.
        frames: to render, rounded up to whole blocks.
        mix: shared effects.
        seed: of the graph.
        start_frame: of the first block.
        raw: what is sent before them, whatever it is.
    """
    frames = -(-frames // BLOCK) * BLOCK
    setup = Setup(tuple(parts), mix or MixSound(), seed, start_frame, free_running=False)
    audio = AudioProcess(setup)
    for data in raw:
        audio.control.send_bytes(data)
    for message in messages:
        audio.send(message)
    audio.send(Release(start_frame + frames))
    sound = audio.read(frames)
    if audio.process.poll() is None:
        with contextlib.suppress(OSError):
            audio.send(Quit())
    return Rendered(sound, audio.messages, audio.finish())


def play(name: str, events: np.ndarray, frames: int, **more: object) -> np.ndarray:
    """Sound [frames, 2] of one instrument, dry, at level 0 dB."""
    one = part(name)
    return render([one], [Notes(one.name, events)], frames, **more).sound  # type: ignore[arg-type]

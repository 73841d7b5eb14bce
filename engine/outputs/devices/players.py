# pyright: strict
"""The sound card, through a player process: pw-cat, pacat or aplay, whichever has something to play to.

A player in a process of its own cannot take the engine down, brings the system's own libraries, and ends when we do:
its standard input closes. Float32 goes through unchanged; where a card takes integers only, it is dithered to 16 bit.
"""

from __future__ import annotations

import array
import fcntl
import os
import select
import shutil
import socket
import subprocess
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.processes.child import OomScore, start_bound
from engine.processes.last_words import LastWords
from engine.processes.stopped import is_stopped
from engine.score.time import SAMPLE_RATE
from engine.sound.format import DEFAULT_CHANNELS, AudioFormat

LOOK = 0.15
"""Seconds without taking a sample after which a player is looked at: it holds more than that itself."""

BUFFER_MS = 400
"""What the player holds itself: it outlasts any pause of ours."""

GOING = 0.005
"""Seconds between two looks at a player that plays its last."""

PROBE = 64
"""Frames of silence (1.3 ms) by which is found out when a player begins to read."""


@dataclass(frozen=True, slots=True)
class Player:
    """A way to the loudspeaker.

    Attributes:
        name: of the program.
        place: what it plays to, in words.
        command: how to run it with float32 from its standard input.
        command16: the same for 16-bit integers; empty if it takes float32 everywhere.
    """

    name: str
    place: str
    command: tuple[str, ...]
    command16: tuple[str, ...] = ()


CLIENT = "perpetuum"
"""Name by which a sound server knows our streams."""


def find_player(device: str | None = None, channels: int = DEFAULT_CHANNELS) -> Player | None:
    """The player for a device, or for the default one; None if nothing here can play now.

    A running sound server is preferred to the bare card, which it would not share.
    """
    if device is not None and is_alsa_name(device):
        return _aplay(device, channels)
    if pipewire_runs() and (player := _pw_cat(device, channels)):
        return player
    if pulse_runs() and (player := _pacat(device, channels)):
        return player
    return _aplay(device, channels) if _has_card() else None


def installed_players() -> list[str]:
    """Names of the players that are installed."""
    return [name for name in ("pw-cat", "pacat", "aplay") if shutil.which(name)]


def why_none() -> str:
    """Why `find_player` found nothing, in words."""
    if not installed_players():
        what = "no player is installed: pipewire-bin, pulseaudio-utils or alsa-utils"
        return f"there is a sound card, but {what}" if _has_card() else f"no sound card, and {what}"
    return "no sound card and no sound server found"


def _pw_cat(device: str | None, channels: int) -> Player | None:
    # Before PipeWire 0.3.80 it took no raw samples from its standard input.
    if not shutil.which("pw-cat") or "--raw" not in _help_of("pw-cat"):
        return None
    target = ("--target", device) if device else ()
    form = ("--rate", str(SAMPLE_RATE), "--channels", str(channels), "--format", "f32")
    command = ("pw-cat", "--playback", "--raw", *form, "--latency", f"{BUFFER_MS}ms", *target, "-")
    return Player("pw-cat", f"PipeWire, {device or 'default device'}", command)


def _pacat(device: str | None, channels: int) -> Player | None:
    if not shutil.which("pacat"):
        return None
    target = (f"--device={device}",) if device else ()
    form = (f"--rate={SAMPLE_RATE}", f"--channels={channels}", "--format=float32le")
    names = (f"--client-name={CLIENT}", "--stream-name=music")
    # No resampling to follow the device, no remixing: the samples are final.
    command = ("pacat", "--playback", "--raw", *form, f"--latency-msec={BUFFER_MS}", *names, *target)
    return Player("pacat", f"PulseAudio, {device or 'default device'}", command)


def _aplay(device: str | None, channels: int) -> Player | None:
    if not shutil.which("aplay"):
        return None
    target = ("-D", device) if device else ()
    form = ("-q", "-t", "raw", "-r", str(SAMPLE_RATE), "-c", str(channels), f"--buffer-time={BUFFER_MS * 1000}")
    return Player(
        "aplay",
        f"ALSA, {device or 'default device'}",
        ("aplay", *form, "-f", "FLOAT_LE", *target, "-"),
        ("aplay", *form, "-f", "S16_LE", *target, "-"),
    )


def _help_of(program: str) -> str:
    with suppress(OSError, subprocess.TimeoutExpired):
        run = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=5)
        return run.stdout + run.stderr
    return ""


def is_alsa_name(device: str) -> bool:
    """Whether a device is called as ALSA calls its own."""
    return device.partition(":")[0] in ("hw", "plughw", "sysdefault", "dmix", "hdmi", "iec958", "front")


def _has_card() -> bool:
    return any(Path("/dev/snd").glob("pcmC*D*p"))


def _runtime_dirs() -> list[Path]:
    named = os.environ.get("XDG_RUNTIME_DIR")
    return [Path(named)] if named else [Path(f"/run/user/{os.getuid()}")]


def pipewire_runs() -> bool:
    """Whether a PipeWire server answers."""
    name = os.environ.get("PIPEWIRE_REMOTE", "pipewire-0")
    return any(_answers(folder / name) for folder in _runtime_dirs())


def pulse_runs() -> bool:
    """Whether a PulseAudio server answers, PipeWire's own included."""
    server = os.environ.get("PULSE_SERVER", "")
    if server.startswith("unix:"):
        return _answers(Path(server.removeprefix("unix:")))
    if server:
        return True  # somewhere in the network; the player will find out
    named = os.environ.get("PULSE_RUNTIME_PATH")
    folders = [Path(named)] if named else [folder / "pulse" for folder in _runtime_dirs()]
    return any(_answers(folder / "native") for folder in [*folders, Path("/run/pulse")])


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as end, suppress(OSError):
        end.settimeout(1.0)
        end.connect(str(path))
        return True
    return False


class Dither:
    """Float32 to 16-bit integers with triangular noise of one step, so that fades end in hiss and not in buzz.

    Source: Lipshitz, Wannamaker, Vanderkooy, "Quantization and Dither: A Theoretical Survey", JAES 40(5), 1992.
    """

    def __init__(self) -> None:
        self._noise = np.random.default_rng(0)

    def __call__(self, chunk: bytes) -> bytes:
        """Convert a chunk of float32 to one of little-endian int16."""
        samples = np.frombuffer(chunk, np.float32)
        noise = self._noise.random((2, len(samples)), np.float32)
        steps = np.rint(samples * 32767.0 + noise[0] - noise[1])
        return np.clip(steps, -32768, 32767).astype("<i2").tobytes()


class PlayerProcess:
    """A running player.

    Args:
        player: what to run.
        channels: of a frame.
        integers: give it 16-bit integers.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, player: Player, channels: int = DEFAULT_CHANNELS, integers: bool = False) -> None:
        self.player = player
        self._frame_bytes = AudioFormat(channels).frame_bytes
        self._convert: Callable[[bytes], bytes] | None = Dither() if integers else None
        self._process = start_bound(
            player.command16 if integers else player.command,
            OomScore.PLAYER,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        self._words = LastWords(self._process.stderr)

    def begins(self, patience: float) -> bool:
        """Wait until it reads, and so is about to play; what is given to it from then on sounds at once.

        False if it did not for `patience` seconds, or is gone.
        """
        if not self.write(bytes(PROBE * self._frame_bytes), patience):
            return False
        assert self._process.stdin is not None
        lying = array.array("i", [0])
        until = time.monotonic() + patience
        while self.alive and time.monotonic() < until:
            self._words.take()
            fcntl.ioctl(self._process.stdin.fileno(), termios.FIONREAD, lying)
            if not lying[0]:
                return True
            time.sleep(0.002)
        return False

    def kill(self) -> None:
        """End it at once; what it holds is never heard. From any thread."""
        self._process.kill()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped it (SIGSTOP): it will not take anything until it is told to go on."""
        return is_stopped(self.pid)

    def write(self, chunk: bytes, patience: float) -> bool:
        """Give it float32 sound as fast as it takes it.

        False if it took none for `patience` seconds, was stopped, or is gone.
        """
        left = memoryview(self._convert(chunk) if self._convert else chunk)
        assert self._process.stdin is not None
        fd = self._process.stdin.fileno()
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        if not self._words.over:
            poll.register(self._words, select.POLLIN)
        until = time.monotonic() + patience
        while left:
            ready = {one for one, _ in poll.poll(LOOK * 1000)}
            if self._words.fileno() in ready and not self._words.take() and self._words.over:
                poll.unregister(self._words)
            if fd not in ready:
                if time.monotonic() > until or (not ready and self.stopped):
                    return False
                continue
            until = time.monotonic() + patience
            try:
                left = left[os.write(fd, left) :]
            except BlockingIOError:
                continue
            except OSError:
                return False
        return True

    def close(self, patience: float) -> str:
        """Let it play what it has for up to `patience` seconds, then end it. The last line that it printed."""
        process = self._process
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        until = time.monotonic() + patience
        while process.poll() is None and time.monotonic() < until:
            if not self._words.take():
                time.sleep(GOING)
        if process.poll() is None:
            process.kill()
            process.wait()
        return self._words.close()

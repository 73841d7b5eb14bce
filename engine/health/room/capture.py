# pyright: strict
"""A microphone or a line input, through the recording programs of the system: parec, pw-cat or arecord."""

from __future__ import annotations

import logging
import os
import select
import shutil
import subprocess
import threading
from collections.abc import Callable

import numpy as np

from engine.health.room.likeness import RATE, Samples
from engine.outputs.devices.players import CLIENT, is_alsa_name, pipewire_runs, pulse_runs
from engine.processes.backoff import Backoff
from engine.processes.child import OomScore, start_bound
from engine.processes.last_words import LastWords

log = logging.getLogger(__name__)

PIECE = RATE // 5
"""Frames that are read at once, 0.2 s."""

STALLED = 10.0
"""Seconds without a sample after which a program is given up: it was stopped, or its device hangs."""

DEFAULT = "default"
"""What the first source is called, whatever it is."""

Take = Callable[[Samples], None]


def command_for(device: str) -> tuple[str, ...] | None:
    """What records 16-bit frames of one channel at `RATE` to its standard output; None where nothing can.

    Args:
        device: `DEFAULT`, a source of the sound server, or a name of ALSA.
    """
    rate = str(RATE)
    named = device != DEFAULT
    if not is_alsa_name(device):
        if pulse_runs() and shutil.which("parec"):
            form = (f"--rate={rate}", "--channels=1", "--format=s16le", "--latency-msec=200")
            return "parec", "--raw", *form, f"--client-name={CLIENT}", *((f"--device={device}",) if named else ())
        if pipewire_runs() and shutil.which("pw-cat"):
            form = ("--rate", rate, "--channels", "1", "--format", "s16")
            return "pw-cat", "--record", "--raw", *form, *(("--target", device) if named else ()), "-"
    if shutil.which("arecord") and (is_alsa_name(device) or not named):
        # A bare card takes its own rates alone; plughw converts.
        place = f"plug{device}" if device.startswith("hw:") else device
        return "arecord", "-q", "-t", "raw", "-r", rate, "-c", "1", "-f", "S16_LE", *(("-D", place) if named else ())
    return None


class RoomCapture:
    """Records in a thread of its own until it is closed; a program that ends is started again, ever more seldom.

    Args:
        device: as `command_for` takes it.
        take: called with each piece, in that thread; never raises.
    """

    def __init__(self, device: str, take: Take) -> None:
        self._device = device
        self._take = take
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="microphone", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Record no more."""
        with self._lock:
            self._over.set()
            if self._process is not None:
                self._process.kill()
        self._thread.join(2.0)

    def _run(self) -> None:
        backoff = Backoff(first=1.0, longest=30.0)
        said = ""
        while not self._over.is_set():
            problem = self._record(backoff)
            if problem != said and not self._over.is_set():
                said = problem
                log.warning("nothing is recorded from the microphone %s: %s; it is tried again", self._device, problem)
            self._over.wait(backoff.next_delay())

    def _record(self, backoff: Backoff) -> str:
        """Record until it ends; why it ended."""
        command = command_for(self._device)
        if command is None:
            return "no sound server runs, or its program is missing: apt install pulseaudio-utils, or alsa-utils"
        with self._lock:
            if self._over.is_set():
                return ""
            try:
                process = start_bound(
                    command,
                    OomScore.RECORDER,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
            except OSError as error:
                return f"{command[0]} cannot be started: {error.strerror or error}"
            self._process = process
        with process:
            try:
                why = self._read(process, backoff)
            finally:
                process.kill()
        return why or f"{command[0]} ended"

    def _read(self, process: subprocess.Popen[bytes], backoff: Backoff) -> str:
        """Take what a program records, until it ends or stands still; the last that it printed, or what it did."""
        assert process.stdout is not None
        assert process.stderr is not None
        sound, words = process.stdout.fileno(), LastWords(process.stderr)
        held = bytearray()
        streams: list[int | LastWords] = [sound, words]
        while sound in streams:
            ready, _, _ = select.select(streams, [], [], STALLED)
            if not ready:
                return f"it gave nothing for {STALLED:g} s"
            if words in ready and not words.take() and words.over:
                streams.remove(words)
            if sound in ready:
                data = os.read(sound, 1 << 16)
                held += data
                if not data:
                    streams.remove(sound)
            while len(held) >= 2 * PIECE:
                backoff.reset()
                self._take(np.frombuffer(bytes(held[: 2 * PIECE]), "<i2").astype(np.float32) / np.float32(32768.0))
                del held[: 2 * PIECE]
        return words.close()

# pyright: strict
"""Plays noise the way an installation plays music: through its output, its amplifier switched on."""

from __future__ import annotations

import math
import threading
import time
from contextlib import ExitStack
from types import TracebackType

from engine.errors import PerpetuumError
from engine.installation.calibrating.noise import PinkNoise
from engine.installation.installation import Installation
from engine.installation.keeper.power.amplifier import Amplifier
from engine.outputs.gain import Gain
from engine.outputs.opening import open_outputs
from engine.outputs.tee import Tee
from engine.sound.format import AudioFormat

RAMP = 4.0
"""Seconds in which the noise comes."""

LAST_FADE = 0.5
"""Seconds in which it goes."""

CHUNK = 1024
"""Frames that are written at a time."""

PATIENCE = 3.0
"""Seconds that an output may take to end."""


def loud_enough(installation: Installation, loudness: float, ceiling: float, most: float) -> PinkNoise:
    """Noise that passes neither ceiling nor limit.

    Args:
        installation: of which.
        loudness: LUFS that are wanted.
        ceiling: dB of true peak.
        most: LUFS that nobody passes.

    Raises:
        PerpetuumError: it would; the message says how loud it may be.
    """
    noise = PinkNoise(AudioFormat(), loudness, installation.sound.mono)
    peak = 20 * math.log10(noise.true_peak)
    too_much = max(peak - ceiling, loudness - most)
    if too_much > 0:
        raise PerpetuumError(
            f"noise of {loudness:g} LUFS has peaks of {peak:.1f} dB; now the installation file lets pass {ceiling:g} dB"
            + (f" and {most:.1f} LUFS" if math.isfinite(most) else ""),
            f"--at {math.floor(loudness - too_much):d}",
        )
    return noise


class NoisePlaying:
    """While it is entered, noise sounds: it comes softly, and goes softly after its time or at the end.

    Args:
        installation: whose output and amplifier.
        noise: that is to sound.
        seconds: after which it goes by itself.
    """

    def __init__(self, installation: Installation, noise: PinkNoise, seconds: float) -> None:
        self._installation = installation
        self._noise = noise
        self._frames = round(seconds * AudioFormat().rate)
        self._over = threading.Event()
        self._stack = ExitStack()
        self._sink: Tee | None = None
        self._heard = False
        self._missed = ""
        self._going = False
        self._thread = threading.Thread(target=self._run, name="noise", daemon=True)

    def __enter__(self) -> NoisePlaying:
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(LAST_FADE + PATIENCE)
        self._stack.close()

    @property
    def output(self) -> str:
        """Where it sounds, for people."""
        return self._sink.description if self._sink is not None else "nowhere"

    @property
    def lost(self) -> str:
        """Why nobody hears it; empty where the output takes it."""
        return self._sink.lost if self._sink is not None else ""

    def worthless(self) -> str:
        """Why a reading that is given now says nothing; empty where all was heard until now."""
        lost = self.lost or self._missed
        if lost:
            return f"nobody heard the noise, or not all the time: {lost}"
        return "" if self._thread.is_alive() and not self._going else "the noise had ended before the reading was given"

    def wait(self, timeout: float) -> bool:
        """Wait for the end of its time; False if `timeout` seconds passed before."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _begin(self) -> None:
        amplifier = Amplifier(self._installation.amplifier)
        self._stack.callback(amplifier.close)
        amplifier.want(True, time.monotonic())
        self._sink = self._stack.enter_context(open_outputs([self._installation.sound.output]))
        time.sleep(max(0.0, amplifier.ready_at - time.monotonic()))
        self._thread.start()

    def _run(self) -> None:
        assert self._sink is not None
        gain = Gain(AudioFormat())
        gain.set_level(0.0, 0.0)
        gain.apply(bytes(CHUNK * AudioFormat().frame_bytes))
        gain.set_level(1.0, RAMP)
        played = 0
        while not gain.faded_out:
            if not gain.fades and (self._over.is_set() or played >= self._frames):
                self._going = True
                gain.fade_out(LAST_FADE)
            data = gain.apply(self._noise.take(CHUNK).tobytes())
            played += CHUNK
            if data:
                self._sink.write(data)
            lost = self._sink.lost
            self._heard = self._heard or not lost
            if self._heard and lost:
                self._missed = lost

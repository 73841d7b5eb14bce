# pyright: strict
"""The thread that takes sound from the pipe through the gain stage to the output."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from engine.events import Event, GainMoved, SoundMeasured, SoundResumed, SoundStarved
from engine.outputs.contract import InfallibleOutput
from engine.outputs.gain import Gain
from engine.outputs.measuring.tap import SoundTap
from engine.outputs.meter import LevelMeter
from engine.outputs.ramp import GainMove
from engine.runtime.audio import Audio
from engine.runtime.substitute import Substitute
from engine.runtime.threads import SteadyThread

log = logging.getLogger(__name__)

CHUNK_FRAMES = 1024
"""Frames moved at a time (21 ms): with the ramp of a mute, silence leaves the gain stage within 50 ms."""

STARVED = 0.1
"""Seconds without sound in the pipe that count as one starvation."""

WITHOUT = 0.3
"""Seconds without sound after which a substitute sounds; a player holds 0.4 s."""

FIRST_WITHOUT = 10.0
"""The same before the first sound: processes start."""

PATIENCE = 1.0
"""Seconds that an output may take over one chunk when it is to end; one that hangs holds nobody."""


class Pump:
    """Moves sound until the stream ends or is faded out.

    Mute, level and the last fade happen here and not in the audio process, because here they are heard at once; what
    the audio process does has the whole pipe before it.

    Args:
        audio: where sound comes from.
        output: where it goes; opened.
        publish: told when there is no sound, and when there is again; never raises.
        substitute: sounds while no music comes; None: nothing does.
        mono: every channel is the mean of all.
        measured: told how each second measures that leaves for the output, in a thread of its own; None: nobody is.

    Attributes:
        frames: that have gone to the output.
        gain: takes commands from any thread.
        meter: of what leaves for the output.
    """

    def __init__(
        self,
        audio: Audio,
        output: InfallibleOutput,
        publish: Callable[[Event], None] = lambda event: None,
        substitute: Substitute | None = None,
        mono: bool = False,
        measured: Callable[[SoundMeasured], None] | None = None,
    ) -> None:
        self.frames = 0
        self._substitute = substitute
        self._publish = publish
        self.gain = Gain(audio.pipe.format, mono, self._tell_move)
        self.meter = LevelMeter(audio.pipe.format)
        self._tap = SoundTap(audio.pipe.format, self.gain, measured) if measured is not None else None
        self._audio = audio
        self._output = output
        self._format = audio.pipe.format
        self._place = 0  # frame of the pipe that the next chunk begins with
        self._stop = threading.Event()
        self._thread = SteadyThread(self._run, "pump")

    def __enter__(self) -> Pump:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            log.warning("the output does not answer; it is left alone")
        if self._tap is not None:
            self._tap.close()

    @property
    def substituted(self) -> bool:
        """Whether something else sounds in place of the music."""
        return self._substitute is not None and self._substitute.playing

    @property
    def finished(self) -> bool:
        """Whether all sound has gone to the output."""
        return not self._thread.is_alive()

    def fade_out(self, seconds: float) -> None:
        """Fade out from what is taken from the pipe next, and return when it is over."""
        self.gain.fade_out(seconds)
        self.join(seconds + PATIENCE)

    def silence(self) -> None:
        """Silence at once, for an alarm: what the output holds already is not heard any more. It stays so."""
        self.gain.mute(0.0)
        self._output.silence()

    def resume(self) -> None:
        """After `silence`: the sound comes back softly."""
        self._output.resume()
        self.gain.unmute()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the stream; False if `timeout` seconds passed before."""
        self._thread.join(timeout)
        return self.finished

    def _run(self) -> None:
        silence = 0.0
        most = CHUNK_FRAMES * self._format.frame_bytes
        while not self._stop.is_set():
            over = self._audio.over  # asked before reading: what was written before the end is still played
            data = self._audio.pipe.read(most, 0.0 if self.substituted else STARVED)
            if data:
                self._place = self._audio.heard - self._format.frames(data)
                if silence and self.frames:
                    self._publish(SoundResumed(self._place, silence))
                silence = 0.0
                if self._substitute is not None and self._substitute.playing:
                    data = self._substitute.beneath(data, self._audio.heard - self._format.frames(data))
            else:
                self._place = self._audio.heard
                if over or (self.gain.fades and not self.substituted):
                    return
                if self._audio.live:
                    if self.frames and not silence:
                        self._publish(SoundStarved(self._place))
                    silence += CHUNK_FRAMES / self._format.rate if self.substituted else STARVED
                data = self._in_place(silence)
            if data and self._passed_on(data):
                return

    def _tell_move(self, gain: str, move: GainMove) -> None:
        self._publish(GainMoved(self._place, gain, move.target, move.frames))

    def _in_place(self, silence: float) -> bytes:
        """What sounds while no music comes; empty for nothing."""
        if self._substitute is None or silence <= (WITHOUT if self.frames else FIRST_WITHOUT):
            return b""
        return self._substitute.alone(CHUNK_FRAMES)

    def _passed_on(self, data: bytes) -> bool:
        """Let the output have a chunk; whether that was the last."""
        data = self.gain.apply(data)
        if data:
            if self.frames == 0:
                log.info("first sound")
            self.meter.take(data)
            if self._tap is not None:
                self._tap.take(data, self._audio.heard)
            self._output.write(data)
            self.frames += self._format.frames(data)
        return self.gain.faded_out

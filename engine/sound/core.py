"""The core of the sound: one graph, one clock, one block at a time.

`Core.block` is the only way in which time passes: it takes what begins in the block out of the schedule, lets the
graph compute it, mixes, and gives 256 frames of stereo. Nothing in it waits, reads a clock or draws chance outside the
seed, so the same messages always make the same samples, in whatever process, as long as each comes before its frame.
"""

from __future__ import annotations

import ctypes
import math
import time
import zlib
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np

from engine.errors import PerpetuumError
from engine.sabotage import spoil
from engine.score.time import SAMPLE_RATE
from engine.sound.contract import LATENCY, Instrument
from engine.sound.exchange import Exchange
from engine.sound.format import DEFAULT_CHANNELS
from engine.sound.instruments.instrument_file import load_instrument
from engine.sound.messages import (
    BLOCK,
    ChangeInstrument,
    Control,
    Fade,
    Forget,
    LevelReading,
    Notes,
    PartSound,
    Ramps,
    Setup,
)
from engine.sound.meter import BlockMeter
from engine.sound.mixing.brightness import Brightness
from engine.sound.mixing.ducking import Ducker
from engine.sound.mixing.master import BottomEnd, Compressor, Limiter, MasterFade
from engine.sound.mixing.mixer import Mixer
from engine.sound.mixing.sends import PingPong, Reverb
from engine.sound.schedule import Schedule
from engine.sound.synth import boot, pyo


class NotFiniteError(Exception):
    """The graph computed something that is not a number; its state is lost for good."""


class _Silence:
    """What plays a part whose instrument cannot be built: nothing (see `engine.sound.contract.Instrument`)."""

    stolen = 0

    def __init__(self) -> None:
        self.outputs = (pyo.Sig(0.0), pyo.Sig(0.0))

    def note(self, offset: int, pitch: int, velocity: int, off: int) -> None:
        pass

    def prepare(self, frame: int) -> None:
        pass

    def sleep(self) -> None:
        pass


class Core:
    """The graph of a scene. A part whose instrument cannot be built is silent, and all others sound.

    Args:
        setup: parts, mix, seed and the frame to begin with.

    Attributes:
        left_out: why a part is silent, by its name.
        stood_in: why the stand-in of a part plays in place of its instrument, by its name.

    Raises:
        PerpetuumError: the setup makes no sense, or no instrument of it can be built.
    """

    def __init__(self, setup: Setup) -> None:
        started = time.perf_counter()
        if setup.start_frame % BLOCK:
            raise PerpetuumError(f"the start frame {setup.start_frame} is not a multiple of {BLOCK}")
        if setup.channels != DEFAULT_CHANNELS:
            raise PerpetuumError(f"the graph gives {DEFAULT_CHANNELS} channels, and {setup.channels} are asked for")
        self.frame = setup.start_frame
        self._parts = setup.parts
        self._count = len(setup.parts)
        # Behind the parts and the reverb: second places of parts whose instrument may change.
        seats = [index for index, part in enumerate(setup.parts) if part.stand_in]
        self._second = {index: 2 * (self._count + 1 + place) for place, index in enumerate(seats)}
        channels = 2 * (self._count + 1 + len(seats))
        self._server = boot(channels, setup.seed, setup.start_frame)
        self._reverb = Reverb(setup.mix.reverb_time, setup.mix.reverb_brightness)
        self._instruments: list[Instrument] = []
        self._exchanges: dict[int, Exchange] = {}
        # Of an instrument that was let go the filter goes as well.
        self._brightness: dict[int, list[ref[Brightness]]] = {}
        self._routes: list[Any] = []
        self.left_out: dict[str, str] = {}
        self.stood_in: dict[str, str] = {}
        for part in setup.parts:
            self._add(part, setup.seed)
        if setup.parts and len(self.left_out) == len({part.name for part in setup.parts}):
            # Nothing of it would sound; whatever plays instead is better.
            raise PerpetuumError("; ".join(f"part {name}: {why}" for name, why in self.left_out.items()))
        for side, signal in enumerate(self._reverb.outputs):
            self._routes.append(pyo.Sig(signal).out(2 * self._count + side))
        address = int(str(self._server.getOutputAddr()), 0)
        raw = (ctypes.c_float * (BLOCK * channels)).from_address(address)
        self._flat = np.ctypeslib.as_array(raw)
        self._ones = np.ones(BLOCK * channels, np.float32)
        self._channels = self._flat.reshape(BLOCK, channels)
        self._dry = self._channels[:, : 2 * self._count]
        self._wet = self._channels[:, 2 * self._count : 2 * self._count + 2]
        self._places = {
            index: (self._channels[:, 2 * index : 2 * index + 2], self._channels[:, second : second + 2])
            for index, second in self._second.items()
        }
        self._process = self._server.process
        self._schedule = Schedule(tuple(part.name for part in setup.parts))
        self._mixer = Mixer(setup.parts)
        self._delay = PingPong(setup.mix.delay_time, setup.mix.delay_feedback)
        places = {part.name: index for index, part in enumerate(setup.parts)}
        self._duckers = [Ducker(duck, places) for duck in setup.mix.ducks if {duck.part, duck.under} <= set(places)]
        self._bottom = BottomEnd()
        self._compressor = Compressor()
        self._limiter = Limiter(setup.mix.ceiling, setup.channels)
        self._fade = MasterFade()
        self._level = np.float32(10.0 ** (min(setup.mix.level, 24.0) / 20.0))
        self._meter = BlockMeter()
        self._master = np.zeros((BLOCK, setup.channels), np.float32)
        self._late_notes = 0
        self.unknown_parts: set[str] = set()
        self.build_seconds = time.perf_counter() - started

    def _add(self, part: PartSound, seed: int) -> None:
        index = len(self._instruments)
        # Of the part's name, so that a part sounds the same whatever other parts there are.
        own_seed = (seed + zlib.crc32(part.name.encode())) % 2**31
        problems: list[str] = []
        built: Instrument | None = None
        files = dict.fromkeys(filter(None, (part.instrument, part.stand_in)))
        for file in files:
            try:
                built = _built(file, own_seed)
                break
            except PerpetuumError as error:
                problems.append(error.message)
            except Exception as error:  # a plug-in's may raise anything, and a full memory comes at any place
                problems.append(repr(error))
        if problems:
            (self.left_out if built is None else self.stood_in)[part.name] = problems[0]
        instrument = built or _Silence()
        if part.stand_in:
            playing = list(files)[min(len(problems), len(files) - 1)]
            instrument = self._exchanges[index] = Exchange(
                playing,
                instrument,
                lambda file: _built(file, own_seed),
                lambda one, place: self._routed(one, index, (2 * index, self._second[index])[place], part.brightness),
                self.frame,
            )
        else:
            self._routes.append(self._routed(instrument, index, 2 * index, part.brightness))
        self._instruments.append(instrument)

    def _routed(self, instrument: Instrument, index: int, channel: int, brightness: float | None) -> list[Any]:
        """Lead an instrument of a part to two channels, as long as what this gives is kept."""
        kept: list[Any] = []
        outputs = instrument.outputs
        if brightness is not None:
            there = [one for one in self._brightness.get(index, ()) if one() is not None]
            playing = there[0]() if there else None
            filtered = Brightness(outputs, brightness) if playing is None else playing.beside(outputs)
            self._brightness[index] = [*there, ref(filtered)]
            kept, outputs = [filtered], filtered.outputs
        return [*kept, *(pyo.Sig(signal).out(channel + side) for side, signal in enumerate(outputs))]

    def handle(self, message: object, number: int = 0) -> bool:
        """Take a message of the conductor's side; False if it is none for the graph.

        Args:
            message: that came.
            number: of it, by which `changes_late` names it.

        Raises:
            ValueError: its contents make no sense.
        """
        match message:
            case Notes(part, notes):
                if not self._schedule.add_notes(part, notes):
                    self.unknown_parts.add(part)
            case Ramps(ramps):
                for ramp in ramps:
                    if not self._schedule.add_ramp(ramp):
                        self.unknown_parts.add(ramp.part)
            case ChangeInstrument(part):
                index = next((k for k, one in enumerate(self._parts) if one.name == part), None)
                if index in self._exchanges:
                    self._exchanges[index].change(message, number)
                else:
                    self.unknown_parts.add(part)
            case Forget(frame):
                self._schedule.forget_from(frame)
            case Fade(start, frames):
                self._fade.begin(self.frame if start < 0 else max(start, self.frame), frames)
            case _:
                return False
        return True

    def changes_late(self) -> list[tuple[int, int]]:
        """What did not come in at its frame since the last call (see `Exchange.late`)."""
        found: list[tuple[int, int]] = []
        for exchange in self._exchanges.values():
            found += exchange.late
            exchange.late.clear()
        return found

    def is_late(self, message: object) -> bool:
        """Whether a message is about frames that have been rendered, so that it matters when it is taken."""
        match message:
            case Notes(notes=notes):
                return len(notes) > 0 and int(notes["on"].min()) < self.frame
            case Ramps(ramps=ramps):
                return any(ramp.start < self.frame for ramp in ramps)
            case Forget(frame=start) | Fade(start=start):
                return start < self.frame
            case _:
                return False

    def block(self) -> tuple[np.ndarray, bool]:
        """Compute the next block.

        Returns:
            Array [BLOCK, 2] of float32, overwritten by the next call; and whether a fade has ended, after which
            there is only silence.

        Raises:
            NotFiniteError: the graph is broken; the core must not be used any more.
        """
        frame = self.frame
        end = frame + BLOCK
        for on, part, pitch, velocity, off in self._schedule.notes_before(end):
            if on < frame:
                self._late_notes += 1
                on = frame
            self._instruments[part].note(on - frame, pitch, velocity, off)
            for ducker in self._duckers:
                ducker.hear(part, on - frame, pitch, velocity)
        for instrument in self._instruments:
            instrument.prepare(frame)
            instrument.sleep()
        for start, part, control, value, stop in self._schedule.ramps_before(end):
            if control != Control.BRIGHTNESS:
                self._mixer.ramp(part, Control(control), value, start, stop)
                continue
            for one in self._brightness.get(part, ()):
                if (filtered := one()) is not None:
                    filtered.ramp(value, start, stop)
        for both in self._brightness.values():
            for one in both:
                if (filtered := one()) is not None:
                    filtered.prepare(frame)
        self._process()
        spoil(self._channels)
        # One sum finds any number that is not finite, in any channel.
        if not math.isfinite(self._flat.dot(self._ones)):
            raise NotFiniteError(self._culprit())
        for index, exchange in self._exchanges.items():
            exchange.mix(self._places[index], frame)
        for ducker in self._duckers:
            ducker.apply(self._dry)
        buses = self._mixer.mix(self._dry, frame)
        master = self._master
        for side in (0, 1):  # both at once, numpy would go in steps of two samples
            np.add(buses[:, side], self._wet[:, side], out=master[:, side])
        repeats = self._delay.apply(buses[:, 4:] if self._mixer.delay_open else None)
        if repeats is not None:
            master += repeats
        self._reverb.write(buses[:, 2:4] if self._mixer.reverb_open else None)
        master *= self._level
        self._bottom.apply(master)
        self._compressor.apply(master)
        out = self._limiter.apply(master)
        over = self._fade.apply(out, frame)
        self._meter.add(out, self._limiter.peak)
        self.frame = end
        return out, over

    def _culprit(self) -> str:
        bad = np.flatnonzero(~np.isfinite(self._channels.sum(axis=0)))
        seats = {second // 2: index for index, second in self._second.items()}
        places = {seats.get(k // 2, k // 2) for k in bad.tolist()}
        names = {self._parts[place].name if place < self._count else "the reverb" for place in places}
        return f"not a number at frame {self.frame} in {', '.join(sorted(names)) or 'the sum of all parts'}"

    @property
    def changes_refused(self) -> dict[str, str]:
        """Why the last change of a part's instrument did not come about, by its name."""
        return {self._parts[index].name: one.problem for index, one in self._exchanges.items() if one.problem}

    def meter(self) -> LevelReading:
        """What came out since the last call."""
        peak, rms = self._meter.take()
        stolen = sum(instrument.stolen for instrument in self._instruments)
        return LevelReading(self.frame, peak, rms, self._late_notes, stolen)

    @property
    def latency(self) -> int:
        """Frames by which the output lags behind the notes."""
        return LATENCY

    @property
    def seconds(self) -> float:
        """Position in seconds of sound."""
        return self.frame / SAMPLE_RATE


def _built(file: str, seed: int) -> Instrument:
    path = Path(file)
    kind, settings = load_instrument(path)
    return kind.factory(settings, path.parent, seed)

import threading
import time

import numpy as np
import pytest

from engine.outputs.chain import Chain
from engine.outputs.contract import Output
from engine.outputs.null import NullOutput
from engine.runtime.audio import Audio
from engine.runtime.pump import PATIENCE, Pump
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat
from engine.sound.messages import Fade
from tests.outputs.doubles import Tape
from tests.runtime.sound import DUMMY, Reports, frame_numbers, notes, samples, setup, until

STEREO = AudioFormat(2)
FRAME_BYTES = STEREO.frame_bytes


def test_the_pump_plays_everything_to_the_end_of_the_stream():
    tape = Tape()
    with Audio(command=DUMMY) as audio, Pump(audio, tape) as pump:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 1000)))
        audio.send(Fade(200 * 256, 256))
        audio.begin()
        assert pump.join(60)
    sound = samples(b"".join(tape.data))
    assert np.array_equal(frame_numbers(sound), np.arange(201 * 256))
    assert pump.frames == len(sound)


def test_an_output_that_fails_costs_no_music():
    """A plug-in's output may raise; the stream goes on in real time, to its end."""

    class Broken(Output):
        description = "broken"

        def open(self, format: AudioFormat) -> None: ...

        def write(self, chunk: bytes) -> None:
            raise OSError("the plug-in has a fault")

        def close(self) -> None:
            raise OSError("and another")

    chain = Chain([Broken()], NullOutput())
    chain.open(STEREO)
    with Audio(command=DUMMY) as audio, Pump(audio, chain) as pump:
        audio.send(setup("a"))
        audio.send(Fade(200 * 256, 256))
        audio.begin()
        assert pump.join(60)
    assert pump.frames == 201 * 256
    assert "the plug-in has a fault" in chain.description


def test_an_output_that_hangs_holds_nobody_who_wants_to_end():
    class Hanging(Tape):
        def __init__(self) -> None:
            super().__init__()
            self.hangs, self.over = threading.Event(), threading.Event()

        def write(self, chunk: bytes) -> None:
            self.hangs.set()
            self.over.wait()

    hanging = Hanging()
    with Audio(command=DUMMY) as audio:
        audio.send(setup("a"))
        audio.begin()
        begun = time.monotonic()
        with Pump(audio, hanging) as pump:
            assert hanging.hangs.wait(60)
            begun = time.monotonic()
            pump.fade_out(0.5)
        assert time.monotonic() - begun < 0.5 + 2 * PATIENCE + 1.0
    hanging.over.set()


def test_an_output_that_hangs_for_a_while_loses_nothing():
    class Slow(Tape):
        def write(self, chunk: bytes) -> None:
            if len(self.data) == 20:
                time.sleep(1.0)
            super().write(chunk)

    slow, found = Slow(), Reports()
    with Audio(command=DUMMY, report=found) as audio, Pump(audio, slow) as pump:
        audio.send(setup("a"))
        audio.send(Fade(800 * 256, 256))
        audio.begin()
        assert pump.join(60)
    assert np.array_equal(frame_numbers(samples(b"".join(slow.data))), np.arange(801 * 256))
    assert not found.lost()


def test_a_fade_out_is_heard_at_once_and_smooth_whatever_lies_in_the_pipe():
    tape = Tape()
    with Audio(command=DUMMY) as audio:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 100 * SAMPLE_RATE)))
        audio.begin()
        until(lambda: audio.pipe.waiting() > audio.pipe.depth // 2)
        with Pump(audio, tape) as pump:
            pump.fade_out(0.5)
            assert pump.finished
    level = samples(b"".join(tape.data))[:, 1] * 128
    fade = level[np.flatnonzero(level < 1.0)[0] :]
    assert len(fade) == pytest.approx(SAMPLE_RATE // 2, abs=20)  # the first steps are below float32
    assert np.abs(np.diff(level)).max() < 0.001
    assert (np.diff(fade) <= 0).all()
    assert level[-1] < 0.001

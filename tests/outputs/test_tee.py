"""Followers of every bad kind cost the master nothing, and what each missed is told."""

import errno
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.errors import PerpetuumError
from engine.events import OutputFailed
from engine.outputs.contract import InfallibleOutput, Output
from engine.outputs.files.recording import WavOutput
from engine.outputs.null import NullOutput
from engine.outputs.ring import Ring
from engine.outputs.tee import Tee
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat
from tests.runtime.sound import until

STEREO = AudioFormat(2)
FRAMES = 1024


class Tape(InfallibleOutput):
    description = "a tape"

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.closed = False

    def open(self, format: AudioFormat) -> None: ...

    def write(self, chunk: bytes) -> None:
        self.data.append(chunk)

    def close(self) -> None:
        self.closed = True


class Keeping(Output):
    """A follower that keeps what it takes."""

    description = "a follower"

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.opened = 0
        self.closed = 0

    def open(self, format: AudioFormat) -> None:
        self.opened += 1

    def write(self, chunk: bytes) -> None:
        self.data.append(chunk)

    def close(self) -> None:
        self.closed += 1


class Blocking(Keeping):
    """Opens a FIFO that nobody reads, and blocks for ever, once full."""

    description = "a FIFO"

    def __init__(self, path: Path) -> None:
        super().__init__()
        os.mkfifo(path)
        self.end = os.open(path, os.O_RDWR)  # it can be opened; what is written is read by nobody

    def write(self, chunk: bytes) -> None:
        os.write(self.end, chunk)


class Raising(Keeping):
    """A disk that is full, as long as `full` is set."""

    description = "a full disk"

    def __init__(self) -> None:
        super().__init__()
        self.full = True

    def write(self, chunk: bytes) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(chunk)

    def close(self) -> None:
        super().close()
        raise OSError("and it cannot be closed")


class NeverOpens(Keeping):
    description = "what never opens"

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def open(self, format: AudioFormat) -> None:
        self.over.wait(60)


class RaisesAtOpen(Keeping):
    description = "what raises at once"

    def open(self, format: AudioFormat) -> None:
        raise RuntimeError("a plug-in with a fault")


def chunk(number: int) -> bytes:
    return np.full((FRAMES, 2), number, np.float32).tobytes()


def test_a_ring_gives_back_what_was_put_in_and_takes_a_chunk_whole_or_not_at_all():
    ring = Ring(1000)
    taken, put, generator = b"", b"", np.random.default_rng(0)
    for _ in range(500):
        data = generator.bytes(int(generator.integers(1, 400)))
        if ring.write(data):
            put += data
        else:
            assert len(data) > ring.size - len(ring)
        taken += ring.read(int(generator.integers(1, 500)))
    while data := ring.read(1000):
        taken += data
    assert taken == put
    assert not ring.write(bytes(1001))
    assert ring.write(bytes(1000))


def test_a_good_follower_gets_every_sample_although_others_block_raise_and_never_open(tmp_path):
    """And the master gets them at its own pace: not one write takes longer than without followers."""
    tape, good, bad = Tape(), Keeping(), [Blocking(tmp_path / "fifo"), Raising(), NeverOpens(), RaisesAtOpen()]
    told: list[OutputFailed] = []
    tee = Tee(tape, [good, *bad], told.append, seconds=0.5, opening=0.2, goodbye=0.3)
    tee.open(STEREO)
    count = 200
    longest = 0.0
    for number in range(count):
        began = time.monotonic()
        tee.write(chunk(number))
        longest = max(longest, time.monotonic() - began)
        if number % 10 == 9:
            until(lambda: tee.followers[0].waiting == 0)
    until(lambda: len({event.output for event in told}) == 4)
    began = time.monotonic()
    tee.close()
    assert time.monotonic() - began < 0.3 + 1.5
    expected = b"".join(chunk(number) for number in range(count))
    assert b"".join(tape.data) == expected
    assert b"".join(good.data) == expected
    assert good.closed == 1
    assert tape.closed
    assert longest < 0.2  # a machine that is busy, not a follower
    dropped = {follower.output.description: follower.dropped for follower in tee.followers}
    assert dropped["a follower"] == 0
    for output in bad:
        lost = sum(event.dropped for event in told if event.output == output.description)
        assert lost == dropped[output.description] > 0
    reasons = {event.output: event.reason for event in told}
    assert "No space left" in reasons["a full disk"]
    assert "a plug-in with a fault" in reasons["what raises at once"]
    assert "a full disk" in tee.complaint
    assert "a follower:" not in tee.complaint


def test_a_follower_that_failed_is_opened_again_and_what_it_missed_is_counted_exactly():
    disk = Raising()
    tee = Tee(Tape(), [disk])
    tee.open(STEREO)
    tee.write(chunk(0))
    until(lambda: tee.followers[0].dropped == FRAMES)
    disk.full = False
    number = 1
    while not disk.data:
        tee.write(chunk(number))
        until(lambda: tee.followers[0].waiting == 0)
        number += 1
        time.sleep(0.02)
    tee.close()
    assert disk.opened == 2
    assert tee.followers[0].dropped + sum(map(len, disk.data)) // 8 == number * FRAMES


def test_a_report_that_blocks_or_raises_costs_the_master_nothing():
    over = threading.Event()

    def report(event: OutputFailed) -> None:
        over.wait(30)
        raise ValueError

    tape = Tape()
    tee = Tee(tape, [Raising()], report, goodbye=0.2)
    tee.open(STEREO)
    began = time.monotonic()
    for number in range(100):
        tee.write(chunk(number))
    tee.close()
    assert time.monotonic() - began < 3.0
    assert len(tape.data) == 100
    over.set()


def test_followers_take_what_they_have_at_the_end_for_a_bounded_time():
    """One that needs 10 ms a piece takes all that waits; one that needs a second does not hold the end up."""

    class Slow(Keeping):
        def __init__(self, seconds: float) -> None:
            super().__init__()
            self.seconds = seconds

        def write(self, data: bytes) -> None:
            time.sleep(self.seconds)
            super().write(data)

    quick, slow = Slow(0.01), Slow(1.0)
    tee = Tee(Tape(), [quick, slow], goodbye=0.6)
    tee.open(STEREO)
    for number in range(100):
        tee.write(chunk(number))
    began = time.monotonic()
    tee.close()
    assert time.monotonic() - began < 2.5
    assert sum(map(len, quick.data)) == 100 * len(chunk(0))
    assert quick.closed == 1


def test_a_follower_that_will_never_work_is_refused_before_anything_plays(tmp_path):
    tape, good = Tape(), WavOutput(tmp_path / "good.wav")
    tee = Tee(tape, [good, WavOutput(Path("/proc/nowhere/x.wav"))])
    with pytest.raises(PerpetuumError, match="cannot write"):
        tee.open(STEREO)
    assert tape.closed
    assert not list(tmp_path.iterdir())


def test_a_tee_whose_master_may_fail_or_whose_follower_may_not_is_not_built():
    with pytest.raises(TypeError, match="Infallible"):
        Tee(Keeping())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Fallible"):
        Tee(NullOutput(), [NullOutput()])  # type: ignore[list-item]


def test_a_recording_behind_a_tee_is_the_sound_exactly(tmp_path):
    sound = np.random.default_rng(2).uniform(-1, 1, (2 * SAMPLE_RATE, 2)).astype(np.float32)
    tee = Tee(Tape(), [WavOutput(tmp_path / "take.wav")])
    tee.open(STEREO)
    for start in range(0, len(sound), FRAMES):
        tee.write(sound[start : start + FRAMES].tobytes())
    tee.close()
    heard, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert np.abs(heard - sound).max() <= 2**-23
    assert tee.complaint == ""

import time

import pytest

from engine.outputs.null import NullOutput
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat
from tests.outputs.doubles import FakeTime

STEREO = AudioFormat(2)
FRAME_BYTES = STEREO.frame_bytes


def test_the_pace_is_exact_over_a_week_although_every_sleep_is_too_long():
    fake = FakeTime(oversleep=0.003)
    pacer = fake.pacer()
    chunks = 14_000
    for _ in range(chunks):
        pacer.pace(2_073_600)  # 43.2 s: a week in all
    expected = chunks * 2_073_600 / SAMPLE_RATE
    assert fake.now - 1000.0 == pytest.approx(expected, abs=0.01)
    assert pacer.slips == 0


def test_lateness_is_caught_up_when_small_and_written_off_when_large():
    fake = FakeTime()
    pacer = fake.pacer(tolerance=0.5)
    pacer.pace(SAMPLE_RATE)
    fake.now += 0.4
    pacer.pace(SAMPLE_RATE)
    assert fake.now == pytest.approx(1002.0)
    fake.now += 3600.0  # the machine was suspended
    pacer.pace(SAMPLE_RATE)
    before = fake.now
    pacer.pace(SAMPLE_RATE)
    assert fake.now - before == pytest.approx(1.0)
    assert pacer.slips == 1


def test_the_null_output_takes_real_time():
    output = NullOutput()
    output.open(STEREO)
    chunk = bytes(2048 * FRAME_BYTES)
    began = time.monotonic()
    for _ in range(47):
        output.write(chunk)
    assert (time.monotonic() - began) / (47 * 2048 / SAMPLE_RATE) == pytest.approx(1.0, abs=0.05)

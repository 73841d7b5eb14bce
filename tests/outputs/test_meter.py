"""What is measured behind the gain."""

import numpy as np

from engine.outputs.meter import LevelMeter
from engine.sound.format import AudioFormat

FORMAT = AudioFormat()


def chunk(value, frames=480):
    return np.full((frames, 2), value, np.float32).tobytes()


def test_silence_is_counted_from_the_last_sample_that_anybody_can_hear():
    meter = LevelMeter(FORMAT)
    for value in (0.5, 0.0, 1e-5, -1e-5):
        meter.take(chunk(value))
    assert meter.silent == 0.03
    meter.take(chunk(-0.25))
    assert meter.silent == 0.0


def test_the_peak_is_the_largest_since_it_was_asked_and_of_either_sign():
    meter = LevelMeter(FORMAT)
    meter.take(chunk(0.2))
    meter.take(chunk(-0.7))
    assert abs(meter.take_peak() - 0.7) < 1e-6
    assert meter.take_peak() == 0.0


def test_what_is_no_number_is_no_sound():
    meter = LevelMeter(FORMAT)
    meter.take(chunk(np.nan))
    meter.take(b"")
    assert meter.silent == 0.01
    assert meter.take_peak() == 0.0

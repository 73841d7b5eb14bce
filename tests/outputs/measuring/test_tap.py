"""The tap measures every second that leaves, says how the gain stood, and never holds up the sound."""

import threading

import numpy as np
import pytest

from engine.outputs.gain import Gain
from engine.outputs.measuring.second import SecondMeter
from engine.outputs.measuring.tap import SPARE, SoundTap
from engine.sound.format import AudioFormat
from tests.runtime.sound import until

STEREO = AudioFormat(2)
CHUNK = 1000


def play(tap, gain, seconds, start=0, level=0.5):
    """Send a steady tone through the gain and past the tap; gives the frame after it."""
    for place in range(start, start + seconds * 48_000, CHUNK):
        tone = level * np.sin(2 * np.pi * 440 * np.arange(place, place + CHUNK) / 48_000)
        tap.take(gain.apply(np.stack([tone, tone], axis=1).astype(np.float32).tobytes()), place + CHUNK)
    return start + seconds * 48_000


@pytest.fixture
def told():
    return []


def test_each_second_is_told_with_its_frame_and_the_gain_that_was_applied(told):
    gain = Gain(STEREO)
    tap = SoundTap(STEREO, gain, told.append)
    place = play(tap, gain, 1)
    until(lambda: len(told) == 1, 30)
    gain.set_trim(-6.0, 0.2)
    gain.set_level(0.5, 0.2)
    place = play(tap, gain, 1, place)
    until(lambda: len(told) == 2, 30)
    play(tap, gain, 1, place)
    until(lambda: len(told) == 3, 30)
    tap.close()
    first, moved, softer = told
    assert [one.frame for one in told] == [48_000, 96_000, 144_000]
    assert (first.gain, first.trim) == (0.0, 0.0)
    assert moved.gain is None
    assert softer.gain == pytest.approx(-12.04, abs=0.05)
    assert softer.trim == pytest.approx(-6.0, abs=0.01)
    assert softer.powers[-1] / first.powers[-1] == pytest.approx(10 ** (softer.gain / 10), rel=0.01)


def test_muted_sound_has_no_gain_from_which_anything_could_be_learnt(told):
    gain = Gain(STEREO)
    gain.mute(0.0)
    tap = SoundTap(STEREO, gain, told.append)
    play(tap, gain, 1)
    until(lambda: told, 30)
    tap.close()
    assert told[0].gain is None
    assert told[0].silent > 0.89


def test_whoever_is_told_may_hang_or_fail_and_the_sound_goes_on(told):
    release = threading.Event()

    def hang(second):
        told.append(second)
        release.wait(60)
        raise RuntimeError("nobody minds")

    gain = Gain(STEREO)
    tap = SoundTap(STEREO, gain, hang)
    place = play(tap, gain, 1)
    until(lambda: told, 30)
    place = play(tap, gain, SPARE + 3, place)  # returns, though nobody measures
    assert tap.missed >= 1
    release.set()
    until(lambda: len(told) >= SPARE, 30)
    before = len(told)
    play(tap, gain, 1, place)
    until(lambda: len(told) > before, 30)
    tap.close()


def test_seconds_that_cannot_be_measured_cost_none_of_those_after_them(told, monkeypatch):
    """More of them than buffers wait; each buffer comes back."""
    gain, failures = Gain(STEREO), iter(range(2 * SPARE))
    measure = SecondMeter.__call__

    def failing(self, second):
        if next(failures, None) is not None:
            raise FloatingPointError
        return measure(self, second)

    monkeypatch.setattr(SecondMeter, "__call__", failing)
    tap, place = SoundTap(STEREO, gain, told.append), 0
    for _ in range(2 * SPARE + 2):
        place = play(tap, gain, 1, place)
        until(lambda: tap._free.qsize() == SPARE, 30)
    tap.close()
    assert tap.missed == 0
    assert len(told) == 2

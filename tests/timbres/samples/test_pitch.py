"""The tracker, on notes whose pitch is known."""

import numpy as np
import pytest

from engine.timbres.samples.pitch import track_pitch
from tests.timbres.samples.tones import RATE, tone

SOUNDS = {
    "one sine": {"partials": 1},
    "eight partials": {},
    "a weak fundamental": {"weights": (0.1, 1.0, 0.8, 0.6, 0.4)},
    "odd partials": {"weights": (1.0, 0.0, 0.5, 0.0, 0.3)},
    "a stretched string": {"stretch": 2e-4, "decay": 10.0},
    "a long decay": {"decay": 40.0},
    "vibrato of 30 cents": {"vibrato": 30.0},
}


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("pitch", [33.0, 45.4, 60.0, 71.77, 88.0, 96.2])
def test_the_pitch_of_a_note_is_heard_within_five_cents(sound, pitch):
    heard = track_pitch(tone(pitch, **SOUNDS[sound]), RATE)
    assert heard is not None
    assert heard.clear
    assert abs(heard.pitch - pitch) < 0.05


def test_a_note_is_heard_at_every_rate():
    for rate in (8_000, 22_050, 44_100, 192_000):
        heard = track_pitch(tone(57.3, rate=rate), rate)
        assert heard is not None
        assert abs(heard.pitch - 57.3) < 0.03


def test_a_bar_is_heard_at_its_lowest_partial():
    """Partials of a xylophone bar lie at 1 : 2.76 : 5.4, and are no harmonics."""
    t = np.arange(RATE) / RATE
    low = 2 * np.pi * 523.25 * t
    bar = np.exp(-4 * t) * np.sin(low) + 0.3 * np.exp(-9 * t) * np.sin(2.76 * low)
    heard = track_pitch((0.5 * bar).astype(np.float32), RATE)
    assert heard is not None
    assert abs(heard.pitch - 72.0) < 0.1


def test_noise_has_no_clear_pitch_and_silence_none():
    noise = np.random.default_rng(4).normal(0.0, 0.2, RATE).astype(np.float32)
    heard = track_pitch(noise, RATE)
    assert heard is None or not heard.clear
    assert track_pitch(np.zeros(RATE, np.float32), RATE) is None
    assert track_pitch(np.zeros(0, np.float32), RATE) is None
    assert track_pitch(np.full(RATE, 0.3, np.float32), RATE) is None


def test_a_pitch_that_is_said_settles_a_doubtful_octave():
    """The partials of two notes an octave apart: both are there, and the one that is asked for is found."""
    both = tone(60, weights=(0.4, 1.0, 0.1, 0.9))
    for pitch in (60, 72):
        heard = track_pitch(both, RATE, pitch)
        assert heard is not None
        assert abs(heard.pitch - pitch) < 0.05

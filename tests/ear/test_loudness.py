"""Loudness and true peak of a stream are those of the standard, however it is cut into blocks."""

import numpy as np
import pyloudnorm
import pytest
import soxr

from engine.ear.loudness import LoudnessMeter, TruePeak, _biquads

RATE = 48_000
PUBLISHED = [
    [[1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585]],
    [[1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]],
]
"""Tables 1 and 2 of ITU-R BS.1770-4, for 48 kHz."""


def sine(frequency: float, seconds: float, level: float = 1.0, phase: float = 0.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency * np.arange(int(RATE * seconds)) / RATE + phase)).astype(np.float32)


def test_the_filters_are_those_of_the_standard():
    assert _biquads(RATE) == pytest.approx(np.array(PUBLISHED), abs=1e-8)


def test_a_full_scale_sine_of_997_hz_on_one_channel_is_minus_3_01_lufs():
    meter = LoudnessMeter(RATE, 2, 60)
    meter.take(np.stack([sine(997, 5), np.zeros(5 * RATE, np.float32)], axis=1))
    assert meter.gated == pytest.approx(-3.01, abs=0.01)
    assert meter.short_term == pytest.approx(-3.01, abs=0.01)


def test_a_stream_in_blocks_of_any_size_is_as_loud_as_pyloudnorm_finds_the_whole():
    rng = np.random.default_rng(3)
    swell = np.concatenate([np.linspace(0.001, 0.2, 6 * RATE), np.zeros(3 * RATE), np.full(4 * RATE, 0.05)])
    sound = (rng.normal(size=(len(swell), 2)) * swell[:, None]).astype(np.float32)
    meter = LoudnessMeter(RATE, 2, 600)
    place = 0
    while place < len(sound):
        count = int(rng.integers(1, 9000))
        meter.take(sound[place : place + count])
        place += count
    wanted = pyloudnorm.Meter(RATE, filter_class="DeMan").integrated_loudness(sound.astype(np.float64))
    assert meter.gated == pytest.approx(wanted, abs=0.01)


def test_silence_has_no_loudness_and_the_window_forgets_what_is_old():
    meter = LoudnessMeter(RATE, 1, 2)
    meter.take(np.zeros((RATE, 1), np.float32))
    assert meter.gated == -np.inf
    meter.take(sine(997, 3)[:, None])
    loud = meter.gated
    meter.take(sine(997, 3, 0.1)[:, None])
    assert meter.gated == pytest.approx(loud - 20, abs=0.05)


@pytest.mark.parametrize("frequency", [997, 6_000, 12_000, 15_000])
def test_the_true_peak_of_a_sine_is_its_amplitude_wherever_the_samples_lie(frequency):
    found = TruePeak(1)(sine(frequency, 1, 0.5, phase=np.pi / 4)[:, None])
    assert 20 * np.log10(found / 0.5) == pytest.approx(0, abs=0.2)


def test_the_true_peak_is_that_of_a_resampler_that_is_not_ours():
    rng = np.random.default_rng(5)
    sound = soxr.resample(rng.normal(size=(4 * RATE, 2)).astype(np.float32) * 0.1, 44_100, RATE)
    peak = TruePeak(2)
    found = max(peak(sound[place : place + 1000]) for place in range(0, len(sound), 1000))
    wanted = float(np.abs(soxr.resample(sound, RATE, 4 * RATE, quality="VHQ")).max())
    assert 20 * np.log10(found / wanted) == pytest.approx(0, abs=0.3)

"""Loudness and true peak of a stream are those of the standard: held to its tables, pyloudnorm, ffmpeg and soxr."""

import re
import shutil
import subprocess

import numpy as np
import pyloudnorm
import pytest
import soundfile
import soxr

from engine.ear.loudness import GatedLoudness
from engine.outputs.measuring.second import SecondMeter
from engine.outputs.measuring.weighting import TruePeak, _biquads
from engine.sound.format import AudioFormat

RATE = 48_000
PUBLISHED = [
    [[1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585]],
    [[1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]],
]
"""Tables 1 and 2 of ITU-R BS.1770-4, for 48 kHz."""


def sine(frequency, seconds, level=1.0, phase=0.0):
    return (level * np.sin(2 * np.pi * frequency * np.arange(int(RATE * seconds)) / RATE + phase)).astype(np.float32)


def both(sound):
    return np.stack([sound, sound], axis=1)


def measured(sound):
    """Figures of each whole second of [n, channels]."""
    meter = SecondMeter(AudioFormat(sound.shape[1]))
    return [meter(sound[place : place + RATE]) for place in range(0, len(sound) - RATE + 1, RATE)]


def gated(sound, window=3600.0):
    loudness = GatedLoudness(window)
    for one in measured(sound):
        loudness.take(one.powers)
    return loudness.lufs


def swelling(seconds=13):
    """Noise that swells, stops for three seconds, and is soft: both gates have something to do."""
    swell = np.concatenate([np.linspace(0.001, 0.2, 6 * RATE), np.zeros(3 * RATE), np.full(4 * RATE, 0.05)])
    return (np.random.default_rng(3).normal(size=(len(swell), 2)) * swell[:, None]).astype(np.float32)


def test_the_filters_are_those_of_the_standard():
    assert _biquads(RATE) == pytest.approx(np.array(PUBLISHED), abs=1e-8)


def test_a_full_scale_sine_of_997_hz_on_one_channel_is_minus_3_01_lufs():
    sound = np.stack([sine(997, 5), np.zeros(5 * RATE, np.float32)], axis=1)
    assert gated(sound) == pytest.approx(-3.01, abs=0.01)
    assert measured(sound)[-1].short_term == pytest.approx(-3.01, abs=0.01)


def test_a_stream_is_as_loud_as_pyloudnorm_finds_the_whole():
    sound = swelling()
    wanted = pyloudnorm.Meter(RATE, filter_class="DeMan").integrated_loudness(sound.astype(np.float64))
    assert gated(sound) == pytest.approx(wanted, abs=0.01)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed (Debian: apt install ffmpeg)")
def test_loudness_short_term_loudness_and_true_peak_are_those_of_ffmpeg(tmp_path):
    sound = swelling()
    soundfile.write(tmp_path / "sound.wav", sound, RATE, subtype="FLOAT")
    command = ["ffmpeg", "-nostats", "-i", str(tmp_path / "sound.wav"), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    readings = re.findall(r"t: *([\d.]+) .* S: *(-?[\d.]+|-?inf|nan) ", said)
    short_term = {round(float(at)): float(loudness) for at, loudness in readings if abs(float(at) % 1 - 0.5) > 0.48}
    summary = said[said.rindex("Summary:") :]
    assert gated(sound) == pytest.approx(float(re.search(r"I: *(-[\d.]+)", summary)[1]), abs=0.11)
    found = measured(sound)
    peak = 20 * np.log10(max(one.true_peak for one in found))
    assert peak == pytest.approx(float(re.search(r"Peak: *(-?[\d.]+)", summary)[1]), abs=0.3)
    compared = {second: loudness for second, loudness in short_term.items() if second >= 3 and loudness > -100}
    assert len(compared) >= 8
    for second, loudness in compared.items():
        assert found[second - 1].short_term == pytest.approx(loudness, abs=0.15)


def test_silence_has_no_loudness_and_the_window_forgets_what_is_old():
    assert gated(np.zeros((RATE, 2), np.float32)) is None
    loud, soft = both(sine(997, 3)), both(sine(997, 3, 0.1))
    assert gated(np.concatenate([loud, soft]), window=2) == pytest.approx(gated(loud) - 20, abs=0.05)


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


def test_samples_that_are_no_numbers_do_not_deafen_it():
    sound = both(sine(440, 6))
    sound[1000] = np.nan
    sound[2000] = np.inf
    assert measured(sound)[-1].short_term == pytest.approx(measured(both(sine(440, 6)))[-1].short_term, abs=0.01)


def test_silence_offset_and_the_strongest_partial_of_a_second():
    half = np.concatenate([sine(440, 0.5, 0.2), np.zeros(RATE // 2, np.float32)])
    [figures] = measured(both(half))
    assert figures.silent == 0.5
    [figures] = measured(both(sine(110, 1, 0.2) + 0.05))
    assert figures.offset == pytest.approx(0.05, abs=1e-3)
    assert figures.tone == 110
    assert figures.tonal > 0.99
    [figures] = measured(both(sine(110, 1, 0.2) + sine(165, 1, 0.2)))
    assert figures.tonal < 0.6
    [figures] = measured(np.zeros((RATE, 2), np.float32))
    assert (figures.silent, figures.tone, figures.tonal, figures.short_term) == (1.0, 0.0, 0.0, None)

"""Facts about sound and GANSynth's spectra: the transforms are the original's."""

import numpy as np
import pytest

from engine.timbres.gansynth.spectra import fourier
from engine.timbres.gansynth.spectra.mel import BandedMatrix, linear_to_mel, mel_to_linear
from engine.timbres.gansynth.spectra.spectrogram import Spectrogram, instantaneous_frequency
from tests.timbres.golden import gansynth

GOLDEN, _ = gansynth("specgram_full")
TIMES, BINS = GOLDEN["ti"], GOLDEN["fi"]
SPECTROGRAM = Spectrogram()


def _waves():
    t = np.arange(64000) / 16000
    decaying = 0.6 * np.sin(2 * np.pi * 220 * t) * np.exp(-3 * t) + 0.2 * np.sin(2 * np.pi * 663.5 * t + 0.3)
    turning = 0.9 * np.sin(2 * np.pi * 98 * t + 2 * np.sin(2 * np.pi * 196 * t)) * (1 - np.exp(-20 * t))
    noise = [np.random.RandomState(seed).uniform(-1, 1, 64000) for seed in (11, 12)]
    added = turning.astype(np.float32) + (0.02 * noise[0]).astype(np.float32)
    return [decaying.astype(np.float32), added, (0.3 * noise[1]).astype(np.float32)]


def _formulas(kind):
    time, bin_ = np.arange(128)[:, np.newaxis], np.arange(1024)
    for b in range(2):
        if kind == "L":
            magnitude = -3 + 2 * np.sin(0.05 * bin_ + b) * np.cos(0.1 * time) - 0.004 * bin_
            frequency = 0.9 * np.sin(0.013 * bin_ + 0.07 * time + b)
        else:
            magnitude = -5 + 3 * np.cos(0.02 * bin_ - 0.05 * time + b) - 0.005 * bin_
            frequency = 0.8 * np.sin(0.011 * bin_ + b) * np.cos(0.03 * time)
        yield b, np.stack([magnitude, frequency], axis=-1).astype(np.float32)


WAVES = _waves()


def at_points(spectrum):
    return spectrum[TIMES][:, BINS]


def turns_apart(one, other):
    """How far instantaneous frequencies are from each other, whole turns apart counting as nothing."""
    return np.abs((one - other + 1) % 2 - 1)


def worst(wave, golden, b):
    """The largest difference to a golden wave, as a share of the maximum of the wave."""
    parts = {"first": wave[:1024], "last": wave[-2560:], "sub": wave[::64]}
    return max(np.abs(part - GOLDEN[f"{golden}_{name}"][b]).max() for name, part in parts.items()) / np.abs(wave).max()


@pytest.mark.parametrize(("name", "matrix"), [("l2m", linear_to_mel()), ("m2l", mel_to_linear())])
def test_the_mel_matrices_are_the_originals_with_bands_widened_in_place(name, matrix):
    np.testing.assert_allclose(matrix.sum(axis=0), GOLDEN[f"{name}_colsum"], atol=1e-11)
    np.testing.assert_allclose(matrix.sum(axis=1), GOLDEN[f"{name}_rowsum"], atol=1e-11)
    assert (matrix > 1e-9).sum() in (GOLDEN[f"{name}_nnz"] - 1, GOLDEN[f"{name}_nnz"])  # one of them is 1e-13


def test_a_banded_product_is_that_of_the_whole_matrix():
    vectors = np.random.default_rng(1).standard_normal((5, 1024)).astype(np.float32)
    np.testing.assert_allclose(
        BandedMatrix(mel_to_linear()).multiplied(vectors), vectors @ mel_to_linear(), rtol=0, atol=2e-6
    )


@pytest.mark.parametrize("b", range(3))
def test_the_transform_of_a_wave_is_the_originals(b):
    stft = SPECTROGRAM.stft(WAVES[b])
    assert np.abs(at_points(stft) - GOLDEN["stft"][b]).max() < 2e-6 * np.abs(stft).max()


@pytest.mark.parametrize("b", [1, 2])  # the pure tones of the first leave bins of nothing but the original's rounding
def test_spectra_of_waves_are_the_originals(b):
    linear = SPECTROGRAM.to_linear(SPECTROGRAM.stft(WAVES[b]))
    mel = SPECTROGRAM.linear_to_mel(linear)
    for made, golden in ((linear, GOLDEN["spec"][b]), (mel, GOLDEN["mel"][b])):
        assert np.abs(at_points(made) - golden)[..., 0].max() < 1e-3
        assert (turns_apart(at_points(made), golden)[..., 1] > 1e-3).mean() <= 0.001


@pytest.mark.parametrize("b", range(3))
def test_waves_come_back_from_spectra_as_in_the_original(b):
    stft = SPECTROGRAM.stft(WAVES[b])
    assert worst(SPECTROGRAM.inverse_stft(stft), "wave_from_stft", b) < 3e-6
    assert worst(SPECTROGRAM.wave_of_linear(SPECTROGRAM.to_linear(stft)), "wave_from_spec", b) < 1e-5
    mel = SPECTROGRAM.linear_to_mel(SPECTROGRAM.to_linear(stft))
    assert worst(SPECTROGRAM.wave_of_mel(mel), "wave_from_mel", b) < 0.01


def test_fourier_transforms_are_beside_the_true_ones_by_as_little_as_the_originals():
    rows = np.random.default_rng(1).standard_normal((3, 2048)).astype(np.float32)
    true = np.fft.rfft(rows.astype(float))
    assert 5e-7 < np.abs(fourier.transformed(rows) - true).max() / np.abs(true).max() < 5e-5
    assert 5e-7 < np.abs(fourier.rows_of(true.astype(np.complex64)) - rows).max() / np.abs(rows).max() < 5e-5
    small = rows[:, :32]
    np.testing.assert_allclose(fourier.transformed(small), np.fft.rfft(small), atol=1e-5)


@pytest.mark.parametrize(("b", "mel"), _formulas("M"))
def test_smooth_mel_spectra_become_the_originals_linear_spectra_and_waves(b, mel):
    linear = at_points(SPECTROGRAM.mel_to_linear(mel))
    assert np.abs(linear - GOLDEN["M_spec"][b])[..., 0].max() < 1e-5
    assert turns_apart(linear, GOLDEN["M_spec"][b])[..., 1].max() < 2e-5
    assert worst(SPECTROGRAM.wave_of_mel(mel), "M_wave", b) < 1e-5


def test_the_short_way_from_mel_to_wave_is_heard_like_the_long_one():
    for _, mel in _formulas("M"):
        long = SPECTROGRAM.wave_of_linear(SPECTROGRAM.mel_to_linear(mel))
        assert np.abs(SPECTROGRAM.wave_of_mel(mel) - long).max() < 2e-5 * np.abs(long).max()


@pytest.mark.parametrize(("b", "linear"), _formulas("L"))
def test_smooth_linear_spectra_become_the_originals_mel_spectra_and_waves(b, linear):
    mel = at_points(SPECTROGRAM.linear_to_mel(linear))
    assert np.abs(mel - GOLDEN["L_mel"][b])[..., 0].max() < 1e-5
    assert turns_apart(mel, GOLDEN["L_mel"][b])[..., 1].max() < 2e-5
    assert worst(SPECTROGRAM.wave_of_linear(linear), "L_wave", b) < 5e-6


def test_a_wave_comes_back_but_for_its_end_where_the_window_fades():
    wave = WAVES[0] - WAVES[0].mean()
    back = SPECTROGRAM.inverse_stft(SPECTROGRAM.stft(wave))
    assert np.abs(back - wave)[2048:-1536].max() < 1e-3  # DC of each frame is lost
    assert np.abs(back[-64:]).max() < 0.1 * np.abs(wave[-64:]).max()


def test_half_a_turn_forward_stays_forward_and_one_backward_stays_backward():
    pi = np.float32(np.pi)
    assert instantaneous_frequency(np.array([[0], [pi], [0]], np.float32)).ravel().tolist() == [0.0, 1.0, -1.0]


def test_frequencies_of_summed_up_phases_are_the_originals():
    for b, linear in _formulas("L"):
        phases = np.cumsum(7 * linear[..., 1], axis=0)
        assert turns_apart(at_points(instantaneous_frequency(phases)), GOLDEN["iff"][b]).max() < 1e-5


def test_other_sizes_of_spectra_lose_no_sound():
    small = Spectrogram(frames=256, bins=512, length=64000)
    back = small.wave_of_linear(small.to_linear(small.stft(WAVES[2])))
    assert np.abs(back - WAVES[2])[1024:-768].max() < 0.03

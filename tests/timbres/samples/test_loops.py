"""Loops of sounds that sustain, unrolled and measured."""

import numpy as np
import pytest

from engine.timbres.samples.loops import find_loop
from tests.timbres.samples.tones import RATE, tone

T = np.arange(3 * RATE) / RATE
CHORUS = sum(np.sin(2 * np.pi * hertz * T + hertz) for hertz in (220.0, 221.3, 219.1, 440.9, 438.7))
HELD = {
    "a sine": tone(60, 3.0, partials=1),
    "twenty partials": tone(55, 3.0, partials=20),
    "an inharmonic string that is bowed": tone(48, 3.0, stretch=3e-4),
    "vibrato": tone(64, 3.0, vibrato=30.0),
    "a slow fall": tone(57, 3.0, decay=3.0),
    "a chorus": (0.2 * CHORUS).astype(np.float32),
    "breath": np.random.default_rng(2).normal(0.0, 0.1, 3 * RATE).astype(np.float32),
}


def unrolled(found):
    """The sound up to its loop, then the loop three times: array [frames] of float64; the frames of the seams."""
    start, end = found.start, found.end
    sound = found.sound[:, 0].astype(float)
    return np.concatenate([sound[:end], *[sound[start:end]] * 2]), (end, 2 * end - start)


@pytest.mark.parametrize("name", HELD)
def test_nothing_is_heard_of_the_seam(name):
    """No bend that the sound itself has not, within 0.2 ms of it; the same level on both sides, within 1.5 dB."""
    found = find_loop(HELD[name][:, None])
    assert found is not None
    sound, seams = unrolled(found)
    bend = np.abs(np.diff(sound, 3))
    for seam in seams:
        assert bend[seam - 10 : seam + 10].max() <= 1.05 * np.partition(bend[found.start :], -100)[-100]
        before, after = (np.square(part).mean() for part in (sound[seam - 4800 : seam], sound[seam : seam + 4800]))
        assert abs(10 * np.log10(before / after)) < 1.5


def test_the_spectrum_of_a_held_tone_has_nothing_that_the_tone_has_not():
    """What a step at each pass of the loop would leave between the partials lies 60 dB under them."""
    sound, _ = unrolled(find_loop(tone(60, 3.0, partials=4)[:, None]))
    part = sound[-4 * RATE // 1 :] if len(sound) > 4 * RATE else sound[RATE // 2 :]
    spectrum = np.abs(np.fft.rfft(part * np.blackman(len(part))))
    hertz = np.fft.rfftfreq(len(part), 1 / RATE)
    between = np.abs(hertz / 261.63 - np.round(hertz / 261.63)) > 0.05
    assert 20 * np.log10(spectrum[between & (hertz > 20)].max() / spectrum.max()) < -60


@pytest.mark.parametrize("sound", [tone(60, 3.0, decay=12.0), tone(60, 0.2), np.zeros(RATE, np.float32), tone(60)[:10]])
def test_what_does_not_sustain_has_no_loop(sound):
    assert find_loop(sound[:, None]) is None


def test_both_sides_go_round_together():
    left, right = tone(60, 3.0), tone(60, 3.0, weights=(0.2, 1.0, 0.5))
    found = find_loop(np.stack([left, right], axis=1))
    assert found.sound.shape[1] == 2
    assert np.allclose(found.sound[found.end : found.end + 4], found.sound[found.start : found.start + 4])

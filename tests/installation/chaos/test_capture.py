"""What is measured of a recording: silences and stretches that came twice, against sound of which both are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.installation.chaos.capture import Capture, first_sound, longest_repeat, longest_silence
from engine.score.time import SAMPLE_RATE

RNG = np.random.default_rng(3)
MUSIC = RNG.normal(0, 0.1, (12 * SAMPLE_RATE, 2)).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(start=st.integers(0, 5 * SAMPLE_RATE), frames=st.integers(0, SAMPLE_RATE))
def test_the_longest_silence_is_found_to_the_frame(start, frames):
    sound = MUSIC.copy()
    sound[start : start + frames] = 0.0
    sound[-frames // 2 - 1 :] = 0.0  # a shorter one at the end
    assert longest_silence(sound) == pytest.approx(max(frames, frames // 2 + 1) / SAMPLE_RATE, abs=2 / SAMPLE_RATE)


def test_silence_on_one_channel_alone_is_none():
    sound = MUSIC.copy()
    sound[:SAMPLE_RATE, 0] = 0.0
    assert longest_silence(sound) == 0.0


@pytest.mark.parametrize("seconds", [0.3, 1.5, 3.0])
def test_a_stretch_that_comes_again_sample_for_sample_is_measured(seconds):
    frames = round(seconds * SAMPLE_RATE)
    sound = MUSIC.copy()
    sound[8 * SAMPLE_RATE : 8 * SAMPLE_RATE + frames] = sound[2 * SAMPLE_RATE : 2 * SAMPLE_RATE + frames]
    assert longest_repeat(sound, 5 * SAMPLE_RATE) == pytest.approx(seconds, abs=0.1)


def test_music_that_does_not_come_again_silence_and_a_constant_are_no_repeats():
    assert longest_repeat(MUSIC, 5 * SAMPLE_RATE) == 0.0
    quiet = MUSIC.copy()
    quiet[3 * SAMPLE_RATE : 9 * SAMPLE_RATE] = 0.0
    assert longest_repeat(quiet, 5 * SAMPLE_RATE) == 0.0
    assert longest_repeat(np.full_like(MUSIC, 0.25), 5 * SAMPLE_RATE) == 0.0


def test_the_same_chord_once_more_with_other_samples_is_no_repeat():
    """The last bars once more are notes, not samples."""
    time = np.arange(len(MUSIC))[:, None] / SAMPLE_RATE
    sound = np.sin(2 * np.pi * time * [220.1234567, 331.7654321]).astype(np.float32)
    assert longest_repeat(sound, 5 * SAMPLE_RATE) < 0.2


def test_a_capture_is_read_while_it_grows(tmp_path):
    path = tmp_path / "heard.raw"
    path.write_bytes(MUSIC[:1000].tobytes() + b"\0\0\0")
    capture = Capture(path)
    assert capture.frames == 1000
    np.testing.assert_array_equal(capture.since(400), MUSIC[400:1000])
    np.testing.assert_array_equal(capture.since(-5, 10), MUSIC[:10])
    assert first_sound(np.concatenate([np.zeros((480, 2), np.float32), MUSIC])) == 0.01
    assert first_sound(np.zeros((480, 2), np.float32)) is None

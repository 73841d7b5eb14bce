"""The low cut behind the pipe: what scipy's filter does, without clicks and without allocating."""

import tracemalloc

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.events.sounding import GainMoved
from engine.outputs.biquads import BiquadCascade, butterworth_high_pass
from engine.outputs.gain import Gain
from engine.outputs.ramp import GainMove
from engine.runtime.replay.as_heard import AsHeard
from engine.sound.format import AudioFormat

STEREO = AudioFormat(2)
RATE = STEREO.rate
SECOND = np.random.default_rng(5).standard_normal((RATE, 2)) * 0.1


def sine(hertz: float, seconds: float = 2.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.repeat(np.sin(2 * np.pi * hertz * time)[:, None] * 0.25, 2, axis=1).astype(np.float32)


def heard(gain: Gain, sound: np.ndarray, chunk: int = 1024) -> np.ndarray:
    data = [gain.apply(sound[at : at + chunk].tobytes()) for at in range(0, len(sound), chunk)]
    return np.frombuffer(b"".join(data), np.float32).reshape(-1, 2)


@pytest.mark.parametrize("hertz", [20.0, 80.0, 300.0])
def test_its_coefficients_are_those_of_scipys_butterworth_filter(hertz):
    sections = butterworth_high_pass(hertz, RATE)
    ours = np.concatenate([sections[:, 0], sections[:, 1]], axis=1)
    theirs = scipy.signal.butter(4, hertz, "high", fs=RATE, output="sos")
    _, one = scipy.signal.sosfreqz(ours, 4096, fs=RATE)
    _, other = scipy.signal.sosfreqz(theirs, 4096, fs=RATE)
    assert np.abs(one - other).max() < 1e-8


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30), st.sampled_from([1, 64, 120]))
@settings(max_examples=20, deadline=None)
def test_a_stream_in_pieces_of_any_length_is_filtered_as_scipy_filters_the_whole(lengths, piece):
    sections = butterworth_high_pass(80.0, RATE)
    cascade, out, at = BiquadCascade(sections, 2, piece), np.empty_like(SECOND), 0
    for length in lengths:
        part = SECOND[at : at + length]
        cascade(part, out[at : at + length])
        at += len(part)
    ours = np.concatenate([sections[:, 0], sections[:, 1]], axis=1)
    whole = scipy.signal.sosfilt(ours, SECOND, axis=0)[:at]
    assert np.allclose(out[:at], whole, atol=1e-9)


@pytest.mark.parametrize(("hertz", "decibels"), [(20, -48.2), (40, -24.1), (80, -3.0), (160, -0.02), (1000, 0.0)])
def test_a_sine_behind_the_gain_stage_is_as_much_softer_as_a_filter_of_order_four_makes_it(hertz, decibels):
    gain = Gain(STEREO)
    gain.set_low_cut(80.0, 0.01)
    found = heard(gain, sine(hertz))[RATE:, 0]
    rms = np.sqrt(np.mean(np.square(found)))
    assert 20 * np.log10(rms / (0.25 / np.sqrt(2))) == pytest.approx(decibels, abs=0.1)


def test_off_it_gives_the_very_same_bytes_and_does_so_again_after_it_has_come_and_gone():
    gain, chunk = Gain(STEREO), SECOND[:1024].astype(np.float32).tobytes()
    assert gain.apply(chunk) is chunk
    gain.set_low_cut(100.0, 0.1)
    assert gain.apply(chunk) is not chunk
    gain.set_low_cut(0.0, 0.1)
    for _ in range(20):
        last = gain.apply(chunk)
    assert last is chunk


def test_it_comes_and_goes_without_a_click_and_what_is_asked_meanwhile_comes_after():
    """A click is a step that the sound itself has nowhere; bass of 60 Hz has steps of 0.002."""
    gain, moves = Gain(STEREO), []
    gain = Gain(STEREO, moved=lambda name, move: moves.append((name, move)))
    gain.set_low_cut(120.0, 0.3)
    first = heard(gain, sine(60, 0.2))
    gain.set_low_cut(200.0, 0.3)  # while the first is on its way
    gain.set_low_cut(0.0, 0.3)
    later = heard(gain, sine(60, 2.2)[len(first) :])
    found = np.concatenate([first, later])
    steps = np.abs(np.diff(found, axis=0))
    assert steps.max() <= np.abs(np.diff(sine(60, 2.0), axis=0)).max() * 1.05
    assert [(name, move.target) for name, move in moves] == [("low_cut", 120.0), ("low_cut", 0.0)]
    assert np.abs(found[-RATE // 2 :]).max() == pytest.approx(0.25, abs=1e-3)


def test_asking_for_what_there_is_changes_nothing():
    gain, sound = Gain(STEREO), SECOND.astype(np.float32)
    gain.set_low_cut(80.0, 0.01)
    once = Gain(STEREO)
    once.set_low_cut(80.0, 0.01)
    parts = []
    for at in range(0, RATE, 4800):
        parts.append(heard(gain, sound[at : at + 4800], 960))
        gain.set_low_cut(80.0, 0.01)
    assert np.array_equal(np.concatenate(parts), heard(once, sound, 960))


def test_what_was_heard_is_replayed_with_its_low_cut_to_the_sample():
    sound, moves = SECOND.astype(np.float32), []
    frame = 0

    def moved(name: str, move: GainMove) -> None:
        moves.append(GainMoved(frame, name, move.target, move.frames))

    gain, live = Gain(STEREO, moved=moved), []
    for at in range(0, RATE, 1024):
        frame = at
        if at == 10 * 1024:
            gain.set_low_cut(150.0, 0.2)
        live.append(heard(gain, sound[at : at + 1024]))
    again: list[np.ndarray] = []
    AsHeard(moves, 0, lambda chunk: again.append(np.array(chunk)), STEREO).take(sound)
    assert np.allclose(np.concatenate(again), np.concatenate(live), atol=1e-7)


def test_it_allocates_nothing_that_grows_with_a_chunk_once_it_runs():
    gain, chunk = Gain(STEREO), SECOND[:1024].astype(np.float32).tobytes()
    gain.set_low_cut(80.0, 0.01)
    for _ in range(5):
        gain.apply(chunk)
    tracemalloc.start()
    try:
        gain.apply(chunk)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        gain.apply(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - before < 2 * len(chunk)  # the chunk that it gives, and views

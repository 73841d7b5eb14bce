"""The gain stage behind the pipe: no steps, no waiting, and nothing touched that need not be."""

import threading
import time
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.outputs.contract import InfallibleOutput
from engine.outputs.gain import CEILING, KNEE, MOST_LEVEL, MOST_TRIM, MUTE_RAMP, Gain
from engine.outputs.null import NullOutput
from engine.runtime.audio import Audio
from engine.runtime.pump import CHUNK_FRAMES, Pump
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat
from tests.runtime.sound import DUMMY, notes, samples, setup, until

STEREO = AudioFormat(2)
FULL = np.ones((CHUNK_FRAMES, 2), np.float32).tobytes()


def gains(gain: Gain, chunks: int) -> np.ndarray:
    """What becomes of a constant 1: the gain itself."""
    return np.concatenate([samples(gain.apply(FULL))[:, 0] for _ in range(chunks)])


def test_sound_at_full_level_passes_as_the_very_same_bytes():
    assert Gain(STEREO).apply(FULL) is FULL


def test_a_mute_is_complete_within_its_ramp_and_a_soft_un_mute_has_no_step():
    """The largest step of a raised cosine over n frames is pi/2 / n of what it moves."""
    gain = Gain(STEREO)
    gain.mute()
    down = gains(gain, 3)
    assert gain.muted
    assert not down[round(MUTE_RAMP * SAMPLE_RATE) :].any()
    assert np.abs(np.diff(down, prepend=1.0)).max() <= np.pi / 2 / (MUTE_RAMP * SAMPLE_RATE) * 1.001
    assert gain.apply(FULL) == bytes(len(FULL))
    gain.unmute(1.0)
    up = gains(gain, 60)
    assert up[-1] == 1.0
    assert (np.diff(up) >= 0).all()
    assert np.abs(np.diff(up, prepend=0.0)).max() <= np.pi / 2 / SAMPLE_RATE + 2e-7  # float32
    assert gain.apply(FULL) is FULL


def test_a_level_in_decibels_is_what_the_decibels_say():
    gain = Gain(STEREO)
    gain.set_decibels(-6.0, 0.0)
    assert gains(gain, 2)[-1] == pytest.approx(10 ** (-6 / 20), rel=1e-6)
    gain.set_decibels(float("-inf"), 0.0)
    assert gains(gain, 2)[-1] == 0.0


@pytest.mark.parametrize("level", [-0.1, 2.0, float("nan"), float("inf")])
def test_nothing_becomes_much_louder_behind_the_limiter_and_nonsense_is_refused(level):
    gain = Gain(STEREO)
    with pytest.raises(ValueError):
        gain.set_level(level)
    with pytest.raises(ValueError):
        gain.set_level(0.5, seconds=-1.0)
    with pytest.raises(ValueError):
        gain.set_decibels(MOST_LEVEL + 0.1)
    for hertz in (-1.0, 1001.0, float("nan"), float("inf")):
        with pytest.raises(ValueError):
            gain.set_low_cut(hertz)
    assert gain.apply(FULL) is FULL


def test_a_trim_may_lift_by_some_decibels_and_no_further():
    gain = Gain(STEREO)
    gain.set_trim(MOST_TRIM, 0.0)
    soft = (np.ones((CHUNK_FRAMES, 2), np.float32) * 0.1).tobytes()
    assert samples(gain.apply(soft))[-1, 0] == pytest.approx(0.1 * 10 ** (MOST_TRIM / 20), rel=1e-5)
    for decibels in (MOST_TRIM + 0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError):
            gain.set_trim(decibels)


@given(st.floats(0.01, MOST_TRIM), st.floats(0.0, 10 ** (MOST_LEVEL / 20)), st.integers(0, 1 << 30))
@settings(max_examples=40, deadline=None)
def test_what_trim_and_level_lift_never_passes_its_ceiling_has_no_step_and_below_the_knee_stays_what_it_is(
    trim, level, seed
):
    """The slope of what rounds off is at most 1, so that no step grows beyond the gain's."""
    sound = np.random.default_rng(seed).uniform(-1, 1, (CHUNK_FRAMES, 2)).astype(np.float32)
    gain = Gain(STEREO)
    gain.set_trim(trim, 0.0)
    gain.set_level(level, 0.0)
    gain.apply(FULL)
    found, linear = samples(gain.apply(sound.tobytes())), sound * (10 ** (trim / 20) * level)
    assert np.abs(found).max() <= CEILING + 1e-6
    below = np.abs(linear) < KNEE - 1e-5
    assert np.allclose(found[below], linear[below], atol=1e-6)
    assert (np.abs(np.diff(found, axis=0)) <= np.abs(np.diff(linear, axis=0)) + 1e-5).all()


def test_a_level_alone_that_lifts_passes_no_ceiling_either():
    gain = Gain(STEREO)
    gain.set_decibels(MOST_LEVEL, 0.0)
    gain.apply(FULL)
    assert CEILING - 0.01 < samples(gain.apply(FULL))[-1, 0] <= CEILING


def test_what_leaves_the_limiter_is_not_touched_while_nothing_is_lifted():
    gain = Gain(STEREO)
    gain.set_trim(-3.0, 0.0)
    gain.set_level(1.0, 0.0)
    assert samples(gain.apply(FULL))[-1, 0] == pytest.approx(10 ** (-3 / 20), rel=1e-5)


def test_a_fade_is_a_raised_cosine_ends_where_it_should_and_is_not_undone_by_an_un_mute():
    gain = Gain(STEREO)
    gain.mute(0.0)
    gains(gain, 1)
    gain.fade_out(0.5)
    before = gains(gain, 10)
    gain.unmute(0.1)
    after = np.concatenate([before, gains(gain, 30)])
    assert gain.faded_out
    assert len(after) == SAMPLE_RATE // 2
    assert np.abs(np.diff(after)).max() < np.pi / 2 / (0.1 * SAMPLE_RATE) * 1.05
    assert after[-1] < 1e-6
    assert gain.apply(FULL) == b""
    alone = Gain(STEREO)
    alone.fade_out(0.5)
    expected = np.cos(np.arange(SAMPLE_RATE // 2) / (SAMPLE_RATE // 2) * np.pi / 2) ** 2
    assert np.allclose(gains(alone, 30), expected, atol=1e-6)


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(["mute", "unmute", "level"]), st.floats(0.02, 0.3), st.floats(0.0, 1.0), st.integers(0, 5)
    ),
    max_size=12,
)


@given(COMMANDS)
@settings(max_examples=60, deadline=None)
def test_whatever_is_commanded_and_when_no_step_is_larger_than_the_steepest_ramp(commands):
    gain = Gain(STEREO)
    heard = [np.ones(1, np.float32)]
    for name, seconds, level, chunks in commands:
        if name == "level":
            gain.set_level(level, seconds)
        else:
            getattr(gain, name)(seconds)
        if chunks:
            heard.append(gains(gain, chunks))
    track = np.concatenate(heard)
    # Two ramps may move at once.
    assert np.abs(np.diff(track)).max(initial=0.0) <= 2 * np.pi / 2 / (0.02 * SAMPLE_RATE) * 1.01
    assert ((track >= 0) & (track <= 1)).all()


def test_of_commands_from_many_threads_none_tears_the_gain_and_the_last_one_counts():
    gain = Gain(STEREO)
    stop = threading.Event()

    def command(level: float) -> None:
        while not stop.is_set():
            gain.set_level(level, 0.02)
            gain.mute()
            gain.unmute(0.02)

    threads = [threading.Thread(target=command, args=(level,)) for level in (0.25, 0.5, 1.0)]
    for thread in threads:
        thread.start()
    track = gains(gain, 200)
    stop.set()
    for thread in threads:
        thread.join()
    assert np.abs(np.diff(track, prepend=1.0)).max() <= 2 * np.pi / 2 / (0.02 * SAMPLE_RATE) * 1.01
    gain.set_level(0.5, 0.0)
    gain.unmute(0.0)
    assert gains(gain, 2)[-1] == 0.5


class Timed(InfallibleOutput):
    """Keeps real time, and notes when it is given what."""

    description = "a clock"

    def __init__(self) -> None:
        self.clock = NullOutput()
        self.given: list[tuple[float, bool]] = []
        self.data: list[bytes] = []

    def open(self, format: AudioFormat) -> None:
        self.clock.open(format)

    def write(self, chunk: bytes) -> None:
        self.given.append((time.monotonic(), any(chunk)))
        self.data.append(chunk)
        self.clock.write(chunk)

    def close(self) -> None: ...


def test_silence_leaves_the_stage_within_50_ms_of_the_command_whatever_the_pipe_holds():
    """The median of five, for a busy machine; the pipe holds more than a second all the while."""
    output = Timed()
    output.open(STEREO)
    delays = []
    with ExitStack() as stack:
        audio = stack.enter_context(Audio(command=DUMMY))
        audio.send(setup("a"))
        audio.send(notes("a", (0, 1000 * SAMPLE_RATE)))
        audio.begin()
        until(lambda: audio.pipe.waiting() > 2 * SAMPLE_RATE)
        pump = stack.enter_context(Pump(audio, output))
        until(lambda: len(output.given) > 10)
        for _ in range(5):
            asked = time.monotonic()
            pump.gain.mute()
            until(lambda: not output.given[-1][1])
            assert audio.pipe.waiting() > SAMPLE_RATE
            delays.append(next(when for when, sounds in output.given if when > asked and not sounds) - asked)
            pump.gain.unmute(0.02)
            until(lambda: output.given[-1][1])
    assert sorted(delays)[2] <= 0.05, delays
    assert np.abs(np.diff(samples(b"".join(output.data))[:, 1])).max() < 0.002


def test_mono_is_the_mean_of_all_channels_whatever_moves():
    gain = Gain(AudioFormat(2), mono=True)
    frames = np.random.default_rng(1).standard_normal((1024, 2)).astype(np.float32)
    plain = np.frombuffer(gain.apply(frames.tobytes()), np.float32).reshape(-1, 2)
    np.testing.assert_allclose(plain, np.repeat(frames.mean(axis=1, keepdims=True), 2, axis=1), rtol=1e-6)
    gain.mute(0.0)
    gain.apply(frames.tobytes())
    assert not any(gain.apply(frames.tobytes()))

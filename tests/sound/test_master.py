import numpy as np
import pytest

from engine.sound.messages import BLOCK
from engine.sound.mixing.master import Compressor, Limiter, MasterFade

RNG = np.random.default_rng(5)


def limited(sound: np.ndarray, ceiling: float = -1.0) -> np.ndarray:
    limiter = Limiter(ceiling)
    blocks = [*sound.reshape(-1, BLOCK, 2), np.zeros((BLOCK, 2), np.float32)]
    return np.concatenate([limiter.apply(block.astype(np.float32)).copy() for block in blocks])


@pytest.mark.parametrize("ceiling", [-0.1, -1.0, -6.0])
def test_nothing_passes_the_ceiling(ceiling):
    loud = RNG.normal(0, 1, (200 * BLOCK, 2)) * np.repeat(10 ** RNG.uniform(-2, 2, 200), BLOCK)[:, None]
    assert np.abs(limited(loud, ceiling)).max() <= 10 ** (ceiling / 20)


def test_what_is_below_the_ceiling_passes_bit_for_bit_one_block_later():
    quiet = RNG.uniform(-0.8, 0.8, (50 * BLOCK, 2)).astype(np.float32)
    assert (limited(quiet)[BLOCK:] == quiet).all()


def test_after_a_peak_the_level_comes_back():
    sound = np.full((400 * BLOCK, 2), 0.5, np.float32)
    sound[20 * BLOCK + 7] = 4.0
    out = limited(sound)[BLOCK:]
    assert out[20 * BLOCK, 0] < 0.2
    assert out[-1, 0] == pytest.approx(0.5, abs=1e-3)


def test_the_gain_falls_before_the_peak_and_never_jumps():
    sound = np.full((60 * BLOCK, 2), 0.5, np.float32)
    sound[20 * BLOCK :: BLOCK // 2] *= 4.0
    gain = limited(sound)[BLOCK:, 0] / sound[:, 0]
    assert np.abs(np.diff(gain)).max() < 1.5 / BLOCK


def test_both_sides_are_turned_down_together():
    sound = np.full((60 * BLOCK, 2), (2.0, 0.2), np.float32)
    out = limited(sound)[BLOCK:]
    assert out[:, 0] / out[:, 1] == pytest.approx(10.0, rel=1e-4)


def test_the_compressor_leaves_soft_sound_alone_and_holds_loud_sound_gently():
    for level, least, most in ((0.02, 0.999, 1.001), (0.7, 0.3, 0.8)):
        compressor = Compressor()
        for _ in range(300):
            block = np.full((BLOCK, 2), level, np.float32)
            compressor.apply(block)
        assert least < block[-1, 0] / level < most


def test_a_fade_ends_in_silence_at_its_frame_and_says_so():
    fade = MasterFade()
    fade.begin(BLOCK, 4 * BLOCK)
    blocks = []
    for k in range(6):
        block = np.ones((BLOCK, 2), np.float32)
        over = fade.apply(block, k * BLOCK)
        blocks.append(block[:, 0])
        assert over == (k >= 4)
    shape = np.concatenate(blocks)
    assert (shape[:BLOCK] == 1.0).all()
    assert (np.diff(shape) <= 0).all()
    assert np.abs(np.diff(shape)).max() < 0.01
    assert shape[5 * BLOCK - 1] < 1e-5
    assert not shape[5 * BLOCK :].any()

"""A part's brightness is a low-pass filter behind its instrument, and moves without steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import signal

from engine.sound.messages import BLOCK, Control, Notes, Ramp, Ramps
from tests.sound.rendering import notes, part, render

RATE = 48_000
FRAMES = RATE // BLOCK * BLOCK * 2
HELD = notes((BLOCK, FRAMES, 36, 100), (BLOCK, FRAMES, 43, 100), (BLOCK, FRAMES, 55, 100))


def sound(brightness: float | None, *ramps: Ramp) -> np.ndarray:
    """Left side of some saws far below the compressor: array [FRAMES]."""
    one = part("soft_lead", -30.0, brightness=brightness)  # type: ignore[arg-type]
    messages = [Notes(one.name, HELD), *([Ramps(ramps)] if ramps else [])]
    return render([one], messages, FRAMES).sound[:, 0].astype(float)


@pytest.fixture(scope="module")
def plain() -> np.ndarray:
    return sound(None)


def level(samples: Any, hertz: float) -> float:
    """Power in a third octave, in dB."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    at = np.fft.rfftfreq(len(samples), 1 / RATE)
    return 10 * float(np.log10(power[(at > hertz / 1.12) & (at < hertz * 1.12)].sum()))


@pytest.mark.parametrize(("brightness", "corner"), [(0.5, 1581.0), (0.25, 444.6)])
def test_it_takes_what_scipys_butterworth_low_pass_of_its_corner_takes(plain, brightness, corner):
    response = signal.butter(2, corner, fs=RATE, output="sos")
    expected = signal.sosfilt(response, plain)[RATE:]
    filtered = sound(brightness)[RATE:]
    for hertz in (110, 330, corner / 2, corner, 2 * corner):
        assert level(filtered, hertz) == pytest.approx(level(expected, hertz), abs=0.3), hertz


def test_wholly_open_it_is_heard_as_without(plain):
    open_ = sound(1.0)[RATE:]
    for hertz in (110, 330, 1000, 3000):
        assert level(open_, hertz) == pytest.approx(level(plain[RATE:], hertz), abs=0.05)


def test_a_ramp_moves_it_evenly_in_octaves_and_without_a_click(plain):
    heard = sound(0.2, Ramp("soft_lead", Control.BRIGHTNESS, 0.8, RATE // 2 // BLOCK * BLOCK, 3 * RATE // 2))
    halfway = heard[RATE - 4096 : RATE + 4096]
    still = sound(0.5)[RATE - 4096 : RATE + 4096]
    assert level(halfway, 1600) == pytest.approx(level(still, 1600), abs=1.0)
    # Nothing above what the instrument itself has: a step would be heard there as a click.
    assert level(heard[RATE // 2 :], 12_000) <= level(plain[RATE // 2 :], 12_000)


def test_a_part_without_brightness_hears_no_ramp_of_it(plain):
    ramp = Ramp("soft_lead", Control.BRIGHTNESS, 0.1, BLOCK, 2 * BLOCK)
    assert np.array_equal(sound(None, ramp), plain)

"""Facts about envelopes: sound of them, and what is heard in sound, held against tones that are made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.timbres.neural.analysis import analyse
from engine.timbres.neural.banks import at_velocity
from engine.timbres.neural.distance import aligned_distance
from engine.timbres.neural.layout import (
    BAND_MIDDLES,
    BANDS,
    FLOOR,
    FLUTTER_BANDS,
    MOMENTS,
    PARTIALS,
    RATE,
    SIZE,
    Envelopes,
    as_envelopes,
    as_vector,
    hertz_of,
)
from engine.timbres.neural.synthesis import render

TIME = np.arange(3 * RATE) / RATE


def tone(pitch, levels, cents=0.0, stretch=0.0, decay=0.0):
    """Partials of these levels in dB, added up sine by sine."""
    base = hertz_of(pitch + cents / 100.0)
    made = np.zeros(len(TIME))
    for number, level in enumerate(levels, 1):
        hertz = base * number * np.sqrt(1.0 + stretch * number**2)
        made += 10.0 ** ((level - decay * TIME) / 20.0) * np.sin(2 * np.pi * hertz * TIME + number)
    return made.astype(np.float32)


def silence(**parts):
    nothing = {
        "partials": np.full((len(MOMENTS), PARTIALS), FLOOR, np.float32),
        "noise": np.full((len(MOMENTS), BANDS), FLOOR, np.float32),
        "flutter": np.zeros(FLUTTER_BANDS, np.float32),
        "stretch": 0.0,
        "vibrato": 0.0,
    }
    return Envelopes(**(nothing | parts))


@pytest.mark.parametrize("pitch", [36, 60, 84])
def test_partials_are_heard_at_their_levels_and_the_tuning_to_a_cent(pitch):
    found = analyse(0.1 * tone(pitch, [0, -12, -6, -24], cents=17.0), pitch)
    middle = found.envelopes.partials[25] + found.level + 20
    assert middle[:4] == pytest.approx([0, -12, -6, -24], abs=0.3)
    assert found.cents == pytest.approx(17.0, abs=1.0)
    assert middle[5:].max() < -60


def test_the_stretch_of_stiff_strings_and_a_decay_are_heard():
    found = analyse(0.1 * tone(48, [0, -3, -6, -9, -12, -15, -18, -21], stretch=4e-4, decay=10.0), 48)
    assert found.envelopes.stretch == pytest.approx(4e-4, rel=0.1)
    first = found.envelopes.partials[:, 0]
    slope = (first[30] - first[20]) / (MOMENTS[30] - MOMENTS[20])
    assert slope == pytest.approx(-10.0, abs=1.0)


def test_noise_is_told_from_partials_and_has_the_power_of_its_band():
    noise = 0.01 * np.random.default_rng(1).standard_normal(len(TIME)).astype(np.float32)
    found = analyse(noise + 0.1 * tone(60, [0]), 60)
    assert found.envelopes.partials[25, 0] + found.level == pytest.approx(-20, abs=0.3)
    # White noise of variance v has v / 24 kHz in each Hz; a sine of full scale, 0 dB, has one half.
    band = int(np.searchsorted(BAND_MIDDLES, 3000.0))
    width = BAND_MIDDLES[band + 1] - BAND_MIDDLES[band]
    wanted = 10 * np.log10(2 * 1e-4 * width / 24_000)
    assert np.mean(found.envelopes.noise[20:36, band]) + found.level == pytest.approx(wanted, abs=1.0)


def test_what_is_rendered_has_the_power_that_its_envelopes_say():
    partials = np.full((len(MOMENTS), PARTIALS), FLOOR, np.float32)
    partials[:, 2] = -6.0
    made = render(silence(partials=partials), 60)
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made)))) * 4 / len(made)
    assert np.argmax(spectrum) / 3 == pytest.approx(3 * hertz_of(60), abs=0.5)
    assert 20 * np.log10(np.sqrt(2 * np.mean(made**2))) == pytest.approx(-6.0, abs=0.1)
    noise = np.full((len(MOMENTS), BANDS), FLOOR, np.float32)
    noise[:, 40] = -10.0
    made = render(silence(noise=noise), 60)
    assert 10 * np.log10(2 * np.mean(made**2)) == pytest.approx(-10.0, abs=1.0)


def test_vibrato_bends_the_pitch_and_the_same_seed_gives_the_same_samples():
    partials = np.full((len(MOMENTS), PARTIALS), FLOOR, np.float32)
    partials[:, 0] = 0.0
    note = silence(partials=partials, vibrato=40.0)
    made = render(note, 69, seed=4)
    assert np.array_equal(made, render(note, 69, seed=4))
    crossings = np.flatnonzero((made[:-1] <= 0) & (made[1:] > 0))
    exact = crossings + made[crossings] / (made[crossings] - made[crossings + 1])
    cents = 1200 * np.log2(RATE / np.diff(exact) / 440.0)[440:]
    assert cents.max() == pytest.approx(40, abs=4)
    assert cents.min() == pytest.approx(-40, abs=4)


def test_a_note_that_is_taken_apart_and_made_again_sounds_alike():
    noise = 0.002 * np.random.default_rng(1).standard_normal(len(TIME)).astype(np.float32)
    sound = noise + 0.2 * tone(55, [0, -6, -9, -12, -20, -30], decay=6.0)
    found = analyse(sound, 55)
    assert aligned_distance(sound, render(found.envelopes, 55)) < 1.5
    assert aligned_distance(sound, render(found.envelopes, 56)) > 1.6


def test_a_soft_key_is_softer_and_duller_and_what_is_silent_stays_so():
    partials = np.full((len(MOMENTS), PARTIALS), -20.0, np.float32)
    partials[:, 9] = FLOOR
    soft, hard = (at_velocity(silence(partials=partials), 60, one) for one in (50, 127))
    assert soft.partials[5, :4] == pytest.approx([-26, -30, -26 - 4 * np.log2(3), -34], abs=0.01)
    assert hard.partials[5, 3] > hard.partials[5, 0] > -20
    assert hard.partials[5, 9] == FLOOR


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=8, max_size=8))
def test_any_numbers_are_envelopes_that_can_be_played(numbers):
    vector = np.resize(np.array(numbers, np.float32), SIZE)
    made = render(as_envelopes(vector), 60, 0.1)
    assert np.isfinite(made).all()


def test_a_note_is_the_same_after_it_was_a_vector():
    note = analyse(0.1 * tone(60, [0, -6], stretch=1e-4), 60).envelopes
    again = as_envelopes(as_vector(note))
    assert np.allclose(again.partials, note.partials, atol=1e-4)
    assert again.stretch == pytest.approx(note.stretch, rel=1e-3)


@pytest.mark.parametrize("sound", [np.zeros(4800), np.full(4800, np.nan), np.zeros(0)])
def test_what_is_no_sound_is_refused(sound):
    with pytest.raises(PerpetuumError, match=r"silent|not numbers"):
        analyse(sound.astype(np.float32), 60)

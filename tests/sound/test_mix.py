"""What the mix does to the sound: the bottom, ducking, velocities, and the settings of instruments for the ear."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from scipy import signal

from engine import assets
from engine.generators.expression import soft_velocities
from engine.sound.instruments.instrument_file import load_instrument
from engine.sound.messages import BLOCK, Duck, MixSound, Notes, PartSound
from engine.sound.mixing.ducking import Ducker
from engine.sound.mixing.master import BottomEnd
from engine.sound.settings import sample_files
from tests.proofs import measures
from tests.sound.rendering import instrument, notes, part, play, render

RATE = measures.RATE
SECOND = RATE // BLOCK * BLOCK


def tidied(sound: np.ndarray) -> np.ndarray:
    """Sound [frames, 2] through the bottom end, a block at a time."""
    bottom = BottomEnd()
    blocks = sound[: len(sound) // BLOCK * BLOCK].astype(np.float32).reshape(-1, BLOCK, 2).copy()
    for block in blocks:
        bottom.apply(block)
    return blocks.reshape(-1, 2).astype(float)


@pytest.mark.parametrize(
    ("hertz", "least", "most"), [(15, -60, -30), (20, -25, -23), (40, -3.5, -2.5), (65, -0.3, 0.1)]
)
def test_a_sine_loses_what_scipys_butterworth_high_pass_of_40_hz_takes(hertz, least, most):
    sine = np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE)
    heard = tidied(np.stack([sine, sine], axis=1))[RATE:]
    lost = measures.decibels(float((heard**2).mean() / (sine**2).mean()))
    assert least <= lost <= most
    system = signal.butter(4, 40, "highpass", fs=RATE, output="sos")
    response = signal.sosfreqz(system, [hertz], fs=RATE)[1]
    assert lost == pytest.approx(20 * np.log10(np.abs(response[0])), abs=0.05)


def test_above_the_bottom_what_is_panned_stays_in_its_place():
    """Hard left at 220 Hz and above: the right side hears 20 dB less, and from 440 Hz on 30 dB."""
    for hertz, apart in ((220, 10), (330, 18), (440, 25), (1000, 38)):
        sine = 0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
        left, right = (tidied(np.stack([sine, 0 * sine], axis=1))[RATE // 2 :] ** 2).sum(axis=0)
        assert measures.decibels(left / right) > apart, hertz


def test_of_a_low_sweep_little_is_left_under_40_hz():
    """From 5 to 400 Hz, each octave as loud: what lies under 40 Hz is 20 dB down at least on the whole."""
    sweep = signal.chirp(np.arange(8 * RATE) / RATE, 5, 8, 400, "linear")
    before = np.stack([sweep, sweep], axis=1)
    after = tidied(before)
    assert measures.decibels(measures.share(before, 0, 40)) > -11.5
    assert measures.decibels(measures.share(after, 0, 40)) <= -17
    assert measures.decibels(measures.share(after, 0, 30)) <= -24


def test_under_120_hz_both_sides_play_the_same():
    noise = np.random.default_rng(4).normal(0, 0.1, (4 * RATE, 2))
    noise[:, 1] = 0
    assert measures.width(noise, 20, 120) == pytest.approx(0, abs=0.1)
    heard = tidied(noise)
    assert measures.width(heard, 20, 120) <= -12
    assert measures.width(heard, 300, 2000) > -0.5


def test_a_bass_panned_hard_left_is_heard_in_the_middle():
    one = part("sub_bass", -12.0, pan=-1.0)
    heard = render([one], [Notes(one.name, notes((0, RATE, 33, 100)))], RATE).sound
    assert measures.width(heard, 20, 120) <= -12


def apart(left: PartSound, right: PartSound, messages: list[Notes], seconds: float, **mix: object) -> np.ndarray:
    """Two parts, hard left and hard right (over the bottom, which is in the middle): array [frames, 2]."""
    parts = [replace(left, pan=-1.0), replace(right, pan=1.0)]
    silent = part("electronic_kit", -np.inf)
    return render([*parts, silent], messages, int(seconds * RATE), mix=MixSound(**mix)).sound.astype(float)  # type: ignore[arg-type]


@pytest.mark.parametrize(("depth", "velocity"), [(6.0, 80), (12.0, 127)])
def test_a_part_falls_by_the_depth_under_the_kick_alone_and_comes_back(depth, velocity):
    ducked, free = (PartSound(name, instrument("sub_bass"), -18.0) for name in ("ducked", "free"))
    tone = notes((0, 4 * RATE, 69, 100))
    strokes = notes((RATE // 2, 0, 36, velocity), (RATE, 0, 38, 127))
    messages = [Notes("ducked", tone), Notes("free", tone), Notes("electronic_kit", strokes)]
    heard = apart(ducked, free, messages, 1.5, ducks=(Duck("ducked", "electronic_kit", 0, depth, 0.12),))

    def fallen(start: float, end: float) -> float:
        left, right = (heard[int(start * RATE) : int(end * RATE)] ** 2).sum(axis=0)
        return measures.decibels(right / left)

    assert fallen(0.3, 0.49) == pytest.approx(0, abs=0.1)
    assert fallen(0.52, 0.55) == pytest.approx(depth, abs=0.5)
    assert fallen(0.52, 0.55) >= 4
    assert fallen(0.75, 1.0) == pytest.approx(0, abs=0.1)
    assert fallen(1.0, 1.4) == pytest.approx(0, abs=0.1)  # a snare moves nothing
    assert not len(measures.clicks(heard))


def test_bottom_and_ducking_allocate_nothing_while_they_run():
    bottom = BottomEnd()
    ducker = Ducker(Duck("bass", "kit", None, 6.0, 0.3), {"bass": 0, "kit": 1})
    block, channels = np.zeros((BLOCK, 2), np.float32), np.ones((BLOCK, 4), np.float32)

    def once() -> None:
        ducker.hear(1, 17, 36, 100)
        ducker.apply(channels)
        bottom.apply(block)

    once()
    tracemalloc.start()
    try:
        for _ in range(3):
            once()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        once()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - before < 4 * BLOCK  # views and numbers; not one array of a block


def test_peaks_between_samples_stay_below_minus_one():
    """A kit and a bell far too loud: the limiter works all the time, and sees samples alone."""
    parts = [part("studio_kit", 12.0), part("glass_bell", 12.0)]
    strokes = [(k * 6000, k * 6000 + 100, pitch, 127) for k in range(16) for pitch in (36, 38, 42, 49)]
    bells = [(k * 6000, k * 6000 + 6000, 60 + 5 * (k % 5), 127) for k in range(16)]
    messages = [Notes("studio_kit", notes(*strokes)), Notes("glass_bell", notes(*bells))]
    heard = render(parts, messages, 2 * RATE, mix=MixSound(level=6.0)).sound.astype(float)
    assert measures.true_peak(heard) < -1
    assert measures.true_peak(heard) > -3


def samples() -> list[tuple[str, str, bool]]:
    found = []
    for name in sorted(assets.names("instruments")):
        path = assets.find("instruments", name)
        settings = load_instrument(path)[1]
        found += [(name, str(use.path), use.loop is not None) for use in sample_files(settings, path.parent)]
    return found


def test_every_shipped_sample_begins_and_ends_near_zero():
    """Ends of looped ones are never played, and their beginnings lie under an attack."""
    for name, path, looped in samples():
        sound, rate = soundfile.read(path, always_2d=True)
        assert rate == RATE
        peak = np.abs(sound).max()
        if looped:
            assert load_instrument(assets.find("instruments", name))[1].envelope.attack >= 0.02, path
            continue
        assert np.abs(sound[0]).max() < 0.001 * peak, path
        assert np.abs(sound[-48:]).max() < 0.001 * peak, path


def test_no_kick_begins_with_a_click_and_each_leaves_little_under_40_hz():
    kits = ("studio_kit", "electronic_kit", "paper_kit")
    messages = [
        Notes(name, notes((k * RATE + 4800, 0, 36, 50), (k * RATE + RATE // 2, 0, 36, 120)))
        for k, name in enumerate(kits)
    ]
    heard = render([part(name) for name in kits], messages, 3 * RATE).sound.astype(float)
    found = measures.clicks(heard)
    # The studio kit's are recorded drums; what the others begin with is meant, and nothing comes after it.
    assert not (found < 1).any()
    assert all(0 <= (one - 0.1) % 0.4 < 0.04 for one in found % 1)
    for k in range(len(kits)):
        assert measures.decibels(measures.share(heard[k * RATE : (k + 1) * RATE], 0, 40)) <= -9


def test_hard_strokes_keep_their_order_and_do_not_pile_up_at_127():
    velocities = np.arange(1.0, 161.0)
    soft = soft_velocities(velocities).astype(int)
    assert (np.diff(soft) >= 0).all()
    assert (soft[:100] == velocities[:100]).all()
    assert soft.max() <= 127
    assert np.mean(soft[100:] == 127) < 0.2
    drawn = np.clip(np.random.default_rng(1).normal(118, 14, 4000), 1, None)
    assert np.mean(np.minimum(drawn, 127) == 127) > 0.25
    assert np.mean(soft_velocities(drawn) == 127) < 0.02


def level(sound: np.ndarray) -> np.ndarray:
    """dB of the loudness in windows of 20 ms, one each 5 ms."""
    power = np.convolve((sound.astype(float) ** 2).sum(axis=1), np.ones(960) / 960, "valid")[::240]
    return 10 * np.log10(np.maximum(power, 1e-12))


def test_the_choir_sings_from_the_beginning_of_a_note_to_its_end():
    """Within 80 ms it is 3 dB below its full voice, 250 ms after the note's end it is 20 dB down; strings are not."""
    found = {}
    for name in ("chapel_choir", "soft_strings"):
        loud = level(play(name, notes((0, SECOND, 60, 80)), 2 * RATE)[BLOCK:])
        full = np.median(loud[100:190])
        found[name] = full - loud[12], full - loud[SECOND // 240 + 46]
    begun, ended = found["chapel_choir"]
    assert begun < 3
    assert ended > 20
    begun, ended = found["soft_strings"]
    assert begun > 6
    assert ended < 10


def custom(folder, body: str, name: str = "own") -> str:
    path = folder / f"{name}.yaml"
    path.write_text(f"perpetuum: 1\ntitle: Own\n{body}\n")
    return str(path)


def heard_of(path: str) -> np.ndarray:
    one = part(path)
    return render([one], [Notes(one.name, notes((0, RATE, 57, 80)))], RATE // 2).sound[RATE // 4 :].astype(float)


PLAIN = "kind: subtractive\noscillators: [{wave: saw}]\nenvelope: {sustain: 100 %}\n"


def both(folder, left: str, right: str) -> tuple[np.ndarray, np.ndarray]:
    """Two instruments of our own, each heard as array [frames, 2] (of two equal sides)."""
    parts = [PartSound(name, custom(folder, body, name)) for name, body in (("left", left), ("right", right))]
    tone = notes((0, RATE, 57, 80))
    heard = apart(*parts, [Notes("left", tone), Notes("right", tone)], 0.75)[RATE // 4 :]
    first, second = (heard[:, [side, side]] for side in (0, 1))
    return first, second


def band(sound: np.ndarray, low: float, high: float) -> float:
    """dB of what lies between two frequencies."""
    return measures.decibels(measures.share(sound, low, high) * float((sound**2).mean()))


def test_breath_is_noise_above_its_lowest_frequency(tmp_path):
    dark = PLAIN + "filter: {cutoff: 300 Hz}\n"
    plain, breathy = both(tmp_path, dark, dark + "breath: {level: -20 dB, low: 5 kHz}")
    assert band(breathy, 7000, 20000) > band(plain, 7000, 20000) + 30
    assert band(breathy, 400, 1000) == pytest.approx(band(plain, 400, 1000), abs=0.5)


def test_a_high_shelf_lifts_the_treble_alone(tmp_path):
    plain, lifted = both(tmp_path, PLAIN, PLAIN + "effects: {high_shelf: {frequency: 3 kHz, gain: 6 dB}}")
    assert band(lifted, 8000, 16000) - band(plain, 8000, 16000) == pytest.approx(6, abs=0.7)
    assert band(lifted, 400, 1000) == pytest.approx(band(plain, 400, 1000), abs=0.3)


def test_a_sung_i_is_brighter_between_its_formants_than_an_a(tmp_path):
    sung = (PLAIN + f"effects: {{vowel: {{sound: {vowel}, amount: 100 %}}}}" for vowel in "ai")
    ratios = [band(sound, 1800, 2400) - band(sound, 700, 1200) for sound in both(tmp_path, *sung)]
    assert ratios[1] > ratios[0] + 6


def test_stereo_says_how_wide_recordings_are(tmp_path):
    sides = np.random.default_rng(2).normal(0, 0.1, (RATE, 2))
    soundfile.write(tmp_path / "wide.wav", sides, RATE)
    body = "kind: sampler\nstereo: {}\nsamples: [{{file: wide.wav, pitch: A3}}]"
    half, mono = (
        measures.width(heard_of(custom(tmp_path, body.format(stereo))), 300, 10000) for stereo in ("50 %", "0 %")
    )
    assert half == pytest.approx(-6, abs=0.7)
    assert mono < -60

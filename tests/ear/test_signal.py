"""The ear hears when sound is missing, off zero, or one tone; and turns down slowly what is too loud."""

from dataclasses import replace

import numpy as np
import pytest

from engine.ear.faults import EarFault, of_signal
from engine.ear.leveling import Leveling
from engine.ear.signal import SignalEar
from engine.events import SoundMeasured
from engine.runtime.performance.commands import SetTrim
from engine.sound.format import AudioFormat

RATE = 48_000


def measured(sound: np.ndarray) -> list[SoundMeasured]:
    ear = SignalEar(AudioFormat())
    frames = np.stack([sound, sound], axis=1).astype(np.float32)
    return [one for place in range(0, len(frames), 1024) for one in ear.hear(frames[place : place + 1024].tobytes())]


def faults(found: list[SoundMeasured], playing: bool = True) -> set[EarFault]:
    return {one.fault for figures in found for one in of_signal(figures, playing)}


def time(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * RATE)) / RATE


def test_dead_air_is_a_fault_only_where_notes_are_played():
    silence = measured(np.zeros(12 * RATE))
    assert silence[-1].silence == 12
    assert silence[-1].short_term is None
    assert faults(silence) == {EarFault.DEAD_AIR}
    assert faults(silence, playing=False) == set()


def test_a_steady_tone_is_told_from_a_bell_that_dies_away_and_from_two_tones():
    [*_, tone] = measured(0.2 * np.sin(2 * np.pi * 110.3 * time(8)))
    assert tone.tone == 7
    assert faults([replace(tone, tone=119)]) == set()
    assert faults([replace(tone, tone=120)]) == {EarFault.TONE}
    assert measured(0.2 * np.sin(2 * np.pi * 110.3 * time(8)) * np.exp(-time(8) / 3))[-1].tone == 0
    assert measured(0.1 * np.sin(2 * np.pi * 110.3 * time(8)) + 0.1 * np.sin(2 * np.pi * 165 * time(8)))[-1].tone == 0


def test_an_offset_is_heard_and_music_around_zero_has_none():
    noise = np.random.default_rng(1).normal(size=20 * RATE) * 0.1
    assert abs(measured(noise)[-1].offset) < 0.001
    assert faults(measured(noise + 0.05)) == {EarFault.OFFSET}


def test_samples_that_are_no_numbers_do_not_deafen_it():
    sound = np.sin(2 * np.pi * 440 * time(6))
    sound[1000] = np.nan
    assert measured(sound)[-1].short_term is not None


def of_loudness(lufs: float | None) -> SoundMeasured:
    return SoundMeasured(0, lufs, lufs, -3.0, 0.0, 0.0, 0.0)


def test_what_is_too_loud_is_turned_down_over_minutes_and_never_up():
    hand = Leveling()
    moves = [move for _ in range(600) if (move := hand.hear(of_loudness(-17.0), -20.0)) is not None]
    assert [move.decibels for move in moves] == [-0.5, -1.0, -1.5, -2.0, -2.5, -3.0]
    assert isinstance(moves[0], SetTrim)
    assert hand.trim == pytest.approx(-3.0)
    soft = Leveling()
    for lufs in (-26.0, None):
        assert {soft.hear(of_loudness(lufs), -20.0) for _ in range(600)} == {None}

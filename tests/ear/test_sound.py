"""The ear hears when sound is missing, off zero, one tone or too high; and corrects slowly what is too loud or soft."""

from dataclasses import replace

import pytest

from engine.ear.ear import Ear, EarSettings
from engine.ear.faults import EarFault, of_sound
from engine.ear.leveling import Leveling
from engine.ear.sound import SoundEar
from engine.events import QuietBegan, SoundMeasured
from engine.form.hearing import Hearing, SoundHearing
from engine.outputs.measuring.weighting import power_of
from engine.runtime.performance.commands import SetTrim
from tests.ear.listening import scene_of

SOUNDS = SoundMeasured(48_000, (power_of(-20.0),) * 10, -20.0, 0.5, 0.0, 0.0, 440.0, 0.3, 0.0, 0.0)
SILENCE = replace(SOUNDS, powers=(0.0,) * 10, short_term=None, true_peak=0.0, silent=1.0, tone=0.0, tonal=0.0)
LIMITS = SoundHearing()
SCENE = """
perpetuum: 1
title: Here
tempo: 120 qpm
key: C
parts:
  tune: {generator: melody_rules, instrument: soft_lead}
sections:
  first: {bars: 8 bars, parts: [tune]}
  second: {bars: 8 bars, parts: [tune]}
"""


def faults(seconds, hearing=LIMITS):
    """What is found in (second, whether sound is expected) one after another."""
    ear = SoundEar()
    return [{one.fault for one in of_sound(ear.hear(second, expected), hearing, -1.0)} for second, expected in seconds]


def test_dead_air_is_silence_that_lasts_while_sound_is_expected():
    found = faults([(SILENCE, True)] * 12)
    assert found == [set()] * 9 + [{EarFault.DEAD_AIR}] * 3
    # Silence before it was expected does not count, and one sound ends it.
    assert faults([(SILENCE, False)] * 60 + [(SILENCE, True)] * 9) == [set()] * 69
    assert (
        faults([(SILENCE, True)] * 9 + [(replace(SILENCE, silent=0.9), True)] + [(SILENCE, True)] * 9) == [set()] * 19
    )
    assert faults([(SILENCE, True)] * 60, SoundHearing(dead_air=float("inf"))) == [set()] * 60


def test_one_steady_tone_is_told_from_what_moves_and_what_dies_away():
    tone = replace(SOUNDS, tonal=0.99)
    steady = faults([(tone, True)] * 122)
    assert steady[119] == set()
    assert steady[121] == {EarFault.TONE}
    moving = [(replace(tone, tone=440.0 + 5 * (place % 2)), True) for place in range(300)]
    dying = [(replace(tone, powers=(power_of(-20.0 - place),) * 10), True) for place in range(300)]
    assert not any(faults(moving))
    assert not any(faults(dying))


def test_an_offset_and_a_peak_above_the_ceiling_are_heard():
    found = faults([(replace(SOUNDS, offset=-0.05), True)] * 20)
    assert (found[0], found[-1]) == (set(), {EarFault.OFFSET})
    assert faults([(replace(SOUNDS, true_peak=0.99), True)]) == [{EarFault.PEAK}]
    assert faults([(replace(SOUNDS, true_peak=0.9), True)]) == [set()]  # -0.9 dB: as uncertain as that


def room(lufs, seconds, limits=LIMITS, peak=0.1, ceiling=-1.0):
    """Moves of the hand in a room that does what it asks, and where the trim is at last.

    Args:
        lufs: of what comes before the gains.
        peak: the same, linear.
    """
    hand, trim, moves = Leveling(-20.0, ceiling, limits), 0.0, []
    for second in range(seconds):
        level = -6.0 if second > 100 else 0.0  # a quiet hour begins: it is nobody's fault
        power = power_of(lufs + trim + level)
        heard = replace(SOUNDS, powers=(power,) * 10, true_peak=peak * 10 ** ((trim + level) / 20))
        move = hand.hear(replace(heard, gain=trim + level, trim=trim))
        if move is not None:
            assert isinstance(move, SetTrim)
            moves.append((second, move.decibels))
            trim = move.decibels
    return moves, trim


def test_what_is_too_loud_or_too_soft_is_corrected_over_minutes_whatever_the_level_does():
    moves, trim = room(-17.0, 900)
    assert [decibels for _, decibels in moves] == [-1.0, -2.0, -3.0]
    assert [second for second, _ in moves] == [59, 119, 179]
    moves, trim = room(-23.0, 900)
    assert trim == pytest.approx(3.0, abs=0.05)
    assert room(-20.3, 900)[0] == []


def test_a_correction_has_bounds_and_lifts_no_peak_above_the_ceiling():
    assert room(-40.0, 3600)[1] == 6.0
    assert room(-5.0, 3600)[1] == -12.0
    assert room(-40.0, 3600, SoundHearing(louder=0.0))[0] == []
    assert room(-5.0, 3600, SoundHearing(softer=2.0))[1] == -2.0
    assert room(-26.0, 3600, peak=10 ** (-3 / 20))[1] == pytest.approx(2.0)
    assert room(-26.0, 3600, peak=0.99)[0] == []


def test_nothing_is_learnt_while_a_gain_moves_or_hardly_anything_comes_through():
    hand = Leveling(-20.0, -1.0, SoundHearing())
    loud = replace(SOUNDS, powers=(power_of(-10.0),) * 10)
    assert [hand.hear(replace(loud, gain=gain)) for gain in (None, -50.0) for _ in range(300)] == [None] * 600
    assert hand.measured is None


@pytest.fixture
def ear(tmp_path):
    return Ear(scene_of(SCENE, tmp_path), 5, settings=EarSettings(target=-20.0))


def test_a_correction_is_told_with_the_figures_that_caused_it(ear):
    told = [one for _ in range(60) for one in ear.hear_sound(replace(SOUNDS, powers=(power_of(-26.0),) * 10), True)]
    assert len(told) == 1
    assert told[0].commands == (SetTrim(1.0, 5.0),)
    heard = told[0].heard
    assert (heard.part, heard.fault, heard.limit) == ("", "loudness", -20.0)
    assert heard.figure == pytest.approx(-26.0, abs=0.01)
    assert heard.answer == "SetTrim 1.0, 5.0"


def test_a_planned_quiet_is_neither_dead_air_nor_a_reason_for_more(ear):
    ear.hear(QuietBegan("first", 0, 8, 0, 48_000 * 700))
    soft = replace(SOUNDS, powers=(power_of(-50.0),) * 10)
    assert [one for _ in range(300) for one in ear.hear_sound(soft, True)] == []
    assert [one for _ in range(300) for one in ear.hear_sound(SILENCE, True)] == []
    [told] = [one for _ in range(12) for one in ear.hear_sound(replace(SILENCE, frame=48_000 * 800), True)]
    assert told.heard.fault == "dead air"


def test_dead_air_is_left_for_another_section_and_over_when_it_sounds(ear):
    told = [
        one
        for second in range(200)
        for one in ear.hear_sound(replace(SILENCE if second < 30 else SOUNDS, frame=48_000 * (second + 1)), True)
    ]
    assert [(one.heard.fault, one.heard.over) for one in told] == [("dead air", False), ("dead air", True)]


@pytest.mark.parametrize(
    ("ear", "hearing", "counts"),
    [
        ("", Hearing(loop=90.0), 90.0),
        ("ear: {loop: 20 s}", Hearing(loop=90.0), 20.0),
        ("ear: {loop: off}", Hearing(loop=90.0), float("inf")),
        ("ear: {loop: 40 s}", Hearing(loop=90.0), 40.0),  # said, though it is what counts without a word
        ("ear: {empty: 40 s}", Hearing(loop=90.0), 90.0),
    ],
)
def test_what_a_scene_says_counts_before_what_the_installation_says(ear, hearing, counts, tmp_path):
    assert scene_of(SCENE + ear, tmp_path).hearing.over(hearing).loop == counts

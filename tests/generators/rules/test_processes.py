"""Processes of patterns, held against the pattern written out by hand."""

from __future__ import annotations

import pytest

from tests.generators.rules.test_pattern import heard_by_part
from tests.scenes.writing import right

SCENE = """\
perpetuum: 1
title: A process
tempo: 100 qpm
key: C major
parts:
  one:
    generator: {{kind: pattern, notes: "{notes}", {settings}}}
    phrase: {phrase}
    instrument: glass_bell
  other:
    generator: melody_rules
    instrument: glass_bell
sections:
  first: {{bars: {bars} bars, parts: [one, other]}}
  second: {{bars: 3 bars, parts: [other]}}
"""


def heard(folder, notes, settings, bars=12, phrase="3 bars", until=None):
    """(start in beats from the beginning, pitch) of all notes."""
    played = right(folder, SCENE.format(notes=notes, settings=settings, bars=bars, phrase=phrase))
    found = heard_by_part(played, until or bars)["one"]
    return sorted((round(start + first * 4, 6), pitch) for first, rows in found.items() for start, _, pitch, _ in rows)


def test_phase_runs_ahead_by_a_step_more_each_time(tmp_path):
    """Against a part that stands still it is Clapping Music: the pattern rotated by one eighth more."""
    pattern = [(0, 60), (0.5, 62), (1.5, 64), (3, 65)]
    notes = "C4:1/2 D4:1/2 ~:1/2 E4:1/2 ~:1 F4:1"
    played = heard(tmp_path, notes, "process: phase, every: 2 bars")
    expected = []
    for bar in range(12):
        ahead = bar // 2 * 0.5
        expected += sorted(((start - ahead) % 4 + bar * 4, pitch) for start, pitch in pattern)
    assert played == sorted(expected)


@pytest.mark.parametrize(("process", "counts"), [("build", [1, 2, 3, 4, 4, 4]), ("dissolve", [4, 3, 2, 1, 1, 1])])
def test_notes_take_the_place_of_rests_one_by_one_or_go(tmp_path, process, counts):
    pattern = [(0, 60), (1, 62), (2, 64), (3, 65)]
    played = heard(tmp_path, "C4:1 D4 E4 F4", f"process: {process}, every: 2 bars")
    expected = [(start + bar * 4, pitch) for bar in range(12) for start, pitch in pattern[: counts[bar // 2]]]
    assert played == expected


def test_additive_rhythm_grows_by_a_note_each_time(tmp_path):
    """C | C D | C D E: each stage is the first notes alone, again and again."""
    played = heard(tmp_path, "C4:1/2 D4:1/2 E4:1 G4:2", "process: lengthen, every: 3 bars")
    line = [(60, 0.5), (62, 0.5), (64, 1.0), (67, 2.0)]
    expected = []
    for number in range(4):
        at = 0.0
        while at < 12:
            for pitch, length in line[: number + 1]:
                if at < 12:
                    expected.append((number * 12 + at, pitch))
                at += length
    assert played == expected


def test_shortening_is_lengthening_backwards_and_ends_with_one_note(tmp_path):
    played = heard(tmp_path, "C4:1 D4:1 E4:2", "process: shorten, every: 2 bars")
    assert [pitch for start, pitch in played if start < 8] == [60, 62, 64] * 2
    assert [pitch for start, pitch in played if 8 <= start < 16] == [60, 62] * 4
    assert [pitch for start, pitch in played if start >= 16] == [60] * 32


def test_a_period_of_its_own_runs_through_sections_in_which_the_part_rests(tmp_path):
    """Five beats against bars of four: after twenty beats they meet again, wherever sections begin."""
    played = heard(tmp_path, "C4:2 D4:3", "restart: never", bars=7, until=40)
    sounding = [bar for bar in range(40) if bar % 10 < 7]
    expected = [
        (turn * 5 + start, pitch)
        for turn in range(40)
        for start, pitch in ((0, 60), (2, 62))
        if (turn * 5 + start) // 4 in sounding
    ]
    assert played == expected


@pytest.mark.parametrize("phrase", ["1 bar", "5 bars", "64 bars"])
@pytest.mark.parametrize("process", ["phase", "build", "lengthen"])
def test_how_long_phrases_are_does_not_matter(tmp_path, process, phrase):
    settings, notes = f"process: {process}, every: 2 bars, step: 3/4 beats", "C4:1/2 D4:1 E4:3/4 G4:1"
    assert heard(tmp_path, notes, settings, phrase=phrase) == heard(tmp_path, notes, settings, phrase="2 bars")

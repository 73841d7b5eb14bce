"""Pedal points."""

from __future__ import annotations

import itertools

import pytest

from tests.generators.rules.test_pattern import heard_by_part
from tests.scenes.writing import right

SCENE = """\
perpetuum: 1
title: On a pedal
tempo: 100 qpm
key: D minor
parts:
  pedal:
    generator: {{kind: pedal, {settings}}}
    phrase: 3 bars
    instrument: round_bass
sections:
  first: {{bars: 8 bars, parts: [pedal]}}
  second: {{bars: 8 bars, parts: [pedal], key: fifth up}}
"""


@pytest.mark.parametrize(
    ("tone", "home", "away"), [("tonic", {38}, {33}), ("dominant", {33}, {28}), ("both", {38, 45}, {33, 40})]
)
def test_it_holds_the_tone_of_the_key_without_a_gap(tmp_path, tone, home, away):
    played = right(tmp_path, SCENE.format(settings=f"tone: {tone}, every: 4 bars"))
    sections = heard_by_part(played, 16)["pedal"]
    for first, pitches in ((0, home), (8, away)):
        rows = sections[first]
        assert {pitch for _, _, pitch, _ in rows} == pitches
        for pitch in pitches:
            held = sorted((start, start + length) for start, length, other, _ in rows if other == pitch)
            assert held[0][0] == 0
            assert held[-1][1] == pytest.approx(32)
            assert all(end == pytest.approx(start) for (_, end), (start, _) in itertools.pairwise(held))

"""Canons: what the leader was heard to play comes again later, through the real plan and conductor."""

from __future__ import annotations

import pytest

from engine.score.harmony.keys import Key
from tests.generators.rules.test_pattern import heard_by_part
from tests.scenes.writing import only_error, pointed_at, right

SCENE = """\
perpetuum: 1
title: In canon
meter: {meter}
tempo: 80..96 qpm
key: {key}
parts:
  dux:
    generator: {leader}
    phrase: 3 bars
    instrument: {instrument}
  comes:
    generator: {follower}
    phrase: 4 bars
    instrument: {instrument}
  pad:
    generator: {{kind: chord_walk}}
    instrument: warm_pad
sections:
  first: {{bars: 7 bars, parts: [dux, comes]}}
  second: {{bars: 5 bars, parts: [comes, pad]}}
  third: {{bars: 6 bars, parts: [dux, comes, pad]{third}}}
"""
RULES = "{kind: melody_rules, range: C4..C6}"


def performed(folder, follower, leader=RULES, meter="4/4", key="C major", third="", bars=60, instrument="glass_bell"):
    """(leader's, follower's) notes: (start in beats from the beginning, pitch, velocity)."""
    given = {"follower": follower, "leader": leader, "instrument": instrument}
    played = right(folder, SCENE.format(**given, meter=meter, key=key, third=third))
    beats = played.meter.beats_per_bar
    found = {}
    for name, sections in heard_by_part(played, bars).items():
        rows = [
            (round(start + first * beats, 6), pitch, velocity)
            for first, notes in sections.items()
            for start, _, pitch, velocity in notes
        ]
        found[name] = sorted(rows)
    return found["dux"], found["comes"], beats * bars


@pytest.mark.parametrize(("meter", "after"), [("4/4", 8), ("4/4", 2.5), ("3/4", 24), ("7/8", 1), ("6/8", 1 / 3)])
def test_a_canon_at_the_unison_is_the_leader_so_many_beats_later(tmp_path, meter, after):
    """Across sections, in which either rests, and phrases that do not line up."""
    written = f"{after} beats" if after != 1 / 3 else "1/3 beats"
    follower = f"{{kind: canon, leader: dux, after: {written}, at: unison}}"
    leader, follower, end = performed(tmp_path, follower, meter=meter)
    assert len(follower) > 20
    expected = sorted((round(start + after, 6), pitch, velocity) for start, pitch, velocity in leader)
    expected = [row for row in expected if row[0] < end - 1e-4]
    assert [(pytest.approx(start, abs=1e-5), pitch, velocity) for start, pitch, velocity in expected] == follower


@pytest.mark.parametrize(
    ("settings", "notes", "names"),
    [
        # A fifth below: F G A B C D E; the one under B is diminished no more than the key wants it (E is perfect).
        ("at: fifth down", "C5:1 D5 E5 F5 G5 A5 B5", {72: 65, 74: 67, 76: 69, 77: 71, 79: 72, 81: 74, 83: 76}),
        ("at: unison, motion: contrary", "C4:1 D4 E4 G4 A3", {60: 60, 62: 59, 64: 57, 67: 53, 57: 64}),
    ],
)
def test_intervals_are_steps_of_the_key_and_contrary_motion_mirrors_around_the_tonic(tmp_path, settings, notes, names):
    leader, follower, _ = performed(
        tmp_path,
        f"{{kind: canon, leader: dux, after: 4 beats, {settings}}}",
        leader=f'{{kind: pattern, notes: "{notes}"}}',
        bars=7,
    )
    assert [pitch for _, pitch, _ in follower] == [names[pitch] for start, pitch, _ in leader if start < 24]


def test_what_was_heard_in_another_key_comes_in_the_key_of_now(tmp_path):
    _, follower, _ = performed(
        tmp_path,
        "{kind: canon, leader: dux, after: 8 beats, at: third up}",
        third=", key: E major",
    )
    beats, home, away = 4.0, Key.parse("C major"), Key.parse("E major")
    for start, pitch, _ in follower:
        bar = start / beats % 18
        assert pitch in (away if bar >= 12 else home)


def test_in_a_scale_of_five_it_stays_in_the_scale(tmp_path):
    _, follower, _ = performed(tmp_path, "{kind: canon, leader: dux, at: fifth down}", key="C major pentatonic")
    assert follower
    assert all(pitch in Key.parse("C major pentatonic") for _, pitch, _ in follower)


def test_with_a_rhythm_it_answers_in_that_parts_rests(tmp_path):
    leader, follower, _ = performed(
        tmp_path,
        "{kind: canon, leader: dux, rhythm: dux, after: 4 beats, at: octave down}",
        leader='{kind: pattern, notes: "C5:1 E5 G5 E5 | ~:4"}',
        bars=7,
    )
    assert [(start, pitch) for start, pitch, _ in follower if start < 24] == [
        (start + 4, pitch - 12) for start, pitch, _ in leader if start < 20
    ]


def test_drums_follow_drums_and_one_drum_can_be_picked(tmp_path):
    leader, follower, _ = performed(
        tmp_path,
        "{kind: canon, leader: dux.snare, after: 1 beats}\n    role: drums",
        leader='{kind: pattern, notes: "bd: x...x... | sn: ..x....o"}',
        bars=7,
        instrument="electronic_kit",
    )
    assert [start for start, *_ in follower] == [start + 1 for start, pitch, _ in leader if pitch == 38 and start < 27]


@pytest.mark.parametrize(
    ("follower", "leader", "message"),
    [
        ("{kind: canon}", RULES, "`canon` needs `leader`"),
        ("{kind: canon, leader: comes}", RULES, "cannot listen to itself"),
        ("{kind: canon, leader: dux, after: 33 beats}", RULES, "a canon follows within 8 bars"),
        ("{kind: canon, leader: dux, after: 0 beats}", RULES, "`after`"),
        ("{kind: canon, leader: dux, at: seventh up}", RULES, "`at`"),
        ("{kind: canon, leader: dux}", "{kind: drum_rules}", "part `dux` plays drums"),
    ],
)
def test_what_cannot_be_a_canon_is_refused_where_it_stands(tmp_path, follower, leader, message):
    text = SCENE.format(follower=follower, leader=leader, meter="4/4", key="C major", third="", instrument="glass_bell")
    error = only_error(tmp_path, text)
    assert message in error.message
    assert pointed_at(error)

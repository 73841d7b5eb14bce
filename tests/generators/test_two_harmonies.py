"""Parts that each make chords of their own in one section are warned of."""

import pytest

from tests.scenes.writing import load_text

CLASH = """\
perpetuum: 1
title: Two harmonies
tempo: 90 qpm
key: C major
parts:
  pad: {{generator: {pad}, instrument: warm_pad}}
  other: {{{role}generator: {other}, instrument: glass_bell}}
sections:
  first: {{bars: 8 bars, parts: [pad, other]{move}}}
  second: {{bars: 8 bars, parts: [pad, other]{move}}}
"""


@pytest.mark.parametrize(
    ("pad", "other", "role", "warned"),
    [
        ("chord_walk", "chord_walk", "", True),
        ("chord_walk", "arpeggio", "", True),
        ("chord_walk", "{kind: arpeggio, chords: pad}", "", False),
        ("{kind: chord_walk, chords: Am F}", "{kind: arpeggio, chords: Am  F}", "", False),
        ("{kind: chord_walk, chords: Am F}", "{kind: arpeggio, chords: Am G}", "", True),
        ("chord_walk", "{kind: arpeggio, chords: Am G}", "", True),
        ("chord_walk", "melody_rules", "", False),
        ("chord_walk", "{kind: pattern, notes: '[C4 E4]:4'}", "role: chords, ", True),
    ],
)
def test_two_parts_with_chords_of_their_own_in_one_section_are_warned_of_once(tmp_path, pad, other, role, warned):
    _, found = load_text(tmp_path, CLASH.format(pad=pad, other=other, role=role, move=""))
    assert [one.message for one in found] == (
        ["`pad` and `other` each make chords of their own in section `first`"] if warned else []
    )
    if warned:
        assert (found[0].line, found[0].quoted[found[0].column - 1 :][:5]) == (9, "other")
        assert f"`chords: {'other' if role else 'pad'}`" in found[0].hint


def test_chords_that_a_section_writes_for_both_hold_them_together(tmp_path):
    move = ", move: {pad.chords: C F, other.chords: C F}"
    _, found = load_text(tmp_path, CLASH.format(pad="chord_walk", other="arpeggio", role="", move=move))
    assert found == []

"""What comes again is a fault of a melody alone: not of what is written, of chords, broken or not, nor of a bass."""

from dataclasses import replace

import pytest

from engine.ear.ear import Ear
from engine.ear.faults import EarFault, of_notes
from engine.ear.part import PartEar
from engine.form.hearing import Hearing
from engine.generators.contract import Role
from engine.score.harmony.chords import Chord
from engine.score.phrase import ChordSpan
from tests.ear.listening import listen, scene_of

SCENE = """
perpetuum: 1
title: Broken chords
seed: 5
tempo: 120 qpm
key: C
parts:
  harp: {generator: {kind: arpeggio, chords: C F G C}, role: melody, phrase: 4 bars, instrument: plucked_string}
  tune: {generator: melody_rules, phrase: 4 bars, instrument: soft_lead}
sections:
  all: {bars: 16 bars, parts: [harp, tune]}
"""


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    return listen(scene_of(SCENE, tmp_path_factory.mktemp("harp")), 6)


def repeating(figures, part, **more):
    """Faults of a part, if all that it plays had been heard."""
    parts = {part: replace(figures.parts[part], stale=1.0, **more)}
    return {one.fault for one in of_notes(replace(figures, parts=parts), Hearing(), frozenset())}


def test_broken_chords_may_come_again_and_a_melody_may_not(heard):
    figures = heard.figures[-1]
    assert repeating(figures, "harp") == set()
    assert repeating(figures, "tune") == {EarFault.REPETITION}
    for other in ({"written": True}, {"role": Role.BASS}, {"role": Role.CHORDS}):
        assert EarFault.REPETITION not in repeating(figures, "tune", **other)


def test_repetition_is_shown_once_a_minute_for_what_is_judged(heard):
    ear = Ear(heard.scene, 5)
    shown = []
    for bar in heard.bars:
        ear.hear(bar)
        if (one := ear.repetition()) is not None:
            shown.append(one)
    assert len(shown) in (5, 6)
    assert [one.bar for one in shown] == sorted({one.bar for one in shown})
    assert dict(shown[-1].shares).keys() == {"melody"}
    tune = heard.figures[shown[-1].bar].parts["tune"]
    assert dict(shown[-1].shares)["melody"] == tune.stale


def test_a_loop_is_as_long_as_it_was_heard_whatever_rests_lie_in_it():
    """A bass that rests for a minute and comes back with its last bar has not gone round for a minute."""
    part = PartEar(Role.BASS)
    bar = [(0.0, 1.0, 36, 80), (2.0, 3.0, 43, 80)]
    for number in range(4):
        part.hear(2.0 * number, 2.0 * number + 2.0, 4.0, bar, (), its_own=True)
    before = part.figures().loop
    assert before >= 4.0
    for _ in range(30):
        part.rest()
    for number in range(34, 36):
        part.hear(2.0 * number, 2.0 * number + 2.0, 4.0, bar, (), its_own=True)
    assert part.figures().loop == before + 4.0


def tune_of(minutes, recalled):
    """How a melody has played that goes round the same twelve bars."""
    part = PartEar(Role.MELODY)
    for number in range(30 * minutes):
        bar = [(beat, beat + 1.0, 60 + (number % 4) * 2 + beat * (number % 3), 80) for beat in range(4)]
        part.hear(2.0 * number, 2.0 * number + 2.0, 4.0, bar, (), its_own=False, recalled=recalled)
    return part.figures()


def test_a_theme_that_is_taken_up_comes_again_because_it_is_meant_to():
    free, theme = tune_of(20, False), tune_of(20, True)
    assert free.stale == free.repeated == 1.0
    assert (theme.stale, theme.repeated) == (None, 1.0)


def test_a_chord_that_a_player_begins_early_does_not_clash_with_the_one_before():
    """Two chords a semitone apart, each begun 12 ms before its bar: all of them lie in the bar before."""
    part = PartEar(Role.CHORDS)
    chords = [Chord(0, ""), Chord(1, "")]
    for number in range(20):
        spans = [ChordSpan(0.0, 4.0, chords[number % 2])]
        following = chords[(number + 1) % 2]
        bar = [(3.976, 8.0, 48 + tone, 80) for tone in sorted(following.pitch_classes)]
        part.hear(2.0 * number, 2.0 * number + 2.0, 4.0, bar, spans, its_own=True)
    figures = part.figures()
    assert figures.clash == 0.0


@pytest.mark.parametrize(("sounding", "clash"), [(True, 1.0), (False, None)])
def test_nothing_clashes_with_chords_that_nobody_hears(sounding, clash):
    part = PartEar(Role.BASS)
    for number in range(20):
        bar = [(float(beat), beat + 1.0, 37, 80) for beat in range(4)]
        chords = [ChordSpan(0.0, 4.0, Chord(0, ""))]
        part.hear(2.0 * number, 2.0 * number + 2.0, 4.0, bar, chords, its_own=False, sounding=sounding)
    assert part.figures().clash == clash

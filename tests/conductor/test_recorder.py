"""Facts about what a recording keeps."""

from __future__ import annotations

from engine.conductor.recorder import Recording
from engine.events import BarSealed, PartBar
from engine.form.plan import Plan
from engine.score.harmony.chords import Chord
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance
from tests.conductor.stage import part, scene, section

C, G = Chord(0), Chord(7)


def recorded(*bars: tuple[str, bool, list[ChordSpan]]) -> Recording:
    """A recording of bars of 4/4, each (part, heard, chords)."""
    played = scene([part("pad", "rule"), part("lead", "rule")], [section("a", "pad", "lead")])
    plan, recording = Plan(played, 1), Recording(played)
    numbers = {name: 0 for name, *_ in bars}
    for name, heard, spans in bars:
        phrase = Phrase.of([(0, 1, 60, 90)], 4, Provenance("rule", Origin.RULES), spans)
        bar = plan.bar(numbers[name])
        recording(BarSealed(bar.index, bar.start, bar.end, bar.qpm, 0, "a", (PartBar(name, phrase, heard, False),)))
        numbers[name] += 1
    return recording


def test_a_chord_over_a_bar_line_is_one_chord():
    recording = recorded(("pad", True, [ChordSpan(0, 2, C), ChordSpan(2, 4, G)]), ("pad", True, [ChordSpan(0, 4, G)]))
    assert recording.chords == [ChordSpan(0, 2, C), ChordSpan(2, 8, G)]


def test_the_chords_are_those_of_the_part_that_others_listen_to_even_if_it_is_not_heard():
    recording = recorded(("pad", False, [ChordSpan(0, 4, C)]), ("lead", True, [ChordSpan(0, 4, G)]))
    assert recording.chords == [ChordSpan(0, 4, C)]
    assert list(recording.notes) == list(recording.origins) == ["lead"]

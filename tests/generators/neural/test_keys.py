"""Networks that know no key: their past is taken into the one that holds, and what leaves it is moved and counted."""

from dataclasses import replace

import numpy as np

from engine.generators.neural.continuation import past_of
from engine.generators.neural.fitting import fitted_melody, fitted_voices
from engine.generators.neural.monophonic import _melody_by_rules
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import Key
from engine.score.harmony.relations import KeySpan
from engine.score.phrase import NOTE, ChordSpan
from engine.units import PitchRange
from tests.generators.asking import phrase, request

RANGE = PitchRange(57, 83)
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def line(*pitched: int) -> np.ndarray:
    return np.array([(place, place + 1, pitch, 80) for place, pitch in enumerate(pitched)], NOTE)


def test_a_network_goes_on_from_its_past_in_the_key_that_holds():
    """Two bars in C major, two in A flat major: in E major all of it is."""
    old, new = Key.parse("C major"), Key.parse("E major")
    middle = Key.parse("Ab major")
    notes = line(*SCALE, *(pitch + 8 for pitch in SCALE))
    past = phrase(notes, 16.0, (ChordSpan(0.0, 8.0, Chord(0)), ChordSpan(8.0, 16.0, Chord(8))))
    asked = request("melody_rnn", key="E major", bar=8, history=past)
    asked = replace(asked, keys=(KeySpan(0.0, 8.0, old), KeySpan(8.0, 16.0, middle)))
    heard = past_of(asked, _melody_by_rules, fresh=False)
    assert all(int(pitch) in new for pitch in heard.notes["pitch"])
    assert np.diff(heard.notes["pitch"][:8]).tolist() == np.diff(SCALE).tolist()
    assert np.diff(heard.notes["pitch"][8:]).tolist() == np.diff(SCALE).tolist()
    assert [span.chord for span in heard.chords] == [Chord(4), Chord(4)]
    same = past_of(replace(asked, keys=(KeySpan(0.0, 16.0, new),)), _melody_by_rules, fresh=False)
    assert same.notes["pitch"].tolist() == past.notes["pitch"].tolist()


def test_what_a_network_made_in_another_key_moves_there_as_a_whole():
    """A line in F sharp major stays itself in C major; nothing of it is bent."""
    found = fitted_melody(line(*(pitch + 6 for pitch in SCALE)), request("melody_rnn", key="C major"), RANGE, None)
    assert found.snapped == 0
    assert np.diff(found.notes["pitch"]).tolist() == np.diff(SCALE).tolist()


def test_notes_outside_the_key_are_moved_and_counted_but_not_leading_notes():
    asked = request("melody_rnn", key="A minor")
    found = fitted_melody(line(69, 71, 72, 68, 69, 66, 67, 69), asked, RANGE, None)
    assert found.notes["pitch"][3:5].tolist() == [68, 69], "G sharp goes to A"
    assert found.notes["pitch"][5] % 12 in asked.key.scale
    assert found.snapped == 1
    alone = fitted_melody(line(69, 71, 72, 68, 67, 69, 71, 69), asked, RANGE, None)
    assert alone.snapped == 1, "a G sharp that goes nowhere is no leading note"


def test_tones_of_the_chord_stay_though_the_key_has_others():
    asked = request("melody_rnn", key="C major")
    spans = (ChordSpan(0.0, 4.0, Chord(4, "7"), written=True), ChordSpan(4.0, 16.0, Chord(9, "m")))
    found = fitted_melody(line(64, 68, 71, 68, 69, 72, 69, 69), asked, RANGE, spans)
    assert found.snapped == 0
    assert 68 in found.notes["pitch"].tolist()


def test_what_rubs_against_the_chord_goes_on_by_step_or_is_moved():
    """F beside the E of C major: passing it stays; leapt away from, struck again or held at the end it becomes E."""
    asked = request("melody_rnn", key="C major")
    spans = (ChordSpan(0.0, 16.0, Chord(0)),)
    tune = np.array([(step / 2, step / 2 + 0.5, 67, 80) for step in range(8)], NOTE)
    for pitches, wanted in (
        ((67, 65, 64, 67), (67, 65, 64, 67)),
        ((67, 65, 72, 67), (67, 64, 72, 67)),
        ((67, 65, 67, 65), (67, 65, 67, 64)),
        ((64, 65, 64, 69), (64, 65, 64, 69)),
    ):
        tune["pitch"][:4] = pitches
        found = fitted_melody(tune[:4], asked, RANGE, spans).notes["pitch"]
        assert (found % 12).tolist() == [pitch % 12 for pitch in wanted]


def test_voices_keep_their_leading_notes_too():
    chords = ((52, 68, 71), (57, 69, 72), (66,))
    rows = [(beat, beat + 1, pitch, 80) for beat, chord in enumerate(chords) for pitch in chord]
    found = fitted_voices(np.array(rows, NOTE), request("polyphony_rnn", key="A minor"), PitchRange(43, 84), 4, True)
    assert 68 in found.notes["pitch"].tolist()
    assert found.snapped == 1

"""Chord walks, voice leading, bass lines."""

import itertools

import numpy as np
import pytest

from engine.generators.chain import make_phrase
from engine.generators.harmony import chords_of, chords_under, degree_of, leads_home, motion
from engine.generators.rules.harmony.voicing import lead
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import MODES, Key
from engine.score.phrase import ChordSpan
from engine.units import PitchRange
from tests.generators.asking import KEYS, METERS, made, phrase, pitches, request


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "chromatic"])
def test_the_chords_of_a_key_lie_in_its_scale(mode):
    key = Key(3, mode)
    chords = [chord for row in chords_of(key) for chord in row]
    assert chords
    assert all(tone in key for chord in chords for tone in chord.pitch_classes)


@pytest.mark.parametrize("mode", list(MODES))
def test_a_walk_never_gets_stuck_or_stands_still(mode):
    weights = motion(Key(0, mode))
    usable = [degree for degree, row in enumerate(chords_of(Key(0, mode))) if row]
    assert np.all(np.diag(weights) == 0)
    assert all(weights[degree].sum() > 0 for degree in usable)
    assert all(degree in usable for degree in leads_home(Key(0, mode)))


def walk(bars=64, **how):
    """A walk over many phrases, each going on from the one before."""
    found, history = [], None
    for bar in range(0, bars, 4):
        history = made("chord_walk", bar=bar, seed=bar + 1, section_bars=bars, history=history, **how)
        found.append(history)
    return found


@pytest.mark.parametrize("key", KEYS)
def test_a_section_begins_near_home_and_ends_at_home(key):
    phrases = walk(key=key)
    last = phrases[-1].chords[-1].chord
    assert degree_of(Key.parse(key), last) == degree_of(Key.parse(key), Chord(Key.parse(key).tonic))


@pytest.mark.parametrize("key", KEYS)
def test_a_walk_visits_several_chords_and_seldom_repeats_one_at_once(key):
    names = [span.chord for found in walk(key=key) for span in found.chords]
    repeats = sum(a == b for a, b in itertools.pairwise(names))
    assert len({chord.root for chord in names}) >= 3
    assert repeats <= len(names) * 0.1


def test_chords_change_on_the_chord_length_counted_from_the_start_of_the_section():
    for bar, expected in ((0, [0.0, 12.0]), (4, [0.0, 8.0]), (8, [0.0, 4.0]), (3, [0.0, 12.0])):
        history = made("chord_walk", seed=9)
        found = made("chord_walk", bar=bar, settings={"chord_length": "3 bars"}, history=history)
        assert [span.start for span in found.chords] == expected


def test_a_chord_that_is_not_over_holds_on_into_the_next_phrase():
    history = made("chord_walk", settings={"chord_length": "3 bars"})
    found = made("chord_walk", bar=4, settings={"chord_length": "3 bars"}, history=history, seed=2)
    assert found.chords[0].chord == history.chords[-1].chord


@pytest.mark.parametrize("voices", [3, 4, 5])
def test_voices_move_little_between_chords(voices):
    """No voice leaps further than a fifth, and on average they move by less than three semitones."""
    moves = []
    for key in KEYS[:8]:
        before = None
        for found in walk(key=key, settings={"voices": voices, "range": "C3..C6", "colour": "50 %"}):
            for span in found.chords:
                sounding = found.notes[np.isclose(found.notes["start"], span.start)]
                now = np.sort(sounding["pitch"].astype(int))
                assert len(now) == voices
                if before is not None:
                    moves.append(np.abs(now - before))
                before = now
    assert np.max(moves) <= 7
    assert np.mean(moves) < 3.0


def test_a_voicing_holds_every_tone_of_a_triad_and_lies_in_the_range():
    span = PitchRange(48, 72)
    for root in range(12):
        for quality in ("", "m", "sus2"):
            chord = Chord(root, quality)
            found = lead(None, chord, 4, span)
            assert {int(pitch) % 12 for pitch in found} == set(chord.pitch_classes)
            assert span.low <= found.min() <= found.max() <= span.high


def test_the_same_chord_again_stays_where_it_is():
    before = np.array([50, 57, 62, 65])
    assert lead(before, Chord(2, "m"), 4, PitchRange(48, 74)).tolist() == before.tolist()


def test_a_chord_that_closes_stands_on_its_root_though_there_is_no_place_above_it_for_all_voices():
    # G above B2 is G3, and three tones of it are all that lie below F4.
    found = lead(None, Chord(7), 4, PitchRange(47, 64), rooted=True)
    assert found.tolist() == [55, 59, 62]


def test_recall_takes_up_the_progression_of_the_section():
    settings = {"recall": "100 %"}
    first, again = made("chord_walk", seed=1, settings=settings), made("chord_walk", seed=2, settings=settings)
    assert [span.chord for span in first.chords] == [span.chord for span in again.chords]


def test_tied_chords_hold_their_common_tones():
    held, tied = (made("chord_walk", settings={"style": style}, bars=8) for style in ("held", "tied"))
    assert sum(held.notes["end"] - held.notes["start"]) == pytest.approx(sum(tied.notes["end"] - tied.notes["start"]))
    assert len(tied.notes) < len(held.notes)


def test_a_bar_whose_harmony_moves_is_heard_in_halves():
    """F major over one bar, then G major and C major in the halves of the next, and a waltz in whole bars."""
    chorale = [(0, 4, 53, 80), (0, 4, 57, 80), (0, 4, 60, 80)]
    chorale += [(4, 6, pitch, 80) for pitch in (55, 59, 62)] + [(6, 8, pitch, 80) for pitch in (48, 64, 67)]
    spans = chords_under(request("melody_rules", bars=2, key="C major", chords=phrase(chorale, 8.0)))
    assert [(span.start, span.end, span.chord.name) for span in spans] == [
        *((0.0, 4.0, "F"), (4.0, 6.0, "G"), (6.0, 8.0, "C"))
    ]
    waltz = phrase([(0, 1, 48, 80), (1, 2, 53, 80), (2, 3, 57, 80)], 3.0)
    assert len(chords_under(request("melody_rules", bars=1, meter="3/4", key="C major", chords=waltz))) == 1


def test_chords_are_read_from_notes_where_a_part_does_not_name_them():
    arpeggio = phrase(
        [
            (bar * 4 + i, bar * 4 + i + 1, pitch, 80)
            for bar in range(4)
            for i, pitch in enumerate((45, 60, 64) if bar % 2 else (53, 57, 60))
        ]
    )
    spans = chords_under(request("bass_line", chords=arpeggio))
    assert [span.chord.name for span in spans] == ["F", "Am", "F", "Am"]
    assert (spans[0].start, spans[-1].end) == (0, 16)


def test_voices_that_come_home_within_a_bar_are_heard_as_two_chords_and_the_bass_goes_home_with_them():
    """A7 to D in the last bar of a chorale: all of it could be a rich A, held by the bass under the close."""
    choir = phrase(
        [(0, 4, pitch, 80) for pitch in (50, 57, 65, 74)]
        + [(4, 6, pitch, 80) for pitch in (45, 57, 64, 73)]
        + [(6, 8, pitch, 80) for pitch in (50, 57, 62, 74)],
        beats=8,
    )
    asked = request("bass_line", chords=choir, bars=2, bar=14, settings={"style": "held"})
    assert [(span.start, span.chord.root) for span in chords_under(asked)] == [(0, 2), (4, 9), (6, 2)]
    bass = make_phrase("bass_line", asked, {})[0]
    assert int(bass.notes["pitch"][-1]) % 12 == 2
    assert float(bass.notes["start"][-1]) == 6


@pytest.mark.parametrize("style", ["held", "root_fifth", "walking", "pulse"])
@pytest.mark.parametrize("meter", METERS)
def test_the_bass_plays_the_root_where_a_chord_begins(style, meter):
    for seed in range(5):
        chords = made("chord_walk", seed=seed, meter=meter, settings={"colour": "60 %"})
        found = made("bass_line", seed=seed, meter=meter, chords=chords, settings={"style": style})
        for span in chords.chords:
            note = found.notes[np.isclose(found.notes["start"], span.start)]
            assert int(note["pitch"][0]) % 12 == span.chord.root


def test_the_bass_moves_onto_the_next_root_by_step_when_it_prepares_it():
    spans = [ChordSpan(0, 8, Chord(2, "m")), ChordSpan(8, 16, Chord(7))]
    chords = phrase([(0, 16, 62, 80)], chords=spans)
    for seed in range(10):
        found = made("bass_line", seed=seed, chords=chords, settings={"style": "walking", "approach": "100 %"})
        place = int(np.searchsorted(found.notes["start"], 8.0))
        assert 1 <= abs(pitches(found)[place] - pitches(found)[place - 1]) <= 2


def test_the_bass_keeps_within_an_octave_and_a_half_over_a_long_walk():
    history, low, high = None, 127, 0
    for chords in walk(bars=128):
        bass = made("bass_line", chords=chords, history=history, seed=chords.provenance.seed)
        history = bass
        low, high = min(low, *pitches(bass)), max(high, *pitches(bass))
    assert high - low <= 24


def test_a_primer_is_the_progression_that_is_recalled():
    primer = phrase(
        [
            (bar * 4, bar * 4 + 4, pitch, 80)
            for bar, chord in enumerate(((62, 65, 69), (60, 64, 67)))
            for pitch in chord
        ],
        beats=8,
    )
    for bar, expected in ((0, ["Dm", "C", "Dm", "C"]), (5, ["C", "Dm", "C", "Dm"])):
        found = made("chord_walk", bar=bar, primer=primer, settings={"recall": "100 %"}, history=made("chord_walk"))
        assert [span.chord.name for span in found.chords] == expected

"""Chord symbols and Roman numerals mean what note_seq and music21 say they mean."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.score.harmony.keys import Key
from engine.score.harmony.progressions import parse_progression, read_symbol
from engine.score.notation import NotationError
from engine.score.time import Meter

SUFFIXES = ["", "m", "7", "maj7", "m7", "m7b5", "dim", "o7", "aug", "+", "sus4", "sus2", "6", "m6", "9", "add9"]
SUFFIXES += ["m9", "maj9", "13", "7b9", "5"]
ROOTS = ["C", "C#", "Db", "D", "Eb", "E", "F", "F#", "Gb", "G", "Ab", "A", "Bb", "B"]
DEGREES = {
    "major": "I ii iii IV V vi viio V7 ii7 IVmaj7 viio7 bVII bVI bIII iv III+ V/V V7/ii viio7/V V7/vi ii/V bII #ivo",
    "minor": "i iio III iv v V VI VII viio V7 iv7 viio7 bII V/V V7/III V/iv viio7/V vi",
}

INVERTED = {
    "major": "I63 I64 I65 I43 I42 ii65 ii43 iii42 IV65 IV42 V63 V64 V65 V43 V42 vi43 viio63 viio65 viio43 viiø65 V65/V"
    " V42/ii viio65/V bII63 III+63 iv63",
    "minor": "i63 i64 i42 iiø65 iio63 III65 III42 iv65 iv43 V64 V65 V43 V42 VI63 VI65 VII63 VII65"
    " viio63 viio65 viio42 V65/III",
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_symbols_have_the_pitches_that_note_seq_reads(suffix):
    from note_seq import chord_symbols_lib

    for root in ROOTS:
        chord = read_symbol(root + suffix)
        assert set(chord.pitch_classes) == set(chord_symbols_lib.chord_symbol_pitches(root + suffix))
        over = read_symbol(f"{root}{suffix}/E")
        assert over.lowest == chord_symbols_lib.chord_symbol_bass(f"{root}{suffix}/E") == 4


@pytest.mark.parametrize(
    ("mode", "numeral"), [(mode, numeral) for mode, words in DEGREES.items() for numeral in words.split()]
)
def test_numerals_have_the_pitches_that_music21_reads(mode, numeral):
    from music21 import key, roman

    for tonic in ("C", "F#", "Bb"):
        told = roman.RomanNumeral(numeral, key.Key(tonic.replace("b", "-"), mode))
        chord = read_symbol(numeral).chord(Key.parse(f"{tonic} {mode}"))
        assert set(chord.pitch_classes) == {pitch.pitchClass for pitch in told.pitches}
        assert chord.root == told.root().pitchClass


@pytest.mark.parametrize(
    ("mode", "numeral"), [(mode, numeral) for mode, words in INVERTED.items() for numeral in words.split()]
)
def test_figures_invert_numerals_as_music21_reads_them(mode, numeral):
    from music21 import key, roman

    for tonic in ("C", "F#", "Bb"):
        told = roman.RomanNumeral(numeral, key.Key(tonic.replace("b", "-"), mode))
        chord = read_symbol(numeral).chord(Key.parse(f"{tonic} {mode}"))
        assert set(chord.pitch_classes) == {pitch.pitchClass for pitch in told.pitches}
        assert (chord.root, chord.lowest) == (told.root().pitchClass, told.bass().pitchClass)


@pytest.mark.parametrize(
    ("key", "numeral", "root"),
    [
        ("D dorian", "VII", 0),
        ("D dorian", "IV7", 7),
        ("E phrygian", "II", 5),
        ("F lydian", "II", 7),
        ("F lydian", "#ivo", 11),
        ("G mixolydian", "VII", 5),
        ("G mixolydian", "bVII", 5),
        ("A harmonic minor", "viio7", 8),
        ("A harmonic minor", "VII", 7),
        ("A minor pentatonic", "VI", 5),
        ("C whole tone", "V", 7),
        ("C chromatic", "iii", 4),
    ],
)
def test_degrees_are_those_of_the_mode(key, numeral, root):
    assert read_symbol(numeral).root(Key.parse(key)) == root


@given(st.text(alphabet="ABCDEFGHabcdefgIVXivxm7#b/|%:. 0123456789ost+-°ø~?@[]\n", max_size=24))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused_at_a_place_in_it(text):
    for meter in (Meter(4, 4), Meter(6, 8), Meter(7, 16)):
        found = read_or_refused(text, meter)
        if found is None:
            continue
        spans = found.spans(Key(), 1.0, 3 * found.length + 1)
        assert spans[0].start == 0
        assert spans[-1].end == pytest.approx(3 * found.length + 1)
        for one, other in itertools.pairwise(spans):
            assert one.end == pytest.approx(other.start)
            assert one.chord != other.chord


def read_or_refused(text, meter):
    """The progression, or None where it was refused at a place within the text."""
    try:
        return parse_progression(text, meter)
    except NotationError as error:
        place, message = (error.start, error.end), error.message
    assert 0 <= place[0] < place[1]
    assert place[0] <= len(text)
    assert message
    return None

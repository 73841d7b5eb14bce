"""Facts about chord figures."""

from __future__ import annotations

import pytest

from engine.score.harmony.chords import QUALITIES, Chord, parse_chord

FIGURES = {
    (0, 4, 7): "C CM Cmaj Cma Cmajor C(maj)",
    (0, 3, 7): "Cm Cmin Cmi C- Cminor CMI",
    (0, 3, 6): "Cdim Co C°",
    (0, 4, 8): "C+ Caug C(#5)",
    (0, 4, 7, 10): "C7 C(add7)",
    (0, 4, 7, 11): "Cmaj7 CM7 CΔ C^7 Cma7 CMaj7",
    (0, 3, 7, 10): "Cm7 C-7 Cmin7 CMI7",
    (0, 3, 6, 9): "Cdim7 Co7",
    (0, 3, 6, 10): "Cm7b5 Cø Cø7 C-7b5 C/o7 Cm7(b5)",
    (0, 4, 8, 10): "C+7 Caug7 C7#5 C7+5 C7+",
    (0, 3, 7, 11): "CmM7 Cmmaj7 C-M7 Cm(maj7) CminMaj7 CmM",
    (0, 4, 7, 9): "C6 Cadd6",
    (0, 3, 7, 9): "Cm6 C-6",
    (0, 2, 4, 7, 9): "C6/9 C69 C6add9",
    (0, 2, 4, 7, 10): "C9 C7add9",
    (0, 2, 4, 5, 7, 10): "C11",
    (0, 2, 4, 5, 7, 9, 10): "C13",
    (0, 1, 4, 7, 10): "C7b9 C7(b9) C7/b9 C7addb9 C7-9",
    (0, 3, 4, 7, 10): "C7#9 C7+9",
    (0, 1, 3, 4, 7, 10): "C7b9#9 C7(b9,#9)",
    (0, 1, 3, 4, 8, 10): "C7alt",
    (0, 4, 6, 10): "C7b5 C7-5",
    (0, 5, 7): "Csus Csus4",
    (0, 2, 7): "Csus2",
    (0, 5, 7, 10): "C7sus C7sus4 Csus7 Csus4add7 C7(sus4)",
    (0, 2, 5, 7, 10): "C9sus4 Csus4add7add9",
    (0, 2, 4, 7): "Cadd9 Cadd2 C2",
    (0, 2, 3, 7): "Cm(add9) Cmadd9",
    (0, 7): "C5 Cno3 Comit3",
    (0, 2, 4, 6, 7, 9, 10): "C13#11",
    (0,): "Cped",
}
TRIADS = {
    "major": "C C7 Cmaj9 C6/9 C13 C7b9 Cadd9 C7#9",
    "minor": "Cm Cm7 Cm6 CmM7 Cm11",
    "augmented": "C+ C7#5",
    "diminished": "Cdim Cdim7 Cm7b5",
    "other": "Csus4 C5 C7b5 Cm7#5",
}


@pytest.mark.parametrize(("steps", "figures"), FIGURES.items())
def test_every_spelling_means_its_tones(steps, figures):
    for figure in figures.split():
        chord = parse_chord(figure)
        assert chord is not None
        assert tuple(sorted(chord.pitch_classes)) == steps, figure
        assert chord.pitch_classes[0] == 0


@pytest.mark.parametrize(("triad", "figures"), TRIADS.items())
def test_a_chord_stands_on_its_triad(triad, figures):
    assert {figure: parse_chord(figure).triad for figure in figures.split()} == dict.fromkeys(figures.split(), triad)


@pytest.mark.parametrize(
    ("figure", "chord"),
    [
        ("F#m7b5/E", Chord(6, "m7b5", 4)),
        ("Bb/D", Chord(10, "", 2)),
        ("D/f+", Chord(2, "", 6)),
        ("Gm/b-", Chord(7, "m", 10)),
        ("C/C", Chord(0)),
        ("Bbb", Chord(9)),
        ("E♭maj7", Chord(3, "maj7")),
        ("C min 7", Chord(0, "m7")),
        ("N.C.", None),
        ("NC", None),
        ("CNC", None),
    ],
)
def test_roots_basses_and_silence(figure, chord):
    assert parse_chord(figure) == chord


@pytest.mark.parametrize("figure", ["H", "c", "Cfoo", "C7x", "", "Cminor-13th", "C/", "C/H", "maj7", "C8"])
def test_what_is_no_chord_is_named(figure):
    with pytest.raises(ValueError, match="is not a chord") as error:
        parse_chord(figure)
    assert repr(figure) in str(error.value)


@pytest.mark.parametrize("quality", QUALITIES)
def test_names_are_read_as_what_they_name(quality):
    for bass in (None, 3):
        chord = Chord(2, quality, bass)
        assert parse_chord(chord.name) == chord


def test_a_chord_moves_with_its_bass():
    assert parse_chord("C7/E").transposed(-2) == parse_chord("Bb7/D")
    assert parse_chord("C7/E").lowest == 4
    assert 4 in parse_chord("C")
    assert 6 not in parse_chord("C")


@pytest.mark.models
def test_figures_mean_what_they_mean_to_note_seq():
    from note_seq import chord_symbols_lib as theirs

    kinds = [abbreviation for kind, _ in theirs._CHORD_KINDS for abbreviation in kind if abbreviation != "ped"]
    for kind in kinds:
        for change in ("", "(b9)", "(#11)", "add2", "no5", "(no3)"):
            for bass in ("", "/E"):
                figure = f"F#{kind}{change}{bass}"
                try:
                    expected = set(theirs.chord_symbol_pitches(figure))
                except theirs.ChordSymbolError:
                    continue
                chord = parse_chord(figure)
                assert set(chord.pitch_classes) == expected, figure
                assert (chord.root, chord.lowest) == (6, theirs.chord_symbol_bass(figure))
                assert (*TRIADS,)[theirs.chord_symbol_quality(figure)] == chord.triad, figure

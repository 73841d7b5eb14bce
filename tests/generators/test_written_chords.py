"""Chords that an author writes are heard, in their order, and bass and melody follow them: through plan and conductor.

Which pitches a chord has is told by note_seq's reader of chord figures, and by music21's of Roman numerals.
"""

import itertools

import pytest

from engine.score.time import Meter
from tests.generators.rules.test_pattern import heard_by_part
from tests.scenes.writing import only_error, pointed_at, right

SCENE = """\
perpetuum: 1
title: Written chords
meter: {meter}
tempo: 90 qpm
key: {key}
parts:
  pad: {{generator: {{kind: chord_walk, chords: "{chords}"}}, instrument: warm_pad}}
  bass: {{generator: {{kind: bass_line, style: {style}, chords: pad}}, instrument: round_bass}}
  tune: {{generator: {{kind: melody_rules, chords: pad, density: {density} %}}, instrument: glass_bell}}
  bells: {{generator: {{kind: arpeggio, chords: "{chords}"}}, instrument: glass_bell}}
sections:
  first: {{bars: 16 bars, parts: [pad, bass, tune, bells]}}
  second: {{bars: 7 bars, parts: [pad, bass, tune, bells]}}
"""
STRONG = {"4/4": (0, 2), "3/4": (0,), "6/8": (0, 1.5), "12/8": (0, 3), "5/4": (0, 3), "2/2": (0, 2), "7/8": (0,)}
"""Beats of the main accents of a bar, by any book on meter."""


def follows(rows, chords, bar, strong, bars):
    """(strong beats on which a note sounds, those of them on which it belongs to the chord).

    Args:
        rows: (start, length, pitch, velocity) in beats from the start of the section.
        chords: (start, end, pitch classes) over the section.
    """
    sounding = right_ones = 0
    for beat in (number * bar + place for number in range(bars) for place in strong):
        # What begins within a sixteenth of the beat stands on it.
        pitches = {pitch % 12 for start, length, pitch, _ in rows if start <= beat + 1e-6 < start + length - 1e-6}
        tones = next((tones for start, end, tones in chords if start - 1e-6 <= beat < end - 1e-6), None)
        if pitches and tones is not None:
            sounding += 1
            right_ones += pitches <= tones
    return sounding, right_ones


def oracle(names, lengths, beats):
    """The chords over some beats by note_seq's reader of figures."""
    from note_seq import chord_symbols_lib

    found, now = [], 0.0
    for name, length in itertools.cycle(zip(names, lengths, strict=True)):
        tones = set(chord_symbols_lib.chord_symbol_pitches(name)) | {chord_symbols_lib.chord_symbol_bass(name)}
        found.append((now, now + length, tones))
        now += length
        if now >= beats:
            return found
    return found


SONGS = {"A minor": ["Am", "F", "C", "G"], "C major": ["Dm7", "G7/B", "Cmaj7", "A7", "F#m7b5", "Bb"]}
"""Progressions by key; the second has chords that the key does not know."""


@pytest.mark.parametrize(
    ("meter", "style", "key"),
    [
        *(("4/4", style, "C major") for style in ("root_fifth", "walking", "pulse", "held")),
        ("4/4", "walking", "A minor"),
        *(("3/4", "root_fifth", key) for key in SONGS),
        *(("6/8", "walking", key) for key in SONGS),
        *((meter, "walking", "C major") for meter in ("5/4", "2/2", "7/8", "12/8")),
    ],
)
def test_bass_melody_and_arpeggio_follow_on_strong_beats(tmp_path, meter, style, key):
    bar, names = Meter.parse(meter).beats_per_bar, SONGS[key]
    scene = right(tmp_path, SCENE.format(meter=meter, key=key, chords=" ".join(names), style=style, density=45))
    played = heard_by_part(scene, bars=46)
    for part in ("bass", "tune", "bells"):
        total = good = 0
        for first, rows in played[part].items():
            bars = 16 if first % 23 == 0 else 7
            chords = oracle(names, [bar] * len(names), bars * bar)
            sounding, right_ones = follows(rows, chords, bar, STRONG[meter], bars)
            total, good = total + sounding, good + right_ones
        assert total > 20, part
        assert good >= 0.9 * total, (part, good, total)


@pytest.mark.parametrize(
    ("chords", "meter", "names", "lengths"),
    [
        ("Am F C G", "4/4", ["Am", "F", "C", "G"], [4, 4, 4, 4]),
        ("Am | F C | G", "4/4", ["Am", "F", "C", "G"], [4, 2, 2, 4]),
        ("Am:6 F:2 C/E", "4/4", ["Am", "F", "C/E"], [6, 2, 2]),
        ("Am | F:1 C | % | G", "3/4", ["Am", "F", "C", "F", "C", "G"], [3, 1, 2, 1, 2, 3]),
        ("| Am F | C |", "6/8", ["Am", "F", "C"], [1.5, 1.5, 3]),
        ("Dm G7 C", "7/8", ["Dm", "G7", "C"], [3.5, 3.5, 3.5]),
    ],
)
def test_the_chords_are_heard_in_their_order_and_for_their_lengths(tmp_path, chords, meter, names, lengths):
    bar = Meter.parse(meter).beats_per_bar
    text = SCENE.format(meter=meter, key="C major", chords=chords, style="held", density=30)
    for first, rows in heard_by_part(right(tmp_path, text), bars=39)["pad"].items():
        beats = (16 if first % 23 == 0 else 7) * bar
        wanted = oracle(names, lengths, beats)
        for start, end, tones in wanted:
            until = min(end, beats) - 1e-6
            sounding = {pitch % 12 for at, length, pitch, _ in rows if at < until and at + length > start + 1e-6}
            if start < beats:
                assert sounding <= tones
                assert len(sounding) >= min(3, len(tones))


def test_a_bass_plays_the_root_or_the_written_bass_where_the_chord_changes(tmp_path):
    names = ["C", "C/E", "Bb", "G/F", "F#m7b5"]
    text = SCENE.format(meter="4/4", key="C major", chords=" ".join(names), style="root_fifth", density=45)
    for rows in heard_by_part(right(tmp_path, text), bars=39)["bass"].values():
        for start, _, pitch, _ in rows:
            if start % 4 == 0:
                assert pitch % 12 == (0, 4, 10, 5, 6)[int(start // 4) % 5]


def test_numerals_follow_the_key_of_the_section(tmp_path):
    text = SCENE.format(meter="4/4", key="A minor", chords="i VI III VII", style="held", density=30)
    text = text.replace("second: {", "second: {key: D minor, ")
    played = heard_by_part(right(tmp_path, text), bars=23)["pad"]
    for first, names in ((0, ["Am", "F", "C", "G"]), (16, ["Dm", "Bb", "F", "C"])):
        for start, end, tones in oracle(names, [4] * 4, 28):
            assert {p % 12 for at, _, p, _ in played[first] if start <= at < end} <= tones


def test_a_section_can_have_other_chords(tmp_path):
    text = SCENE.format(meter="4/4", key="A minor", chords="Am F", style="held", density=30)
    text = text.replace("second: {", "second: {move: {pad.chords: Dm | E7, bells.chords: Dm | E7}, ")
    played = heard_by_part(right(tmp_path, text), bars=23)
    for start, end, tones in oracle(["Dm", "E7"], [4, 4], 28):
        assert {p % 12 for at, _, p, _ in played["pad"][16] if start <= at < end} <= tones
    roots = [pitch % 12 for start, _, pitch, _ in played["bass"][16] if start % 4 == 0]
    assert roots == [2, 4] * 3 + [2]


def test_a_progression_begins_anew_with_each_section_and_runs_across_phrases(tmp_path):
    text = SCENE.format(meter="4/4", key="A minor", chords="Am F G", style="held", density=30)
    for rows in heard_by_part(right(tmp_path, text), bars=23)["bass"].values():
        assert [pitch % 12 for start, _, pitch, _ in rows if start % 4 == 0] == [
            (9, 5, 7)[int(start // 4) % 3] for start, *_ in rows if start % 4 == 0
        ]


@pytest.mark.parametrize(
    ("chords", "marked", "message", "meant"),
    [
        ("Am H7 F", "H7", "is German", "B7"),
        ("Am Fis F", "Fis", "is German", "F#"),
        ("am F", "am", "capital letter", "Am"),
        ("C4 E4", "C4", "is a note", "C"),
        ("I IV IX", "IX", "no degree", ""),
        ("I iV", "iV", "no degree", "iv"),
        ("I Vsus464", "sus464", "figure of an inversion", ""),
        ("V/X I", "X", "no degree", ""),
        ("C Cmaj8", "Cmaj8", "no chord", "Cmaj7"),
        ("C ~ F", "~", "chord at every moment", ""),
        ("1 4 5", "1", "no chord", "I"),
        ("Am F:1/3", "F:1/3", "would last 0.333 beats", ""),
        ("Am | F G C | G", "F", "would last 1.33 beats", ""),
        ("Am:3 | F", "|", "no bar ends here", ""),
        ("Am | F:4 C | G", "C", "no room in its bar", ""),
        ("Am F:900", "900", "no length", ""),
        ("% | Am", "%", "repeats the bar before", ""),
        ("Am | | F", "|", "this bar is empty", ""),
    ],
)
def test_a_chord_that_is_wrong_is_pointed_at(tmp_path, chords, marked, message, meant):
    text = SCENE.format(meter="4/4", key="C major", chords=chords, style="held", density=30)
    text = text.replace(f'arpeggio, chords: "{chords}"', "arpeggio, chords: pad")
    found = only_error(tmp_path, text)
    assert pointed_at(found) == marked
    assert message in found.message
    assert found.suggestion == meant


@pytest.mark.parametrize("written", ["pda", "padd", "drums", "bass"])
def test_the_name_of_a_part_is_no_chord(tmp_path, written):
    text = SCENE.format(meter="4/4", key="C major", chords="Am F", style="held", density=30)
    text = text.replace('arpeggio, chords: "Am F"', f"arpeggio, chords: {written}")
    if written == "bass":
        right(tmp_path, text)
        return
    found = only_error(tmp_path, text)
    assert pointed_at(found) == written
    assert "unknown part" in found.message
    assert "Am F C G" in found.expected


def test_a_section_cannot_name_a_part_in_the_place_of_chords(tmp_path):
    text = SCENE.format(meter="4/4", key="C major", chords="Am F", style="held", density=30)
    found = only_error(tmp_path, text.replace("second: {", "second: {move: {tune.chords: bass}, "))
    assert pointed_at(found) == "bass"
    assert "no chord" in found.message

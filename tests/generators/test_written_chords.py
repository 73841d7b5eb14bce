"""Chords that an author writes are heard, in their order, and bass and melody follow them: through plan and conductor.

Which pitches a chord has is told by note_seq's reader of chord figures, and by music21's of Roman numerals.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from engine.score.time import Meter
from tests.generators.test_pattern import heard_by_part
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
SYMBOLS = "Am F C G"
PITCHES = {"Am": {9, 0, 4}, "F": {5, 9, 0}, "C": {0, 4, 7}, "G": {7, 11, 2}}


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


@pytest.mark.parametrize("meter", list(STRONG))
@pytest.mark.parametrize("style", ["root_fifth", "walking", "pulse", "held"])
def test_bass_melody_and_arpeggio_follow_on_strong_beats(tmp_path, meter, style):
    bar = Meter.parse(meter).beats_per_bar
    for names, key in ((["Am", "F", "C", "G"], "A minor"), (["Dm7", "G7/B", "Cmaj7", "A7", "F#m7b5", "Bb"], "C major")):
        scene = right(
            tmp_path, SCENE.format(meter=meter, key=key, chords=" ".join(names), style=style, density=45)
        )
        for part in ("bass", "tune", "bells"):
            total = good = 0
            for first, rows in heard_by_part(scene, bars=69)[part].items():
                bars = 16 if first % 23 == 0 else 7
                chords = oracle(names, [bar] * len(names), bars * bar)
                sounding, right_ones = follows(rows, chords, bar, STRONG[meter], bars)
                total, good = total + sounding, good + right_ones
            assert total > 10, part
            assert good >= 0.9 * total, (part, names, good, total)

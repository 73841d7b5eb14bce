"""Melodies by rules: motifs, chords where they count, endings."""

import numpy as np
import pytest

from engine.generators.chance import stream
from engine.generators.pulse import accent_at
from engine.generators.rules import motif
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import Key
from engine.score.phrase import NOTE, ChordSpan, Origin, Phrase, Provenance
from engine.score.time import Meter
from tests.generators.asking import METERS, made, phrase, pitches


def test_strong_beats_hold_chord_tones_much_more_often_than_weak_ones():
    shares = {True: [], False: []}
    for seed in range(60):
        chords = made("chord_walk", seed=seed)
        melody = made("melody_rules", seed=seed, chords=chords, settings={"density": "70 %"})
        strong = accent_at(Meter(), melody.notes["start"]) >= 0.6
        for note, beat in zip(melody.notes, strong, strict=True):
            chord = next(span.chord for span in chords.chords if span.start <= note["start"] < span.end)
            shares[bool(beat)].append(int(note["pitch"]) in chord)
    assert np.mean(shares[True]) > 0.85
    assert np.mean(shares[True]) > np.mean(shares[False]) + 0.1


def test_what_one_chord_alters_is_not_heard_over_the_others():
    """An A natural belongs to F7 in C minor, and to nothing after it."""
    altered = ChordSpan(0.0, 4.0, Chord(5, "7"), written=True)
    plain = tuple(ChordSpan(beat, beat + 4.0, Chord(root, "m")) for beat, root in ((4.0, 0), (8.0, 5), (12.0, 0)))
    silent = np.zeros(0, NOTE)
    chords = phrase(silent, 16.0, (altered, *plain))
    over = [
        float(note["start"])
        for seed in range(60)
        for note in made("melody_rules", key="C minor", seed=seed, chords=chords, settings={"density": "70 %"}).notes
        if note["pitch"] % 12 == 9
    ]
    assert over
    assert max(over) < 4.0


def test_most_intervals_are_steps_and_thirds():
    sizes = np.concatenate([np.abs(np.diff(pitches(made("melody_rules", seed=seed)))) for seed in range(60)])
    assert np.mean(sizes <= 4) > 0.75
    assert sizes.max() <= 14


def test_a_melody_repeats_its_ideas():
    """The rhythm of the first two bars comes back in most phrases of eight bars."""
    returns = 0
    for seed in range(40):
        found = made("melody_rules", bars=8, seed=seed, settings={"breath": "0 %"})
        rhythms = [tuple(found.slice(start, start + 8).notes["start"].tolist()) for start in (0, 8, 16, 24)]
        returns += rhythms[0] in rhythms[1:]
    assert returns >= 30


@pytest.mark.parametrize("meter", METERS)
def test_a_section_ends_on_a_tone_of_rest_before_a_rest(meter):
    for seed in range(30):
        key = ("D dorian", "Eb major", "A minor pentatonic")[seed % 3]
        chords = made("chord_walk", meter=meter, key=key, seed=seed, section_bars=4)
        found = made("melody_rules", meter=meter, key=key, seed=seed, section_bars=4, chords=chords)
        last = found.notes[-1]
        assert last["end"] <= found.length - 0.5 + 1e-9
        assert int(last["pitch"]) in chords.chords[-1].chord
        if Key.parse(key).tonic in chords.chords[-1].chord.pitch_classes:
            assert int(last["pitch"]) % 12 == Key.parse(key).tonic


def test_within_a_section_phrases_end_on_a_chord_tone():
    for seed in range(30):
        chords = made("chord_walk", seed=seed)
        found = made("melody_rules", seed=seed, chords=chords)
        chord = next(s.chord for s in reversed(chords.chords) if s.start <= found.notes["start"][-1])
        assert int(found.notes["pitch"][-1]) in chord


def test_density_gives_more_notes_and_breath_fewer():
    def count(**settings):
        return sum(len(made("melody_rules", bars=8, seed=seed, settings=settings).notes) for seed in range(20))

    assert count(density="15 %") < count(density="45 %") < count(density="85 %")
    assert count(breath="60 %") < 0.75 * count(breath="0 %")


def test_leaps_widen_the_intervals():
    def width(leaps):
        found = (pitches(made("melody_rules", seed=s, settings={"leaps": leaps, "range": "C4..C6"})) for s in range(40))
        return np.mean(np.concatenate([np.abs(np.diff(line)) for line in found]))

    assert width("0 %") < width("100 %")


def test_a_melody_sings_one_note_at_a_time():
    for seed in range(40):
        notes = made("melody_rules", seed=seed, meter=METERS[seed % 5], settings={"density": "90 %"}).notes
        assert np.all(notes["end"][:-1] <= notes["start"][1:] + 1e-9)


def test_a_primer_is_the_motif():
    primer = phrase([(0, 1, 62, 80), (1.5, 2, 65, 80), (2, 3.5, 69, 80)], beats=4)
    found = made("melody_rules", primer=primer, bars=2, settings={"breath": "0 %"}, section_bars=8)
    assert found.slice(0, 4).notes["start"].tolist() == [0, 1.5, 2]
    first = pitches(found.slice(0, 4))
    assert first[0] < first[1] < first[2]


def test_what_a_network_sang_before_is_taken_up():
    sung = Phrase.of(
        [
            (bar * 4 + at, bar * 4 + at + 0.5, 62 + step, 80)
            for bar in range(4)
            for at, step in ((0, 0), (0.75, 2), (2.5, 3))
        ],
        16.0,
        Provenance("melody_rnn", Origin.NETWORK),
    )
    found = made("melody_rules", history=sung, bars=2, bar=4, settings={"breath": "0 %"})
    assert found.slice(0, 4).notes["start"].tolist() == [0, 0.75, 2.5]


def test_a_variation_keeps_the_beginning_of_an_idea():
    idea = motif.fresh(Meter(), 2, 0.6, 0.2, 0.3, stream(4))
    for seed in range(20):
        other = motif.varied(idea, Meter(), stream(seed))
        assert other.starts[0] == idea.starts[0]
        assert np.all(np.diff(other.starts) > 0)
        assert len(other.starts) == len(other.lengths) == len(other.contour)

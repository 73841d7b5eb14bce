"""Facts about melodies and lead sheets as pieces."""

from __future__ import annotations

import numpy as np
import pytest

from engine.score.harmony.chords import parse_chord
from engine.training.datasets.music.melodies import chord_steps, melody_events, plain_figure
from tests.training.datasets.writing import quarters, read, scale, tune, write_notes, write_scores


def test_melodies_have_offs_where_notes_end_in_silence_and_the_highest_of_a_chord():
    ((_, events),) = melody_events([(0, 4, 60), (4, 6, 62), (4, 7, 67), (8, 20, 65), (18, 20, 64)], 0.0)
    assert len(events) == 32
    told = {step: int(events[step]) for step in np.flatnonzero(events != -2)}
    assert told == {0: 60, 4: 67, 7: -1, 8: 65, 18: 64, 20: -1}


def test_a_long_rest_begins_another_melody_at_a_bar_line():
    parts = melody_events([(0, 8, 60), (50, 54, 62)], 0.0)
    assert [(first, len(part)) for first, part in parts] == [(0, 16), (48, 16)]
    assert parts[1][1][2] == 62


def test_scores_keep_to_the_grid_and_whole_bars(tmp_path):
    good = tune(quarters(32))
    triplets = tune([[64 * k, 64, 60 + k % 5] for k in range(48)])
    six_eight = tune(quarters(32), ts=(6, 8), bar_ticks=288)
    too_long = tune(quarters(32), bar_ticks=480)
    pickup = tune(quarters(33), bars=1)
    pickup["bars"] = [0, *range(96, 96 + 8 * 384, 384)]
    write_scores(tmp_path / "n.jsonl.gz", [good, triplets, six_eight, too_long, pickup])
    pieces, reasons = read("melody", tmp_path)
    assert [len(piece.events) for piece in pieces] == [128, 144]
    assert pieces[1].events[:12].max() == -2
    assert pieces[1].events[12] == 60
    assert reasons == {"off the grid": 1, "meter 6/8": 1, "bars longer than their signature": 1}


def test_only_sung_lines_are_taken_from_scores_with_parts(tmp_path):
    voice = {"lyric": True, "voices": [{"n": [[0, 96, 50]]}, {"n": quarters(32)}]}
    piano = {"lyric": False, "program": "1", "voices": [{"n": quarters(32, pitch=30)}]}
    score = tune([]) | {"parts": [piano, voice]}
    del score["notes"]
    write_scores(tmp_path / "lieder.jsonl.gz", [score])
    ((piece,), _) = read("melody", tmp_path)
    assert piece.events.max() == 64


def test_of_a_midi_file_the_parts_are_melodies_that_play_one_note_at_a_time(tmp_path):
    lead, bass = scale(32, 72), scale(32, 36)
    chords = [(4.0 * k, 4.0 * k + 4, pitch) for k in range(8) for pitch in (60, 64, 67)]
    write_notes(tmp_path / "song.mid", [(0, chords), (80, lead), (33, bass)])
    ((piece,), _) = read("melody", tmp_path)
    assert piece.name == "song#0.0.0"
    assert piece.events[::4].tolist() == [pitch for _, _, pitch in lead]
    ((low,), _) = read("melody", tmp_path, instruments=("bass",))
    assert low.events.max() < 60
    assert read("melody", tmp_path, instruments=("organ",)) == ([], {"none of the instruments": 1})


def test_chords_hold_until_the_next_one_and_bass_notes_alone_are_none():
    figures = chord_steps([(0, "B-"), (1, "d"), (2, "D/f+"), (3, "")], -4.0, 20)
    assert figures.tolist() == [""] * 4 + ["Bb"] * 8 + ["D/F#"] * 8


@pytest.mark.parametrize(
    ("figure", "name"),
    [
        *(("B-", "Bb"), ("E-7", "Eb7"), ("A-m", "Abm"), ("D-", "Db"), ("G-maj7", "Gbmaj7"), ("Gm/b-", "Gm/Bb")),
        *(("C-7", "Cm7"), ("F-", "Fm"), ("Bb7", "Bb7"), ("F#m/C#", "F#m/C#"), ("C(minor-major)", "Cm(maj7)")),
    ],
)
def test_flats_are_understood_however_they_are_spelled(figure, name):
    assert parse_chord(plain_figure(figure)) == parse_chord(name)


def test_lead_sheets_have_the_chords_of_scores_and_of_midi_texts(tmp_path):
    with_chords = tune([[96 * k, 96, 60 + k % 5] for k in range(32)]) | {"chords": [[0, "C"], [384, "G7"]]}
    write_scores(tmp_path / "n.jsonl.gz", [with_chords, tune([[48 * k, 48, 60] for k in range(64)])])
    write_notes(tmp_path / "m.mid", [(80, scale(16, 72))], texts=[(0, "Am"), (8, "F/A")])
    (midi, written), reasons = read("lead_sheet", tmp_path)
    assert reasons == {"no chord symbols": 1}
    assert written.chords is not None
    assert written.chords.tolist() == ["C"] * 16 + ["G7"] * 112
    assert midi.chords is not None
    assert midi.chords.tolist() == ["Am"] * 32 + ["F/A"] * 32

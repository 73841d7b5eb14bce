"""Facts about drums as pieces: grids, grooves, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from engine.score.phrase import NOTE
from engine.training.datasets.formats.midi_files import read_midi
from engine.training.datasets.music.drums import drum_events
from tests.training.datasets.writing import HAT, KICK, SNARE, read, rock, write_drums


def test_drum_hits_become_bit_masks_and_bars_are_whole(tmp_path):
    write_drums(tmp_path / "a.mid", [(0, KICK, 100), (0, HAT, 80), (4, SNARE, 100), (18, 49, 100)])
    score = read_midi((tmp_path / "a.mid").read_bytes())
    events = drum_events(score.notes(is_drum=True), {36: 0, 38: 1, 42: 2, 49: 7})
    assert score.meters == ((0.0, 4, 4),)
    assert len(events) == 32
    assert {int(step): int(events[step]) for step in np.flatnonzero(events)} == {0: 0b101, 4: 0b10, 18: 0b10000000}


def test_ghost_notes_and_unknown_pitches_are_no_hits():
    notes = np.array([(0.0, 0.1, KICK, 100), (0.5, 0.6, SNARE, 30), (1.0, 1.1, SNARE, 90), (1.5, 1.6, 3, 99)], NOTE)
    assert np.flatnonzero(drum_events(notes, {36: 0, 38: 1})).tolist() == [0, 4]


def test_drum_tracks_are_cut_at_silences_and_other_meters_left_out(tmp_path):
    hits = rock(5) + [(step + 16 * 8, pitch, v) for step, pitch, v in rock(4, seed=1)]
    hits += [(16 * 15, KICK, 100)]
    write_drums(tmp_path / "songs" / "two_runs.mid", hits)
    write_drums(tmp_path / "songs" / "waltz.mid", rock(6), numerator=3)
    (tmp_path / "songs" / "broken.mid").write_bytes(b"MThd no more")
    pieces, reasons = read("drums", tmp_path)
    assert [(piece.name, len(piece.events)) for piece in pieces] == [("two_runs#0", 80), ("two_runs#8", 64)]
    assert {piece.source for piece in pieces} == {"songs"}
    assert reasons == {"meter 3/4": 1, "its header is cut off": 1, "shorter than 4 bars": 1}


def test_a_loop_of_its_own_may_be_shorter_than_a_stretch_of_a_song(tmp_path):
    write_drums(tmp_path / "loop.mid", rock(2))
    assert [len(piece.events) for piece in read("drums", tmp_path)[0]] == [32]
    assert read("drums", tmp_path, min_bars=3) == ([], {"shorter than 3 bars": 1})


def test_triplets_are_off_the_grid_unless_less_is_asked_for(tmp_path):
    write_drums(tmp_path / "swung.mid", [(k * 8 / 6, HAT, 90) for k in range(96)])
    assert read("drums", tmp_path)[1] == {"off the grid": 1}
    assert len(read("drums", tmp_path, min_on_grid=0.3)[0]) == 1


def index(folder, rows):
    columns = "id,bpm,beat_type,time_signature,midi_filename,split"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "info.csv").write_text("\n".join([columns, *rows]))


def test_what_an_index_lists_has_its_names_and_its_official_split(tmp_path):
    rows = ["a,120,beat,4-4,a.mid,validation", "b,120,fill,4-4,b.mid,train", "c,120,beat,6-8,c.mid,train"]
    index(tmp_path / "groove", rows)
    for name, bars in (("a", 4), ("b", 1), ("c", 4), ("not_listed", 4)):
        write_drums(tmp_path / "groove" / f"{name}.mid", rock(bars))
    pieces, reasons = read("drums", tmp_path)
    assert [(p.name, p.source, p.split) for p in pieces] == [
        ("a", "groove beat", "validation"), ("b", "groove fill", "train"),
    ]  # fmt: skip
    assert reasons == {"meter 6/8": 1}


def test_grooves_keep_velocity_timing_and_tempo(tmp_path):
    index(tmp_path, ["a,96,beat,4-4,a.mid,test"])
    write_drums(tmp_path / "a.mid", [(0.0, KICK, 127), (4.25, HAT, 64), (17.0, KICK, 30)])
    ((piece,), _) = read("groove", tmp_path)
    assert (piece.split, piece.qpm, piece.events.shape) == ("test", 96.0, (32, 27))
    assert np.argwhere(piece.events[:, :9]).tolist() == [[0, 0], [4, 2], [17, 0]]
    assert piece.events[4, [11, 20]] == pytest.approx([64 / 127, -0.5])


def test_grooves_come_out_of_any_midi_file_with_its_tempo(tmp_path):
    write_drums(tmp_path / "a.mid", [(step + 0.25, pitch, v) for step, pitch, v in rock(4)], qpm=90)
    ((piece,), _) = read("groove", tmp_path)
    assert (piece.name, round(piece.qpm)) == ("a#0", 90)
    assert piece.events[:, 18:][piece.events[:, :9] > 0] == pytest.approx(-0.5)
    assert read("groove", tmp_path, tempo=(100, 140)) == ([], {"tempo outside 100..140": 1})

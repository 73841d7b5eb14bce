"""Facts about reading data sets."""

from __future__ import annotations

import gzip
import json

import mido
import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.training.corpora import drum_events, melody_events, read_corpus
from engine.training.midi_files import midi_notes
from engine.training.pieces import Piece, families, load_pieces, save_pieces, split_by_family

KICK, SNARE, HAT = 36, 38, 42


def write_drums(path, hits, numerator=4):
    """Write (step, pitch, velocity) as a MIDI file at 96 ticks per quarter, channel 10."""
    track = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=numerator, denominator=4)])
    events = sorted(
        [(step * 24, 1, pitch, velocity) for step, pitch, velocity in hits]
        + [(step * 24 + 12, 0, pitch, 0) for step, pitch, _ in hits]
    )
    now = 0
    for tick, on, pitch, velocity in events:
        kind = "note_on" if on else "note_off"
        track.append(mido.Message(kind, channel=9, note=pitch, velocity=velocity, time=int(tick) - now))
        now = int(tick)
    path.parent.mkdir(parents=True, exist_ok=True)
    mido.MidiFile(ticks_per_beat=96, tracks=[track]).save(path)


def rock(bars, seed=0):
    """A backbeat with a random kick here and there."""
    rng = np.random.default_rng(seed)
    hits = []
    for bar in range(bars):
        at = bar * 16
        hits += [(at + step, HAT, 90) for step in range(0, 16, 2)]
        hits += [(at + step, SNARE, 100) for step in (4, 12)]
        hits += [(at + step, KICK, 100) for step in {0, int(rng.integers(16)), int(rng.integers(16))}]
    return hits


def write_scores(path, scores):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for score in scores:
            file.write(json.dumps(score) + "\n")


def tune(notes, bars=8, bar_ticks=384, ts=(4, 4)):
    return {
        "id": "t", "tpq": 96, "ts": [[0, *ts]], "notes": notes, "bars": [k * bar_ticks for k in range(bars)],
    }  # fmt: skip


def quarters(count, pitch=60, start=0):
    return [[start + 96 * k, 96, pitch + k % 5] for k in range(count)]


def test_drum_hits_become_bit_masks_and_bars_are_whole(tmp_path):
    write_drums(tmp_path / "a.mid", [(0, KICK, 100), (0, HAT, 80), (4, SNARE, 100), (18, 49, 100)])
    notes, meters = midi_notes(tmp_path / "a.mid", drums=True)
    events = drum_events(notes, {36: 0, 38: 1, 42: 2, 49: 7})
    assert meters == [(0.0, 4, 4)]
    assert len(events) == 32
    assert {int(step): int(events[step]) for step in np.flatnonzero(events)} == {0: 0b101, 4: 0b10, 18: 0b10000000}


def test_ghost_notes_and_unknown_pitches_are_no_hits():
    notes = np.array([[0.0, 0.5, KICK, 100], [2.0, 2.5, SNARE, 30], [4.0, 4.5, SNARE, 90], [6.0, 6.5, 3, 99]])
    events = drum_events(notes, {36: 0, 38: 1})
    assert np.flatnonzero(events).tolist() == [0, 4]


def test_drum_tracks_are_cut_at_silences_and_other_meters_left_out(tmp_path):
    hits = rock(5) + [(step + 16 * 8, pitch, v) for step, pitch, v in rock(4, seed=1)]
    write_drums(tmp_path / "songs" / "two_runs.mid", hits)
    write_drums(tmp_path / "songs" / "waltz.mid", rock(6), numerator=3)
    (tmp_path / "songs" / "broken.mid").write_bytes(b"MThd no more")
    pieces = list(read_corpus("drums", tmp_path))
    assert [(piece.name, len(piece.events)) for piece in pieces] == [("two_runs#0", 80), ("two_runs#8", 64)]
    assert {piece.source for piece in pieces} == {"songs"}


def test_grooves_keep_their_official_split(tmp_path):
    columns = "id,bpm,beat_type,time_signature,midi_filename,split"
    rows = [columns, "a,120,beat,4-4,a.mid,validation", "b,120,fill,4-4,b.mid,train", "c,120,beat,6-8,a.mid,train"]
    (tmp_path / "groove").mkdir()
    (tmp_path / "groove" / "info.csv").write_text("\n".join(rows))
    write_drums(tmp_path / "groove" / "a.mid", rock(4))
    write_drums(tmp_path / "groove" / "b.mid", rock(2, seed=1))
    pieces = split_by_family(list(read_corpus("drums", tmp_path)))
    assert [(p.name, p.source, p.split) for p in pieces] == [
        ("a", "groove beat", "validation"), ("b", "groove fill", "train"),
    ]  # fmt: skip


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
    path = tmp_path / "nottingham" / "n.jsonl.gz"
    good = tune(quarters(32))
    triplets = tune([[64 * k, 64, 60 + k % 5] for k in range(48)])
    six_eight = tune(quarters(32), ts=(6, 8), bar_ticks=288)
    too_long = tune(quarters(32), bar_ticks=480)
    pickup = tune(quarters(33), bars=1)
    pickup["bars"] = [0, *range(96, 96 + 8 * 384, 384)]
    write_scores(path, [good, triplets, six_eight, too_long, pickup])
    pieces = list(read_corpus("melody", tmp_path))
    assert [len(piece.events) for piece in pieces] == [128, 144]
    assert pieces[1].events[:12].max() == -2
    assert pieces[1].events[12] == 60


def test_only_sung_lines_are_taken_from_scores_with_parts(tmp_path):
    voice = {"lyric": True, "voices": [{"n": [[0, 96, 50]]}, {"n": quarters(32)}]}
    piano = {"lyric": False, "voices": [{"n": quarters(32, pitch=30)}]}
    score = tune([]) | {"parts": [piano, voice]}
    del score["notes"]
    write_scores(tmp_path / "openscore_lieder" / "l.jsonl.gz", [score])
    (piece,) = read_corpus("melody", tmp_path)
    assert piece.events.max() == 64


def test_versions_of_one_tune_stay_in_one_split():
    rng = np.random.default_rng(0)
    pieces = []
    for k in range(60):
        pitches = rng.integers(55, 80, 32)
        for version, shift in enumerate((0, 3)):
            events = np.full(128, -2, np.int16)
            events[::4] = pitches + shift
            events[-4] = 60 + version
            pieces.append(Piece(f"{k}.{version}", "s", "", events))
    split = split_by_family(pieces, validation=0.3, test=0.3)
    assert len({piece.split for piece in split}) == 3
    for a, b in zip(split[::2], split[1::2], strict=True):
        assert a.split == b.split
    assert len(set(families(pieces))) == 60


def test_exact_duplicates_are_dropped():
    events = np.arange(64, dtype=np.int16)
    assert len(split_by_family([Piece("a", "s", "", events), Piece("b", "s", "", events.copy())])) == 1


def test_pieces_survive_saving(tmp_path):
    pieces = [Piece("a", "s", "train", np.arange(16, dtype=np.int16)), Piece("b", "t", "test", np.zeros(32, np.int16))]
    save_pieces(tmp_path / "p.npz", pieces)
    for before, after in zip(pieces, load_pieces(tmp_path / "p.npz"), strict=True):
        assert (before.name, before.source, before.split) == (after.name, after.source, after.split)
        np.testing.assert_array_equal(before.events, after.events)


def test_an_unreadable_pieces_file_and_an_empty_folder_are_clear_errors(tmp_path):
    (tmp_path / "p.npz").write_bytes(b"nothing")
    with pytest.raises(PerpetuumError, match="cannot read the prepared pieces"):
        load_pieces(tmp_path / "p.npz")
    with pytest.raises(PerpetuumError, match="no drums found"):
        list(read_corpus("drums", tmp_path))

"""Facts about reading music for several voices, performances, lead sheets and grooves."""

from __future__ import annotations

import gzip
import json

import mido
import numpy as np
import pytest

from engine.training.corpora import chord_steps, read_corpus
from engine.training.pieces import load_pieces, save_pieces, split_by_family
from engine.training.polyphony import performed_notes
from tests.training.test_corpora import HAT, KICK, tune, write_drums, write_scores


def rows(notes) -> list[tuple]:
    return [tuple(note) for note in notes.tolist()]


def piano(messages) -> mido.MidiFile:
    """Messages as (seconds since the last, MIDI message)."""
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    track += [message.copy(time=round(seconds * 960)) for seconds, message in messages]
    return mido.MidiFile(ticks_per_beat=480, tracks=[track])


def on(pitch, velocity=70):
    return mido.Message("note_on", note=pitch, velocity=velocity)


def off(pitch):
    return mido.Message("note_off", note=pitch)


def pedal(value):
    return mido.Message("control_change", control=64, value=value)


def test_equal_pitches_of_a_voice_are_one_note_and_the_official_split_holds(tmp_path):
    steps = [[72, 67, 64, 48]] * 4 + [[74, 67, -1, 48]] * 4
    with gzip.open(tmp_path / "Jsb16thSeparated.json.gz", "wt") as file:
        json.dump({"train": [steps], "valid": [steps[:2]], "test": [steps[4:]]}, file)
    pieces = split_by_family(list(read_corpus("polyphony", tmp_path)))
    assert [piece.split for piece in pieces] == ["train", "validation", "test"]
    assert rows(pieces[0].events) == [
        (0.0, 2.0, 48, 100), (0.0, 1.0, 64, 100), (0.0, 2.0, 67, 100), (0.0, 1.0, 72, 100), (1.0, 2.0, 74, 100),
    ]  # fmt: skip


def test_scores_with_bars_longer_than_their_signature_are_left_out(tmp_path):
    notes = [[24 * k, 24, 60 + k % 7] for k in range(80)]
    score = {
        "id": "a", "tpq": 96, "ts": [[0, 4, 4], [768, 3, 4]], "bars": [0, 384, 768, 1056, 1344],
        "parts": [{"voices": [{"n": notes}]}, {"voices": [{"n": [[0, 1920, 40]]}]}],
    }  # fmt: skip
    write_scores(tmp_path / "quartets.jsonl.gz", [score, {**score, "id": "b", "ts": [[0, 3, 4]]}])
    (piece,) = read_corpus("polyphony", tmp_path)
    assert piece.name == "a"
    assert rows(piece.events)[0] == (0.0, 20.0, 40, 100)


def test_loose_playing_is_no_polyphony_on_a_grid(tmp_path):
    exact = [(0.0, on(60)), *[(0.125, m) for k in range(20) for m in (off(60 + k), on(61 + k))], (0.125, off(80))]
    loose = [(0.0, on(60)), *[(0.171, m) for k in range(20) for m in (off(60 + k), on(61 + k))], (0.171, off(80))]
    piano(exact).save(tmp_path / "exact.mid")
    piano(loose).save(tmp_path / "loose.mid")
    assert [piece.name for piece in read_corpus("polyphony", tmp_path)] == ["exact"]


def test_the_pedal_holds_notes_until_it_is_lifted_or_they_are_struck_again():
    midi = piano([
        (0.0, pedal(127)), (0.0, on(60)), (1.0, off(60)), (1.0, on(64)), (1.0, on(60, 50)), (0.5, off(60)),
        (0.5, pedal(0)), (1.0, off(64)),
    ])  # fmt: skip
    found = sorted((round(start, 3), round(end, 3), pitch, v) for start, end, pitch, v in performed_notes(midi))
    assert found == [(0.0, 3.0, 60, 70), (2.0, 5.0, 64, 70), (3.0, 4.0, 60, 50)]


def test_performances_are_in_seconds(tmp_path):
    midi = piano([(0.0, on(60)), *[(0.25, m) for k in range(70) for m in (off(60 + k % 9), on(60 + (k + 1) % 9))]])
    midi.save(tmp_path / "etude.mid")
    (piece,) = read_corpus("performance", tmp_path)
    assert piece.events["start"][3] == pytest.approx(1.5)


def test_chords_hold_until_the_next_one_and_bass_notes_alone_are_none():
    figures = chord_steps([(0, "B-"), (96, "d"), (192, "D/f+"), (288, "")], 24.0, -4.0, 20)
    assert figures.tolist() == [""] * 4 + ["Bb"] * 8 + ["D/F#"] * 8


def test_lead_sheets_keep_melody_and_chords_together_in_a_prepared_file(tmp_path):
    with_chords = tune([[96 * k, 96, 60 + k % 5] for k in range(32)]) | {"chords": [[0, "C"], [384, "G7"]]}
    write_scores(tmp_path / "nottingham" / "n.jsonl.gz", [with_chords, tune([[48 * k, 48, 60] for k in range(64)])])
    pieces = list(read_corpus("lead_sheet", tmp_path))
    save_pieces(tmp_path / "p.npz", pieces)
    (piece,) = load_pieces(tmp_path / "p.npz")
    assert piece.chords is not None
    assert piece.chords.tolist() == ["C"] * 16 + ["G7"] * 112
    assert piece.events[::4].tolist() == [60 + k % 5 for k in range(32)]


def test_grooves_keep_velocity_timing_and_tempo(tmp_path):
    (tmp_path / "info.csv").write_text("id,bpm,beat_type,time_signature,midi_filename,split\na,96,beat,4-4,a.mid,test")
    write_drums(tmp_path / "a.mid", [(0.0, KICK, 127), (4.25, HAT, 64), (17.0, KICK, 30)])
    pieces = list(read_corpus("groove", tmp_path))
    save_pieces(tmp_path / "p.npz", pieces)
    (piece,) = load_pieces(tmp_path / "p.npz")
    assert (piece.split, piece.qpm, piece.events.shape) == ("test", 96.0, (32, 27))
    assert np.argwhere(piece.events[:, :9]).tolist() == [[0, 0], [4, 2], [17, 0]]
    assert piece.events[4, [11, 20]] == pytest.approx([64 / 127, -0.5])

"""Facts about music for several voices, and performances, as pieces."""

from __future__ import annotations

import gzip
import json

import mido
import pytest

from engine.training.datasets.formats.midi_files import read_midi
from tests.training.datasets.writing import quarters, read, tune, write_scores


def rows(notes) -> list[tuple]:
    return [(round(start, 6), round(end, 6), pitch, velocity) for start, end, pitch, velocity in notes.tolist()]


def piano(path, messages):
    """Write messages, as (seconds since the last, MIDI message)."""
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    track += [message.copy(time=round(seconds * 960)) for seconds, message in messages]
    mido.MidiFile(ticks_per_beat=480, tracks=[track]).save(path)


def on(pitch, velocity=70):
    return mido.Message("note_on", note=pitch, velocity=velocity)


def off(pitch):
    return mido.Message("note_off", note=pitch)


def pedal(value):
    return mido.Message("control_change", control=64, value=value)


def tempo(qpm):
    return mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(qpm))


def test_equal_pitches_of_a_voice_are_one_note_and_the_official_split_holds(tmp_path):
    steps = [[72, 67, 64, 48]] * 4 + [[74, 67, -1, 48]] * 4 + [[72, 65, 62, 50], [74, 66, 63, 51]] * 4
    with gzip.open(tmp_path / "Jsb16thSeparated.json.gz", "wt") as file:
        json.dump({"train": [steps], "valid": [steps[:10]], "test": [steps[4:]]}, file)
    pieces, reasons = read("polyphony", tmp_path)
    assert [(piece.name, piece.split) for piece in pieces] == [("train0", "train"), ("test0", "test")]
    assert reasons == {"fewer than 16 notes": 1}
    assert rows(pieces[0].events)[:5] == [
        (0.0, 2.0, 48, 100), (0.0, 1.0, 64, 100), (0.0, 2.0, 67, 100), (0.0, 1.0, 72, 100), (1.0, 2.0, 74, 100),
    ]  # fmt: skip
    assert read("melody", tmp_path)[1] == {"no meter": 3}


def test_scores_with_bars_longer_than_their_signature_are_left_out(tmp_path):
    notes = [[24 * k, 24, 60 + k % 7] for k in range(80)]
    score = {
        "id": "a", "tpq": 96, "ts": [[0, 4, 4], [768, 3, 4]], "bars": [0, 384, 768, 1056, 1344],
        "parts": [{"voices": [{"n": notes}]}, {"voices": [{"n": [[0, 1920, 40]]}]}],
    }  # fmt: skip
    write_scores(tmp_path / "quartets.jsonl.gz", [score, {**score, "id": "b", "ts": [[0, 3, 4]]}])
    (piece,), reasons = read("polyphony", tmp_path)
    assert (piece.name, reasons) == ("a", {"bars longer than their signature": 1})
    assert rows(piece.events)[0] == (0.0, 20.0, 40, 100)
    assert read("polyphony", tmp_path, meters=((4, 4),))[1] == {"meter 3/4": 2}


def test_loose_playing_is_no_polyphony_on_a_grid(tmp_path):
    for name, length in (("exact", 0.125), ("loose", 0.171)):
        moves = [(length, m) for k in range(20) for m in (off(60 + k), on(61 + k))]
        piano(tmp_path / f"{name}.mid", [(0.0, on(60)), *moves, (length, off(80))])
    pieces, reasons = read("polyphony", tmp_path)
    assert ([piece.name for piece in pieces], reasons) == (["exact"], {"off the grid": 1})


def test_the_pedal_holds_notes_until_it_is_lifted_or_they_are_struck_again(tmp_path):
    piano(tmp_path / "p.mid", [
        (0.0, pedal(127)), (0.0, on(60)), (1.0, off(60)), (1.0, on(64)), (1.0, on(60, 50)), (0.5, off(60)),
        (0.5, pedal(0)), (1.0, off(64)),
    ])  # fmt: skip
    score = read_midi((tmp_path / "p.mid").read_bytes())
    assert rows(score.performed) == [(0.0, 3.0, 60, 70), (2.0, 5.0, 64, 70), (3.0, 4.0, 60, 50)]
    assert rows(score.parts[0].notes) == [(0.0, 2.0, 60, 70), (4.0, 10.0, 64, 70), (6.0, 7.0, 60, 50)]


def test_performances_are_in_seconds_through_changes_of_tempo(tmp_path):
    moves = [(0.25, m) for k in range(70) for m in (off(60 + k % 9), on(60 + (k + 1) % 9))]
    piano(tmp_path / "etude.mid", [(0.0, on(60)), *moves[:4], (0.0, tempo(60)), *moves[4:], (0.25, off(67))])
    ((piece,), _) = read("performance", tmp_path)
    assert piece.events["start"][:5] == pytest.approx([0.0, 0.5, 1.0, 2.0, 3.0])
    assert piece.qpm == 120.0


def test_an_index_as_maestros_gives_splits(tmp_path):
    moves = [(0.25, m) for k in range(70) for m in (off(60 + k % 9), on(60 + (k + 1) % 9))]
    (tmp_path / "maestro" / "2018").mkdir(parents=True)
    piano(tmp_path / "maestro" / "2018" / "etude.midi", [(0.0, on(60)), *moves, (0.25, off(67))])
    columns = "canonical_composer,split,year,midi_filename\nLiszt,validation,2018,2018/etude.midi"
    (tmp_path / "maestro" / "maestro.csv").write_text(columns)
    ((piece,), _) = read("performance", tmp_path)
    assert (piece.name, piece.source, piece.split) == ("etude", "maestro", "validation")


def test_a_score_is_no_performance(tmp_path):
    write_scores(tmp_path / "s.jsonl.gz", [tune(quarters(100))])
    assert read("performance", tmp_path) == ([], {"written, not played": 1})

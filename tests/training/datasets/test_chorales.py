"""Four voices as pieces: from the benchmark's file and from MIDI."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks.chorale.notes import to_notes, voice_notes
from engine.score.midi.writing import write_piece
from engine.score.piece import Piece, Track
from engine.training.datasets import DatasetSettings, build
from engine.training.datasets.contents import contents_of_pieces
from engine.training.datasets.music.kinds import unique_pitches
from tests.networks.chorale.test_network import random_piece


def built(folder):
    return build([folder], DatasetSettings("chorale"), jobs=1).pieces


def test_the_chorales_of_the_benchmark_come_back_voice_by_voice_in_their_splits(tmp_path):
    pieces = {name: [random_piece(64, seed)] for seed, name in enumerate(("train", "valid", "test"))}
    text = json.dumps({name: [piece.tolist() for piece in found] for name, found in pieces.items()})
    (tmp_path / "Jsb16thSeparated.json.gz").write_bytes(gzip.compress(text.encode()))
    found = {piece.split: piece.events for piece in built(tmp_path)}
    for split, name in (("train", "train"), ("validation", "valid"), ("test", "test")):
        assert (found[split] == pieces[name][0]).all()


def test_four_tracks_of_a_midi_file_are_voices_by_height(tmp_path):
    piece = np.repeat(np.array([[72, 67, 60, 48], [74, 65, 62, 50], [76, 67, 60, 48], [72, 67, 60, 36]]), 16, axis=0)
    tracks = [Track(voice_notes(piece, voice), f"{voice}") for voice in (2, 0, 3, 1)]
    write_piece(tmp_path / "a.mid", Piece(tuple(tracks), 90.0))
    (found,) = built(tmp_path)
    assert (found.events == piece).all()
    assert unique_pitches(found) == len(np.unique(piece))


def test_other_numbers_of_voices_are_no_chorale(tmp_path):
    piece = random_piece(64)
    write_piece(tmp_path / "a.mid", Piece(tuple(Track(voice_notes(piece, voice)) for voice in range(3)), 90.0))
    with pytest.raises(PerpetuumError, match="not four voices"):
        built(tmp_path)


def test_statistics_count_the_notes_of_all_voices(tmp_path):
    piece = random_piece(64, 3)
    write_piece(tmp_path / "a.mid", Piece(tuple(Track(voice_notes(piece, voice)) for voice in range(4)), 90.0))
    assert contents_of_pieces(built(tmp_path), "chorale").notes == pytest.approx(len(to_notes(piece)), abs=2)

"""Facts about which pieces are the same music, or related, and about splits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.score.phrase import NOTE
from engine.training.datasets.dataset import open_dataset
from engine.training.datasets.kinship import duplicates, families, split_by_family
from engine.training.datasets.pieces import DatasetPiece, save_pieces


def melody(pitches, name="m"):
    events = np.full(4 * len(pitches), -2, np.int16)
    events[::4] = pitches
    return DatasetPiece(name, "s", "", events)


def played(seed, name="p", count=300, wrong=0.0, tempo=1.0, shift=0, jitter=0.0, first=0):
    """A performance of the composition of a seed."""
    composition = np.random.default_rng(seed)
    pitches = 60 + composition.integers(0, 24, count)
    starts = np.cumsum(composition.choice([0.1, 0.2, 0.4], count)) * tempo
    hands = np.random.default_rng(99)
    pitches = np.where(hands.random(count) < wrong, pitches + 1, pitches) + shift
    starts = starts + hands.uniform(0, jitter, count)
    rows = [(start, start + 0.1, pitch, 80) for start, pitch in zip(starts, pitches, strict=True)]
    return DatasetPiece(name, "s", "", np.array(rows, NOTE)[first:])


def test_versions_of_one_tune_stay_in_one_split():
    rng = np.random.default_rng(0)
    pieces = []
    for k in range(60):
        pitches = rng.integers(55, 80, 32)
        for version, shift in enumerate((0, 3)):
            piece = melody(pitches + shift, f"{k}.{version}")
            piece.events[-4] = 60 + version
            pieces.append(piece)
    split = split_by_family(pieces, validation=0.3, test=0.3)
    assert len({piece.split for piece in split}) == 3
    for a, b in zip(split[::2], split[1::2], strict=True):
        assert a.split == b.split
    assert len(set(families(pieces))) == 60


def test_two_performances_of_one_composition_are_related_and_two_compositions_are_not():
    pieces = [
        played(1, "a"),
        played(1, "b", wrong=0.05, tempo=1.3, shift=2, jitter=0.01),
        played(1, "c", first=150, wrong=0.05, tempo=0.9),
        played(2, "d"),
    ]
    groups = families(pieces)
    assert groups[0] == groups[1] == groups[2] != groups[3]
    assert duplicates(pieces) == set()


def test_relatives_of_what_is_officially_held_out_are_held_out_too():
    official = DatasetPiece("o", "bach", "test", played(1).events)
    split = split_by_family([official, *(played(k, f"p{k}", wrong=0.02) for k in range(1, 9))])
    assert split[1].split == "test"
    assert {piece.split for piece in split[2:]} >= {"train"}


def test_the_same_music_is_a_duplicate_in_any_key_and_rounding():
    tune = np.random.default_rng(0).integers(55, 80, 32)
    assert duplicates([melody(tune, "a"), melody(tune + 2, "b"), melody(tune[::-1], "c")]) == {1}
    assert duplicates([played(1, "a"), played(1, "b", shift=5, jitter=0.004), played(2, "c")]) == {1}
    drums = np.random.default_rng(0).integers(0, 8, 64).astype(np.int16)
    assert duplicates(
        [
            DatasetPiece("a", "s", "", drums),
            DatasetPiece("b", "s", "", drums.copy()),
            DatasetPiece("c", "s", "", drums + 1),
        ]
    ) == {1}


def test_another_seed_gives_other_splits_and_the_shares_are_kept():
    pieces = [melody(np.random.default_rng(k).integers(50, 80, 32), str(k)) for k in range(200)]
    splits = [[piece.split for piece in split_by_family(pieces, 0.2, 0.1, seed)] for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]
    for split in splits:
        assert 20 <= split.count("validation") <= 60
        assert 8 <= split.count("test") <= 35


def test_of_few_pieces_each_split_has_one():
    for count, expected in ((1, {"train"}), (2, {"train", "validation"}), (3, {"train", "validation", "test"})):
        pieces = [melody(np.random.default_rng(k).integers(50, 80, 32), str(k)) for k in range(count)]
        assert {piece.split for piece in split_by_family(pieces)} == expected


def test_of_two_data_sets_none_trains_on_versions_of_what_the_other_holds_out(tmp_path):
    rng = np.random.default_rng(0)
    tune, other, third = (rng.integers(55, 80, 32) for _ in range(3))
    sets = {
        "a": [("train", tune), ("test", other), ("train", third)],
        "b": [("test", tune + 3), ("train", other), ("validation", third)],
    }
    paths = []
    for name, found in sets.items():
        pieces = [replace(melody(pitches, f"m{k}"), split=split) for k, (split, pitches) in enumerate(found)]
        paths.append(tmp_path / f"{name}.npz")
        save_pieces(paths[-1], pieces)
    joined = open_dataset(paths, "basic_rnn")
    assert [piece.split for piece in joined.pieces] == ["test", "test", "validation"]
    assert "3 left out, for another data set holds out versions of them" in joined.describe()
    assert open_dataset(paths[:1], "basic_rnn").kin == 0

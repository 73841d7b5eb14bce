"""Facts about building data sets: folders in, pieces and a manifest out."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.training.datasets import (
    Augmentation,
    DatasetPiece,
    DatasetSettings,
    Filters,
    augmentation_of,
    build,
    load_pieces,
    open_dataset,
    save_pieces,
    write_dataset,
)
from engine.training.datasets.cache import Cache, Found
from engine.training.datasets.workers import Died, Pool
from tests.training.datasets.behaving import behave
from tests.training.datasets.test_kinship import melody
from tests.training.datasets.writing import rock, scale, write_drums, write_notes


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Twelve songs, a copy, a waltz, and broken files."""
    folder = tmp_path_factory.mktemp("music") / "songs"
    for k in range(12):
        write_drums(folder / f"s{k:02d}.mid", rock(8, seed=k))
    write_drums(folder / "copy.mid", rock(8, seed=0))
    write_drums(folder / "waltz.mid", rock(4), numerator=3)
    (folder / "empty.mid").write_bytes(b"")
    (folder / "text.mid").write_text("no music")
    return folder


@pytest.fixture(scope="module")
def built(songs, tmp_path_factory):
    """The songs as a data set, in a folder."""
    folder = tmp_path_factory.mktemp("built")
    made = build([songs], DatasetSettings("drum_kit"), folder / "cache" / "read.sqlite", jobs=1)
    write_dataset(folder, made)
    return folder


def test_the_manifest_tells_what_became_of_every_file(built):
    manifest = json.loads((built / "manifest.json").read_text())
    files = {file["path"]: (file["state"], file.get("reason")) for file in manifest["files"]}
    assert files.pop("waltz.mid") == ("skipped", "meter 3/4")
    assert files.pop("empty.mid") == ("skipped", "empty file")
    assert files.pop("text.mid") == ("skipped", "not a MIDI file")
    # The copy comes first, so that the song is the duplicate.
    assert files.pop("s00.mid") == ("duplicate", None)
    assert set(files.values()) == {("used", None)}
    assert all(len(file["sha256"]) == 64 for file in manifest["files"])
    assert (manifest["kind"], manifest["config"]) == ("drums", "drum_kit")
    assert sum(split["pieces"] for split in manifest["splits"].values()) == 12
    assert sum(split["bars"] for split in manifest["splits"].values()) == 96


def test_building_twice_gives_the_same_bytes_with_and_without_a_cache(songs, built, tmp_path):
    cache = built / "cache" / "read.sqlite"
    for folder, kept in (("from_cache", cache), ("anew", None)):
        write_dataset(tmp_path / folder, build([songs], DatasetSettings("drum_kit"), kept, jobs=2))
        for name in ("pieces.npz", "manifest.json"):
            assert (tmp_path / folder / name).read_bytes() == (built / name).read_bytes(), (folder, name)


def test_duplicates_are_kept_if_one_asks_for_them(songs, built):
    made = build([songs], DatasetSettings("drum_kit", keep_duplicates=True), built / "cache" / "read.sqlite")
    assert {"copy#0", "s00#0"} <= {piece.name for piece in made.pieces}
    assert len(made.pieces) == 13


def test_a_copy_of_what_is_officially_held_out_is_not_learnt_from(tmp_path):
    for name, seed in (("mine/copy.mid", 0), ("set/held.mid", 0), ("set/other.mid", 1)):
        write_drums(tmp_path / name, rock(8, seed=seed))
    (tmp_path / "set" / "index.csv").write_text("midi_filename,split\nheld.mid,test\nother.mid,train\n")
    made = build([tmp_path / "mine", tmp_path / "set"], DatasetSettings("drum_kit"), jobs=1)
    assert {(piece.name, piece.split) for piece in made.pieces} == {("held#0", "test"), ("other#0", "train")}


def test_a_build_that_was_stopped_goes_on_where_it_was(songs, built, tmp_path, monkeypatch):
    def stop(done, total):
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build([songs], DatasetSettings("drum_kit"), tmp_path / "read.sqlite", jobs=1, progress=stop)
    read, through = [], Pool.map
    monkeypatch.setattr(Pool, "map", lambda self, jobs: through(self, (read.append(job) or job for job in jobs)))
    write_dataset(tmp_path / "set", build([songs], DatasetSettings("drum_kit"), tmp_path / "read.sqlite", jobs=1))
    assert len(read) == 10
    assert (tmp_path / "set" / "pieces.npz").read_bytes() == (built / "pieces.npz").read_bytes()


def test_a_name_that_is_no_text_is_no_obstacle(tmp_path):
    write_drums(tmp_path / "music" / os.fsdecode(b"b\xff.mid"), rock(4))
    made = build([tmp_path / "music"], DatasetSettings("drum_kit"), jobs=1)
    write_dataset(tmp_path / "set", made)
    assert [piece.name for piece in open_dataset([tmp_path / "set"], "drum_kit").pieces] == ["b\\xff#0"]


def test_what_is_in_the_cache_is_not_read_again(songs, built, monkeypatch):
    monkeypatch.setattr(Pool, "_begin", lambda self: pytest.fail("a process was begun"))
    told = []
    cache = built / "cache" / "read.sqlite"
    build([songs], DatasetSettings("drum_kit"), cache, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (16, 16)


def test_a_broken_cache_is_made_anew(tmp_path):
    (tmp_path / "read.sqlite").write_bytes(b"no database" * 100)
    cache = Cache(tmp_path / "read.sqlite")
    cache.put("key", Found([melody([60, 62], "#0")], Counter({"too short": 2})))
    cache.close()
    found = Cache(tmp_path / "read.sqlite").get("key")
    assert found is not None
    assert ([piece.name for piece in found.pieces], found.dropped, found.reason) == (["#0"], {"too short": 2}, "")


def test_a_data_set_that_was_built_is_opened_with_its_augmentation(songs, tmp_path):
    write_notes(tmp_path / "music" / "m.mid", [(0, scale(64))])
    settings = DatasetSettings("attention_rnn", augmentation=Augmentation((-2, 2)))
    write_dataset(tmp_path / "set", build([tmp_path / "music"], settings, jobs=1))
    opened = open_dataset([tmp_path / "set"], "attention_rnn")
    assert (opened.augmentation, opened.kind, len(opened.pieces)) == (Augmentation((-2, 2)), "melody", 1)
    assert opened.manifest is not None
    assert opened.describe().startswith("1 piece of melody (")
    with pytest.raises(PerpetuumError, match="a data set of melody, but drum_kit is trained on drums"):
        open_dataset([tmp_path / "set"], "drum_kit")
    with pytest.raises(PerpetuumError, match="raw music beside a data set"):
        open_dataset([tmp_path / "set", songs], "attention_rnn")


def test_raw_music_and_a_bare_file_of_pieces_are_opened_too(songs, built, tmp_path):
    raw, bare = open_dataset([songs], "drum_kit"), open_dataset([built / "pieces.npz"], "drum_kit")
    assert [piece.name for piece in raw.pieces] == [piece.name for piece in bare.pieces]
    assert (bare.manifest, bare.augmentation) == (None, augmentation_of("drum_kit"))
    assert len(raw.split("train")) + len(raw.split("validation")) + len(raw.split("test")) == 12


def test_nothing_usable_is_an_error_that_says_why(songs, tmp_path):
    with pytest.raises(PerpetuumError, match=r"no lead sheet found in 16 files .*no chord symbols"):
        build([songs], DatasetSettings("chord_pitches_improv"), jobs=1)
    with pytest.raises(PerpetuumError, match="no music in it"):
        build([tmp_path], DatasetSettings("drum_kit"))
    with pytest.raises(PerpetuumError, match="there is no file or folder"):
        build([tmp_path / "nowhere"], DatasetSettings("drum_kit"))


@pytest.mark.parametrize(
    ("config", "settings", "said"),
    [
        ("drum_kit", {"filters": Filters(meters=((3, 4),))}, "--meter 3/4"),
        ("drum_kit", {"filters": Filters(instruments=("piano",))}, "--instruments"),
        ("attention_rnn", {"filters": Filters(instruments=("kazoo",))}, "'kazoo' is no instrument"),
        ("drum_kit", {"augmentation": Augmentation((-1, 1))}, "--transpose"),
        ("attention_rnn", {"augmentation": Augmentation(stretch=(0.9, 1.1))}, "--stretch"),
        ("performance", {"filters": Filters(min_bars=2)}, "no bars"),
    ],
)
def test_settings_that_mean_nothing_for_the_kind_of_music_are_refused(songs, config, settings, said):
    with pytest.raises(PerpetuumError, match=said):
        build([songs], DatasetSettings(config, **settings))


def test_pieces_survive_saving_and_an_unreadable_file_is_a_clear_error(tmp_path):
    chords = np.array(["C", "Bb7"] * 8, "U16")
    pieces = [
        DatasetPiece("a", "s", "train", np.arange(16, dtype=np.int16), chords, 90.0),
        DatasetPiece("b", "t", "test", np.zeros(16, np.int16), chords),
    ]
    save_pieces(tmp_path / "p.npz", pieces)
    for before, after in zip(pieces, load_pieces(tmp_path / "p.npz"), strict=True):
        assert (before.name, before.source, before.split, before.qpm) == (
            after.name,
            after.source,
            after.split,
            after.qpm,
        )
        np.testing.assert_array_equal(before.events, after.events)
        np.testing.assert_array_equal(before.chords, after.chords)
    (tmp_path / "p.npz").write_bytes(b"nothing")
    with pytest.raises(PerpetuumError, match="cannot read the prepared pieces"):
        load_pieces(tmp_path / "p.npz")


def test_a_reader_that_hangs_or_dies_takes_nobody_with_it():
    pool = Pool(behave, 2, 0.3)
    try:
        results = dict(pool.map(["a", "hang", "b", "die", "c", "gorge", "d", "sleep"]))
    finally:
        pool.close()
    assert results.pop("hang") == results.pop("sleep") == Died("took longer than 0.3 seconds")
    assert results.pop("die") == Died("ended its reader")
    assert results.pop("gorge") == "no memory"
    assert results == {"a": "A", "b": "B", "c": "C", "d": "D"}


def test_files_that_are_made_to_do_harm_are_left_out_like_any_other(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.training.datasets.sources.LARGEST", 1000)
    write_drums(tmp_path / "a.mid", rock(2))
    (tmp_path / "name.jsonl").write_bytes(b'{"id": "\\q"}\n{"id": "\xff"}\n')
    (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(b"0" * 100_000))
    (tmp_path / "large.mid").write_bytes(b"MThd" * 1000)
    monkeypatch.setattr("engine.training.datasets.formats.abc.text.LARGEST", 10)
    (tmp_path / "book.abc").write_bytes(b"%%" + b" " * 200 + b"\nX:" * 10)
    made = build([tmp_path], DatasetSettings("drum_kit", Filters(min_bars=1)), jobs=1)
    files = {file["path"]: file.get("reason") for file in made.manifest["files"]}
    assert files == {
        "a.mid": None,
        "name.jsonl": "not a line of a score set",
        "bomb.jsonl.gz": "larger than 0 MB",
        "large.mid": "larger than 0 MB",
        "book.abc": "no book of tunes: what stands before them is too long",
    }

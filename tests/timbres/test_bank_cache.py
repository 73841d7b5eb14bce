"""Banks on the disk: whole or not there, found by their digest, the oldest dropped, none that plays."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine.errors import PerpetuumError
from engine.progress import heard_by
from engine.timbres.bank_cache import BankCache, cache_folder
from tests.dummies.bank_maker import write

A, B, C = "a" * 32, "b" * 32, "c" * 32


def test_a_bank_is_found_once_it_is_kept(tmp_path):
    cache = BankCache(tmp_path / "deep" / "cache")
    assert cache.find(A) is None
    made = cache.keep(A, write)
    assert cache.find(A) == made == tmp_path / "deep" / "cache" / A / "instrument.yaml"
    assert BankCache(tmp_path / "deep" / "cache").find(A) == made
    assert list(cache) == [A]


def damages(folder):
    listed = folder / f"{A}.json"
    sound = folder / A / "s.wav"
    return {
        "no list": listed.unlink,
        "list is noise": lambda: listed.write_bytes(os.urandom(999)),
        "list is a list": lambda: listed.write_text("[[[]]]"),
        "list is deep": lambda: listed.write_text("[" * 100_000),
        "list leads away": lambda: listed.write_text(json.dumps({"instrument.yaml": "", "../../x": ""})),
        "list is empty": lambda: listed.write_text("{}"),
        "a bit fell": lambda: sound.write_bytes(sound.read_bytes()[:-1] + b"\x07"),
        "sound is gone": sound.unlink,
        "sound is a pipe": lambda: (sound.unlink(), os.mkfifo(sound)),
        "sound is a folder": lambda: (sound.unlink(), sound.mkdir()),
        "folder is gone": lambda: shutil.rmtree(folder / A),
    }


@pytest.mark.parametrize("damage", damages(Path()))
def test_what_is_not_whole_is_no_bank_and_is_made_anew(tmp_path, damage):
    cache = BankCache(tmp_path)
    cache.keep(A, write)
    damages(tmp_path)[damage]()
    assert cache.find(A) is None
    cache.keep(A, write)
    assert cache.find(A) is not None


def test_the_bank_that_was_not_used_for_longest_is_dropped(tmp_path):
    cache = BankCache(tmp_path, limit=50_000)
    for digest, hours in ((A, 9), (B, 5)):
        cache.keep(digest, write)
        os.utime(tmp_path / f"{digest}.json", (time.time() - 3600 * hours,) * 2)
    cache.keep(C, write)
    assert [cache.find(digest) is not None for digest in (A, B, C)] == [False, True, True]


def test_what_was_used_within_the_hour_stays_whatever_the_limit(tmp_path):
    cache = BankCache(tmp_path, limit=0)
    for digest in (A, B, C):
        cache.keep(digest, write)
    assert [cache.find(digest) is not None for digest in (A, B, C)] == [True, True, True]
    os.utime(tmp_path / f"{A}.json", (0, 0))
    cache.touch(A)
    cache.trim()
    assert cache.find(A) is not None


def test_what_somebody_who_was_killed_left_behind_is_cleared_away(tmp_path):
    cache = BankCache(tmp_path)
    left = tmp_path / f".{A}.12345678.partial"
    left.mkdir()
    (left / "C4.flac").write_bytes(b"half")
    os.utime(left, (0, 0))
    (tmp_path / B).mkdir()  # without a list: the power went before it was written
    cache.keep(C, write)
    assert not left.exists()
    assert cache.find(B) is None
    assert cache.keep(B, write)


def test_a_bank_whose_making_fails_leaves_nothing_that_is_found(tmp_path):
    cache = BankCache(tmp_path)

    def half(folder):
        write(folder)
        raise PerpetuumError("no more memory")

    with pytest.raises(PerpetuumError):
        cache.keep(A, half)
    assert cache.find(A) is None


ELSEWHERE = """
import sys
from pathlib import Path
from engine.timbres.bank_cache import BankCache
from tests.dummies.bank_maker import write

def make(folder):
    print("making", flush=True)
    sys.stdin.read()
    write(folder, 440.0)

BankCache(Path(sys.argv[1])).keep("a" * 32, make)
"""


@pytest.mark.parametrize("killed", [False, True])
def test_a_bank_that_another_scene_is_making_is_waited_for_and_taken(tmp_path, killed):
    """Or made, where the other one is killed in the middle of it."""
    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"making\n"
        made = []

        def waited(share):
            other.kill() if killed else other.stdin.close()

        with heard_by(waited):
            bank = BankCache(tmp_path).keep(A, lambda folder: made.append(write(folder)))
        assert len(made) == killed
        assert BankCache(tmp_path).find(A) == bank


def test_two_threads_of_one_process_make_a_bank_once_whatever_a_third_is_done_with(tmp_path):
    making, go_on, made = threading.Event(), threading.Event(), []

    def slowly(folder):
        making.set()
        assert go_on.wait(30)
        made.append(write(folder))

    first = threading.Thread(target=lambda: BankCache(tmp_path).keep(A, slowly))
    first.start()
    assert making.wait(30)
    BankCache(tmp_path).keep(B, write)  # closes the file of the locks
    with heard_by(lambda share: go_on.set()):
        BankCache(tmp_path).keep(A, lambda folder: made.append(write(folder)))
    first.join()
    assert len(made) == 1


def test_a_full_disk_is_said_and_leaves_no_half_of_a_bank(tmp_path, monkeypatch):
    cache = BankCache(tmp_path)

    def full(path, text):
        raise PerpetuumError("cannot write it: No space left on device")

    monkeypatch.setattr("engine.timbres.bank_cache.write_text", full)
    with pytest.raises(PerpetuumError, match="No space left"):
        cache.keep(A, write)
    assert cache.find(A) is None
    monkeypatch.undo()
    assert cache.find(A) is None
    assert cache.keep(A, write) == cache.find(A)


def test_a_cache_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PerpetuumError, match="cannot be kept in"):
        BankCache(tmp_path / "file" / "cache").keep(A, write)
    assert BankCache(tmp_path / "file" / "cache").find(A) is None


def test_the_cache_lies_where_systemd_or_the_user_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "perpetuum" / "timbres"
    monkeypatch.setenv("CACHE_DIRECTORY", "/var/cache/perpetuum:/x")
    assert str(cache_folder()) == "/var/cache/perpetuum/timbres"
    monkeypatch.delenv("CACHE_DIRECTORY")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "perpetuum" / "timbres"

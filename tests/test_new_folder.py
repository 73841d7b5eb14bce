"""Folders that are written whole or not at all."""

import os
import subprocess
import sys

import pytest

from engine.errors import PerpetuumError
from engine.new_folder import NewFolder

MARKER = "thing.yaml"


def fill(path, text: bytes, **more):
    with NewFolder(path, MARKER, **more) as new:
        new.write(MARKER, text)
        new.write("data", b"0" * 1000)


def test_it_is_there_only_when_it_is_complete(tmp_path):
    with NewFolder(tmp_path / "a", MARKER) as new:
        new.write(MARKER, b"1")
        assert not (tmp_path / "a").exists()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [MARKER]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_error_leaves_nothing_and_the_old_one_as_it_was(tmp_path):
    fill(tmp_path / "a", b"old")
    new = NewFolder(tmp_path / "a", MARKER, force=True)
    new.write(MARKER, b"new")
    new.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert (tmp_path / "a" / MARKER).read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_process_that_is_killed_leaves_no_folder_of_that_name(tmp_path):
    code = (
        "import os, signal, pathlib, sys\n"
        "from engine.new_folder import NewFolder\n"
        f"with NewFolder(pathlib.Path(sys.argv[1]), {MARKER!r}) as new:\n"
        f"    new.write({MARKER!r}, b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False).returncode == -9
    assert not (tmp_path / "a").exists()
    fill(tmp_path / "a", b"whole")


def test_of_two_writers_the_first_to_end_stays_and_both_are_whole(tmp_path):
    one = NewFolder(tmp_path / "a", MARKER)
    one.write(MARKER, b"one")
    fill(tmp_path / "a", b"two")
    with pytest.raises(PerpetuumError, match="cannot write"):
        one.__exit__(None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a" / MARKER).read_bytes() == b"two"


@pytest.mark.parametrize("what", ["file", "fifo", "link", "folder with something"])
def test_what_is_no_folder_of_its_kind_is_not_touched(tmp_path, what):
    target = tmp_path / "a"
    if what == "file":
        target.touch()
    elif what == "fifo":
        os.mkfifo(target)
    elif what == "link":
        (tmp_path / "elsewhere").mkdir()
        target.symlink_to("elsewhere")
    else:
        target.mkdir()
        (target / "mine").touch()
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(PerpetuumError):
        fill(target, b"new", force=True)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before

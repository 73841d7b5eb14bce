"""Files that a user names: read with limits, and never waited for."""

import os
import socket
import threading

import pytest

from engine import files
from engine.files import open_regular, read_bytes, reason


def strange(folder):
    """Things that are no files, by name."""
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "nowhere").symlink_to(folder / "none")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / "socket"))
    server.close()
    return ("fifo", "folder", "loop", "nowhere", "socket", "none", "a" * 400)


def test_what_is_no_regular_file_is_refused_at_once_and_said(tmp_path):
    said = {}
    for name in strange(tmp_path):
        with pytest.raises(OSError) as caught:
            read_bytes(tmp_path / name, 100)
        said[name] = reason(caught.value)
        with pytest.raises(OSError):
            open_regular(tmp_path / name)
    assert said["fifo"] == "it is a pipe, not a file"
    assert said["folder"] == "it is a folder"
    assert said["socket"] == "it is a socket, not a file"
    assert said["none"] == said["nowhere"] == "No such file or directory"
    with pytest.raises(OSError, match="it is a device"):
        read_bytes("/dev/null", 100)


def test_of_a_large_file_one_byte_more_than_wanted_is_read(tmp_path):
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    assert len(read_bytes(tmp_path / "huge", 1000)) == 1001
    assert read_bytes(tmp_path / "huge", 0) == b"\0"


def test_a_pipe_is_read_to_its_end_where_one_may_be(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    text = b"title: x\n" * 20_000
    writer = threading.Thread(target=lambda: (tmp_path / "fifo").write_bytes(text))
    writer.start()
    assert read_bytes(tmp_path / "fifo", 1 << 20, pipes=True) == text
    writer.join()


def test_a_pipe_that_nobody_writes_into_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PIPE_PATIENCE", 0.02)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="nothing has come through this pipe"):
        read_bytes(tmp_path / "fifo", 100, pipes=True)

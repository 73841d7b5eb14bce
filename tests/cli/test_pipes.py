"""`-` and pipes are read where a file is, up to their end: standard input, FIFOs and what `<( )` of a shell gives."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from engine import assets, files
from engine.cli.music.primers import read_primer
from engine.score.midi.reading import read_piece
from engine.score.midi.writing import write_piece
from engine.score.time import Meter
from tests.cli.generating import BEAT
from tests.scenes.writing import RIGHT

pytestmark = pytest.mark.usefixtures("here")


@contextmanager
def standard_input(descriptor: int) -> Iterator[None]:
    """For as long as it lasts, the descriptor is standard input, and nothing else holds it."""
    before = os.dup(0)
    os.dup2(descriptor, 0)
    os.close(descriptor)
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)


@contextmanager
def sent(data: bytes, endless: bool = False) -> Iterator[None]:
    """Standard input is a pipe into which somebody sends data, once or again and again."""
    reader, writer = os.pipe()

    def send() -> None:
        with suppress(BrokenPipeError), os.fdopen(writer, "wb") as pipe:
            pipe.write(data)
            while endless:
                pipe.write(data)

    thread = threading.Thread(target=send)
    with standard_input(reader):
        thread.start()
        yield
    thread.join()


def test_the_shell_can_send_a_scene_through_a_pipe_or_name_what_a_command_writes(here):
    """Relative paths in it begin here, not in /dev."""
    pad = (assets.shipped("instruments") / "warm_pad.yaml").read_text()
    (here / "pad.yaml").write_text(pad)
    (here / "scene.yaml").write_text(RIGHT.replace("instrument: warm_pad", "instrument: ./pad.yaml"))
    line = f"cat scene.yaml | {sys.executable} -m engine check - /dev/fd/63 63< <(cat scene.yaml)"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("-: valid\n/dev/fd/63: valid\n", "")


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_every_verb_that_takes_a_scene_takes_standard_input(perpetuum, name):
    with sent(RIGHT.encode()):
        assert perpetuum("check", name) == (0, f"{name}: valid\n", "")
    with sent(RIGHT.encode()):
        assert perpetuum("plan", name, "--bars", "4")[1].startswith("A small scene: 4/4")
    with sent(RIGHT.replace("tempo: 84..92 qpm", "tempo: 84..9200 qpm").encode()):
        assert perpetuum("check", name)[1].startswith(f"{name}:5:")


def test_midi_files_come_through_pipes_and_what_is_made_of_them_has_a_name(perpetuum, here):
    write_piece(here / "beat.mid", read_primer(BEAT, Meter())[0])
    data = (here / "beat.mid").read_bytes()
    with sent(data):
        assert perpetuum("groove", "-", "--seed", "1")[0] == 0
    with (here / "beat.mid").open("rb") as file, standard_input(os.dup(file.fileno())):
        assert perpetuum("groove", "/dev/stdin", "--seed", "1")[0] == 0
    os.mkfifo(here / "fifo.mid")
    writer = threading.Thread(target=(here / "fifo.mid").write_bytes, args=(data,))
    writer.start()
    assert perpetuum("groove", "fifo.mid", "--seed", "1")[0] == 0
    writer.join()
    perpetuum("groove", "beat.mid", "--seed", "1")
    made = [(here / f"{name}.mid").read_bytes() for name in ("stdin-groove", "stdin-groove-2", "fifo-groove")]
    assert made == [(here / "beat-groove.mid").read_bytes()] * 3
    with sent(data):
        (track,) = read_primer("-", Meter())[0].tracks
    assert track.notes.tolist() == read_piece(here / "beat.mid").tracks[0].notes.tolist()


@pytest.mark.parametrize("verb", ["check", "plan", "groove", "continue", "drumify"])
def test_a_fifo_that_nobody_writes_to_is_a_sentence_after_a_stated_time(perpetuum, here, monkeypatch, verb):
    monkeypatch.setattr(files, "PIPE_PATIENCE", 0.05)
    os.mkfifo(here / "fifo")
    status, out, err = perpetuum(verb, "fifo")
    assert (status, out) == (2, "")
    assert "cannot read fifo: for 0.05 s nothing has come through this pipe, not its end either" in err


def test_a_pipe_may_be_slow_as_long_as_something_comes(monkeypatch):
    monkeypatch.setattr(files, "PIPE_PATIENCE", 0.5)
    reader, writer = os.pipe()
    steps = iter([b"a", b"b", b"c", b"d"])

    def send() -> None:
        for step in steps:
            os.write(writer, step)
            pause.wait(0.2)
        os.close(writer)

    pause = threading.Event()
    thread = threading.Thread(target=send)
    with standard_input(reader):
        thread.start()
        assert files.read_bytes("-", 100, pipes=True) == b"abcd"
    thread.join()


def test_standard_input_that_is_no_file_is_refused(perpetuum, here):
    terminal, other = os.openpty()
    for descriptor, said in (
        (os.open("/dev/null", os.O_RDONLY), "it is a device"),
        (os.open(here, os.O_RDONLY), "it is a folder"),
        (other, "it is a terminal: send a file into it"),
    ):
        with standard_input(descriptor):
            status, _, err = perpetuum("check", "-")
        assert status == 2
        assert said in err
    os.close(terminal)


def test_what_can_be_read_only_once_cannot_be_watched(perpetuum, here):
    os.mkfifo(here / "fifo")
    for name in ("-", "fifo"):
        status, _, err = perpetuum("play", name, "--watch", "--output", "null")
        assert status == 2
        assert f"--watch follows a file, and {name} can be read only once" in err


def test_what_has_no_end_is_not_read_to_its_end(perpetuum):
    with sent(b"perpetuum: 1\n" * 1000, endless=True):
        status, out, _ = perpetuum("check", "-")
    assert status == 1
    assert out.startswith("-:1:1: error: the file is larger than 256 KiB")
    with sent(b"perpetuum: 1\n" * 10000, endless=True):
        status, _, err = perpetuum("groove", "-")
    assert status == 2
    assert "larger than 32 MB" in err

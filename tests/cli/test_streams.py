"""Standard output that is full, closed or cannot encode what is said: one line at most, and never a traceback."""

from __future__ import annotations

import io
import os
import sys

import pytest

from engine.cli import VERBS, main

LINES = [
    *([verb, "--help"] for verb in VERBS),
    ["--help"],
    ["--version"],
    ["check", "slow_groove"],
    ["check", "slow_groove", "--format", "json"],
    ["plan", "slow_groove"],
    ["plan", "slow_groove", "--format", "json"],
    ["scenes"],
    ["generators"],
    ["instruments"],
    ["outputs"],
    ["models", "list"],
    ["models", "show", "drum_kit"],
    ["schema"],
    ["schema", "--settings"],
]


def run(monkeypatch, line, stream) -> tuple[object, str]:
    """A command line whose standard output is a stream: (exit status, standard error)."""
    errors = io.StringIO()
    with monkeypatch.context() as patched:
        for name, value in (("stdout", stream), ("__stdout__", None), ("stderr", errors), ("__stderr__", None)):
            patched.setattr(sys, name, value)
        with pytest.raises(SystemExit) as ended:
            main(line)
    if stream is not None:  # what it still holds goes nowhere
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.close()
    return ended.value.code or 0, errors.getvalue()


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_a_full_standard_output_is_one_line_and_status_1_in_every_verb(monkeypatch, line):
    status, said = run(monkeypatch, line, open("/dev/full", "w", encoding="utf-8"))  # noqa: SIM115
    assert (status, said) == (1, "perpetuum: what it says cannot be written: No space left on device\n")


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_a_closed_pipe_is_silent_in_every_verb(monkeypatch, line):
    reader, writer = os.pipe()
    os.close(reader)
    status, said = run(monkeypatch, line, os.fdopen(writer, "w"))
    assert status == 1
    assert said == ""


@pytest.mark.parametrize("line", [["check", "x.yaml"], ["plan", "x.yaml"], ["check", "-"]], ids=" ".join)
def test_what_cannot_be_encoded_or_has_nowhere_to_go_is_no_failure(monkeypatch, tmp_path, line):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text("perpetuum: 1\ntitle: Баян 🎵\nключ: 1\n", encoding="utf-8")
    for stream in (io.TextIOWrapper(io.BufferedWriter(io.FileIO(os.devnull, "w")), "latin-1"), None):
        status, said = run(monkeypatch, line, stream)
        assert status in (1, 2)
        assert "Traceback" not in said

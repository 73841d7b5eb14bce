"""Facts about what MIDI files may be at most, and what is not music: refused at once, in a sentence."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.score.midi import smf
from engine.score.midi.reading import parse_piece, read_piece
from engine.score.midi.smf import SmfError
from engine.score.midi.smf_writing import write_smf
from engine.score.midi.writing import as_smf
from engine.training.datasets.formats.midi_files import read_midi
from engine.training.datasets.score import UnusableError
from tests.score.midi.channel_simulator import restruck
from tests.score.midi.test_midi_cases import CASES

VALID = [path.read_bytes() for path in sorted(CASES.glob("*/*")) if path.stat().st_size]
ODD = [b"MTrk", b"MThd", b"RIFF", b"\xff" * 4, b"\0" * 4, b"\xff\x2f\0", b"\xf0", b"\xf7", b"\xff\x21\x01\x05"]


def header(tracks=1, kind=1, division=480):
    return (
        b"MThd"
        + b"".join(number.to_bytes(size, "big") for number, size in ((6, 4), (kind, 2), (tracks, 2)))
        + (division.to_bytes(2, "big"))
    )


def track(events):
    return b"MTrk" + len(events).to_bytes(4, "big") + events


NOTE = b"\x00\x90\x3c\x40\x40\x3c\x00\x00\xff\x2f\x00"


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_fuzzed_files_are_read_or_refused_within_a_second_and_come_back_as_they_were_read(data):
    content = bytearray(data.draw(st.sampled_from(VALID)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content)))
        new = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from(ODD)))
        content[place : place + data.draw(st.sampled_from([0, 1, 4, 40]))] = new
    begun = time.process_time()
    try:
        piece = parse_piece(bytes(content))
    except SmfError:
        with pytest.raises(UnusableError):
            read_midi(bytes(content))
        return
    again = parse_piece(write_smf(as_smf(piece)))
    assert time.process_time() - begun < 1
    for one, other in zip(piece.tracks, again.tracks, strict=True):
        np.testing.assert_array_equal(one.notes, other.notes)
        assert (one.name, one.program, one.place) == (other.name, other.program, other.place)


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("more than 5000 notes", header() + track(b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 500_000)),
        ("more than 1024 tracks", header(2000) + track(NOTE) * 2000),
        ("larger than 32 MB", header() + bytes(33 << 20)),
        ("longer than 24 hours", header(division=1) + track(
            b"\x00\xff\x51\x03\xff\xff\xff\x00\x90\x3c\x40\x82\xf4\x40\x3c\x00\x00\xff\x2f\x00")),
        ("there are no tracks in it", header(0)),
        ("it has no ticks per quarter note", header(division=0) + track(NOTE)),
        ("its ticks are neither of quarter notes nor of frames of film", header(division=0xFFFF) + track(NOTE)),
    ],
)  # fmt: skip
def test_limits_are_told_at_once_and_are_those_of_data_sets(why, data, monkeypatch):
    monkeypatch.setattr(smf, "MAX_NOTES", 5000)  # half a million take seconds on a busy machine
    begun = time.process_time()
    with pytest.raises(SmfError, match=f"^{why}$"):
        parse_piece(data)
    assert time.process_time() - begun < 5
    with pytest.raises(UnusableError, match=f"^{why}$"):
        read_midi(data)


def test_a_pitch_that_is_struck_very_often_before_it_ends_takes_no_quadratic_time():
    data = header() + track(b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 20_000 + b"\x01\x3c\x00" * 20_000 + NOTE[-4:])
    begun = time.process_time()
    assert len(parse_piece(data).tracks[0].notes) == 20_001
    assert time.process_time() - begun < 5
    assert len(restruck(data)) == 20_000


@pytest.mark.parametrize("told", [20, 24, 0xFFFFFFFF])
def test_riff_that_tells_a_wrong_length_costs_no_note(told):
    file = header() + track(NOTE)
    piece = parse_piece(b"RIFF\xff\xff\xff\xffRMIDdata" + told.to_bytes(4, "little") + file)
    assert len(piece.tracks[0].notes) == 1
    assert piece.remarks == (("the length that RIFF tells is too short; all is read",) if told < len(file) else ())


def test_a_hundred_thousand_texts_take_no_longer_than_notes():
    texts = b"".join(b"\0\xff\x05\x06" + b"%06d" % number for number in range(50_000))
    chords = b"\0\xff\x01\x03C#m" * 50_000
    begun = time.process_time()
    assert [span.chord.name for span in parse_piece(header() + track(texts + chords + NOTE)).chords] == ["Dbm"]
    assert time.process_time() - begun < 2  # each was read as a chord three times: 12 s


def test_a_kind_that_is_unknown_and_headers_that_tell_of_65535_tracks_are_said():
    piece = parse_piece(header(0xFFFF, 0xFFFF, 0x7FFF) + track(NOTE))
    assert len(piece.tracks[0].notes) == 1
    assert piece.remarks == (
        "type 65535 is unknown; it is read as type 1",
        "its header tells of 65535 tracks; 1 are there, and read",
    )


def test_what_is_no_file_holds_nobody_up_and_a_pipe_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.files.PIPE_PATIENCE", 0.05)
    os.mkfifo(tmp_path / "fifo.mid")
    with pytest.raises(PerpetuumError, match=r"cannot read .*fifo\.mid: it is a pipe, not a file"):
        read_piece(tmp_path / "fifo.mid")
    with pytest.raises(PerpetuumError, match="nothing has come through this pipe"):
        read_piece(tmp_path / "fifo.mid", pipes=True)
    with pytest.raises(PerpetuumError, match="it is a device, not a file"):
        read_piece(Path("/dev/zero"))
    with pytest.raises(PerpetuumError, match="embedded null"):
        read_piece(Path("a\0b.mid"))
    reading, writing = os.pipe()
    os.write(writing, header() + track(NOTE))
    os.close(writing)
    assert len(read_piece(Path(f"/dev/fd/{reading}"), pipes=True).tracks[0].notes) == 1
    os.close(reading)


def test_of_many_odd_things_a_few_are_said():
    chunks = b"".join(b"%04d" % number + bytes(4) for number in range(5000))
    meters = b"".join(bytes([0, 0xFF, 0x58, 4, 200 + number, 7, 24, 8]) for number in range(50))
    piece = parse_piece(header() + chunks + track(meters + NOTE))
    assert len(piece.tracks[0].notes) == 1
    assert len(piece.remarks) < 8
    assert sum(map(len, piece.remarks)) < 1000

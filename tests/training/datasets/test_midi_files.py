"""Facts about MIDI files that training reads, good and bad."""

from __future__ import annotations

import mido
import pytest

from engine.training.datasets.formats.midi_files import read_midi
from engine.training.datasets.score import UnusableError
from tests.training.datasets.writing import scale, write_notes


def test_parts_know_their_instruments_and_the_score_its_meter_tempo_and_key(tmp_path):
    write_notes(tmp_path / "a.mid", [(24, scale(4)), (33, scale(4, 36))], numerator=3, qpm=90)
    score = read_midi((tmp_path / "a.mid").read_bytes())
    assert [part.program for part in score.parts] == [24, 33]
    assert score.meters == ((0.0, 3, 4),)
    assert score.qpm == pytest.approx(90, abs=0.01)
    assert score.is_played


@pytest.mark.parametrize(
    ("key", "sharps"), [("C", 0), ("F", -1), ("Bb", -2), ("D", 2), ("F#m", 3), ("Ebm", -6), ("Cb", -7)]
)
def test_keys_are_sharps_or_flats(tmp_path, key, sharps):
    track = mido.MidiTrack([
        mido.MetaMessage("key_signature", key=key), mido.Message("note_on"), mido.Message("note_off", time=9),
    ])  # fmt: skip
    mido.MidiFile(tracks=[track]).save(tmp_path / "k.mid")
    assert read_midi((tmp_path / "k.mid").read_bytes()).keys == ((0.0, sharps),)


def midi_bytes(tmp_path, messages, **settings):
    mido.MidiFile(tracks=[mido.MidiTrack(messages)], **settings).save(tmp_path / "x.mid")
    return (tmp_path / "x.mid").read_bytes()


def test_bad_files_say_why(tmp_path):
    good = midi_bytes(tmp_path, [mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=480)])
    huge = [mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=0x0FFFFFFF)]
    cases = {
        "empty file": b"",
        "not a MIDI file": b"only text",
        "its header is cut off": good[:12],
        "there are no tracks in it": good[:14],
        "no notes": midi_bytes(tmp_path, [mido.MetaMessage("text", text="nothing")]),
        "longer than 100000 beats": midi_bytes(tmp_path, huge, ticks_per_beat=96),
    }
    assert len(read_midi(good).parts) == 1
    assert len(read_midi(good[:-9]).parts) == 1, "what stands before the break is read"
    for reason, data in cases.items():
        with pytest.raises(UnusableError, match=f"^{reason}$"):
            read_midi(data)


def test_a_note_that_never_ends_ends_with_the_file(tmp_path):
    data = midi_bytes(tmp_path, [mido.Message("note_on", note=60), mido.MetaMessage("end_of_track", time=960)])
    assert read_midi(data).parts[0].notes["end"].tolist() == [2.0]

"""Facts about MIDI files as they lie about: what is odd is left out and said, and the music goes on as it was."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli import cli
from engine.errors import PerpetuumError
from engine.score.midi.reading import read_piece
from tests.score.midi.channel_simulator import restruck, simulate

CASES = Path(__file__).parent / "cases"
LEFT_OUT = {
    "key_signature/mode_255.mid": "a key signature that is none (2 flats, mode 255) is left out",
    "key_signature/nine_flats.mid": "a key signature that is none (9 flats, mode 0) is left out",
    "meta_lengths/channel_prefix_empty.mid": "a channel prefix of 0 bytes is left out",
    "meta_lengths/key_signature_empty.mid": "a key signature of 0 bytes is left out",
    "meta_lengths/sequence_number_1_byte.mid": "a sequence number of 1 byte is left out",
    "meta_lengths/tempo_empty.mid": "a tempo of 0 bytes is left out",
    "meta_lengths/tempo_zero.mid": "a tempo of 0 is left out",
    "meta_lengths/time_signature_2_bytes.mid": "a time signature of 2 bytes is left out",
    "structure/cut_in_the_last_track.mid": "track 2 breaks off; what stands before is read",
    "structure/header_says_5_tracks.mid": "its header tells of 5 tracks; 2 are there, and read",
    "structure/unknown_chunk.mid": "a chunk 'XFIH', which is no track, is left out",
}
REFUSED = {
    "huge_ticks/drums_one_late_stroke.mid": "longer than 100000 beats",
    "huge_ticks/note_after_2_31_ticks.mid": "longer than 100000 beats",
    "huge_ticks/note_that_never_ends_soon.mid": "longer than 100000 beats",
    "structure/._song.mid": "not a MIDI file: it is macOS's companion of a file, without the music",
    "structure/empty.mid": "empty file",
    "structure/html.mid": "not a MIDI file: it is a web page or XML",
    "structure/lfs_pointer.mid": "not a MIDI file: it is a pointer of Git LFS",
    "structure/no_tracks.mid": "there are no tracks in it",
    "type_2/two_patterns.mid": "MIDI file of type 2, whose tracks are no one piece",
}
ALL = [str(path.relative_to(CASES)) for path in sorted(CASES.glob("*/*"))]
READ = [name for name in ALL if name not in REFUSED]


def continued(file, folder, *options):
    """The bytes of a file with two bars more, and what was said."""
    result = CliRunner().invoke(cli, ["continue", str(file), "--bars", "2", "--seed", "1", "-o", str(folder), *options])
    assert result.exit_code == 0, result.output
    (made,) = folder.glob("*.mid")
    return made.read_bytes(), result.stderr


@pytest.mark.parametrize("name", READ)
def test_every_old_note_sounds_as_it_did_in_the_continued_file(name, tmp_path):
    """Its program, bank, controllers, bend, pressure, place and length, by a simulator that is not ours."""
    before = simulate((CASES / name).read_bytes())
    made, said = continued(CASES / name, tmp_path / "out")
    after = simulate(made)
    assert before.notes
    new = list(after.notes)
    for note in before.notes:
        new.remove(note)
    assert new
    assert min(note.start for note in new) >= max(note.start for note in before.notes)
    assert len({note[:3] for note in new}) == 1
    assert new[0][1:3] in {note[1:3] for note in before.notes}, "new notes stand on the channel of their part"
    lost = [event for event in before.others if event not in after.others]
    assert len(lost) == (name in LEFT_OUT and not name.startswith("structure"))
    assert LEFT_OUT.get(name, "") in said
    assert ("left out" in said) == ("left out" in LEFT_OUT.get(name, ""))
    assert len(restruck(made)) == len(restruck((CASES / name).read_bytes()))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_music_is_refused_in_a_sentence(name):
    with pytest.raises(PerpetuumError, match=REFUSED[name]):
        read_piece(CASES / name)


def test_an_overhang_below_half_a_step_adds_no_bar(tmp_path):
    for number, name in enumerate(("overrun/four_bars_five_ticks_over.mid", "overrun/drum_tail_over.mid")):
        before = simulate((CASES / name).read_bytes()).notes
        after = simulate(continued(CASES / name, tmp_path / str(number))[0]).notes
        first = min(note.start for note in after if note not in before)
        assert 16 <= first < 17


def test_an_overhang_below_half_a_step_is_none_of_a_primer(tmp_path):
    file = CASES / "overrun/four_bars_five_ticks_over.mid"
    options = ["--primer", str(file), "--num-steps", "96", "--seed", "1", "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(cli, ["generate", "attention_rnn", *options])
    assert result.exit_code == 0, result.output
    refused = CliRunner().invoke(cli, ["generate", "attention_rnn", *options, "--num-steps", "64"])
    assert "the primer has 64 steps" in str(refused.exception)


def test_time_in_frames_of_film_ignores_tempi():
    with_tempo, without = (
        read_piece(CASES / f"smpte/25fps_40_{which}.mid") for which in ("with_tempo_60", "no_tempo")
    )  # fmt: skip
    assert with_tempo.qpm == without.qpm == 120
    assert with_tempo.tracks[0].notes.tolist() == without.tracks[0].notes.tolist()


def test_29_frames_are_30000_in_1001_seconds(tmp_path):
    data = bytearray((CASES / "smpte/25fps_40_no_tempo.mid").read_bytes())
    data[12:14] = bytes([0x100 - 29, 40])
    (tmp_path / "ntsc.mid").write_bytes(data)
    ends = [read_piece(path).length for path in (CASES / "smpte/25fps_40_no_tempo.mid", tmp_path / "ntsc.mid")]
    assert ends[1] * 30000 / 1001 == pytest.approx(ends[0] * 25)


@pytest.mark.parametrize("name", ["Баян", "БАЯН", "Flöte – 主旋律"])
def test_tracks_are_found_by_names_in_utf_8(name, tmp_path):
    made, said = continued(CASES / "texts/utf8_names.mid", tmp_path / "out", "--track", name)
    assert name.encode().lower() in made.lower() or name == "БАЯН"
    assert "is heard" not in said


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("ピアノ", "cp932"), ("主旋律トラック", "cp932"), ("Flöte", "latin-1"), ("Déjà vu", "cp1252"), ("Баян", "cp1251")],
)
def test_names_in_other_encodings_are_guessed_found_and_kept(name, encoding, tmp_path):
    data = (CASES / "texts/utf8_names.mid").read_bytes()
    old, new = "Баян".encode(), name.encode(encoding)
    place = data.index(old) - 1
    track = data.rindex(b"MTrk", 0, place)
    length = int.from_bytes(data[track + 4 : track + 8], "big") + len(new) - len(old)
    file = tmp_path / "named.mid"
    file.write_bytes(
        data[: track + 4]
        + length.to_bytes(4, "big")
        + data[track + 8 : place]
        + bytes([len(new)])
        + new
        + data[place + 9 :]
    )
    made, _ = continued(file, tmp_path / "out", "--track", name)
    assert bytes([len(new)]) + new in made


def test_control_characters_of_names_reach_no_terminal(tmp_path):
    data = (CASES / "texts/utf8_names.mid").read_bytes()
    evil = b"\x1b]0;pwned\x07\x1b[2J"
    old = "Flöte – 主旋律".encode()
    assert data.count(old) == 1
    file = tmp_path / "evil.mid"
    file.write_bytes(data.replace(old, evil.ljust(len(old), b"!")))
    made, said = continued(file, tmp_path / "out")
    assert evil in made, "the file's own bytes stay"
    assert "track 1 (" in said
    assert not any(letter < " " and letter != "\n" for letter in said)
    refused = CliRunner().invoke(cli, ["continue", str(file), "--track", "no such"])
    assert not any(letter < " " and letter != "\n" for letter in str(refused.exception))


@pytest.mark.parametrize("name", ["structure/riff.rmi", "structure/song.kar"])
def test_data_sets_take_the_same_files(name, tmp_path):
    shutil.copy(CASES / name, tmp_path)
    result = CliRunner().invoke(cli, ["dataset", "stats", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "16 notes, 4 bars" in result.output

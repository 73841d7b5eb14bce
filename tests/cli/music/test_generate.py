"""Facts about `perpetuum generate` and `continue`, with the shipped networks."""

import re
import shutil

import numpy as np
import pytest

from engine.score.drums import CLASS_OF_PITCH
from engine.score.midi.writing import write_piece
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from engine.score.time import Meter
from tests.cli.generating import BEAT, CHECKPOINTS, TUNE, fails, lines, made, run, song


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_drums_go_on_from_a_pattern_and_say_what_they_made(tmp_path):
    result = run("generate", "drums_rnn", "--primer", BEAT, "--num-steps", 64, "--seed", 7, "-n", 2, "-o", "takes")
    assert result.exit_code == 0, result.output
    first, second = result.stdout.splitlines()
    assert re.fullmatch(r"takes/drum_kit-7-01\.mid: \d+ notes, 4 bars of 4/4 at 120 qpm, \d+\.\d\d s", first)
    assert second.startswith("takes/drum_kit-7-02.mid")
    one, other = made(tmp_path / "takes")
    assert one.tracks[0].is_drum
    assert 12 < one.length <= 16
    assert lines(one) != lines(other)
    # The primer stands at the beginning.
    assert [row for row in lines(one) if row[0] < 4] == [row for row in lines(other) if row[0] < 4]


def test_a_primer_may_be_longer_than_the_name_of_any_file(tmp_path):
    result = run("generate", "melody_rnn", "--primer", "C4:1 D4:1 " * 30, "--num-steps", 260, "-o", "long")
    assert result.exit_code == 0, result.output


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert run("generate", "attention_rnn", "--primer", TUNE, "--seed", seed, "-o", folder).exit_code == 0
    a, b, c = (next((tmp_path / folder).iterdir()).read_bytes() for folder in "abc")
    assert a == b != c


def test_a_take_is_the_same_however_many_others_are_made(tmp_path):
    run("generate", "melody_rnn", "--primer", TUNE, "--seed", 3, "--num-steps", 48, "-n", 3, "-o", "three")
    run("generate", "melody_rnn", "--primer", TUNE, "--seed", 3, "--num-steps", 48, "-n", 1, "-o", "one")
    assert (tmp_path / "three/attention_rnn-3-01.mid").read_bytes() == next((tmp_path / "one").iterdir()).read_bytes()


def test_without_a_seed_every_run_is_another_and_tells_its_seed(tmp_path):
    for _ in range(2):
        run("generate", "melody_rnn", "--num-steps", 32)
    assert len({path.name for path in tmp_path.glob("attention_rnn-*-01.mid")}) == 2


def test_a_primer_is_a_midi_file_and_keeps_its_tempo_meter_and_program(tmp_path):
    notes = np.array([(0, 1, 60, 80), (1, 2, 64, 80), (2, 3, 67, 80)], NOTE)
    write_piece(tmp_path / "tune.mid", Piece((Track(notes, "Oboe", 68),), 90.0, Meter(3, 4)))
    assert run("generate", "melody_rnn", "--primer", "tune.mid", "--num-steps", 48, "-o", "out").exit_code == 0
    (piece,) = made(tmp_path / "out")
    assert (piece.qpm, piece.meter) == (pytest.approx(90.0), Meter(3, 4))
    assert (piece.tracks[0].name, piece.tracks[0].program) == ("Oboe", 68)
    assert lines(piece)[:3] == [(0, 1, 60), (1, 2, 64), (2, 3, 67)]


def test_qpm_changes_the_tempo(tmp_path):
    run("generate", "melody_rnn", "--primer", TUNE, "--num-steps", 64, "--qpm", 77, "-o", "out")
    assert made(tmp_path / "out")[0].qpm == pytest.approx(77, abs=0.01)


@pytest.mark.parametrize(
    ("primer", "network", "first"),
    [
        ("[60, -2, 62, -2, -1, -2, 64, -2]", "melody_rnn", [(0, 0.5, 60), (0.5, 1, 62), (1.5, 2, 64)]),
        ("[(36, 42), (), (38,), ()]", "drums_rnn", [(0, 0.25, 36), (0, 0.25, 42), (0.5, 0.75, 38)]),
    ],
)
def test_magentas_lists_of_events_are_primers(tmp_path, primer, network, first):
    assert run("generate", network, "--primer", primer, "--num-steps", 32, "-o", "out").exit_code == 0
    assert [row for row in lines(made(tmp_path / "out")[0]) if row[0] < len(primer.split(", ")) / 4][:3] == first


def test_chords_become_one_voice_and_the_command_says_so(tmp_path):
    for voice, kept, sentence in (
        ("skyline", 67, "2 chords were reduced to their top notes; --voice lowest takes the bottom"),
        ("lowest", 60, "2 chords were reduced to their bottom notes; --voice skyline takes the top"),
    ):
        chords = "[C4 E4 G4]:2 [D4 F4]:2"
        result = run("generate", "melody_rnn", "--primer", chords, "--voice", voice, "--num-steps", 32, "-o", voice)
        assert result.exit_code == 0
        assert sentence in result.stderr
        assert any(pitch == kept for _, _, pitch in lines(made(tmp_path / voice)[0]))


def test_the_track_that_is_heard_can_be_named(tmp_path):
    low, high = (np.array([(0, 1, pitch, 80), (1, 2, pitch + 2, 80)], NOTE) for pitch in (40, 76))
    write_piece(tmp_path / "two.mid", Piece((Track(low, "Cello"), Track(high, "Violin"))))
    result = run("continue", "two.mid", "--seed", 1, "--bars", 2, "-o", "free")
    assert "track 2 (Violin) is heard, of 2 that could be; --track chooses another" in result.stderr
    for options in (("--track", "cello"), ("--voice", "track:Cello"), ("--track", 1)):
        said = run("continue", "two.mid", "--seed", 1, "--bars", 2, "-o", "asked", *options).stderr
        assert "is heard" not in said
        (piece,) = made(tmp_path / "asked")
        assert len(piece.tracks[0].notes) > 2
        assert len(piece.tracks[1].notes) == 2
    assert "no track 'Viola'" in fails("continue", "two.mid", "--track", "Viola")


def test_sampling_options_reach_the_network(tmp_path):
    arguments = ("generate", "melody_rnn", "--primer", TUNE, "--num-steps", 64, "--seed", 5)
    variants = {
        "as learnt": (),
        "wild": ("--temperature", 2),
        "top": ("--top-k", 1),
        "nucleus": ("--top-p", 0.3),
        "beam": ("--beam-size", 3, "--branch-factor", 2, "--steps-per-iteration", 4),
    }
    for name, options in variants.items():
        assert run(*arguments, *options, "-o", name).exit_code == 0
    assert len({str(lines(made(tmp_path / name)[0])) for name in variants}) == len(variants)


def test_a_beam_finds_likelier_music():
    def likelihood(*options):
        result = run("generate", "melody_rnn", "--primer", TUNE, "--num-steps", 64, "--seed", 2, "--verbose", *options)
        return float(re.search(r"log-likelihood (-[\d.]+)", result.stdout)[1])

    assert likelihood("--beam-size", 8, "--branch-factor", 4) > likelihood()


def test_names_have_a_date_only_if_asked(tmp_path):
    run("generate", "drums_rnn", "--num-steps", 16, "--seed", 1, "--dated")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d{6}-drum_kit-1-01\.mid", next(tmp_path.iterdir()).name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("melody_rnnn",), r"no family.*did you mean melody_rnn\?"),
        (("melody_rnn", "--config", "lookback"), "no config.*did you mean lookback_rnn"),
        (
            ("pianoroll_rnn_nade",),
            r"no weights for pianoroll_rnn_nade.*drum_kit \(drums_rnn\).*perpetuum models import",
        ),
        (("melody_rnn", "--config", "mono_rnn"), "no weights for melody_rnn with config mono_rnn"),
        (("nothing.mag",), r"nothing\.mag"),
        (("drums_rnn", "--primer", TUNE), r"drum_kit \(drums_rnn\) hears drums: there are no drums"),
        (("melody_rnn", "--primer", BEAT), r"attention_rnn \(melody_rnn\) hears no drums"),
        (("melody_rnn", "--primer", TUNE, "--num-steps", "32"), "the primer has 32 steps"),
        (("melody_rnn", "--primer", "C4:1 Q4:1"), r"(?s)`Q4` is no note.*\^\^.*expected a note"),
        (("melody_rnn", "--primer", "[60, 200]"), "list of events cannot be read.*pitch outside"),
        (("melody_rnn", "--primer", "no.mid"), "there is no file no.mid"),
        (("melody_rnn", "--chords", "C G"), r"attention_rnn does not listen to --chords.*basic_improv"),
        (("melody_rnn", "--notes-per-second", "3"), "does not listen to --notes-per-second"),
        (("melody_rnn", "--pitch-classes", "1,2"), "does not listen to --pitch-classes"),
        (("melody_rnn", "--voice", "middle"), "'middle' is no voice"),
        (("melody_rnn", "--meter", "5/3"), "'5/3' is not a meter"),
        (("melody_rnn", "--config", "x"), "those of melody_rnn are attention_rnn, "),
        (("",), "'' is no family"),
        (("nonsense",), "families are drums_rnn, .*perpetuum models list"),
        (("melody_rnn", "-o", "/proc/none"), "cannot make the folder"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(arguments, message):
    assert re.search(message, fails("generate", *arguments), re.DOTALL)


def test_weights_of_another_family_are_refused(tmp_path):
    from engine import assets

    path = assets.find("weights", "drum_kit", ".safetensors")
    assert "holds a network of drums_rnn (drum_kit), not of melody_rnn" in fails(
        "generate", "melody_rnn", "--checkpoint", path
    )
    assert "drum_kit" in fails("generate", "melody_rnn", "--config", "lookback_rnn", "--checkpoint", path)


def test_ctrl_c_leaves_whole_files_and_says_how_many(tmp_path, monkeypatch):
    from engine.networks.studio import continuing

    taken = []
    true = continuing.continue_piece

    def interrupted(*arguments, **options):
        if len(taken) == 2:
            raise KeyboardInterrupt
        taken.append(1)
        return true(*arguments, **options)

    monkeypatch.setattr(continuing, "continue_piece", interrupted)
    assert "stopped; 2 of 5 files are written, whole" in fails("generate", "drums_rnn", "--num-steps", 16, "-n", 5)
    assert len(made(tmp_path)) == len(list(tmp_path.iterdir())) == 2


def test_a_song_goes_on_with_the_bar_after_its_last_note(tmp_path):
    tune = np.array([(0, 1, 60, 80), (1, 2, 64, 80), (2, 5.5, 67, 80)], NOTE)
    kit = np.array([(0, 0.25, 36, 90), (4, 4.25, 38, 90)], NOTE)
    song(tmp_path / "song.mid", Track(tune, "Lead", 10), Track(kit, "Kit", is_drum=True))
    result = run("continue", "song.mid", "--bars", 3, "--seed", 9, "-o", "out")
    assert result.exit_code == 0, result.output
    assert "out/song-continued-9-01.mid" in result.stdout
    assert "5 bars of 4/4" in result.stdout
    (piece,) = made(tmp_path / "out")
    assert piece.markers == ((0.0, "verse"),)
    assert [round(qpm) for _, qpm in piece.tempos] == [100, 110]
    np.testing.assert_array_equal(piece.tracks[1].notes, kit)
    np.testing.assert_array_equal(piece.tracks[0].notes[:3], tune)
    new = piece.tracks[0].notes[3:]
    assert len(new) > 0
    assert (new["start"] >= 8).all()
    assert (new["start"] < 20).all()
    run("continue", "song.mid", "--bars", 3, "--seed", 9, "-o", "new", "--only-new")
    (alone,) = made(tmp_path / "new")
    assert [(start + 8, pitch) for start, _, pitch in lines(alone)] == [
        (start, pitch) for start, _, pitch, _ in new.tolist()
    ]
    assert round(alone.qpm) == 110


def test_drums_go_on_where_there_is_nothing_else_or_they_are_named(tmp_path):
    kit = Track(
        np.array([(beat, beat + 0.25, 36 + 2 * (beat % 2), 90) for beat in range(8)], NOTE), "Kit", is_drum=True
    )
    song(tmp_path / "drums.mid", kit)
    song(tmp_path / "both.mid", Track(np.array([(0, 8, 60, 80)], NOTE), "Lead"), kit)
    for arguments in (("drums.mid",), ("both.mid", "--track", "Kit")):
        assert run("continue", *arguments, "--bars", 2, "--seed", 1, "-o", arguments[0][:-4]).exit_code == 0
        piece = made(tmp_path / arguments[0][:-4])[0]
        new = piece.tracks[-1].notes[8:]
        assert len(new) > 0
        assert {int(pitch) for pitch in new["pitch"]} <= set(CLASS_OF_PITCH)


def test_other_meters_go_on_in_their_own_bars(tmp_path):
    tune = np.array([(beat, beat + 1, 60 + beat, 80) for beat in range(6)], NOTE)
    write_piece(tmp_path / "waltz.mid", Piece((Track(tune),), 100.0, Meter(3, 4)))
    result = run("continue", "waltz.mid", "--bars", 2, "-o", "out")
    assert "4 bars of 3/4" in result.stdout
    assert made(tmp_path / "out")[0].length <= 12


def test_a_folder_of_a_training_is_a_checkpoint_too_and_a_take_that_is_there_is_told(tmp_path):
    for ending in ("index", "data-00000-of-00001"):
        shutil.copy(CHECKPOINTS / f"basic_rnn.ckpt.{ending}", tmp_path)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "basic_rnn.ckpt"\n')
    options = ("--num-steps", 16, "--seed", 1)
    assert run("generate", "melody_rnn", "--checkpoint", tmp_path, *options, "-o", "a").exit_code == 0
    run("generate", "melody_rnn", "--checkpoint", tmp_path / "basic_rnn.ckpt", *options, "-o", "b")
    again = run("generate", "melody_rnn", "--checkpoint", tmp_path, *options, "-o", "a", "-n", 2)
    assert "a/basic_rnn-1-01.mid will be written over; -o and --dated make other names" in again.stderr
    one, other = (tmp_path / folder / "basic_rnn-1-01.mid" for folder in "ab")
    assert one.read_bytes() == other.read_bytes()


def test_after_a_change_of_meter_the_bars_are_counted_from_there(tmp_path):
    tune = np.array([(beat, beat + 1, 60 + beat, 80) for beat in range(9)], NOTE)
    meters = ((0.0, Meter(4, 4)), (4.0, Meter(3, 4)))
    write_piece(tmp_path / "waltz.mid", Piece((Track(tune),), 100.0, meters=meters))
    result = run("continue", "waltz.mid", "--bars", 2, "--seed", 2, "-o", "out")
    assert "16 beats in 4/4 and 3/4" in result.stdout
    (piece,) = made(tmp_path / "out")
    assert {10 <= start < 16 for start, _, _ in lines(piece)[9:]} == {True}
    run("continue", "waltz.mid", "--bars", 2, "--seed", 2, "-o", "new", "--only-new")
    (alone,) = made(tmp_path / "new")
    assert alone.meter == Meter(3, 4)


def test_an_empty_file_has_nothing_to_go_on_from(tmp_path):
    write_piece(tmp_path / "empty.mid", Piece(()))
    assert "there are no notes to go on from" in fails("continue", "empty.mid")
    result = run("generate", "melody_rnn", "--primer", "empty.mid", "--num-steps", 16)
    assert "the primer has no notes: the music begins from nothing" in result.stderr


@pytest.mark.parametrize("option", ["--temperature", "--top-p", "--qpm", "--notes-per-second"])
def test_nan_is_no_number(option):
    result = run("generate", "melody_rnn", option, "nan")
    assert result.exit_code == 2
    assert "'nan' is not a number" in result.stderr

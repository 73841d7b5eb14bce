"""Facts about `perpetuum sample`, `interpolate`, `groove` and `drumify` as commands; with made-up networks."""

import re

import numpy as np
import pytest

from engine.score.midi.reading import read_piece
from engine.score.midi.writing import write_piece
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from engine.score.time import Meter
from tests.cli.generating import fails, run

KIT = np.array([(beat / 2, beat / 2 + 0.2, 36 + 2 * (beat % 2), 90) for beat in range(40)], NOTE)
TUNE = np.array([(beat, beat + 1, 60 + 2 * beat % 12, 80) for beat in range(20)], NOTE)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tracks = Track(TUNE, "Lead", 11), Track(KIT, "Kit", is_drum=True)
    write_piece(tmp_path / "song.mid", Piece(tracks, 93.0, tempos=((0.0, 93.0), (8.0, 105.0))))
    write_piece(tmp_path / "tune.mid", Piece(tracks[:1]))
    write_piece(tmp_path / "drums.mid", Piece(tracks[1:]))


def test_a_song_is_grooved_and_nothing_else_of_it_changes(tmp_path, weights):
    result = run("groove", "song.mid", "--checkpoint", weights("groovae_2bar_humanize"))
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"song-groove\.mid: 60 notes, 5 bars of 4/4 at 93 qpm, \d+\.\d\d s\n", result.stdout)
    before, after = read_piece(tmp_path / "song.mid"), read_piece(tmp_path / "song-groove.mid")
    np.testing.assert_array_equal(after.tracks[0].notes, before.tracks[0].notes)
    assert after.tempos == before.tempos
    assert after.tracks[1].notes["start"].tolist() != before.tracks[1].notes["start"].tolist()


def test_with_chance_the_seed_is_told_and_repeats_the_bytes(tmp_path, weights):
    options = ("groove", "song.mid", "--checkpoint", weights("groovae_2bar_humanize"), "--temperature", 1)
    seed = re.search(r", seed (\d+),", run(*options, "-o", "a.mid").stdout)[1]
    run(*options, "--seed", seed, "-o", "b.mid")
    run(*options, "--seed", int(seed) + 1, "-o", "c.mid")
    a, b, c = ((tmp_path / name).read_bytes() for name in ("a.mid", "b.mid", "c.mid"))
    assert a == b != c


def test_drums_to_a_tune_come_behind_its_track_or_alone(tmp_path, weights):
    options = ("drumify", "tune.mid", "--checkpoint", weights("groovae_2bar_tap_fixed_velocity"))
    options += ("--temperature", 2, "--seed", 1)
    assert run(*options).exit_code == 0
    piece = read_piece(tmp_path / "tune-drums.mid")
    np.testing.assert_array_equal(piece.tracks[0].notes, TUNE)
    run(*options, "--only-drums", "-o", "alone.mid")
    (alone,) = read_piece(tmp_path / "alone.mid").tracks
    assert alone.is_drum
    np.testing.assert_array_equal(alone.notes, piece.tracks[1].notes)


def test_a_file_that_nobody_named_is_not_written_over(tmp_path, weights):
    (tmp_path / "song-groove.mid").write_text("precious")
    path = weights("groovae_2bar_humanize")
    assert run("groove", "song.mid", "--checkpoint", path).stdout.startswith("song-groove-2.mid: ")
    assert (tmp_path / "song-groove.mid").read_text() == "precious"
    assert run("groove", "song.mid", "--checkpoint", path, "-o", "song-groove.mid").exit_code == 0
    assert read_piece(tmp_path / "song-groove.mid").tracks


def test_steps_between_two_files_are_numbered_files_or_one(tmp_path, weights):
    options = ("interpolate", "tune.mid", "song.mid", "--checkpoint", weights("cat-mel_2bar_small"), "--steps", 4)
    result = run(*options, "-o", "way")
    assert [row.split(":")[0] for row in result.stdout.splitlines()] == [
        f"way/tune-to-song-0{number}.mid" for number in (1, 2, 3, 4)
    ]
    assert "seed" not in result.stdout
    run(*options, "-o", "one", "--one-file")
    piece = read_piece(tmp_path / "one/tune-to-song-01.mid")
    assert [text for _, text in piece.markers] == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    assert [round(qpm) for _, qpm in piece.tempos] == [120, 111, 102, 93]


def test_without_a_model_drums_are_interpolated_with_a_network_for_drums(monkeypatch, tmp_path, weights):
    home = tmp_path / "home" / "weights"
    home.mkdir(parents=True)
    for config in ("cat-drums_2bar_small", "cat-mel_2bar_small"):
        (home / f"{config}.safetensors").write_bytes(weights(config).read_bytes())
    monkeypatch.setenv("PERPETUUM_PATH", str(home.parent))
    for name, drums in (("drums", True), ("tune", False)):
        assert run("interpolate", f"{name}.mid", f"{name}.mid", "--temperature", 1, "-o", name).exit_code == 0
        tracks = [track for path in (tmp_path / name).iterdir() for track in read_piece(path).tracks]
        assert tracks
        assert all(track.is_drum is drums for track in tracks)


def test_samples_have_the_tempo_and_the_chords_that_were_asked_for(tmp_path, weights):
    path = weights("cat-mel_2bar_med_chords")
    result = run("sample", path, "--chords", "C:2 G:2", "--qpm", 80, "--seed", 4, "--temperature", 1, "-o", "out")
    assert "out/cat-mel_2bar_med_chords-4-01.mid" in result.stdout
    piece = read_piece(tmp_path / "out/cat-mel_2bar_med_chords-4-01.mid")
    assert piece.qpm == pytest.approx(80)
    assert [(span.start, span.chord.name) for span in piece.chords] == [(0, "C"), (2, "G"), (4, "C"), (6, "G")]


def test_networks_that_come_along_groove_drumify_sample_and_interpolate_without_being_named(tmp_path):
    for arguments in (
        ("groove", "song.mid"),
        ("drumify", "tune.mid"),
        ("sample", "music_vae", "--seed", 1, "-o", "sampled"),
        ("interpolate", "tune.mid", "tune.mid", "-o", "between"),
        ("interpolate", "drums.mid", "drums.mid", "-o", "between"),
    ):
        assert run(*arguments).exit_code == 0
    assert {"song-groove.mid", "tune-drums.mid", "sampled", "between"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("groove", "song.mid", "--model", "groovae_4bar"), r"no weights for groovae_4bar here.*groovae_2bar_humanize"),
        (("sample", "hierdec-trio_16bar"), r"no weights for hierdec-trio_16bar here.*perpetuum models import"),
        (("sample", "drum_kit"), r"a network of drums_rnn \(drum_kit\), which is not for this"),
        (("groove", "none.mid"), "there is no file none.mid"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(arguments, message):
    assert re.search(message, fails(*arguments), re.DOTALL)


def test_files_of_the_wrong_kind_are_said(tmp_path, weights):
    humanize, taps = weights("groovae_2bar_humanize"), weights("groovae_2bar_tap_fixed_velocity")
    assert "there are no drums" in fails("groove", "tune.mid", "--checkpoint", humanize)
    assert "no track 'Bass'" in fails("groove", "song.mid", "--checkpoint", humanize, "--track", "Bass")
    assert "(groovae_2bar_humanize), which is not for this" in fails("drumify", "tune.mid", "--checkpoint", humanize)
    assert "(groovae_2bar_tap_fixed_velocity), which is not" in fails("groove", "song.mid", "--checkpoint", taps)
    write_piece(tmp_path / "empty.mid", Piece(()))
    assert "there are no notes" in fails("drumify", "empty.mid", "--checkpoint", taps)
    assert "the last piece: cat-mel_2bar_small (music_vae) hears a melody: there are no notes" in fails(
        "interpolate", "tune.mid", "empty.mid", "--checkpoint", weights("cat-mel_2bar_small")
    )
    assert "hears drums: there are no drums" in fails(
        "interpolate", "tune.mid", "tune.mid", "--checkpoint", weights("cat-drums_2bar_small")
    )


def test_a_file_that_cannot_be_written_is_said_and_leaves_nothing(tmp_path, weights):
    path = weights("groovae_2bar_humanize")
    assert "cannot write none/x.mid" in fails("groove", "song.mid", "--checkpoint", path, "-o", "none/x.mid")
    assert not (tmp_path / "none").exists()


def test_other_meters_are_written_as_they_were(tmp_path, weights):
    write_piece(tmp_path / "waltz.mid", Piece((Track(KIT, "Kit", is_drum=True),), 120.0, Meter(3, 4)))
    assert "7 bars of 3/4" in run("groove", "waltz.mid", "--checkpoint", weights("groovae_2bar_humanize")).stdout
    assert read_piece(tmp_path / "waltz-groove.mid").meter == Meter(3, 4)

"""Facts about `perpetuum generate` and `continue` with every family of networks."""

import numpy as np
import pytest

from engine.score.phrase import NOTE
from engine.score.piece import Track
from tests.cli.generating import TUNE, fails, lines, made, run, song


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_improvisation_goes_over_chords_again_and_again_and_writes_them(tmp_path, weights):
    options = ("--checkpoint", weights("chord_pitches_improv"), "--num-steps", 64, "--seed", 1)
    assert run("generate", "improv_rnn", *options, "--chords", "C G:2 Am7:2", "-o", "out").exit_code == 0
    (piece,) = made(tmp_path / "out")
    assert [(span.start, span.chord.name) for span in piece.chords] == [
        (0, "C"), (4, "G"), (6, "Am7"), (8, "C"), (12, "G"), (14, "Am7"),
    ]  # fmt: skip
    run("generate", "improv_rnn", *options, "--chords", "F# B", "-o", "other")
    assert lines(made(tmp_path / "other")[0]) != lines(piece)
    # Chords of a primer file count, too, and without any there is nothing to play over.
    assert (
        run(
            "generate", "improv_rnn", *options, "--primer", next((tmp_path / "out").iterdir()), "--num-steps", 96
        ).exit_code
        == 0
    )
    assert "plays over chords, and there are none" in fails("generate", "improv_rnn", *options)
    assert "'Hmm' is not a chord" in fails("generate", "improv_rnn", *options, "--chords", "C Hmm")


def test_chords_are_at_least_a_step_long(weights):
    assert "1e-9 is no length in beats" in fails("generate", weights("basic_improv"), "--chords", "C:1e-9")


def test_polyphony_sings_the_primer_or_goes_on_after_it(tmp_path, weights):
    options = ("generate", "polyphony_rnn", "--checkpoint", weights("polyphony"), "--num-steps", 32, "--seed", 2)
    options += ("--primer", "C4:1 D4:1 E4:1 C4:1")
    for folder, more in (("sung", ()), ("after", ("--condition-on-primer", "--no-inject-primer"))):
        result = run(*options, *more, "-o", folder)
        assert "2 bars of 4/4" in result.stdout
    primer = [(0, 60), (1, 62), (2, 64), (3, 60)]
    sung, after = (
        {(start, pitch) for start, _, pitch in lines(made(tmp_path / name)[0])} for name in ("sung", "after")
    )
    assert set(primer) < sung
    assert len({start for start, _ in sung if start < 4}) > 4
    assert sorted(row for row in after if row[0] < 4) == primer
    assert any(start >= 4 for start, _ in after)


def test_performances_count_in_hundredths_of_a_second(tmp_path, weights):
    path = weights("multiconditioned_performance_with_dynamics")
    options = ("generate", path, "--num-steps", 600, "--qpm", 60, "--seed", 2)
    result = run(*options, "--notes-per-second", 8, "--pitch-classes", "1,0,0,0,1,0,0,1,0,0,0,0", "-o", "a")
    assert "1.5 bars of 4/4 at 60 qpm" in result.stdout
    assert made(tmp_path / "a")[0].length <= 6.01
    assert run(*options, "--notes-per-second", 1, "-o", "b").exit_code == 0
    assert lines(made(tmp_path / "a")[0]) != lines(made(tmp_path / "b")[0])
    assert "are not twelve weights" in fails(*options, "--pitch-classes", "1,2,3")


def test_pianoroll_and_one_drum_make_music(tmp_path, weights):
    for config, steps in (("rnn-nade", 32), ("one_drum", 16)):
        result = run("generate", weights(config), "--num-steps", steps, "-o", config)
        assert "2 bars of 4/4" in result.stdout


def test_a_latent_network_is_sampled(tmp_path, weights):
    path = weights("cat-mel_2bar_small")
    assert "2 bars of 4/4" in run("generate", "music_vae", "--checkpoint", path).stdout
    assert "does not go on from a primer" in fails("generate", "music_vae", "--checkpoint", path, "--primer", TUNE)
    result = run("generate", "music_vae", "--checkpoint", path, "--num-steps", 64, "--top-k", 3, "--qpm", 90)
    assert "sampled at once, 2 bars, and knows nothing of --num-steps, --top-k\n" in result.stderr


def test_a_primer_file_gives_the_track_that_is_heard_alone(tmp_path):
    tune = Track(np.array([(0, 1, 72, 80), (1, 2, 74, 80), (1, 2, 62, 80)], NOTE), "Lead")
    song(tmp_path / "song.mid", tune, Track(np.array([(0, 16, 36, 80)], NOTE), "Drone"))
    result = run("generate", "melody_rnn", "--primer", "song.mid", "--num-steps", 32, "-o", "out")
    assert "1 chord was reduced to its top note; --voice lowest takes the bottom" in result.stderr
    (piece,) = made(tmp_path / "out")
    assert [track.name for track in piece.tracks] == ["Lead"]
    assert lines(piece)[:2] == [(0, 1, 72), (1, 2, 74)]


def test_polyphony_goes_on_from_all_tracks_without_singing_them_again(tmp_path, weights):
    low, high = (Track(np.array([(0, 4, pitch, 80)], NOTE), name) for pitch, name in ((48, "Low"), (72, "High")))
    song(tmp_path / "song.mid", low, high)
    result = run("continue", "song.mid", "--model", weights("polyphony"), "--bars", 2, "--seed", 3, "-o", "out")
    assert "3 bars of 4/4" in result.stdout
    (piece,) = made(tmp_path / "out")
    assert [track.name for track in piece.tracks] == ["Low", "High", "polyphony"]
    assert min(start for start, _, _ in lines(piece, 2)) >= 4


def test_a_meter_that_a_network_cannot_count_is_refused(tmp_path, weights):
    arguments = ("generate", weights("one_drum"), "--meter", "7/16", "--primer", "bd: x......")
    assert "one_drum cannot play in 7/16: one_drum counts in steps of 1/8" in fails(*arguments)


def test_chords_are_read_off_the_notes_where_there_are_no_symbols(tmp_path, weights):
    chords = [(48, 52, 55), (43, 47, 50)]
    rows = [(4 * bar, 4 * bar + 4, pitch, 70) for bar, chord in enumerate(chords) for pitch in chord]
    tune = Track(np.array([(beat, beat + 1, 72, 80) for beat in range(8)], NOTE), "Lead")
    song(tmp_path / "song.mid", tune, Track(np.array(rows, NOTE), "Pad"))
    result = run("continue", "song.mid", "--model", weights("basic_improv"), "--bars", 3, "--seed", 1, "-o", "out")
    assert "chords are read off the notes: C G; --chords gives others" in result.stderr
    (piece,) = made(tmp_path / "out")
    assert [(span.start, span.chord.name) for span in piece.chords] == [
        (0, "C"),
        (4, "G"),
        (8, "C"),
        (12, "G"),
        (16, "C"),
    ]

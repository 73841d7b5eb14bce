"""Facts about Magenta's flags: the real commands take them, do what they meant, and tell the new spelling once."""

import numpy as np
import pytest

from engine.cli.music.magenta_flags import TakesMagentaFlags
from engine.score.midi.writing import write_piece
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from tests.cli.generating import CHECKPOINTS, run

TUNE = np.array([(beat, beat + 1, 60 + 2 * beat, 80) for beat in range(8)], NOTE)
KIT = np.array([(beat, beat + 0.25, 36, 80) for beat in range(8)], NOTE)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_piece(tmp_path / "tune.mid", Piece((Track(TUNE, "Lead"),)))
    write_piece(tmp_path / "kit.mid", Piece((Track(KIT, "Kit", is_drum=True),)))


def same(tmp_path, old, new):
    """The files and the hint of a command in Magenta's spelling, which are those of ours."""
    first = run(*old, "--seed", 3)
    assert first.exit_code == 0, (first.output, first.exception)
    made = {path.name: path.read_bytes() for path in (tmp_path / "old").glob("*.mid")}
    second = run(*new, "--seed", 3, "-o", tmp_path / "new")
    assert second.exit_code == 0, (second.output, second.exception)
    assert made
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "new").glob("*.mid")}
    assert first.stderr.count("Magenta's flags are taken; here they are: perpetuum ") == 1
    assert "Magenta" not in second.stderr
    return first.stderr


@pytest.mark.parametrize(
    ("config", "old", "new"),
    [
        ("basic_rnn", ["--primer_melody", "[60, -2, 62, -1]"], ["--primer", "[60, -2, 62, -1]"]),
        ("basic_rnn", ["--primer_midi=tune.mid"], ["--primer", "tune.mid"]),
        ("basic_rnn", ["--beam_size=2", "--branch_factor=2", "--steps_per_iteration=4"],
         ["--beam-size", "2", "--branch-factor", "2", "--steps-per-iteration", "4"]),
        ("drum_kit", ["--primer_drums=[(36,), (), (38, 42)]"], ["--primer", "[(36,), (), (38, 42)]"]),
        ("chord_pitches_improv", ["--backing_chords=C G", "--steps_per_chord=8", "--render_chords"],
         ["--chords", "C:2 G:2"]),
        ("polyphony", ["--primer_pitches=[67,64,60]", "--condition_on_primer=true",
                       "--inject_primer_during_generation=false"],
         ["--primer", "[G4 E4 C4]:1", "--condition-on-primer", "--no-inject-primer"]),
        ("rnn-nade", ["--primer_pianoroll=[(60, 64), (60, 64), (), (67,)]"],
         ["--primer", "[C4 E4]:2/4 ~:1/4 G4:1/4"]),
    ],
)  # fmt: skip
def test_generate_takes_the_flags_of_the_recurrent_networks(tmp_path, weights, config, old, new):
    path = weights(config)
    flags = [f"--run_dir={path}", f"--config={config}", "--output_dir=old", "--num_outputs=2", "--num_steps=48"]
    plain = ["generate", config, "--checkpoint", path, "-n", 2, "--num-steps", 48, "--qpm", 90, "--temperature", 1.1]
    same(tmp_path, ["generate", *flags, "--qpm=90", "--temperature=1.1", *old], [*plain, *new])


def test_generate_takes_the_flags_of_performances(tmp_path, weights):
    config = "multiconditioned_performance_with_dynamics"
    path, weighing = weights(config), "2,0,1,0,1,1,0,1,0,1,0,1"
    old = ["generate", f"--bundle_file={path}", "--output_dir=old", "--num_steps=300", "--notes_per_second=5"]
    old += [f"--pitch_class_histogram=[{weighing}]", "--hparams=batch_size=1", "--log=INFO", "--primer_pitches=[60]"]
    new = ["generate", "--checkpoint", path, "--num-steps", 300, "--notes-per-second", 5, "--pitch-classes", weighing]
    said = same(tmp_path, old, [*new, "--primer", "C4:1"])
    assert "--hparams, --log say nothing here" in said


def test_a_bundle_file_of_magenta_is_taken(tmp_path):
    bundle = next(CHECKPOINTS.glob("*.mag"))
    old = ["generate", f"--bundle_file={bundle}", "--output_dir", "old", "--num_steps", "32"]
    same(tmp_path, old, ["generate", "--checkpoint", bundle, "--num-steps", 32])


def test_continue_takes_a_primer_and_counts_it_in(tmp_path, weights):
    path = weights("basic_rnn")
    old = ["continue", f"--bundle_file={path}", "--primer_midi", "tune.mid", "--output_dir=old", "--num_steps=64"]
    same(tmp_path, old, ["continue", "tune.mid", "--checkpoint", path, "--bars", "2"])
    short = run("continue", "tune.mid", "--checkpoint", path, "--num_steps", "32")
    assert "tune.mid has 32 steps, and --num-steps 32 counts them in" in str(short.exception)


def test_interpolate_and_sample_take_the_flags_of_music_vae(tmp_path, weights):
    path = weights("cat-mel_2bar_big")
    old = ["interpolate", "--config=cat-mel_2bar_big", f"--checkpoint_file={path}", "--mode=interpolate"]
    old += ["--input_midi_2=tune.mid", "--input_midi_1", "tune.mid", "--num_outputs=3", "--output_dir=old"]
    new = ["interpolate", "tune.mid", "tune.mid", "--config", "cat-mel_2bar_big", "--checkpoint", path, "--steps", 3]
    same(tmp_path, old, new)
    for file in (*(tmp_path / "old").iterdir(), *(tmp_path / "new").iterdir()):
        file.unlink()
    old = ["sample", "--config=cat-mel_2bar_big", f"--checkpoint_file={path}", "--mode=sample", "--output_dir=old"]
    same(tmp_path, [*old, "--num_outputs=2"], ["sample", "cat-mel_2bar_big", "--checkpoint", path, "-n", 2])


@pytest.mark.parametrize("verb", ["groove", "drumify"])
def test_grooves_take_a_checkpoint_file(tmp_path, weights, verb):
    path = weights("groovae_2bar_tap_fixed_velocity" if verb == "drumify" else "groovae_2bar_humanize")
    result = run(verb, "--input_midi_1=kit.mid", f"--checkpoint_file={path}", "-o", "x.mid", "--temperature", 1)
    assert result.exit_code == 0, result.output
    assert f"perpetuum {verb} kit.mid --checkpoint {path} -o x.mid" in result.stderr
    assert (tmp_path / "x.mid").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["groove", "kit.mid", "--num_steps=3"], "Magenta's --num_steps says nothing to `perpetuum groove`"),
        (["sample", "--mode=interpolate"], "--mode=interpolate is `perpetuum interpolate FIRST LAST` here"),
        (["generate", "basic_rnn", "--primer_pitches=[60, 'a']"], "it is like '[60, 64, 67]'"),
        (["generate", "basic_rnn", "--primer_pitches=[[" * 5000], "it is like '[60, 64, 67]'"),
        (["generate", "basic_rnn", "--input_midi_1=x.mid"], "says nothing to `perpetuum generate`"),
        (["generate", "basic_rnn", "--steps_per_chord=0"], "is no number of sixteenths"),
        (["generate", "basic_rnn", "--num_outputs"], "Invalid value for '-n'"),
        (["generate", "basic_rnn", "--no_such_flag=1"], "No such option"),
        (["generate"], "name a MODEL"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(arguments, why):
    result = run(*arguments)
    assert result.exit_code == 2
    assert why in result.output.replace("\n", " ")


def test_all_that_is_after_a_double_dash_stays(weights):
    command = TakesMagentaFlags("x")
    assert command._translated(["--", "--num_steps=1"]) == ["--", "--num_steps=1"]

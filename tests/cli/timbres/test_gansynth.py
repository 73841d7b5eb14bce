"""Facts about `perpetuum gansynth` and `instrument from-gansynth`, with a small checkpoint of the original."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from engine.score.midi.writing import write_piece
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from engine.sound.instruments.instrument_file import load_instrument
from engine.timbres.gansynth.banks import LatentPlace, bank_pitches
from tests.cli.generating import fails, run
from tests.timbres.golden import SMALL, gansynth

pytestmark = [pytest.mark.models, pytest.mark.xdist_group("tensorflow")]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "song.mid").write_bytes(bytes(gansynth("generate_util")[0]["midi"]))


def test_a_midi_file_is_played_and_the_same_seed_plays_it_the_same(tmp_path):
    first = run("gansynth", SMALL, "song.mid", "--seed", 7, "-o", "a.wav")
    assert first.exit_code == 0, (first.output, first.exception)
    assert "a.wav: 9 notes, 2 instruments, 13.5 s long, seed 7" in first.stdout
    assert "1 note is left out, outside 24 to 84" in first.stderr
    old = run("gansynth", f"--ckpt_dir={SMALL}", "--midi_file=song.mid", "--output_dir=b.wav", "--seed", 7)
    assert old.stderr.count("Magenta's flags are taken") == 1
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    sound, rate = soundfile.read("a.wav")
    assert (rate, sound.shape) == (48000, (48000 * 16,))
    assert sound.max() == pytest.approx(0.5, abs=0.03)
    other = run("gansynth", SMALL, "song.mid", "--seed", 8, "--seconds-per-instrument", 2, "-o", "c.flac")
    assert "6 instruments" in other.stdout
    assert not np.allclose(soundfile.read("c.flac")[0], sound, atol=1e-3)


def test_a_file_without_a_name_gets_one_and_writes_over_none(tmp_path):
    for _ in range(2):
        assert run("gansynth", SMALL, "song.mid", "--seed", 1, "--format", "flac").exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("*.flac")) == ["song-gansynth-2.flac", "song-gansynth.flac"]


def test_notes_of_a_seed_are_the_originals(tmp_path):
    made = run("gansynth", SMALL, "-n", 3, "--seed", 2025, "-o", "notes")
    assert made.exit_code == 0, (made.output, made.exception)
    names = [path.name for path in sorted((tmp_path / "notes").iterdir())]
    assert names == [f"gansynth-2025-0{number}-{pitch}.wav" for number, pitch in enumerate(("F3", "C4", "B2"), 1)]
    sound, _ = soundfile.read(tmp_path / "notes" / names[0])
    golden = gansynth("generate_util")[0]["random3_rms"][0]
    levels = np.sqrt((sound.reshape(40, -1) ** 2).mean(axis=1))
    assert np.corrcoef(levels, golden)[0, 1] > 0.99


def test_the_pitch_of_all_notes_may_be_said():
    made = run("gansynth", SMALL, "-n", 2, "--pitch", "D4", "--seed", 1)
    assert made.stdout.count(": D4, ") == 2


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("song.mid", "-n", 2), "leave the MIDI file out"),
        (("--pitch", "C9"), "knows no pitch 120"),
        (("--pitch", "H2"), "not a pitch"),
        (("--seed", 2**32), "--seed is at most"),
        (("missing.mid",), "there is no file missing.mid"),
        (("song.mid", "-o", "song.doc"), "ends in .doc"),
        (("song.mid", "-o", "."), "it is a folder"),
        (("high.mid",), "there is no note to be played"),
        (("song.mid", "--seconds-per-instrument", "nan"), "not a number"),
    ],
)
def test_what_cannot_be_done_is_said_before_a_file_is_written(tmp_path, arguments, what):
    write_piece(tmp_path / "high.mid", Piece((Track(np.array([(0, 1, 120, 80)], NOTE)),)))
    before = sorted(tmp_path.iterdir())
    result = run("gansynth", SMALL, *arguments)
    assert result.exit_code != 0
    assert what in result.output + str(result.exception)
    assert sorted(tmp_path.iterdir()) == before


def test_a_checkpoint_that_is_none_is_said(tmp_path):
    assert "no checkpoint of GANSynth" in fails("gansynth", tmp_path, "song.mid")


def test_without_tensorflow_it_is_said_what_to_install(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('none here')")
    code = "import sys; sys.path.insert(0, '.'); from engine.cli import main; main(sys.argv[1:])"
    made = subprocess.run(
        [sys.executable, "-c", code, "gansynth", str(SMALL), "song.mid"], capture_output=True, text=True, cwd=tmp_path
    )
    assert made.returncode == 2
    assert "pip install 'tensorflow-cpu>=2.20,<2.22'" in made.stderr
    assert "Traceback" not in made.stderr


def test_an_instrument_is_made_that_the_base_install_plays(tmp_path):
    made = run("instrument", "from-gansynth", SMALL, "--latent", 7, "--every", 12, "--lowest", "C2", "-o", "seven")
    assert made.exit_code == 0, (made.output, made.exception)
    assert load_instrument(tmp_path / "seven" / "instrument.yaml")[0].name == "sampler"
    assert len(list((tmp_path / "seven").glob("*.flac"))) >= 3
    assert "name it in a scene as `instrument: seven/`" in made.stdout
    again = run("instrument", "from-gansynth", SMALL, "--latent", 7, "--every", 12, "--lowest", "C2", "-o", "eight")
    assert again.exit_code == 0
    for path in (tmp_path / "seven").glob("*.flac"):
        assert path.read_bytes() == (tmp_path / "eight" / path.name).read_bytes()
    there = run("instrument", "from-gansynth", tmp_path / "nowhere", "--latent", 7, "-o", "seven")
    assert "seven is there already" in str(there.exception)  # before the checkpoint is looked at


def test_places_lie_on_the_way_between_two_seeds():
    first, second = LatentPlace(3).latent(16), LatentPlace(4).latent(16)
    np.testing.assert_allclose(LatentPlace(3, 4, 0.0).latent(16), first)
    np.testing.assert_allclose(LatentPlace(3, 4, 1.0).latent(16), second, atol=1e-12)
    assert LatentPlace(3, 4, 0.4).in_words() == "40 % of the way from latent 3 to 4"
    assert bank_pitches()[:2] == [24, 27]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--at", 40), "--at stands between"),
        (("--lowest", "C7"), "no notes from pitch 96 to 84"),
        (("--lowest", "C5", "--highest", "C4"), "no notes"),
    ],
)
def test_an_instrument_of_nothing_is_refused(arguments, what):
    result = run("instrument", "from-gansynth", SMALL, "--latent", 1, "-o", "new", *arguments)
    assert result.exit_code != 0
    assert what in result.output + str(result.exception)

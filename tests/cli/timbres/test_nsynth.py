"""`perpetuum nsynth`, and the instruments made with it: from sound files to sound files, with everything in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from engine.timbres.nsynth.encodings import save_encoding
from tests.timbres.nsynth.golden import CHECKPOINT, TRAINING, Golden, tone

MODEL = ("--checkpoint", CHECKPOINT, "--stages", 4)


@pytest.fixture
def sounds(here):
    """Two sound files: the reference's tone at 16 kHz, and another at 48 kHz in stereo."""
    soundfile.write(here / "one.wav", tone(0, 2048), 16000, subtype="FLOAT")
    t = np.arange(48000 // 8) / 48000
    soundfile.write(here / "two.wav", np.stack([np.sin(2770 * t), np.sin(2770 * t)], axis=1) * 0.3, 48000)
    return here


@pytest.fixture
def encodings(here):
    """Encodings of one and of two frames."""
    random = np.random.default_rng(2)
    for name, frames in (("a", 1), ("b", 2)):
        save_encoding(here / f"{name}.npy", random.standard_normal((frames, 16)).astype(np.float32))
    return here


def test_a_sound_file_becomes_the_originals_encoding(perpetuum, sounds):
    status, said, _ = perpetuum("nsynth", "encode", "one.wav", "two.wav", *MODEL, "-o", "encodings")
    assert status == 0
    assert "encodings/one.npy: 4 frames, 0.13 s\n" in said
    assert "encodings/two.npy: 3 frames, 0.10 s, without the last 464 samples" in said
    np.testing.assert_allclose(np.load("encodings/one.npy"), Golden("tiny")["encoding"][0], atol=1e-4, rtol=0)


def test_a_last_frame_can_be_filled_with_silence(perpetuum, sounds):
    assert perpetuum("nsynth", "encode", "two.wav", *MODEL, "--pad")[0] == 0
    assert np.load("two.npy").shape == (4, 16)


def test_of_a_training_it_is_said_which_weights_are_taken(perpetuum, sounds):
    raw = perpetuum("nsynth", "encode", "one.wav", "--checkpoint", TRAINING, "--stages", 4)
    assert raw[0] == 0
    assert "its raw weights are taken" in raw[2]
    taken = np.load("one.npy")
    averages = perpetuum("nsynth", "encode", "one.wav", "--checkpoint", TRAINING, "--stages", 4, "--averages")
    assert averages[0] == 0
    assert not np.allclose(np.load("one.npy"), taken, atol=1e-2)


def test_encodings_are_mixed_joined_and_stretched(perpetuum, encodings):
    a, b = np.load("a.npy"), np.load("b.npy")
    assert perpetuum("nsynth", "mix", "a.npy", "b.npy", "--weights", "0.25,0.75", "-o", "mix.npy")[0] == 0
    np.testing.assert_allclose(np.load("mix.npy"), 0.25 * a + 0.75 * b[:1], rtol=1e-5)
    assert perpetuum("nsynth", "mix", "a.npy", "b.npy", "--crossfade", "0", "-o", "row.npy")[0] == 0
    np.testing.assert_array_equal(np.load("row.npy"), np.concatenate([a, b]))
    assert perpetuum("nsynth", "mix", "a.npy", "b.npy", "--steps", 3, "-o", "steps")[0] == 0
    np.testing.assert_allclose(np.load("steps/a-b-02.npy"), (a + b[:1]) / 2, rtol=1e-5)
    assert perpetuum("nsynth", "stretch", "b.npy", "--factor", 2.5, "-o", "slow.npy")[0] == 0
    assert np.load("slow.npy").shape == (5, 16)


def test_encodings_become_float_sound_at_16_khz_that_the_seed_decides(perpetuum, encodings):
    assert perpetuum("nsynth", "synthesize", "a.npy", "b.npy", *MODEL, "-o", "x", "--seed", 4)[0] == 0
    info = soundfile.info("x/b.wav")
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (16000, 1, "FLOAT", 1024)
    assert sorted(os.listdir("x")) == ["a.wav", "b.wav"]
    assert perpetuum("nsynth", "synthesize", "b.npy", "a.npy", *MODEL, "-o", "y", "--seed", 4)[0] == 0
    assert perpetuum("nsynth", "synthesize", "a.npy", "b.npy", *MODEL, "-o", "z", "--seed", 5)[0] == 0
    for name in ("a.wav", "b.wav"):
        same, other, third = ((encodings / folder / name).read_bytes() for folder in "xyz")
        assert same == other
        assert same != third


def test_what_was_killed_goes_on_and_no_file_is_there_before_it_is_whole(perpetuum, here):
    random = np.random.default_rng(3)
    save_encoding(here / "long.npy", random.standard_normal((6, 16)).astype(np.float32))
    command = ["nsynth", "synthesize", "long.npy", *map(str, MODEL), "--save-every", "0.01"]
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", *command, "-o", "cut"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    while not list((here / "cut").glob("*.unfinished")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (here / "cut" / "long.wav").exists()
    status, _, complaint = perpetuum(*command, "-o", "cut")
    assert status == 0
    assert "goes on at" in complaint
    assert perpetuum(*command, "-o", "whole")[0] == 0
    assert (here / "cut/long.wav").read_bytes() == (here / "whole/long.wav").read_bytes()
    assert os.listdir("cut") == ["long.wav"]


def test_ctrl_c_puts_aside_what_is_made_and_says_how_to_go_on(perpetuum, encodings, monkeypatch):
    from engine.timbres.nsynth import playing

    def interrupted(*_: object, **__: object) -> None:
        time.sleep(0.05)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(playing, "wait", interrupted)
        status, _, complaint = perpetuum("nsynth", "synthesize", "b.npy", *MODEL, "-o", "cut")
    assert status == 130
    assert "put aside in cut: the same command goes on there" in complaint
    (aside,) = os.listdir("cut")
    assert aside.endswith(".unfinished")
    status, _, complaint = perpetuum("nsynth", "synthesize", "b.npy", *MODEL, "-o", "cut")
    assert "goes on at 0:00." in complaint
    assert perpetuum("nsynth", "synthesize", "b.npy", *MODEL, "-o", "whole")[0] == 0
    assert (encodings / "cut/b.wav").read_bytes() == (encodings / "whole/b.wav").read_bytes()


REFUSED = {
    "no checkpoint": (("encode", "one.wav", "--checkpoint", "nowhere"), "nowhere: no such checkpoint"),
    "another file as a checkpoint": (("encode", "one.wav", "--checkpoint", "one.wav"), "one.wav: not a checkpoint"),
    "no sound": (("encode", "text.wav", *MODEL), "text.wav: it is no sound file"),
    "a folder": (("encode", "folder", *MODEL), "folder: it is a folder"),
    "a FIFO": (("encode", "fifo", *MODEL), "fifo: it is a pipe"),
    "too short": (("encode", "short.wav", *MODEL), "512 (a frame)"),
    "one name twice": (("encode", "one.wav", "folder/../one.wav", *MODEL), "would both become one.npy"),
    "sound for an encoding": (("synthesize", "one.wav", *MODEL, "-o", "c"), "one.wav: not an encoding"),
    "weights that do not fit": (("mix", "a.npy", "b.npy", "--weights", "1", "-o", "c.npy"), "--weights has 1 for 2"),
    "weights that are none": (("mix", "a.npy", "b.npy", "--weights", "1,x", "-o", "c.npy"), "not a valid"),
    "two ways": (("mix", "a.npy", "b.npy", "--weights", "1,1", "--steps", 2, "-o", "c"), "take one"),
    "nothing left": (("stretch", "b.npy", "--factor", "0.1", "-o", "c.npy"), "b.npy: cannot be stretched so"),
    "too long a crossfade": (("mix", "a.npy", "b.npy", "--crossfade", 9, "-o", "c.npy"), "cannot be mixed so"),
    "a wrong ending": (("stretch", "b.npy", "--factor", 2, "-o", "c.wav"), "c.wav"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_said_without_a_traceback(perpetuum, sounds, encodings, what):
    (sounds / "text.wav").write_text("la la la " * 99)
    soundfile.write(sounds / "short.wav", tone(0, 500), 16000)
    (sounds / "folder").mkdir()
    os.mkfifo(sounds / "fifo")
    arguments, says = REFUSED[what]
    status, _, complaint = perpetuum("nsynth", *arguments)
    assert status == 2
    assert says in complaint
    assert "Traceback" not in complaint
    assert not list(sounds.glob("c*.npy"))


def test_work_that_was_put_aside_and_damaged_is_refused_until_it_is_begun_anew(perpetuum, encodings):
    from engine.timbres.nsynth.checkpoint import open_model
    from engine.timbres.nsynth.encodings import load_encoding
    from engine.timbres.nsynth.playing import EncodedNote, Playing

    model = open_model(CHECKPOINT, 4)
    encoding = load_encoding(encodings / "b.npy")
    import zlib

    note = EncodedNote(encoding, (0, zlib.crc32(encoding.tobytes())))
    aside = Playing(model.decoder(), model.digest(), [note], lambda *_: None, encodings)._batches[0]._file
    assert aside is not None
    aside.write_bytes(b'{"format": "perpetuum-nsynth-1", "job": "%s", "time": 4}\n' % _job(aside, model, note).encode())
    status, _, complaint = perpetuum("nsynth", "synthesize", "b.npy", *MODEL)
    assert status == 2
    assert f"{aside.name}: this unfinished work cannot be gone on with" in complaint
    assert perpetuum("nsynth", "synthesize", "b.npy", *MODEL, "--afresh")[0] == 0


def _job(_, model, note):
    from engine.timbres.nsynth.unfinished import job_digest

    return job_digest(model.digest(), [note.encoding], [note.seed])


def test_an_instrument_lies_between_two_recordings(perpetuum, sounds):
    arguments = ("--lowest", "C4", "--highest", "C5", "--every", 12, "--seconds", 0.1, *MODEL)
    said = perpetuum(
        "instrument", "from-nsynth", "one.wav", "two.wav", "--root", "one.wav=A3", "--root", "two.wav=A4", *arguments,
        "-o", "between", "--credit", "nobody", "--licence", "CC0 1.0",
    )  # fmt: skip
    assert said[0] == 0, said[2]
    assert sorted(os.listdir("between")) == ["C4.flac", "C5.flac", "instrument.yaml"]
    assert "from-nsynth" in (sounds / "between/instrument.yaml").read_text()
    assert not list(sounds.glob("*.unfinished"))
    again = perpetuum("instrument", "from-nsynth", "one.wav", *MODEL, "-o", "between")
    assert again[0] == 2
    assert "is there already" in again[2]


@pytest.mark.xdist_group("rainbows")  # who draws the first one compiles for a quarter of a minute
def test_pictures_show_sounds_and_encodings(perpetuum, sounds, encodings):
    from PIL import Image

    assert perpetuum("nsynth", "plot", "one.wav", "a.npy", "-o", "picture.png")[0] == 0
    with Image.open("picture.png") as picture:
        wide, tall = picture.size
    assert wide > 1.8 * tall


@pytest.mark.xdist_group("rainbows")
def test_a_tone_is_bright_where_it_lies_and_of_one_colour():
    from engine.timbres.rainbowgram import LOWEST, STEPS, rainbow

    wave = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
    picture = rainbow(wave)
    light = picture.max(axis=2)
    row = round(STEPS * np.log2(440 / LOWEST))
    assert abs(int(light[:, 20:40].mean(axis=1).argmax()) - row) <= 1
    assert light[row + STEPS // 2, 30] < 0.1 < 0.9 < light[row, 30]
    np.testing.assert_allclose(picture[row, 20:40], picture[row, 20:21].repeat(20, axis=0), atol=0.05)
    assert not rainbow(np.zeros(8000, np.float32)).any()

"""`perpetuum instrument from-wav`, on good, odd and hostile recordings."""

import os
import shutil
import struct
import subprocess

import numpy as np
import pytest
import soundfile

from engine import assets
from engine.scenes import load
from engine.sound.instruments.instrument_file import load_instrument
from engine.sound.instruments.samples import read_sample
from tests.sound.rendering import notes, play
from tests.timbres.samples.tones import RATE, hertz, tone

SCENE = """
perpetuum: 1
title: A scene
tempo: 60 qpm
key: C major
parts:
  a:
    generator: {kind: pattern, notes: "C4:1"}
    instrument: NAME
sections:
  always: {bars: 4 bars, parts: [a]}
"""


def write(path, sound, rate=RATE, **more):
    soundfile.write(path, sound, rate, **more)
    return path


def zones(folder):
    settings = load_instrument(folder / "instrument.yaml")[1]
    return [(one.file, one.pitch, one.tune) for one in settings.samples]


def test_a_recording_becomes_an_instrument_that_a_scene_beside_it_names(perpetuum, here):
    silence = np.zeros(RATE // 3, np.float32)
    write("clear.wav", np.concatenate([silence, tone(61.3), silence]))
    code, said, complained = perpetuum(
        "instrument", "from-wav", "clear.wav", "-o", "bell", "--credit", "Me", "--licence", "CC0"
    )
    assert (code, complained) == (0, "")
    assert "clear.wav: C#4 +30 cents" in said
    ((file, pitch, tune),) = zones(here / "bell")
    assert (file, pitch) == ("Cs4.flac", 61)
    assert abs(tune - 30) < 2
    assert len(read_sample(here / "bell" / file)) < 2.05 * RATE
    for name in ("bell", "bell/", "./bell", "bell/instrument.yaml"):
        (here / "scene.yaml").write_text(SCENE.replace("NAME", name))
        scene, problems = load(here / "scene.yaml")
        assert scene is not None, [one.text() for one in problems]


def test_an_instrument_in_a_folder_of_the_user_s_has_a_bare_name(perpetuum, here, monkeypatch):
    (here / "mine" / "instruments").mkdir(parents=True)
    write("a.wav", tone(60))
    monkeypatch.setenv("PERPETUUM_PATH", str(here / "mine"))
    _, said, _ = perpetuum("instrument", "from-wav", "a.wav", "-o", "mine/instruments/warm_pad")
    assert "`instrument: warm_pad`" in said
    assert "hides the shipped instrument warm_pad" in said
    assert assets.find("instruments", "warm_pad") == here / "mine/instruments/warm_pad/instrument.yaml"
    assert "hides the shipped one" in perpetuum("instruments")[1]


def test_several_recordings_share_the_keys_and_those_of_one_pitch_the_velocities(perpetuum, here):
    write("soft C4.wav", tone(60, peak=0.1))
    write("loud C4.wav", tone(60, peak=0.8))
    write("high.wav", tone(72))
    code, said, _ = perpetuum("instrument", "from-wav", "soft C4.wav", "loud C4.wav", "high.wav", "-o", "bell")
    assert code == 0
    assert "loud C4.wav: C4" in said
    settings = load_instrument(here / "bell" / "instrument.yaml")[1]
    assert [(one.pitch, one.low, one.high) for one in settings.samples] == [(60, 1, 63), (60, 64, 127), (72, 1, 127)]


def test_names_help_where_they_agree_with_what_is_heard(perpetuum, here):
    write("a_C3.wav", tone(60))
    write("b-067.wav", tone(67.2))
    write("take_2_b1.wav", tone(74))
    _, said, _ = perpetuum("instrument", "from-wav", "a_C3.wav", "b-067.wav", "take_2_b1.wav", "-o", "bell")
    assert "a_C3.wav: C4 +0 cents" in said
    assert "its name says C3, and it is heard 1 octave(s) away" in said
    assert "its name says B1, which is not what is heard" in said
    assert [pitch for _, pitch, _ in zones(here / "bell")] == [60, 67, 74]


def test_a_hand_is_believed(perpetuum, here):
    write("gong.wav", np.random.default_rng(1).normal(0, 0.1, RATE))
    code, _, complained = perpetuum("instrument", "from-wav", "gong.wav", "-o", "gong")
    assert code == 2
    assert "no pitch is heard in it" in complained
    assert "--root" in complained
    assert not (here / "gong").exists()
    code, _, _ = perpetuum("instrument", "from-wav", "gong.wav", "--root", "D2 +20", "-o", "gong")
    assert code == 0
    assert zones(here / "gong") == [("D2.flac", 38, 20.0)]


@pytest.mark.parametrize("root", ["H4", "C4+200", "128", "x.wav=C4", "", "C4=", "=C4"])
def test_a_root_that_is_none_is_refused(perpetuum, here, root):
    write("a.wav", tone(60))
    write("b.wav", tone(62))
    code, _, complained = perpetuum("instrument", "from-wav", "a.wav", "b.wav", "--root", root, "-o", "bell")
    assert code == 2
    assert "--root" in complained
    assert not (here / "bell").exists()


def test_sides_are_kept_or_folded(perpetuum, here):
    both = np.stack([tone(60), 0.5 * tone(60, weights=(1.0, 0.9))], axis=1)
    write("wide.wav", both)
    write("against.wav", np.stack([tone(60), -tone(60)], axis=1))
    write("same.wav", np.stack([tone(60), tone(60)], axis=1))
    for name, sides, channels in (
        ("wide", "keep", 2),
        ("wide", "fold", 1),
        ("same", "keep", 1),
        ("against", "fold", 1),
    ):
        code, said, _ = perpetuum("instrument", "from-wav", f"{name}.wav", "--sides", sides, "-o", "bell", "--force")
        assert code == 0
        assert soundfile.info(here / "bell" / "C4.flac").channels == channels
        assert ("cancel each other" in said) == (name == "against")


def test_what_sustains_is_looped_and_what_rings_out_is_not(perpetuum, here):
    write("held.wav", tone(60, vibrato=15.0))
    write("struck.wav", tone(67, decay=20.0))
    perpetuum("instrument", "from-wav", "held.wav", "struck.wav", "-o", "bell")
    settings = load_instrument(here / "bell" / "instrument.yaml")[1]
    assert [one.loop is not None for one in settings.samples] == [True, False]
    perpetuum(
        "instrument", "from-wav", "held.wav", "-o", "off", "--loop", "off", "--release", "1.5 s", "--attack", "80 ms"
    )
    settings = load_instrument(here / "off" / "instrument.yaml")[1]
    assert settings.samples[0].loop is None
    assert (settings.envelope.attack, settings.envelope.release) == (0.08, 1.5)


def test_a_small_bell_becomes_a_large_one(perpetuum, here):
    write("small.wav", tone(96, 1.0, decay=30.0))
    code, said, _ = perpetuum("instrument", "from-wav", "small.wav", "--transpose", "-24 semitones", "-o", "large")
    assert code == 0
    assert "small.wav: C5 " in said
    assert abs(len(read_sample(here / "large" / "C5.flac")) - 4 * RATE) < RATE
    code, _, _ = perpetuum(
        "instrument", "from-wav", "small.wav", "--transpose", "-24 semitones", "--root", "C7+5", "-o", "other"
    )
    assert zones(here / "other") == [("C5.flac", 72, 5.0)]


ODD = {
    "8-bit": lambda p: write(p, tone(60), subtype="PCM_U8"),
    "192 kHz": lambda p: write(p, tone(60, rate=192_000), 192_000),
    "5.1": lambda p: write(p, np.tile(tone(60)[:, None], (1, 6))),
    "DC": lambda p: write(p, 0.3 + tone(60, peak=0.3)),
    "float, 12 dB too loud": lambda p: write(p, 4 * tone(60, peak=1.0), subtype="FLOAT"),
    "clipped": lambda p: write(p, np.clip(3 * tone(60, peak=1.0), -1, 1)),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_recordings_sound_as_well(perpetuum, here, kind):
    ODD[kind](here / "odd.wav")
    code, said, complained = perpetuum("instrument", "from-wav", "odd.wav", "-o", "bell")
    assert (code, complained) == (0, "")
    assert ("clipped" in said) == (kind == "clipped")
    sound = read_sample(here / "bell" / "C4.flac")[:RATE]
    spectrum = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound))))
    assert abs(spectrum.argmax() * RATE / len(sound) - hertz(60)) < 1.5
    assert 0.3 < np.abs(sound).max() <= 0.9


def test_a_header_that_promises_a_day_is_believed_as_far_as_there_is_sound(perpetuum, here):
    data = bytearray(write(here / "day.wav", tone(60, 0.5)).read_bytes())
    struct.pack_into("<I", data, data.index(b"data") + 4, (1 << 32) - 2)
    (here / "day.wav").write_bytes(data)
    assert perpetuum("instrument", "from-wav", "day.wav", "-o", "bell")[0] == 0
    assert len(read_sample(here / "bell" / "C4.flac")) <= RATE // 2


def broken(folder):
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("I am a text.\x1b[2J")
    (folder / "folder.wav").mkdir()
    os.mkfifo(folder / "fifo.wav")
    (folder / "nowhere.wav").symlink_to("gone")
    write(folder / "none.wav", np.zeros((0, 1)))
    write(folder / "silent.wav", np.zeros(RATE))
    write(folder / "nan.wav", np.where(np.arange(RATE) == 7, np.nan, tone(60)[:RATE]), subtype="FLOAT")
    write(folder / "one.wav", np.array([0.5]))


@pytest.mark.parametrize(
    "name", ["empty", "text", "folder", "fifo", "nowhere", "none", "silent", "nan", "one", "missing"]
)
def test_what_is_no_recording_is_refused_in_a_sentence(perpetuum, here, name):
    broken(here)
    code, _, complained = perpetuum("instrument", "from-wav", f"{name}.wav", "-o", "bell")
    assert code == 2
    assert f"{name}.wav" in complained
    assert "\x1b" not in complained
    assert not (here / "bell").exists()
    code, _, complained = perpetuum("instrument", "from-wav", "--drum", f"snare={name}.wav", "-o", "kit")
    assert code == 2
    assert f"{name}.wav" in complained
    assert not (here / "kit").exists()


def test_a_name_with_control_characters_is_said_and_written_without_them(perpetuum, here):
    name = "bell\x1b[2J\n: {x}.wav"
    write(here / name, tone(60))
    code, said, _ = perpetuum(
        "instrument", "from-wav", name, "-o", "bell", "--title", "a\n\x1b[2Jb: {", "--credit", "x\ny"
    )
    assert code == 0
    assert "\x1b" not in said
    settings = load_instrument(here / "bell" / "instrument.yaml")[1]
    assert (settings.title, settings.credits) == ("a [2Jb: {", "x y.")


@pytest.mark.parametrize("output", ["deep/er/bell", "file", "nowhere", "full/bell"])
def test_a_folder_that_cannot_be_made_costs_no_half_of_one(perpetuum, here, output):
    write("a.wav", tone(60))
    (here / "file").touch()
    (here / "nowhere").symlink_to("gone")
    (here / "full").mkdir()
    if output.startswith("full"):
        if os.geteuid() or shutil.which("mount") is None:
            pytest.skip("needs root, to mount a small disk")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", "full"], check=False)
        if mounted.returncode:
            pytest.skip("may not mount")
    try:
        code, _, complained = perpetuum("instrument", "from-wav", "a.wav", "-o", output)
        assert code == 2
        assert output.split("/")[0] in complained
        assert not (here / output / "instrument.yaml").exists()
        assert not list(here.rglob("*.partial"))
    finally:
        if output.startswith("full"):
            subprocess.run(["umount", "full"], check=True)


def strokes(pitches):
    return {name: 0.8 * tone(pitch, 0.3, decay=60.0) for name, pitch in pitches.items()}


def test_a_kit_is_made_of_its_drums(perpetuum, here):
    for name, sound in strokes({"a": 40, "b": 41, "s": 60}).items():
        write(f"{name}.wav", sound)
    code, _, _ = perpetuum(
        "instrument", "from-wav", "--drum", "bd=a.wav", "--drum", "kick=b.wav", "--drum", "snare=s.wav", "-o", "kit"
    )
    assert code == 0
    kind, settings = load_instrument(here / "kit" / "instrument.yaml")
    assert kind.drums
    assert {name: len(drum.samples) for name, drum in settings.drums.items()} == {"kick": 2, "snare": 1}
    assert np.abs(play(str(here / "kit" / "instrument.yaml"), notes((0, 1000, 38, 100)), RATE)).max() > 0.05


def test_a_drum_of_a_shipped_kit_is_replaced_at_its_level(perpetuum, here):
    """The new snare is as loud as the old one within 1.5 dB, all other drums are the very same samples."""
    write("clap.wav", 0.02 * np.random.default_rng(3).normal(size=9000) * np.exp(-np.arange(9000) / 2000))
    arguments = ("instrument", "from-wav", "--drum", "snare=clap.wav", "--from", "electronic_kit", "-o", "kit")
    assert perpetuum(*arguments)[0] == 0
    ours, theirs = str(here / "kit" / "instrument.yaml"), str(assets.find("instruments", "electronic_kit"))
    new, old = (load_instrument(assets.find("instruments", path))[1] for path in (ours, theirs))
    for name in set(old.drums) - {"snare"}:
        mine, original = new.drums[name], old.drums[name]
        assert mine.model_dump(exclude={"samples"}) == original.model_dump(exclude={"samples"})
        for one, other in zip(mine.samples, original.samples, strict=True):
            same = (here / "kit" / one.file, assets.shipped("instruments") / other.file)
            assert same[0].read_bytes() == same[1].read_bytes()
    snare = notes((0, 0, 38, 100))
    levels = [10 * np.log10((play(path, snare, RATE // 4) ** 2).mean()) for path in (ours, theirs)]
    assert abs(levels[0] - levels[1]) < 3.0
    assert "the other drums: uzu-drumkit" in load_instrument(here / "kit" / "instrument.yaml")[1].credits


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give recordings"),
        (["a.wav", "--drum", "snare=a.wav"], "give recordings"),
        (["a.wav", "--from", "electronic_kit"], "give recordings"),
        (["--drum", "snair=a.wav"], "did you mean snare?"),
        (["--drum", "a.wav"], "write DRUM=FILE"),
        (["--drum", "snare=a.wav", "--from", "electronic_kitt"], "did you mean electronic_kit?"),
        (["--drum", "snare=a.wav", "--from", "warm_pad"], "is no drum kit"),
        (["a.wav", "--longest", "12"], "has no unit"),
    ],
)
def test_what_makes_no_sense_is_said(perpetuum, here, arguments, words):
    write("a.wav", tone(60))
    code, _, complained = perpetuum("instrument", "from-wav", *arguments, "-o", "bell")
    assert code == 2
    assert words in complained
    assert not (here / "bell").exists()

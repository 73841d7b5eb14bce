"""A reading of a meter: noise that is as loud as it says, and a line in the file that leaves all else as it is."""

import math
import threading

import numpy as np
import pyloudnorm
import pytest
import scipy.signal
from click.testing import CliRunner

from engine.cli import cli
from engine.errors import PerpetuumError
from engine.installation.calibrating.noise import LENGTH, PinkNoise
from engine.installation.calibrating.playing import NoisePlaying, loud_enough
from engine.installation.calibrating.writing import with_calibration
from engine.installation.choices.calibration import Calibration, loudness_words
from engine.installation.installation import Sound
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.loading import read_installation
from engine.outputs.opening import OutputChoice
from engine.sound.format import AudioFormat
from tests.health.prometheus import wait_until as until
from tests.installation.making import HEAD, LOOKED_INTO, SCENES, SHARED, installation

WHOLE = Calibration(68.5, -20.0)
WORDS = "{reading: 68.5 dBA, at: -20 LUFS}"


@pytest.mark.parametrize("mono", [False, True])
def test_the_noise_is_as_loud_as_it_says_falls_by_3_db_an_octave_and_has_no_seam(mono):
    format = AudioFormat()
    noise = PinkNoise(format, -26.0, mono)
    sound = noise.take(LENGTH + 48000)
    assert pyloudnorm.Meter(format.rate).integrated_loudness(sound[:LENGTH].astype(np.float64)) == pytest.approx(
        -26.0, abs=0.1
    )
    assert np.array_equal(sound[LENGTH:], sound[:48000])
    frequencies, power = scipy.signal.welch(sound[:LENGTH, 0], format.rate, nperseg=1 << 14)
    octaves = [
        math.log10(power[(frequencies >= low) & (frequencies < 2 * low)].mean()) * 10 for low in (100, 800, 6400)
    ]
    assert np.diff(octaves) == pytest.approx([-9.0, -9.0], abs=0.5)
    assert np.array_equal(sound[:, 0], sound[:, 1]) is mono
    assert np.abs(sound).max() <= noise.true_peak < 1.0


def test_noise_that_would_pass_the_ceiling_or_the_limit_is_refused_with_how_loud_it_may_be():
    here = installation()
    assert loud_enough(here, -20.0, -1.0, math.inf).true_peak < 10 ** (-1 / 20)
    for loudness, ceiling, most in ((-9.0, -6.0, math.inf), (-20.0, -1.0, -30.0)):
        with pytest.raises(PerpetuumError) as refused:
            loud_enough(here, loudness, ceiling, most)
        allowed = float(refused.value.hint.removeprefix("--at "))
        assert loud_enough(here, allowed, ceiling, most).true_peak <= 10 ** (ceiling / 20)
        assert allowed <= most


def test_it_comes_and_goes_softly_through_the_output_of_the_installation(monkeypatch):
    heard: list[bytes] = []

    class Sink:
        description, lost = "a sink", ""

        def write(self, data: bytes) -> None:
            heard.append(data)

    class Opened:
        def __enter__(self) -> Sink:
            return Sink()

        def __exit__(self, *_: object) -> None:
            heard.append(b"")

    monkeypatch.setattr("engine.installation.calibrating.playing.open_outputs", lambda choices: Opened())
    here = installation(sound=Sound(OutputChoice("null")))
    noise = loud_enough(here, -20.0, -1.0, math.inf)
    with NoisePlaying(here, noise, 6.0) as playing:
        assert playing.wait(60)
    assert heard.pop() == b""  # it was closed
    sound = np.frombuffer(b"".join(heard), np.float32).reshape(-1, 2)
    assert 6.0 <= len(sound) / 48000 <= 7.0
    tenths = np.sqrt(np.square(sound[: len(sound) // 4800 * 4800]).reshape(-1, 4800 * 2).mean(axis=1))
    assert tenths[0] < 0.02 * tenths[50] < tenths[10] < tenths[50]
    assert np.abs(sound[-48:]).max() < 0.01


TEXTS = {
    "none": HEAD + SCENES + "# the end",
    "block": HEAD
    + SCENES
    + "# how loud\nloudness:\n    # at night\n    target: -22 LUFS   # soft\nquiet: {level: -3 dB}\n",
    "flow": HEAD + "loudness: {target: {8:00: 60 dBA}, limit: -18 LUFS}  # loud\n" + SCENES,
    "empty flow": HEAD + "loudness: {}\n" + SCENES,
    "nothing": HEAD + "loudness:   # to be done\n" + SCENES,
    "before, flow": HEAD + SCENES + "loudness: {calibration: {at: -30 LUFS, reading: 50 dBA}, target: 60 dBA}\n",
    "before, block": HEAD + SCENES + "loudness:\n  calibration:\n    reading: 50 dBA # old\n    at: -30 LUFS\n",
    "windows": (HEAD + SCENES + "loudness:\n  target: 61 dBA\n").replace("\n", "\r\n"),
    "quoted": HEAD + SCENES + '"loudness":\n  "target": "61 dBA"\n',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_line_is_put_into_the_file_and_every_other_character_stays(text, tmp_path):
    made = with_calibration(text, WHOLE)
    path = tmp_path / "here.yaml"
    path.write_bytes(made.encode())
    found, diagnostics = read_installation(path, instruments=SHARED, scenes=LOOKED_INTO)
    assert found is not None, [one.text() for one in diagnostics]
    assert found.loudness.calibration == WHOLE
    if "calibration" not in text:
        line = f"calibration: {WORDS}"
        added = (f"loudness:\n  {line}", f" {{{line}}}", f"{line}, ", line)
        assert text.split() in [made.replace(one, "", 1).split() for one in added]
    else:
        assert made.replace("68.5", "50").replace("-20", "-30") == text
    assert with_calibration(made, WHOLE) == made


@pytest.mark.parametrize(
    "text",
    ["", "- a\n", "perpetuum: 1\nx-a: &a {target: -20 LUFS}\nloudness: *a\n", "{perpetuum: 1}", "a: [", "a: 1\n...\n"],
)
def test_where_it_cannot_be_put_it_is_said_what_to_write(text):
    with pytest.raises(PerpetuumError) as refused:
        with_calibration(text, WHOLE)
    assert WORDS in refused.value.hint


def test_a_calibration_goes_both_ways_and_words_tell_both():
    assert WHOLE.lufs(WHOLE.decibels_a(-33.0)) == -33.0
    assert loudness_words(-26.0, WHOLE) == "-26.0 LUFS (62.5 dBA)"
    assert loudness_words(-26.0, None) == "-26.0 LUFS"


def calibrate(*words, given=""):
    return CliRunner().invoke(cli, ["calibrate", *words], input=given)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "here.yaml"
    path.write_text(HEAD + SCENES + 'output: "null"\nstate: state\nloudness:\n  target: 60 dBA  # as agreed\n')
    path.chmod(0o640)
    return path


def test_a_reading_of_before_is_written_without_any_noise_and_the_file_is_valid_then(file):
    done = calibrate(str(file), "--reading", "67", "--at", "-22", "--write")
    assert done.exit_code == 0, done.output
    assert "  calibration: {reading: 67 dBA, at: -22 LUFS}\n  target: 60 dBA  # as agreed\n" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640
    assert CliRunner().invoke(cli, ["check", str(file)]).exit_code == 0
    found, _ = read_installation(file, instruments=SHARED, scenes=LOOKED_INTO)
    assert found.loudness.loudest == pytest.approx(-29.0)


def test_noise_is_played_and_the_answer_is_told_as_lines_of_the_file(file):
    before = file.read_text()
    done = calibrate(str(file), "--seconds", "5", given="loud\n67.25\n")
    assert done.exit_code == 0, done.output
    assert "  calibration: {reading: 67.2 dBA, at: -20 LUFS}" in done.stdout
    assert "'loud' is not a valid float range" in done.output
    assert file.read_text() == before


class HeldSink:
    """An output that takes 30 chunks, and then as many as it is let."""

    description = "a sink"

    def __init__(self):
        self.lost = ""
        self.written = 0
        self.room = threading.Semaphore(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def write(self, data):
        self.room.acquire(timeout=60)
        self.written += 1

    def lose(self):
        self.lost = "the card is gone"
        self.room.release()
        until(lambda: self.written == 31)

    def lose_for_a_while(self):
        self.lose()
        self.room.release()
        until(lambda: self.written == 32)
        self.lost = ""

    def end(self):
        self.room.release(10_000)
        until(lambda: "noise" not in [one.name for one in threading.enumerate()])


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (HeldSink.lose, "the card is gone"),
        (HeldSink.lose_for_a_while, "the card is gone"),
        (HeldSink.end, "the noise had ended before"),
    ],
)
def test_a_reading_of_noise_that_was_not_heard_is_not_taken_but_repeated(file, monkeypatch, meanwhile, why):
    sink, before = HeldSink(), file.read_text()
    monkeypatch.setattr("engine.installation.calibrating.playing.open_outputs", lambda choices: sink)

    def prompt(*words, **settings):
        meanwhile(sink)
        sink.room.release(10_000)
        return 67.0

    monkeypatch.setattr("click.prompt", prompt)
    done = calibrate(str(file), "--write", "--at", "-22")
    assert done.exit_code != 0
    assert why in done.exception.message
    assert "--reading 67 --at -22" in done.exception.hint
    assert file.read_text() == before


@pytest.mark.parametrize("spoil", ["", "scenes: [", None])
def test_what_was_edited_while_the_noise_sounded_stays_and_the_reading_is_not_lost(file, monkeypatch, spoil):
    def prompt(*words, **settings):
        if spoil is None:
            file.unlink()
        else:
            file.write_text(file.read_text() + "# edited by hand\n" + spoil)
        return 67.0

    monkeypatch.setattr("click.prompt", prompt)
    done = calibrate(str(file), "--write", "--at", "-22")
    words = "calibration: {reading: 67 dBA, at: -22 LUFS}"
    if spoil == "":
        assert done.exit_code == 0, done.output
        assert words in file.read_text()
    else:
        assert words in done.exception.hint
    if spoil is not None:
        assert "# edited by hand" in file.read_text()


def test_it_waits_until_the_installation_is_stopped(file):
    folder = StateFolder(file.parent / "state")
    folder.lock()
    try:
        done = calibrate(str(file), given="60\n")
    finally:
        folder.close()
    assert done.exit_code != 0
    assert "is running already" in str(done.exception)

import errno
import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.errors import PerpetuumError
from engine.events import OutputFailed
from engine.outputs.files.recording import WavOutput
from engine.outputs.files.sound_file import SoundFileOutput, largest_wav
from engine.outputs.opening import OutputChoice, open_outputs
from engine.outputs.tee import Tee
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat
from tests.outputs.doubles import FakeTime, Tape
from tests.runtime.sound import until

STEREO = AudioFormat(2)
FRAME_BYTES = STEREO.frame_bytes


def test_a_recording_is_the_sound_exactly_and_gets_its_name_at_the_end(tmp_path):
    path = tmp_path / "take.wav"
    output = WavOutput(path)
    output.open(STEREO)
    sound = np.linspace(-1, 1, 3 * SAMPLE_RATE * 2, dtype=np.float32).reshape(-1, 2)
    for start in range(0, len(sound), 2048):
        output.write(sound[start : start + 2048].tobytes())
    assert not path.exists()
    assert len(soundfile.read(tmp_path / "take.wav.part")[0]) >= 2 * SAMPLE_RATE
    output.close()
    read, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    assert np.abs(read - sound).max() <= 2**-23
    assert not list(tmp_path.glob("*.part"))


def test_a_recording_and_a_render_of_the_same_sound_are_the_same_file(tmp_path, monkeypatch):
    """Bringing the header up to date again and again changes nothing."""
    monkeypatch.setattr("engine.outputs.files.take.CHECKPOINT", 0.01)
    sound = np.random.default_rng(0).uniform(-1, 1, (SAMPLE_RATE, 2)).astype(np.float32)
    output = WavOutput(tmp_path / "with.wav")
    output.open(STEREO)
    with SoundFileOutput(tmp_path / "without.wav") as writer:
        for start in range(0, len(sound), 700):
            output.write(sound[start : start + 700].tobytes())
            writer.write(sound[start : start + 700])
    output.close()
    assert (tmp_path / "with.wav").read_bytes() == (tmp_path / "without.wav").read_bytes()


def test_a_recording_is_valid_after_kill_9(tmp_path):
    path = tmp_path / "take.wav"
    code = (
        "import numpy as np, sys\n"
        "from pathlib import Path\n"
        "from engine.outputs.files.recording import WavOutput\n"
        "from engine.outputs.null import NullOutput\n"
        "from engine.outputs.tee import Tee\n"
        "from engine.sound.format import AudioFormat\n"
        "output = Tee(NullOutput(), [WavOutput(Path(sys.argv[1]))])\n"
        "output.open(AudioFormat())\n"
        "while True: output.write(np.full((2048, 2), 0.5, np.float32).tobytes())\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(path)])
    part = path.with_name("take.wav.part")
    try:
        until(lambda: part.exists() and part.stat().st_size > 2.5 * SAMPLE_RATE * 6)
    finally:
        child.kill()
        child.wait()
    sound, _ = soundfile.read(part)
    assert len(sound) >= SAMPLE_RATE
    assert (sound == 0.5).all()


class SmallDisk:
    """As much room for the files of this process as we say: an honest ENOSPC without a disk of our own."""

    def __init__(self, monkeypatch, room: int) -> None:
        from engine.output_file import FileIO, RawFile

        self.room = room

        def write(raw, data):
            part = memoryview(data)[: max(0, self.room)]
            if len(part) < len(data):
                FileIO.write(raw, part)
                self.room = 0
                raw.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                raise raw.error
            self.room -= len(part)
            return FileIO.write(raw, part)

        monkeypatch.setattr(RawFile, "write", write)
        usage = shutil.disk_usage("/")
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=self.room))


def test_a_full_disk_interrupts_the_recording_and_not_the_music_and_it_goes_on_when_there_is_room(
    tmp_path, monkeypatch, caplog
):
    """What was recorded before stays in .part, readable by any reader of WAV; the gap is told, and so is the reason."""
    disk = SmallDisk(monkeypatch, 5 * SAMPLE_RATE * 6)
    fake = FakeTime()
    output = WavOutput(tmp_path / "take.wav", room=2.0, clock=fake.clock)
    output.open(STEREO)
    for number in range(60):
        if number == 30:
            disk.room = 100 * SAMPLE_RATE * 6
        output.write(np.full((SAMPLE_RATE, 2), number / 100, np.float32).tobytes())
        fake.now += 1.0
    output.close()
    assert "No space left on device" in output.complaint
    assert "No space left on device" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["take-2.wav", "take.wav.part"]
    with wave.open(str(tmp_path / "take.wav.part")) as before, wave.open(str(tmp_path / "take-2.wav")) as after:
        assert 4 * SAMPLE_RATE <= before.getnframes() <= 5 * SAMPLE_RATE
        assert before.getnframes() * 6 + 44 <= (tmp_path / "take.wav.part").stat().st_size
        first = int.from_bytes(after.readframes(1)[:3], "little", signed=True) / 2**23
        assert first in [pytest.approx(number / 100, abs=1e-6) for number in range(30, 36)]
        assert after.getnframes() + output.missing + 4 * SAMPLE_RATE == pytest.approx(60 * SAMPLE_RATE, abs=SAMPLE_RATE)


def test_what_a_recording_on_a_full_disk_misses_is_reported_like_what_any_follower_drops(tmp_path, monkeypatch):
    SmallDisk(monkeypatch, SAMPLE_RATE * 6)
    told: list[OutputFailed] = []
    tee = Tee(Tape(), [WavOutput(tmp_path / "take.wav")], told.append)
    tee.open(STEREO)
    for _ in range(3):
        tee.write(np.full((SAMPLE_RATE, 2), 0.5, np.float32).tobytes())
    tee.close()
    assert sum(event.dropped for event in told) == tee.followers[0].dropped >= 2 * SAMPLE_RATE
    assert "No space left on device" in told[0].reason
    assert tee.complaint.count("missing") == 1


def test_a_recording_has_no_longest_length_and_loses_no_frame_between_its_files(tmp_path):
    """A WAV file counts its bytes in 32 bits; what does not fit goes into the next file, exactly behind."""
    output = WavOutput(tmp_path / "take.wav", longest=1000)
    (tmp_path / "take-3.wav").write_bytes(b"somebody's")
    output.open(STEREO)
    sound = np.random.default_rng(3).uniform(-1, 1, (2750, 2)).astype(np.float32)
    for start in range(0, len(sound), 384):
        output.write(sound[start : start + 384].tobytes())
    output.close()
    files = [tmp_path / name for name in ("take.wav", "take-2.wav", "take-4.wav")]
    assert [soundfile.info(path).frames for path in files] == [1000, 1000, 750]
    heard = np.concatenate([soundfile.read(path, dtype="float32")[0] for path in files])
    assert np.abs(heard - sound).max() <= 2**-23
    assert (tmp_path / "take-3.wav").read_bytes() == b"somebody's"
    assert largest_wav(2) * 6 + 4096 < 2**32


def test_a_recording_into_a_folder_keeps_the_last_hours_and_touches_nothing_else(tmp_path):
    def old(name: str, hours: float) -> Path:
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(int(hours * 3600 * SAMPLE_RATE * 6))
        return path

    kept = [old("perpetuum-2026-01-03_09-00-00.wav", 1), old("mine.wav", 9), old("perpetuum-2026.wav", 9)]
    gone = [old("perpetuum-2026-01-02_09-00-00.wav", 1.5), old("perpetuum-2026-01-01_09-00-00.wav.part", 0.1)]
    with open_outputs([OutputChoice("wav", str(tmp_path))], keep=2) as output:
        assert "the last 2 hours are kept" in output.description
        output.write(bytes(48 * FRAME_BYTES))
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)
    assert len(list(tmp_path.iterdir())) == len(kept) + 1
    for name, argument in (("null", None), ("wav", str(tmp_path / "x.wav"))):
        with pytest.raises(PerpetuumError, match="--keep"):
            open_outputs([OutputChoice(name, argument)], keep=2)


def test_two_recordings_of_one_name_do_not_meet_and_one_that_broke_off_is_not_written_over(tmp_path):
    (tmp_path / "take.wav.part").write_bytes(b"all that is left of yesterday")
    outputs = [WavOutput(tmp_path / "take.wav") for _ in range(2)]
    for number, output in enumerate(outputs):
        output.open(STEREO)
        output.write(np.full((100, 2), (number + 1) / 4, np.float32).tobytes())
    for output in outputs:
        output.close()
    assert (tmp_path / "take.wav.part").read_bytes() == b"all that is left of yesterday"
    assert soundfile.read(tmp_path / "take.wav")[0][0, 0] == 0.25
    assert soundfile.read(tmp_path / "take-2.wav")[0][0, 0] == 0.5
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("name", ["x.mp3", "x", "fifo", "nowhere/x.wav", "link.wav"])
def test_a_recording_goes_into_nothing_but_a_wav_file_or_a_folder(tmp_path, name):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link.wav").symlink_to(tmp_path / "fifo")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(PerpetuumError, match="cannot"):
        open_outputs([OutputChoice("wav", str(tmp_path / name))])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_recording_that_fails_half_way_leaves_no_file(tmp_path):
    with pytest.raises(ValueError), SoundFileOutput(tmp_path / "x.wav") as writer:
        writer.write(np.zeros((10, 3), np.float32))
    assert not list(tmp_path.iterdir())

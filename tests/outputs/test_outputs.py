import errno
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.errors import PerpetuumError
from engine.events import OutputFailed
from engine.outputs.chain import Chain
from engine.outputs.contract import OUTPUTS, InfallibleOutput, Output, OutputLostError
from engine.outputs.devices.device import DeviceOutput
from engine.outputs.devices.pacing import Pacer
from engine.outputs.devices.players import PROBE, Dither, Player, PlayerProcess
from engine.outputs.files.recording import WavOutput
from engine.outputs.files.sound_file import SoundFileOutput, largest_wav
from engine.outputs.null import NullOutput
from engine.outputs.opening import OutputChoice, open_outputs
from engine.outputs.tee import Tee
from engine.processes.backoff import Backoff
from engine.processes.pipe import Pipe
from engine.runtime.audio import Audio
from engine.runtime.pump import PATIENCE, Pump
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat
from engine.sound.messages import Fade
from tests.runtime.sound import DUMMY, Reports, frame_numbers, notes, samples, setup, until

STEREO = AudioFormat(2)
FRAME_BYTES = STEREO.frame_bytes
PLAYER = str(Path(__file__).parent.parent / "dummies" / "player.py")


class FakeTime:
    """A clock that only goes on while somebody sleeps, and oversleeps."""

    def __init__(self, oversleep: float = 0.0) -> None:
        self.now = 1000.0
        self.oversleep = oversleep

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + self.oversleep

    def pacer(self, **options: float) -> Pacer:
        return Pacer(clock=self.clock, sleep=self.sleep, **options)  # type: ignore[arg-type]


def dummy_player(path: Path, *options: str) -> Player:
    command = (sys.executable, PLAYER, str(path), *options)
    return Player("dummy", "a file", command, (sys.executable, PLAYER, str(path)))


class Played:
    """A chain of a device and nothing, that counts the players that were asked for."""

    def __init__(self, find, stall: float = 1.0) -> None:
        self.asked = 0
        self._find = find
        self.device = DeviceOutput(self._found, stall)
        self.losses: list[OutputFailed] = []
        self.chain = Chain(
            [self.device], NullOutput(), self.losses.append, backoffs=lambda: Backoff(first=0.05, longest=0.05)
        )
        self.chain.open(STEREO)

    def _found(self, format: AudioFormat) -> Player | None:
        self.asked += 1
        return self._find()

    @property
    def process(self) -> PlayerProcess:
        assert self.device.process is not None
        return self.device.process


def test_a_player_that_leaks_is_replaced_after_it_has_played_what_it_has(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.processes.memory_budget.LOOK", 0.05)
    device = DeviceOutput(lambda format: dummy_player(tmp_path / "played"), memory=1_000_000)
    device.open(STEREO)

    def play() -> None:
        for _ in range(1000):
            device.write(bytes(8 * 1024))

    with pytest.raises(OutputLostError, match=r"dummy used \d+ MB of memory, and may use 1 MB"):
        play()
    size = (tmp_path / "played").stat().st_size
    assert size
    assert (size - 8 * PROBE) % (8 * 1024) == 0, "all that it was given is heard"
    device.open(STEREO)
    device.write(bytes(8 * 1024))
    device.close()


# Pace


def test_the_pace_is_exact_over_a_week_although_every_sleep_is_too_long():
    fake = FakeTime(oversleep=0.003)
    pacer = fake.pacer()
    chunks = 14_000
    for _ in range(chunks):
        pacer.pace(2_073_600)  # 43.2 s: a week in all
    expected = chunks * 2_073_600 / SAMPLE_RATE
    assert fake.now - 1000.0 == pytest.approx(expected, abs=0.01)
    assert pacer.slips == 0


def test_lateness_is_caught_up_when_small_and_written_off_when_large():
    fake = FakeTime()
    pacer = fake.pacer(tolerance=0.5)
    pacer.pace(SAMPLE_RATE)
    fake.now += 0.4
    pacer.pace(SAMPLE_RATE)
    assert fake.now == pytest.approx(1002.0)
    fake.now += 3600.0  # the machine was suspended
    pacer.pace(SAMPLE_RATE)
    before = fake.now
    pacer.pace(SAMPLE_RATE)
    assert fake.now - before == pytest.approx(1.0)
    assert pacer.slips == 1


def test_the_null_output_takes_real_time():
    output = NullOutput()
    output.open(STEREO)
    chunk = bytes(2048 * FRAME_BYTES)
    began = time.monotonic()
    for _ in range(47):
        output.write(chunk)
    assert (time.monotonic() - began) / (47 * 2048 / SAMPLE_RATE) == pytest.approx(1.0, abs=0.05)


# The pipe


@pytest.fixture
def pipe():
    pipe = Pipe(1 << 16)
    yield pipe
    pipe.close()


def blocks(*numbers: int) -> bytes:
    return np.repeat(np.array(numbers, np.float32), 512).tobytes()


def test_the_pipe_counts_what_was_written_whether_it_was_read_or_not(pipe):
    segment = pipe.segment()
    pipe.attach(segment)
    for number in range(5):
        os.write(segment.write_end, blocks(number))
    assert pipe.written() == 5 * 256
    assert len(pipe.read(5000, 0.0)) == 4096
    assert (pipe.taken, pipe.waiting(), pipe.written()) == (512, 768, 1280)
    assert pipe.read(1 << 20, 0.0) == blocks(2, 3, 4)
    assert pipe.read(1 << 20, 0.0) == b""
    assert pipe.depth * FRAME_BYTES == pipe.size >= 1 << 16


def test_what_one_process_after_another_writes_is_read_as_one_stream_without_what_is_to_be_skipped(pipe):
    first, second, third = pipe.segment(), pipe.segment(), pipe.segment()
    pipe.attach(first)
    os.write(first.write_end, blocks(1, 2))
    first.close_write_end()
    pipe.attach(second, skip=512)
    os.write(second.write_end, blocks(7, 8, 3))
    assert pipe.written() == 3 * 256
    assert pipe.skip() is False
    assert pipe.progress == 5 * 2048
    second.close_write_end()
    pipe.attach(third, skip=1024)
    os.write(third.write_end, blocks(8))
    assert pipe.skip() is True
    third.close_write_end()  # it died before it came to anything
    fourth = pipe.segment()
    pipe.attach(fourth)
    os.write(fourth.write_end, blocks(4))
    assert pipe.written() == 4 * 256
    read = b""
    while chunk := pipe.read(1 << 16, 0.0):
        read += chunk
    assert read == blocks(1, 2, 3, 4)
    assert pipe.taken == pipe.written() == 4 * 256


def test_the_end_of_one_process_fades_out_while_the_next_one_fades_in(pipe):
    first, second, third = pipe.segment(), pipe.segment(), pipe.segment()
    pipe.attach(first)
    os.write(first.write_end, blocks(8, 8, 8))
    first.close_write_end()
    pipe.attach(second, skip=3 * 256, blend=2 * 256)
    os.write(second.write_end, blocks(99, 0))  # and it dies, too
    second.close_write_end()
    assert pipe.written() == 3 * 256
    assert pipe.read(1 << 16, 0.0) == blocks(8)
    assert pipe.read(1 << 16, 0.01) == b""
    pipe.attach(third, skip=3 * 256, blend=2 * 256)
    os.write(third.write_end, blocks(99, 0, 0, 5))
    assert (pipe.written(), pipe.waiting()) == (4 * 256, 3 * 256)
    blended = samples(pipe.read(1 << 16, 0.0))
    assert len(blended) == 2 * 256
    assert blended[0, 0] == 8
    assert np.allclose(np.diff(blended, axis=0), -8 / 512)
    assert pipe.read(1 << 16, 0.0) == blocks(5)
    assert (pipe.written(), pipe.waiting()) == (4 * 256, 0)


def test_a_pipe_whose_process_writes_more_than_it_holds_is_full(pipe):
    segment = pipe.segment()
    pipe.attach(segment)
    os.set_blocking(segment.write_end, False)
    assert not pipe.full
    for _ in range(pipe.size // 2048):
        os.write(segment.write_end, blocks(0))
    assert pipe.full
    pipe.read(1 << 16, 0.0)
    assert not pipe.full


# Kinds


def test_every_kind_of_output_is_registered_and_says_what_it_is():
    kinds = OUTPUTS.kinds()
    assert {"auto", "device", "null", "wav"} <= set(kinds)
    assert all(kind.summary and kind.name == name for name, kind in kinds.items())


@pytest.mark.parametrize(("name", "argument"), [("wav", None), ("null", "x"), ("auto", "x"), ("gramophone", None)])
def test_an_output_that_cannot_be_is_refused(name, argument):
    with pytest.raises(PerpetuumError):
        open_outputs([OutputChoice(name, argument)])


def test_a_recording_that_cannot_be_written_is_refused_at_once():
    with pytest.raises(PerpetuumError, match="cannot write"):
        open_outputs([OutputChoice("wav", "/proc/nowhere/x.wav")])


def test_auto_says_so_once_where_there_is_no_sound_card_and_goes_on_in_real_time(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("PULSE_SERVER", "PULSE_RUNTIME_PATH", "PIPEWIRE_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("engine.outputs.devices.players._has_card", lambda: False)
    with caplog.at_level(logging.WARNING), open_outputs([OutputChoice("auto")]) as output:
        assert "no sound card" in output.description
        assert caplog.text == ""  # whoever opens it tells the description
        began = time.monotonic()
        for _ in range(24):
            output.write(bytes(2048 * FRAME_BYTES))
        assert (time.monotonic() - began) / (24 * 2048 / SAMPLE_RATE) == pytest.approx(1.0, abs=0.1)


# A recording


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


# A player


def test_a_player_gets_every_sample_as_it_is(tmp_path):
    path = tmp_path / "heard"
    sound = np.random.default_rng(1).uniform(-1, 1, (SAMPLE_RATE, 2)).astype(np.float32).tobytes()
    output = Played(lambda: dummy_player(path)).chain
    for start in range(0, len(sound), 16384):
        output.write(sound[start : start + 16384])
    assert "dummy to a file" in output.description
    output.close()
    assert path.read_bytes() == bytes(8 * PROBE) + sound


def test_a_card_that_is_pulled_out_is_a_state_and_the_music_goes_on_unheard_until_it_is_back(tmp_path):
    """A player that dies is started again; meanwhile the sound passes at the pace of real time."""
    path = tmp_path / "heard"
    cards = iter([dummy_player(path, "--dies-after", str(SAMPLE_RATE * 4)), None, None, dummy_player(path)])
    played = Played(lambda: next(cards))
    output = played.chain
    sound = samples(np.zeros((0, 2), np.float32).tobytes())
    seen = set()
    began, frames = time.monotonic(), 0
    while played.asked < 4 or frames < 3 * SAMPLE_RATE:
        sound = np.full((2048, 2), frames, np.float32)
        output.write(sound.tobytes())
        frames += 2048
        seen.add(output.description.split()[0])
        assert frames < 20 * SAMPLE_RATE
    assert (time.monotonic() - began) == pytest.approx(frames / SAMPLE_RATE, abs=0.8)  # the pipes' and buffers' room
    output.close()
    assert seen == {"dummy", "nowhere,"}
    assert len(played.losses) == 1
    assert samples(path.read_bytes())[-1, 0] == frames - 2048


def test_a_player_that_hangs_is_replaced(tmp_path):
    path = tmp_path / "heard"
    played = Played(lambda: dummy_player(path), stall=0.3)
    first = played.process.pid
    os.kill(first, signal.SIGSTOP)
    until(lambda: played.chain.write(bytes(16384)) or played.asked == 2)
    assert played.process.pid != first
    played.chain.close()
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_a_card_that_takes_no_floats_gets_dithered_integers(tmp_path):
    path = tmp_path / "heard"
    output = Played(lambda: dummy_player(path, "--refuses-floats")).chain
    quiet = np.full((2048, 2), 0.25 / 32767, np.float32).tobytes()
    until(lambda: output.write(quiet) or (path.exists() and path.stat().st_size > 40_000))
    output.close()
    steps = np.frombuffer(path.read_bytes(), "<i2")
    assert steps.mean() == pytest.approx(0.25, abs=0.05)  # below one step, and yet there
    assert set(np.unique(steps)) <= {-1, 0, 1}


def test_dither_keeps_full_scale_in_range():
    loud = np.array([1.0, -1.0, 2.0, -2.0] * 1000, np.float32)
    steps = np.frombuffer(Dither()(loud.tobytes()), "<i2").reshape(-1, 4)
    assert (steps[:, [0, 2]] > 32700).all()
    assert (steps[:, [1, 3]] < -32700).all()


# The pump


class Tape(InfallibleOutput):
    """An output that keeps everything, at once."""

    description = "a tape"

    def __init__(self) -> None:
        self.data: list[bytes] = []

    def open(self, format: AudioFormat) -> None: ...

    def close(self) -> None: ...

    def write(self, chunk: bytes) -> None:
        self.data.append(chunk)


def test_the_pump_plays_everything_to_the_end_of_the_stream():
    tape = Tape()
    with Audio(command=DUMMY) as audio, Pump(audio, tape) as pump:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 1000)))
        audio.send(Fade(200 * 256, 256))
        audio.begin()
        assert pump.join(60)
    sound = samples(b"".join(tape.data))
    assert np.array_equal(frame_numbers(sound), np.arange(201 * 256))
    assert pump.frames == len(sound)


def test_an_output_that_fails_costs_no_music():
    """A plug-in's output may raise; the stream goes on in real time, to its end."""

    class Broken(Output):
        description = "broken"

        def open(self, format: AudioFormat) -> None: ...

        def write(self, chunk: bytes) -> None:
            raise OSError("the plug-in has a fault")

        def close(self) -> None:
            raise OSError("and another")

    chain = Chain([Broken()], NullOutput())
    chain.open(STEREO)
    with Audio(command=DUMMY) as audio, Pump(audio, chain) as pump:
        audio.send(setup("a"))
        audio.send(Fade(200 * 256, 256))
        audio.begin()
        assert pump.join(60)
    assert pump.frames == 201 * 256
    assert "the plug-in has a fault" in chain.description


def test_an_output_that_hangs_holds_nobody_who_wants_to_end():
    class Hanging(Tape):
        def __init__(self) -> None:
            super().__init__()
            self.hangs, self.over = threading.Event(), threading.Event()

        def write(self, chunk: bytes) -> None:
            self.hangs.set()
            self.over.wait()

    hanging = Hanging()
    with Audio(command=DUMMY) as audio:
        audio.send(setup("a"))
        audio.begin()
        begun = time.monotonic()
        with Pump(audio, hanging) as pump:
            assert hanging.hangs.wait(60)
            begun = time.monotonic()
            pump.fade_out(0.5)
        assert time.monotonic() - begun < 0.5 + 2 * PATIENCE + 1.0
    hanging.over.set()


def test_an_output_that_hangs_for_a_while_loses_nothing():
    class Slow(Tape):
        def write(self, chunk: bytes) -> None:
            if len(self.data) == 20:
                time.sleep(1.0)
            super().write(chunk)

    slow, found = Slow(), Reports()
    with Audio(command=DUMMY, report=found) as audio, Pump(audio, slow) as pump:
        audio.send(setup("a"))
        audio.send(Fade(800 * 256, 256))
        audio.begin()
        assert pump.join(60)
    assert np.array_equal(frame_numbers(samples(b"".join(slow.data))), np.arange(801 * 256))
    assert not found.lost()


def test_a_fade_out_is_heard_at_once_and_smooth_whatever_lies_in_the_pipe():
    tape = Tape()
    with Audio(command=DUMMY) as audio:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 100 * SAMPLE_RATE)))
        audio.begin()
        until(lambda: audio.pipe.waiting() > audio.pipe.depth // 2)
        with Pump(audio, tape) as pump:
            pump.fade_out(0.5)
            assert pump.finished
    level = samples(b"".join(tape.data))[:, 1] * 128
    fade = level[np.flatnonzero(level < 1.0)[0] :]
    assert len(fade) == pytest.approx(SAMPLE_RATE // 2, abs=20)  # the first steps are below float32
    assert np.abs(np.diff(level)).max() < 0.001
    assert (np.diff(fade) <= 0).all()
    assert level[-1] < 0.001

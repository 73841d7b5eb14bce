"""The whole way of the sound, through a real audio server: PulseAudio with a null sink, recorded from its monitor."""

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from engine import assets
from engine.outputs.devices.players import find_player
from engine.outputs.opening import OutputChoice, open_outputs
from engine.runtime.audio import Audio
from engine.runtime.offline import OfflineReader
from engine.runtime.pump import Pump
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import NOTE_EVENT, Fade, Notes, PartSound, Setup
from tests.runtime.sound import DUMMY, notes, samples, setup, until

TOOLS = ("pulseaudio", "pacat", "parec", "pactl")
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]

pytestmark = [
    pytest.mark.pulse,
    pytest.mark.skipif(
        bool(MISSING) and os.environ.get("CI") != "true",
        reason=f"not installed: {', '.join(MISSING)} (apt install pulseaudio pulseaudio-utils)",
    ),
]

SECONDS = 4
FRAMES = SECONDS * SAMPLE_RATE
SINK = "gallery"


def start_server(folder: Path) -> subprocess.Popen:
    """A private PulseAudio server whose only sink is a null one."""
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    command += ["-L", "module-native-protocol-unix"]
    command += ["-L", f"module-null-sink sink_name={SINK} rate={SAMPLE_RATE} channels=2 format=float32le"]
    with (folder / "pulse.log").open("a") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    until(lambda: subprocess.run(["pactl", "info"], capture_output=True).returncode == 0)
    return server


@pytest.fixture
def pulse(tmp_path, monkeypatch):
    """A server, to which our environment leads."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    for name, value in {"XDG_RUNTIME_DIR": runtime, "HOME": tmp_path, "XDG_CONFIG_HOME": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    for name in ("PULSE_SERVER", "PULSE_RUNTIME_PATH", "PIPEWIRE_REMOTE", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    server = start_server(tmp_path)
    yield server
    server.terminate()
    server.wait()


@pytest.fixture
def recorder(pulse, tmp_path):
    """parec on the sink's monitor, writing raw float32 into a file."""
    path = tmp_path / "heard.raw"
    form = [f"--rate={SAMPLE_RATE}", "--channels=2", "--format=float32le", "--latency-msec=50"]
    with path.open("wb") as file:
        process = subprocess.Popen(["parec", "-d", f"{SINK}.monitor", "--raw", *form], stdout=file)
    try:
        until(lambda: path.stat().st_size > 0)
        yield path
    finally:
        process.terminate()
        process.wait()


def messages(live: bool) -> list[object]:
    events = np.zeros(8, NOTE_EVENT)
    for place in range(8):
        on = SAMPLE_RATE // 10 + place * SAMPLE_RATE // 2
        events[place] = (on, on + SAMPLE_RATE // 3, 60 + 3 * place, 100)
    path = str(assets.find("instruments", "warm_pad"))
    setup = Setup((PartSound("pad", path, reverb=-12.0),), seed=5, free_running=live)
    return [setup, Notes("pad", events), Fade(FRAMES - SAMPLE_RATE // 2, SAMPLE_RATE // 2)]


def rendered() -> np.ndarray:
    pieces: list[np.ndarray] = []
    with Audio(live=False) as audio, OfflineReader(audio, FRAMES, pieces.append) as reader:
        for message in messages(live=False):
            audio.send(message)
        assert reader.finish(120)
    return np.concatenate(pieces)


def aligned(heard: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The part of a recording that begins where `expected` begins, found by one of its loud samples."""
    place = int(np.argmax(np.abs(expected[:, 0])))
    value = expected[place : place + 16]
    for start in np.flatnonzero(heard[:, 0] == value[0, 0]):
        if np.array_equal(heard[start : start + 16], value) and start >= place:
            return heard[start - place : start - place + len(expected)]
    pytest.fail("nothing of the render was heard")


def test_what_the_audio_server_plays_is_the_offline_render_sample_by_sample(recorder: Path):
    """Audio process, pipe, pump, player, server: nothing on the way changes, drops or adds a sample."""
    expected = rendered()
    assert np.abs(expected).max() > 0.01
    size = recorder.stat().st_size
    with open_outputs([OutputChoice("device", SINK)]) as output:
        assert "pacat" in output.description
        with Audio() as audio, Pump(audio, output) as pump:
            for message in messages(live=True):
                audio.send(message)
            audio.begin()
            assert pump.join(120)
    # Heard to its end: what was recorded after the start is as long as the render.
    until(lambda: recorder.stat().st_size > size + (FRAMES + SAMPLE_RATE) * 8)
    data = recorder.read_bytes()
    heard = aligned(samples(data[: len(data) - len(data) % 8]), expected)
    assert np.array_equal(heard, expected)


def test_auto_finds_the_server_and_outlives_its_restart(pulse, tmp_path):
    """The player is lost with the server; the sound goes on in real time, and is back when the server is."""
    player = find_player()
    assert player is not None
    assert player.name == "pacat"
    with open_outputs([OutputChoice("auto")]) as output:
        output.write(bytes(16384))
        pulse.terminate()
        pulse.wait()
        until(lambda: output.write(bytes(16384)) or "nowhere" in output.description)
        server = start_server(tmp_path)
        try:
            until(lambda: output.write(bytes(16384)) or "pacat" in output.description)
            until(lambda: output.write(bytes(16384)) or "perpetuum" in clients())
        finally:
            server.terminate()
            server.wait()


def clients() -> str:
    return subprocess.run(["pactl", "list", "sink-inputs"], capture_output=True, text=True).stdout


class Listener:
    """parec on the sink's monitor: when it heard what, by the clock on the wall of the one who gives commands."""

    def __init__(self) -> None:
        form = [f"--rate={SAMPLE_RATE}", "--channels=2", "--format=float32le", "--latency-msec=10"]
        self.process = subprocess.Popen(["parec", "-d", f"{SINK}.monitor", "--raw", *form], stdout=subprocess.PIPE)
        self.heard: list[tuple[float, bytes]] = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        assert self.process.stdout is not None
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            self.heard.append((time.monotonic(), data))

    def sounds(self) -> bool:
        """Whether the last that was heard is sound."""
        return bool(self.heard) and any(self.heard[-1][1][-64:])

    def last_sound(self) -> float:
        """When the last sample was heard that is not silence."""
        return next((when for when, data in reversed(self.heard) if any(data)), 0.0)

    def sound(self) -> np.ndarray:
        data = b"".join(data for _, data in self.heard)
        return samples(data[: len(data) - len(data) % 8])

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def listener(pulse):
    listener = Listener()
    yield listener
    listener.close()


def silent_for(listener: Listener, seconds: float) -> None:
    """Wait until nothing was heard for so long."""
    until(lambda: listener.heard and listener.last_sound() and time.monotonic() - listener.last_sound() > seconds)


def test_a_mute_is_heard_within_500_ms_and_comes_back_softly_and_an_alarm_within_100_ms(listener):
    """On the null sink's monitor, with the player's buffers as they are; the better of two, for a busy machine."""
    mutes, alarms, steps = [], [], {True: [], False: []}
    with open_outputs([OutputChoice("device", SINK)]) as output, Audio(command=DUMMY) as audio:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 1000 * SAMPLE_RATE)))
        audio.begin()
        until(lambda: audio.pipe.waiting() > SAMPLE_RATE)
        with Pump(audio, output) as pump:
            until(listener.sounds)
            time.sleep(0.6)  # until all buffers are full
            for times, silence, resume in [
                (mutes, pump.gain.mute, lambda: pump.gain.unmute(0.5)),
                (alarms, pump.silence, pump.resume),
            ] * 2:
                asked = time.monotonic()
                silence()
                silent_for(listener, 0.3)
                times.append(listener.last_sound() - asked)
                assert not pump.finished
                place = len(listener.heard)
                resume()
                until(listener.sounds)
                time.sleep(0.5)
                # The right side is a constant: a player that starved has a step in it, too.
                back = samples(b"".join(data for _, data in listener.heard[place:])[: 2 * SAMPLE_RATE * 8])[:, 1]
                steps[times is mutes].append(np.abs(np.diff(back)).max())
    assert min(mutes) <= 0.5, mutes
    assert min(alarms) <= 0.1, alarms
    # Coming back is soft: no step of more than 2 thousandths.
    assert all(min(found) <= 0.002 / 128 for found in steps.values()), steps

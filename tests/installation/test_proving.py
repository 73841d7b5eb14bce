"""The way of the sound behind the output, on a real sound server: a mixer that is shut, an amplifier that dies."""

import subprocess
import threading
from dataclasses import replace

import numpy as np
import pytest

from engine.events.proof import MixerFound, RoomFound
from engine.health.room import listener
from engine.health.room.likeness import RATE
from engine.health.room.watch import NOT_HEARD
from engine.installation.choices.notices import NoticeChoices
from engine.installation.choices.proof import MixerChoice, ProofChoices
from engine.installation.keeper.sound.sent import SentSound
from engine.installation.recorder import proving
from engine.installation.recorder.watching import Watch
from engine.outputs.opening import OutputChoice, open_outputs
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat
from tests.health.prometheus import wait_until
from tests.health.rooms import music
from tests.outputs.test_pulse import MISSING, SINK, pulse  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.pulse,
    pytest.mark.skipif(bool(MISSING), reason="PulseAudio is not installed"),
]

WATCH = Watch("Foyer", "UTC", "/nowhere", (), NoticeChoices(), OutputChoice("device", SINK), ProofChoices())


def pactl(*words):
    return subprocess.run(["pactl", *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def proved():
    told = []
    found = proving.Proving(told.append)
    found.told = told
    yield found
    found.close()


def test_a_sink_that_is_muted_while_it_is_watched_is_told_and_opened_again(pulse, proved, monkeypatch):  # noqa: F811
    monkeypatch.setattr(proving, "MIXER_EVERY", 0.1)
    proved.take(replace(WATCH, proof=ProofChoices(MixerChoice(60.0))))
    assert wait_until(lambda: "60%" in pactl("get-sink-volume", SINK), 30)
    pactl("set-sink-mute", SINK, "1")
    assert wait_until(lambda: pactl("get-sink-mute", SINK) == "Mute: no", 30)
    assert wait_until(lambda: proved.told == [MixerFound(f"the mixer {SINK} is muted", True)], 10), proved.told


def test_an_amplifier_that_dies_is_told_and_so_is_its_return(pulse, proved, monkeypatch):  # noqa: F811
    """The room is a second sink, with noise in it; what leads the music into it is the amplifier."""
    monkeypatch.setattr(listener, "BLOCKS", 2)
    pactl("load-module", "module-null-sink", "sink_name=room", f"rate={SAMPLE_RATE}", "channels=2")
    amplifier = pactl("load-module", "module-loopback", f"source={SINK}.monitor", "sink=room", "latency_msec=100")
    random = np.random.default_rng(1)
    noise = subprocess.Popen(
        ["pacat", "--raw", "--device=room", "--format=float32le", f"--rate={RATE}", "--channels=1"],
        stdin=subprocess.PIPE,
    )
    over = threading.Event()

    def hiss():
        with noise.stdin as stream:
            while not over.is_set():
                stream.write((0.05 * random.standard_normal(RATE)).astype(np.float32).tobytes())
                stream.flush()

    def play():
        sound = np.repeat(music(30).astype(np.float32), SAMPLE_RATE // RATE)
        frames = np.repeat(sound[:, None], 2, axis=1)
        with open_outputs([OutputChoice("device", SINK)], others=[SentSound(proved.sent)]) as output:
            place = 0
            while not over.is_set():
                output.write(np.take(frames, range(place, place + 1024), axis=0, mode="wrap").tobytes())
                place += 1024

    proved.take(replace(WATCH, proof=ProofChoices(microphone="room.monitor")))
    proved.expect(True)
    threads = [threading.Thread(target=one) for one in (hiss, play)]
    for thread in threads:
        thread.start()
    try:

        def last():
            rooms = [one for one in proved.told if isinstance(one, RoomFound)]
            return rooms[-1].fault if rooms else None

        assert wait_until(lambda: last() == "", 100), proved.told
        pactl("unload-module", amplifier)
        assert wait_until(lambda: last() == NOT_HEARD, 100), proved.told
        pactl("load-module", "module-loopback", f"source={SINK}.monitor", "sink=room", "latency_msec=100")
        assert wait_until(lambda: last() == "", 100), proved.told
    finally:
        over.set()
        for thread in threads:
            thread.join()
        noise.kill()
        noise.wait()


def test_what_is_sent_comes_at_eight_kilohertz_without_what_would_fold_back():
    """In pieces of which none divides by the factor; the oracle is the sines themselves."""
    times = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    for pitch, kept in ((100.0, 1.0), (2500.0, 1.0), (6000.0, 0.0), (15000.0, 0.0)):
        made = []
        follower = SentSound(made.append)
        follower.open(AudioFormat(2))
        sound = np.repeat((0.5 * np.sin(2 * np.pi * pitch * times)).astype(np.float32)[:, None], 2, axis=1)
        for start in range(0, len(sound), 1021):
            follower.write(sound[start : start + 1021].tobytes())
        heard = np.frombuffer(b"".join(made), "<i2") / 32768
        assert len(heard) == pytest.approx(RATE, abs=RATE // 4)
        level = np.sqrt(2 * np.mean(np.square(heard[200:])))
        assert level == pytest.approx(0.5 * kept, abs=0.02)

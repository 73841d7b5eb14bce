import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine.events import OutputFailed
from engine.outputs.chain import Chain
from engine.outputs.contract import OutputLostError
from engine.outputs.devices.device import DeviceOutput
from engine.outputs.devices.players import PROBE, Dither, Player, PlayerProcess
from engine.outputs.null import NullOutput
from engine.processes.backoff import Backoff
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat
from tests.runtime.sound import samples, until

STEREO = AudioFormat(2)
FRAME_BYTES = STEREO.frame_bytes
PLAYER = str(Path(__file__).parent.parent / "dummies" / "player.py")


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


@pytest.mark.parametrize("talks", [8192, 300_000])
def test_a_player_that_prints_without_end_does_not_stand_still(tmp_path, talks):
    path = tmp_path / "heard"
    process = PlayerProcess(dummy_player(path, "--talks", str(talks)))
    try:
        assert process.begins(60)
        sound = bytes(8192 * 10)
        assert process.write(sound, 10.0)
    finally:
        last = process.close(60)
    assert path.stat().st_size == 8 * PROBE + len(sound)
    assert last.endswith("underrun!!!")
    assert len(last) <= 1000


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

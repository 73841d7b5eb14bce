"""The number of channels is a number: pipe, gain, tee and a recording take one, two and four."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.errors import PerpetuumError
from engine.outputs.contract import InfallibleOutput
from engine.outputs.devices.players import find_player
from engine.outputs.files.recording import WavOutput
from engine.outputs.gain import Gain
from engine.outputs.tee import Tee
from engine.processes.pipe import MOST_CHANNELS, Pipe
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat
from engine.sound.messages import BLOCK, Setup


class Tape(InfallibleOutput):
    description = "a tape"

    def __init__(self) -> None:
        self.data: list[bytes] = []

    def open(self, format: AudioFormat) -> None: ...

    def write(self, chunk: bytes) -> None:
        self.data.append(chunk)

    def close(self) -> None: ...


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_sound_of_any_number_of_channels_goes_from_the_pipe_through_gain_and_tee_into_a_recording(
    tmp_path: Path, channels: int
):
    generator = np.random.default_rng(channels)
    sound = generator.uniform(-1, 1, (64 * BLOCK, channels)).astype(np.float32)
    pipe = Pipe(1 << 16, channels)
    gain, tape = Gain(pipe.format), Tape()
    tee = Tee(tape, [WavOutput(tmp_path / "take.wav")])
    tee.open(pipe.format)
    first, second = pipe.segment(), pipe.segment()
    pipe.attach(first)
    half = 32 * BLOCK

    def pour(segment, blocks: np.ndarray) -> None:
        """Write block by block, and read as soon as there is something."""
        for start in range(0, len(blocks), BLOCK):
            assert os.write(segment.write_end, blocks[start : start + BLOCK].tobytes()) == segment.block_bytes
            while data := pipe.read(1024 * pipe.format.frame_bytes, 0.0):
                tee.write(gain.apply(data))

    pour(first, sound[:half])
    first.close_write_end()
    pipe.attach(second, skip=2 * BLOCK)
    pour(second, np.concatenate([np.zeros((2 * BLOCK, channels), np.float32), sound[half:]]))
    assert pipe.taken == pipe.written() == len(sound)
    gain.fade_out(0.01)
    pour(second, np.ones((4 * BLOCK, channels), np.float32))
    tee.close()
    pipe.close()
    faded = np.frombuffer(b"".join(tape.data), np.float32).reshape(-1, channels)
    assert np.array_equal(faded[: len(sound)], sound)
    tail = faded[len(sound) :]
    assert len(tail) == SAMPLE_RATE // 100
    assert (tail == tail[:, :1]).all()
    recorded, rate = soundfile.read(tmp_path / "take.wav", dtype="float32", always_2d=True)
    assert (rate, recorded.shape) == (SAMPLE_RATE, faded.shape)
    assert np.abs(recorded - faded).max() <= 2**-23


def test_more_channels_than_a_block_in_one_piece_can_have_and_none_are_refused():
    assert MOST_CHANNELS >= 4
    for channels in (0, MOST_CHANNELS + 1):
        with pytest.raises(ValueError):
            Pipe(1 << 16, channels)


def test_the_graph_says_that_it_builds_two_channels_and_no_other_number():
    from engine.sound.core import Core

    with pytest.raises(PerpetuumError, match="2 channels"):
        Core(Setup((), channels=4))


def test_a_player_is_told_how_many_channels_there_are(monkeypatch):
    monkeypatch.setattr("engine.outputs.devices.players.shutil.which", lambda name: f"/usr/bin/{name}")
    player = find_player("hw:CARD=PCH,DEV=0", 4)
    assert player is not None
    assert player.command[player.command.index("-c") + 1] == "4"

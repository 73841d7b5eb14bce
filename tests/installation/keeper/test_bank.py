"""The bank of raw sound: rendered, played over and over, heard where no sound can be made."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from engine.installation import bank as rendering
from engine.installation.keeper.folder.bank import Bank
from engine.outputs.contract import InfallibleOutput
from engine.runtime import pump
from engine.runtime.audio import Audio
from engine.runtime.pump import Pump
from engine.runtime.substitute import Substitute
from engine.sound.format import AudioFormat
from tests.installation.keeper.test_run import SCENE


class Hearing(InfallibleOutput):
    """Keeps what it hears, for two seconds."""

    def __init__(self) -> None:
        self.heard = b""
        self.enough = threading.Event()

    @property
    def description(self) -> str:
        return "a test"

    def open(self, format: AudioFormat) -> None:
        pass

    def write(self, chunk: bytes) -> None:
        self.heard += chunk
        if len(self.heard) > 2 * 48_000 * 8:
            self.enough.set()
            self.enough.wait(0.01)

    def close(self) -> None:
        pass


@pytest.mark.models
def test_the_bank_is_rendered_so_that_it_can_be_played_over_and_over_and_sounds_where_no_sound_can_be_made(
    tmp_path, monkeypatch
):
    scene = tmp_path / "scene.yaml"
    scene.write_text(SCENE)
    rendering.main(str(scene), "3", "4", str(tmp_path / "fallback.f32"))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".bank")] == []
    bank = Bank(tmp_path)
    assert bank.exists
    twice = bank.take(2 * 4 * 48_000)
    assert twice is not None
    level = np.sqrt((twice.reshape(-1, 4800 * 2) ** 2).mean(axis=1))
    assert level.min() > 0.1 * level.max() > 0.0  # loops without a hole
    steps = np.abs(np.diff(twice, axis=0)).max(axis=1)
    seam = len(twice) // 2
    assert steps[seam - 5 : seam + 5].max() <= steps.max()

    monkeypatch.setattr(pump, "FIRST_WITHOUT", 0.2)
    hearing = Hearing()
    with Audio(command=["false"]) as audio:  # no process of it ever lives
        stage = Pump(audio, hearing, substitute=Substitute(Bank(tmp_path).take, audio.pipe.format))
        with stage:
            assert hearing.enough.wait(20.0)
            assert stage.substituted
            stage.gain.fade_out(0.1)  # the end comes all the same
            assert stage.join(5.0)
    heard = np.frombuffer(hearing.heard, np.float32).reshape(-1, 2)
    np.testing.assert_allclose(heard[10_000:60_000], twice[10_000:60_000])


def test_without_a_bank_there_is_silence_and_the_end_comes(monkeypatch, tmp_path):
    monkeypatch.setattr(pump, "FIRST_WITHOUT", 0.1)
    hearing = Hearing()
    with Audio(command=["false"]) as audio:
        stage = Pump(audio, hearing, substitute=Substitute(Bank(tmp_path).take, audio.pipe.format))
        with stage:
            assert not hearing.enough.wait(0.5)
            stage.gain.fade_out(0.1)
            assert stage.join(5.0)
    assert hearing.heard == b""

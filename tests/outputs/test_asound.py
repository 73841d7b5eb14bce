"""A card is known by its name: pulled out and put in again under another number, it is heard again, and no other is."""

import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine.outputs.chain import Chain
from engine.outputs.devices.device import DEVICE
from engine.outputs.null import NullOutput
from engine.processes.backoff import Backoff
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat

CHUNK = 1024


@pytest.fixture
def asound(tmp_path, monkeypatch):
    """A machine with two cards and an aplay that finds them by /proc/asound as it is here."""
    root = tmp_path / "asound"
    plug(root, 0, "PCH")
    plug(root, 1, "HDMI")
    programs = tmp_path / "bin"
    programs.mkdir()
    aplay = programs / "aplay"
    script = Path(__file__).parent.parent / "dummies" / "aplay.py"
    aplay.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {script} "$@"\n')
    aplay.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_ASOUND", str(root))
    return root


def plug(root: Path, number: int, name: str) -> None:
    card = root / f"card{number}"
    card.mkdir(parents=True)
    (card / "id").write_text(f"{name}\n")


def heard(root: Path, number: int) -> int:
    file = root / f"heard.{number}"
    return file.stat().st_size if file.exists() else 0


def test_a_card_that_comes_back_under_another_number_is_heard_again_and_time_goes_on(asound, caplog):
    device = DEVICE.factory("hw:CARD=PCH,DEV=0")
    told: list[object] = []
    chain = Chain([device], NullOutput(), told.append, lambda: Backoff(0.1, 0.2))  # type: ignore[list-item]
    chain.open(AudioFormat(2))
    chunk = np.full((CHUNK, 2), 0.25, np.float32).tobytes()
    began, frames = time.monotonic(), 0

    def play_until(condition) -> None:
        nonlocal frames
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end, chain.description
            chain.write(chunk)
            frames += CHUNK

    play_until(lambda: heard(asound, 0) > SAMPLE_RATE * 8 // 2)
    shutil.rmtree(asound / "card0")  # pulled out
    play_until(lambda: "nowhere" in chain.description)
    assert "No such device" in chain.description
    plug(asound, 0, "Webcam")  # another one has taken its number
    plug(asound, 2, "PCH")
    before = heard(asound, 0)
    play_until(lambda: heard(asound, 2) > SAMPLE_RATE * 8 // 2)
    chain.close()
    assert heard(asound, 0) == before
    assert heard(asound, 1) == 0, "no other card was ever taken"
    assert len(told) == 1
    assert frames / SAMPLE_RATE == pytest.approx(time.monotonic() - began, abs=1.0)

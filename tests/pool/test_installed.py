"""A whole installation with `pool:`, whose top rung is a real server in a process of its own, which is killed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest
import soundfile

from engine import assets
from engine.errors import PerpetuumError
from engine.journal.reader import Journal
from engine.journal.records import JournalPhrase
from engine.journal.schema import NAME
from engine.networks.card import read_weights, write_weights
from tests.installation.keeper.test_run import running

SCENE = """
perpetuum: 1
title: Drums of the pool
tempo: 150 qpm
key: C
parts:
  pad: {generator: chord_walk, instrument: warm_pad, level: -6 dB}
  drums: {generator: {kind: drums_rnn, config: one_drum}, instrument: paper_kit, phrase: 1 bar}
sections:
  all: {bars: 8 bars, parts: [pad, drums]}
"""

BIG = """
perpetuum: 1
title: A network that lies on the pool alone
tempo: 150 qpm
key: C
parts:
  pad: {generator: chord_walk, instrument: warm_pad, level: -6 dB}
  lead: {generator: {kind: music_vae, config: cat-mel_2bar_big}, instrument: marimba, phrase: 2 bars}
sections:
  all: {bars: 8 bars, parts: [pad, lead]}
"""

pytestmark = pytest.mark.timeout(240)


@contextmanager
def pool(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A pool that answers."""
    command = [sys.executable, "-m", "tests.pool.servers", str(port), str(folder)]
    process = subprocess.Popen(command)
    try:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def phrases(state: Path, part: str) -> list[JournalPhrase]:
    """Phrases of a part in the order in which they were decided."""
    found = list(state.glob(f"**/{NAME}"))
    with suppress(PerpetuumError):
        for path in found:
            with Journal(path) as journal:
                all_of = [one for s in journal.sittings() for one in journal.phrases(s.number, 0, 1 << 60)]
                return [one for one in all_of if one.decided.part == part]
    return []


def big_weights(folder: Path) -> None:
    """Weights of a network that none ships with: MusicVAE's big melodies, in the shapes of the small ones."""
    shipped = assets.find("weights", "cat-mel_2bar_small", ".safetensors")
    assert shipped is not None
    card, weights = read_weights(shipped)
    folder.mkdir()
    named = replace(card, name="cat-mel_2bar_big", config="cat-mel_2bar_big")
    write_weights(folder / "cat-mel_2bar_big.safetensors", named, weights)


@pytest.mark.parametrize(
    ("scene", "part", "below"),
    [(SCENE, "drums", "networks"), (BIG, "lead", "stand-in")],
    ids=["networks play here, too", "a network that is on the pool alone"],
)
def test_an_installation_plays_on_when_its_pool_is_killed_and_asks_it_again_by_itself(
    tmp_path, monkeypatch, scene, part, below
):
    if scene is BIG:
        big_weights(tmp_path / "weights")
    monkeypatch.setenv("POOL_TOKEN", "let-me-in")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    more = f"pool: {{hosts: 'http://127.0.0.1:{port}', token: {{env: POOL_TOKEN}}}}\n"
    with running(tmp_path, "take.wav", scene=scene, more=more) as run:

        def rungs() -> list[str]:
            return [one.decided.rung for one in phrases(run.state, part)]

        def until(fact: Callable[[list[str]], bool]) -> int:
            run.until(lambda: fact(rungs()), 90.0)
            return len(rungs())

        with pool(port, tmp_path / "weights") as process:
            run.sounds()
            until(lambda found: found.count("pool") >= 3)
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed = until(lambda found: found[-3:] == [below] * 3)
        with pool(port, tmp_path / "weights"):
            until(lambda found: "pool" in found[killed:])
            run.process.terminate()
            assert run.process.wait(10) == 0
        assert set(rungs()) == {"pool", below}
        # What is below plays before the pool was heard of; then it plays, is gone, and plays again.
        assert [rung for rung, _ in groupby(rungs())][-3:] == ["pool", below, "pool"]
        level = run.heard()
        assert level[30:-200].min() > 0.003, "never silent"
        assert "the pool at" in run.said
        assert "let-me-in" not in run.said
        assert "Traceback" not in run.said


def asked(port: int) -> bool:
    """Whether a pool has made a phrase."""
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return b'perpetuum_pool_requests_total{endpoint="phrases",status="200"}' in answer.read()
    return False


def test_play_asks_a_pool_plays_on_without_it_and_asks_it_again(tmp_path, monkeypatch):
    monkeypatch.setenv("PERPETUUM_POOL_TOKEN", "let-me-in")
    (tmp_path / "scene.yaml").write_text(SCENE)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    take, log = tmp_path / "take.wav", tmp_path / "log"
    command = [sys.executable, "-P", "-m", "engine", "play", str(tmp_path / "scene.yaml")]
    command += ["--pool", f"http://127.0.0.1:{port}", "--output", "null", "--output", f"wav:{take}"]

    def until(fact: Callable[[], object]) -> None:
        ends = time.monotonic() + 90.0
        while not fact():
            assert time.monotonic() < ends, log.read_text()
            assert playing.poll() is None, log.read_text()
            time.sleep(0.05)

    with log.open("w") as said, pool(port, tmp_path / "weights") as process:
        playing = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            until(lambda: asked(port))
            process.kill()
            process.wait()
            until(lambda: "left alone" in log.read_text())
            with pool(port, tmp_path / "weights"):
                until(lambda: asked(port))
                until(lambda: "makes phrases again" in log.read_text())
                until(lambda: sum(one.stat().st_size for one in tmp_path.glob("*.wav*")) > 10 * 192_000)  # ten seconds
                playing.send_signal(signal.SIGINT)
                assert playing.wait(15) == 0
        finally:
            playing.kill()
            playing.wait()
    sound, _ = soundfile.read(take, dtype="float32")
    blocks = (sound[: len(sound) // 480 * 480].reshape(-1, 960) ** 2).mean(axis=1) ** 0.5
    assert blocks[30:-200].min() > 0.003, "never silent"
    assert "Traceback" not in log.read_text()

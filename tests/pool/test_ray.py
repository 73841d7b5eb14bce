"""The whole pool with a real Ray Serve: started by its command, asked by a player, a replica killed meanwhile."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from engine.assets import FOLDER_FILE
from engine.generators.chain import make_phrase
from engine.generators.neural.kinds import MUSIC_VAE
from engine.generators.neural.settings import MusicVaeSettings
from engine.pool.asking import rung
from engine.pool.asking.banks import keep_bank
from engine.pool.asking.client import HostClient
from engine.pool.wire.timbres import read_bank, write_timbre
from engine.runtime.workers.worker import rehearsal
from tests.pool.test_asking import asking, drums, job, phrase_from, reply_to, until
from tests.pool.test_timbres import DIGEST, SETTINGS, order_in
from tests.test_codec import same

pytestmark = [
    pytest.mark.pool,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra [pool] is not installed"),
    pytest.mark.timeout(600),
]


def test_a_player_is_answered_while_a_replica_is_killed_and_the_pool_ends_without_a_trace(tmp_path, monkeypatch):
    monkeypatch.setattr(rung, "LONGEST_PATIENCE", 60.0)
    home = tmp_path / "home"
    home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "pool.yaml"
    text = f"perpetuum: 1\nlisten: 127.0.0.1:{port}\ntokens: {{foyer: {{env: FOYER}}}}\nweights: weights\n"
    file.write_text(text + "deployments: {all: {batch: 4}}\n")
    environment = {**os.environ, "HOME": str(home), "FOYER": "let-me-in"}
    command = [sys.executable, "-m", "engine", "pool", "serve", "--config", str(file)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "listens at" in process.stdout.readline()
        replicas = _replicas(process.pid)
        assert len(replicas) == 2
        with ExitStack() as stack:
            pool = asking(stack, f"http://127.0.0.1:{port}", token=lambda: "let-me-in")
            until(lambda: pool.heard_of)
            for seed in range(3):
                reply = reply_to(pool, job(drums(seed), ticket=seed))
                assert not reply.problem
                assert same(reply.phrase, make_phrase("drums_rnn", drums(seed), {})[1])
            vae = reply_to(pool, job(rehearsal(MUSIC_VAE, MusicVaeSettings(points=(3, 4))), "music_vae", 4))
            assert not vae.problem
            url = f"http://127.0.0.1:{port}"
            with urllib.request.urlopen(f"{url}/metrics", timeout=60) as metrics:
                assert b"perpetuum_pool_batch_count 1.0" in metrics.read(), "it went the way of those that share"
            assert asyncio.run(bank(url)).name == FOLDER_FILE
            replicas[0].kill()
            for seed in range(10, 30):
                assert phrase_from(pool, drums(seed)).phrase is not None
            ends = time.monotonic() + 120
            while len(_replicas(process.pid)) < 2:
                assert time.monotonic() < ends, "the replica that was killed was not replaced"
                time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(60)
    assert process.returncode == 0
    assert not list(home.iterdir()), "Ray wrote into the home folder"


async def bank(url: str) -> Path:
    """A bank of notes of the pool."""
    client = HostClient(url, lambda: "let-me-in")
    try:
        body = await client.bank(write_timbre("neural", SETTINGS, DIGEST, 60.0))
    finally:
        await client.close()
    with tempfile.TemporaryDirectory() as cache:
        return keep_bank(read_bank(body, DIGEST), order_in(Path(cache)))


def _replicas(pid: int) -> list[psutil.Process]:
    found = psutil.Process(pid).children(recursive=True)
    return [one for one in found if one.is_running() and any("ServeReplica" in word for word in one.cmdline())]

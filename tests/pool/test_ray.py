"""The whole pool with a real Ray Serve: started as by its unit, a replica killed meanwhile; and in a cluster."""

from __future__ import annotations

import asyncio
import importlib.util
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path

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
from tests.health.prometheus import wait_until
from tests.pool.rays import APART, TOKEN, Cluster, RealPool, replicas_of
from tests.pool.test_asking import asking, drums, job, phrase_from, reply_to, until
from tests.pool.test_timbres import DIGEST, SETTINGS, order_in
from tests.pool.test_twins import wanted
from tests.test_codec import same

pytestmark = [
    pytest.mark.pool,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra [pool] is not installed"),
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("ray"),  # one Ray at a time
]


def test_a_player_is_answered_while_a_replica_is_killed_and_the_pool_ends_without_a_trace(tmp_path, monkeypatch):
    monkeypatch.setattr(rung, "LONGEST_PATIENCE", 60.0)
    file = "heavy: 5 MB\ndeployments: {all: {batch: 4}, big: {heavy: true, replicas: 1, compute: tensorflow}}\n"
    with RealPool(tmp_path, file) as real:
        assert len(real.replicas) == 3
        if APART:
            assert real.listening() == {f"127.0.0.1:{real.port}"}, "no socket of Ray's can be reached from elsewhere"
            assert any(not where.startswith("127.") for where in real.listening(inside=True)), "which it has"
        with ExitStack() as stack:
            pool = asking(stack, real.url, token=lambda: TOKEN)
            until(lambda: pool.heard_of)
            for seed in range(3):
                reply = reply_to(pool, job(drums(seed), ticket=seed))
                assert not reply.problem
                assert same(reply.phrase, make_phrase("drums_rnn", drums(seed), {})[1])
            vae = reply_to(pool, job(rehearsal(MUSIC_VAE, MusicVaeSettings(points=(3, 4))), "music_vae", 4))
            assert not vae.problem
            trio = phrase_from(pool, wanted("trio_4bar", 5), "music_vae")
            assert same(trio.phrase, make_phrase("music_vae", wanted("trio_4bar", 5), {})[1])
            with urllib.request.urlopen(f"{real.url}/metrics", timeout=60) as metrics:
                text = metrics.read()
            assert b"perpetuum_pool_batch_count 1.0" in text, "it went the way of those that share"
            assert b'perpetuum_pool_heavy_phrases_total{by="tensorflow_cpu"} 1.0' in text, "and what is heavy its own"
            assert asyncio.run(bank(real.url)).name == FOLDER_FILE
            real.replicas[0].kill()
            for seed in range(10, 30):
                assert phrase_from(pool, drums(seed)).phrase is not None
            assert wait_until(lambda: len(real.replicas) == 3, 120), "the replica that was killed was not replaced"
        assert real.end() == 0
    assert not list(real.home.iterdir()), "Ray wrote into the home folder"


def test_a_pool_joins_a_cluster_serves_and_leaves_it_as_it_was(tmp_path):
    with Cluster() as cluster:
        parts = {one.pid for one in cluster.whole.children()}
        file = f"cluster: {cluster.address}\ndeployments: {{all: {{replicas: 1}}}}\n"
        with RealPool(tmp_path, file, apart=False) as real, ExitStack() as stack:
            pool = asking(stack, real.url, token=lambda: TOKEN)
            until(lambda: pool.heard_of)
            assert same(phrase_from(pool, drums(3)).phrase, make_phrase("drums_rnn", drums(3), {})[1])
            assert (len(replicas_of(cluster.whole)), real.replicas) == (1, []), "the cluster has it, and not the pool"
            assert real.end() == 0
        assert wait_until(lambda: not replicas_of(cluster.whole), 60), "they make bars for nobody"
        assert {one.pid for one in cluster.whole.children()} == parts
        assert cluster.process.poll() is None


async def bank(url: str) -> Path:
    """A bank of notes of the pool."""
    client = HostClient(url, lambda: TOKEN)
    try:
        body = await client.bank(write_timbre("neural", SETTINGS, DIGEST, 60.0))
    finally:
        await client.close()
    with tempfile.TemporaryDirectory() as cache:
        return keep_bank(read_bank(body, DIGEST), order_in(Path(cache)))

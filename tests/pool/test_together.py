"""Phrases that share calls of their network: the same music as alone, in fewer calls, and whoever fails fails alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from engine.generators.neural.kinds import MUSIC_VAE
from engine.generators.neural.settings import MusicVaeSettings
from engine.networks.vae.music_vae import MusicVae
from engine.pool.serving.making import Lanes, PhraseMaker
from engine.pool.serving.together import MeetingVae
from engine.pool.wire.digests import weights_named
from engine.pool.wire.requests import write_job
from engine.runtime.workers.worker import rehearsal

Sent = tuple[bytes, Mapping[str, str]]


def sent(seed: int, **settings: object) -> Sent:
    chosen = MusicVaeSettings.model_validate({"points": (3, 4 + seed), **settings})
    request = replace(rehearsal(MUSIC_VAE, chosen), bars=4, seed=seed, theme=seed)
    written = write_job("music_vae", request, weights_named)
    return written.data, {digest: str(path) for digest, path in written.weights.items()}


def notes_of(body: bytes) -> object:
    return json.loads(body)["raw"]["notes"]


@pytest.fixture
def held(monkeypatch):
    """The first call of the decoder waits until this is set."""
    free, begun, sizes = threading.Event(), threading.Event(), list[int]()
    decode = MusicVae.decode

    def noting(self, z, *args, **kwargs):
        sizes.append(len(z))
        if isinstance(self, MeetingVae) and not begun.is_set():
            begun.set()
            assert free.wait(60)
        return decode(self, z, *args, **kwargs)

    monkeypatch.setattr(MusicVae, "decode", noting)
    return free, begun, sizes


@pytest.mark.parametrize("mode", ["walk", "sample"])
def test_jobs_that_come_while_the_network_is_busy_are_one_call_and_sound_as_they_would_alone(held, mode):
    free, begun, sizes = held
    lanes = Lanes(1 << 30, batch=6)
    meeting: list[MeetingVae] = []
    keep = MeetingVae.__init__

    def noting(self: MeetingVae, network: MusicVae) -> None:
        keep(self, network)
        meeting.append(self)

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MeetingVae, "__init__", noting)
            jobs = [sent(seed, mode=mode) for seed in range(6)]
            asked = [lanes.submit("music_vae", *jobs[0])]
            assert begun.wait(60)
            asked += [lanes.submit("music_vae", *job) for job in jobs[1:]]
            while len(meeting[0]._meeting.waiting) < 5:
                assert not any(one.done() for one in asked)
            free.set()
            outcomes = [one.result(60) for one in asked]
    finally:
        free.set()
        lanes.close()
    assert not [outcome.problem for outcome in outcomes if outcome.problem]
    rows = 1 if mode == "walk" else 4
    assert sizes[:2] == [rows, 5 * rows]
    assert {outcome.batch for outcome in outcomes[1:]} <= {3, 4, 5}
    assert max(outcome.batch for outcome in outcomes) == 5
    alone = PhraseMaker(1 << 30)
    for job, outcome in zip(jobs, outcomes, strict=True):
        assert notes_of(alone.make(*job).body) == notes_of(outcome.body)


def test_calls_that_do_not_fit_and_calls_that_fail_are_not_made_together():
    from engine import assets
    from engine.networks import load_network

    path = assets.find("weights", "cat-mel_2bar_small", ".safetensors")
    assert path is not None
    network = load_network(path)
    assert isinstance(network, MusicVae)
    plain, found = MeetingVae(network), dict[int, object]()
    rngs = [np.random.default_rng(number) for number in range(4)]
    lengths = (32, 16, 32, 0)

    def ask(number: int) -> None:
        try:
            z = np.full((1, network.latent_size), number, np.float32)
            found[number] = plain.decode(z, lengths[number], None, 1.0, [rngs[number]])
        except ValueError as error:
            found[number] = error

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    with plain._meeting.busy:
        for one in threads:
            one.start()
        while len(plain._meeting.waiting) < 4:
            pass
    for one in threads:
        one.join(60)
    shapes = [getattr(found[number], "shape", None) for number in range(3)]
    assert shapes == [(1, 32, network.config.output_size), (1, 16, network.config.output_size), shapes[0]]
    assert isinstance(found[3], ValueError)


def test_what_no_lane_has_begun_can_still_be_called_off():
    lanes = Lanes(1 << 20, batch=2)
    free = threading.Event()
    try:
        busy = [lanes._together.submit(free.wait, 60) for _ in range(2)] if lanes._together is not None else []
        assert len(busy) == 2
        waiting = lanes.submit("music_vae", *sent(1))
        assert waiting.cancel()
    finally:
        free.set()
        lanes.close()

"""The player's side of the pool: real servers, real phrases, and hosts that fail in every way."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import msgspec
import pytest

from engine.conductor.makers.breaker import Circuit
from engine.conductor.makers.contract import Job, Made, Reply
from engine.errors import PerpetuumError
from engine.events import Event, SteppedDown
from engine.generators.chain import make_phrase
from engine.generators.contract import Request
from engine.generators.neural.kinds import DRUMS_RNN, MELODY_RNN, MUSIC_VAE
from engine.generators.neural.settings import DrumsRnnSettings, GrooveSettings, MelodyRnnSettings, MusicVaeSettings
from engine.pool.asking import host, rung
from engine.pool.asking.rung import PoolRung
from engine.runtime.rules import ladder_over
from engine.runtime.workers.worker import rehearsal
from engine.score.phrase import Origin, Phrase, Provenance
from engine.score.time import SAMPLE_RATE
from tests.conductor.virtual import VirtualMakers
from tests.pool.servers import PoolServer, misbehaving, response
from tests.test_codec import same

PATIENCE = 60.0
"""Seconds for a fact to come about; far more than it needs."""


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(host, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(host, "LONGEST_PAUSE", 0.2)
    monkeypatch.setattr(rung, "LONGEST_PATIENCE", PATIENCE)  # however busy the machine is


@pytest.fixture
def server(tmp_path) -> Iterator[PoolServer]:
    with PoolServer(tmp_path / "weights") as found:
        yield found


def drums(seed: int = 1) -> Request:
    return replace(rehearsal(DRUMS_RNN, DrumsRnnSettings(config="one_drum")), seed=seed)


def job(request: Request, kind: str = "drums_rnn", ticket: int = 0, seconds: float = 200.0) -> Job:
    return Job(ticket, kind, request, int(seconds * SAMPLE_RATE))


def asking(stack: ExitStack, *urls: str, token: Callable[[], str] = lambda: "") -> PoolRung:
    pool = stack.enter_context(PoolRung(urls, token))
    pool.follow(lambda: 0)
    return pool


def until(fact: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < ends, "it never came about"
        time.sleep(0.01)


def reply_to(pool: PoolRung, asked: Job) -> Reply:
    pool.submit(asked)
    replies: list[Reply] = []
    until(lambda: replies.extend(pool.poll(0.2)) or replies)
    assert [reply.ticket for reply in replies] == [asked.ticket]
    return replies[0]


def hosts(pool: PoolRung):
    assert pool._asker is not None
    return pool._asker.hosts


def phrase_from(pool: PoolRung, request: Request, kind: str = "drums_rnn") -> Reply:
    """Asks until there is a phrase: a circuit may have to close first."""
    found: list[Reply] = []

    def asked() -> bool:
        reply = reply_to(pool, job(request, kind))
        found.append(reply)
        return reply.phrase is not None

    until(asked)
    return found[-1]


def past(beats: int) -> Phrase:
    some = [(float(beat), beat + 0.75, 60 + beat % 5, 70 + beat) for beat in range(beats)]
    return Phrase.of(some, float(beats), Provenance("melody_rnn", Origin.NETWORK, 1))


CASES = [
    ("drums_rnn", replace(rehearsal(DRUMS_RNN, DrumsRnnSettings()), bars=2, seed=5)),
    (
        "drums_rnn",
        rehearsal(
            DRUMS_RNN,
            DrumsRnnSettings(config="one_drum"),
            (("groove", GrooveSettings.model_validate({"amount": "120 %"})),),
        ),
    ),
    (
        "melody_rnn",
        replace(
            rehearsal(MELODY_RNN, MelodyRnnSettings.model_validate({"candidates": 3, "top_p": "90 %"})),
            history=past(8),
            seed=9,
        ),
    ),
    ("music_vae", replace(rehearsal(MUSIC_VAE, MusicVaeSettings(points=(3, 4))), bars=2, seed=2**62)),
]


def test_the_same_request_gives_the_same_phrase_here_and_there_to_the_last_bit(server):
    with ExitStack() as stack:
        pool = asking(stack, server.url)
        until(lambda: pool.heard_of)
        for ticket, (kind, request) in enumerate(CASES):
            reply = reply_to(pool, job(request, kind, ticket))
            assert not reply.problem
            raw, phrase = make_phrase(kind, request, {})
            assert same(reply.raw, raw), kind
            assert same(reply.phrase, phrase), kind
            assert len(phrase.notes)


def test_a_ladder_takes_phrases_of_the_pool_first_and_networks_play_where_it_is_away(server):
    local = VirtualMakers(lambda asked: Reply(asked.ticket, *make_phrase(asked.kind, asked.request, {})))
    told: list[Event] = []
    with ExitStack() as stack:
        pool = asking(stack, server.url)
        until(lambda: pool.heard_of)
        ladder = ladder_over(local, told.append, pool)

        def made(seed: int) -> Made:
            asked = ladder.ask("drums_rnn", drums(seed), 200 * SAMPLE_RATE, network=True)
            assert isinstance(asked, Job)
            answers: list[Made] = []
            until(lambda: answers.extend(answer.made for answer in ladder.poll(0.2)) or answers)
            return answers[0]

        assert made(1).rung == "pool"
        assert not told
        server.makers.away = "its replicas are being replaced"
        first = made(2)
        assert first.rung == "networks"
        assert "replaced" in first.reason
        assert [type(event) for event in told] == [SteppedDown]
        server.makers.away = ""
        until(lambda: made(3).rung == "pool")


def test_too_little_time_or_no_network_is_no_job_for_the_pool(server):
    with ExitStack() as stack:
        pool = asking(stack, server.url)
        until(lambda: pool.heard_of)
        assert pool.takes(job(drums()))
        assert not pool.takes(job(drums(), seconds=1.0))
        assert not pool.takes(replace(job(drums()), network=False))


def test_nothing_waits_for_a_pool_that_was_never_there():
    """It does not take jobs before it has heard of a host, so that nothing is asked of who is not there."""
    with ExitStack() as stack:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        pool = asking(stack, f"http://127.0.0.1:{port}")
        until(lambda: pool._asker is not None and "reached" in hosts(pool)[0].reason)
        assert not pool.takes(job(drums()))


def models_of(server: PoolServer) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port)) as one:
        one.sendall(b"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        whole = b""
        while part := one.recv(1 << 16):
            whole += part
    return whole.partition(b"\r\n\r\n")[2]


FAULTS: dict[str, Callable[[], bytes | None]] = {
    "half-alive": lambda: None,
    "nonsense": lambda: b"\x00\xff\x00\xff" * 100,
    "no JSON": lambda: response(b"<html>It works!</html>"),
    "an empty answer": lambda: response(b""),
    "another version": lambda: response(b'{"version":2,"phrase":"new"}'),
    "cut off": lambda: response(b'{"version":1,"key":"')[:-5],
    "500": lambda: response(b"oops", "500 Internal Server Error"),
    "401": lambda: response(b'{"problem":"nobody"}', "401 Unauthorized"),
    "307": lambda: b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "without end": lambda: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"a" * 65536,
    "far too much": lambda: response(b"[" + b"1," * (1 << 20) + b"1]"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_host_that_fails_costs_one_phrase_nothing_where_another_works_and_is_left_alone(server, fault):
    """It says that it has all there is, and then fails at every phrase."""
    models = models_of(server)
    answer = lambda line: response(models) if b"models" in line else FAULTS[fault]()  # noqa: E731
    with ExitStack() as stack:
        bad = stack.enter_context(misbehaving(answer))
        pool = asking(stack, bad, server.url)
        until(lambda: pool.heard_of and all(one.has is not None for one in hosts(pool)))
        for seed in range(2):
            # A circuit that is half open lets one phrase through for trial.
            assert reply_to(pool, job(drums(seed), ticket=seed)).phrase is not None
        until(lambda: phrase_from(pool, drums(3)) and hosts(pool)[0].reason)
        assert hosts(pool)[0].circuit is not Circuit.CLOSED
        assert hosts(pool)[1].circuit is Circuit.CLOSED


@pytest.mark.parametrize("fault", ["half-alive", "nonsense", "far too much", "401"])
def test_where_no_host_works_the_rung_gives_up_with_time_left_for_the_networks_here(server, fault):
    models = models_of(server)
    answer = lambda line: response(models) if b"models" in line else FAULTS[fault]()  # noqa: E731
    with ExitStack() as stack:
        pool = asking(stack, stack.enter_context(misbehaving(answer)))
        until(lambda: pool.heard_of)
        began = time.monotonic()
        reply = reply_to(pool, job(drums(), seconds=2.0))
        assert reply.phrase is None
        assert reply.problem
        if fault == "half-alive":
            assert time.monotonic() - began >= 1.0, "it was not waited for"


def test_a_phrase_that_does_not_fit_what_was_asked_counts_as_a_lie(server):
    """Sound JSON with the right key, and a phrase of another length."""
    models = models_of(server)
    with ExitStack() as stack:
        honest = asking(stack, server.url)
        until(lambda: honest.heard_of)
        one = job(drums(7))
        good = reply_to(honest, one).raw
        assert good is not None
        from engine.pool.wire.answers import write_answer
        from engine.pool.wire.digests import weights_named
        from engine.pool.wire.requests import write_job

        longer = replace(good, length=8.0)
        lie = write_answer(write_job(one.kind, one.request, weights_named).key, longer, longer, 0.1)
        pool = asking(
            stack, stack.enter_context(misbehaving(lambda line: response(models if b"models" in line else lie)))
        )
        until(lambda: pool.heard_of)
        reply = reply_to(pool, one)
        assert "8 beats long" in reply.problem
        assert hosts(pool)[0].circuit is not Circuit.CLOSED


def test_a_host_with_other_versions_of_the_settings_is_not_even_asked(server):
    models = json.loads(models_of(server))
    models["generators"]["drums_rnn"] = "00000000"
    asked: list[bytes] = []

    def answer(line: bytes) -> bytes:
        asked.append(line)
        return response(msgspec.json.encode(models))

    with ExitStack() as stack:
        pool = asking(stack, stack.enter_context(misbehaving(answer)))
        until(lambda: pool.heard_of)
        assert "another version of drums_rnn" in reply_to(pool, job(drums())).problem
        assert not any(b"phrases" in line for line in asked)


def test_a_token_is_revoked_and_given_again(tmp_path):
    token = {"foyer": "right"}
    with ExitStack() as stack:
        tokens = {"foyer": lambda: token["foyer"], "attic": lambda: "another"}
        server = stack.enter_context(PoolServer(tmp_path / "weights", tokens))
        pool = asking(stack, server.url, token=lambda: "right")
        until(lambda: pool.heard_of)
        phrase_from(pool, drums())
        token["foyer"] = "revoked"
        refused = reply_to(pool, job(drums(2)))
        assert "401" in refused.problem
        assert "right" not in refused.problem
        token["foyer"] = "right"
        phrase_from(pool, drums(2))


def test_a_player_without_its_token_says_so_and_asks_nobody(server):
    def none() -> str:
        raise PerpetuumError("the secret in $POOL_TOKEN is not set")

    with ExitStack() as stack:
        pool = asking(stack, server.url, token=none)
        until(lambda: pool._asker is not None and "POOL_TOKEN" in hosts(pool)[0].reason)
        assert not pool.takes(job(drums()))


def test_a_host_that_comes_back_is_asked_again_by_itself(tmp_path):
    with ExitStack() as stack:
        with PoolServer(tmp_path / "weights") as first:
            pool = asking(stack, first.url)
            until(lambda: pool.heard_of)
            phrase_from(pool, drums())
            port = first.port
        assert reply_to(pool, job(drums(2))).phrase is None
        from tests.pool import servers

        real = socket.create_server

        def same_port(address: tuple[str, int]) -> socket.socket:
            return real((address[0], port))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(servers.socket, "create_server", same_port)
            again = PoolServer(tmp_path / "weights")
        stack.enter_context(again)
        assert phrase_from(pool, drums(3)).phrase is not None


def test_weights_that_a_host_lacks_are_handed_over_and_then_played(server, tmp_path):
    from engine import assets
    from engine.networks.card import read_weights, write_weights

    shipped = assets.find("weights", "one_drum", ".safetensors")
    assert shipped is not None
    card, weights = read_weights(shipped)
    own = tmp_path / "mine.safetensors"
    write_weights(own, replace(card, name="mine"), weights)
    request = replace(drums(), settings=DrumsRnnSettings(config="one_drum", weights=str(own)))
    with ExitStack() as stack:
        pool = asking(stack, server.url)
        until(lambda: pool.heard_of)
        assert "not here" in reply_to(pool, job(request)).problem
        reply = phrase_from(pool, request)
        assert same(reply.phrase, make_phrase("drums_rnn", request, {})[1])
        assert "mine" in {model.name for model in server.store.models}


def test_closing_the_pool_ends_its_thread_whatever_it_waits_for(server):
    models = models_of(server)
    with misbehaving(lambda line: response(models) if b"models" in line else None) as half_alive:
        pool = PoolRung([half_alive])
        pool.follow(lambda: 0)
        until(lambda: pool.heard_of)
        pool.submit(job(drums()))
        pool.close()
    assert not any(thread.name == "pool" and thread.is_alive() for thread in threading.enumerate())


def test_what_nobody_waits_for_any_more_is_not_answered(server):
    models = models_of(server)
    with ExitStack() as stack:
        bad = stack.enter_context(misbehaving(lambda line: response(models) if b"models" in line else None))
        pool = asking(stack, bad)
        until(lambda: pool.heard_of)
        pool.submit(job(drums(), ticket=5))
        pool.cancel([5])
        until(lambda: not hosts(pool)[0].asked)
        assert not pool.poll(0.0)

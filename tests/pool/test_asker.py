"""How hosts are judged by what comes of asking them, and what is left when nobody is asked any more."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from engine.conductor.makers.breaker import Circuit
from engine.errors import PerpetuumError
from engine.generators.chain import make_phrase
from engine.installation.reading.pool import wrong_url
from engine.pool.asking import asker as module
from engine.pool.asking import host as host_module
from engine.pool.asking.asker import Asker
from engine.pool.asking.client import HostClient, HostLostError
from engine.pool.asking.host import PoolHost
from engine.pool.asking.rung import PoolRung
from engine.pool.serving.players import Players
from engine.pool.wire.answers import write_answer
from engine.pool.wire.messages import VERSION, WireModels
from engine.pool.wire.requests import INSTALLED, read_envelope
from engine.pool.wire.settings import version_of
from tests.pool.test_asking import drums, job, until

MODELS = WireModels(
    VERSION,
    "1",
    (),
    {name: version_of(kind.settings) for name, kind in INSTALLED.generators.kinds().items()},
    {name: version_of(kind.settings) for name, kind in INSTALLED.transforms.kinds().items()},
)


class ScriptedClient:
    """Answers as it is told, in place of a connection."""

    def __init__(self, phrase: Callable[[bytes], Coroutine[Any, Any, bytes]], models: list[object]) -> None:
        self.phrase = phrase
        self._models = models

    async def models(self) -> WireModels:
        said = self._models.pop(0) if len(self._models) > 1 else self._models[0]
        if isinstance(said, Exception):
            raise said
        assert isinstance(said, WireModels)
        return said

    async def close(self) -> None:
        pass


def asker_of(*clients: ScriptedClient) -> Asker:
    """Hosts that are half open: whoever strikes one opens its circuit."""
    found = Asker([f"http://host{number}" for number in range(len(clients))], lambda: "")
    for host, client in zip(found.hosts, clients, strict=True):
        host.client = cast("HostClient", client)
        host.says(MODELS)
        host.latency = 0.0
    return found


async def never(_: bytes) -> bytes:
    await asyncio.Event().wait()
    return b""


async def at_once(body: bytes) -> bytes:
    raw, phrase = make_phrase("drums_rnn", drums(), {})
    return write_answer(read_envelope(body).key, raw, phrase, 0.0)


async def broken(_: bytes) -> bytes:
    raise HostLostError("it hangs up")


def test_slowness_counts_only_where_another_host_has_won(monkeypatch):
    monkeypatch.setattr(module, "FIRST_HEDGE", 0.0)

    async def judged(*scripts: Callable[[bytes], Coroutine[Any, Any, bytes]], given_up: bool) -> list[Circuit]:
        asker = asker_of(*(ScriptedClient(script, [MODELS]) for script in scripts))
        asked = asyncio.ensure_future(asker.ask(job(drums()), 30.0))
        if given_up:
            while sum(host.asked for host in asker.hosts) < len(scripts):
                await asyncio.sleep(0.001)
            asked.cancel()
        await asyncio.wait([asked])
        await asyncio.sleep(0)
        await asker.close()
        return [host.circuit for host in asker.hosts]

    assert asyncio.run(judged(never, never, given_up=True)) == [Circuit.HALF_OPEN, Circuit.HALF_OPEN]
    assert asyncio.run(judged(never, at_once, given_up=False)) == [Circuit.OPEN, Circuit.CLOSED]
    assert asyncio.run(judged(broken, at_once, given_up=False)) == [Circuit.OPEN, Circuit.CLOSED]


def test_no_fault_ends_the_looking_after_of_a_host(monkeypatch):
    monkeypatch.setattr(host_module, "FIRST_PAUSE", 0.001)
    faults = [ValueError("a fault of ours"), UnicodeEncodeError("ascii", "\xe9", 0, 1, "no"), RuntimeError(), MODELS]

    async def looked_after() -> PoolHost:
        asker = Asker(["http://host"], lambda: "")
        host = asker.hosts[0]
        host.client = cast("HostClient", ScriptedClient(never, list(faults)))
        asker.start()
        while host.has is None:
            await asyncio.sleep(0.001)
        await asker.close()
        return host

    assert asyncio.run(asyncio.wait_for(looked_after(), 30)).circuit is Circuit.HALF_OPEN


@pytest.mark.parametrize("token", ["gehe\xefm", "\u5bc6", "two\nlines"])
def test_a_token_that_no_header_can_carry_is_told_on_both_sides(token):
    async def asked() -> None:
        client = HostClient("http://127.0.0.1:1", lambda: token)
        try:
            await client.models()
        finally:
            await client.close()

    with pytest.raises(PerpetuumError, match="plain ASCII") as told:
        asyncio.run(asked())
    assert token not in told.value.message
    players = Players({"foyer": lambda: token, "attic": lambda: "right"})
    assert players.of(f"Bearer {token}".encode().decode("latin-1")) is None
    assert players.of("Bearer right") == "attic"


def test_an_address_that_http_cannot_carry_is_none():
    assert "xn--" in wrong_url("http://m\xfcseum.example")
    assert not wrong_url("http://xn--mseum-kva.example")


def test_nothing_goes_on_when_a_pool_is_closed():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        pool = PoolRung([f"http://127.0.0.1:{silent.getsockname()[1]}"])
        pool.follow(lambda: 0)
        until(lambda: pool._asker is not None)
        assert pool._asker is not None
        pool._loop.call_soon_threadsafe(pool._asker.hosts[0].says, MODELS)
        until(lambda: pool.heard_of)
        pool.submit(job(drums()))
        until(lambda: pool._asker is not None and pool._asker.hosts[0].asked)
        pool.close()
        assert not asyncio.all_tasks(pool._loop)
        assert pool._loop.is_closed()

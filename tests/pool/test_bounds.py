"""What the pool's server does not let itself be brought to: by who waits no more, by silence, by files, by probes."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import select
import socket
import sys
import tempfile
import threading
import types
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine import assets
from engine.errors import PerpetuumError
from engine.pool.serving import app, connections, store
from engine.pool.serving.answering import Answers
from engine.pool.serving.file.config import Deployment, PoolConfig
from engine.pool.serving.making.makers import JobOutcome
from engine.pool.serving.making.replicas import RayMakers
from engine.pool.serving.store import StoreFullError, WeightsStore
from tests.pool.servers import PoolServer
from tests.pool.test_asking import until
from tests.pool.test_serving import ask, phrase

SHIPPED = assets.find("weights", "one_drum", ".safetensors")
assert SHIPPED is not None
DATA = SHIPPED.read_bytes()
OTHER = DATA[:-1] + bytes([DATA[-1] ^ 1])
DIGEST = hashlib.sha256(DATA).hexdigest()


# Jobs that nobody waits for


def test_a_job_is_given_up_with_the_last_who_waits_for_it_and_made_anew_for_who_asks_then():
    begun: list[str] = []
    given_up: list[str] = []

    async def make() -> JobOutcome:
        begun.append("job")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            given_up.append("job")
            raise
        return JobOutcome(b"never")

    async def asked() -> None:
        answers = Answers()
        first = asyncio.ensure_future(answers.of("a", make, 30.0))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await answers.of("a", make, 0.01)
        assert not given_up, "the first still waits"
        first.cancel()
        await asyncio.wait([first])
        await asyncio.sleep(0)
        assert (len(begun), len(given_up), answers.making) == (1, 1, 0)

        async def at_once() -> JobOutcome:
            return JobOutcome(b"a phrase")

        assert await answers.of("a", at_once, 1.0) == (JobOutcome(b"a phrase"), False)
        with pytest.raises(TimeoutError):
            await answers.of("b", make, 0.0)
        await asyncio.sleep(0)
        assert answers.making == 0

    asyncio.run(asked())


def test_a_client_that_hangs_up_or_whose_time_is_over_has_nothing_made(tmp_path):
    free = threading.Event()
    with PoolServer(tmp_path / "weights") as server, ThreadPoolExecutor(1) as lane:
        make = server.makers._maker.make

        async def one_after_another(kind: str, job: bytes, paths: Any) -> JobOutcome:
            return await asyncio.get_running_loop().run_in_executor(lane, make, job, paths)

        server.makers.make = one_after_another  # type: ignore[method-assign]
        lane.submit(free.wait, 60)  # something else is being made
        waiting = lane._work_queue.qsize
        body = phrase(7)
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            head = (
                f"POST /v1/phrases HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            )
            client.sendall(head.encode() + b"\r\n\r\n" + body)
            until(lambda: server.pool.answers.making == 1 and waiting())
        until(lambda: server.pool.answers.making == 0)
        assert ask(server, "POST", "/v1/phrases", phrase(8, seconds=0.1))[0] == 504
        made: list[bytes] = []
        server.makers._maker.make = lambda job, paths: made.append(job)  # type: ignore[method-assign]
        free.set()
    lane.shutdown()
    assert not made


# Connections


def test_who_connects_and_says_nothing_or_half_a_head_keeps_no_place(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_PATIENCE", 0.2)
    with PoolServer(tmp_path / "weights") as server:
        for said in (b"", b"GET /livez HTTP/1.1\r\nHost:", b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
                client.sendall(said)
                if said.endswith(b"\r\n\r\n"):  # the next head is what does not come
                    assert client.recv(1 << 16).startswith(b"HTTP/1.1 200")
                    client.sendall(b"GET /livez HT")
                with contextlib.suppress(ConnectionError):
                    while client.recv(1 << 16):  # until it is closed
                        pass


def test_silent_connections_take_no_place_of_who_asks(tmp_path, monkeypatch):
    monkeypatch.setattr(connections.BoundedConnection, "most", 8)
    with PoolServer(tmp_path / "weights") as server:
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(30)]
        try:
            assert ask(server, "GET", "/v1/models")[0] == 200
            assert ask(server, "GET", "/livez")[0] == 200
            until(lambda: len(server._server.server_state.connections) <= 8)
        finally:
            for one in silent:
                one.close()


def test_headers_that_are_no_ascii_are_refused(tmp_path):
    with PoolServer(tmp_path / "weights", {"foyer": lambda: "right"}) as server:
        for header in (b"Authorization: Bearer \xff\xe9", b"Authorization: Bearer right\xe9", b"\xe9: a"):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(b"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + header + b"\r\n\r\n")
                answer = client.recv(1 << 16)
            assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401")), answer


# Probes


def test_probes_at_the_same_time_share_one_look(tmp_path):
    looks: list[None] = []
    free = threading.Event()

    async def unwell() -> str:
        looks.append(None)
        await asyncio.to_thread(free.wait, 60)
        return ""

    with PoolServer(tmp_path / "weights") as server, ThreadPoolExecutor(8) as threads:
        server.makers.unwell = unwell  # type: ignore[method-assign]
        probes = [threads.submit(ask, server, "GET", "/readyz") for _ in range(8)]
        until(lambda: len(server._server.server_state.tasks) == 8)
        free.set()
        assert [one.result()[0] for one in probes] == [200] * 8
        assert len(looks) == 1
        assert ask(server, "GET", "/readyz")[0] == 200
        assert len(looks) == 2, "whoever asks later is told what is so then"


def test_a_pool_that_makes_no_bar_says_so_at_once_from_the_second_time_on_and_is_back_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(app, "READY_PATIENCE", 2.0)
    free = threading.Event()

    async def unwell() -> str:
        while not free.is_set():  # as Ray does whose cluster is lost
            await asyncio.sleep(0.01)
        return ""

    with PoolServer(tmp_path / "weights") as server:
        server.makers.unwell = unwell  # type: ignore[method-assign]
        assert ask(server, "GET", "/readyz")[0] == 503
        monkeypatch.setattr(app, "READY_PATIENCE", 600.0)
        answers = [ask(server, "GET", "/readyz") for _ in range(3)]
        assert answers == [(503, b"no bar was made in 2 s\n")] * 3
        free.set()
        until(lambda: ask(server, "GET", "/readyz")[0] == 200)


# Weights


async def chunks(*some: bytes) -> AsyncIterator[bytes]:
    for one in some:
        await asyncio.sleep(0)
        yield one
    await asyncio.sleep(0)


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def lacking(tmp_path, monkeypatch) -> Callable[..., WeightsStore]:
    """A store that ships no weights of its own."""
    monkeypatch.setattr(assets, "names", lambda *_: {})
    return lambda limit=1 << 30: WeightsStore(tmp_path / "store", limit, 1 << 30)


def test_files_that_come_in_at_the_same_time_count_together_and_each_has_its_own_place(lacking, tmp_path):
    digests = DIGEST, hashlib.sha256(OTHER).hexdigest()

    async def taken(limit: int) -> list[object]:
        found = lacking(limit)
        both = [found.take(d, chunks(x[:900], x[900:]), None) for d, x in zip(digests, (DATA, OTHER), strict=True)]
        return await asyncio.gather(*both, return_exceptions=True)

    first = asyncio.run(taken(int(1.5 * len(DATA))))
    assert sorted(type(one).__name__ for one in first) == ["StoreFullError", "bool"]
    assert len(parts(tmp_path / "store")) == 1
    assert sorted(map(str, asyncio.run(taken(2 * len(DATA))))) == ["False", "True"]
    assert parts(tmp_path / "store") == sorted(f"{digest}.safetensors" for digest in digests)
    for digest in digests:
        assert hashlib.sha256((tmp_path / "store" / f"{digest}.safetensors").read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("fault", ["mkstemp", "fsync", "digest"])
def test_weights_that_cannot_be_kept_are_refused_and_leave_nothing(lacking, tmp_path, monkeypatch, fault):
    found = lacking()

    def full(*_: object, **__: object) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if fault == "mkstemp":
        monkeypatch.setattr(store.tempfile, "mkstemp", full)
    if fault == "fsync":
        monkeypatch.setattr(store.os, "fsync", full)
    digest = "0" * 64 if fault == "digest" else DIGEST
    with pytest.raises(PerpetuumError if fault == "digest" else StoreFullError):
        asyncio.run(found.take(digest, chunks(DATA), None))
    assert not parts(tmp_path / "store")
    assert not found.models


def test_the_disk_and_the_reading_of_a_file_hold_nobody_up(lacking, monkeypatch):
    found = lacking()
    threads: set[str] = set()
    for where, name in ((store.os, "fsync"), (store, "read_card")):
        real = getattr(where, name)
        noting = lambda *args, real=real: (threads.add(threading.current_thread().name), real(*args))[1]  # noqa: E731
        monkeypatch.setattr(where, name, noting)
    assert asyncio.run(found.take(DIGEST, chunks(DATA), None))
    assert threads
    assert threading.current_thread().name not in threads


def test_weights_that_drip_are_refused_and_keep_nobody_out(tmp_path, monkeypatch):
    monkeypatch.setattr(app, "STALLED", 0.3)
    digest = hashlib.sha256(OTHER).hexdigest()
    with PoolServer(tmp_path / "weights", limit=1 << 30) as server:
        head = f"PUT /v1/weights/{digest} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(OTHER)}\r\n\r\n".encode()
        with contextlib.ExitStack() as stack:
            dripping = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 30)) for _ in range(2)]
            for one in dripping:
                one.sendall(head)
            until(lambda: any(server.store._folder.glob("*.part")))
            answers = [b"", b""]
            while not all(answers):
                for number, one in enumerate(dripping):
                    with contextlib.suppress(OSError):
                        one.sendall(b"x")
                    if select.select([one], [], [], 0.02)[0] and not answers[number]:
                        answers[number] = one.recv(4096)
        assert all(one.startswith(b"HTTP/1.1 408") for one in answers)
        assert ask(server, "PUT", f"/v1/weights/{digest}", OTHER)[0] == 201
        assert parts(server.store._folder) == [f"{digest}.safetensors"]


def test_weights_that_were_deleted_are_here_no_more_and_may_be_handed_over_again(lacking, tmp_path):
    found = lacking()
    assert asyncio.run(found.take(DIGEST, chunks(DATA), None))
    found.paths((DIGEST,))[DIGEST].unlink()
    assert not found.paths((DIGEST,))
    assert asyncio.run(found.take(DIGEST, chunks(DATA), None))


def test_a_file_under_the_name_of_another_digest_is_replaced_and_forgotten(lacking, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / f"{DIGEST}.safetensors").write_bytes(OTHER)
    found = lacking()
    assert asyncio.run(found.take(DIGEST, chunks(DATA), None))
    assert set(found.paths((DIGEST, hashlib.sha256(OTHER).hexdigest()))) == {DIGEST}


# Ray


def test_where_ray_is_missing_nothing_is_left_and_where_it_does_not_start_its_logs_are(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PerpetuumError, match="not installed"):
        RayMakers(PoolConfig(tmp_path / "weights"))
    assert not list(tmp_path.iterdir())

    def init(**told: Any) -> None:
        (Path(told["_temp_dir"]) / "log").write_text("why")
        raise RuntimeError("no port is free")

    ray = types.ModuleType("ray")
    ray.init, ray.shutdown, ray.serve = init, lambda: None, types.ModuleType("ray.serve")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.serve", ray.serve)
    with pytest.raises(PerpetuumError, match="no port is free") as told:
        RayMakers(PoolConfig(tmp_path / "weights"))
    assert told.value.hint is not None
    assert (Path(told.value.hint.removeprefix("look into ")) / "log").read_text() == "why"
    assert "RAY_AUTH_TOKEN_PATH" not in os.environ
    # It would wait for GPUs that are not there, for ever.
    ray.init, ray.cluster_resources = lambda **_: None, lambda: {"CPU": 2.0, "GPU": 1.0}  # type: ignore[attr-defined]
    with pytest.raises(PerpetuumError, match="ask for 2 GPUs in all, and Ray finds 1"):
        RayMakers(PoolConfig(tmp_path / "weights", deployments=(Deployment(gpus=1.0),)))

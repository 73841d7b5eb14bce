"""The pool's HTTP server, asked by a plain client: what it answers, and what never reaches a maker."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace

import jsonschema
import pytest

from engine import assets
from engine.errors import PerpetuumError
from engine.generators.neural.kinds import DRUMS_RNN
from engine.generators.neural.settings import DrumsRnnSettings
from engine.pool.serving import app
from engine.pool.serving.making.makers import JobOutcome
from engine.pool.serving.making.phrases import BuiltModels, PhraseMaker, Rehearsal
from engine.pool.wire.digests import digest_of, weights_named
from engine.pool.wire.messages import LARGEST_REQUEST
from engine.pool.wire.requests import write_job
from engine.runtime.workers.worker import rehearsal
from tests.pool.servers import PoolServer

TOKENS = {"foyer": lambda: "let-me-in", "attic": lambda: "another"}


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[PoolServer]:
    with PoolServer(tmp_path_factory.mktemp("pool") / "weights", TOKENS, limit=1 << 20) as found:
        yield found


def ask(
    server: PoolServer, method: str, path: str, body: bytes = b"", token: str = "let-me-in", **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    said = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **named}
    connection.request(method, path, body, said)
    answer = connection.getresponse()
    return answer.status, answer.read()


def phrase(seed: int = 0, seconds: float = 60.0) -> bytes:
    request = replace(rehearsal(DRUMS_RNN, DrumsRnnSettings(config="one_drum")), seed=seed)
    return write_job("drums_rnn", request, weights_named).request(seconds)


def test_a_phrase_is_answered_as_the_document_says(server):
    status, body = ask(server, "POST", "/v1/phrases", phrase(1))
    assert status == 200
    document = json.loads(ask(server, "GET", "/v1/openapi.json")[1])
    schema = {"$ref": "#/components/schemas/PhraseAnswer", "components": document["components"]}
    jsonschema.validate(json.loads(body), schema)
    schema["$ref"] = "#/components/schemas/PhraseRequest"
    jsonschema.validate(json.loads(phrase(1)), schema)


def test_who_asks_twice_is_answered_once_even_at_the_same_moment(server):
    before = server.makers.made
    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda _: ask(server, "POST", "/v1/phrases", phrase(100)), range(8)))
    assert len(answers) == 1
    assert server.makers.made == before + 1
    assert ask(server, "POST", "/v1/phrases", phrase(100, seconds=5.0)) == answers.pop()
    assert server.makers.made == before + 1


def test_a_key_that_another_player_has_asked_with_gives_the_same_phrase_and_no_rights(server):
    body = phrase(700)
    answer = ask(server, "POST", "/v1/phrases", body)
    before = server.makers.made
    assert ask(server, "POST", "/v1/phrases", body, token="another") == answer, "the phrase is a function of the job"
    assert ask(server, "POST", "/v1/phrases", body, token="revoked")[0] == 401, "remembered or not"
    key, other = (json.loads(one)["key"] for one in (body, phrase(701)))
    status, said = ask(server, "POST", "/v1/phrases", phrase(701).replace(other.encode(), key.encode()))
    assert (status, json.loads(said)["where"]) == (400, "$.key"), "nobody gets or leaves an answer under another's key"
    assert server.makers.made == before


@pytest.mark.parametrize("token", ["", "wrong", "let-me-i", "let-me-in2", "é", "a" * 5000])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/phrases"), ("GET", "/v1/models"), ("PUT", "/v1/weights/0")])
def test_without_a_right_token_nothing_is_answered(server, token, method, path):
    before = server.makers.made
    status, body = ask(server, method, path, phrase(2), token.encode().decode("latin-1"))
    assert status == 401
    assert b"let-me-in" not in body
    assert server.makers.made == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b"[" * 100_000, 400),
        (b'{"version":2}', 409),
        (phrase(3).replace(b'"bars":1', b'"bars":0'), 400),
        (phrase(3).replace(b'"seed":3', b'"seed":4'), 400),
        (phrase(3).replace(b'"seed":', b'"s\xe9ed":'), 400),
        (b" " * (LARGEST_REQUEST + 1), 413),
        (b"\x80\x04\x95\x00cos\nsystem\n(S'true'\ntR.", 400),
    ],
    ids=["empty", "cut off", "null", "deep", "version", "no bars", "other key", "no UTF-8", "large", "a pickle"],
)
def test_what_is_no_request_is_refused_with_what_and_where_and_reaches_no_maker(server, body, status):
    before = server.makers.made
    answered, said = ask(server, "POST", "/v1/phrases", body)
    assert answered == status
    assert json.loads(said)["problem"]
    assert server.makers.made == before


def test_a_body_of_another_type_is_refused(server):
    assert ask(server, "POST", "/v1/phrases", phrase(1), Content_Type="text/plain")[0] == 415


def test_weights_that_are_not_here_are_named(server):
    digest = weights_named("one_drum")[0]
    status, said = ask(server, "POST", "/v1/phrases", *_with_another_digest(digest))
    assert status == 404
    assert json.loads(said)["missing"] == ["0" * 64]


def _with_another_digest(digest: str) -> tuple[bytes]:
    from engine.pool.wire.messages import key_of

    body = phrase(5).replace(digest.encode(), b"0" * 64)
    job = body.partition(b'"job":')[2][:-1]
    key = json.loads(phrase(5))["key"]
    return (body.replace(key.encode(), key_of(job).encode()),)


def test_weights_are_taken_once_whole_and_checked(server, tmp_path):
    from engine.networks.card import read_weights, write_weights

    shipped = assets.find("weights", "one_drum", ".safetensors")
    assert shipped is not None
    card, weights = read_weights(shipped)
    own = tmp_path / "own.safetensors"
    write_weights(own, replace(card, description="another"), weights)
    digest, data = digest_of(own), own.read_bytes()
    assert ask(server, "PUT", f"/v1/weights/{digest}", data[:-1])[0] == 400
    assert ask(server, "PUT", f"/v1/weights/{'1' * 64}", data)[0] == 400
    assert ask(server, "PUT", f"/v1/weights/{digest}", data)[0] == 201
    assert ask(server, "PUT", f"/v1/weights/{digest}", data)[0] == 204
    models = json.loads(ask(server, "GET", "/v1/models")[1])["models"]
    assert digest in {model["digest"] for model in models}


@pytest.mark.parametrize("path", ["..%2F..%2Fetc%2Fpasswd", "0" * 63, "A" * 64, "0" * 64 + "%00", "%2e%2e"])
def test_a_digest_leads_nowhere(server, path):
    folder = server.store._folder
    before = sorted(folder.iterdir())
    assert ask(server, "PUT", f"/v1/weights/{path}", b"x")[0] in (400, 404)
    assert sorted(folder.iterdir()) == before


def test_weights_that_are_none_or_find_no_room_are_refused_and_leave_nothing_behind(server):
    import hashlib

    before = sorted(server.store._folder.iterdir())
    for data, status in ((b"x" * 100, 400), (b"\xff" * 16, 400), (b"x" * (1 << 20) + b"y", 507)):
        digest = hashlib.sha256(data).hexdigest()
        assert ask(server, "PUT", f"/v1/weights/{digest}", data)[0] == status
    assert ask(server, "PUT", f"/v1/weights/{'2' * 64}", b"", Content_Length=str(1 << 40))[0] in (413, 400)
    assert sorted(server.store._folder.iterdir()) == before


def test_it_says_that_it_lives_and_whether_a_bar_can_be_made(server, monkeypatch):
    monkeypatch.setattr(app, "READY_PATIENCE", 60.0)  # however busy the machine is
    assert ask(server, "GET", "/livez", token="")[0] == 200
    assert ask(server, "GET", "/readyz", token="")[0] == 200
    server.makers.away = "no replica is up"
    try:
        status, said = ask(server, "GET", "/readyz", token="")
        assert (status, said) == (503, b"no replica is up\n")
        assert ask(server, "POST", "/v1/phrases", phrase(200))[0] == 503
        assert ask(server, "GET", "/livez", token="")[0] == 200
    finally:
        server.makers.away = ""
    assert b'perpetuum_pool_requests_total{endpoint="phrases",status="503"} 1.0' in ask(server, "GET", "/metrics")[1]


def test_a_player_has_so_many_requests_under_way_and_another_is_not_held_up(server):
    free = threading.Event()
    make = server.makers._maker.make
    server.makers._maker.make = lambda job, paths: (free.wait(60), make(job, paths))[1]  # type: ignore[method-assign]
    server.pool.most, most = 2, server.pool.most
    try:
        with ThreadPoolExecutor(4) as threads:
            slow = [threads.submit(ask, server, "POST", "/v1/phrases", phrase(300 + n)) for n in range(3)]
            refused = next(as_completed(slow))
            assert refused.result()[0] == 429
            assert ask(server, "GET", "/v1/models", token="another")[0] == 200
            free.set()
            assert sorted(one.result()[0] for one in slow) == [200, 200, 429]
    finally:
        free.set()
        server.makers._maker.make = make  # type: ignore[method-assign]
        server.pool.most = most


def test_the_batches_that_were_reached_can_be_read(server):
    make = server.makers.make

    async def shared(kind: str, job: bytes, paths: Mapping[str, str]) -> JobOutcome:
        return replace(await make(kind, job, paths), batch=5)

    server.makers.make = shared
    try:
        assert ask(server, "POST", "/v1/phrases", phrase(400))[0] == 200
        assert ask(server, "POST", "/v1/phrases", phrase(400))[0] == 200  # answered again, not made
    finally:
        server.makers.make = make
    metrics = ask(server, "GET", "/metrics")[1].decode()
    assert "perpetuum_pool_batch_sum 5.0\n" in metrics
    assert 'perpetuum_pool_batch_bucket{le="4.0"} 0.0\n' in metrics


def test_networks_are_held_within_a_budget_and_the_last_used_stay(tmp_path):
    files = []
    for number in range(3):
        file = tmp_path / f"{number}"
        file.write_bytes(b"x" * 1000)
        files.append(str(file))
    models = BuiltModels(9000)
    for file in files[:2]:
        models["melody_rnn", file] = lambda request: request  # type: ignore[assignment]
    assert models["melody_rnn", files[0]]
    models["melody_rnn", files[2]] = lambda request: request  # type: ignore[assignment]
    assert set(models) == {("melody_rnn", files[0]), ("melody_rnn", files[2])}
    assert models.bytes <= 9000


def test_a_rehearsal_makes_another_real_bar_each_time_and_says_when_it_cannot():
    bodies: list[bytes] = []

    class Noting(PhraseMaker):
        def make(self, job: bytes, paths: Mapping[str, str]) -> JobOutcome:
            outcome = super().make(job, paths)
            bodies.append(outcome.body)
            return outcome

    maker = Noting(1 << 20)
    rehearse = Rehearsal(maker)
    rehearse()
    rehearse()
    assert len({json.loads(body)["key"] for body in bodies}) == 2

    class Broken(PhraseMaker):
        def make(self, job: bytes, paths: Mapping[str, str]) -> JobOutcome:
            return JobOutcome(b"", "the network is broken")

    with pytest.raises(PerpetuumError, match="the network is broken"):
        Rehearsal(Broken(1 << 20))()

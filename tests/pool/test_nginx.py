"""TLS before a pool: Debian's real nginx with the shipped file, a real pool behind it, a player before it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.generators.chain import make_phrase
from engine.pool.serving import app
from engine.pool.wire.messages import LARGEST_REQUEST
from tests.health.prometheus import free_port
from tests.pool import nginx
from tests.pool.servers import PoolServer
from tests.pool.test_asking import asking, drums, hosts, job, phrase_from, until
from tests.pool.test_bounds import OTHER
from tests.test_codec import same

pytestmark = pytest.mark.skipif(not nginx.INSTALLED, reason=nginx.WHY_NOT)

TOKEN = "let-me-in"


@dataclass
class Rig:
    """A pool, the proxy before it, and certificates: the right one, and one of the same name by somebody else."""

    server: PoolServer
    proxy: nginx.Nginx
    right: Path
    wrong: Path

    def talk(self) -> ssl.SSLSocket:
        """A connection that trusts the right certificate alone."""
        context = ssl.create_default_context(cafile=str(self.right))
        plain = socket.create_connection(("127.0.0.1", self.proxy.port), timeout=nginx.PATIENCE)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def ask(self, method: str, path: str, body: bytes = b"", token: str = TOKEN, **headers: str) -> int:
        context = ssl.create_default_context(cafile=str(self.right))
        client = http.client.HTTPSConnection("127.0.0.1", self.proxy.port, timeout=nginx.PATIENCE, context=context)
        said = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        client.request(method, path, body, said | {name.replace("_", "-"): text for name, text in headers.items()})
        status = client.getresponse().status
        client.close()
        return status


@pytest.fixture(scope="module")
def rig(tmp_path_factory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("nginx")
    right, wrong = nginx.certificate(folder, "pool"), nginx.certificate(folder, "another")
    with ExitStack() as stack:
        server = stack.enter_context(PoolServer(folder / "weights", {"foyer": lambda: TOKEN}))
        # No test waits for what the shipped file has patience with.
        shorter = {"client_header_timeout 10s": "client_header_timeout 1s"}
        yield Rig(server, stack.enter_context(nginx.Nginx(folder, server.port, shorter)), right, wrong)


@pytest.fixture
def trusting(monkeypatch, tmp_path):
    """Says which certificate alone the player's system trusts."""
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    return lambda path: monkeypatch.setenv("SSL_CERT_FILE", str(path))


def test_a_player_that_trusts_the_certificate_has_phrases_made_and_its_token_is_still_wanted(rig, trusting):
    trusting(rig.right)
    with ExitStack() as stack:
        pool = asking(stack, rig.proxy.url, token=lambda: TOKEN)
        until(lambda: pool.heard_of)
        assert same(phrase_from(pool, drums(5)).phrase, make_phrase("drums_rnn", drums(5), {})[1])
        nobody = asking(stack, rig.proxy.url, token=lambda: "wrong")
        until(lambda: nobody._asker is not None and "401" in hosts(nobody)[0].reason)
        assert not nobody.takes(job(drums()))


def test_a_player_that_does_not_trust_the_certificate_asks_nothing(rig, trusting):
    trusting(rig.wrong)
    with ExitStack() as stack:
        pool = asking(stack, rig.proxy.url, token=lambda: TOKEN)
        until(lambda: pool._asker is not None and "certificate verify failed" in hosts(pool)[0].reason)
        assert not pool.takes(job(drums()))


def test_bodies_are_bounded_by_either_and_weights_pass(rig):
    made = rig.server.makers.made
    assert rig.ask("POST", "/v1/phrases", b" " * (LARGEST_REQUEST + 1)) == 413
    assert rig.server.makers.made == made
    digest = hashlib.sha256(OTHER).hexdigest()
    before = rig.server.pool.metrics.requests.labels("weights", "400")._value.get()
    assert rig.ask("PUT", f"/v1/weights/{digest}", b"", Content_Length=str(2 << 30)) == 413
    assert rig.server.pool.metrics.requests.labels("weights", "400")._value.get() == before, "the proxy refused it"
    assert rig.ask("PUT", f"/v1/weights/{digest}", OTHER) == 201
    assert rig.ask("PUT", f"/v1/weights/{digest}", OTHER, token="wrong") == 401


def test_who_says_nothing_or_half_a_head_or_half_a_body_is_let_go(rig, monkeypatch):
    monkeypatch.setattr(app, "BODY_PATIENCE", 0.5)
    with socket.create_connection(("127.0.0.1", rig.proxy.port), timeout=nginx.PATIENCE) as silent:
        assert not silent.recv(1)  # it never began to speak TLS
    head = b"POST /v1/phrases HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer let-me-in\r\n"
    for said, status in ((b"", b""), (head, b""), (head + b"Content-Type: application/json\r\n", b"408")):
        with rig.talk() as client:
            ended = b"Content-Length: 1000\r\n\r\n{" if status else b""
            client.sendall(said + ended)
            answer = b""
            with contextlib.suppress(OSError):
                while some := client.recv(1 << 16):
                    answer += some
            assert answer.split(b" ")[1:2] in ([], [b"408"]), answer
            assert status in answer


def test_where_there_is_no_pool_behind_it_the_player_is_told_and_goes_on(rig, trusting, tmp_path):
    trusting(nginx.certificate(tmp_path, "pool"))
    with ExitStack() as stack:
        proxy = stack.enter_context(nginx.Nginx(tmp_path, free_port()))
        pool = asking(stack, proxy.url)
        until(lambda: pool._asker is not None and "502" in hosts(pool)[0].reason)
        assert not pool.takes(job(drums()))

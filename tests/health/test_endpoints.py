"""The endpoints, asked over a real connection."""

import json
import socket
import urllib.error
import urllib.request

import pytest

from engine.errors import PerpetuumError
from engine.events.snapshot import FallbackLevel
from engine.health.metrics import Metrics
from engine.health.serving import Endpoints, application
from tests.health.making import SOUND, after


class Served:
    def __init__(self):
        self.snapshot, self.now = None, SOUND.monotonic
        self.metrics = Metrics("1.2.3")
        app = application(self.metrics.registry, lambda: self.snapshot, "Foyer", lambda: self.now)
        self.endpoints = Endpoints(app, "127.0.0.1", 0)

    def ask(self, path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.endpoints.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def server():
    served = Served()
    yield served
    served.endpoints.close()


@pytest.fixture
def served(server):
    server.snapshot, server.now = None, SOUND.monotonic
    return server


def test_a_keeper_that_has_said_nothing_does_not_live(served):
    assert served.ask("/livez")[0] == 503
    assert served.ask("/readyz")[0] == 503


def test_it_lives_while_the_heart_beats_and_not_when_snapshots_stop(served):
    served.snapshot = SOUND
    assert served.ask("/livez")[0] == 200
    served.now += 11
    assert served.ask("/livez")[0] == 503
    served.snapshot = after(SOUND, 11, late=("rendered",))
    status, body = served.ask("/livez")
    assert status == 503
    assert "rendered" in json.loads(body)["text"]


@pytest.mark.parametrize("intended", [{"muted": True}, {"scene": "", "stations": ()}, {"alarm": True}])
def test_it_lives_in_every_intended_state(served, intended):
    served.snapshot = after(SOUND, 0, expected=False, silent=4000.0, **intended)
    assert served.ask("/livez")[0] == 200


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"silent": 30.0}, "sound"),
        ({"lost": "the card is gone"}, "output"),
        ({"level": FallbackLevel.BANK}, "ladder"),
        ({"saved": SOUND.at - 500.0}, "state"),
        ({"alarm": True, "expected": False}, "alarm"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(served, wrong, name):
    served.snapshot = SOUND
    status, body = served.ask("/readyz")
    assert (status, json.loads(body)["ready"]) == (200, True)
    served.snapshot = after(SOUND, 0, **wrong)
    status, body = served.ask("/readyz")
    checks = json.loads(body)["checks"]
    assert status == 503
    assert [check for check, found in checks.items() if not found["ok"]] == [name]
    assert len(checks[name]["text"]) > 15


@pytest.mark.parametrize("path", ["/", "/metrics/../../etc/passwd", "/livez/x", "/%00", "/" + "x" * 5000])
def test_strange_questions_are_answered_with_an_error_and_nothing_else(served, path):
    assert served.ask(path)[0] in (400, 404, 414)


def test_only_reading_is_possible(served):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert served.ask("/metrics", method)[0] == 405


def test_garbage_and_silent_connections_disturb_nobody(served):
    address = ("127.0.0.1", served.endpoints.port)
    idle = [socket.create_connection(address) for _ in range(50)]
    idle[0].sendall(b"\x00\xff garbage\r\n\r\n")
    idle[1].sendall(b"GET /metrics HTTP/1.1\r\n")  # and never more
    served.snapshot = SOUND
    assert served.ask("/livez")[0] == 200
    for one in idle:
        one.close()


def test_a_port_that_is_taken_is_said_with_what_to_do(served):
    with pytest.raises(PerpetuumError, match=str(served.endpoints.port)):
        Endpoints(application(served.metrics.registry, lambda: None), "127.0.0.1", served.endpoints.port)

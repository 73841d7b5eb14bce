"""Control over HTTP: what is told and done, for whom, and that nobody holds it up. Server and client are real."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.errors import PerpetuumError
from engine.installation.choices.access import Address, Listening
from engine.installation.choices.secret import Secret
from engine.installation.keeper.hands.http import HttpControl


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Keeper:
    """Answers as `Telling` does."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, line: str, who: str) -> str:
        self.asked.append(line)
        if line == "quiet":
            raise PerpetuumError("it cannot")
        return json.dumps({"sentence": "all is well"}) if line == "status" else f"{line}: done"


@contextmanager
def serving(
    token: Secret | None = None, alarm: bool = True, loopback: bool = True
) -> Iterator[tuple[Keeper, int, HttpControl]]:
    keeper, port = Keeper(), free_port()
    control = HttpControl(Listening((Address("127.0.0.1", port, loopback),), token), alarm, keeper, retry=0.05)
    control.start()
    try:
        yield keeper, port, control
    finally:
        control.close()


def ask(port: int, method: str, path: str, **headers: str) -> tuple[int, dict]:
    for _ in range(200):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            client.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        except ConnectionRefusedError:
            client.close()
            pause()
            continue
        answer = client.getresponse()
        content = json.loads(answer.read())
        client.close()
        return answer.status, content
    raise AssertionError("nobody serves")


def serves(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as client:
            client.sendall(b"GET /status HTTP/1.0\r\n\r\n")
            return bool(client.recv(1))
    except OSError:
        return False


def pause() -> None:
    """The server begins in a thread of its own."""
    time.sleep(0.02)


def test_what_is_asked_is_told_and_done():
    with serving() as (keeper, port, _):
        assert ask(port, "GET", "/status") == (200, {"sentence": "all is well"})
        assert ask(port, "POST", "/alarm") == (200, {"sentence": "alarm: done"})
        assert ask(port, "POST", "/release")[0] == 200
        assert keeper.asked == ["status", "alarm", "release"]


def test_what_nobody_knows_and_what_only_looks_like_it_changes_nothing():
    with serving() as (keeper, port, _):
        assert ask(port, "GET", "/alarm")[0] == 405, "a link that is followed raises no alarm"
        assert ask(port, "POST", "/status")[0] == 405
        assert ask(port, "POST", "/")[0] == ask(port, "POST", "/alarm/../mute")[0] == ask(port, "POST", "/x")[0] == 404
        assert ask(port, "POST", "/volume")[0] == ask(port, "POST", "/mute/now")[0] == 404
        assert keeper.asked == []
        assert ask(port, "POST", "/quiet") == (409, {"error": "it cannot"})


def test_what_takes_a_value_is_told_it():
    with serving() as (keeper, port, _):
        for path in ("/volume/-6%20dB", "/scene/still_water", "/section/a%2Fb"):
            assert ask(port, "POST", path)[0] == 200
        assert keeper.asked == ["volume -6 dB", "scene still_water", "section a/b"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
    ],
)
def test_a_page_in_a_browser_of_this_machine_raises_no_alarm(headers):
    with serving() as (keeper, port, _):
        assert ask(port, "POST", "/alarm", **headers)[0] == 403
        assert ask(port, "POST", "/mute", Host="localhost")[0] == 200
        assert ask(port, "POST", "/mute", Host=f"[::1]:{port}")[0] == 200
        assert keeper.asked == ["mute", "mute"]


def test_with_a_token_nothing_is_told_or_done_without_it(tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    secret = Secret(file=str(tmp_path / "token"))
    with serving(secret, loopback=False) as (keeper, port, _):
        for given in ("", "Bearer", "Bearer wrong", "Basic s3cret", "Bearer s3cret x", "Bearer \xe9"):
            code, content = ask(port, "POST", "/alarm", Authorization=given)
            assert code == 401
            assert "s3cret" not in str(content)
        assert ask(port, "GET", "/status")[0] == 401
        assert keeper.asked == []
        assert ask(port, "POST", "/alarm", Authorization="Bearer s3cret")[0] == 200
        (tmp_path / "token").write_text("another")
        assert ask(port, "POST", "/alarm", Authorization="Bearer s3cret")[0] == 401, "it is read anew"
        (tmp_path / "token").unlink()
        assert ask(port, "POST", "/alarm", Authorization="Bearer another")[0] == 403


def test_beyond_this_machine_nothing_is_answered_without_a_token():
    with serving(loopback=False) as (keeper, port, _):
        assert ask(port, "POST", "/mute")[0] == ask(port, "GET", "/status")[0] == 403
        assert keeper.asked == []


def test_where_the_file_does_not_let_it_the_alarm_is_not_raised_and_not_released():
    with serving(alarm=False) as (keeper, port, _):
        assert ask(port, "POST", "/alarm")[0] == ask(port, "POST", "/release")[0] == 403
        assert ask(port, "POST", "/mute")[0] == 200
        assert keeper.asked == ["mute"]


def test_whoever_connects_and_says_nothing_or_nonsense_holds_nobody_up():
    with serving() as (_, port, _):
        ask(port, "GET", "/status")
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        idle[0].sendall(b"POST /alarm HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n")
        idle[1].sendall(b"\x16\x03\x01\x02\x00\x01\x00\xff" * 100)
        idle[2].sendall(b"GET /status HTTP/1.1\r\nX: " + b"a" * 20_000)
        assert ask(port, "GET", "/status")[0] == 200
        for one in idle:
            one.close()


def test_an_address_that_another_has_is_tried_again_until_it_is_free(caplog):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        control = HttpControl(Listening((Address("127.0.0.1", port, True),)), True, Keeper(), retry=0.02)
        control.start()
        for _ in range(200):
            if "it is tried again" in caplog.text:
                break
            pause()
    assert "nothing can be asked at 127.0.0.1" in caplog.text
    assert ask(port, "GET", "/status")[0] == 200
    control.close()
    assert not serves(port)

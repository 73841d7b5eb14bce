"""Messages that leave, taken by real servers: aiosmtpd, and the standard library's of HTTP."""

import http.server
import json
import logging
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from engine.health.notices.notice import Notice, NoticeKind
from engine.health.notices.outbox import MOST, Outbox, Postman
from engine.health.notices.senders import LifeSign, Mail, UndeliveredError, Webhook, identity
from tests.health.prometheus import free_port, wait_until

NOTICE = Notice(NoticeKind.BROKEN, 1_800_000_000.0, "Foyer: sound", "Foyer:\n- sound: nothing audible für 30 s")
PASSWORD = "open-sesame-3141"
RECEIVER = Path(__file__).parents[2] / "deploy" / "deadman" / "receiver.py"


class Box:
    """Takes mail."""

    def __init__(self):
        self.messages = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.messages.append((envelope.rcpt_tos, envelope.content))
        return "250 taken"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A key and a certificate for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
    words += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def mailbox(certificate):
    """(box, mail to it) of a server that wants STARTTLS and a password."""
    box = Box()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)

    def authenticate(server, session, envelope, mechanism, data):
        right = data.password.decode() == PASSWORD
        return AuthResult(success=right, handled=False)

    port = free_port()
    controller = Controller(
        box,
        hostname="localhost",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    controller.start()
    trusted = ssl.create_default_context(cafile=str(certificate[0]))
    yield (
        box,
        Mail("localhost", port, "foyer@example.org", "t@example.org", "foyer", lambda: PASSWORD, context=trusted),
    )
    controller.stop()


class Posts:
    """Takes what is posted and asked for, and answers with a status."""

    def __init__(self):
        posts = self
        self.taken, self.status = [], 200

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posts.taken.append((self.path, json.loads(body)))
                self.send_response(posts.status)
                self.end_headers()

            def do_GET(self):
                posts.taken.append((self.path, None))
                self.send_response(posts.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook/{PASSWORD}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def posts():
    found = Posts()
    yield found
    found.close()


def test_a_mail_arrives_encrypted_and_with_what_it_says(mailbox):
    from email import message_from_bytes, policy

    box, mail = mailbox
    mail.send(NOTICE)
    (to, content), *_ = box.messages
    message = message_from_bytes(content, policy=policy.default)
    assert to == ["t@example.org"]
    assert message["Subject"] == "Foyer: sound"
    assert message.get_content().splitlines() == NOTICE.text.splitlines()
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.timestamp() == NOTICE.at


def test_a_wrong_password_is_said_without_any_password(mailbox):
    box, mail = mailbox
    wrong = Mail(mail.server, mail.port, mail.sender, mail.to, "foyer", lambda: "wrong-2718", context=mail.context)
    with pytest.raises(UndeliveredError, match="refuses user or password") as raised:
        wrong.send(NOTICE)
    assert "2718" not in str(raised.value)
    assert not box.messages


def test_a_server_with_a_certificate_that_nobody_vouches_for_gets_no_password(mailbox):
    box, mail = mailbox
    with pytest.raises(UndeliveredError, match="certificate"):
        Mail(mail.server, mail.port, mail.sender, mail.to, "foyer", lambda: PASSWORD).send(NOTICE)
    assert not box.messages


def test_a_webhook_gets_the_whole_message_as_json(posts):
    Webhook(lambda: posts.address).send(NOTICE)
    ((path, body),) = posts.taken
    assert path == f"/hook/{PASSWORD}"
    said = {"kind": "broken", "at": NOTICE.at, "subject": NOTICE.subject, "text": NOTICE.text}
    assert body == {"id": identity(NOTICE), **said}


@pytest.mark.parametrize("status", [404, 500])
def test_what_a_webhook_refuses_is_undelivered_and_its_address_is_not_shown(posts, status):
    posts.status = status
    with pytest.raises(UndeliveredError, match=str(status)) as raised:
        Webhook(lambda: posts.address).send(NOTICE)
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "http://", "http://[::1", "http://127.0.0.1:1/x", "gopher://x"]
)
def test_an_address_that_is_none_is_undelivered(address):
    with pytest.raises(UndeliveredError):
        Webhook(lambda: address).send(NOTICE)


def test_messages_wait_for_the_network_and_for_the_next_start(tmp_path, posts):
    port = posts.server.server_port
    posts.close()
    hook = Webhook(lambda: posts.address)
    outbox = Outbox(tmp_path, hook)
    for number in range(3):
        outbox.put(Notice(NoticeKind.BROKEN, float(number), f"{number}", ""))
    assert outbox.send() > 0
    assert outbox.waiting == 3
    again = Outbox(tmp_path, hook)  # another process, after a power cut
    posts.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), posts.server.RequestHandlerClass)
    threading.Thread(target=posts.server.serve_forever, daemon=True).start()
    assert again.send() is None
    assert [body["subject"] for _, body in posts.taken] == ["0", "1", "2"]
    assert again.waiting == 0


def test_what_a_power_cut_left_of_a_message_holds_up_nothing(tmp_path, posts):
    outbox = Outbox(tmp_path, Webhook(lambda: posts.address))
    outbox.put(NOTICE)
    (folder,) = tmp_path.iterdir()
    (folder / "0.json").write_bytes(b"\x00\xff{")
    (folder / "1.json.part").write_bytes(b"half")
    assert outbox.send() is None
    assert len(posts.taken) == 1


def test_a_disk_that_takes_nothing_loses_no_message(tmp_path, posts):
    (tmp_path / "file").write_text("in the way")
    outbox = Outbox(tmp_path / "file", Webhook(lambda: posts.address))
    outbox.put(NOTICE)
    assert outbox.waiting == 1
    assert outbox.send() is None
    assert len(posts.taken) == 1


def test_what_has_left_and_cannot_be_deleted_is_not_sent_again(tmp_path, posts, monkeypatch):
    outbox = Outbox(tmp_path, Webhook(lambda: posts.address))
    outbox.put(NOTICE)

    def refuse(self, missing_ok=False):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    for _ in range(3):
        assert outbox.send() is None
    assert len(posts.taken) == 1


def test_a_fifo_or_a_folder_among_the_messages_holds_up_nothing(tmp_path, posts):
    outbox = Outbox(tmp_path, Webhook(lambda: posts.address))
    outbox.put(NOTICE)
    (folder,) = tmp_path.iterdir()
    os.mkfifo(folder / "0.json")
    (folder / "1.json").mkdir()
    assert outbox.send() is None
    assert len(posts.taken) == 1
    assert outbox.waiting == 0


def test_messages_that_wait_are_bounded(tmp_path):
    outbox = Outbox(tmp_path, Webhook(lambda: "http://127.0.0.1:1/"))
    for number in range(MOST + 20):
        outbox.put(Notice(NoticeKind.BROKEN, float(number), f"{number}", ""))
    assert outbox.waiting == MOST


def test_a_message_leaves_at_once_and_signs_of_life_stop_when_it_does_not_live(tmp_path, posts, caplog):
    alive = True
    caplog.set_level(logging.DEBUG)
    outbox = Outbox(tmp_path, Webhook(lambda: posts.address))
    ping = LifeSign(lambda: posts.address.replace("hook", "alive"))
    postman = Postman([outbox], ping, every=0.1, alive=lambda: alive)
    assert wait_until(lambda: len([one for one, _ in posts.taken if one.startswith("/alive/")]) > 2, 10)
    postman.post(NOTICE)
    assert wait_until(lambda: any(one.startswith("/hook/") for one, _ in posts.taken), 10)
    alive = False
    time.sleep(0.3)
    before = len(posts.taken)
    time.sleep(0.5)
    assert len(posts.taken) == before
    postman.close()
    assert PASSWORD not in caplog.text


def test_the_receiver_of_signs_of_life_tells_once_that_one_is_gone_and_once_that_it_is_back(tmp_path):
    """Its command fails at first, as a server of mail does; one that never asked is missed as well."""
    port, told, works = free_port(), tmp_path / "told", tmp_path / "works"
    script = f"import pathlib, sys; pathlib.Path({str(works)!r}).exists() or sys.exit(1);"
    script += f"open({str(told)!r}, 'a').write(sys.stdin.read())"
    words = [sys.executable, str(RECEIVER), "--port", str(port), "--after", "1", "--expect", "tower", "--"]
    process = subprocess.Popen([*words, sys.executable, "-S", "-c", script], stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}/"
        sign = lambda: urllib.request.urlopen(address + "foyer", timeout=5).status == 200  # noqa: E731
        assert wait_until(sign, 20)
        time.sleep(1.2)  # the command is run, and fails
        assert process.poll() is None
        works.touch()
        assert wait_until(
            lambda: told.exists() and set(told.read_text().split("\n")) >= {"foyer gone", "tower gone"}, 20
        )
        # One may come as Alertmanager tells of its `Watchdog`, whatever it says besides.
        for data in (b'{"alerts": []}' * 1000, b""):
            with urllib.request.urlopen(urllib.request.Request(address + "foyer", data), timeout=5) as answer:
                assert answer.status == 200
        assert wait_until(lambda: told.read_text().endswith("foyer again\n"), 20)
        assert sorted(told.read_text().split("\n")[:3]) == ["foyer again", "foyer gone", "tower gone"]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()

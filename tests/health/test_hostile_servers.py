"""Mail, webhook and sign of life against servers that hang, drip, refuse, lead elsewhere, or die after they took it."""

import logging
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from engine.health.notices import outbox as outboxes
from engine.health.notices import senders
from engine.health.notices.notice import Notice, NoticeKind
from engine.health.notices.outbox import LONGEST_RETRY, Outbox, Postman
from engine.health.notices.senders import LifeSign, Mail, Sender, UndeliveredError, Webhook
from engine.installation.choices.notices import MailChoice, NoticeChoices
from engine.installation.recorder.watching import _senders
from tests.health.prometheus import wait_until
from tests.health.test_notices import NOTICE, PASSWORD, certificate, posts  # noqa: F401 - fixtures


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(senders, "TIMEOUT", 0.4)
    monkeypatch.setattr(senders, "LONGEST", 0.8)


@contextmanager
def serving(*scripts):
    """A port at which each connection is met by the next script, and the last one by all that follow."""
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def met(connection, script):
        with suppress(OSError), connection:
            script(connection, over)

    def serve():
        number = 0
        with suppress(OSError):
            while True:
                connection = server.accept()[0]
                script = scripts[min(number, len(scripts) - 1)]
                threading.Thread(target=met, args=(connection, script), daemon=True).start()
                number += 1

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    over.set()
    server.close()


def hangs(connection, over):
    over.wait(10)


def hangs_up(connection, over):
    pass


def drips(connection, over):
    """A byte now and then, without an end: no single wait is long."""
    while not over.wait(0.05):
        connection.sendall(b"2")


def talks_nonsense(connection, over):
    connection.recv(100)
    connection.sendall(b"\x00\xff" * 50 + b"\r\n\r\n")


class Smtpd:
    """A server of mail that answers as it is told.

    Args:
        answers: to commands by their first word, in place of 250; `None` hangs up, "" never answers.
    """

    def __init__(self, **answers):
        self.answers = {"HELLO": "220 here", "DATA": "354 go on", "QUIT": "221 bye", **answers}
        self.taken, self.greylisted = [], []

    def __call__(self, connection, over):
        file = connection.makefile("rb")
        if not self.say(connection, over, "HELLO"):
            return
        while line := file.readline():
            asked = line.decode().strip().upper()
            word = asked.partition(" ")[0]
            if asked in self.greylisted:
                self.greylisted.remove(asked)
                connection.sendall(b"450 greylisted\r\n")
                continue
            if not self.say(connection, over, word):
                return
            if word == "DATA" and self.answers["DATA"].startswith("354"):
                text = b"".join(iter(file.readline, b".\r\n"))
                self.taken.append(text.decode())
                if not self.say(connection, over, "END"):
                    return

    def say(self, connection, over, word):
        answer = self.answers.get(word, "250 fine")
        if answer == "":
            over.wait(10)
        if not answer:
            return False
        connection.sendall(answer.encode() + b"\r\n")
        return True


def mail(port, **more):
    return Mail("127.0.0.1", port, "foyer@example.org", "t@example.org", encryption="none", **more)


def hook(port):
    return Webhook(lambda: f"http://127.0.0.1:{port}/{PASSWORD}")


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (hangs_up, "Disconnected"),
        (talks_nonsense, "mail to"),
        (Smtpd(HELLO="421 too busy"), "421"),
        (Smtpd(MAIL="550 not you"), "550"),
        (Smtpd(RCPT="450 4.2.0 greylisted, come back in 300 s"), "greylisted"),
        (Smtpd(DATA="452 the disk is full"), "452"),
        (Smtpd(END="451 try again"), "451"),
        (Smtpd(END=None), "Disconnected"),
    ],
)
def test_whatever_a_server_of_mail_answers_it_is_undelivered(server, words):
    with serving(server) as port, pytest.raises(UndeliveredError, match=words):
        mail(port).send(NOTICE)


@pytest.mark.parametrize(
    ("server", "way"),
    [
        (hangs, mail),
        (drips, mail),
        (Smtpd(EHLO="", HELO=""), mail),
        (Smtpd(END=""), mail),
        (hangs, hook),
        (drips, hook),
    ],
)
def test_a_server_that_never_comes_to_an_end_is_undelivered_soon(server, way, impatient):
    began = time.monotonic()
    with serving(server) as port, pytest.raises(UndeliveredError):
        way(port).send(NOTICE)
    assert time.monotonic() - began < 15, "and not after the 20 s of one answer, or the 60 s of a connection"


@pytest.mark.parametrize("goodbye", [None, "421 I am going down", "500 what?"])
def test_what_a_server_has_taken_is_sent_however_it_says_good_bye(tmp_path, goodbye):
    server = Smtpd(QUIT=goodbye)
    with serving(server) as port:
        outbox = Outbox(tmp_path, mail(port))
        outbox.put(NOTICE)
        assert outbox.send() is None
    assert (len(server.taken), outbox.waiting) == (1, 0)


def test_what_a_server_has_taken_is_sent_though_it_never_says_good_bye(impatient):
    server = Smtpd(QUIT="")
    with serving(server) as port:
        mail(port).send(NOTICE)
    assert len(server.taken) == 1


def test_a_server_that_took_it_and_died_gets_the_same_message_so_that_whoever_has_both_can_tell(tmp_path):
    dies, lives = Smtpd(END=None), Smtpd()
    with serving(dies, lives) as port:
        outbox = Outbox(tmp_path, mail(port))
        outbox.put(NOTICE)
        assert outbox.send() > 0
        assert outbox.send() is None
    numbers = {line for text in dies.taken + lives.taken for line in text.splitlines() if line.startswith("Message-ID")}
    assert (len(dies.taken), len(lives.taken), len(numbers)) == (1, 1, 1)


def test_of_two_who_are_told_the_one_whom_the_server_greylists_gets_it_later_and_the_other_once(tmp_path):
    server = Smtpd()
    server.greylisted = ["RCPT TO:<B@EXAMPLE.ORG>"]
    with serving(server) as port:
        choice = MailChoice("127.0.0.1", port, "f@example.org", ("a@example.org", "b@example.org"))
        boxes = [Outbox(tmp_path, Unencrypted(one)) for one in _senders(NoticeChoices(choice))]
        for box in boxes:
            box.put(NOTICE)
        assert [box.send() is None for box in boxes] == [True, False]
        assert [box.send() is None for box in boxes] == [True, True]
    told = [next(line for line in text.splitlines() if line.startswith("To:")) for text in server.taken]
    assert told == ["To: a@example.org", "To: b@example.org"]


class Unencrypted(Sender):
    """The same mail without encryption, which the server of this test does not speak."""

    def __init__(self, mail):
        self.mail = Mail(mail.server, mail.port, mail.sender, mail.to, encryption="none")

    @property
    def name(self):
        return self.mail.name

    def send(self, notice):
        self.mail.send(notice)


def test_messages_that_wait_leave_by_the_server_that_the_file_names_after_it_was_mended(tmp_path, posts):  # noqa: F811
    outbox = Outbox(tmp_path, mail(1))
    outbox.put(NOTICE)
    assert outbox.send() > 0
    server = Smtpd()
    with serving(server) as port:
        assert Outbox(tmp_path, mail(port)).send() is None
    assert len(server.taken) == 1


def test_a_password_that_mail_cannot_carry_is_told_without_a_letter_of_it():
    server = Smtpd(EHLO="250-here\r\n250 AUTH PLAIN LOGIN")
    with serving(server) as port, pytest.raises(UndeliveredError, match="plain ASCII") as raised:
        mail(port, user="foyer", password=lambda: "geheim\u00fc").send(NOTICE)
    assert "\u00fc" not in str(raised.value)
    assert "xfc" not in str(raised.value)


def test_what_a_server_repeats_of_a_password_stands_in_no_message():
    told = Smtpd(EHLO="250-here\r\n250 AUTH PLAIN LOGIN", AUTH="235 in", MAIL=f"550 {PASSWORD} has no rights")
    with serving(told) as port, pytest.raises(UndeliveredError, match="550") as raised:
        mail(port, user="foyer", password=lambda: PASSWORD).send(NOTICE)
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize("server", [hangs_up, talks_nonsense])
def test_whatever_a_server_of_the_web_answers_it_is_undelivered_and_no_address_is_shown(server):
    with serving(server) as port, pytest.raises(UndeliveredError) as raised:
        hook(port).send(NOTICE)
    assert PASSWORD not in str(raised.value)


def test_a_webhook_whose_certificate_nobody_vouches_for_gets_nothing(certificate):  # noqa: F811
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    taken = []

    def secret(connection, over):
        with context.wrap_socket(connection, server_side=True) as wrapped:
            taken.append(wrapped.recv(4096))

    with serving(secret) as port, pytest.raises(UndeliveredError, match="certificate"):
        Webhook(lambda: f"https://localhost:{port}/{PASSWORD}").send(NOTICE)
    assert taken == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_message_that_is_led_elsewhere_has_not_arrived(posts, status):  # noqa: F811
    place = f"Location: {posts.address.replace('hook', 'elsewhere')}"
    answer = f"HTTP/1.1 {status} Elsewhere\r\n{place}\r\nContent-Length: 0\r\n\r\n".encode()

    def leads(connection, over):
        connection.recv(4096)
        connection.sendall(answer)

    with serving(leads) as port:
        with pytest.raises(UndeliveredError, match=f"{status}, which leads elsewhere"):
            Webhook(lambda: f"http://127.0.0.1:{port}/").send(NOTICE)
        with pytest.raises(UndeliveredError, match=str(status)):
            LifeSign(lambda: f"http://127.0.0.1:{port}/").send()
    assert posts.taken == []


@pytest.mark.parametrize(
    "address", [f"http://127.0.0.1:9/a b/{PASSWORD}", f"http://127.0.0.1:{PASSWORD}/", f"http://u:{PASSWORD}@h/"]
)
def test_an_address_that_is_none_is_in_no_log(tmp_path, caplog, address):
    caplog.set_level(logging.DEBUG)
    outbox = Outbox(tmp_path, Webhook(lambda: address))
    outbox.put(NOTICE)
    assert outbox.send() > 0
    assert PASSWORD not in caplog.text


def test_a_name_that_nobody_knows_is_undelivered(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for way in (mail(25), Webhook(lambda: "http://hooks.example.org/x")):
        with pytest.raises(UndeliveredError, match="name resolution"):
            way.send(NOTICE)


def test_one_way_that_hangs_holds_up_neither_the_others_nor_the_sign_of_life(tmp_path, posts):  # noqa: F811
    with serving(hangs) as port:
        ways = [Outbox(tmp_path, mail(port)), Outbox(tmp_path, Webhook(lambda: posts.address))]
        postman = Postman(ways, LifeSign(lambda: posts.address.replace("hook", "alive")), every=0.1)
        postman.post(NOTICE)
        assert wait_until(lambda: any(body for _, body in posts.taken), 5)
        before = len(posts.taken)
        assert wait_until(lambda: len(posts.taken) > before + 2, 5)
        postman.close(0.1)
    assert ways[0].waiting == 1


class Cut(Sender):
    """A network that is cut, and what got through."""

    def __init__(self):
        self.cut, self.taken = True, []

    @property
    def name(self):
        return "a way"

    def send(self, notice):
        if self.cut:
            raise UndeliveredError("cut")
        self.taken.append(notice)


def test_after_ten_minutes_without_a_network_a_message_leaves_within_two_and_once(tmp_path):
    way = Cut()
    outbox, second = Outbox(tmp_path, way), 0.0
    outbox.put(NOTICE)
    while (wait := outbox.send()) is not None:
        second += wait
        way.cut = second < 600
    assert second - 600 <= LONGEST_RETRY == 120
    assert outbox.send() is None
    assert way.taken == [NOTICE]


def test_the_sign_of_life_that_gets_through_again_takes_the_messages_with_it(tmp_path):
    way = Cut()
    postman = Postman([Outbox(tmp_path, way)], PingOf(way), every=0.05)
    postman.post(NOTICE)
    time.sleep(0.2)
    way.cut = False
    assert wait_until(lambda: way.taken == [NOTICE], 3), "and not after five seconds"
    postman.close()


class PingOf:
    def __init__(self, way):
        self.way = way

    def send(self):
        if self.way.cut:
            raise UndeliveredError("cut")


def test_a_full_disk_that_has_room_again_keeps_what_waits_through_a_restart(tmp_path, monkeypatch):
    way, written = Cut(), outboxes.write_bytes

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outboxes, "write_bytes", full)
    outbox = Outbox(tmp_path, way)
    outbox.put(NOTICE)
    outbox.put(Notice(NoticeKind.RECOVERED, 5.0, "again", ""))
    assert outbox.send() > 0
    assert Outbox(tmp_path, way).waiting == 0
    monkeypatch.setattr(outboxes, "write_bytes", written)
    assert outbox.send() > 0
    way.cut = False
    assert Outbox(tmp_path, way).send() is None
    assert [one.kind for one in way.taken] == [NoticeKind.BROKEN, NoticeKind.RECOVERED]


def test_one_that_was_told_to_stop_and_its_successor_do_not_send_the_same(tmp_path):
    class Slow(Cut):
        def send(self, notice):
            assert Outbox(tmp_path, other).send() > 0, "it is being sent"
            super().send(notice)

    other = Cut()
    slow = Slow()
    other.cut = slow.cut = False
    first = Outbox(tmp_path, slow)
    first.put(NOTICE)
    assert first.send() is None
    assert (slow.taken, other.taken) == ([NOTICE], [])
    assert Outbox(tmp_path, other).send() is None
    assert other.taken == []

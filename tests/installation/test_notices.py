"""`notices` of an installation file: what is right, what is wrong and where, and that no secret is ever shown."""

import pytest

from engine.installation.choices.notices import Encryption, MailChoice, NoticeChoices
from engine.installation.choices.secret import Secret
from engine.scenes.text.problems import Severity

MAIL = "to: t@example.org, sender: f@example.org, server: mail.example.org"
SECRET = "https://hooks.example.org/3141592653"


@pytest.fixture(autouse=True)
def there(monkeypatch):
    monkeypatch.setenv("HOOK", SECRET)
    monkeypatch.setenv("PASSWORD", "open-sesame")


def test_all_of_it_is_read(right):
    found = right(
        "notices:\n"
        "  mail: {to: [t@example.org, c@example.org], sender: f@example.org, server: 'mail.example.org:2525',"
        " encryption: tls, user: foyer, password: {env: PASSWORD}}\n"
        "  webhook: {env: HOOK}\n  ping: {env: HOOK}\n  every: 2 min\n  weekly: false\n"
    ).notices
    password = Secret(env="PASSWORD")
    to = ("t@example.org", "c@example.org")
    mail = MailChoice("mail.example.org", 2525, "f@example.org", to, "foyer", password, Encryption.TLS)
    assert found == NoticeChoices(mail, Secret(env="HOOK"), Secret(env="HOOK"), 120.0, False)


@pytest.mark.parametrize(("encryption", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_a_server_without_a_port_has_the_usual_one(right, encryption, port):
    assert right(f"notices: {{mail: {{{MAIL}, encryption: {encryption}}}}}\n").notices.mail.port == port


def test_without_a_word_nobody_is_told(right):
    assert not right("").notices.any


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        (f"{{mail: {{{MAIL.replace('t@example.org', 'nobody')}}}}}", "no address of mail", "technician@example.org"),
        (f"{{mail: {{{MAIL.replace('f@example.org', '[]')}}}}}", "no address of mail", "technician@example.org"),
        (f"{{mail: {{{MAIL.replace('mail.example.org', 'a b')}}}}}", "is no server", "mail.example.org:587"),
        (f"{{mail: {{{MAIL.replace('mail.example.org', 'm.example.org:70000')}}}}}", "out of range", ""),
        (f"{{mail: {{{MAIL}, user: foyer}}}}", "no `password`", "both, or neither"),
        (f"{{mail: {{{MAIL}, password: {{env: PASSWORD}}}}}}", "no `user`", "both, or neither"),
        ("{mail: {to: t@example.org, sender: f@example.org}}", "`server`", ""),
        ("{every: 1 s}", "out of range", "5 s"),
        ("{mail: 5}", "mail", ""),
        ("{webhok: {env: HOOK}}", "unknown key", ""),
        ("7", "notices", ""),
    ],
)
def test_what_is_wrong_is_said(wrong, text, message, expected):
    error, _ = wrong(f"notices: {text}\n")
    assert message in error.text()
    assert expected in error.text()


@pytest.mark.parametrize(
    "text",
    [
        f"{{webhook: '{SECRET}'}}",
        f"{{ping: '{SECRET}'}}",
        f"{{webhok: '{SECRET}'}}",
        f"{{mail: {{{MAIL}, user: foyer, password: '{SECRET}'}}}}",
        f"{{mail: '{SECRET}'}}",
        f"{{mail: {{{MAIL}, user: foyer, pasword: '{SECRET}'}}}}",
        f"'{SECRET}'",
        f"[{{webhook: '{SECRET}'}}]",
    ],
)
def test_a_secret_that_stands_in_the_file_by_mistake_is_refused_and_not_shown(read, text):
    found, diagnostics = read(f"notices: {text}\n")
    assert found is None
    said = "\n".join(one.text() for one in diagnostics)
    assert "error" in said
    assert "3141592653" not in said


def test_a_password_that_anybody_can_read_on_its_way_gets_a_warning(read):
    text = f"notices: {{mail: {{{MAIL}, encryption: none, user: f, password: {{env: PASSWORD}}}}}}\n"
    found, diagnostics = read(text)
    assert found is not None
    assert [one.severity for one in diagnostics] == [Severity.WARNING]
    assert "on its way" in diagnostics[0].text()


def test_a_secret_that_is_not_there_yet_gets_a_warning(read, monkeypatch):
    monkeypatch.delenv("HOOK")
    found, diagnostics = read("notices: {webhook: {env: HOOK}}\n")
    assert found is not None
    assert "nobody is told by it" in diagnostics[0].text()


def test_health_and_control_do_not_share_an_address(wrong):
    error, _ = wrong("listen: {health: '127.0.0.1:8470', control: '127.0.0.1:8470'}\n")
    assert "stands under `control`, too" in error.text()

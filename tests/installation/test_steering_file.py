"""`mqtt` of an installation file: what is right, what is wrong and where, and that no secret is ever shown."""

import pytest

from engine.installation.choices.secret import Secret
from engine.installation.choices.steering import WITHOUT_HARM, SteeringChoice, SteeringRight
from engine.scenes.text.problems import Severity

PASSWORD = "open-sesame"


@pytest.fixture(autouse=True)
def there(monkeypatch):
    monkeypatch.setenv("PASSWORD", PASSWORD)


def test_all_of_it_is_read(right):
    found = right(
        "mqtt: {broker: 'localhost:1884', tls: false, name: foyer, prefix: museum/sound, user: left,"
        " password: {env: PASSWORD}, allow: [mute, push_scenes, mute]}\n"
    ).steering
    rights = (SteeringRight.MUTE, SteeringRight.PUSH_SCENES)
    secret = Secret(env="PASSWORD")
    assert found == SteeringChoice("localhost", 1884, "foyer", "museum/sound", "left", secret, False, "", rights)


def test_what_is_not_said_is_the_safe_thing(right):
    """The file is called `here`: so are player and user; all is encrypted, and nothing that stays may be asked."""
    found = right("mqtt: {broker: broker.example.org, password: {env: PASSWORD}}\n").steering
    assert found == SteeringChoice(
        "broker.example.org", 8883, "here", "perpetuum", "here", Secret(env="PASSWORD"), True, "", WITHOUT_HARM
    )
    assert not {SteeringRight.ALARM, SteeringRight.PUSH_SCENES, SteeringRight.PUSH_INSTALLATION} & set(WITHOUT_HARM)
    assert right("").steering is None
    assert right("mqtt: {broker: localhost, allow: []}\n").steering.rights == ()


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        ("{name: foyer}", "`broker`", ""),
        ("{broker: 'a b'}", "is no server", "broker.example.org:8883"),
        ("{broker: 'b.example.org:0'}", "out of range", ""),
        ("{broker: localhost, name: a/b}", "cannot be the name of a player", "name: foyer"),
        ("{broker: localhost, name: '+'}", "cannot be the name of a player", "name: foyer"),
        ("{broker: localhost, prefix: 'a/#'}", "prefix", ""),
        ("{broker: localhost, prefix: $SYS}", "prefix", ""),
        ("{broker: localhost, user: left}", "no `password`", "both, or neither"),
        ("{broker: localhost, allow: [mute, scenes]}", "`scenes` is nothing that could be allowed", "`scene`"),
        ("{broker: localhost, allow: [[]]}", "nothing that could be allowed", "`mute`"),
        ("{broker: localhost, tls: false, ca: ca.crt}", "`ca` is for `tls: true`", ""),
        ("{broker: localhost, brokr: 1}", "unknown key", "broker"),
        ("{broker: localhost, password: {env: PASSWORD, file: x}}", "must say one place", ""),
        ("7", "mqtt", ""),
    ],
)
def test_what_is_wrong_is_said(wrong, text, message, expected):
    error, line = wrong(f"mqtt: {text}\n")
    assert line == 1
    assert message in error.text()
    assert expected in error.text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{broker: b.example.org, tls: false, password: {env: PASSWORD}}", "can read all of this"),
        ("{broker: b.example.org}", "anybody may command"),
        ("{broker: b.example.org, password: {env: NOBODY_SAID}}", "nobody reaches it from afar"),
        ("{broker: b.example.org, password: {env: PASSWORD}, ca: nowhere.crt}", "certificates of `ca` cannot be read"),
    ],
)
def test_what_is_doubtful_is_said_and_stops_nothing(read, text, message):
    found, diagnostics = read(f"mqtt: {text}\n")
    assert found is not None
    assert [one.severity for one in diagnostics] == [Severity.WARNING]
    assert message in diagnostics[0].text()


@pytest.mark.parametrize(
    "text",
    [
        f"{{broker: localhost, password: {PASSWORD}}}",
        f"{{broker: localhost, passwrd: {PASSWORD}}}",
        f"{{broker: localhost, password: [{PASSWORD}]}}",
        f"{{broker: localhost, password: {{env: {PASSWORD}}}}}",
    ],
)
def test_a_password_that_stands_in_the_file_is_shown_by_no_message(read, text):
    found, diagnostics = read(f"mqtt: {text}\n")
    assert found is None
    assert PASSWORD not in "".join(one.text() for one in diagnostics)

"""`perpetuum fleet` from a laptop: what players say by mosquitto's own client is told, and what is asked is done."""

import json
import time

import pytest
from click.testing import CliRunner

from engine.cli import cli
from engine.cli.installation.fleet import asked_lines
from engine.errors import PerpetuumError
from engine.fleet.broker import Broker
from engine.fleet.desk import Asked, FleetDesk
from engine.fleet.messages import VERSION, CommandAnswer, FoundProblem, Outcome
from tests.fleet.mosquitto import PASSWORDS
from tests.fleet.player import until_state
from tests.health.prometheus import free_port
from tests.installation.making import SMALL

pytestmark = pytest.mark.xdist_group("broker")

WAITED = FleetDesk._next


@pytest.fixture
def fleet(broker, monkeypatch):
    """Runs `perpetuum fleet`: exit code, standard output and error together."""

    def run(*words, user="technician", port=broker.port, password=None):
        monkeypatch.setenv("PERPETUUM_FLEET_PASSWORD", password or PASSWORDS[user])
        options = ["--broker", f"localhost:{port}", "--user", user, "--ca", str(broker.ca)]
        result = CliRunner().invoke(cli, ["fleet", *options, *words])
        if isinstance(result.exception, PerpetuumError):  # as `main` does
            return 2, str(result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return run


STATE = {
    "version": 1,
    "name": "tower",
    "title": "Tower",
    "engine": "0.9.0",
    "ok": True,
    "sentence": "MUSIC PLAYS: drift. Nothing needs to be done.",
    "scene": "drift",
    "section": "storm",
}


@pytest.fixture
def tower(broker):
    """Says something as the player `tower`, by mosquitto_pub; forgotten at the end."""

    def say(**more):
        state = {**STATE, "at": time.time(), **more}
        broker.publish("perpetuum/tower/presence", {"version": 1, "online": True}, "tower", "-r")
        broker.publish("perpetuum/tower/state", state, "tower", "-r")

    yield say
    for what in ("presence", "state"):
        broker.publish(f"perpetuum/tower/{what}", b"", "tower", "-r")


def test_how_all_are_is_said_in_words_and_the_exit_code_is_0_where_all_is_well(broker, player, fleet, tower):
    until_state(broker, lambda one: one["ok"])
    tower(temperature=51.3, last_sound=time.time() - 3.0)
    code, said = fleet("status")
    lines = said.splitlines()
    assert code == 0, said
    assert lines[0].split()[:2] == ["player", "version"]
    row = next(line for line in lines if " tower " in line)
    assert row.split() == ["ok", "tower", "0.9.0", "drift,", "storm", "all", "3", "s", "ago", "51", "C"]
    assert "     MUSIC PLAYS: drift. Nothing needs to be done." in lines
    assert any(line.split()[:2] == ["ok", "foyer"] for line in lines)
    code, said = fleet("status", "tower", "--format", "json")
    (one,) = json.loads(said)
    assert (code, one["name"], one["online"], one["well"], one["state"]["section"]) == (0, "tower", True, True, "storm")


@pytest.mark.parametrize(
    ("say", "mark", "words"),
    [
        ({"ok": False, "wrong": ["output: the card is gone"], "rung": "unheard"}, "BAD", "output: the card is gone"),
        ({"at": time.time() - 7200}, "BAD", "said 2 h ago, by its own clock"),
        ({"volume": -6.0, "muted": True}, "ok", "muted, -6 dB by hand"),
        ({"version": 2}, "BAD", "version 2 is not spoken here"),
        ({"sentence": "\x1b[2Jgone\x07"}, "ok", "[2Jgone"),
        ({"wrong": 3}, "BAD", "cannot be read here"),
    ],
)
def test_what_is_wrong_with_one_is_said_in_words(fleet, tower, say, mark, words):
    tower(**say)
    code, said = fleet("status", "tower")
    assert (code, said.splitlines()[1].split()[0]) == (0 if mark == "ok" else 1, mark)
    assert words in said
    assert "\x1b" not in said
    assert "\x07" not in said


def test_who_is_offline_is_said_with_how_it_was(broker, fleet, tower):
    tower(at=time.time() - 600)
    will = {"version": 1, "online": False, "why": "it was stopped"}
    broker.publish("perpetuum/tower/presence", will, "tower", "-r")
    code, said = fleet("status", "tower")
    assert (code, said.splitlines()[1].split()[0]) == (1, "OFF")
    assert "OFFLINE: it was stopped; it may well play" in said
    assert "10 min ago: MUSIC PLAYS" in said


def test_who_is_not_known_is_said(fleet):
    assert fleet("status", "nobody") == (
        1,
        "the broker knows no players yet\nnobody: the broker knows no player of this name\n",
    )


def test_a_command_is_done_and_its_answer_said(player, fleet):
    before = len(player.asked)
    code, said = fleet("command", "foyer", "mute")
    assert (code, said) == (0, "foyer: done: mute: done\n")
    ((line, who),) = player.asked[before:]
    assert line == "mute"
    assert who.startswith("mqtt:")
    code, said = fleet("command", "foyer", "section", "x", "--format", "json")
    assert (code, json.loads(said)[0]["answer"]["outcome"]) == (1, "refused")


def test_whoever_may_not_command_is_told_so_by_the_broker(player, fleet):
    before = len(player.asked)
    code, said = fleet("command", "foyer", "mute", user="tower")
    assert (code, said) == (1, "foyer: refused: the broker does not pass it on: tower may not command it\n")
    assert player.asked[before:] == []


def test_a_name_that_nobody_has_is_told_and_not_waited_for(fleet):
    code, said = fleet("command", "nobody", "mute", "--timeout", "60")
    assert code == 3
    assert "nobody: NO ANSWER: no player of this name has ever come to" in said


def test_a_player_that_is_away_is_waited_for_no_longer_than_is_said_and_does_nothing_later(broker, player, fleet):
    player.close()
    before = len(player.asked)
    try:
        code, said = fleet("command", "foyer", "mute", "--timeout", "5")
        assert (code, said) == (3, "foyer: NO ANSWER: no answer within 5 s; it is not done later\n")
    finally:
        player.start()
    assert fleet("command", "foyer", "unmute", "--timeout", "60")[0] == 0
    assert [line for line, _ in player.asked[before:]] == ["unmute"]


@pytest.mark.parametrize("seconds", ["2", "2.9", "30"])
def test_a_broker_has_forgotten_a_command_when_it_is_given_up(fleet, seconds, monkeypatch):
    """Brokers count whole seconds, at least one, and may pass a message on for one more."""
    lives = []
    monkeypatch.setattr(FleetDesk, "_next", lambda self, until: None if lives else WAITED(self, until))
    monkeypatch.setattr(Broker, "publish", lambda self, *_, expires, **__: lives.append(max(1, int(expires))))
    assert fleet("command", "foyer", "mute", "--timeout", seconds)[0] == 3
    assert lives[0] + 1 <= float(seconds)


def test_a_command_that_would_be_given_up_before_a_broker_can_is_not_asked(fleet, monkeypatch):
    monkeypatch.setattr(Broker, "publish", lambda *_, **__: pytest.fail("it was asked"))
    code, said = fleet("command", "foyer", "mute", "--timeout", "1.9")
    assert (code, "--timeout 10" in said) == (2, True)


def test_a_file_goes_to_the_player_that_judges_it(player, fleet, tmp_path):
    """What it finds in one is told by the broker's own client in test_steering.py."""
    path = tmp_path / "tides.yaml"
    path.write_text(SMALL)
    code, said = fleet("push", "foyer", str(path))
    assert (code, said.partition("tides.yaml")[0]) == (1, "foyer: refused: /scenes/")
    code, said = fleet("push", "foyer", str(path), "--scene", "not a name")
    assert (code, "this is no SteeringCommand" in said) == (1, True)


def test_what_is_wrong_with_a_file_is_printed_with_its_places():
    found = (FoundProblem("/etc/x.yaml", 6, 2, True, "/etc/x.yaml:6:2: error: no bear\n   | 8 bear"),)
    answer = CommandAnswer(VERSION, "test-000000", Outcome.REFUSED, "x.yaml stays as it is", found, 3)
    assert asked_lines(Asked("foyer", answer)) == [
        "foyer: refused: x.yaml stays as it is",
        "/etc/x.yaml:6:2: error: no bear",
        "   | 8 bear",
        "... and 3 more",
    ]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("push", "foyer", "nowhere.yaml"), "cannot read nowhere.yaml"),
        (("push", "foyer", "/dev/zero"), "it is a device"),
        (("command", "a/b", "mute"), "can be no player's name"),
        (("command", " , ", "mute"), "no player is named"),
    ],
)
def test_what_makes_no_sense_is_said_before_anybody_is_asked(fleet, words, why):
    code, said = fleet(*words)
    assert code == 2
    assert why in said


def test_a_broker_that_is_not_there_and_one_that_lets_nobody_in_are_told_apart(fleet):
    code, said = fleet("status", port=free_port())
    assert code == 2
    assert "cannot be reached" in said
    code, said = fleet("status", password="wrong")
    assert code == 2
    assert "refuses: Not authorized" in said

"""A player that is steered over a real broker: mosquitto's own clients ask, and say what they hear."""

import os
import signal

import pytest

from engine.events.snapshot import FallbackLevel
from engine.fleet.broker import Broker, BrokerAddress
from tests.fleet.mosquitto import PASSWORDS, PATIENCE, heard
from tests.fleet.player import RIGHTS, command, until_state
from tests.health.prometheus import wait_until
from tests.installation.making import SMALL

pytestmark = pytest.mark.xdist_group("broker")


def test_a_broker_knows_that_it_is_there_and_how_it_is(broker, player):
    assert broker.retained("perpetuum/foyer/presence") == {"version": 1, "online": True, "why": ""}
    said = until_state(broker, lambda one: one["ok"])
    assert (said["version"], said["name"], said["title"], said["scene"]) == (1, "foyer", "Here", "still_water")
    assert said["sentence"] == "MUSIC PLAYS: still water. Nothing needs to be done."
    assert abs(said["last_sound"] - said["at"]) < 1.0
    assert said["may"] == list(RIGHTS)
    player.like = {"section": "storm", "level": FallbackLevel.RULES, "volume": -6.0, "lost": "the card is gone"}
    said = until_state(broker, lambda one: not one["ok"])
    assert (said["section"], said["rung"], said["volume"]) == ("storm", "rules", -6.0)
    assert [one.partition(":")[0] for one in said["wrong"]] == ["output", "ladder"]
    player.like = {}


def test_what_is_asked_is_done_once_and_answered_as_often_as_it_is_asked(broker, player):
    asked = command(ask="mute", by="ada@desk")
    before = len(player.asked)
    answer = {"version": 1, "id": asked["id"], "outcome": "done", "text": "mute: done", "found": [], "more": 0}
    assert [broker.ask("foyer", asked) for _ in range(3)] == [answer] * 3
    assert player.asked[before:] == [("mute", "mqtt:ada@desk")]


def test_what_the_keeper_refuses_is_answered_with_its_reason(broker, player):
    answer = broker.ask("foyer", command(ask="section nowhere"))
    assert (answer["outcome"], answer["text"]) == ("refused", "there is no such section\n  one of calm, storm")


def test_without_rights_nothing_is_done(broker, player):
    """The broker passes on nothing of whom the ACL does not name; what it passes on, the player judges by its file."""
    before = len(player.asked)
    for user in ("tower", "foyer"):
        assert "Not authorized" in broker.publish("perpetuum/foyer/command", command(ask="mute"), user)
    assert "Not authorized" in broker.publish("perpetuum/tower/command", command(ask="mute"), "foyer-desk")
    answer = broker.ask("foyer", command(ask="alarm"), "foyer-desk")
    assert answer["outcome"] == "refused"
    assert "`alarm` is not allowed from afar" in answer["text"]
    assert player.asked[before:] == []


def test_a_player_hears_nothing_of_another_one(broker, player):
    listening = broker.listen("perpetuum/#", "tower")
    assert broker.ask("foyer", command(ask="mute"))["outcome"] == "done"
    own = command(ask="mute")
    broker.publish("perpetuum/tower/command", own)
    assert heard(listening) == [own]  # the first that it hears at all


HOSTILE = (
    b"",
    b"mute",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"version": 1, "id": "test-hostile", "ask": "mute"',
    b'{"version": 2, "id": "test-hostile", "ask": "mute"}',
    b'{"id": "test-hostile", "ask": "mute"}',
    b'{"version": 1, "id": "../../etc/passwd", "ask": "mute"}',
    b'{"version": 1, "id": "test-hostile"}',
    b'{"version": 1, "id": "test-hostile", "ask": "mute", "push": {"kind": "scene", "text": "", "name": "tides"}}',
    b'{"version": 1, "id": "test-hostile", "ask": "rm -rf /"}',
    b'{"version": 1, "id": "test-hostile", "ask": "mute", "by": "a b"}',
    b'{"version": 1, "id": "test-hostile", "ask": "mute", "sudo": true}',
    b'{"version": 1, "id": "test-hostile", "ask": "' + b"x" * 1_000_000 + b'"}',
    b'{"version": 1, "id": "test-hostile", "push": {"kind": "scene", "text": "", "name": "../tides"}}',
    b'{"version": 1, "id": "test-hostile", "push": {"kind": "weights", "text": "", "name": "tides"}}',
    b'{"version": 1, "id": "test-hostile", "push": {"kind": "scene", "text": "' + b"#" * 300_000 + b'", "name": "x"}}',
)


def test_what_is_hostile_is_refused_with_a_reason_and_costs_nothing(broker, player):
    before, pid = len(player.asked), player.place.pid
    listening = broker.listen("perpetuum/foyer/answer", count=len(HOSTILE))
    for payload in HOSTILE:
        assert broker.publish("perpetuum/foyer/command", payload) == ""
    answers = heard(listening)
    assert {one["outcome"] for one in answers} == {"refused"}
    assert all(one["text"] and len(one["text"]) < 500 for one in answers)
    assert [one["id"] for one in answers].count("test-hostile") == 12
    assert player.asked[before:] == []
    assert broker.ask("foyer", command(ask="unmute"))["outcome"] == "done"
    assert player.place.pid == pid


def test_a_command_that_is_retained_is_not_done(broker, player):
    before = len(player.asked)
    listening = broker.listen("perpetuum/foyer/answer")
    broker.publish("perpetuum/foyer/command", command(ask="mute"), "technician", "-r")
    assert "retained" in heard(listening)[0]["text"]
    broker.publish("perpetuum/foyer/command", b"", "technician", "-r")
    assert player.asked[before:] == []


def test_a_good_scene_takes_its_place_and_a_bad_one_changes_nothing_and_says_where_it_is_wrong(broker, player):
    """The checker is the real one, in a process of its own."""
    before = len(player.asked)
    other = SMALL.replace("90 qpm", "100 qpm")
    bad = broker.ask("foyer", command(push={"kind": "scene", "name": "drift", "text": other.replace("pad]", "pat]")}))
    place = player.folder / "tides.yaml"
    assert bad["outcome"] == "refused"
    assert (bad["found"][0]["file"], bad["found"][0]["line"], bad["found"][0]["error"]) == (str(place), 6, True)
    assert f"{place}:6:" in bad["found"][0]["text"]
    assert "`pad`" in bad["found"][0]["text"]
    assert place.read_text() == SMALL
    assert player.asked[before:] == []

    pushed, muted = command(push={"kind": "scene", "name": "drift", "text": other}, by="ada"), command(ask="mute")
    listening = broker.listen("perpetuum/foyer/answer", count=2)
    for one in (pushed, muted):
        broker.publish("perpetuum/foyer/command", one)
    answers = {one["id"]: one for one in heard(listening)}
    assert [answers[one["id"]]["outcome"] for one in (pushed, muted)] == ["done", "done"], answers
    assert place.read_text() == other
    assert place.with_name("tides.yaml.before").read_text() == SMALL
    assert sorted(player.asked[before:]) == [("mute", "mqtt"), ("reload scene drift", "mqtt:ada")]


def test_a_command_that_comes_while_the_player_is_away_is_done_once_when_it_is_back(broker, player):
    """The broker is stopped meanwhile, too: it remembers what waits; and the player, what it has done."""
    player.close()
    assert broker.retained("perpetuum/foyer/presence") == {"version": 1, "online": False, "why": "it was stopped"}
    asked, before = command(ask="unmute"), len(player.asked)
    assert broker.publish("perpetuum/foyer/command", asked) == ""
    broker.stop()
    broker.start()
    listening = broker.listen("perpetuum/foyer/answer")
    player.start()  # with a keeper that remembers nothing
    assert heard(listening)[0]["id"] == asked["id"]
    player.close()
    player.start()
    assert broker.ask("foyer", asked)["outcome"] == "done"
    assert player.asked[before:] == [("unmute", "mqtt")]


def test_a_process_that_is_killed_while_it_asks_has_it_done_once_and_answered(broker, player):
    until_state(broker, lambda one: one["ok"])
    asked, before = command(ask="mute"), len(player.asked)
    killed = player.place.pid
    player.on_ask = lambda line: os.kill(killed, signal.SIGKILL)
    listening = broker.listen("perpetuum/foyer/answer")
    broker.publish("perpetuum/foyer/command", asked)
    answer = heard(listening)[0]  # of the next process, to which the broker has sent it again
    player.on_ask = lambda line: None
    assert (answer["id"], answer["outcome"]) == (asked["id"], "done")
    assert player.asked[before:] == [("mute", "mqtt")]
    assert player.place.pid not in (killed, None)


def test_whoever_is_lost_is_told_of_by_the_broker_and_is_back_by_itself(broker, player):
    until_state(broker, lambda one: one["ok"])
    listening = broker.listen("perpetuum/foyer/presence", count=3)
    os.kill(player.place.pid, signal.SIGKILL)
    assert [one["online"] for one in heard(listening)] == [True, False, True]  # retained, last will, the next process


def test_after_a_cut_what_is_told_is_true_again(broker, player):
    until_state(broker, lambda one: one["ok"])
    pid = player.place.pid
    broker.stop()
    player.like = {"muted": True, "section": "meanwhile"}
    broker.start()
    assert until_state(broker, lambda one: one["section"] == "meanwhile")["muted"]
    assert player.place.pid == pid
    player.like = {}


def test_two_of_one_name_do_not_take_the_broker_from_each_other_for_ever(broker):
    """Each is told, and tries again seldom."""
    said = []
    address = BrokerAddress("localhost", broker.port, "twin", "tower", lambda: PASSWORDS["tower"], ca=str(broker.ca))
    twins = [
        Broker(address, lambda message: None, lambda connected, why: said.append(why), session=True) for _ in range(2)
    ]
    for one in twins:
        one.start()
    assert wait_until(lambda: any("is another one called twin here, too?" in why for why in said), PATIENCE), said
    for one in twins:
        one.close()

"""Health in the recorder: what is served and who is told, by the file that counts."""

import json
import os
import time
import urllib.request
from dataclasses import replace

import pytest

from engine.events import Bus, SoundStarved
from engine.health.notices import edges
from engine.installation.choices.access import Address
from engine.installation.choices.notices import NoticeChoices
from engine.installation.choices.proof import ProofChoices
from engine.installation.choices.secret import Secret
from engine.installation.recorder.watching import Watch, Watching
from engine.outputs.opening import OutputChoice
from tests.health.making import SOUND
from tests.health.prometheus import free_port, wait_until
from tests.health.test_notices import posts  # noqa: F401 - a fixture


@pytest.fixture
def watching():
    with Bus() as bus:
        found = Watching(bus)
        found.bus = bus
        yield found
        found.close()


def watch(tmp_path, **more):
    port = free_port()
    made = Watch(
        "Foyer",
        "UTC",
        str(tmp_path),
        (Address("127.0.0.1", port, True),),
        NoticeChoices(),
        OutputChoice("null"),
        ProofChoices(),
    )
    return port, replace(made, **more)


def ask(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
        return response.read().decode()


def now(**more):
    return replace(SOUND, at=time.time(), monotonic=time.monotonic(), saved=time.time(), **more)


def test_health_is_served_where_the_file_says_and_elsewhere_after_another_file(watching, tmp_path):
    first, one = watch(tmp_path)
    second, two = watch(tmp_path, title="Tower")
    watching.take(one)
    watching.observe(now())
    watching.bus.publish(SoundStarved(5))
    assert json.loads(ask(first, "/status"))["title"] == "Foyer"
    assert wait_until(lambda: "perpetuum_underruns_total 1.0" in ask(first, "/metrics"), 5)
    watching.take(two)
    assert json.loads(ask(second, "/status"))["title"] == "Tower"
    assert "perpetuum_underruns_total 1.0" in ask(second, "/metrics")
    with pytest.raises(OSError):
        ask(first, "/status")


ISSUED = {
    "sound_expected": "gauge",
    "muted": "gauge",
    "last_sound_timestamp_seconds": "gauge",
    "heartbeat_timestamp_seconds": "gauge",
    "buffer_ahead_seconds": "gauge",
    "fallback_level": "gauge",
    "fallback_seconds_total": "counter",
    "generation_seconds": "histogram",
    "generation_attempts_total": "counter",
    "generation_failures_total": "counter",
    "underruns_total": "counter",
    "output_peak_ratio": "gauge",
    "loudness_lufs": "gauge",
    "silence_seconds_total": "counter",
    "repetition_ratio": "gauge",
    "restarts_total": "counter",
    "device_up": "gauge",
    "clock_steps_total": "counter",
    "scene_info": "gauge",
    "build_info": "gauge",
    "state_last_saved_timestamp_seconds": "gauge",
    "journal_bytes": "gauge",
    "process_memory_bytes": "gauge",
    "process_cpu_seconds_total": "counter",
    "process_open_fds": "gauge",
    "process_threads": "gauge",
    "process_start_time_seconds": "gauge",
}
"""Names of metrics that dashboards and rules in the field count on, with their types."""


def test_every_metric_that_was_promised_is_served_from_the_start_and_counters_and_histograms_begin_with_0(
    watching, tmp_path
):
    port, one = watch(tmp_path)
    watching.take(one)
    text = ask(port, "/metrics")  # before the keeper has said anything
    types = dict(line.split()[2:] for line in text.splitlines() if line.startswith("# TYPE"))
    wanted = {f"perpetuum_{name}": kind for name, kind in ISSUED.items()}
    assert {name: types.get(name) for name in wanted} == wanted
    samples = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    counts = {name: float(value) for name, _, value in samples if types.get(name.partition("{")[0]) == "counter"}
    counts |= {name: float(value) for name, _, value in samples if "generation_seconds_count" in name}
    assert set(counts.values()) == {0.0}
    promised = {name for name, kind in wanted.items() if kind == "counter" and "process" not in name}
    assert promised <= {name.partition("{")[0] for name in counts}
    assert 'perpetuum_generation_seconds_count{generator="other"}' in counts
    # Of processes, the board and the scene there is something as soon as there is something to say.
    watching.observe(now(processes=(("keeper", os.getpid()),)))
    later = ask(port, "/metrics")
    for name in wanted:
        if "process" in name or name == "perpetuum_heartbeat_timestamp_seconds":
            assert f"\n{name}{{" in later, name


def test_an_address_that_is_taken_costs_only_itself(watching, tmp_path, caplog):
    _, one = watch(tmp_path)
    other = free_port()
    taken = Watching(watching.bus)
    taken.take(one)
    watching.take(replace(one, health=(*one.health, Address("127.0.0.1", other, True))))
    watching.observe(now())
    assert "cannot listen on" in caplog.text
    assert json.loads(ask(other, "/livez"))["ok"]
    taken.close()


def test_silence_is_posted_once_and_signs_of_life_stop_with_the_heart(watching, tmp_path, posts, monkeypatch):  # noqa: F811
    monkeypatch.setitem(edges.PATIENCE, "sound", 0.5)
    monkeypatch.setenv("HOOK", posts.address)
    monkeypatch.setenv("PING", posts.address.replace("hook", "alive"))
    choices = NoticeChoices(webhook=Secret(env="HOOK"), ping=Secret(env="PING"), every=0.2)
    _, one = watch(tmp_path, notices=choices)
    watching.take(one)
    until = time.monotonic() + 3
    while time.monotonic() < until:
        watching.observe(now(silent=30.0))
        watching.look(1000)
        time.sleep(0.1)
    told = [body for path, body in list(posts.taken) if path.startswith("/hook/")]
    assert [body["subject"] for body in told] == ["Foyer: sound"]
    assert any(path.startswith("/alive/") for path, _ in posts.taken)
    watching.observe(now(late=("taken",)))
    time.sleep(0.5)
    before = len(posts.taken)
    time.sleep(0.6)
    assert len(posts.taken) == before


def test_a_secret_that_is_not_there_keeps_the_message(watching, tmp_path, posts, monkeypatch):  # noqa: F811
    """It is put where it belongs later, and the message leaves then."""
    monkeypatch.setitem(edges.PATIENCE, "alarm", 0.0)
    monkeypatch.setattr("engine.health.notices.outbox.FIRST_RETRY", 0.2)
    token = tmp_path / "hook"
    choices = NoticeChoices(webhook=Secret(file=str(token)))
    _, one = watch(tmp_path, notices=choices)
    watching.take(one)
    watching.observe(now(alarm=True, expected=False))
    watching.look(0)
    time.sleep(0.5)
    assert posts.taken == []
    token.write_text(posts.address)
    assert wait_until(lambda: len(posts.taken) == 1, 10)

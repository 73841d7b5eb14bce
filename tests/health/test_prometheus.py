"""What we ship for Prometheus, Alertmanager and Grafana, held to by Debian's Prometheus and Alertmanager."""

import json
import os
import re
import shutil
import subprocess
import threading
import time
from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from engine.events import RepetitionMeasured
from engine.events.snapshot import FallbackLevel
from engine.health.board import BoardCollector
from engine.health.metrics import Metrics
from engine.health.processes import ProcessCollector
from engine.health.serving import Endpoints, application
from tests.fleet.mosquitto import certificates
from tests.health.making import SOUND, decided, measured
from tests.health.prometheus import DEPLOY, INSTALLED, Agent, Running, wait_until

_YAML = YAML(typ="safe")

pytestmark = pytest.mark.skipif(
    not INSTALLED, reason="Prometheus is not installed (Debian: apt install prometheus prometheus-alertmanager)"
)


def prom(*words):
    return subprocess.run(words, capture_output=True, text=True, cwd=DEPLOY / "prometheus")


def test_the_alerts_do_what_their_cases_say():
    run = prom("promtool", "test", "rules", "perpetuum.rules.test.yaml", "perpetuum.hours.test.yaml")
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_configurations_are_right():
    assert prom("promtool", "check", "config", "prometheus.yaml").returncode == 0
    assert prom("promtool", "check", "config", "--agent", "agent.yaml").returncode == 0
    assert prom("amtool", "check-config", "alertmanager.yaml").returncode == 0


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_whoever_asks_or_pushes_comes_by_tls_and_logs_in(tmp_path):
    certificates(tmp_path, "127.0.0.1")
    text = (DEPLOY / "prometheus" / "web.yaml").read_text().replace("/etc/prometheus/tls/server", f"{tmp_path}/broker")
    (tmp_path / "web.yaml").write_text(text)
    run = prom("promtool", "check", "web-config", str(tmp_path / "web.yaml"))
    assert run.returncode == 0, run.stdout + run.stderr


def test_grafana_is_given_one_source_and_the_dashboards_that_are_there():
    """Grafana itself is in no registry here; by its documentation these are the keys that it needs."""
    places = DEPLOY / "grafana" / "provisioning"
    (source,) = _YAML.load(places / "datasources" / "perpetuum.yaml")["datasources"]
    assert {"name", "uid", "type", "access", "url"} <= source.keys()
    assert source["type"] == "prometheus"
    (provider,) = _YAML.load(places / "dashboards" / "perpetuum.yaml")["providers"]
    assert (provider["type"], provider["options"]["path"]) == ("file", "/var/lib/grafana/dashboards/perpetuum")
    for name in ("fleet", "player"):
        board = json.loads((DEPLOY / "grafana" / f"{name}.json").read_text())
        (wanted,) = [one["query"] for one in board["templating"]["list"] if one["type"] == "datasource"]
        assert wanted == source["type"]


class Told:
    """Metrics of an installation that is told what to be like, a snapshot every quarter of a second."""

    def __init__(self, board):
        self.like = {}
        self.metrics = Metrics("1.2.3")
        self.metrics.registry.register(ProcessCollector(lambda: [("keeper", os.getpid())]))
        self.metrics.registry.register(BoardCollector(board))
        self.metrics.hear(measured(-20.0))
        self.metrics.hear(RepetitionMeasured(1, (("melody", 0.2),)))
        self.metrics.journal(1000)
        self.endpoints = Endpoints(application(self.metrics.registry, lambda: self.metrics.before), "127.0.0.1", 0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)
        self._thread.start()

    def _tell(self):
        silent = 0.0
        while not self._stop.wait(0.25):
            silent = silent + 0.25 if self.like.get("silent") else 0.0
            now = replace(SOUND, at=time.time(), monotonic=time.monotonic(), saved=time.time())
            self.metrics.observe(replace(now, **(self.like | {"silent": silent})))
            self.metrics.hear(decided())

    def close(self):
        self._stop.set()
        self._thread.join()
        self.endpoints.close()


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """(what is told to the foyer, what watches the foyer and the tower)."""
    folder = tmp_path_factory.mktemp("watched")
    for path, text in (
        ("sys/class/thermal/thermal_zone0/temp", "50000"),
        ("sys/devices/platform/soc/soc:firmware/get_throttled", "0"),
    ):
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(text)
    foyer, tower = Told(folder), Told(folder)
    running = Running(folder, [("foyer", foyer.endpoints.port), ("tower", tower.endpoints.port)])
    chapel = Told(folder)  # that nobody can reach: it pushes
    write = f"http://127.0.0.1:{running.port}/api/v1/write"
    agent = Agent(folder, "chapel", chapel.endpoints.port, write, basic_auth=None, tls_config=None)
    yield foyer, running
    agent.close()
    running.close()
    for one in (foyer, tower, chapel):
        one.close()


def queries():
    for name in ("player", "fleet"):
        for panel in json.loads((DEPLOY / "grafana" / f"{name}.json").read_text())["panels"]:
            for target in panel["targets"]:
                yield pytest.param(target["expr"], id=f"{name}: {panel['title']}, {target['refId']}")


@pytest.mark.parametrize("expression", queries())
def test_every_query_of_the_dashboards_is_answered_with_data(watched, expression):
    found = wait_until(lambda: watched[1].query(expression.replace("$instance", "foyer")), 20)
    assert found, expression


def test_every_series_of_the_rules_exists(watched):
    """A name that is spelt wrongly would be silent for ever."""
    rules = (DEPLOY / "prometheus" / "perpetuum.rules.yaml").read_text()
    names = set(re.findall(r"\bperpetuum_\w+", re.sub(r"(summary|remedy): .*", "", rules)))
    missing = [name for name in sorted(names) if not wait_until(lambda name=name: watched[1].query(name), 10)]
    assert missing == []


def test_a_player_that_nobody_can_reach_pushes_all_that_another_one_is_asked_for(watched):
    def names(instance):
        found = watched[1].query(f'count by (__name__) ({{__name__=~"perpetuum_.+", instance="{instance}"}})')
        return {labels["__name__"] for labels, _ in found}

    assert wait_until(lambda: names("chapel") >= names("foyer"), 60), names("foyer") - names("chapel")
    assert watched[1].query('perpetuum_device_up{instance="chapel"} == 1')


def test_that_alerts_are_watched_for_is_told_all_the_time(watched):
    assert wait_until(lambda: watched[1].firing("none") == [("Watchdog", "")], 30), watched[1].firing("none")


def test_silence_raises_one_alert_for_one_installation_and_sound_clears_it(watched):
    foyer, running = watched
    foyer.like = {"silent": True, "expected": False, "muted": True}
    time.sleep(6)  # longer than the shortened rule waits
    assert running.firing("page") == []
    foyer.like = {"silent": True, "peak": 0.0}
    assert wait_until(lambda: running.firing("page") == [("InstallationSilent", "foyer")], 60), running.firing("page")
    foyer.like = {}
    assert wait_until(lambda: not running.firing("page"), 60), running.firing("page")


def test_a_lost_card_is_one_alert_and_not_three(watched):
    foyer, running = watched
    foyer.like = {"silent": True, "lost": "the card is gone", "level": FallbackLevel.UNHEARD}
    assert wait_until(lambda: running.firing("page") == [("DeviceGone", "foyer")], 60), running.firing("page")
    time.sleep(6)
    assert running.firing("page") == [("DeviceGone", "foyer")]
    foyer.like = {}
    assert wait_until(lambda: not running.firing("page"), 60), running.firing("page")

"""What we ship for Prometheus, Alertmanager and Grafana, held to by Debian's Prometheus and Alertmanager."""

import json
import os
import re
import subprocess
import threading
import time
from dataclasses import replace

import pytest

from engine.events import RepetitionMeasured
from engine.events.snapshot import FallbackLevel
from engine.health.board import BoardCollector
from engine.health.metrics import Metrics
from engine.health.processes import ProcessCollector
from engine.health.serving import Endpoints, application
from tests.health.making import SOUND, decided, measured
from tests.health.prometheus import DEPLOY, INSTALLED, Running, wait_until

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
    yield foyer, running
    running.close()
    foyer.close()
    tower.close()


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

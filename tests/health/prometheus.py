"""A real Prometheus and a real Alertmanager, Debian's, for tests; each in a folder and on ports of its own."""

import base64
import json
import shutil
import socket
import ssl
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

from ruamel.yaml import YAML

DEPLOY = Path(__file__).parents[2] / "deploy" / "monitoring"
_YAML = YAML(typ="safe")
INSTALLED = all(shutil.which(one) for one in ("prometheus", "promtool", "prometheus-alertmanager"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def ask(port, path, web=None, **query):
    """What is answered to a question over HTTP, as JSON; `web` as for `Running`."""
    url = f"{'https' if web else 'http'}://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url + ("?" + urllib.parse.urlencode(query) if query else ""))
    context = None
    if web:
        _, ca, user, password = web
        context = ssl.create_default_context(cafile=str(ca))
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
    with urllib.request.urlopen(request, timeout=10, context=context) as response:
        return json.load(response)


def wait_until(true, seconds=60.0):
    """Look again and again until something is so; whether it became so in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            found = true()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.1)
    return None


class Running:
    """Both, scraping targets every second by the rules that we ship, with their times shortened.

    Args:
        folder: for their data.
        targets: pairs of an instance and its port.
        faster: by which the times of the rules are divided.
        web: (configuration of TLS and logins, certificates to believe, user, password); None: anybody may ask.
    """

    def __init__(self, folder, targets, faster=10, web=None):
        self._web = web
        self.port, self.alerts = free_port(), free_port()
        rules = _read("perpetuum.rules.yaml")
        for rule in rules["groups"][0]["rules"]:
            rule["for"] = f"{_seconds(rule.get('for', '0s')) / faster:.0f}s"
            rule["expr"] = rule["expr"].replace("[1m]", "[10s]").replace("> 20\n", "> 4\n")
        (folder / "rules.yaml").write_text(json.dumps(rules))
        config = _read("prometheus.yaml")
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = ["rules.yaml"]
        config["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{self.alerts}"]}]
        config["scrape_configs"][0]["static_configs"] = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name}} for name, port in targets
        ]
        (folder / "prometheus.yaml").write_text(json.dumps(config))
        alertmanager = _read("alertmanager.yaml")
        alertmanager["route"] |= {"group_wait": "0s", "group_interval": "1s"}
        alertmanager["receivers"] = [{"name": one["name"]} for one in alertmanager["receivers"]]
        (folder / "alertmanager.yaml").write_text(json.dumps(alertmanager))
        self._processes = [
            subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={folder}/prometheus.yaml",
                    f"--storage.tsdb.path={folder}/data",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--web.enable-remote-write-receiver",
                    "--rules.alert.resend-delay=5s",  # what fires before Alertmanager is found is told again
                    *([f"--web.config.file={web[0]}"] if web else []),
                ],
                stdout=subprocess.DEVNULL,
                stderr=(folder / "prometheus.log").open("wb"),
            ),
            subprocess.Popen(
                [
                    "prometheus-alertmanager",
                    f"--config.file={folder}/alertmanager.yaml",
                    f"--storage.path={folder}/alerts",
                    f"--web.listen-address=127.0.0.1:{self.alerts}",
                    "--cluster.listen-address=",
                ],
                stdout=subprocess.DEVNULL,
                stderr=(folder / "alertmanager.log").open("wb"),
            ),
        ]

        # JSON is YAML; both programs end at once if they do not understand what they are given.
        assert wait_until(lambda: self.ask("/api/v1/status/buildinfo"), 30), (folder / "prometheus.log").read_text()
        assert wait_until(lambda: ask(self.alerts, "/api/v2/status"), 30), (folder / "alertmanager.log").read_text()

    def ask(self, path, **query):
        """What Prometheus answers, as JSON."""
        return ask(self.port, path, self._web, **query)

    def query(self, expression):
        """Labels and values that an expression has now."""
        found = self.ask("/api/v1/query", query=expression)
        return [(one["metric"], float(one["value"][1])) for one in found["data"]["result"]]

    def firing(self, severity):
        """Names and instances of the alerts that Alertmanager would tell somebody now."""
        found = ask(self.alerts, "/api/v2/alerts", active="true", silenced="false", inhibited="false")
        labels = [one["labels"] for one in found]
        return sorted((one["alertname"], one.get("instance", "")) for one in labels if one["severity"] == severity)

    def close(self):
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(20)


class Agent:
    """A Prometheus that asks one installation every second, as an agent beside it does, and pushes what it hears.

    Args:
        folder: for its data.
        instance, port: of the installation.
        url: that it pushes to.
        more: of `remote_write`.
    """

    def __init__(self, folder, instance, port, url, **more):
        config = _read("agent.yaml")
        config["global"] = {"scrape_interval": "1s"}
        config["scrape_configs"][0]["static_configs"] = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": instance}}
        ]
        write = config["remote_write"][0] | {"url": url, **more}
        config["remote_write"] = [{name: value for name, value in write.items() if value is not None}]
        (folder / f"{instance}.yaml").write_text(json.dumps(config))
        self._process = subprocess.Popen(
            [
                "prometheus",
                "--enable-feature=agent",
                f"--config.file={folder}/{instance}.yaml",
                f"--storage.agent.path={folder}/{instance}",
                f"--web.listen-address=127.0.0.1:{free_port()}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=(folder / f"{instance}.log").open("wb"),
        )

    def close(self):
        self._process.kill()  # asked to end, it tries for a minute to push what nobody may take any more
        self._process.wait(20)


def _read(name):
    return _YAML.load(DEPLOY / "prometheus" / name)


def _seconds(text):
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]

"""Walks through docs/rig.md on three machines: `python -m tests.proofs.rig_walk [--keep FOLDER]`.

A machine is a network namespace with file systems of its own laid over those of this one, so that commands of the page
are run as they stand, into `/etc` too, and nothing of it is left. One is always on (broker, Prometheus, Alertmanager),
one is the player `foyer`, one the laptop. What the page asks for in words (copying certificates, a password, a name in
the file) is done by hand here. Printed: each command of the page, and whether it was run. Needs root, and Debian's
mosquitto, prometheus, prometheus-alertmanager, whois, openssl and curl.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.health.prometheus import wait_until
from tests.installation.keeper.test_run import SCENE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rig.md"
BRIDGE = "rigwalk"
ALWAYS_ON, PLAYER, LAPTOP = "10.88.7.1", "10.88.7.2", "10.88.7.3"
NAMES = f"127.0.0.1 localhost\n{ALWAYS_ON} broker.example.org monitoring.example.org\n"
OVERLAID = ("/etc", "/var/lib", "/var/log", "/root", "/run")
PASSWORD = "correct horse"

PLAYED = """perpetuum: 1
title: Foyer
scenes: {drone: {file: scene.yaml, length: 20 min}}
output: {kind: "null"}
state: /var/lib/perpetuum/foyer
fallback_bank: 0 s
"""


class Machine:
    """A network and file systems of its own, until `close`."""

    def __init__(self, number, address, folder):
        self.told = folder / f"machine{number}"
        self.told.mkdir()
        lines = ["mount --make-rprivate /", f"mount -t tmpfs tmpfs {self.told}"]
        for place in OVERLAID:
            own = f"{self.told}{place.replace('/', '-')}"
            lines.append(f"mkdir -p {self.told}/{own[1:]}-u {self.told}/{own[1:]}-w")
            layers = f"lowerdir={place},upperdir={self.told}/{own[1:]}-u,workdir={self.told}/{own[1:]}-w"
            lines.append(f"mount -t overlay overlay -o {layers} {place}")
        lines += ["echo ready", "exec sleep infinity"]
        command = ["unshare", "--net", "--mount", "--uts", "sh", "-ec", "\n".join(lines)]
        self.holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout is not None
        assert self.holder.stdout.readline() == "ready\n"
        self.enter = ["nsenter", "-t", str(self.holder.pid), "--net", "--mount", "--uts", "--"]
        cable = f"{BRIDGE}{number}"
        ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid))
        ip("link", "set", cable, "master", BRIDGE, "up")
        self.run(f"ip addr add {address}/24 dev eth0; ip link set eth0 up; ip link set lo up")
        self.write("/etc/hosts", NAMES)
        self.started = []

    def run(self, command, fed="", status=0, cwd=ROOT):
        """Run a command as bash does; what it prints."""
        words = [*self.enter, "bash", "-c", f"cd {cwd} || exit\n{command}"]
        done = subprocess.run(words, input=fed, capture_output=True, text=True, timeout=300, env=own_environment())
        assert status is None or done.returncode == status, (command, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def write(self, path, text):
        self.run(f"mkdir -p {Path(path).parent} && cat > {path}", text)

    def start(self, command, log):
        """Start what runs until `close`."""
        words = [*self.enter, "bash", "-c", f"cd /var/lib && exec {command}"]
        with open(log, "wb") as out:
            self.started.append(subprocess.Popen(words, stdout=out, stderr=out, env=own_environment()))
        return self.started[-1]

    def close(self):
        for one in self.started:
            one.send_signal(signal.SIGTERM)
        for one in self.started:
            try:
                one.wait(20)
            except subprocess.TimeoutExpired:
                one.kill()
        self.holder.kill()
        self.holder.wait()


def own_environment():
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    return {**os.environ, "HOME": "/root", "PATH": path, "PYTHONPATH": str(ROOT)}


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def commands():
    """Those of the page, in order, without their prompts."""
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [[line[2:] for line in block.splitlines() if line[:2] in ("# ", "$ ")] for block in blocks]


def certificate(hub, certs, authority, name, folder):
    """One as the broker's, by the page's own commands."""
    for line in certs:
        if not authority and "-x509" in line:
            continue
        hub.run(line.replace("broker.example.org", f"{name}.example.org"), cwd=folder)


def shown(word, line):
    print(f"{word:<9} {line}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder for the logs, which stays")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="perpetuum-rig-")))
        if options.keep is not None:
            stack.callback(lambda: shutil.copytree(folder / "logs", options.keep, dirs_exist_ok=True))
        (folder / "logs").mkdir()
        ip("link", "add", BRIDGE, "type", "bridge")
        stack.callback(ip, "link", "del", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        hub, player, laptop = (
            Machine(number, address, folder) for number, address in enumerate((ALWAYS_ON, PLAYER, LAPTOP), 1)
        )
        for one in (hub, player, laptop):
            stack.callback(one.close)
        walk(hub, player, laptop, folder)


def walk(hub, player, laptop, folder):
    broker, certs, fleet, monitoring = commands()
    logs = folder / "logs"
    own = folder / "own"  # where the authority's key stays
    own.mkdir()

    # A broker
    for line in broker:
        if line.startswith("apt "):
            shown("not tried", f"{line}   (there already)")
            continue
        hub.run(line, fed=f"{PASSWORD}\n{PASSWORD}\n")
        shown("run", line)
    certificate(hub, certs, True, "broker", own)
    for line in certs:
        shown("run", line)
    hub.run(
        f"install -d -m 755 /etc/mosquitto/certs && install -m 644 {own}/ca.crt {own}/broker.crt /etc/mosquitto/certs"
    )
    hub.run(f"install -m 400 -o mosquitto {own}/broker.key /etc/mosquitto/certs")
    unit = Path("/lib/systemd/system/mosquitto.service").read_text()
    for before in re.findall(r"^ExecStartPre=(.*)$", unit, re.MULTILINE):
        hub.run(before)
    hub.start(re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)[0], logs / "mosquitto")

    # A player, by the line of the page
    (mqtt,) = re.findall(r"^```yaml\n(mqtt: .*)\n```", PAGE.read_text(), re.MULTILINE)
    player.write("/etc/perpetuum/foyer.yaml", PLAYED + mqtt + "\n")
    player.write("/etc/perpetuum/scene.yaml", SCENE)
    player.write("/etc/perpetuum/mqtt-password", PASSWORD)
    player.write("/etc/perpetuum/ca.crt", (own / "ca.crt").read_text())
    shown("run", "perpetuum run /etc/perpetuum/foyer.yaml, with " + mqtt)
    running = player.start("perpetuum run /etc/perpetuum/foyer.yaml", logs / "foyer")

    # A laptop
    laptop.write("/root/.config/perpetuum/password", PASSWORD)
    laptop.write("/root/.config/perpetuum/ca.crt", (own / "ca.crt").read_text())
    laptop.write("/root/sunset.yaml", SCENE.replace("Drone", "Sunset"))
    exports = [line for line in fleet if line.startswith("export ")]
    (status,) = [line for line in fleet if "fleet status" in line]
    (command,) = [line for line in fleet if "fleet command" in line]
    (push,) = [line for line in fleet if "fleet push" in line]
    ask = lambda line, code: laptop.run("; ".join([*exports, line]), status=code, cwd="/root")  # noqa: E731
    assert wait_until(lambda: "MUSIC PLAYS" in ask(status, None), 180), ask(status, None)
    said = ask(status, 0)
    assert re.search(r"^ok +foyer", said, re.MULTILINE), said
    said = ask(command, 3)
    assert wait_until(lambda: "-6 dB" in player.run("perpetuum status /etc/perpetuum/foyer.yaml", status=None), 20), (
        said
    )
    said = ask(push, 1)
    assert "push_scenes" in said, said
    allowed = mqtt.removesuffix("}") + ", allow: [volume, push_scenes]}\n"
    player.write("/etc/perpetuum/foyer.yaml", PLAYED + allowed)
    for line in (*exports, status, command + "   (status 3: there is no tower)", push + "   (refused: no `allow`)"):
        shown("run", line)
    player.run(f"kill -HUP {running.pid}")
    assert wait_until(lambda: "done" in ask(push.replace("sunset.yaml", "sunset.yaml --scene drone"), None), 60)
    assert "Sunset" in player.run("cat /etc/perpetuum/scene.yaml")
    shown("run", push + " --scene drone   (with `allow: [push_scenes]`: done)")

    # Monitoring
    for line in monitoring:
        if line.startswith("apt "):
            shown("not tried", f"{line}   (there already)")
            continue
        hub.run(line)
        shown("run", line)
    certificate(hub, certs, False, "monitoring", own)
    hub.run(f"install -d -m 755 /etc/prometheus/tls && install -m 644 {own}/broker.crt /etc/prometheus/tls/server.crt")
    hub.run(f"install -m 440 -g prometheus {own}/broker.key /etc/prometheus/tls/server.key")
    digest = hub.run("mkpasswd --method=bcrypt --rounds=5 -s", f"{PASSWORD}\n").strip()
    shown("run", "mkpasswd --method=bcrypt")
    web = hub.run("cat /etc/prometheus/web.yaml")
    hub.write("/etc/prometheus/web.yaml", re.sub(r"(foyer|grafana): .*", lambda found: f"{found[1]}: {digest}", web))
    hub.write("/etc/prometheus/mail-password", PASSWORD)
    asked = hub.run("cat /etc/prometheus/prometheus.yaml")  # the foyer cannot be reached, and is not named there
    hub.write("/etc/prometheus/prometheus.yaml", asked.replace("instance: foyer", "instance: tower"))
    (arguments,) = re.findall(r'^ARGS="(.*)"$', PAGE.read_text(), re.MULTILINE)
    as_prometheus = "setpriv --reuid prometheus --regid prometheus --clear-groups "
    hub.run(
        "install -d -o prometheus /var/lib/prometheus /var/lib/prometheus/metrics2 /var/lib/prometheus/alertmanager"
    )
    storage = "--storage.tsdb.path=/var/lib/prometheus/metrics2/"
    hub.start(f"{as_prometheus} prometheus {arguments} {storage}", logs / "prometheus")
    shown("run", f"prometheus {arguments}")
    of_alerts = "--config.file=/etc/prometheus/alertmanager.yml --storage.path=/var/lib/prometheus/alertmanager"
    hub.start(f"{as_prometheus} prometheus-alertmanager {of_alerts} --cluster.listen-address=", logs / "alertmanager")
    assert wait_until(lambda: "OK" in hub.run("curl -s http://localhost:9093/-/ready", status=None), 60)

    agent = (ROOT / "deploy/monitoring/prometheus/agent.yaml").read_text()
    player.write("/etc/perpetuum/agent.yaml", agent)
    player.write("/etc/perpetuum/remote-write-password", PASSWORD)
    (pushes,) = re.findall(r"`(prometheus --enable-feature=agent\s+--config\.file=\S+)`", PAGE.read_text())
    player.start(" ".join(pushes.split()), logs / "agent")
    shown("run", " ".join(pushes.split()))
    url = "https://monitoring.example.org:9090/api/v1/query?query=perpetuum_sound_expected"
    look = f"curl -s --cacert .config/perpetuum/ca.crt -u 'grafana:{PASSWORD}' '{url}'"
    assert wait_until(lambda: '"foyer"' in laptop.run(look, status=None, cwd="/root"), 120), logs
    assert "Unauthorized" in laptop.run(look.replace(f"-u 'grafana:{PASSWORD}'", ""), cwd="/root")
    print(
        f"the laptop is answered by Prometheus of what the player pushed; {time.process_time():.0f} s of processor here"
    )
    shown("not tried", "Grafana")


if __name__ == "__main__":
    main()

"""A real broker, Debian's mosquitto with the files of `deploy/monitoring`, and its own clients as witnesses."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.health.prometheus import free_port, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy" / "monitoring" / "mosquitto"
PROGRAM = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
INSTALLED = bool(PROGRAM) and all(shutil.which(one) for one in ("mosquitto_sub", "mosquitto_passwd", "openssl"))
WHY_NOT = "mosquitto is not installed (Debian: apt install mosquitto mosquitto-clients openssl)"

PASSWORDS = {"foyer": "f-secret", "tower": "t-secret", "technician": "n-secret", "foyer-desk": "d-secret"}
PATIENCE = 60
"""Seconds that a witness waits, on a machine that is busy; it waits for the message and no longer."""


class Mosquitto:
    """A broker in a folder, with TLS, passwords and rights as we ship them.

    Args:
        folder: for all that is its own.
        address: where it listens.
    """

    def __init__(self, folder, address="127.0.0.1"):
        self.folder, self.address, self.port = folder, address, free_port()
        self.ca = folder / "ca.crt"
        certificates(folder, address)
        for number, (user, password) in enumerate(PASSWORDS.items()):
            new = ["-c"] if not number else []
            run("mosquitto_passwd", *new, "-b", "passwords", user, password, cwd=folder)
        shutil.copy(DEPLOY / "perpetuum.acl", folder / "acl")
        (folder / "data").mkdir()
        text = (DEPLOY / "perpetuum.conf").read_text()
        for there, here in (
            ("listener 8883", f"listener {self.port} {address}"),
            ("/etc/mosquitto/certs/", f"{folder}/"),
            ("/etc/mosquitto/perpetuum.passwords", f"{folder}/passwords"),
            ("/etc/mosquitto/perpetuum.acl", f"{folder}/acl"),
        ):
            assert there in text
            text = text.replace(there, here)
        # As root it would become a user who may not look into this folder.
        text += f"persistence_location {folder}/data/\nlog_dest file {folder}/mosquitto.log\nuser root\n"
        (folder / "mosquitto.conf").write_text(text)
        self.process = None
        self.start()

    def start(self):
        """Start it, where it was stopped, with what it remembers."""
        command = [PROGRAM, "-c", str(self.folder / "mosquitto.conf")]
        opened = f"Opening ipv4 listen socket on port {self.port}"
        log = self.folder / "mosquitto.log"
        count = log.read_text().count(opened) if log.exists() else 0
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_until(lambda: log.read_text().count(opened) > count and self.answers(), PATIENCE), self.said

    def answers(self):
        """Whether somebody can log in."""
        words = ["-t", "perpetuum/foyer/answer", "-m", "?"]
        return subprocess.run(["mosquitto_pub", *self._login("foyer"), *words], capture_output=True).returncode == 0

    def stop(self):
        """End it; it remembers what it is told to."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    @property
    def said(self):
        return (self.folder / "mosquitto.log").read_text()

    def _login(self, user):
        login = ["-h", self.address, "-p", str(self.port), "--cafile", str(self.ca), "-V", "5"]
        return [*login, "-u", user, "-P", PASSWORDS[user]]

    def publish(self, topic, payload, user="technician", *more):
        """Say something, as mosquitto_pub does; what it prints."""
        text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        data = text.encode() if isinstance(text, str) else text
        command = ["mosquitto_pub", *self._login(user), "-q", "1", "-t", topic, "-s" if data else "-n", *more]
        return subprocess.run(command, input=data, capture_output=True, timeout=PATIENCE).stderr.decode()

    def listen(self, topic, user="technician", count=1, seconds=PATIENCE):
        """A mosquitto_sub that ends after `count` messages; see `heard`."""
        words = ["-q", "1", "-t", topic, "-C", str(count), "-W", str(seconds), "-F", "%j", "-d"]
        command = ["stdbuf", "-oL", "mosquitto_sub", *self._login(user), *words]
        listening = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in listening.stdout:  # until it is subscribed, so that nothing is missed
            if line.startswith("Subscribed"):
                break
        return listening

    def retained(self, topic, user="technician"):
        """What the broker has retained on a topic, decoded; waits until there is something."""
        return heard(self.listen(topic, user))[0]

    def ask(self, name, command, user="technician"):
        """Send a command, and its answer."""
        listening = self.listen(f"perpetuum/{name}/answer", user)
        said = self.publish(f"perpetuum/{name}/command", command, user)
        assert not said
        return heard(listening)[0]


def heard(listening):
    """The payloads, decoded, of a `Mosquitto.listen` that has heard all that it waited for."""
    lines = [line for line in listening.stdout if line.startswith("{")]
    assert listening.wait(PATIENCE) == 0, lines
    return [json.loads(json.loads(line)["payload"]) for line in lines]


def run(*command, **more):
    subprocess.run(command, check=True, capture_output=True, **more)


def certificates(folder, address):
    """A certificate authority of our own, and what it signs for the broker: as docs/rig.md says."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run("openssl", "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=rig", cwd=folder)
    (folder / "names").write_text(f"subjectAltName=DNS:localhost,IP:{address}\n")
    run("openssl", "req", *key, "-keyout", "broker.key", "-out", "broker.csr", "-subj", "/CN=broker", cwd=folder)
    signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "broker.crt", "-extfile", "names"]
    run("openssl", "x509", "-req", "-in", "broker.csr", *signed, cwd=folder)

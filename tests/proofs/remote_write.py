"""Proof that players push through a cut: `python -m tests.proofs.remote_write [--cut 600]`.

Two players, metrics and endpoints as in an installation, each with a Debian Prometheus as agent beside it, push by TLS
and with a login to one Prometheus with our rules and configuration and an Alertmanager. One of them is cut off (what
stands between takes no connection and drops those that are there), then falls silent. Printed: which alerts were told
when, and how much of what was measured meanwhile is there in the end. The rules wait a tenth of their times.
"""

import argparse
import collections
import selectors
import socket
import tempfile
import threading
import time
from pathlib import Path

from tests.fleet.mosquitto import certificates
from tests.health.prometheus import DEPLOY, Agent, Running, wait_until
from tests.health.test_prometheus import Told

PASSWORD = "example"
"""Whose hash stands in `web.yaml`."""


class Wire:
    """Passes on what comes to a port of its own, until it is cut."""

    def __init__(self, port):
        self.to, self.whole = port, True
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._pairs = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self.whole = False
        for pair in self._pairs:
            for one in pair:
                one.close()
        self._pairs.clear()

    def mend(self):
        self.whole = True

    def _accept(self):
        while True:
            one, _ = self._server.accept()
            if not self.whole:
                one.close()
                continue
            pair = one, socket.create_connection(("127.0.0.1", self.to))
            self._pairs.append(pair)
            threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, one, other):
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(one, selectors.EVENT_READ, other)
                selector.register(other, selectors.EVENT_READ, one)
                while True:
                    for key, _ in selector.select():
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        key.data.sendall(data)
        except (OSError, ValueError):
            return  # it was cut


def watch_alerts(running, seen, over):
    """Note when each alert that somebody is woken for begins and ends."""
    before = set()
    while not over.wait(1.0):
        now = {*running.firing("page"), *running.firing("ticket")}
        for alert in now ^ before:
            seen.append((time.time(), "told" if alert in now else "over", *alert))
        before = now


def samples(running, instance, start, end):
    """(samples of a metric of a player between two moments, longest pause between two of them in seconds)."""
    query = f'perpetuum_heartbeat_timestamp_seconds{{instance="{instance}",station="taken"}}[{round(end - start)}s]'
    found = running.ask("/api/v1/query", query=query, time=end)["data"]["result"]
    moments = [moment for moment, _ in found[0]["values"]] if found else []
    pauses = [later - earlier for earlier, later in zip([start, *moments], [*moments, end], strict=True)]
    return len(moments), max(pauses)


def is_filled(running, start, end):
    """Whether there is of the foyer what there is of the tower, which was never cut off."""
    return samples(running, "foyer", start, end)[0] > 0.98 * samples(running, "tower", start, end)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cut", type=float, default=600.0, help="seconds of the cut")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="remote-write-"))
    certificates(folder, "127.0.0.1")
    web = (DEPLOY / "prometheus" / "web.yaml").read_text().replace("/etc/prometheus/tls/server", f"{folder}/broker")
    (folder / "web.yaml").write_text(web.replace("grafana:", "tower:"))
    (folder / "password").write_text(PASSWORD)
    players = {name: Told(folder / name) for name in ("foyer", "tower")}
    running = Running(folder, [], web=(folder / "web.yaml", folder / "ca.crt", "foyer", PASSWORD))
    wires = {name: Wire(running.port) for name in players}
    agents = [
        Agent(
            folder,
            name,
            player.endpoints.port,
            f"https://127.0.0.1:{wires[name].port}/api/v1/write",
            basic_auth={"username": name, "password_file": f"{folder}/password"},
            tls_config={"ca_file": f"{folder}/ca.crt"},
        )
        for name, player in players.items()
    ]
    seen, over = [], threading.Event()
    began = time.time()
    try:
        assert wait_until(lambda: len(running.query("perpetuum_device_up == 1")) == 2, 60)
        threading.Thread(target=watch_alerts, args=(running, seen, over), daemon=True).start()
        time.sleep(20)
        start = time.time()
        wires["foyer"].cut()
        print(f"{start - began:4.0f} s  the foyer is cut off", flush=True)
        time.sleep(options.cut)
        wires["foyer"].mend()
        end = time.time()
        print(f"{end - began:4.0f} s  it is there again", flush=True)
        filled = wait_until(lambda: is_filled(running, start, end), 300)
        print(f"{time.time() - began:4.0f} s  " + ("the gap is filled" if filled else "THE GAP IS NOT FILLED"))
        assert wait_until(lambda: not running.firing("page"), 120), running.firing("page")
        silent = time.time()
        players["foyer"].like = {"silent": True, "peak": 0.0}
        print(f"{silent - began:4.0f} s  the foyer falls silent", flush=True)
        assert wait_until(lambda: running.firing("page"), 120)
        time.sleep(10)
        players["foyer"].like = {}
        print(f"{time.time() - began:4.0f} s  it sounds again", flush=True)
        assert wait_until(lambda: not running.firing("page"), 120)
        for name in players:
            count, pause = samples(running, name, start, end)
            print(
                f"{name}: {count} samples in the {end - start:.0f} s of the cut, no two more than {pause:.1f} s apart"
            )
        for moment, what, alert, instance in seen:
            print(f"{moment - began:4.0f} s  {alert} of {instance}: {what}")
        told = collections.Counter((alert, instance) for _, what, alert, instance in seen if what == "told")
        print("alerts:", dict(told))
    finally:
        over.set()
        for agent in agents:
            agent.close()
        running.close()
        for player in players.values():
            player.close()


if __name__ == "__main__":
    main()

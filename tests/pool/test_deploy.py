"""What deploy/gpu-host holds is right: the pool's file, the units for systemd, the firewall, who looks after it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.pool.serving.file.reading import read_pool_file
from tests.pool.servers import PoolServer

DEPLOY = Path(__file__).parents[2] / "deploy" / "gpu-host"


def test_the_file_is_valid_and_names_the_port_of_the_socket(monkeypatch):
    monkeypatch.setenv("FOYER_TOKEN", "x" * 20)
    config, found = read_pool_file(DEPLOY / "pool.yaml")
    assert not found
    assert config is not None
    assert f"ListenStream={config.listen[0].port}\n" in (DEPLOY / "perpetuum-pool.socket").read_text()
    assert f":{config.listen[0].port}/readyz" in (DEPLOY / "perpetuum-pool-health.service").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_units(tmp_path):
    for path in DEPLOY.glob("perpetuum-pool*"):
        text = path.read_text().replace("/opt/perpetuum/bin/perpetuum", shutil.which("true") or "/bin/true")
        (tmp_path / path.name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (Debian: apt install curl)")
def test_a_pool_that_makes_no_bar_is_started_anew_and_no_other(tmp_path):
    (tmp_path / "systemctl").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "systemctl").chmod(0o755)
    unit = (DEPLOY / "perpetuum-pool-health.service").read_text()
    script = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", unit, re.MULTILINE)[0]
    script = script.replace("--retry 8", "--retry 1").replace("--retry-delay 10", "--retry-delay 0")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with PoolServer(tmp_path / "weights") as server:
        command = ["sh", "-c", script.replace("127.0.0.1:8480", f"127.0.0.1:{server.port}")]
        done = lambda: subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: E731
        assert done().stdout == ""
        server.makers.away = "all replicas hang"
        assert done().stdout == "restart perpetuum-pool.service\n"
    assert done().stdout == "restart perpetuum-pool.service\n", "nor does one that listens no more"


def test_the_tensorflow_of_a_gpu_is_the_one_that_the_project_knows():
    wanted = re.findall(r'"tensorflow-cpu([^;"]*);', (DEPLOY.parents[1] / "pyproject.toml").read_text())
    assert f"tensorflow[and-cuda]{wanted[0]}\n" in (DEPLOY / "gpu.txt").read_text()


NEEDED = os.geteuid() == 0 and shutil.which("nft") and shutil.which("ip")
LISTEN = """
import socket, sys
held = [socket.create_server(("", port)) for port in (8480, 6379)]
print(len(held), flush=True)
sys.stdin.read()
"""
REACHED = """
import socket, sys
for port in (8480, 6379):
    try:
        socket.create_connection(("10.99.0.1", port), 0.3, (sys.argv[1], 0)).close()
        print(port)
    except OSError:
        pass
"""


@pytest.mark.skipif(not NEEDED, reason="no network can be laid here (root, iproute2, nftables)")
def test_the_firewall_lets_strangers_reach_the_pool_and_the_cluster_all():
    names = [f"pool{os.getpid()}", f"near{os.getpid()}"]
    within = [["ip", "netns", "exec", name] for name in names]
    run = lambda *words: subprocess.run([*words], check=True, capture_output=True, text=True).stdout  # noqa: E731
    try:
        for name in names:
            run("ip", "netns", "add", name)
        run("ip", "link", "add", "far0", "netns", names[0], "type", "veth", "peer", "name", "near0", "netns", names[1])
        for inside, device, addresses in (
            (within[0], "far0", ["10.99.0.1/24", "10.77.0.1/24"]),
            (within[1], "near0", ["10.99.0.2/24", "10.77.0.2/24"]),
        ):
            for address in addresses:
                run(*inside, "ip", "addr", "add", address, "dev", device)
            run(*inside, "ip", "link", "set", device, "up")
        run(*within[0], "nft", "-f", str(DEPLOY / "firewall.nft"))
        run(*within[0], "nft", "-f", str(DEPLOY / "firewall.nft"))  # again, as at each boot
        with subprocess.Popen([*within[0], sys.executable, "-c", LISTEN], stdin=-1, stdout=-1) as listening:
            assert listening.stdout is not None
            listening.stdout.readline()
            assert run(*within[1], sys.executable, "-c", REACHED, "10.99.0.2").split() == ["8480"]
            assert run(*within[1], sys.executable, "-c", REACHED, "10.77.0.2").split() == ["8480", "6379"]
            listening.kill()
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

"""What a player has of a pool over a network that loses packets, or is cut: two network namespaces, a veth, and nft.

    python -m tests.proofs.pool.network [--seconds 10]

The pool is the server without Ray (`tests.pool.servers`) in a namespace of its own; the player asks from another, each
phrase being due 12 s after it was asked for, and this machine's networks play what the pool cannot. nft drops packets
by chance in both directions; tc netem, which could also delay them, is not in every kernel, so that a proxy of TCP does
that beside the player. With `faketime` (Debian: apt install faketime) the pool's clock is a day ahead.
Needs root, iproute2 and nftables. Borne is what costs no phrase: none late, none from the floor, the pool asked again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.pool.rays import end_at_once
from tests.proofs.pool.asking import Fault, borne
from tests.proofs.pool.proxy import FaultyProxy

POOL, PLAYER = f"pool{os.getpid()}", f"play{os.getpid()}"
HERE, THERE, PORT = "10.213.0.1", "10.213.0.2", 18480


def run(command: str) -> None:
    """A command that must work."""
    subprocess.run(command.split(), check=True, capture_output=True)


def within(namespace: str, command: str) -> None:
    """The same in a namespace."""
    run(f"ip netns exec {namespace} {command}")


def lay() -> None:
    """Two namespaces, and a cable between them."""
    for name in (POOL, PLAYER):
        run(f"ip netns add {name}")
        within(name, "ip link set lo up")
    run(f"ip link add near0 netns {PLAYER} type veth peer name far0 netns {POOL}")
    within(PLAYER, f"ip addr add {HERE}/24 dev near0")
    within(POOL, f"ip addr add {THERE}/24 dev far0")
    within(PLAYER, "ip link set near0 up")
    within(POOL, "ip link set far0 up")


def take_up() -> None:
    """All of it gone."""
    for name in (POOL, PLAYER):
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def lose(percent: int) -> None:
    """Packets that are lost by chance, on their way there and back; 0 for none."""
    within(POOL, "nft flush ruleset")
    if percent:
        within(POOL, "nft add table ip loss")
        for hook in ("input", "output"):
            chain = ["nft", "add", "chain", "ip", "loss", hook, f"{{ type filter hook {hook} priority 0; }}"]
            subprocess.run(["ip", "netns", "exec", POOL, *chain], check=True, capture_output=True)
            by_chance = f"numgen random mod 100 < {percent} " if percent < 100 else ""
            within(POOL, f"nft add rule ip loss {hook} {by_chance}drop")


def faults_of(proxy: FaultyProxy) -> list[Fault]:
    """Every fault of the network."""

    def slow(seconds: float, percent: int) -> None:
        proxy.delay = seconds
        lose(percent)

    def losing(name: str, percent: int) -> Fault:
        return Fault(name, lambda: lose(percent), lambda: lose(0))

    slowly = "slow: 500 ms on every answer, 20 % of packets lost"
    return [
        Fault("nothing"),
        *(losing(f"{percent} % of packets lost", percent) for percent in (1, 5, 20)),
        Fault(slowly, lambda: slow(0.5, 20), lambda: slow(0.0, 0), (proxy.port, "127.0.0.1")),
        losing("all packets lost", 100),
        Fault(
            "the cable is pulled",
            lambda: within(POOL, "ip link set far0 down"),
            lambda: within(POOL, "ip link set far0 up"),
        ),
    ]


def rows(seconds: float) -> bool:
    """Every fault, one after the other, told as a table. Whether all were borne. Runs in the player's namespace."""
    return borne(faults_of(FaultyProxy(PORT, THERE)), PORT, seconds, THERE)


def main() -> int:
    """Measure; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        global POOL, PLAYER
        POOL, PLAYER = options.inside
        return 0 if rows(options.seconds) else 1
    folder = Path(tempfile.mkdtemp(prefix="pool-network-"))
    server = None
    try:
        lay()
        print(f"load {os.getloadavg()[0]:.0f}", flush=True)
        ahead = ["faketime", "-f", "+1d"] if shutil.which("faketime") else []
        print(
            "the clock of the pool is a day ahead" if ahead else "there is no faketime: the clock is right", flush=True
        )
        served = [sys.executable, "-m", "tests.pool.servers", str(PORT), str(folder / "weights"), THERE]
        server = subprocess.Popen(["ip", "netns", "exec", POOL, *ahead, *served])
        time.sleep(3.0)
        inside = ["-m", "tests.proofs.pool.network", "--seconds", str(options.seconds), "--inside", POOL, PLAYER]
        return subprocess.run(["ip", "netns", "exec", PLAYER, sys.executable, *inside], check=False).returncode
    finally:
        if server is not None:
            end_at_once(server)
        take_up()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

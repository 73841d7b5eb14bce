"""What a player has of a pool over a network that loses packets, or is cut: two network namespaces, a veth, and nft.

    python -m tests.proofs.pool_network [--seconds 10]

The pool is the server without Ray (`tests.pool.servers`) in a namespace of its own; the player asks from another, each
phrase being due 12 s after it was asked for, and this machine's networks play what the pool cannot. nft drops packets
by chance in both directions; tc netem, which could also delay them, is not in every kernel, and is used where it is.
Needs root, iproute2 and nftables. Borne is what costs no phrase: none late, none from the floor, the pool asked again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.proofs import pool as proof

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


def delayed(milliseconds: int) -> bool:
    """Packets that are late; whether the kernel can do that."""
    command = ["ip", "netns", "exec", POOL, "tc", "qdisc", "add", "dev", "far0", "root", "netem", "delay"]
    return subprocess.run([*command, f"{milliseconds}ms"], check=False, capture_output=True).returncode == 0


def rows(seconds: float) -> bool:
    """Every fault, one after the other, told as a table. Whether all were borne. Runs in the player's namespace."""
    faults: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "nothing": (lambda: None, lambda: None),
        **{f"{share} % of packets lost": (lambda share=share: lose(share), lambda: lose(0)) for share in (1, 5, 20)},
        "all packets lost": (lambda: lose(100), lambda: lose(0)),
        "the cable is pulled": (
            lambda: within(POOL, "ip link set far0 down"),
            lambda: within(POOL, "ip link set far0 up"),
        ),
    }
    if delayed(0):
        faults["each packet 250 ms late"] = (
            lambda: within(POOL, "tc qdisc change dev far0 root netem delay 250ms"),
            lambda: within(POOL, "tc qdisc change dev far0 root netem delay 0ms"),
        )
    borne = True
    print("| fault | phrases | pool | networks here | floor | p50 | p99 | asked again after |\n" + 8 * "|---" + "|")
    for number, (name, (commit, mend)) in enumerate(faults.items()):
        with proof.player(PORT, 2000 + number, THERE) as one:
            for _ in range(3):
                one.phrase()
            commit()
            rungs, times = one.phrases(seconds)
            mend()
            again = one.recovered(120.0)
        times.sort()
        p50, p99 = statistics.median(times), times[min(len(times) - 1, int(0.99 * len(times)))]
        floor = sum(rungs.values()) - rungs["pool"] - rungs["networks"]
        borne = borne and not floor and again is not None and times[-1] < proof.SECONDS_LEFT
        counts = f"{sum(rungs.values())} | {rungs['pool']} | {rungs['networks']} | {floor}"
        said = "never" if again is None else f"{again:.1f} s"
        print(f"| {name} | {counts} | {p50:.2f} s | {p99:.2f} s | {said} |", flush=True)
    return borne


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
        served = ["-m", "tests.pool.servers", str(PORT), str(folder / "weights"), THERE]
        server = subprocess.Popen(["ip", "netns", "exec", POOL, sys.executable, *served])
        time.sleep(3.0)
        inside = ["-m", "tests.proofs.pool_network", "--seconds", str(options.seconds), "--inside", POOL, PLAYER]
        return subprocess.run(["ip", "netns", "exec", PLAYER, sys.executable, *inside], check=False).returncode
    finally:
        if server is not None:
            with suppress(ProcessLookupError):
                server.kill()
            server.wait()
        take_up()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

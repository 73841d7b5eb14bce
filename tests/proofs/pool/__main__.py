"""What a pool does for players, and when everything around it breaks: latency, throughput and faults.

    python -m tests.proofs.pool [--quick]

Starts a real pool (Ray Serve, two replicas) in a network namespace of its own, as `deploy/gpu-host` does, and asks it
through a proxy that delays, drops, or says nothing. Needs the extra [pool], root, iproute2 and systemd. A fault counts
as borne if every phrase that was asked for came in time, from the pool or from the networks of this machine, and if
the pool is asked again by itself when it is over.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.pool.rays import TOKEN, RealPool
from tests.proofs.pool.asking import Fault, borne, player, quantiles
from tests.proofs.pool.proxy import FaultyProxy


def load(port: int, seconds: float) -> None:
    """Latency and throughput of 1, 4 and 16 players."""
    print("| players | phrases/s | p50 | p99 | by the pool |\n|---|---|---|---|---|")
    for count in (1, 4, 16):
        with ThreadPoolExecutor(count) as threads:

            def run(seed: int) -> tuple[Counter[str], list[float]]:
                with player(port, seed) as one:
                    one.phrase()
                    return one.phrases(seconds)

            found = list(threads.map(run, range(count * 100, count * 101)))
        times = [time for _, some in found for time in some]
        rungs = sum((rung for rung, _ in found), Counter[str]())
        share = rungs["pool"] / sum(rungs.values())
        print(f"| {count} | {len(times) / seconds:.1f} | {quantiles(times)} | {share:.0%} |", flush=True)


def faults_of(pool: RealPool, proxy: FaultyProxy) -> list[Fault]:
    """Every fault of the pool, and of what is before it."""

    def restart() -> None:
        pool.kill()
        pool.start()

    def link(down: bool) -> None:
        proxy.closed = down
        proxy.cut()

    def proxied(name: str, attribute: str, bad: float, good: float) -> Fault:
        return Fault(name, lambda: setattr(proxy, attribute, bad), lambda: setattr(proxy, attribute, good))

    return [
        Fault("nothing"),
        Fault("a replica is killed", lambda: pool.replicas[0].kill()),
        Fault("all replicas are killed", lambda: [one.kill() for one in pool.replicas]),
        Fault("the link is down", lambda: link(True), lambda: link(False)),
        proxied("half-alive: it accepts, and never answers", "silent", True, False),
        proxied("slow: 500 ms on every answer", "delay", 0.5, 0.0),
        proxied("wrong answers", "garbled", True, False),
        Fault("the token is revoked", lambda: pool.token.write_text("another"), lambda: pool.token.write_text(TOKEN)),
        Fault("the whole pool is killed, and started again", lambda: threading.Thread(target=restart).start()),
    ]


def main() -> int:
    """Measure; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few seconds for each row")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pool-proof-"))
    began = time.monotonic()
    try:
        with RealPool(folder, "deployments: {all: {}}\n") as pool:
            print(
                f"started in {time.monotonic() - began:.0f} s; load of the machine {os.getloadavg()[0]:.0f}", flush=True
            )
            processes = pool.whole.children(recursive=True)
            resident = sum(one.memory_info().rss for one in processes) / 1e6
            print(f"{len(processes)} processes, {resident:.0f} MB resident in all", flush=True)
            load(pool.port, 6.0 if options.quick else 20.0)
            proxy = FaultyProxy(pool.port)
            good = borne(faults_of(pool, proxy), proxy.port, 8.0 if options.quick else 20.0)
            print(f"load of the machine {os.getloadavg()[0]:.0f}")
            return 0 if good else 1
    finally:
        if (folder / "out").exists():
            print((folder / "out").read_text()[-2000:], file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

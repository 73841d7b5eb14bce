"""What a pool buys: a scene with a network that a Raspberry Pi cannot play, at its full size, on the pool alone.

    python -m tests.proofs.pool.big

MusicVAE's big melodies (three layers of 2048 units; 0.27 GB as half floats) come with no weights that may be shipped,
so those here are of random origin: what they cost is the same. A real `perpetuum run` plays a scene that names them;
the pool (the server without Ray) is a process that has them, is killed, and comes back. Shown: who made the phrases,
how soon it changed, what each side takes of memory, and that there was no silence.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from itertools import groupby
from pathlib import Path

import psutil

from benchmarks.subjects import SUBJECTS, made_up_weights
from engine.networks import CONFIGS
from engine.networks.card import WeightsCard, write_weights
from tests.health.prometheus import free_port
from tests.installation.keeper.test_run import Run, running
from tests.pool.test_installed import BIG, phrases, pool

PART = "lead"
CONFIG = CONFIGS["cat-mel_2bar_big"]
PATIENCE = 150.0
NO_EVENT = 4.5
"""Logit by which nothing new is likelier than each of the ninety notes: as likely as all of them."""


def memory(pid: int) -> float:
    """Megabytes of a process and all that it started: shared pages are shared out among those who share them."""
    whole = psutil.Process(pid)
    return sum(one.memory_full_info().pss for one in (whole, *whole.children(recursive=True))) / 1e6


def until(run: Run, wanted: list[str]) -> float:
    """Seconds until the last phrases were made so."""
    began = time.monotonic()
    run.until(lambda: [one.decided.rung for one in phrases(run.state, PART)][-len(wanted) :] == wanted, PATIENCE)
    return time.monotonic() - began


def main() -> int:
    """Show it; gives the exit code."""
    print(f"load of the machine {os.getloadavg()[0]:.0f}", flush=True)
    os.environ["POOL_TOKEN"] = "let-me-in"
    with tempfile.TemporaryDirectory(prefix="pool-big-") as place:
        folder = Path(place)
        (folder / "weights").mkdir()
        big = next(one for one in SUBJECTS if one.config == CONFIG.name)
        card = WeightsCard("made up", CONFIG.family, CONFIG.name, CONFIG.sizes(big.shapes), "CC0-1.0")
        weights = made_up_weights(big)
        # Weights of chance play a note at every step, which is refused as babble: these mostly go on with what sounds.
        (bias,) = (name for name in weights if name.endswith("output_projection/bias"))
        weights[bias][0] += NO_EVENT
        write_weights(folder / "weights" / f"{CONFIG.name}.safetensors", card, weights)
        port = free_port()
        more = f"pool: {{hosts: 'http://127.0.0.1:{port}', token: {{env: POOL_TOKEN}}}}\n"
        with running(folder, "take.wav", scene=BIG, more=more) as run:
            run.sounds()
            with pool(port, folder / "weights") as process:
                print(f"the pool's first phrases: after {until(run, ['pool'] * 3):.1f} s", flush=True)
                print(f"memory: pool {memory(process.pid):.0f} MB, player {memory(run.process.pid):.0f} MB", flush=True)
                process.kill()
                process.wait()
                there = len(phrases(run.state, PART))
            print(f"the pool is killed; three phrases of the stand-in after {until(run, ['stand-in'] * 3):.1f} s")
            first = [one.decided.rung for one in phrases(run.state, PART)][there:].index("stand-in")
            print(f"phrases that were still on their way from the pool: {first}", flush=True)
            with pool(port, folder / "weights"):
                print(f"it is started again; three phrases of it after {until(run, ['pool'] * 3):.1f} s", flush=True)
                run.process.terminate()
                run.process.wait(30)
            made = [one.decided for one in phrases(run.state, PART)]
            level = run.heard()
        print("in turn: " + ", ".join(f"{len(list(some))} by {rung}" for rung, some in groupby(x.rung for x in made)))
        silent = (level[30:-200] < 1e-4).sum() / 100
        print(f"silence: {silent:.2f} s of {len(level) / 100:.0f} s; load {os.getloadavg()[0]:.0f}")
        return 0 if not silent else 1


if __name__ == "__main__":
    sys.exit(main())

"""Ctrl-C and SIGTERM at random moments of every long verb: one line or nothing, the right exit status, no broken file.

    python -m tests.proofs.interrupts --moments 100

The clock begins where our first line runs: what Python itself says of a Ctrl-C before that is not ours.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from engine.score.midi.writing import write_piece
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track

ROOT = Path(__file__).parents[2]
PROGRAM = """\
import os, sys
from engine.__main__ import answer_interrupts, run
answer_interrupts()
os.write(int(sys.argv.pop(1)), b".")
run()
"""
"""What `perpetuum` is, with a word when it begins."""

VERBS = {
    "check": ["check", "slow_groove"],
    "plan": ["plan", "slow_groove", "--bars", "2000"],
    "render": ["render", "slow_groove", "--minutes", "5", "-o", "out.wav"],
    "play": ["play", "slow_groove", "--output", "null"],
    "record": ["play", "slow_groove", "--output", "wav:take.wav"],
    "generate": ["generate", "drums_rnn", "-n", "500", "--seed", "1", "-o", "made"],
    "groove": ["groove", "beat.mid", "-o", "groove.mid"],
    "import": ["models", "show", "polyphony"],
    "dataset": ["dataset", "build", "music", "--for", "one_drum", "-o", "data"],
    "train": ["train", "one_drum", "--data", "music", "-o", "run", "--batches", "100000"],
}
"""Command lines, in a folder with some music; those that have no end of their own end by the signal."""

FADING = ("play", "record")
"""Verbs that fade out at the first signal; Ctrl-C is how they end, and no failure."""


@dataclass(frozen=True)
class Ended:
    """How a verb ended.

    Attributes:
        status: of the process; negative for a signal.
        seconds: from the signal to the end.
        said: on standard error.
        left: files that should not be there.
    """

    status: int
    seconds: float
    said: str
    left: tuple[str, ...]

    def problem(self, verb: str, number: signal.Signals) -> str:
        """What is wrong with it; "" if nothing is."""
        # Before and after a verb the signal itself ends the process, which shells show as 128 and its number, too.
        right = {128 + number, -number}
        if verb in FADING and number == signal.SIGINT:
            right.add(0)
        if "Traceback" in self.said or "Exception" in self.said:
            return f"a traceback: {self.said[-600:]}"
        done = self.status == 0 and self.seconds < 0.05
        if self.status not in right and not done:
            return f"status {self.status}: {self.said[-300:]}"
        if self.left:
            return f"left {', '.join(self.left)}"
        return f"took {self.seconds:.1f} s" if number == signal.SIGTERM and self.seconds > 2.0 else ""


def music(folder: Path) -> None:
    """Something to read: a beat, and a folder of beats."""
    import numpy as np

    notes = np.array([(beat / 2, beat / 2 + 0.25, (36, 42, 38, 42)[beat % 4], 90) for beat in range(64)], NOTE)
    (folder / "music").mkdir()
    for path in (folder / "beat.mid", *(folder / "music" / f"{number}.mid" for number in range(40))):
        write_piece(path, Piece((Track(notes, "drums", is_drum=True),)))


def interrupted(verb: str, after: float, number: signal.Signals) -> Ended:
    """Start a verb in a folder of its own, and send it a signal some seconds after its first line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        music(folder)
        begun, writing = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(writing), *VERBS[verb]],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PERPETUUM_PATH": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[writing],
        )
        os.close(writing)
        os.read(begun, 1)
        os.close(begun)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        sent = time.monotonic()
        try:
            said = process.communicate(timeout=120)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[1] + "\n(it did not end)"
        seconds = time.monotonic() - sent
        left = [str(path.relative_to(folder)) for path in folder.rglob("*.partial")]
        left += [path.name for path in folder.glob("*.part")] if verb != "record" else []
        left += ["out.wav"] if (folder / "out.wav").exists() and process.returncode else []
        return Ended(process.returncode, seconds, said, tuple(left))


def main() -> None:
    """Interrupt every verb at random moments, and say what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=10, help="of each verb and signal")
    parser.add_argument("--longest", type=float, default=8.0, help="seconds after which the last signal comes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("verbs", nargs="*", choices=[*VERBS, []], default=[])
    asked = parser.parse_args()
    chance, failures = random.Random(asked.seed), 0
    for verb in asked.verbs or VERBS:
        for number in (signal.SIGINT, signal.SIGTERM):
            slowest, bad = 0.0, 0
            for _ in range(asked.moments):
                # Half of the moments lie in the first second, where things are imported.
                after = chance.uniform(0, asked.longest if chance.random() < 0.5 else 1.0)
                ended = interrupted(verb, after, number)
                slowest = max(slowest, ended.seconds)
                if problem := ended.problem(verb, number):
                    bad += 1
                    print(f"{verb} {number.name} after {after:.2f} s: {problem}", flush=True)
            failures += bad
            counts = f"{asked.moments} moments, {bad} bad"
            print(f"{verb:9} {number.name:8} {counts}, slowest end {slowest:.1f} s", flush=True)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
